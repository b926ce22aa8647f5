//! Conversations and their transcripts, read only.
//!
//! `{id}` is the number or UUID of a conversation, or the UUID or carrier's id of its call.

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tandem_domain::port::store::{CallSession, Conversation, RowKey, TranscriptLine};
use tandem_domain::transcript::Role;

use super::Surface;
use super::page::{self, Page};
use super::problem::Problem;

/// A conversation with its call and its turns.
#[derive(Debug, Serialize)]
pub(super) struct Detail {
    #[serde(flatten)]
    conversation: Conversation,
    /// `null` for a talk without a call.
    call: Option<CallSession>,
    /// In the order they were spoken.
    turns: Vec<TranscriptLine>,
    /// The same in the shape of the earlier service; computed.
    transcript_history: Vec<HistoryLine>,
}

/// A line of `transcript_history`.
#[derive(Debug, Serialize)]
struct HistoryLine {
    /// `ai` or `user`.
    speaker: &'static str,
    text: String,
    timestamp: DateTime<Utc>,
}

impl From<&TranscriptLine> for HistoryLine {
    fn from(line: &TranscriptLine) -> Self {
        let speaker = match line.role {
            Role::User => "user",
            Role::Agent => "ai",
            Role::System => "system",
        };
        Self { speaker, text: line.text.clone(), timestamp: line.created_at }
    }
}

/// Query of a list.
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    limit: Option<String>,
    cursor: Option<String>,
}

/// `GET /api/conversations?limit=…&cursor=…`: newest first.
pub(super) async fn list(
    State(surface): State<Surface>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Page<Conversation>>, Problem> {
    let Query(query) = query.map_err(|error| Problem::invalid("query", error.body_text()))?;
    let limit = page::limit(query.limit.as_deref())?;
    let before = page::cursor(query.cursor.as_deref())?;
    // One more than asked for tells whether there is another page.
    let rows = surface.rows.conversations(surface.business, before, limit + 1).await?;
    Ok(Json(Page::cut(rows, limit, |conversation| conversation.id)))
}

/// `GET /api/conversations/{id}`.
pub(super) async fn detail(
    State(surface): State<Surface>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Detail>, Problem> {
    let conversation = find(&surface, id).await?;
    let call = match conversation.call_session_id {
        Some(call) => surface.rows.call(surface.business, RowKey::Number(call)).await?,
        None => None,
    };
    let turns = surface.rows.transcript(surface.business, conversation.id).await?;
    let transcript_history = turns.iter().map(HistoryLine::from).collect();
    Ok(Json(Detail { conversation, call, turns, transcript_history }))
}

/// `GET /api/conversations/{id}/transcript`: a plain array, oldest line first.
pub(super) async fn transcript(
    State(surface): State<Surface>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Vec<TranscriptLine>>, Problem> {
    let conversation = find(&surface, id).await?;
    Ok(Json(surface.rows.transcript(surface.business, conversation.id).await?))
}

async fn find(surface: &Surface, id: Result<Path<String>, PathRejection>) -> Result<Conversation, Problem> {
    let Path(id) = id.map_err(|error| Problem::invalid("id", error.body_text()))?;
    let found = surface.rows.conversation(surface.business, RowKey::parse(&id)).await?;
    found.ok_or_else(|| Problem::not_found("there is no such conversation"))
}
