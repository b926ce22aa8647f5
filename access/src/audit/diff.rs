//! What is different between two rows, as a list of places.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::canonical::canonical;
use super::mask;

/// The most differences that are kept of one change; how many more there were is said.
pub const MAX_CHANGES: usize = 100;
/// A value with more than this many bytes of JSON is kept as its size and hash: a prompt is in its version, here it matters that it
/// changed.
pub const MAX_VALUE_BYTES: usize = 2000;
/// Rows are flat. What is deeper is compared as a whole, so that nobody has us recurse without end.
const MAX_DEPTH: usize = 16;

type Members = Map<String, Value>;

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Where: a JSON pointer (RFC 6901).
    pub at: String,
    /// What was there; absent if nothing was.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "present")]
    pub before: Option<Value>,
    /// What is there; absent if nothing is.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "present")]
    pub after: Option<Value>,
}

/// A `null` that is written is a value, and not its absence.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// All differences, in the order of their places.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    /// The first [`MAX_CHANGES`].
    #[serde(rename = "changes", default)]
    pub list: Vec<Change>,
    /// How many more there were.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub left_off: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// What is different. `None` is a row that is not: before it was made, after it was deleted.
///
/// Compared as they are, shown masked: a secret that was changed shows as a change from `***` to `***`. Objects are gone into;
/// arrays are compared as a whole, since the third item of one is not the third of the other.
pub fn changes(before: Option<&Value>, after: Option<&Value>) -> Changes {
    let mut found = Changes::default();
    walk(&mut found, &mut String::new(), None, MAX_DEPTH, before, after);
    found
}

fn walk(
    found: &mut Changes,
    at: &mut String,
    name: Option<&str>,
    depth: usize,
    before: Option<&Value>,
    after: Option<&Value>,
) {
    if before == after {
        return;
    }
    let opened = (depth > 0 && !name.is_some_and(mask::is_secret_name)).then(|| open(before, after)).flatten();
    let Some((before, after)) = opened else {
        if found.list.len() == MAX_CHANGES {
            found.left_off += 1;
        } else {
            let show = |value: &Value| bounded(mask::masked(name, value));
            found.list.push(Change { at: at.clone(), before: before.map(show), after: after.map(show) });
        }
        return;
    };
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let length = at.len();
        at.push('/');
        at.push_str(&name.replace('~', "~0").replace('/', "~1"));
        walk(found, at, Some(name), depth - 1, before.get(name), after.get(name));
        at.truncate(length);
    }
}

/// Both sides as objects, if they are, or if one is and the other is nothing. An empty one beside nothing is a value of its own.
fn open<'a>(before: Option<&'a Value>, after: Option<&'a Value>) -> Option<(&'a Members, &'a Members)> {
    static NOTHING: std::sync::LazyLock<Members> = std::sync::LazyLock::new(Members::new);
    match (before, after) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => Some((before, after)),
        (Some(Value::Object(before)), None) if !before.is_empty() => Some((before, &NOTHING)),
        (None, Some(Value::Object(after))) if !after.is_empty() => Some((&NOTHING, after)),
        _ => None,
    }
}

/// A value, already masked, or its size and hash if it is large.
fn bounded(value: Value) -> Value {
    let text = canonical(&value);
    if text.len() <= MAX_VALUE_BYTES {
        return value;
    }
    let hash: String = Sha256::digest(&text)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("({} bytes, sha256 {hash}…)", text.len()).into()
}
