//! One call as one document, to keep or to hand over (R14): the call, its conversation, what was said, and its timeline.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tandem_actors::clock;
use tandem_domain::port::store::{CallSession, Conversation, RowKey, StoredEvent, TranscriptLine};

use super::Surface;
use super::problem::Problem;

/// The document. A reader tells its version by `format`.
#[derive(Debug, Serialize)]
struct CallExport {
    format: &'static str,
    exported_at: DateTime<Utc>,
    /// `null` for a talk in the browser.
    call: Option<CallSession>,
    conversation: Option<Conversation>,
    transcript: Vec<TranscriptLine>,
    events: Vec<StoredEvent>,
}

/// `GET /exports/calls/{id}`: `id` is the call's number, UUID or carrier's id; or the UUID of a talk in the browser, which has no call session.
pub(super) async fn call(
    State(surface): State<Surface>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(id) = id.map_err(|error| Problem::invalid("id", error.body_text()))?;
    let (rows, business) = (&surface.rows, surface.business);
    let key = RowKey::parse(&id);
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
    let disposition = format!("attachment; filename=\"tandem-call-{uuid}.json\"");
    let export =
        CallExport { format: "tandem-call/1", exported_at: clock::utc(), call, conversation, transcript, events };
    Ok(([(header::CONTENT_DISPOSITION, disposition)], Json(export)).into_response())
}
