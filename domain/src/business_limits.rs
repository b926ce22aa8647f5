//! What a document says about how many calls a business may have.
//!
//! | field                   | is                                              | `null`                 |
//! |-------------------------|-------------------------------------------------|------------------------|
//! | `concurrent_call_limit` | -1, or a whole number of calls at once          | -1: the server's limit |
//! | `daily_call_limit`      | -1, or a whole number of calls in a day         | -1: none               |
//! | `time_zone`             | a name of the tz database, such as Asia/Kolkata | the server's zone      |
//!
//! Bounds are those of an agent's settings of the same names. Not here: who may set them, and what they do ([`crate::admission`]).

use serde_json::{Value, json};

use crate::agent_settings::{Faults, Wrong, nearest, read_fields, type_name};
use crate::port::store::StoredLimits;
use crate::zone::Zone;

const AT_ONCE: &str = "concurrent_call_limit";
const A_DAY: &str = "daily_call_limit";
const ZONE: &str = "time_zone";
/// Most calls at once that can be set.
const MOST_AT_ONCE: i64 = 100_000;
/// Most calls in a day that can be set.
const MOST_A_DAY: i64 = 10_000_000;

/// A checked change. What it does not name stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LimitsChange {
    at_once: Option<i64>,
    a_day: Option<i64>,
    zone: Option<Option<String>>,
}

impl LimitsChange {
    /// Reads a document.
    pub fn read(document: &Value) -> Result<Self, Faults> {
        let mut change = Self::default();
        let faults = read_fields(document, |_, name, value| change.field(name, value));
        if faults.is_empty() { Ok(change) } else { Err(faults) }
    }

    /// The limits after this change.
    pub fn on(&self, limits: StoredLimits) -> StoredLimits {
        StoredLimits {
            concurrent_call_limit: self.at_once.unwrap_or(limits.concurrent_call_limit),
            daily_call_limit: self.a_day.unwrap_or(limits.daily_call_limit),
            time_zone: self.zone.clone().unwrap_or(limits.time_zone),
            revision: limits.revision,
        }
    }

    fn field(&mut self, name: &str, value: &Value) -> Result<(), Wrong> {
        match name {
            AT_ONCE => self.at_once = Some(calls(value, MOST_AT_ONCE)?),
            A_DAY => self.a_day = Some(calls(value, MOST_A_DAY)?),
            ZONE => self.zone = Some(zone(value)?),
            name => return Err(Wrong::Unknown { nearest: nearest(name, [AT_ONCE, A_DAY, ZONE].into_iter()) }),
        }
        Ok(())
    }
}

/// A document as JSON Schema.
pub fn schema() -> Value {
    let calls = |most: i64, about: &str| json!({"type": ["integer", "null"], "minimum": -1, "maximum": most, "description": about});
    json!({
        "type": "object",
        "properties": {
            AT_ONCE: calls(MOST_AT_ONCE, "calls at once; -1 for the server's limit"),
            A_DAY: calls(MOST_A_DAY, "calls in a day; -1 for no limit"),
            ZONE: zone_schema(),
        },
        "additionalProperties": false,
    })
}

/// The name of a zone as it is kept, or none.
pub(crate) fn zone(value: &Value) -> Result<Option<String>, Wrong> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => match text.parse::<Zone>() {
            Ok(zone) => Ok(Some(zone.name().to_owned())),
            Err(error) => Err(Wrong::Rule(error.to_string())),
        },
        other => Err(Wrong::Type { wanted: "a text", found: type_name(other) }),
    }
}

/// [`zone`] as JSON Schema.
pub(crate) fn zone_schema() -> Value {
    json!({"type": ["string", "null"], "description": "name of the tz database, such as Asia/Kolkata; null for the server's zone"})
}

/// A number of calls, or -1.
fn calls(value: &Value, most: i64) -> Result<i64, Wrong> {
    let out = || Wrong::Range {
        given: value.to_string(),
        allowed: format!("0 to {most} calls, or -1 for no limit of its own"),
    };
    match value {
        Value::Null => Ok(-1),
        Value::Number(number) => {
            // 30.0 is thirty: clients of weakly typed languages write it so.
            let exact = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 9e15);
            let whole = number.as_i64().or(exact.map(|number| number as i64));
            whole.filter(|calls| (-1..=most).contains(calls)).ok_or_else(out)
        }
        other => Err(Wrong::Type { wanted: "a whole number", found: type_name(other) }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn usual() -> StoredLimits {
        StoredLimits { concurrent_call_limit: -1, daily_call_limit: 500, time_zone: None, revision: 3 }
    }

    #[test]
    fn what_is_not_named_stays() {
        let change = LimitsChange::read(&json!({"concurrent_call_limit": 20.0, "time_zone": "Asia/Kolkata"})).unwrap();
        let next = change.on(usual());
        assert_eq!((next.concurrent_call_limit, next.daily_call_limit, next.revision), (20, 500, 3));
        assert_eq!(next.time_zone.as_deref(), Some("Asia/Kolkata"));
        let back = LimitsChange::read(&json!({"daily_call_limit": null, "time_zone": null})).unwrap().on(next);
        assert_eq!((back.daily_call_limit, back.time_zone), (-1, None));
    }

    #[test]
    fn every_fault_is_told_with_its_place() {
        for (document, expected) in [
            (
                json!({"concurrent_call_limit": -2, "daily_call_limit": 1.5}),
                vec!["/concurrent_call_limit", "/daily_call_limit"],
            ),
            (
                json!({"concurrent_call_limit": 100_001, "time_zone": "IST"}),
                vec!["/concurrent_call_limit", "/time_zone"],
            ),
            (json!({"daily_call_limt": 1, "business_id": 2}), vec!["/business_id", "/daily_call_limt"]),
            (json!({"time_zone": 5, "daily_call_limit": "many"}), vec!["/daily_call_limit", "/time_zone"]),
            (json!({"daily_call_limit": 1e300}), vec!["/daily_call_limit"]),
            (json!(7), vec![""]),
        ] {
            let faults = LimitsChange::read(&document).unwrap_err();
            let mut places: Vec<_> = faults.told.into_iter().map(|fault| fault.pointer).collect();
            places.sort();
            assert_eq!(places, expected, "{document}");
        }
    }
}
