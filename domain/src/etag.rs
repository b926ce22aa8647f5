//! Entity tags: which content somebody has seen, and whether it still holds when they change it.
//!
//! A tag is the hash of the very representation that was answered, so it is strong (RFC 9110 8.8.1): other bytes, other tag. It must be strong,
//! because `If-Match` compares strongly (13.1.1) and a weak tag would match nothing. Two editors of one agent both read version 7; the first
//! change makes version 8, and the second's `If-Match` no longer holds: 412, and nothing is lost.
//!
//! Pure: headers come in as text, and what to answer comes out. A proxy that compresses makes a strong tag weak (`W/"…"`); then the client's
//! `If-Match` fails closed, and reading again does not help: such a proxy must leave tags alone.

use std::fmt;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Bytes of the hash that a tag shows: two contents in 2^64 alike by chance.
const BYTES: usize = 16;
/// Tags of one header that are looked at.
const MOST_TAGS: usize = 32;

/// The tag of one representation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Etag(String);

impl Etag {
    /// The tag of a JSON representation. Members count by their names, not by their order.
    pub fn of(representation: &Value) -> Self {
        let mut hash = Sha256::new();
        digest(representation, &mut hash);
        let hex = hash.finalize().iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect();
        Self(hex)
    }

    /// The opaque tag, without its quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Etag {
    /// As the `ETag` header has it, in quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// One spelling of a value for the hash: kinds and lengths first, so that no two values run together.
fn digest(value: &Value, hash: &mut Sha256) {
    let mut part = |kind: u8, bytes: &[u8]| {
        hash.update([kind]);
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    match value {
        Value::Null => part(b'n', b""),
        Value::Bool(on) => part(b'b', &[u8::from(*on)]),
        Value::Number(number) => part(b'd', number.to_string().as_bytes()),
        Value::String(text) => part(b's', text.as_bytes()),
        Value::Array(list) => {
            part(b'a', &(list.len() as u64).to_be_bytes());
            list.iter().for_each(|value| digest(value, hash));
        }
        Value::Object(object) => {
            part(b'o', &(object.len() as u64).to_be_bytes());
            let mut members: Vec<_> = object.iter().collect();
            members.sort_by_key(|(key, _)| *key);
            for (key, value) in members {
                digest(&Value::String(key.clone()), hash);
                digest(value, hash);
            }
        }
    }
}

/// Whether a change may be made without having seen what it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unseen {
    /// It names the fields that it changes and leaves the rest: the older clients' way.
    Allowed,
    /// It replaces everything, and would undo what it has not seen.
    Refused,
}

/// Why a change is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PreconditionError {
    /// 412.
    #[error("somebody has changed it since you read it: read it again, and make your change to that")]
    Failed,
    /// 428.
    #[error("send If-Match with the ETag that you read, so that nobody's change is lost")]
    Required,
    /// 400.
    #[error("If-Match holds no entity tags: write one as \"…\", as the ETag header has it")]
    Malformed,
}

impl PreconditionError {
    /// The status of the answer (RFC 9110 15.5.13, RFC 6585 3).
    pub fn status(&self) -> u16 {
        match self {
            Self::Failed => 412,
            Self::Required => 428,
            Self::Malformed => 400,
        }
    }
}

/// Whether a change may be made (RFC 9110 13.1.1). `current` is `None` where there is nothing to change.
pub fn may_change(if_match: Option<&str>, current: Option<&Etag>, unseen: Unseen) -> Result<(), PreconditionError> {
    let Some(header) = if_match else {
        return if unseen == Unseen::Allowed { Ok(()) } else { Err(PreconditionError::Required) };
    };
    let holds = match tags(header).ok_or(PreconditionError::Malformed)? {
        Tags::Any => current.is_some(),
        Tags::These(tags) => {
            current.is_some_and(|current| tags.contains(&Tag { weak: false, opaque: current.as_str() }))
        }
    };
    if holds { Ok(()) } else { Err(PreconditionError::Failed) }
}

/// Whether a reader has what it asks for already, so that 304 will do (RFC 9110 13.1.2). Compares weakly; a header that cannot be read holds
/// nothing.
pub fn is_fresh(if_none_match: Option<&str>, current: &Etag) -> bool {
    match if_none_match.and_then(tags) {
        None => false,
        Some(Tags::Any) => true,
        Some(Tags::These(tags)) => tags.iter().any(|tag| tag.opaque == current.as_str()),
    }
}

