//! Where everything is kept. Methods are whole transactions and take the tenant; a foreign id is simply not there.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::agent::Agent;
use crate::caller::KnownCaller;
use crate::ids::{BusinessId, LifeId};
use crate::record::Record;
use crate::transcript::Role;

mod agents;
mod audit;
mod businesses;
mod limits;
mod listing;
mod numbers;
mod outbox;
mod turns;

pub use agents::{AgentBook, AgentRecord, Change, Kept, KeptVersion, MOST_VERSIONS};
pub use audit::AuditEntry;
pub use businesses::{Business, BusinessBook, KeptBusiness};
pub use limits::{BusinessLimits, KeptLimits, LimitBook, LimitStore, StoredLimits, Unlimited};
pub use listing::Listing;
pub use numbers::{KeptNumber, NoNumbers, NumberBook, NumberRoutes, PhoneNumber, Route};
pub use outbox::{AgentOutbox, Delivery, Settled};
pub use turns::{StoredResponse, StoredTurn};

/// What a store method returns.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Why the store could not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database does not answer, or not in time.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The database refused the statement: our fault.
    #[error("the database refused: {0}")]
    Refused(String),
    /// A row holds what our version cannot read.
    #[error("stored row is not readable: {0}")]
    Unreadable(String),
}

/// A path segment that names a row: whole number, UUID, or the resource's own key (a carrier's call id, an agent's name).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RowKey {
    /// Row number.
    Number(i64),
    /// Public id.
    Uuid(Uuid),
    /// The resource's own key.
    Name(String),
}

impl RowKey {
    /// Reads a path segment; total.
    pub fn parse(text: &str) -> Self {
        if let Ok(number) = text.parse() {
            return Self::Number(number);
        }
        match text.parse() {
            Ok(uuid) => Self::Uuid(uuid),
            Err(_) => Self::Name(text.to_owned()),
        }
    }
}

/// Agents, as calls need them.
pub trait AgentStore: Send + Sync {
    /// The agent of that number, UUID or name (case-insensitive); `None` if the business has none such.
    fn agent(&self, business: BusinessId, key: RowKey) -> StoreFuture<'_, Option<Agent>>;
}

/// Who has called before.
pub trait CallerHistory: Send + Sync {
    /// What earlier calls with this number left behind, whichever side dialled; `None` for a number that this business never spoke with.
    fn known_caller(&self, business: BusinessId, number: &str) -> StoreFuture<'_, Option<KnownCaller>>;
}

/// The write side of calls.
pub trait CallLog: Send + Sync {
    /// Applies the records in order, in one transaction. Applying a record twice changes nothing.
    fn write(&self, records: Vec<Record>) -> StoreFuture<'_, ()>;
}

/// The read side of conversations.
pub trait ConversationStore: Send + Sync {
    /// Newest first. `status` is the conversation's; it began at `started_at`.
    fn conversations(&self, business: BusinessId, listing: Listing) -> StoreFuture<'_, Vec<Conversation>>;

    /// One conversation, by number or UUID of the conversation, or by number-free keys of its call (call UUID, carrier's call id).
    fn conversation(&self, business: BusinessId, key: RowKey) -> StoreFuture<'_, Option<Conversation>>;

    /// Its lines in the order they were spoken.
    fn transcript(&self, business: BusinessId, conversation: i64) -> StoreFuture<'_, Vec<TranscriptLine>>;

