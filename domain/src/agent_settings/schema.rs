//! The settings as JSON Schema (2020-12, which OpenAPI 3.1 uses), so that the description of the interface says what the reader does.
//!
//! What is sent may be more than what is shown: `null`, other spellings of words, synonyms. A schema cannot say everything: lengths are in it,
//! and that a telephone number can be called is not.

use serde_json::{Map, Value, json};

use super::catalogue;
use super::setting::{Bounds, Form, Kind, Preset, Setting, Switches, Word};

/// The schema of a change: any subset of the settings, nothing else. With `name_required`, of a new agent.
pub fn change_schema(name_required: bool) -> Value {
    let mut properties = Map::new();
    for setting in catalogue::all() {
        for name in std::iter::once(&setting.name).chain(setting.twins).chain(setting.synonyms) {
            let schema =
                if setting.name == catalogue::NAME.name { sent(&setting.kind) } else { or_null(sent(&setting.kind)) };
            properties.insert((*name).to_owned(), described(setting, schema));
        }
    }
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if name_required {
        schema["required"] = json!([catalogue::NAME.name]);
    }
    schema
}

/// The schema of all settings as they are shown. More fields may stand beside them.
pub fn shown_schema() -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for setting in catalogue::all() {
        for name in std::iter::once(&setting.name).chain(setting.twins) {
            let schema = shown(&setting.kind);
            let schema = if matches!(setting.preset, Preset::Unset(_)) { or_null(schema) } else { schema };
            properties.insert((*name).to_owned(), described(setting, schema));
            required.push(*name);
        }
    }
    json!({"type": "object", "properties": properties, "required": required})
}

fn described(setting: &Setting, mut schema: Value) -> Value {
    schema["description"] = json!(setting.about);
    schema
}

