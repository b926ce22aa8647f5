//! Bodies of requests: JSON, with the fault named by a pointer.

use axum::body::Bytes;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::Segment;

use super::problem::Problem;

/// Reads a JSON body. Its size is bounded by the body limit, its depth by the parser (128 levels).
///
/// # Errors
///
/// 400 that says where, by a JSON pointer (RFC 6901), and what; never a word of the body's values, which may be a password.
pub(super) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    if body.is_empty() {
        return Err(Problem::invalid("", "send a JSON object as the body"));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let place = pointer(error.path());
        misfit(&place, error.inner())
    })?;
    reader.end().map_err(|error| misfit("", &error))?;
    Ok(read)
}

fn misfit(place: &str, error: &serde_json::Error) -> Problem {
    if error.classify() != Category::Data {
        let detail = "the body is no JSON, or nested too deeply, at";
        return Problem::invalid("", format!("{detail} line {}, column {}", error.line(), error.column()));
    }
    // "unknown field `role`, expected `email` or `password`": names of fields alone. A wrong type would quote its value.
    let text = error.to_string();
    let named =
        ["missing field `", "unknown field `", "duplicate field `"].iter().find_map(|told| text.strip_prefix(told));
    match named.and_then(|rest| rest.split_once('`')) {
        Some((field, _)) => {
            let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
            Problem::invalid(&member(place, field), text)
        }
        None => Problem::invalid(place, "a value is of another type than it should be"),
    }
}

/// A member of what is at `place`; one that the path tells already is not told twice.
fn member(place: &str, name: &str) -> String {
    let name = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
    if place.ends_with(&name) { place.to_owned() } else { place.to_owned() + &name }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    path.iter().fold(String::new(), |place, segment| match segment {
        Segment::Seq { index } => format!("{place}/{index}"),
        Segment::Map { key } => format!("{place}/{}", key.replace('~', "~0").replace('/', "~1")),
        // Of how a type is written, not of where in the body.
        Segment::Enum { .. } | Segment::Unknown => place,
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
        for (body, pointer, told) in [
            (r#"{"email": "a"}"#, "/password", "missing field `password`"),
            (r#"{"email": "a", "role": "owner", "password": "b"}"#, "/role", "unknown field `role`"),
            (r#"{"email": "a", "a/b~c": 1}"#, "/a~1b~0c", "unknown field"),
            (r#"{"email": "a", "email": "b"}"#, "/email", "duplicate field `email`"),
            (r#"{"email": "a", "password": ["hunter2"]}"#, "/password", "another type"),
            (r#"{"email": 17171717}"#, "/email", "another type"),
            (r#"["hunter2"]"#, "", "another type"),
            ("", "", "send a JSON object"),
            ("{}x", "", "missing field"),
            (r#"{"email": "a", "password": "b"}x"#, "", "no JSON"),
            (r#"{"email": "#, "", "no JSON"),
        ] {
            let refused = refused(body);
            let place = format!("parameter: {pointer:?}");
            assert!(refused.contains(told), "{body}: {refused}");
            assert!(refused.contains(&place) || body == "{}x", "{body}: {refused}");
            assert!(!refused.contains("hunter2") && !refused.contains("17171717"), "{refused}");
        }
        let deep = refused(&format!(r#"{{"email": {}"#, "[".repeat(10_000)));
        assert!(deep.contains("another type") || deep.contains("nested"), "{deep}");
    }

    #[test]
    fn a_value_deep_inside_is_pointed_at() {
        let read = read::<std::collections::BTreeMap<String, Vec<LogIn>>>;
        let body = r#"{"people": [{"email": "a", "password": "b"}, {"email": "c", "business_id": 2}]}"#;
        let refused = format!("{:?}", read(&Bytes::from(body)).expect_err("refused"));
        assert!(refused.contains(r#"parameter: "/people/1/business_id""#), "{refused}");
    }
}
