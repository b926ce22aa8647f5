//! Slots: typed answers that a playbook collects, read from what a recogniser heard.
//!
//! Each type has its own file and returns readings with a confidence; which reading fills which slot is decided by [`crate::playbook`]. All is
//! pure and deterministic: today's date and the caller's region come in by argument. English and Hindi are understood side by side, for
//! callers mix them; values are said in the language of the conversation.

use chrono::{NaiveDate, NaiveTime};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub(crate) mod candidate;
pub(crate) mod choice;
pub(crate) mod date;
pub(crate) mod email;
pub(crate) mod fuzzy;
mod hindi;
pub mod money;
pub(crate) mod name;
pub mod numeral;
pub mod phone;
pub mod place;
pub mod spell;
mod time;
pub mod tongue;
pub mod window;
pub(crate) mod words;
pub mod yes_no;

pub use choice::Term;
pub use money::{Currency, Money};
pub use numeral::Quantity;
pub use phone::PhoneNumber;
pub use place::Place;
pub use tongue::Tongue;
pub use window::TimeWindow;

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
    /// A day.
    Date,
    /// A time of day.
    Time,
    /// A stretch of time, on a day where one is named: "tomorrow evening", "between four and six".
    TimeWindow,
    /// A person's name.
    Name,
    /// A telephone number.
    Phone,
    /// An e-mail address.
    Email,
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
    /// On which day.
    Date(NaiveDate),
    /// At what time of day.
    Time(NaiveTime),
    /// When.
    Window(TimeWindow),
    /// Who.
    Name(String),
    /// Under which number.
    Phone(PhoneNumber),
    /// At which address.
    Email(String),
    /// Whether.
    YesNo(bool),
    /// Words, also those a playbook puts where the caller does not know.
    Text(String),
}

impl SlotValue {
    /// As it is read back to the caller, in words that every voice says well.
    pub fn spoken(&self, tongue: Tongue) -> String {
        match self {
            Self::Choice(value) | Self::Name(value) | Self::Text(value) => value.clone(),
            Self::Place(place) => place.spoken(),
            Self::Money(money) => money.spoken(tongue),
            Self::Number(number) => spell::quantity(*number, spell::Scales::of(tongue)),
            Self::Date(date) => date::spoken(*date, tongue),
            Self::Time(at) => time::spoken(*at, tongue),
            Self::Window(window) => window.spoken(tongue),
            Self::Phone(number) => number.spoken(tongue),
            Self::Email(address) => email::spoken(address, tongue),
            Self::YesNo(yes) => match (tongue, yes) {
                (Tongue::English, true) => "yes",
                (Tongue::English, false) => "no",
                (Tongue::Hindi, true) => "हाँ",
                (Tongue::Hindi, false) => "नहीं",
            }
            .to_owned(),
        }
    }

    /// Writes the value into `extracted_data` under `name`.
    ///
    /// | type                       | JSON                                                                                              |
    /// |----------------------------|---------------------------------------------------------------------------------------------------|
    /// | choice, place, name, text  | string                                                                                            |
    /// | money                      | number of major units (6000000 for sixty lakh rupees; with a fraction only where there is one), beside `<name>_currency`; a range adds `<name>_low` |
    /// | number                     | number                                                                                            |
    /// | date                       | `"2026-11-23"`                                                                                    |
    /// | time                       | `"16:00"`                                                                                         |
    /// | time window                | `{"date": "2026-11-23", "from": "16:00", "to": "18:00"}`: `date` only where one was said, an open end is null, a point in time has both ends alike |
    /// | phone                      | `"+919876543210"`                                                                                 |
    /// | e-mail                     | `"name@example.com"`                                                                              |
    /// | yes or no                  | boolean                                                                                           |
    pub fn extract(&self, name: &str, into: &mut Map<String, Value>) {
        let value = match self {
            Self::Choice(text) | Self::Name(text) | Self::Email(text) | Self::Text(text) => Value::from(text.as_str()),
            Self::Place(place) => Value::from(place.written()),
            Self::Number(number) => {
                number.whole().map_or_else(|| Value::from(number.millionths() as f64 / 1e6), Value::from)
            }
            Self::Date(date) => Value::from(date.to_string()),
            Self::Time(at) => clock(*at),
            Self::Window(window) => {
                let mut value = json!({ "from": window.from.map(clock), "to": window.to.map(clock) });
                if let Some(date) = window.date {
                    value["date"] = Value::from(date.to_string());
                }
                value
            }
            Self::Phone(number) => Value::from(number.e164()),
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

fn clock(at: NaiveTime) -> Value {
    Value::from(at.format("%H:%M").to_string())
}

fn major_units(money: Money) -> Value {
    money.major().map_or_else(|| Value::from(money.minor as f64 / 100.0), Value::from)
}
