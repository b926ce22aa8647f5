//! Time zones: which day it is somewhere.
//!
//! By their names in the tz database, whose rules are compiled in: the same on every machine. Not here: calling windows, and the zones that a
//! telephone number may be in.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

/// A time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Zone(Tz);

/// A text that names no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time zone; write its name, such as Asia/Kolkata or Europe/London")]
pub struct NoZone(String);

impl Zone {
    /// The day that it is there at an instant.
    pub fn day(self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.0).date_naive()
    }

    /// Its name, such as `Asia/Kolkata`.
    pub fn name(self) -> &'static str {
        self.0.name()
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self(Tz::UTC)
    }
}

impl From<Tz> for Zone {
    fn from(zone: Tz) -> Self {
        Self(zone)
    }
}

impl FromStr for Zone {
    type Err = NoZone;

    fn from_str(text: &str) -> Result<Self, NoZone> {
        text.trim().parse().map(Self).map_err(|_| NoZone(text.chars().take(60).collect()))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_day_is_that_of_the_place() {
        let at = "2026-11-22T18:45:00Z".parse().unwrap();
        for (zone, day) in [
            ("Asia/Kolkata", "2026-11-23"),
            ("UTC", "2026-11-22"),
            ("Asia/Kathmandu", "2026-11-23"),
            ("America/Adak", "2026-11-22"),
        ] {
            assert_eq!(zone.parse::<Zone>().unwrap().day(at).to_string(), day, "{zone}");
        }
    }

    #[test]
    fn what_names_no_zone_is_refused() {
        for text in ["", "IST+5:30", "Asia/Nowhere", &"x".repeat(1_000)] {
            assert!(text.parse::<Zone>().is_err(), "{text:?}");
        }
        assert_eq!("Asia/Kolkata".parse::<Zone>().unwrap().to_string(), "Asia/Kolkata");
    }
}
