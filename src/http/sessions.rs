//! The calls of this moment, of whoever's business asks. Holds personal data: behind the gate like everything that does.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tandem_actors::call::SessionView;
use utoipa::ToSchema;
use uuid::Uuid;

use super::guard::Tenant;
use super::page::Page;
use super::problem::Problem;
use super::turns::PageQuery;

/// A live call (api-inventory section 6, live state).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Session {
    call_id: Uuid,
    conversation_id: Uuid,
    /// The carrier's id.
    call_sid: String,
    /// Carrier.
    provider: &'static str,
    /// Agent's name.
    agent: String,
    /// Stage of the playbook.
    conversation_stage: String,
    /// The conversation as it was heard.
    transcript_history: Vec<SessionLine>,
    /// The agent waits for the caller's answer.
    waiting_for_response: bool,
    /// Whether the agent's voice is in the caller's ear.
    agent_speaking: bool,
    /// Whether the caller is speaking.
    caller_speaking: bool,
    /// When the stream started.
    started_at: DateTime<Utc>,
    /// When something last happened.
    last_interaction_time: DateTime<Utc>,
    /// Parts that died and were started again, by name.
    restarts: BTreeMap<&'static str, u32>,
}

/// A line of a live call.
#[derive(Debug, Serialize, ToSchema)]
struct SessionLine {
    /// `ai` or `user`.
    speaker: &'static str,
    /// What was heard.
    text: String,
}

impl From<SessionView> for Session {
    fn from(view: SessionView) -> Self {
        let history = view.transcript_history.into_iter();
        Self {
            call_id: view.call_id.0,
            conversation_id: view.conversation_id.0,
            call_sid: view.call_sid,
            provider: view.provider,
            agent: view.agent,
            conversation_stage: view.conversation_stage,
            transcript_history: history.map(|line| SessionLine { speaker: line.speaker, text: line.text }).collect(),
            waiting_for_response: view.waiting_for_response,
            agent_speaking: view.agent_speaking,
            caller_speaking: view.caller_speaking,
            started_at: view.started_at,
            last_interaction_time: view.last_interaction_time,
            restarts: view.restarts,
        }
    }
}

/// Calls of this moment, the newest first.
#[utoipa::path(
    get, path = "/debug/sessions", operation_id = "list_sessions", tag = "operations", params(PageQuery),
    responses((status = OK, body = Page<Session>)),
)]
pub(super) async fn list(
    Tenant(surface): Tenant,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<Page<Session>>, Problem> {
    let asked = PageQuery::read(query, "sessions".to_owned())?;
    let mut calls = surface.switch.sessions().await;
    calls.retain(|call| call.business == surface.business);
    // Their ids grow with time (UUID version 7).
    calls.sort_by_key(|call| std::cmp::Reverse(call.call_id.0));
    let older = |call: &SessionView| asked.after.is_none_or(|last| call.call_id.0.as_u128() < last);
    let rows = calls.into_iter().filter(older).take(asked.rows() as usize).map(Session::from).collect();
    Ok(Json(asked.page(rows, |call| call.call_id.as_u128())))
}
