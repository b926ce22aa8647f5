//! What a document says about a telephone number of ours: the number, who answers it, and what it is for.
//!
//! | field      | is                                                                                      | without it            |
//! |------------|-----------------------------------------------------------------------------------------|-----------------------|
//! | `number`   | E.164, or national of `DEFAULT_REGION`; only where a number is added                    | must be there         |
//! | `agent_id` | number, UUID or name of an agent (also `agent`, `agent_name`, `agent_config_id`, `bot_id`) | nobody of its own  |
//! | `type`     | a word of at most [`MOST_TYPE`] letters                                                 | `main`                |
//! | `active`   | true or false                                                                           | true                  |
//!
//! Every fault is told at once, with the place where it stands. Not here: whether there is such an agent, and who owns a number.

use serde_json::{Map, Value, json};

use crate::agent_settings::{Faults, Wrong, nearest, pointer, read_fields, type_name};
use crate::ids::AgentId;
use crate::number::{Number, Region};
use crate::port::store::{PhoneNumber, RowKey};

/// Names of the agent (api-inventory R3), the canonical one first.
const AGENT: [&str; 5] = ["agent_id", "agent", "agent_name", "agent_config_id", "bot_id"];
/// Names of all fields, for who mistypes one.
const FIELDS: [&str; 8] = ["number", "type", "active", "agent_id", "agent", "agent_name", "agent_config_id", "bot_id"];
/// What is shown and nobody sets.
const READ_ONLY: [&str; 5] = ["id", "uuid", "business_id", "created_at", "updated_at"];
/// Letters of a type.
pub const MOST_TYPE: usize = 40;

/// What may be set of a number that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberSettings {
    /// What it is used for.
    pub kind: String,
    /// Whether calls to it are answered.
    pub active: bool,
    /// Who answers them.
    pub agent: Option<AgentId>,
}

impl Default for NumberSettings {
    fn default() -> Self {
        Self { kind: "main".to_owned(), active: true, agent: None }
    }
}

impl From<&PhoneNumber> for NumberSettings {
    fn from(number: &PhoneNumber) -> Self {
        Self { kind: number.kind.clone(), active: number.active, agent: number.agent_id.map(AgentId) }
    }
}

/// A checked change. What it does not name stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NumberChange {
    /// The number, where one is added.
    pub number: Option<Number>,
    /// Who shall answer; `Some(None)` for nobody of its own.
    pub agent: Option<Option<RowKey>>,
    /// What it shall be for.
    pub kind: Option<String>,
    /// Whether it shall be answered.
    pub active: Option<bool>,
}

impl NumberChange {
    /// Reads a document that adds a number.
    pub fn read_new(document: &Value, region: Option<Region>) -> Result<(Number, Self), Faults> {
        let (mut change, mut faults) = read(document, region, true);
        match change.number.take() {
            Some(number) if faults.is_empty() => Ok((number, change)),
            Some(_) => Err(faults),
            None => {
                if document.as_object().is_some_and(|fields| fields.get("number").is_none_or(Value::is_null)) {
                    faults.push("/number", || Wrong::Missing("write it with its country code, such as +918047112233"));
                }
                Err(faults)
            }
        }
    }

    /// Reads a document that changes one.
    pub fn read(document: &Value) -> Result<Self, Faults> {
        let (change, faults) = read(document, None, false);
        if faults.is_empty() { Ok(change) } else { Err(faults) }
    }

    /// The settings of a number after this change; `agent` is the one that it names, found.
    pub fn on(&self, settings: NumberSettings, agent: Option<AgentId>) -> NumberSettings {
        NumberSettings {
            kind: self.kind.clone().unwrap_or(settings.kind),
            active: self.active.unwrap_or(settings.active),
            agent: if self.agent.is_some() { agent } else { settings.agent },
        }
    }
}

/// A document as JSON Schema: of one that adds a number, or of one that changes it.
pub fn schema(new: bool) -> Value {
    let mut properties = Map::from_iter([
        (
            "type".to_owned(),
            json!({"type": ["string", "null"], "minLength": 1, "maxLength": MOST_TYPE, "description": "a word; `main` without one"}),
        ),
        (
            "active".to_owned(),
            json!({"type": ["boolean", "null"], "description": "whether calls to it are answered; true without one"}),
        ),
    ]);
    let agent = json!({
        "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}, {"type": "null"}],
        "description": "number, UUID or name of the agent that answers; null for none of its own",
    });
    properties.extend(AGENT.map(|name| (name.to_owned(), agent.clone())));
    let mut schema = json!({"type": "object", "additionalProperties": false});
    if new {
        let about = "E.164, or national of DEFAULT_REGION";
        properties.insert(
            "number".to_owned(),
            json!({"type": "string", "description": about, "examples": ["+918047112233"]}),
        );
        schema["required"] = json!(["number"]);
    }
    schema["properties"] = Value::Object(properties);
    schema
}

/// Where a document names the agent, as a JSON pointer.
pub fn agent_place(document: &Value) -> String {
    let name = AGENT.iter().find(|name| document.get(**name).is_some());
    pointer("", name.unwrap_or(&AGENT[0]))
}

fn read(document: &Value, region: Option<Region>, new: bool) -> (NumberChange, Faults) {
    let mut change = NumberChange::default();
    let faults = read_fields(document, |fields, name, value| field(&mut change, fields, name, value, region, new));
    (change, faults)
}

