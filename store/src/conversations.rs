//! The read side of calls: conversations, transcripts, call sessions and their timelines.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::FromRow;
use sqlx::types::Json;
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{
    CallSession, Conversation, ConversationStore, Listing, RowKey, StoreFuture, StoredEvent, StoredTurn, TranscriptLine,
};
use tandem_domain::transcript::Role;
use uuid::Uuid;

use crate::Store;
use crate::error::Failure;
use crate::sql::on;
use crate::value;

macro_rules! conversation_where {
    ($condition:expr) => {
        concat!(
            "SELECT c.id, c.uuid, c.call_session_id, a.name AS agent_name, c.agent_version, c.status, c.direction, c.detected_language, c.stage, ",
            "c.final_outcome, c.lead_qualified, c.extracted_data, c.ended_reason, c.started_at, c.ended_at, c.metadata ",
            "FROM conversations c LEFT JOIN agents a ON a.id = c.agent_id ",
            "WHERE c.business_id = $1 AND ",
            $condition
        )
    };
}

macro_rules! call_where {
    ($condition:expr) => {
        concat!(
            "SELECT s.id, s.uuid, s.call_sid, c.id AS conversation_id, s.agent_id, s.agent_version, s.provider, s.direction, s.from_number, s.to_number, ",
            "s.status, s.ended_reason, s.duration_seconds, s.recording_url, s.answered_at, s.ended_at, s.created_at ",
            "FROM call_sessions s LEFT JOIN conversations c ON c.call_session_id = s.id ",
            "WHERE s.business_id = $1 AND ",
            $condition
        )
    };
}

/// The number of a call by the carrier's id. A carrier may use one id twice when it reconnects: the newest call counts.
macro_rules! call_by_name {
    () => {
        "(SELECT max(id) FROM call_sessions WHERE business_id = $1 AND call_sid = $2 AND call_sid <> '')"
    };
}

/// The number of a call by its UUID, or by a carrier's id that is one. Such ids are written with hyphens (Vonage) or without (Exotel), so
/// `$3` and `$4` are both spellings. Subqueries instead of OR, which the planners answer by reading every call of the business.
macro_rules! call_by_uuid {
    () => {
        "COALESCE((SELECT id FROM call_sessions WHERE business_id = $1 AND uuid = $2), \
         (SELECT max(id) FROM call_sessions WHERE business_id = $1 AND call_sid IN ($3, $4)))"
    };
}

/// Reads one row by whichever key it is; the three texts take the tenant as `$1` and the key as `$2`.
macro_rules! by_key {
    ($reader:expr, $business:expr, $key:expr, $by_id:expr, $by_uuid:expr, $by_name:expr) => {
        on!($reader, db => match $key {
            RowKey::Number(id) => sqlx::query_as($by_id).bind($business.0).bind(id).fetch_optional(db).await,
            RowKey::Uuid(uuid) => {
                let (hyphenated, simple) = (uuid.hyphenated().to_string(), uuid.simple().to_string());
                sqlx::query_as($by_uuid)
                    .bind($business.0)
                    .bind(uuid)
                    .bind(hyphenated)
                    .bind(simple)
                    .fetch_optional(db)
                    .await
            }
            RowKey::Name(name) => {
                let name = value::text(&name).into_owned();
                sqlx::query_as($by_name).bind($business.0).bind(name).fetch_optional(db).await
            }
        })
    };
}

/// Rows of a list, newest first. Each filter is one parameter that is NULL where it is not asked for.
macro_rules! listed {
    ($table:literal, $began:literal) => {
        concat!(
            $table,
            ".id < $2 AND ($4 IS NULL OR ",
            $table,
            ".agent_id = $4) AND ($5 IS NULL OR ",
            $table,
            ".status = $5) ",
            "AND ($6 IS NULL OR ",
            $table,
            ".",
            $began,
            " >= $6) AND ($7 IS NULL OR ",
            $table,
            ".",
            $began,
            " < $7) ",
            "ORDER BY ",
            $table,
            ".id DESC LIMIT $3"
        )
    };
}

/// Binds a [`Listing`] to a text that ends in [`listed!`].
macro_rules! list {
    ($text:expr, $business:expr, $listing:expr, $agent:expr) => {
        sqlx::query_as($text)
            .bind($business.0)
            .bind($listing.before.unwrap_or(i64::MAX))
            .bind(i64::from($listing.limit.max(1)))
            .bind($agent)
            .bind($listing.status.as_deref().map(value::text))
            .bind($listing.from)
            .bind($listing.until)
    };
}