fn or_null(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

fn text(most: usize) -> Value {
    json!({"type": "string", "maxLength": most})
}

fn sent(kind: &Kind) -> Value {
    let spellings = |words: &[Word]| -> Vec<&str> {
        words.iter().flat_map(|word| std::iter::once(&word.name).chain(word.synonyms).copied()).collect()
    };
    match kind {
        Kind::Choice(words) => json!({"type": "string", "enum": spellings(words)}),
        Kind::Eagerness(words) => eagerness(spellings(words)),
        Kind::Terms { .. } => json!({"anyOf": [shown(kind), {"type": "array", "items": {"type": "string"}}]}),
        Kind::Switches(of) => {
            let words = spellings(of.words);
            let row = json!({
                "type": "object",
                "properties": {of.row_key: {"type": "string", "enum": words}, of.row_state: {"type": "boolean"}},
                "required": [of.row_key],
            });
            json!({"anyOf": [
                switches_object(&words),
                {"type": "array", "items": {"type": "string", "enum": words}},
                {"type": "array", "items": row},
            ]})
        }
        kind => shown(kind),
    }
}

fn shown(kind: &Kind) -> Value {
    let names = |words: &[Word]| -> Vec<&str> { words.iter().map(|word| word.name).collect() };
    match kind {
        Kind::Name => json!({"type": "string", "minLength": 1, "maxLength": 100}),
        Kind::Line { most } | Kind::Prose { most } => text(*most),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Whole(bounds) => number("integer", json!(bounds.from), json!(bounds.to), bounds.off),
        Kind::Fraction(Bounds { from, to, off, .. }) => number("number", plain(*from), plain(*to), *off),
        Kind::Choice(words) => json!({"type": "string", "enum": names(words)}),
        Kind::Eagerness(words) => eagerness(names(words)),
        Kind::Language => {
            json!({"type": "string", "maxLength": 35, "pattern": "^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*$"})
        }
        Kind::Telephone => text(64),
        Kind::Url => json!({"type": "string", "format": "uri", "maxLength": 2_048}),
        Kind::Terms { most } => text(most * 102),
        Kind::Switches(Switches { form: Form::List, words, .. }) => {
            json!({"type": "array", "items": {"type": "string", "enum": names(words)}})
        }
        Kind::Switches(of) => switches_object(&names(of.words)),
        Kind::Languages { most } => json!({
            "type": "array",
            "maxItems": most,
            "items": {
                "type": "object",
                "properties": {"language_code": shown(&Kind::Language), "voice_id": or_null(text(200)), "tts_provider": or_null(text(200))},
                "required": ["language_code"],
                "additionalProperties": false,
            },
        }),
        Kind::Object { texts: [], .. } => json!({"type": "object"}),
        Kind::Object { texts, .. } => {
            let texts: Map<String, Value> =
                texts.iter().map(|name| ((*name).to_owned(), json!({"type": ["string", "null"]}))).collect();
            json!({"type": "object", "properties": texts})
        }
    }
}

fn eagerness(words: Vec<&str>) -> Value {
    json!({"anyOf": [{"type": "string", "enum": words}, {"type": "number", "minimum": 0, "maximum": 1}]})
}

fn number(kind: &str, from: Value, to: Value, off: Option<&str>) -> Value {
    let bounded = json!({"type": kind, "minimum": from, "maximum": to});
    match off {
        None => bounded,
        Some(off) => json!({"anyOf": [{"type": kind, "enum": [-1], "description": off}, bounded]}),
    }
}

/// A whole number without a fraction, as people write it.
fn plain(number: f64) -> Value {
    if number.fract() == 0.0 { json!(number as i64) } else { json!(number) }
}

fn switches_object(words: &[&str]) -> Value {
    let properties: Map<String, Value> =
        words.iter().map(|word| ((*word).to_owned(), json!({"type": "boolean"}))).collect();
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::super::tests::{any_document, any_settings};
    use super::*;

    /// Whether a value keeps to a schema, of the keywords that stand above; any other is a fault of the test.
    fn keeps(value: &Value, schema: &Value) -> bool {
        let length = |value: &Value| value.as_str().map(|text| text.chars().count() as f64);
        schema.as_object().unwrap().iter().all(|(keyword, rule)| match keyword.as_str() {
            "type" => match rule {
                Value::Array(kinds) => kinds.iter().any(|kind| is(value, kind)),
                kind => is(value, kind),
            },
            "enum" => rule
                .as_array()
                .unwrap()
                .iter()
                .any(|one| one == value || one.as_f64().is_some_and(|one| Some(one) == value.as_f64())),
            "anyOf" => rule.as_array().unwrap().iter().any(|schema| keeps(value, schema)),
            "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
            "minLength" => length(value).is_none_or(|length| length >= rule.as_f64().unwrap()),
            "maxLength" => length(value).is_none_or(|length| length <= rule.as_f64().unwrap()),
            "maxItems" => value.as_array().is_none_or(|list| list.len() as u64 <= rule.as_u64().unwrap()),
            "items" => value.as_array().is_none_or(|list| list.iter().all(|value| keeps(value, rule))),
            "properties" => value.as_object().is_none_or(|object| {
                object.iter().all(|(name, value)| rule.get(name).is_none_or(|schema| keeps(value, schema)))
            }),
            "required" => value.as_object().is_none_or(|object| {
                rule.as_array().unwrap().iter().all(|name| object.contains_key(name.as_str().unwrap()))
            }),
            "additionalProperties" => value
                .as_object()
                .is_none_or(|object| object.keys().all(|name| schema["properties"].get(name).is_some())),
            "description" | "pattern" | "format" => true,
            other => panic!("{other} is not checked here"),
        })
    }

    fn is(value: &Value, kind: &Value) -> bool {
        match kind.as_str().unwrap() {
            "null" => value.is_null(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64(),
            "number" => value.is_number(),
            "string" => value.is_string(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            other => panic!("{other} is no type"),
        }
    }

    #[test]
    fn the_schema_refuses_what_the_reader_refuses() {
        let schema = change_schema(true);
        assert!(keeps(&json!({"name": "Asha", "eagerness": null, "call_timeout": 30}), &schema));
        for document in [
            json!({}),
            json!({"name": null}),
            json!({"name": "a", "business_id": 1}),
            json!({"name": "a", "call_timeout": 4}),
            json!({"name": "a", "turn_after_silence_seconds": 0}),
            json!({"name": "a", "ambience_type": "disco"}),
            json!({"name": "a", "guardrails": {"no_fun": true}}),
        ] {
            assert!(!keeps(&document, &schema), "{document}");
        }
    }

    #[cfg(feature = "openapi")]
    #[test]
    fn the_description_of_the_interface_takes_the_schemas() {
        for schema in [change_schema(true), change_schema(false), shown_schema()] {
            let read: utoipa::openapi::RefOr<utoipa::openapi::Schema> = serde_json::from_value(schema.clone()).unwrap();
            let written = serde_json::to_value(read).unwrap();
            for (name, property) in schema["properties"].as_object().unwrap() {
                assert_eq!(&written["properties"][name], property, "{name}");
            }
            assert_eq!(written, schema);
        }
    }

    proptest! {
        #[test]
        fn what_is_read_and_what_is_shown_keep_to_their_schemas(document in any_document(), settings in any_settings()) {
            prop_assert!(keeps(&document, &change_schema(false)), "{document}");
            let shown = Value::Object(settings.shown());
            prop_assert!(keeps(&shown, &shown_schema()), "{shown}");
        }
    }
}
