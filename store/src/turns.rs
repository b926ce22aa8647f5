//! A conversation by its caller's turns, read side: the turns of a page, then the answers to all of them in one query.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::FromRow;
use sqlx::types::Json;
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{RowKey, StoredResponse, StoredTurn};
use uuid::Uuid;

use crate::Store;
use crate::error::Failure;
use crate::sql::on;

macro_rules! turn_where {
    ($condition:literal) => {
        concat!(
            "SELECT id, uuid, conversation_id, order_index, transcribed_text, detected_language, stt_provider, stt_confidence, ",
            "created_at FROM user_turns WHERE business_id = $1 AND conversation_id = $2 AND ",
            $condition
        )
    };
}

#[derive(FromRow)]
struct TurnRow {
    id: i64,
    uuid: Uuid,
    conversation_id: i64,
    order_index: i64,
    transcribed_text: String,
    detected_language: Option<String>,
    stt_provider: String,
    stt_confidence: Option<f64>,
    created_at: DateTime<Utc>,
}

impl TurnRow {
    fn with(self, agent_responses: Vec<StoredResponse>) -> StoredTurn {
        StoredTurn {
            id: self.id,
            uuid: self.uuid,
            conversation_id: self.conversation_id,
            order_index: self.order_index,
            transcript: self.transcribed_text,
            detected_language: self.detected_language,
            stt_provider: self.stt_provider,
            stt_confidence: self.stt_confidence,
            created_at: self.created_at,
            agent_responses,
        }
    }
}

#[derive(FromRow)]
struct ResponseRow {
    id: i64,
    uuid: Uuid,
    user_turn_id: i64,
    order_index: i64,
    response_text: String,
    intended_text: Option<String>,
    interrupted: bool,
    llm_provider: String,
    tts_provider: String,
    voice_id: String,
    language_used: Option<String>,
    latency_ms: Option<i64>,
    stages: Option<Json<Value>>,
    created_at: DateTime<Utc>,
}

impl From<ResponseRow> for StoredResponse {
    fn from(row: ResponseRow) -> Self {
        Self {
            id: row.id,
            uuid: row.uuid,
            order_index: row.order_index,
            response_text: row.response_text,
            intended_text: row.intended_text,
            interrupted: row.interrupted,
            llm_provider: row.llm_provider,
            tts_provider: row.tts_provider,
            voice_id: row.voice_id,
            language: row.language_used,
            latency_ms: row.latency_ms,
            stages: row.stages.map(|Json(stages)| stages),
            created_at: row.created_at,
        }
    }
}

impl Store {
    /// Turns in the order they were spoken, after the place `after`.
    pub(crate) async fn read_turns(
        &self,
        business: BusinessId,
        conversation: i64,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<StoredTurn>, Failure> {
        const IN_ORDER: &str = turn_where!("order_index > $3 ORDER BY order_index LIMIT $4");
        let (after, limit) = (after.unwrap_or(i64::MIN), i64::from(limit.max(1)));
        let rows: Vec<TurnRow> = on!(self.reader(), db => {
            sqlx::query_as(IN_ORDER).bind(business.0).bind(conversation).bind(after).bind(limit).fetch_all(db).await
        })?;
        self.with_responses(business, conversation, rows).await
    }

    /// One turn by number or UUID; a name names none.
    pub(crate) async fn read_turn(
        &self,
        business: BusinessId,
        conversation: i64,
        key: RowKey,
    ) -> Result<Option<StoredTurn>, Failure> {
        const BY_ID: &str = turn_where!("id = $3");
        const BY_UUID: &str = turn_where!("uuid = $3");
        let row: Option<TurnRow> = on!(self.reader(), db => match key {
            RowKey::Number(id) => {
                sqlx::query_as(BY_ID).bind(business.0).bind(conversation).bind(id).fetch_optional(db).await
            }
            RowKey::Uuid(uuid) => {
                sqlx::query_as(BY_UUID).bind(business.0).bind(conversation).bind(uuid).fetch_optional(db).await
            }
            RowKey::Name(_) => Ok(None),
        })?;
        Ok(self.with_responses(business, conversation, row.into_iter().collect()).await?.pop())
    }

    /// Adds the answers to turns that follow each other.
    async fn with_responses(
        &self,
        business: BusinessId,
        conversation: i64,
        turns: Vec<TurnRow>,
    ) -> Result<Vec<StoredTurn>, Failure> {
        const OF_TURNS: &str = "SELECT r.id, r.uuid, r.user_turn_id, r.order_index, r.response_text, r.intended_text, r.interrupted, \
            r.llm_provider, r.tts_provider, r.voice_id, r.language_used, r.latency_ms, r.stages, r.created_at \
            FROM user_turns t JOIN agent_responses r ON r.business_id = t.business_id AND r.user_turn_id = t.id \
            WHERE t.business_id = $1 AND t.conversation_id = $2 AND t.order_index BETWEEN $3 AND $4 ORDER BY r.order_index";
        let (Some(first), Some(last)) = (turns.first(), turns.last()) else { return Ok(Vec::new()) };
        let (first, last) = (first.order_index, last.order_index);
        let rows: Vec<ResponseRow> = on!(self.reader(), db => {
            sqlx::query_as(OF_TURNS).bind(business.0).bind(conversation).bind(first).bind(last).fetch_all(db).await
        })?;
        let mut of_turn: HashMap<i64, Vec<StoredResponse>> = HashMap::new();
        for row in rows {
            of_turn.entry(row.user_turn_id).or_default().push(row.into());
        }
        Ok(turns
            .into_iter()
            .map(|turn| {
                let id = turn.id;
                turn.with(of_turn.remove(&id).unwrap_or_default())
            })
            .collect())
    }
}
