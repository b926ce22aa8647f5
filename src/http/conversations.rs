//! Conversations and their transcripts, read only.
//!
//! `{id}` is the number or UUID of a conversation, or the UUID or carrier's id of its call.

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tandem_domain::port::store::{CallSession, Conversation, RowKey, TranscriptLine};
use tandem_domain::transcript::Role;
use utoipa::ToSchema;

use super::Surface;
use super::guard::Tenant;
use super::listing::ListQuery;
use super::page::{self, Page};
use super::problem::Problem;
use super::transcript::{Format, FormatQuery, Transcript, VARIES};

/// States of a conversation (api-inventory section 7).
const STATES: &[&str] = &["active", "ended"];

/// A conversation with its call and its turns.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConversationDetail)]
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
#[derive(Debug, Serialize, ToSchema)]
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

/// Conversations, newest first.
#[utoipa::path(
    get, path = "/api/conversations", operation_id = "list_conversations", tag = "conversations", params(ListQuery),
    responses((status = OK, body = Page<Conversation>)),
)]
pub(super) async fn list(
    Tenant(surface): Tenant,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Page<Conversation>>, Problem> {
    let Query(query) = query.map_err(|error| Problem::invalid("query", error.body_text()))?;
    let (asked, listing) = query.read("conversations", STATES)?;
    let rows = surface.rows.conversations(surface.business, listing).await?;
    Ok(Json(asked.page(rows, |conversation| page::of_row(conversation.id))))
}

/// One conversation with its call and what was said.
#[utoipa::path(
    get, path = "/api/conversations/{id}", operation_id = "get_conversation", tag = "conversations",
    params(("id" = String, Path, description = "number or UUID of the conversation, or UUID or carrier's id of its call")),
    responses((status = OK, body = Detail)),
)]
pub(super) async fn detail(
    Tenant(surface): Tenant,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Detail>, Problem> {
    let conversation = named(&surface, id).await?;
    let call = match conversation.call_session_id {
        Some(call) => surface.rows.call(surface.business, RowKey::Number(call)).await?,
        None => None,
    };
    let turns = surface.rows.transcript(surface.business, conversation.id).await?;
    let transcript_history = turns.iter().map(HistoryLine::from).collect();
    Ok(Json(Detail { conversation, call, turns, transcript_history }))
}

/// What was said, oldest line first: a plain JSON array, or a file in another format.
///
/// The format is chosen by `format`, or else by `Accept`; JSON where neither says.
#[utoipa::path(
    get, path = "/api/conversations/{id}/transcript", operation_id = "get_transcript", tag = "conversations",
    params(("id" = String, Path, description = "number or UUID of the conversation, or UUID or carrier's id of its call"), FormatQuery),
    responses(
        (status = OK, content(
            (Vec<TranscriptLine> = "application/json"),
            (String = "text/csv"), (String = "text/plain"), (String = "text/vtt"), (String = "application/x-subrip"),
        )),
    ),
)]
pub(super) async fn transcript(
    Tenant(surface): Tenant,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<FormatQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let format = Format::asked(query, &headers)?;
    let conversation = named(&surface, id).await?;
    let lines = surface.rows.transcript(surface.business, conversation.id).await?;
    Ok(match format {
        Format::Json => (VARIES, Json(lines)).into_response(),
        // The UUID, not the carrier's id: that one is a stranger's text and would stand in a header.
        Format::File(file) => Transcript::of_conversation(&conversation, lines)
            .answer(file, &format!("tandem-conversation-{}", conversation.uuid)),
    })
}

async fn named(surface: &Surface, id: Result<Path<String>, PathRejection>) -> Result<Conversation, Problem> {
    let Path(id) = id.map_err(|error| Problem::invalid("id", error.body_text()))?;
    find(surface, &id).await
}

/// The conversation that a path names.
pub(super) async fn find(surface: &Surface, id: &str) -> Result<Conversation, Problem> {
    let found = surface.rows.conversation(surface.business, RowKey::parse(id)).await?;
    found.ok_or_else(|| Problem::not_found("there is no such conversation"))
}