#[derive(FromRow)]
struct ConversationRow {
    id: i64,
    uuid: Uuid,
    call_session_id: Option<i64>,
    agent_name: Option<String>,
    agent_version: Option<i64>,
    status: String,
    direction: String,
    detected_language: Option<String>,
    stage: String,
    final_outcome: Option<String>,
    lead_qualified: Option<bool>,
    extracted_data: Json<Value>,
    ended_reason: Option<String>,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    metadata: Json<Value>,
}

impl From<ConversationRow> for Conversation {
    fn from(row: ConversationRow) -> Self {
        Self {
            id: row.id,
            uuid: row.uuid,
            call_session_id: row.call_session_id,
            agent_name: row.agent_name,
            agent_version: row.agent_version,
            status: row.status,
            direction: row.direction,
            detected_language: row.detected_language,
            stage: row.stage,
            final_outcome: row.final_outcome,
            lead_qualified: row.lead_qualified,
            extracted_data: row.extracted_data.0,
            ended_reason: row.ended_reason,
            started_at: row.started_at,
            ended_at: row.ended_at,
            metadata: row.metadata.0,
        }
    }
}

#[derive(FromRow)]
struct CallRow {
    id: i64,
    uuid: Uuid,
    call_sid: String,
    conversation_id: Option<i64>,
    agent_id: Option<i64>,
    agent_version: Option<i64>,
    provider: String,
    direction: String,
    from_number: Option<String>,
    to_number: Option<String>,
    status: String,
    ended_reason: Option<String>,
    duration_seconds: Option<i64>,
    recording_url: Option<String>,
    answered_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<CallRow> for CallSession {
    fn from(row: CallRow) -> Self {
        Self {
            id: row.id,
            uuid: row.uuid,
            call_sid: row.call_sid,
            conversation_id: row.conversation_id,
            agent_id: row.agent_id,
            agent_version: row.agent_version,
            provider: row.provider,
            direction: row.direction,
            from_number: row.from_number,
            to_number: row.to_number,
            status: row.status,
            ended_reason: row.ended_reason,
            duration_seconds: row.duration_seconds,
            recording_url: row.recording_url,
            answered_at: row.answered_at,
            ended_at: row.ended_at,
            created_at: row.created_at,
        }
    }
}

#[derive(FromRow)]
struct LineRow {
    role: String,
    text: String,
    intended_text: Option<String>,
    interrupted: bool,
    language: Option<String>,
    confidence: Option<f64>,
    latency_ms: Option<i64>,
    stages: Option<Json<Value>>,
    created_at: DateTime<Utc>,
}

impl TryFrom<LineRow> for TranscriptLine {
    type Error = Failure;

    fn try_from(row: LineRow) -> Result<Self, Failure> {
        Ok(Self {
            role: match row.role.as_str() {
                "user" => Role::User,
                "agent" => Role::Agent,
                _ => return Err(Failure::unreadable("role")),
            },
            text: row.text,
            intended_text: row.intended_text,
            interrupted: row.interrupted,
            language: row.language,
            confidence: row.confidence,
            latency_ms: row.latency_ms,
            stages: row.stages.map(|Json(stages)| stages).filter(|stages| stages != &serde_json::json!({})),
            created_at: row.created_at,
        })
    }
}

#[derive(FromRow)]
struct EventRow {
    t_ms: i64,
    kind: String,
    data: Json<Value>,
}

impl Store {
    /// The agent that a listing asks for: its number, `None` where any will do. `None` in all where there is no such agent.
    async fn agent_of(&self, business: BusinessId, listing: &Listing) -> Result<Option<Option<i64>>, Failure> {
        match &listing.agent {
            None => Ok(Some(None)),
            Some(key) => Ok(self.agent_number(business, key).await?.map(Some)),
        }
    }
}

impl ConversationStore for Store {
    fn conversations(&self, business: BusinessId, listing: Listing) -> StoreFuture<'_, Vec<Conversation>> {
        self.answer(async move {
            const NEWEST: &str = conversation_where!(listed!("c", "started_at"));
            let Some(agent) = self.agent_of(business, &listing).await? else { return Ok(Vec::new()) };
            let rows: Vec<ConversationRow> =
                on!(self.reader(), db => list!(NEWEST, business, listing, agent).fetch_all(db).await)?;
            Ok(rows.into_iter().map(Conversation::from).collect())
        })
    }

