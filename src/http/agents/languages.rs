//! The voices of an agent's further languages, each a row at its language's address: `/api/agents/{id}/languages/{code}`.
//!
//! A code is a BCP 47 tag in any case. `PUT` makes a row or replaces it; a row that is there is not replaced unseen (`If-Match`, else 428).

use axum::body::Bytes;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use tandem_domain::agent_settings::{
    AgentChange, Fault, Faults, LanguageVoice, Scope, SettingValue, Wrong, catalogue::LANGUAGES,
};
use tandem_domain::etag::{Etag, Unseen};
use tandem_domain::port::store::AgentRecord;

use super::super::body;
use super::super::guard::Tenant;
use super::super::problem::Problem;
use super::described::SentLanguage;
use super::editor::{Editor, Next, Seen, live, unless_unchanged};
use super::{find_with, read, tagged};

type RowPath = Result<Path<(String, String)>, PathRejection>;

/// The voice of one language.
#[utoipa::path(
    get, path = "/api/agents/{id}/languages/{code}", operation_id = "get_agent_language", tag = "agents",
    params(
        ("id" = String, Path, description = "number, UUID or name"),
        ("code" = String, Path, description = "BCP 47 tag, such as `hi` or `en-IN`"),
    ),
    responses(
        (status = OK, body = LanguageVoice, description = "the row; `ETag`"),
        (status = 304, description = "it is the one of `If-None-Match`"),
    ),
)]
pub(in crate::http) async fn detail(
    Tenant(surface): Tenant,
    path: RowPath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (record, code) = find_with(&surface, path).await?;
    let row = row_of(&record, &code).ok_or_else(no_such_row)?;
    Ok(read(&headers, json!(row)))
}

/// Says which voice speaks a language: `voice_id` and `tts_provider`, each the agent's own where it is left out.
#[utoipa::path(
    put, path = "/api/agents/{id}/languages/{code}", operation_id = "put_agent_language", tag = "agents", request_body = SentLanguage,
    params(
        ("id" = String, Path, description = "number, UUID or name"),
        ("code" = String, Path, description = "BCP 47 tag, such as `hi` or `en-IN`"),
        ("if-match" = Option<String>, Header, description = "the `ETag` of what is replaced, or of the agent; `*` for whatever is there"),
    ),
    responses(
        (status = OK, body = LanguageVoice, description = "the row; `ETag`"),
        (status = CREATED, body = LanguageVoice, description = "the row, which is new; `ETag`"),
    ),
)]
pub(in crate::http) async fn put(editor: Editor, path: RowPath, sent: Bytes) -> Result<Response, Problem> {
    let (found, code) = find_with(&editor.surface, path).await?;
    let row = row_from(&code, body::read(&sent)?)?;
    let (seen, is_new) = (|record: &AgentRecord| seen(record, &code), row_of(&found, &code).is_none());
    let decide = |record: &AgentRecord| {
        let others = record.settings.languages().into_iter().filter(|other| other.language_code != row.language_code);
        becomes(record, others.chain([row.clone()]).collect())
    };
    editor.change(found, seen, decide).await?;
    Ok(tagged(if is_new { StatusCode::CREATED } else { StatusCode::OK }, json!(row)))
}

