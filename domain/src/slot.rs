//! Slots: typed answers that a playbook collects, read from what a recogniser heard.
//!
//! Each type has its own file and returns readings with a confidence; which reading fills which slot is decided by [`crate::playbook`]. All is
//! pure and deterministic. Not here yet: telephone numbers, names, dates and times.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) mod candidate;
pub(crate) mod choice;
pub(crate) mod fuzzy;
pub mod money;
pub mod numeral;
pub mod place;
pub mod spell;
pub(crate) mod words;
pub mod yes_no;

pub use choice::Term;
pub use money::{Currency, Money};
pub use numeral::Quantity;
pub use place::Place;

/// What kind of answer a slot takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotType {
    /// One of a vocabulary.
    Choice,
    /// A city or a part of one.
    Place,
    /// An amount with its currency.
    Money,
    /// A number.
    Number,
    /// Yes or no.
    YesNo,
    /// The caller's own words, taken as they are when nothing else was understood.
    Text,
}

/// A typed answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotValue {
    /// The vocabulary's own value.
    Choice(String),
    /// Where.
    Place(Place),
    /// How much.
    Money(Money),
    /// How many.
    Number(Quantity),
    /// Whether.
    YesNo(bool),
    /// Words, also those a playbook puts where the caller does not know.
    Text(String),
}

impl SlotValue {
    /// As it is read back to the caller, in words that every voice says well.
    pub fn spoken(&self) -> String {
        match self {
            Self::Choice(value) | Self::Text(value) => value.clone(),
            Self::Place(place) => place.spoken(),
            Self::Money(money) => money.spoken(),
            Self::Number(number) => spell::quantity(*number, spell::Scales::Indian),
            Self::YesNo(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        }
    }

    /// Writes the value into `extracted_data` under `name`.
    ///
    /// Money is the number of major units (6000000 for sixty lakh rupees; with a fraction only where there is one) beside `<name>_currency`;
    /// a range adds `<name>_low`. A place is its text, a number a number, yes or no a boolean.
    pub fn extract(&self, name: &str, into: &mut Map<String, Value>) {
        let value = match self {
            Self::Choice(text) | Self::Text(text) => Value::from(text.as_str()),
            Self::Place(place) => Value::from(place.written()),
            Self::Number(number) => {
                number.whole().map_or_else(|| Value::from(number.millionths() as f64 / 1e6), Value::from)
            }
            Self::YesNo(yes) => Value::from(*yes),
            Self::Money(money) => {
                into.insert(format!("{name}_currency"), Value::from(money.currency.code()));
                if let Some(low) = money.low_minor {
                    into.insert(format!("{name}_low"), major_units(Money { minor: low, low_minor: None, ..*money }));
                }
                major_units(*money)
            }
        };
        into.insert(name.to_owned(), value);
    }
}

fn major_units(money: Money) -> Value {
    money.major().map_or_else(|| Value::from(money.minor as f64 / 100.0), Value::from)
}
