//! One record, one statement or two. What "the same" means for each stands in the parent's table.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use sqlx::FromRow;
use sqlx::types::Json;
use tandem_domain::ids::{BusinessId, CallId, ConversationId, LifeId, TurnId};
use tandem_domain::record::{
    AgentResponse, CallEnded, CallStarted, CallStatus, Direction, Progress, RECORDING_SAVED, TimelineEvent, UserTurn,
};

use crate::error::Failure;
use crate::row_uuid::row_uuid;
use crate::sql::{Writing, on};
use crate::value;

/// What later records need to know of a call.
#[derive(Debug, Clone, Copy, FromRow)]
pub(super) struct CallRow {
    pub(super) id: i64,
    pub(super) created_at: DateTime<Utc>,
}

pub(super) async fn call(tx: &mut Writing, business: BusinessId, call: CallId) -> Result<Option<CallRow>, Failure> {
    const SQL: &str = "SELECT id, created_at FROM call_sessions WHERE business_id = $1 AND uuid = $2";
    Ok(on!(tx.connection(), db => sqlx::query_as(SQL).bind(business.0).bind(call.0).fetch_optional(db).await)?)
}

pub(super) async fn conversation(
    tx: &mut Writing,
    business: BusinessId,
    conversation: ConversationId,
) -> Result<Option<i64>, Failure> {
    const SQL: &str = "SELECT id FROM conversations WHERE business_id = $1 AND uuid = $2";
    Ok(on!(tx.connection(), db => {
        sqlx::query_scalar(SQL).bind(business.0).bind(conversation.0).fetch_optional(db).await
    })?)
}

