//! A line of a playbook's own: a text, or a table where there is more to say about it.
//!
//! ```toml
//! welcome = ["Welcome.", { say = "This call is recorded.", protected = true }]
//! ```

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

/// What is said, and whether it has to be heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// May hold {variables}.
    pub(crate) say: String,
    /// Nobody's speech and no key stops it.
    pub(crate) protected: bool,
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrTable)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    say: String,
    #[serde(default)]
    protected: bool,
}

/// By hand, because the errors of an untagged enum name no key.
struct TextOrTable;

impl<'de> Visitor<'de> for TextOrTable {
    type Value = Line;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a line, or { say = \"a line\", protected = true }")
    }

    fn visit_str<E: Error>(self, say: &str) -> Result<Line, E> {
        Ok(Line { say: say.to_owned(), protected: false })
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Line, M::Error> {
        let Table { say, protected } = Table::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Line { say, protected })
    }
}
