//! Lists with a shape of their own: words that are each on or off, and voices of further languages.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::fault::{Faults, Wrong, nearest, pointer};
use super::super::object::type_name;
use super::super::setting::{Kind, Switches};
use super::super::value::{LanguageVoice, SettingValue};
use super::{Read, read_text, word};

/// Switches that are looked at in one list: several times as many as any has.
const MOST_SWITCHES: usize = 100;

/// Three spellings: a list of the words that are on; an object, which turns only the words that it names; a list of rows.
pub(super) fn switches(of: &Switches, value: &Value, at: &str, faults: &mut Faults) -> Read {
    let before = faults.told.len() + faults.more;
    let named = value.as_array().map_or_else(|| value.as_object().map_or(0, Map::len), Vec::len);
    if named > MOST_SWITCHES {
        faults.push(at, || Wrong::TooMuch { found: named, most: MOST_SWITCHES, of: "words" });
        return Read::Refused;
    }
    let mut turned = BTreeMap::new();
    let mut turn = |text: &str, on: bool, at: &str, faults: &mut Faults| match word(text, of.words) {
        Ok(word) => match turned.insert(word, on) {
            Some(other) if other != on => faults.push(at, || Wrong::Contradicts(word.to_owned())),
            _ => {}
        },
        Err(wrong) => faults.push(at, || wrong),
    };
    match value {
        Value::Object(states) => {
            for (text, state) in states {
                let at = pointer(at, text);
                match state {
                    Value::Bool(on) => turn(text, *on, &at, faults),
                    other => faults.push(&at, || Wrong::Type { wanted: "true or false", found: type_name(other) }),
                }
            }
        }
        Value::Array(list) if list.iter().any(Value::is_object) => {
            for (place, row) in list.iter().enumerate() {
                let at = pointer(at, &place.to_string());
                let (text, on) = (row.get(of.row_key), row.get(of.row_state));
                match (text.and_then(Value::as_str), on.map_or(Some(true), Value::as_bool)) {
                    (Some(text), Some(on)) => turn(text, on, &at, faults),
                    _ => faults.push(&at, || {
                        Wrong::Rule(format!(
                            "must be a row of {} and {}, a text and true or false",
                            of.row_key, of.row_state
                        ))
                    }),
                }
            }
        }
        Value::Array(list) => {
            for (place, text) in list.iter().enumerate() {
                let at = pointer(at, &place.to_string());
                match text {
                    Value::String(text) => turn(text, true, &at, faults),
                    other => faults.push(&at, || Wrong::Type { wanted: "a text", found: type_name(other) }),
                }
            }
            for word in of.words {
                turned.entry(word.name).or_insert(false);
            }
        }
        _ => {}
    }
    if faults.told.len() + faults.more > before { Read::Refused } else { Read::Set(SettingValue::Switches(turned)) }
}

/// Rows, in the order of their languages.
pub(super) fn languages(rows: &[Value], most: usize, at: &str, faults: &mut Faults) -> Read {
    let before = faults.told.len() + faults.more;
    if rows.len() > most {
        faults.push(at, || Wrong::TooMuch { found: rows.len(), most, of: "rows" });
        return Read::Refused;
    }
    let mut by_language = BTreeMap::new();
    for (place, row) in rows.iter().enumerate() {
        let at = pointer(at, &place.to_string());
        let Value::Object(row) = row else {
            faults.push(&at, || Wrong::Type { wanted: "a row", found: type_name(row) });
            continue;
        };
        if let Some(row) = language_row(row, &at, faults)
            && let Some(other) = by_language.insert(row.language_code.clone(), row)
        {
            faults.push(&at, || Wrong::Rule(format!("{} has a row already", other.language_code)));
        }
    }
    if faults.told.len() + faults.more > before {
        return Read::Refused;
    }
    Read::Set(SettingValue::Languages(by_language.into_values().collect()))
}

fn language_row(row: &Map<String, Value>, at: &str, faults: &mut Faults) -> Option<LanguageVoice> {
    const KEYS: [&str; 3] = ["language_code", "voice_id", "tts_provider"];
    for key in row.keys().filter(|key| !KEYS.contains(&key.as_str())) {
        faults.push(&pointer(at, key), || Wrong::Unknown { nearest: nearest(key, KEYS.into_iter()) });
    }
    let mut text = |key: &str, kind: Kind| {
        let read = match row.get(key) {
            None | Some(Value::Null) => return None,
            Some(Value::String(text)) => read_text(&kind, text, None),
            Some(other) => Err(Wrong::Type { wanted: "a text", found: type_name(other) }),
        };
        match read {
            Ok(Read::Set(SettingValue::Text(text))) => Some(text),
            Ok(_) => None,
            Err(wrong) => {
                faults.push(&pointer(at, key), || wrong);
                None
            }
        }
    };
    let (voice_id, tts_provider) =
        (text("voice_id", Kind::Line { most: 200 }), text("tts_provider", Kind::Line { most: 200 }));
    let Some(language_code) = text("language_code", Kind::Language) else {
        if row.get("language_code").and_then(Value::as_str).is_none_or(|text| text.trim().is_empty()) {
            faults.push(&pointer(at, "language_code"), || Wrong::Missing("which language the row is for"));
        }
        return None;
    };
    Some(LanguageVoice { language_code, voice_id, tts_provider })
}
