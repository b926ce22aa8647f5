//! A talk in the browser: a conversation and its timeline, without a call session (R5). Its records name the call, whose id the conversation has.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use sqlx::FromRow;
use sqlx::types::Json;
use tandem_domain::ids::{BusinessId, CallId, LifeId};
use tandem_domain::record::{CallEnded, CallStarted, Direction, TimelineEvent};

use crate::error::Failure;
use crate::row_uuid::row_uuid;
use crate::sql::{Writing, on};
use crate::value;

/// What later records need to know of a talk.
#[derive(Debug, Clone, Copy, FromRow)]
pub(super) struct TalkRow {
    pub(super) id: i64,
    pub(super) started_at: DateTime<Utc>,
}

pub(super) async fn talk(tx: &mut Writing, business: BusinessId, call: CallId) -> Result<Option<TalkRow>, Failure> {
    const SQL: &str =
        "SELECT id, started_at FROM conversations WHERE business_id = $1 AND uuid = $2 AND call_session_id IS NULL";
    Ok(on!(tx.connection(), db => sqlx::query_as(SQL).bind(business.0).bind(call.0).fetch_optional(db).await)?)
}

/// Writes the conversation, with what the page wished for.
pub(super) async fn start(tx: &mut Writing, started: &CallStarted, life: Option<LifeId>) -> Result<(), Failure> {
    const SQL: &str = "INSERT INTO conversations (uuid, business_id, agent_id, direction, metadata, started_at, created_at, updated_at, \
        life_uuid, agent_version) VALUES ($1, $2, $3, $4, $5, $6, $6, $6, $7, $8) ON CONFLICT (uuid) DO NOTHING";
    let at = value::instant(started.at);
    let direction = match started.direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
    };
    let parameters: Map<String, Value> =
        started.parameters.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    let metadata = json!({ "channel": "browser", "parameters": parameters });
    on!(tx.connection(), db => {
        sqlx::query(SQL)
            .bind(started.conversation.0)
            .bind(started.business.0)
            .bind(started.agent.map(|agent| agent.0))
            .bind(direction)
            .bind(Json(value::json(&metadata)))
            .bind(at)
            .bind(life.map(|life| life.0))
            .bind(started.agent_version.map(|version| i64::from(version.0)))
            .execute(db)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// Writes a timeline entry.
pub(super) async fn event(tx: &mut Writing, talk: TalkRow, event: &TimelineEvent) -> Result<(), Failure> {
    const SQL: &str = "INSERT INTO talk_events (uuid, business_id, conversation_id, t_ms, kind, data) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (uuid) DO NOTHING";
    let since_start = TimeDelta::from_std(event.since_start).unwrap_or_default(); // nonsense of 300 million years counts as the start
    let uuid = row_uuid(
        talk.started_at.checked_add_signed(since_start).unwrap_or(talk.started_at),
        &[b"talk_event", event.call.0.as_bytes(), &event.index.to_be_bytes()],
    );
    on!(tx.connection(), db => {
        sqlx::query(SQL)
            .bind(uuid)
            .bind(event.business.0)
            .bind(talk.id)
            .bind(value::millis(event.since_start))
            .bind(event.kind)
            .bind(Json(value::json(&event.data)))
            .execute(db)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// The place of a talk's end among its notes: after all that it can have.
const LAST: u32 = u32::MAX;

/// Closes the conversation, if it is open (or was only presumed to be over); says whether it was. What a call session would say about its end
/// besides stands in the timeline.
pub(super) async fn end(tx: &mut Writing, talk: TalkRow, ended: &CallEnded) -> Result<bool, Failure> {
    const SQL: &str = "UPDATE conversations SET status = 'ended', ended_reason = $2, final_outcome = $3, ended_at = $4, \
        updated_at = $4 WHERE id = $1 AND business_id = $5 AND (ended_at IS NULL OR ended_reason = 'server_lost' AND $2 <> 'server_lost')";
    let outcome = ended.outcome.as_ref().map(|decision| json!(decision)); // its stored spelling is its wire spelling
    let written = on!(tx.connection(), db => {
        sqlx::query(SQL)
            .bind(talk.id)
            .bind(ended.reason.as_str())
            .bind(outcome.as_ref().and_then(Value::as_str))
            .bind(value::instant(ended.at))
            .bind(ended.business.0)
            .execute(db)
            .await
            .map(|done| done.rows_affected())
    })?;
    if written == 0 {
        return Ok(false);
    }
    let last = TimelineEvent {
        call: ended.call,
        business: ended.business,
        index: LAST,
        since_start: ended.duration,
        kind: "ended",
        data: json!({ "reason": ended.reason.as_str(), "detail": ended.detail }),
    };
    event(tx, talk, &last).await?;
    Ok(true)
}