fn field(
    change: &mut NumberChange,
    fields: &Map<String, Value>,
    name: &str,
    value: &Value,
    region: Option<Region>,
    new: bool,
) -> Result<(), Wrong> {
    match name {
        "number" if new => match value {
            Value::Null => {} // told as missing
            Value::String(text) => {
                change.number = Some(Number::read(text, region).map_err(|error| Wrong::Rule(error.to_string()))?);
            }
            other => return Err(Wrong::Type { wanted: "a text such as \"+918047112233\"", found: type_name(other) }),
        },
        "number" => return Err(Wrong::ReadOnly("add the other number, and remove this one")),
        "type" => {
            let text = match value {
                Value::Null => NumberSettings::default().kind,
                Value::String(text) => text.trim().to_owned(),
                other => return Err(Wrong::Type { wanted: "a text", found: type_name(other) }),
            };
            let letters = text.chars().count();
            if letters > MOST_TYPE {
                return Err(Wrong::TooMuch { found: letters, most: MOST_TYPE, of: "letters" });
            }
            if text.is_empty() || text.chars().any(char::is_control) {
                return Err(Wrong::Rule("must be a word, such as main".to_owned()));
            }
            change.kind = Some(text);
        }
        "active" => match value {
            Value::Null => change.active = Some(true),
            Value::Bool(active) => change.active = Some(*active),
            other => return Err(Wrong::Type { wanted: "true or false", found: type_name(other) }),
        },
        name if AGENT.contains(&name) => {
            let key = match value {
                Value::Null => None,
                Value::Number(number) => {
                    let row = number.as_i64().filter(|row| *row > 0);
                    Some(RowKey::Number(row.ok_or_else(|| Wrong::Rule("no agent has this number".to_owned()))?))
                }
                Value::String(text) if text.trim().is_empty() => None,
                Value::String(text) => Some(RowKey::parse(text.trim())),
                other => {
                    return Err(Wrong::Type { wanted: "number, UUID or name of an agent", found: type_name(other) });
                }
            };
            if let Some(before) = &change.agent
                && *before != key
            {
                let twin = AGENT.iter().find(|twin| **twin != name && fields.contains_key(**twin));
                return Err(Wrong::Contradicts(twin.copied().unwrap_or(AGENT[0]).to_owned()));
            }
            change.agent = Some(key);
        }
        name if READ_ONLY.contains(&name) => return Err(Wrong::ReadOnly("the server says it")),
        name => return Err(Wrong::Unknown { nearest: nearest(name, FIELDS.into_iter()) }),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn places(faults: Faults) -> Vec<String> {
        let mut places: Vec<_> = faults.told.into_iter().map(|fault| fault.pointer).collect();
        places.sort();
        places
    }

    #[test]
    fn a_number_is_added_in_e164_whoever_wrote_it() {
        let region = Some("IN".parse().unwrap());
        let (number, change) =
            NumberChange::read_new(&json!({"number": "080 4711 2233", "agent": "Asha"}), region).unwrap();
        assert_eq!(number.as_str(), "+918047112233");
        assert_eq!(change.agent, Some(Some(RowKey::Name("Asha".into()))));
        assert_eq!(change.on(NumberSettings::default(), Some(AgentId(3))).agent, Some(AgentId(3)));
        let same =
            json!({"number": "+918047112233", "agent_id": 7, "bot_id": "7", "type": " support ", "active": false});
        let (_, change) = NumberChange::read_new(&same, None).unwrap();
        let settings = change.on(NumberSettings::default(), Some(AgentId(7)));
        assert_eq!((settings.kind.as_str(), settings.active), ("support", false));
    }

    #[test]
    fn the_schema_has_the_fields_of_the_reader() {
        for new in [true, false] {
            let schema = schema(new);
            let mut names: Vec<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
            let mut fields: Vec<&str> = FIELDS.into_iter().filter(|name| new || *name != "number").collect();
            names.sort_unstable();
            fields.sort_unstable();
            assert_eq!(names, fields);
        }
    }

    #[test]
    fn what_is_not_named_stays() {
        let before = NumberSettings { kind: "support".into(), active: false, agent: Some(AgentId(3)) };
        assert_eq!(NumberChange::read(&json!({})).unwrap().on(before.clone(), None), before);
        let change = NumberChange::read(&json!({"agent_id": null, "active": true})).unwrap();
        assert_eq!(change.on(before, None), NumberSettings { kind: "support".into(), active: true, agent: None });
    }

    #[test]
    fn every_fault_is_told_with_its_place() {
        for (document, expected) in [
            (json!({}), vec!["/number"]),
            (json!({"number": null, "activ": true}), vec!["/activ", "/number"]),
            (json!({"number": "12"}), vec!["/number"]),
            (json!({"number": 918047112233_i64, "type": "", "active": "yes"}), vec!["/active", "/number", "/type"]),
            (json!({"number": "+918047112233", "business_id": 2, "uuid": "x"}), vec!["/business_id", "/uuid"]),
            (json!({"number": "+918047112233", "agent": "a", "agent_id": "b"}), vec!["/agent_id"]),
            (json!({"number": "+918047112233", "agent_id": -1, "type": "x".repeat(41)}), vec!["/agent_id", "/type"]),
            (json!([1]), vec![""]),
        ] {
            assert_eq!(places(NumberChange::read_new(&document, None).unwrap_err()), expected, "{document}");
        }
        let moved = NumberChange::read(&json!({"number": "+918047112234"})).unwrap_err();
        assert!(moved.to_string().contains("add the other number"), "{moved}");
        let national = NumberChange::read_new(&json!({"number": "08047112233"}), None).unwrap_err();
        assert!(national.to_string().contains("DEFAULT_REGION"), "{national}");
    }
}