/// The agent's own voice speaks that language again.
#[utoipa::path(
    delete, path = "/api/agents/{id}/languages/{code}", operation_id = "delete_agent_language", tag = "agents",
    params(
        ("id" = String, Path, description = "number, UUID or name"),
        ("code" = String, Path, description = "BCP 47 tag, such as `hi` or `en-IN`"),
        ("if-match" = Option<String>, Header, description = "the `ETag` of what is deleted"),
    ),
    responses((status = NO_CONTENT, description = "the row is gone")),
)]
pub(in crate::http) async fn delete(editor: Editor, path: RowPath) -> Result<StatusCode, Problem> {
    let (found, code) = find_with(&editor.surface, path).await?;
    let decide = |record: &AgentRecord| {
        let gone = row_of(record, &code).ok_or_else(no_such_row)?;
        let others = record.settings.languages().into_iter().filter(|row| *row != gone);
        becomes(record, others.collect())
    };
    let seen = |record: &AgentRecord| Seen { unseen: Unseen::Allowed, ..seen(record, &code) };
    editor.change(found, seen, decide).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A row that is there must have been seen.
fn seen(record: &AgentRecord, code: &str) -> Seen {
    let own = row_of(record, code).map(|row| Etag::of(&json!(row)));
    let unseen = if own.is_some() { Unseen::Refused } else { Unseen::Allowed };
    Seen { own, in_agent: true, unseen }
}

fn no_such_row() -> Problem {
    Problem::not_found("this agent has no voice of its own for that language; PUT gives it one")
}

/// The row of a language, whatever the case of its code; none for a text that is no code.
fn row_of(record: &AgentRecord, code: &str) -> Option<LanguageVoice> {
    let code = row_from(code, json!({})).ok()?.language_code;
    record.settings.languages().into_iter().find(|row| row.language_code == code)
}

/// Reads a row whose language the address says.
fn row_from(code: &str, document: Value) -> Result<LanguageVoice, Faults> {
    let refused =
        |pointer: &str, wrong: Wrong| Err(Faults { told: vec![Fault { pointer: pointer.to_owned(), wrong }], more: 0 });
    let mut row = document;
    let Some(fields) = row.as_object_mut() else {
        return refused("", Wrong::Rule("must be an object of voice_id and tts_provider".to_owned()));
    };
    if let Some(said) = fields.insert("language_code".to_owned(), json!(code))
        && !said.as_str().is_some_and(|said| said.eq_ignore_ascii_case(code))
    {
        return refused("/language_code", Wrong::Rule(format!("the address says {code:?}: leave it out")));
    }
    // Read as a list of one row; its faults stand below the first place of that list, and nobody sent one.
    let change = AgentChange::read_setting(&LANGUAGES, &json!([row]), Scope::default()).map_err(|faults| {
        let below = |pointer: &str| pointer.strip_prefix("/0").unwrap_or(pointer).to_owned();
        let told = faults.told.into_iter().map(|fault| Fault { pointer: below(&fault.pointer), ..fault });
        Faults { told: told.collect(), more: faults.more }
    })?;
    let rows = change.iter().find_map(|(_, value)| match value {
        Some(SettingValue::Languages(rows)) => rows.first().cloned(),
        _ => None,
    });
    rows.map_or_else(|| refused("/language_code", Wrong::Missing("which language the row is for")), Ok)
}

/// The agent with these rows.
fn becomes(record: &AgentRecord, rows: Vec<LanguageVoice>) -> Result<Option<Next>, Problem> {
    let document = if rows.is_empty() { Value::Null } else { json!(rows) };
    let change = AgentChange::read_setting(&LANGUAGES, &document, Scope::default())?;
    unless_unchanged(live(record).edited(&change))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_row_is_read_by_its_address() {
        let row = row_from("HI-in", json!({"voice_id": " asha "})).unwrap();
        assert_eq!(
            (row.language_code.as_str(), row.voice_id.as_deref(), row.tts_provider),
            ("hi-IN", Some("asha"), None)
        );
        assert!(row_from("hi", json!({"language_code": "hi"})).is_ok());
        for (code, document, place) in [
            ("hi", json!({"voice": "asha"}), "/voice"),
            ("hi", json!({"voice_id": 7}), "/voice_id"),
            ("hi", json!({"language_code": "en"}), "/language_code"),
            ("not a code", json!({}), "/language_code"),
            (" ", json!({}), "/language_code"),
            ("hi", json!([]), ""),
        ] {
            let faults = row_from(code, document.clone()).unwrap_err();
            assert_eq!(faults.told[0].pointer, place, "{document}");
        }
    }
}
