//! The other party of a call: what is known when it begins, and what earlier calls from the same number left behind.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, Utc};

use crate::record::Direction;

/// Somebody who has called before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCaller {
    /// The name they gave, in their newest call that has one.
    pub name: Option<String>,
    /// When their last call began.
    pub last_call_at: DateTime<Utc>,
    /// BCP 47 tag of the language they last chose or were heard to speak.
    pub language: Option<String>,
    /// How their last call ended (`final_outcome`), if it was decided.
    pub last_outcome: Option<String>,
}

/// What the switch knows of a call before its brain is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arriving {
    /// Which side began it.
    pub direction: Direction,
    /// The other party's number, as the carrier wrote it.
    pub number: Option<String>,
    /// When it began.
    pub at: DateTime<Utc>,
    /// First words that the client asked for, where the agent allows that.
    pub first_message: Option<String>,
}

/// What a brain is told about its call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFacts {
    /// Which side began it.
    pub direction: Direction,
    /// Date and time on the wall of the agent's zone when the call began.
    pub now: Option<NaiveDateTime>,
    /// Two letters: whose telephone numbers come without a country code.
    pub region: Option<String>,
    /// The other party, where they are known.
    pub known: Option<KnownCaller>,
    /// First words that the client asked for, where the agent allows that.
    pub first_message: Option<String>,
    /// What a list knows of them, by its columns: texts to fill in, never instructions.
    pub variables: BTreeMap<String, String>,
}

impl Default for CallFacts {
    fn default() -> Self {
        Self {
            direction: Direction::Inbound,
            now: None,
            region: None,
            known: None,
            first_message: None,
            variables: BTreeMap::new(),
        }
    }
}

/// What carriers write for a caller who hides their number: words, or the words on a keypad (anonymous, restricted, blocked, unknown and
/// unavailable).
const HIDDEN: [&str; 5] = ["266696687", "7378742833", "2562533", "8656696", "86282452253"];
/// Fewer digits are a short code or an extension, behind which anybody may sit.
const SHORTEST: usize = 7;

/// The number by which a caller can be recognised; `None` for those who hide theirs. Spelled as it came, for so it is stored.
pub fn recognisable(number: &str) -> Option<&str> {
    let number = number.trim();
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let hidden = digits.len() < SHORTEST || HIDDEN.contains(&digits.as_str()) || number.contains(char::is_alphabetic);
    (!hidden).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_numbers_are_nobody() {
        for number in ["", "anonymous", "Restricted", "+266696687", "+7378742833", "sip:user@host", "100", "+8656696"] {
            assert_eq!(recognisable(number), None, "{number}");
        }
        for number in ["+919876543210", " 09876543210 ", "1140000001"] {
            assert_eq!(recognisable(number), Some(number.trim()), "{number}");
        }
    }
}