    /// The caller's turns in the order they were spoken, with their answers. `after` is the place (`order_index`) of the last one seen;
    /// `limit` at least 1.
    fn turns(
        &self,
        business: BusinessId,
        conversation: i64,
        after: Option<i64>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<StoredTurn>>;

    /// One turn of a conversation, by its row number or UUID.
    fn turn(&self, business: BusinessId, conversation: i64, key: RowKey) -> StoreFuture<'_, Option<StoredTurn>>;

    /// Newest first. `status` is the call's; it began at `created_at`.
    fn calls(&self, business: BusinessId, listing: Listing) -> StoreFuture<'_, Vec<CallSession>>;

    /// One call session by number, UUID or the carrier's call id (R14).
    fn call(&self, business: BusinessId, key: RowKey) -> StoreFuture<'_, Option<CallSession>>;

    /// The timeline of a call, oldest first.
    fn events(&self, business: BusinessId, call: i64) -> StoreFuture<'_, Vec<StoredEvent>>;

    /// The timeline of a talk in the browser, oldest first: it has a conversation and no call session.
    fn talk_events(&self, business: BusinessId, conversation: i64) -> StoreFuture<'_, Vec<StoredEvent>>;

    /// Whether the store answers at all.
    fn ping(&self) -> StoreFuture<'_, ()>;
}

/// A stored conversation, in the shape of the interface.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Conversation {
    /// Row number.
    pub id: i64,
    /// Public id.
    pub uuid: Uuid,
    /// Row number of its call session; `None` for a browser talk.
    pub call_session_id: Option<i64>,
    /// Agent's name; `None` if none answered.
    pub agent_name: Option<String>,
    /// The version of the agent that it has from its beginning to its end.
    pub agent_version: Option<i64>,
    /// `active` or `ended`.
    pub status: String,
    /// `inbound` or `outbound`.
    pub direction: String,
    /// Language of the caller.
    pub detected_language: Option<String>,
    /// Conversation stage.
    pub stage: String,
    /// The last decision.
    pub final_outcome: Option<String>,
    /// Whether the lead is qualified; `None` while nobody knows.
    pub lead_qualified: Option<bool>,
    /// The slots.
    pub extracted_data: serde_json::Value,
    /// Why the call ended.
    pub ended_reason: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Device, channel and the like.
    pub metadata: serde_json::Value,
}

/// A stored call session.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallSession {
    /// Row number.
    pub id: i64,
    /// Public id.
    pub uuid: Uuid,
    /// The carrier's id of the call.
    pub call_sid: String,
    /// Row number of its conversation.
    pub conversation_id: Option<i64>,
    /// Agent's row number.
    pub agent_id: Option<i64>,
    /// The version of the agent that it has from its beginning to its end.
    pub agent_version: Option<i64>,
    /// Carrier.
    pub provider: String,
    /// `inbound` or `outbound`.
    pub direction: String,
    /// Calling number.
    pub from_number: Option<String>,
    /// Dialled number.
    pub to_number: Option<String>,
    /// What has become of it, such as `ringing` or `completed`.
    pub status: String,
    /// Why it ended.
    pub ended_reason: Option<String>,
    /// Whole seconds.
    pub duration_seconds: Option<i64>,
    /// Where its recording is served; `None` while there is none.
    pub recording_url: Option<String>,
    /// When audio began to flow.
    pub answered_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

/// One line of a stored transcript.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TranscriptLine {
    /// Who said it.
    pub role: Role,
    /// For the agent: what was heard.
    pub text: String,
    /// What the agent meant to say, where that was more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intended_text: Option<String>,
    /// Cut short.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// Language tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// End of the caller's speech to first audio, in ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<i64>,
    /// Parts of the latency in ms, by stage name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stages: Option<serde_json::Value>,
    /// When the line began.
    pub created_at: DateTime<Utc>,
}

/// One stored timeline entry.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoredEvent {
    /// Milliseconds since the call began.
    pub t_ms: i64,
    /// What happened.
    pub kind: String,
    /// Details.
    pub data: serde_json::Value,
}

/// The lives of this program's processes, and the calls that a life leaves open when it ends without a word.
///
/// Not bound to a business: a process serves all of them.
pub trait LifeStore: Send + Sync {
    /// Says that `life` is alive now; the first time, that it exists.
    fn beat(&self, life: LifeId) -> StoreFuture<'_, ()>;

    /// Closes the calls that `life` left open (`server_restarted`), for it is certainly over, and forgets it. Returns how many those were.
    fn bury(&self, life: LifeId) -> StoreFuture<'_, u32>;

    /// Closes the calls of every life that has given no sign for `silence` (`server_lost`), by the database's own clock, and forgets those
    /// lives; then those of no known life that are older than any call may be. Returns how many calls those were.
    fn bury_silent(&self, silence: Duration) -> StoreFuture<'_, u32>;
}
