//! Reads a JSON object of a user's own: bounded, and in the one form that every database and file can hold.
//!
//! A member that is `null` is not there, as in RFC 7396; TOML has no `null`, and a prompt nothing to say of it. A NUL is refused, for
//! PostgreSQL stores none. A number is a 64-bit whole number or a finite fraction.

use serde_json::{Map, Value};

use super::fault::{Faults, Wrong, pointer};

/// Levels of nesting below the setting.
const MOST_DEPTH: usize = 8;

/// Reads one object; `None` after a fault.
pub(super) fn read(
    object: &Map<String, Value>,
    most_bytes: usize,
    texts: &[&str],
    at: &str,
    faults: &mut Faults,
) -> Option<Map<String, Value>> {
    let mut reading = Reading { room: most_bytes, most_bytes, whole: at };
    for key in texts {
        if let Some(value) = object.get(*key)
            && !matches!(value, Value::String(_) | Value::Null)
        {
            faults.push(&pointer(at, key), || Wrong::Type { wanted: "a text", found: type_name(value) });
            return None;
        }
    }
    match reading.members(object, 1, at) {
        Ok(read) => Some(read),
        Err((place, wrong)) => {
            faults.push(&place, || wrong);
            None
        }
    }
}

/// The members of an object that fit, each for itself, as many as there is room for.
pub(super) fn fitting(object: &Map<String, Value>, most_bytes: usize, texts: &[&str]) -> Map<String, Value> {
    let mut reading = Reading { room: most_bytes, most_bytes, whole: "" };
    let mut fitting = Map::new();
    for (key, value) in object.iter().filter(|(key, value)| value.is_string() || !texts.contains(&key.as_str())) {
        let room = reading.room;
        match reading.members(&Map::from_iter([(key.clone(), value.clone())]), 1, "") {
            Ok(member) => fitting.extend(member),
            Err(_) => reading.room = room,
        }
    }
    fitting
}

struct Reading<'a> {
    /// Bytes that may still come.
    room: usize,
    most_bytes: usize,
    /// The setting: what is too large is all of it, not the member that happened to be read last.
    whole: &'a str,
}

/// The first fault ends the reading: what is too large is not worth a second look.
type Stopped = (String, Wrong);

impl Reading<'_> {
    fn members(&mut self, object: &Map<String, Value>, depth: usize, at: &str) -> Result<Map<String, Value>, Stopped> {
        let mut read = Map::new();
        for (key, value) in object.iter().filter(|(_, value)| !value.is_null()) {
            let place = || pointer(at, key);
            self.take(key, at)?;
            if key.is_empty() {
                return Err((place(), Wrong::Rule("has no name".to_owned())));
            }
            read.insert(key.clone(), self.value(value, depth, &place())?);
        }
        Ok(read)
    }

    fn value(&mut self, value: &Value, depth: usize, at: &str) -> Result<Value, Stopped> {
        if depth > MOST_DEPTH {
            return Err((at.to_owned(), Wrong::TooDeep(MOST_DEPTH)));
        }
        Ok(match value {
            Value::Null => {
                return Err((at.to_owned(), Wrong::Rule("a list cannot hold null; leave it out".to_owned())));
            }
            Value::Bool(on) => {
                self.count(5)?;
                Value::Bool(*on)
            }
            Value::Number(number) => {
                self.count(20)?;
                if number.is_u64() && !number.is_i64() {
                    return Err((
                        at.to_owned(),
                        Wrong::Rule("is too large for a number; write it as a text".to_owned()),
                    ));
                }
                // The negative zero equals the zero, and would be written otherwise.
                if number.is_f64() && number.as_f64() == Some(0.0) {
                    Value::from(0.0)
                } else {
                    Value::Number(number.clone())
                }
            }
            Value::String(text) => {
                self.take(text, at)?;
                Value::String(text.clone())
            }
            Value::Array(list) => {
                self.count(2)?;
                let places = list.iter().enumerate();
                places
                    .map(|(place, value)| self.value(value, depth + 1, &pointer(at, &place.to_string())))
                    .collect::<Result<_, _>>()?
            }
            Value::Object(object) => {
                self.count(2)?;
                Value::Object(self.members(object, depth + 1, at)?)
            }
        })
    }

    fn take(&mut self, text: &str, at: &str) -> Result<(), Stopped> {
        self.count(text.len() + 2)?;
        let clean = !text.contains('\0');
        if clean { Ok(()) } else { Err((at.to_owned(), Wrong::Rule("holds a NUL character".to_owned()))) }
    }

    fn count(&mut self, bytes: usize) -> Result<(), Stopped> {
        let most = self.most_bytes;
        let too_much = || (self.whole.to_owned(), Wrong::Rule(format!("is larger than {most} bytes")));
        self.room = self.room.checked_sub(bytes).ok_or_else(too_much)?;
        Ok(())
    }
}

/// Most fields of a document that has a handful: a number, limits, a business.
const MOST_FIELDS: usize = 100;

/// Reads such a document by `field`, which is given all fields, the name of one and its value. All that is wrong is told, each with its place.
pub(crate) fn read_fields(
    document: &Value,
    mut field: impl FnMut(&Map<String, Value>, &str, &Value) -> Result<(), Wrong>,
) -> Faults {
    let mut faults = Faults::default();
    match document {
        Value::Object(fields) if fields.len() > MOST_FIELDS => {
            faults.push("", || Wrong::TooMuch { found: fields.len(), most: MOST_FIELDS, of: "fields" });
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                if let Err(wrong) = field(fields, name, value) {
                    faults.push(&pointer("", name), || wrong);
                }
            }
        }
        other => faults.push("", || Wrong::Type { wanted: "an object", found: type_name(other) }),
    }
    faults
}

/// What a JSON value is, in words.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
