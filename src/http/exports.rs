//! One call as one document, to keep or to hand over (R14): the call, its conversation, what was said, and its timeline; or, in a
//! format that has no place for the rest, what was said.

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tandem_actors::clock;
use tandem_domain::port::store::{CallSession, Conversation, RowKey, StoredEvent, TranscriptLine};
use utoipa::ToSchema;

use super::guard::Tenant;
use super::problem::Problem;
use super::transcript::{Format, FormatQuery, Transcript, VARIES};

/// The document. A reader tells its version by `format`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CallExport {
    /// `tandem-call/1`.
    format: &'static str,
    exported_at: DateTime<Utc>,
    /// `null` for a talk in the browser, which has a conversation alone.
    call: Option<CallSession>,
    /// `null` where the call ended before one began.
    conversation: Option<Conversation>,
    /// Oldest line first.
    transcript: Vec<TranscriptLine>,
    /// Oldest first.
    events: Vec<StoredEvent>,
}

/// One call as a file: everything about it as JSON, or what was said in another format.
///
/// The format is chosen by `format`, or else by `Accept`; JSON where neither says. Served under `/api` as well.
#[utoipa::path(
    get, path = "/exports/calls/{id}", operation_id = "export_call", tag = "exports",
    params(("id" = String, Path, description = "number or UUID of the call, or the carrier's id of it; or the UUID of a talk in the browser"), FormatQuery),
    responses((status = OK, content(
        (CallExport = "application/json"),
        (String = "text/csv"), (String = "text/plain"), (String = "text/vtt"), (String = "application/x-subrip"),
    ))),
)]
pub(super) async fn call(
    Tenant(surface): Tenant,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<FormatQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let format = Format::asked(query, &headers)?;
    let Path(id) = id.map_err(|error| Problem::invalid("id", error.body_text()))?;
    let (rows, business, key) = (&surface.rows, surface.business, RowKey::parse(&id));
    let call = rows.call(business, key.clone()).await?;
    let conversation = match (&call, key) {
        (Some(CallSession { conversation_id: Some(conversation), .. }), _) => {
            rows.conversation(business, RowKey::Number(*conversation)).await?
        }
        (None, uuid @ RowKey::Uuid(_)) => rows.conversation(business, uuid).await?,
        (Some(_) | None, _) => None,
    };
    let transcript = match &conversation {
        Some(conversation) => rows.transcript(business, conversation.id).await?,
        None => Vec::new(),
    };
    // The UUID, not the carrier's id: that one is a stranger's text and would stand in a header.
    let (events, uuid) = match (&call, &conversation) {
        (Some(call), _) => (rows.events(business, call.id).await?, call.uuid),
        (None, Some(talk)) => (rows.talk_events(business, talk.id).await?, talk.uuid),
        (None, None) => return Err(Problem::not_found("there is no such call")),
    };
    let name = format!("tandem-call-{uuid}");
    if let Format::File(file) = format {
        let transcript = match (&call, &conversation) {
            (None, Some(talk)) => Transcript::of_conversation(talk, transcript),
            (Some(call), conversation) => Transcript::of_call(call, conversation.as_ref(), transcript),
            (None, None) => return Err(Problem::not_found("there is no such call")),
        };
        return Ok(transcript.answer(file, &name));
    }
    let disposition = format!("attachment; filename=\"{name}.json\"");
    let export =
        CallExport { format: "tandem-call/1", exported_at: clock::utc(), call, conversation, transcript, events };
    Ok((VARIES, [(header::CONTENT_DISPOSITION, disposition)], Json(export)).into_response())
}
