//! What must not be in the log: secrets, told by the name of the field and, where the name says nothing, by the look of the value.
//!
//! A guess by looks can miss; the names are the rule, and a new field that holds a secret is named like one or added here.

use serde_json::Value;

use crate::api_key::Presented;

/// What stands for a secret.
pub const MASK: &str = "***";

/// Ends of names, without `_` and `-`, in lower case. Ends, so that `webhook_secret` is one and `secret_santa_campaign` is not; in the
/// singular, so that `max_tokens` is a number.
const ENDS: [&str; 18] = [
    "password",
    "passphrase",
    "passwordhash",
    "secret",
    "token",
    "apikey",
    "apikeys",
    "privatekey",
    "secretkey",
    "signingkey",
    "accesskey",
    "encryptionkey",
    "credential",
    "credentials",
    "authorization",
    "cookie",
    "passcode",
    "otp",
];

/// Beginnings of words that are secrets wherever they stand: keys of vendors, of webhooks, of chat programs, and PEM files.
const BEGINNINGS: [&str; 5] = ["sk-", "sk_", "whsec_", "xoxb-", "-----BEGIN"];

/// Whether a field of this name holds a secret.
pub fn is_secret_name(name: &str) -> bool {
    let name: String = name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect();
    name == "key" || ENDS.iter().any(|end| name.ends_with(end))
}

/// Whether a secret is in a text, by its looks: a token, a key, or a URL with a password in it.
pub fn is_secret_text(text: &str) -> bool {
    text.starts_with("Bearer ")
        || text.starts_with("Basic ")
        || has_password_in_url(text)
        || text
            .split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '=' | '(' | ')'))
            .any(is_secret_word)
}

fn is_secret_word(word: &str) -> bool {
    BEGINNINGS.iter().any(|beginning| word.starts_with(beginning))
        || (word.starts_with("eyJ") && word.split('.').count() == 3)
        || Presented::parse(word).is_ok()
}

/// `scheme://user:password@host`, also in the middle of a text.
fn has_password_in_url(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', '?', '#', ' ', '"']).next().unwrap_or_default();
        authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
    })
}

/// The value with all secrets in it replaced by [`MASK`]. An absent secret stays absent (`null`), so that "was set" can be seen.
pub fn masked(name: Option<&str>, value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        _ if name.is_some_and(is_secret_name) => MASK.into(),
        Value::String(text) if is_secret_text(text) => MASK.into(),
        // Its name, had it been a secret's, would have masked the whole of it.
        Value::Array(items) => items.iter().map(|item| masked(None, item)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), masked(Some(name), value))).collect()
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
