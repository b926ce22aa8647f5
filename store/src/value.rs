//! Values as both engines can hold them, so that what is read back does not depend on the engine.

use std::borrow::Cow;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use serde_json::Value;

/// Text without `NUL`, which PostgreSQL cannot store: each becomes U+FFFD.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{FFFD}").into() } else { text.into() }
}

/// [`text`] for every string of a JSON value, keys included: `jsonb` refuses `\u0000` too.
pub(crate) fn json(value: &Value) -> Value {
    match value {
        Value::String(string) => Value::String(text(string).into_owned()),
        Value::Array(items) => items.iter().map(json).collect(),
        Value::Object(fields) => fields.iter().map(|(key, value)| (text(key).into_owned(), json(value))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// An instant in whole microseconds, PostgreSQL's grain.
pub(crate) fn instant(at: DateTime<Utc>) -> DateTime<Utc> {
    at.trunc_subsecs(6)
}

/// Whole milliseconds, cut off.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A share of 1 as its engine meant it: the decimal that prints as the `f32` does, and nothing for what is no number.
pub(crate) fn share(share: f32) -> Option<f64> {
    if share.is_finite() { share.to_string().parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nul_is_replaced_at_every_depth() {
        assert_eq!(text("a\0b"), "a\u{FFFD}b");
        assert!(matches!(text("plain"), Cow::Borrowed("plain")));
        assert_eq!(
            json(&json!({"k\0": ["\0", 1, {"x": "\0"}]})),
            json!({"k\u{FFFD}": ["\u{FFFD}", 1, {"x": "\u{FFFD}"}]})
        );
    }

    #[test]
    fn a_share_keeps_its_digits() {
        assert_eq!(share(0.9), Some(0.9));
        assert_eq!(share(f32::NAN), None);
        assert_eq!(share(f32::INFINITY), None);
    }
}