enum Tags<'a> {
    Any,
    These(Vec<Tag<'a>>),
}

#[derive(PartialEq)]
struct Tag<'a> {
    weak: bool,
    opaque: &'a str,
}

/// `*`, or tags with commas; a comma may stand inside of a tag, a quote may not (RFC 9110 8.8.3).
fn tags(header: &str) -> Option<Tags<'_>> {
    let mut rest = header.trim();
    if rest == "*" {
        return Some(Tags::Any);
    }
    let mut tags = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return (!tags.is_empty()).then_some(Tags::These(tags));
        }
        let weak = rest.starts_with("W/");
        let (opaque, after) = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?.split_once('"')?;
        if opaque.contains(|letter: char| letter.is_whitespace() || letter.is_control()) || tags.len() == MOST_TAGS {
            return None;
        }
        tags.push(Tag { weak, opaque });
        rest = after.trim_start();
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::agent_settings::AgentSettings;
    use crate::agent_settings::tests::any_settings;

    fn tag() -> Etag {
        Etag::of(&json!({"version": 7}))
    }

    #[test]
    fn other_content_has_another_tag() {
        let variants = [
            json!({"a": 1, "b": 2}),
            json!({"a": 1}),
            json!({"a": "1"}),
            json!({"a": [1]}),
            json!([{"a": 1}]),
            json!(["a", 1]),
            json!([["a"], 1]),
            json!({"a": null}),
            json!({}),
            json!([]),
            json!(""),
            json!(false),
        ];
        let mut tags: Vec<Etag> = variants.iter().map(Etag::of).collect();
        tags.sort_by_key(|tag| tag.0.clone());
        tags.dedup();
        assert_eq!(tags.len(), variants.len());
        let other_order: Value = serde_json::from_str(r#"{"b": 2, "a": 1}"#).unwrap();
        assert_eq!(Etag::of(&variants[0]), Etag::of(&other_order));
        assert_eq!(tag().to_string().len(), 34);
    }

    #[test]
    fn who_has_seen_the_present_content_may_change_it() {
        let (tag, seen) = (tag(), tag().to_string());
        let may = |header: &str| may_change(Some(header), Some(&tag), Unseen::Refused);
        for header in [seen.clone(), format!("\"x\", {seen}"), format!(" \"a,b\" ,, {seen} ,"), "*".to_owned()] {
            assert_eq!(may(&header), Ok(()), "{header}");
        }
        for header in ["\"x\"".to_owned(), format!("W/{seen}"), "\"\"".to_owned()] {
            assert_eq!(may(&header), Err(PreconditionError::Failed), "{header}");
        }
        for header in ["", "x", "\"x", "\"x\" \"y\"", "**", "\"a b\"", "w/\"x\"", &"\"x\",".repeat(33)] {
            assert_eq!(may(header), Err(PreconditionError::Malformed), "{header}");
        }
        assert_eq!(
            may_change(Some("*"), None, Unseen::Allowed),
            Err(PreconditionError::Failed),
            "there is nothing to change"
        );
        assert_eq!(may_change(None, Some(&tag), Unseen::Refused).unwrap_err().status(), 428);
        assert_eq!(may_change(None, Some(&tag), Unseen::Allowed), Ok(()));
    }

    #[test]
    fn a_reader_need_not_be_told_what_it_has() {
        let tag = tag();
        assert!(
            is_fresh(Some(&tag.to_string()), &tag)
                && is_fresh(Some(&format!("W/{tag}")), &tag)
                && is_fresh(Some("*"), &tag)
        );
        assert!(!is_fresh(None, &tag) && !is_fresh(Some("\"x\""), &tag) && !is_fresh(Some("broken"), &tag));
    }

    proptest! {
        #[test]
        fn two_agents_have_one_tag_when_they_are_one(one in any_settings(), other in any_settings()) {
            let tag = |settings: &AgentSettings| Etag::of(&Value::Object(settings.stored()));
            prop_assert_eq!(tag(&one) == tag(&other), one == other);
            prop_assert_eq!(tag(&one), tag(&one.clone()));
        }

        #[test]
        fn no_header_breaks_the_reader(header in "\\PC{0,80}") {
            let _ = may_change(Some(&header), Some(&tag()), Unseen::Allowed);
        }
    }
}
