//! Telephone numbers: E.164, from whatever form a carrier or a person writes.
//!
//! Exotel writes national numbers (`08047112233`), Twilio E.164 (`+918047112233`), a SIP URI may leave out the plus. One number must be one
//! value whoever wrote it. Rules and metadata: libphonenumber, by `rlibphonenumber`.
//! Not here: time zones of numbers, and whether anybody may be called.

use std::fmt;
use std::str::FromStr;

use rlibphonenumber::enums::Region as Metadata;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};
use serde::{Deserialize, Serialize};

/// Longest text that is looked at: E.164 has 15 digits, and people put marks between them.
const MAX_TEXT_BYTES: usize = 64;

/// A country by its two letters (ISO 3166-1), whose national numbers can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region(Metadata);

impl FromStr for Region {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        let upper = text.trim().to_ascii_uppercase();
        let known = upper.len() == 2 && upper.bytes().all(|byte| byte.is_ascii_uppercase());
        let region = known.then(|| Metadata::from_str(&upper).ok()).flatten();
        // The library's "unknown region" reads as one.
        let region = region.filter(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(*region).is_some());
        region.map(Self).ok_or_else(|| NumberError::Region(text.chars().take(20).collect()))
    }
}

/// A telephone number in E.164: a plus and up to 15 digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Number(String);

/// Why a text is no number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not a country.
    #[error("{0:?} is not a country of two letters, such as IN")]
    Region(String),
    /// Not a number at all, or of the wrong length.
    #[error("{0:?} is not a telephone number; write it with its country code, such as +918047112233")]
    Unreadable(String),
    /// Without a country code nobody knows where it is.
    #[error("{0:?} has no country code; write it as +918047112233, or set DEFAULT_REGION")]
    National(String),
}

impl Number {
    /// Reads a number. One without a country code is taken to be of `region`.
    pub fn read(text: &str, region: Option<Region>) -> Result<Self, NumberError> {
        let shown = || text.chars().take(MAX_TEXT_BYTES).collect::<String>();
        let trimmed = text.trim();
        if trimmed.len() > MAX_TEXT_BYTES || !trimmed.bytes().any(|byte| byte.is_ascii_digit()) {
            return Err(NumberError::Unreadable(shown()));
        }
        if region.is_none() && !trimmed.starts_with('+') {
            return Err(NumberError::National(shown()));
        }
        let number = PHONE_NUMBER_UTIL
            .parse(trimmed, region.map(|region| region.0))
            .map_err(|_| NumberError::Unreadable(shown()))?;
        if !PHONE_NUMBER_UTIL.is_possible_number(&number) {
            return Err(NumberError::Unreadable(shown()));
        }
        Ok(Self(PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned()))
    }

    /// `+918047112233`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text, None).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn india() -> Option<Region> {
        Some("in".parse().unwrap())
    }

    #[test]
    fn one_number_is_one_value_whoever_wrote_it() {
        for text in [
            "+918047112233",
            "08047112233",
            "8047112233",
            "080 4711 2233",
            " +91 (80) 4711-2233 ",
            "918047112233",
            "00918047112233",
        ] {
            assert_eq!(Number::read(text, india()).unwrap().as_str(), "+918047112233", "{text:?}");
        }
        assert_eq!(Number::read("09876543210", india()).unwrap().as_str(), "+919876543210", "a mobile");
        assert_eq!(Number::read("+12025550173", india()).unwrap().as_str(), "+12025550173", "another country");
    }

    #[test]
    fn a_national_number_needs_a_country() {
        assert!(matches!(Number::read("08047112233", None), Err(NumberError::National(_))));
        assert_eq!(Number::read("+918047112233", None).unwrap().as_str(), "+918047112233");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "anonymous", "+", "12", "+91", "sip:bot@example.test", "\0", &"9".repeat(1_000)] {
            assert!(Number::read(text, india()).is_err(), "{text:?}");
        }
        for region in ["", "I", "IND", "ZZ", "नम"] {
            assert!(region.parse::<Region>().is_err(), "{region:?}");
        }
    }

    #[test]
    fn stored_numbers_read_back() {
        let number = Number::read("+918047112233", None).unwrap();
        let text = serde_json::to_string(&number).unwrap();
        assert_eq!(text, "\"+918047112233\"");
        assert_eq!(serde_json::from_str::<Number>(&text).unwrap(), number);
        assert!(serde_json::from_str::<Number>("\"08047112233\"").is_err());
    }
}