/// Writes the call session and its conversation. The audio flows by then, so the call is answered.
pub(super) async fn start(tx: &mut Writing, started: &CallStarted, life: Option<LifeId>) -> Result<(), Failure> {
    const CALL: &str = "INSERT INTO call_sessions (uuid, business_id, agent_id, call_sid, stream_sid, provider, direction, \
        from_number, to_number, parameters, status, answered_at, created_at, updated_at, life_uuid, agent_version) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $12, $13, $14) \
        ON CONFLICT (uuid) DO NOTHING";
    const CONVERSATION: &str = "INSERT INTO conversations (uuid, business_id, call_session_id, agent_id, direction, metadata, \
        started_at, created_at, updated_at, agent_version) \
        SELECT $1, $2, id, $4, $5, $6, $7, $7, $7, $8 FROM call_sessions WHERE uuid = $3 AND business_id = $2 \
        ON CONFLICT (uuid) DO NOTHING";

    let at = value::instant(started.at);
    let agent = started.agent.map(|agent| agent.0);
    let version = started.agent_version.map(|version| i64::from(version.0));
    let direction = match started.direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
    };
    let parameters: Map<String, Value> =
        started.parameters.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    on!(tx.connection(), db => {
        sqlx::query(CALL)
            .bind(started.call.0)
            .bind(started.business.0)
            .bind(agent)
            .bind(value::text(&started.call_sid))
            .bind(value::text(&started.stream_sid))
            .bind(value::text(&started.provider))
            .bind(direction)
            .bind(started.from.as_deref().map(value::text))
            .bind(started.to.as_deref().map(value::text))
            .bind(Json(value::json(&Value::Object(parameters))))
            .bind(CallStatus::InProgress.as_str())
            .bind(at)
            .bind(life.map(|life| life.0))
            .bind(version)
            .execute(db)
            .await
            .map(drop)
    })?;

    let metadata = json!({ "channel": "phone", "provider": started.provider });
    on!(tx.connection(), db => {
        sqlx::query(CONVERSATION)
            .bind(started.conversation.0)
            .bind(started.business.0)
            .bind(started.call.0)
            .bind(agent)
            .bind(direction)
            .bind(Json(value::json(&metadata)))
            .bind(at)
            .bind(version)
            .execute(db)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// Writes a turn; the conversation speaks the language of its last turn that tells one.
pub(super) async fn user_turn(tx: &mut Writing, conversation: i64, turn: &UserTurn) -> Result<(), Failure> {
    const TURN: &str = "INSERT INTO user_turns (uuid, business_id, conversation_id, order_index, transcribed_text, \
        detected_language, stt_provider, stt_confidence, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
        ON CONFLICT (business_id, conversation_id, order_index) DO NOTHING";
    const LANGUAGE: &str = "UPDATE conversations SET detected_language = COALESCE($2, detected_language), updated_at = $3 \
        WHERE id = $1 AND business_id = $4";

    let at = value::instant(turn.at);
    let language = turn.language.as_deref().map(value::text);
    let index = i64::from(turn.turn.0);
    let uuid = row_uuid(at, &[b"user_turn", turn.conversation.0.as_bytes(), &index.to_be_bytes()]);
    let written = on!(tx.connection(), db => {
        sqlx::query(TURN)
            .bind(uuid)
            .bind(turn.business.0)
            .bind(conversation)
            .bind(index)
            .bind(value::text(&turn.text))
            .bind(language.as_deref())
            .bind(value::text(&turn.stt_provider))
            .bind(turn.confidence.and_then(value::share))
            .bind(at)
            .execute(db)
            .await
            .map(|done| done.rows_affected())
    })?;
    if written > 0 {
        on!(tx.connection(), db => {
            sqlx::query(LANGUAGE)
                .bind(conversation)
                .bind(language.as_deref())
                .bind(at)
                .bind(turn.business.0)
                .execute(db)
                .await
                .map(drop)
        })?;
    }
    Ok(())
}

/// Writes an utterance: what was heard, and what was meant where that was more.
pub(super) async fn agent_response(
    tx: &mut Writing,
    conversation: i64,
    response: &AgentResponse,
) -> Result<(), Failure> {
    const SQL: &str = "INSERT INTO agent_responses (uuid, business_id, conversation_id, user_turn_id, order_index, response_text, \
        intended_text, interrupted, llm_provider, tts_provider, voice_id, language_used, latency_ms, stages, created_at) \
        VALUES ($1, $2, $3, (SELECT id FROM user_turns WHERE business_id = $2 AND conversation_id = $3 AND order_index = $4), $5, $6, \
        $7, $8, $9, $10, $11, $12, $13, $14, $15) \
        ON CONFLICT (business_id, conversation_id, order_index) DO NOTHING";

    let at = value::instant(response.at);
    let index = i64::from(response.utterance.0);
    let uuid = row_uuid(at, &[b"agent_response", response.conversation.0.as_bytes(), &index.to_be_bytes()]);
    let answers = response.turn.unwrap_or(TurnId(0)); // turns count from 1, so the opening finds none
    on!(tx.connection(), db => {
        sqlx::query(SQL)
            .bind(uuid)
            .bind(response.business.0)
            .bind(conversation)
            .bind(i64::from(answers.0))
            .bind(index)
            .bind(value::text(&response.heard))
            .bind((response.text != response.heard).then(|| value::text(&response.text)))
            .bind(response.interrupted)
            .bind(value::text(&response.llm_provider))
            .bind(value::text(&response.tts_provider))
            .bind(value::text(&response.voice))
            .bind(value::text(&response.language))
            .bind(response.latency.map(value::millis))
            .bind(Json(stages(response)))
            .bind(at)
            .execute(db)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// The parts of the latency by name, in whole ms; a stage that was gone through twice counts whole. Empty where nothing was
/// measured, and not NULL: older SQLite programs say of a NULL that it is no JSON, and then call the whole file unsound.
fn stages(response: &AgentResponse) -> Value {
    let mut parts = Map::new();
    for (name, spent) in &response.stages {
        let before = parts.get(*name).and_then(Value::as_i64).unwrap_or(0);
        parts.insert((*name).to_owned(), before.saturating_add(value::millis(*spent)).into());
    }
    Value::Object(parts)
}

/// Overwrites what is known by what is known later, while the conversation runs (or was only presumed to be over).
pub(super) async fn progress(tx: &mut Writing, conversation: i64, progress: &Progress) -> Result<(), Failure> {
    const SQL: &str = "UPDATE conversations SET stage = $2, extracted_data = $3, progress_revision = $5 \
        WHERE id = $1 AND business_id = $4 AND progress_revision < $5 AND (status = 'active' OR ended_reason = 'server_lost')";
    on!(tx.connection(), db => {
        sqlx::query(SQL)
            .bind(conversation)
            .bind(value::text(&progress.stage))
            .bind(Json(value::json(&Value::Object(progress.extracted.clone()))))
            .bind(progress.business.0)
            .bind(i64::from(progress.revision))
            .execute(db)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// Writes a timeline entry. Of a recording that is whole, the call says where it is served.
pub(super) async fn event(tx: &mut Writing, call: CallRow, event: &TimelineEvent) -> Result<(), Failure> {
    const SQL: &str = "INSERT INTO call_events (uuid, business_id, call_session_id, t_ms, kind, data) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (uuid) DO NOTHING";
    let since_start = TimeDelta::from_std(event.since_start).unwrap_or_default(); // nonsense of 300 million years counts as the start
    let uuid = row_uuid(
        call.created_at.checked_add_signed(since_start).unwrap_or(call.created_at),
        &[b"call_event", event.call.0.as_bytes(), &event.index.to_be_bytes()],
    );
    on!(tx.connection(), db => {
        sqlx::query(SQL)
            .bind(uuid)
            .bind(event.business.0)
            .bind(call.id)
            .bind(value::millis(event.since_start))
            .bind(event.kind)
            .bind(Json(value::json(&event.data)))
            .execute(db)
            .await
            .map(drop)
    })?;
    if event.kind == RECORDING_SAVED {
        const RECORDED: &str = "UPDATE call_sessions SET recording_url = $2 WHERE id = $1 AND business_id = $3";
        on!(tx.connection(), db => {
            sqlx::query(RECORDED)
                .bind(call.id)
                .bind(format!("/api/calls/{}/recording", event.call))
                .bind(event.business.0)
                .execute(db)
                .await
                .map(drop)
        })?;
    }
    Ok(())
}

/// Closes the call and its conversation, if they are open (or were only presumed to be over); says whether they were. Seconds are cut off; the
/// milliseconds stand beside them.
pub(super) async fn end(tx: &mut Writing, call: CallRow, ended: &CallEnded) -> Result<bool, Failure> {
    const CALL: &str = "UPDATE call_sessions SET status = $2, ended_reason = $3, ended_detail = $4, duration_seconds = $5, \
        duration_ms = $6, ended_at = $7, updated_at = $7 \
        WHERE id = $1 AND business_id = $8 AND (ended_at IS NULL OR ended_reason = 'server_lost' AND $3 <> 'server_lost')";
    const CONVERSATION: &str = "UPDATE conversations SET status = 'ended', ended_reason = $2, final_outcome = $3, ended_at = $4, \
        updated_at = $4 WHERE call_session_id = $1 AND business_id = $5";

    let at = value::instant(ended.at);
    let reason = ended.reason.as_str();
    let written = on!(tx.connection(), db => {
        sqlx::query(CALL)
            .bind(call.id)
            .bind(ended.reason.status().as_str())
            .bind(reason)
            .bind((!ended.detail.is_empty()).then(|| value::text(&ended.detail)))
            .bind(value::millis(ended.duration) / 1_000)
            .bind(value::millis(ended.duration))
            .bind(at)
            .bind(ended.business.0)
            .execute(db)
            .await
            .map(|done| done.rows_affected())
    })?;
    if written > 0 {
        let outcome = ended.outcome.as_ref().map(|decision| json!(decision)); // its stored spelling is its wire spelling
        on!(tx.connection(), db => {
            sqlx::query(CONVERSATION)
                .bind(call.id)
                .bind(reason)
                .bind(outcome.as_ref().and_then(Value::as_str))
                .bind(at)
                .bind(ended.business.0)
                .execute(db)
                .await
                .map(drop)
        })?;
    }
    Ok(written > 0)
}
