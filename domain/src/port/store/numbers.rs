//! The telephone numbers of a business, each with the agent that answers it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{Change, RowKey, StoreFuture};
use crate::ids::{AgentId, BusinessId};
use crate::number::Number;
use crate::phone_number::NumberSettings;

/// A telephone number of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PhoneNumber {
    /// Row number.
    pub id: i64,
    /// Public id.
    pub uuid: Uuid,
    /// In E.164, such as `+918047112233`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub number: Number,
    /// What it is used for, in the user's own word.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether calls to it are answered.
    pub active: bool,
    /// Row number of the agent that answers; `null` leaves it to `NUMBER_AGENTS` and `DEFAULT_AGENT`.
    pub agent_id: Option<i64>,
    /// The agent's name.
    pub agent_name: Option<String>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Counts every change.
    #[serde(skip)]
    pub revision: i64,
}

/// Who answers a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Whether anybody does.
    pub active: bool,
    /// The agent, if it has one that is still there.
    pub agent: Option<AgentId>,
}

/// Numbers, as calls need them.
pub trait NumberRoutes: Send + Sync {
    /// Who answers that number; `None` if the business has no such number.
    fn route(&self, business: BusinessId, number: Number) -> StoreFuture<'_, Option<Route>>;
}

/// A store without numbers: for switches whose agents are named otherwise.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoNumbers;

impl NumberRoutes for NoNumbers {
    fn route(&self, _: BusinessId, _: Number) -> StoreFuture<'_, Option<Route>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}

/// What became of a change of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptNumber {
    /// It is kept; the row as it is now, or as it last was.
    Done(Box<PhoneNumber>),
    /// The row is not what was seen: read it again.
    Raced,
    /// The business has this number already.
    Taken,
    /// The agent is gone.
    NoAgent,
}

/// Numbers, for who edits them. A change is kept only if the row still has the revision that was seen.
pub trait NumberBook: Send + Sync {
    /// Numbers of a business, oldest first, from after a row on; those of one agent, or all.
    fn numbers(
        &self,
        business: BusinessId,
        agent: Option<AgentId>,
        after: Option<i64>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<PhoneNumber>>;

    /// One by its row number, its UUID or itself (E.164).
    fn number(&self, business: BusinessId, key: RowKey) -> StoreFuture<'_, Option<PhoneNumber>>;

    /// A new one.
    fn add_number(
        &self,
        business: BusinessId,
        uuid: Uuid,
        number: Number,
        settings: NumberSettings,
        change: Change,
    ) -> StoreFuture<'_, KeptNumber>;

    /// Another agent, use or state.
    fn change_number(
        &self,
        business: BusinessId,
        seen: PhoneNumber,
        settings: NumberSettings,
        change: Change,
    ) -> StoreFuture<'_, KeptNumber>;

    /// Its end: calls to it are answered as those to any number that nobody added.
    fn remove_number(&self, business: BusinessId, seen: PhoneNumber, change: Change) -> StoreFuture<'_, KeptNumber>;
}
