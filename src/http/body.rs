//! Bodies of requests: JSON, with the fault named by a pointer.

use axum::body::Bytes;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// Reads a JSON body. Its size is bounded by the body limit, its depth by the parser (128 levels).
///
/// # Errors
///
/// 400 that says where and what; never a word of the body, which may hold a password.
pub(super) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        match error.classify() {
            serde_json::error::Category::Data => {
                // "unknown field `role`, expected `email` or `password`": names of fields alone. A wrong type would quote its value.
                let text = error.to_string();
                let told =
                    ["missing field", "unknown field", "duplicate field"].iter().any(|known| text.starts_with(known));
                let detail =
                    if told { text } else { format!("a value at {place} is of another type than it should be") };
                Problem::invalid("", detail)
            }
            serde_json::error::Category::Eof if body.is_empty() => {
                Problem::invalid("", "send a JSON object as the body")
            }
            _ => Problem::invalid("", format!("the body is no JSON, or nested too deeply, at {place}")),
        }
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read alone")]
    struct LogIn {
        email: String,
        password: String,
    }

    #[test]
    fn what_does_not_fit_is_told_and_no_value_is() {
        let refused = |text: &str| format!("{:?}", read::<LogIn>(&Bytes::from(text.to_owned())).expect_err("refused"));
        assert!(refused(r#"{"email": "a"}"#).contains("missing field `password`"));
        assert!(refused(r#"{"email": "a", "password": "b", "role": "owner"}"#).contains("unknown field `role`"));
        assert!(refused("").contains("send a JSON object"));
        assert!(
            refused(&"[".repeat(10_000)).contains("of another type") || refused(&"[".repeat(10_000)).contains("nested")
        );
        let told = refused(r#"{"email": "a", "password": ["hunter2"]}"#) + &refused(r#"{"email": 17171717}"#);
        assert!(!told.contains("hunter2") && !told.contains("17171717"), "{told}");
    }
}
