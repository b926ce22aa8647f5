//! What the carriers' JSON messages have in common: how they are read, and the parameters that a stream brings along.
//!
//! Place: under each dialect's `wire.rs`, which holds what its carrier decided.
//! Not bounded here: depth. `serde_json` gives up at 128 levels where it builds a value, and skips unread fields without recursion; the length
//! of a message is bounded before it is read.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use tandem_domain::port::dialect::Breach;

/// Parameters that we keep; further ones are dropped. Exotel allows 3.
const MAX_PARAMETERS: usize = 64;
/// Characters of a parameter's name or value. A longer pair is dropped: half a value could pass for a whole one. Twilio allows 500 for name and
/// value together, Exotel 256 for all.
const MAX_PARAMETER_CHARS: usize = 500;
/// Characters of a foreign text that we repeat in a [`Breach`].
const MAX_QUOTED_CHARS: usize = 120;

/// Reads `text` as a `T`, and says in a short sentence why it cannot.
pub(super) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Breach> {
    serde_json::from_str(text).map_err(|error| Breach::MalformedMessage(quote(&error.to_string())))
}

/// Enough of a foreign text to recognise it in a record.
pub(super) fn quote(text: &str) -> String {
    text.chars().take(MAX_QUOTED_CHARS).collect()
}

/// What was attached to a stream: an object of strings. Other JSON is kept as its text, so that a stand-in that sends a number does not lose its
/// call; `null` is none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters(pub(in crate::carrier) BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Parameters;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of parameters")
            }
            fn visit_unit<E: de::Error>(self) -> Result<Parameters, E> {
                Ok(Parameters::default())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Parameters, A::Error> {
                let mut kept = BTreeMap::new();
                while let Some((name, value)) = entries.next_entry::<String, serde_json::Value>()? {
                    let value = match value {
                        serde_json::Value::String(text) => text,
                        other => other.to_string(),
                    };
                    let room = kept.len() < MAX_PARAMETERS || kept.contains_key(&name);
                    if room && short(&name) && short(&value) {
                        kept.insert(name, value);
                    }
                }
                Ok(Parameters(kept))
            }
        }
        deserializer.deserialize_any(Object)
    }
}

fn short(text: &str) -> bool {
    text.chars().nth(MAX_PARAMETER_CHARS).is_none()
}