    fn conversation(&self, business: BusinessId, key: RowKey) -> StoreFuture<'_, Option<Conversation>> {
        self.answer(async move {
            const BY_ID: &str = conversation_where!("c.id = $2");
            const BY_UUID: &str = conversation_where!(concat!(
                "c.id = COALESCE((SELECT id FROM conversations WHERE business_id = $1 AND uuid = $2), ",
                "(SELECT id FROM conversations WHERE business_id = $1 AND call_session_id = ",
                call_by_uuid!(),
                "))"
            ));
            const BY_NAME: &str = conversation_where!(concat!("c.call_session_id = ", call_by_name!()));
            let row: Option<ConversationRow> = by_key!(self.reader(), business, key, BY_ID, BY_UUID, BY_NAME)?;
            Ok(row.map(Conversation::from))
        })
    }

    fn transcript(&self, business: BusinessId, conversation: i64) -> StoreFuture<'_, Vec<TranscriptLine>> {
        self.answer(async move {
            const IN_ORDER: &str = "SELECT role, text, intended_text, interrupted, language, confidence, latency_ms, stages, created_at \
                FROM transcript_lines WHERE business_id = $1 AND conversation_id = $2 \
                ORDER BY created_at, answers, is_reply, order_index";
            let rows: Vec<LineRow> = on!(self.reader(), db => {
                sqlx::query_as(IN_ORDER).bind(business.0).bind(conversation).fetch_all(db).await
            })?;
            rows.into_iter().map(TranscriptLine::try_from).collect()
        })
    }

    fn turns(
        &self,
        business: BusinessId,
        conversation: i64,
        after: Option<i64>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<StoredTurn>> {
        self.answer(self.read_turns(business, conversation, after, limit))
    }

    fn turn(&self, business: BusinessId, conversation: i64, key: RowKey) -> StoreFuture<'_, Option<StoredTurn>> {
        self.answer(self.read_turn(business, conversation, key))
    }

    fn calls(&self, business: BusinessId, listing: Listing) -> StoreFuture<'_, Vec<CallSession>> {
        self.answer(async move {
            const NEWEST: &str = call_where!(listed!("s", "created_at"));
            let Some(agent) = self.agent_of(business, &listing).await? else { return Ok(Vec::new()) };
            let rows: Vec<CallRow> =
                on!(self.reader(), db => list!(NEWEST, business, listing, agent).fetch_all(db).await)?;
            Ok(rows.into_iter().map(CallSession::from).collect())
        })
    }

    fn call(&self, business: BusinessId, key: RowKey) -> StoreFuture<'_, Option<CallSession>> {
        self.answer(async move {
            const BY_ID: &str = call_where!("s.id = $2");
            const BY_UUID: &str = call_where!(concat!("s.id = ", call_by_uuid!()));
            const BY_NAME: &str = call_where!(concat!("s.id = ", call_by_name!()));
            let row: Option<CallRow> = by_key!(self.reader(), business, key, BY_ID, BY_UUID, BY_NAME)?;
            Ok(row.map(CallSession::from))
        })
    }

    fn events(&self, business: BusinessId, call: i64) -> StoreFuture<'_, Vec<StoredEvent>> {
        self.answer(async move {
            const IN_ORDER: &str = "SELECT t_ms, kind, data FROM call_events \
                WHERE business_id = $1 AND call_session_id = $2 ORDER BY t_ms, id";
            let rows: Vec<EventRow> = on!(self.reader(), db => {
                sqlx::query_as(IN_ORDER).bind(business.0).bind(call).fetch_all(db).await
            })?;
            let event = |row: EventRow| StoredEvent { t_ms: row.t_ms, kind: row.kind, data: row.data.0 };
            Ok(rows.into_iter().map(event).collect())
        })
    }

    fn talk_events(&self, business: BusinessId, conversation: i64) -> StoreFuture<'_, Vec<StoredEvent>> {
        self.answer(async move {
            const IN_ORDER: &str = "SELECT t_ms, kind, data FROM talk_events \
                WHERE business_id = $1 AND conversation_id = $2 ORDER BY t_ms, id";
            let rows: Vec<EventRow> = on!(self.reader(), db => {
                sqlx::query_as(IN_ORDER).bind(business.0).bind(conversation).fetch_all(db).await
            })?;
            let event = |row: EventRow| StoredEvent { t_ms: row.t_ms, kind: row.kind, data: row.data.0 };
            Ok(rows.into_iter().map(event).collect())
        })
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        self.answer(async move {
            on!(self.reader(), db => sqlx::query("SELECT 1").execute(db).await.map(drop))?;
            Ok(())
        })
    }
}
