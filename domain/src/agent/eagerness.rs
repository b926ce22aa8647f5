//! How readily an agent takes a pause of the caller for the end of the turn: a word, or a number between the words.
//!
//! Source: api-inventory section 8 (`eagerness`), design.md section 12 item 5. Three points are given, 900, 500 and 300 ms for a normal of
//! 500 ms; what lies between them is drawn straight. Does not know of words or pauses: [`crate::endpointing`] does.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Silence in thousandths of the server's, for the patient, the normal and the eager agent.
const PERMILLE: [f32; 3] = [1_800.0, 1_000.0, 600.0];

/// From 0, which waits longest, to 1, which waits least.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f32")]
pub struct Eagerness(f32);

/// A number that is no eagerness.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("an eagerness of {0}: write a number from 0 to 1")]
pub struct NoEagerness(f32);

impl Eagerness {
    /// Waits longest (`low`).
    pub const LOW: Self = Self(0.0);
    /// The server's own setting (`normal`).
    pub const NORMAL: Self = Self(0.5);
    /// Waits least (`high`).
    pub const HIGH: Self = Self(1.0);

    /// Reads `low`, `normal`, `high` or a number from 0 to 1.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "low" => Some(Self::LOW),
            "normal" => Some(Self::NORMAL),
            "high" => Some(Self::HIGH),
            number => number.parse::<f32>().ok().and_then(|number| Self::try_from(number).ok()),
        }
    }

    /// Stretches a span by this eagerness: 1.8 times for the patient, as it is for the normal, 0.6 times for the eager. With
    /// `ENDPOINT_SILENCE_MS` it gives the silence that ends a plain turn.
    pub fn of(self, normal: Duration) -> Duration {
        let [low, middle, high] = PERMILLE;
        let permille = if self.0 <= Self::NORMAL.0 {
            low + (middle - low) * self.0 * 2.0
        } else {
            middle + (high - middle) * (self.0 - Self::NORMAL.0) * 2.0
        };
        normal * permille.round() as u32 / 1_000
    }
}

impl TryFrom<f32> for Eagerness {
    type Error = NoEagerness;

    fn try_from(number: f32) -> Result<Self, NoEagerness> {
        if (0.0..=1.0).contains(&number) { Ok(Self(number)) } else { Err(NoEagerness(number)) }
    }
}

impl Default for Eagerness {
    fn default() -> Self {
        Self::NORMAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, normal: u64) -> Option<u128> {
        Some(Eagerness::parse(text)?.of(Duration::from_millis(normal)).as_millis())
    }

    #[test]
    fn three_words_and_what_lies_between() {
        let read = |text| at(text, 500);
        assert_eq!(["low", "normal", "high"].map(read), [Some(900), Some(500), Some(300)]);
        assert_eq!(["0", "0.25", "0.5", "0.75", "1"].map(read), [900, 700, 500, 400, 300].map(Some));
        assert_eq!(at("low", 1_000), Some(1_800));
    }

    #[test]
    fn nothing_else_is_an_eagerness() {
        for text in ["", "eager", "-0.1", "1.01", "NaN", "inf", "LOW"] {
            assert_eq!(Eagerness::parse(text), None, "{text:?}");
        }
    }
}
