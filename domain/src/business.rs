//! What a business is called, and what a document says about it.
//!
//! | field       | is                                                                  | `null`            |
//! |-------------|---------------------------------------------------------------------|-------------------|
//! | `name`      | one line of 1 to 200 characters that reads as no number and no UUID | refused           |
//! | `time_zone` | a name of the tz database, such as Asia/Kolkata                     | the server's zone |
//!
//! The zone is the one of its limits ([`crate::business_limits`]): one column, shown at both. Not here: who may set them.

use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};

use crate::agent_settings::{Faults, Wrong, nearest, read_fields, type_name};
use crate::business_limits;
use crate::port::store::{Business, RowKey};

const NAME: &str = "name";
const ZONE: &str = "time_zone";
/// Characters of a name.
const MOST_CHARS: usize = 200;

/// What a business is called, without white space around it. It reads as no number and no UUID, by which businesses are named too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusinessName(String);

/// A text that names no business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a business's name is one line of 1 to {MOST_CHARS} characters, and no number or UUID")]
pub struct NoName;

impl BusinessName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BusinessName {
    type Err = NoName;

    fn from_str(text: &str) -> Result<Self, NoName> {
        // As it came, as the schema counts too.
        let fits = text.chars().count() <= MOST_CHARS;
        let text = text.trim();
        let is_line = !text.is_empty() && !text.contains(char::is_control);
        if fits && is_line && matches!(RowKey::parse(text), RowKey::Name(_)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NoName)
        }
    }
}

impl fmt::Display for BusinessName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A checked change. What it does not name stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BusinessChange {
    name: Option<BusinessName>,
    zone: Option<Option<String>>,
}

impl BusinessChange {
    /// Another name.
    pub fn renamed(name: BusinessName) -> Self {
        Self { name: Some(name), zone: None }
    }

    /// Reads a document.
    ///
    /// # Errors
    ///
    /// All that is wrong with it, each with its place.
    pub fn read(document: &Value) -> Result<Self, Faults> {
        let mut change = Self::default();
        let faults = read_fields(document, |_, name, value| change.field(name, value));
        if faults.is_empty() { Ok(change) } else { Err(faults) }
    }

    /// The business after this change.
    pub fn on(&self, business: Business) -> Business {
        Business {
            name: self.name.as_ref().map_or(business.name, ToString::to_string),
            time_zone: self.zone.clone().unwrap_or(business.time_zone),
            ..business
        }
    }

    fn field(&mut self, name: &str, value: &Value) -> Result<(), Wrong> {
        match (name, value) {
            (NAME, Value::String(text)) => {
                self.name = Some(text.parse().map_err(|error: NoName| Wrong::Rule(error.to_string()))?);
            }
            (NAME, other) => return Err(Wrong::Type { wanted: "a text", found: type_name(other) }),
            (ZONE, value) => self.zone = Some(business_limits::zone(value)?),
            (name, _) => return Err(Wrong::Unknown { nearest: nearest(name, [NAME, ZONE].into_iter()) }),
        }
        Ok(())
    }
}

/// A document as JSON Schema.
pub fn schema() -> Value {
    let about = "one line that reads as no number and no UUID; no two businesses have one name, whatever the case";
    json!({
        "type": "object",
        "properties": {
            NAME: {"type": "string", "minLength": 1, "maxLength": MOST_CHARS, "description": about},
            ZONE: business_limits::zone_schema(),
        },
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::ids::BusinessId;

    #[test]
    fn a_name_is_one_line_that_is_no_other_way_to_name_a_business() {
        assert_eq!("  Acme & Söhne ".parse::<BusinessName>().unwrap().as_str(), "Acme & Söhne");
        assert_eq!("7 Hills".parse::<BusinessName>().unwrap().as_str(), "7 Hills");
        let (long, wide) = ("é".repeat(201), format!("Acme{}", " ".repeat(200)));
        for text in ["", " ", "a\nb", "42", "-1", "01941f29-7c00-7000-8000-000000000001", &long, &wide] {
            assert_eq!(text.parse::<BusinessName>(), Err(NoName), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_named_stays() {
        let business = Business {
            id: BusinessId(2),
            uuid: Uuid::nil(),
            name: "Acme".to_owned(),
            time_zone: Some("Asia/Kolkata".to_owned()),
            created_at: DateTime::UNIX_EPOCH,
            revision: 3,
        };
        let renamed = BusinessChange::read(&json!({"name": " Acme Homes "})).unwrap().on(business.clone());
        assert_eq!(renamed, Business { name: "Acme Homes".to_owned(), ..business.clone() });
        let moved = BusinessChange::read(&json!({"time_zone": null})).unwrap().on(business.clone());
        assert_eq!(moved, Business { time_zone: None, ..business.clone() });
        assert_eq!(BusinessChange::default().on(business.clone()), business);
    }

    #[test]
    fn every_fault_is_told_with_its_place() {
        for (document, expected) in [
            (json!({"name": null, "time_zone": "IST"}), vec!["/name", "/time_zone"]),
            (json!({"id": 1, "name": "12"}), vec!["/id", "/name"]),
            (json!({"nmae": "Acme", "time_zone": 5}), vec!["/nmae", "/time_zone"]),
            (json!(["Acme"]), vec![""]),
        ] {
            let faults = BusinessChange::read(&document).unwrap_err();
            let mut places: Vec<_> = faults.told.into_iter().map(|fault| fault.pointer).collect();
            places.sort();
            assert_eq!(places, expected, "{document}");
        }
    }
}
