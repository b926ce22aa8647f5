//! One call as one document, to keep or to hand over (R14): the call, its conversation, what was said, and its timeline; or, in a
//! format that has no place for the rest, what was said.

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tandem_actors::clock;
use tandem_domain::port::store::{CallSession, Conversation, RowKey, StoredEvent, TranscriptLine};
use utoipa::ToSchema;

use super::problem::Problem;
use super::transcript::{Format, FormatQuery, Transcript, VARIES};
use super::{Surface, calls};

/// The document. A reader tells its version by `format`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CallExport {
    /// `tandem-call/1`.
    format: &'static str,
    exported_at: DateTime<Utc>,
    call: CallSession,
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
    params(("id" = String, Path, description = "number or UUID of the call, or the carrier's id of it"), FormatQuery),
    responses((status = OK, content(
        (CallExport = "application/json"),
        (String = "text/csv"), (String = "text/plain"), (String = "text/vtt"), (String = "application/x-subrip"),
    ))),
)]
pub(super) async fn call(
    State(surface): State<Surface>,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<FormatQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let format = Format::asked(query, &headers)?;
    let call = calls::find(&surface, id).await?;
    let (rows, business) = (&surface.rows, surface.business);
    let conversation = match call.conversation_id {
        Some(conversation) => rows.conversation(business, RowKey::Number(conversation)).await?,
        None => None,
    };
    let transcript = match &conversation {
        Some(conversation) => rows.transcript(business, conversation.id).await?,
        None => Vec::new(),
    };
    // The UUID, not the carrier's id: that one is a stranger's text and would stand in a header.
    let name = format!("tandem-call-{}", call.uuid);
    if let Format::File(file) = format {
        return Ok(Transcript::of_call(&call, conversation.as_ref(), transcript).answer(file, &name));
    }
    let events = rows.events(business, call.id).await?;
    let disposition = format!("attachment; filename=\"{name}.json\"");
    let export =
        CallExport { format: "tandem-call/1", exported_at: clock::utc(), call, conversation, transcript, events };
    Ok((VARIES, [(header::CONTENT_DISPOSITION, disposition)], Json(export)).into_response())
}
