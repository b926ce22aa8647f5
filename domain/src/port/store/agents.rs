//! Agents as their editors need them: records with versions and a draft, kept by comparing what was seen.
//!
//! ```text
//! read AgentRecord ─► decide (agent_version, etag) ─► save(seen, next) ─► Kept::Done
//!        ▲                                                 │
//!        └──────────────── Kept::Raced: somebody was faster┘
//! ```
//!
//! Decisions are not made in a transaction but on what was read, and the store keeps a change only if the record still has the revision that was
//! seen. So two editors at once lose nothing, and whoever decides knows no SQL.

use chrono::{DateTime, Utc};

use super::{AuditEntry, RowKey, StoreFuture};
use crate::agent::Identity;
use crate::agent_settings::AgentSettings;
use crate::agent_version::{Draft, Version, VersionNumber};
use crate::ids::{AgentId, BusinessId};

/// Versions of one agent that are kept: the oldest of more are forgotten.
pub const MOST_VERSIONS: u32 = 200;

/// An agent as its editors see it.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentRecord {
    /// Which.
    pub identity: Identity,
    /// What callers meet.
    pub live: VersionNumber,
    /// Its settings.
    pub settings: AgentSettings,
    /// What is being written.
    pub draft: Option<Draft>,
    /// Counts every change that was kept, of the draft too.
    pub revision: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed; a draft is no change of it.
    pub updated_at: DateTime<Utc>,
}

/// A version as the history shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptVersion {
    /// The version.
    pub version: Version,
    /// Who made it, such as `user:17`; empty where that is not known.
    pub changed_by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Who makes a change, when, and the record of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Such as `user:17`.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Written in the same transaction.
    pub audit: AuditEntry,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq)]
pub enum Kept {
    /// It is kept; the record as it is now.
    Done(Box<AgentRecord>),
    /// The record is not what was seen: read it again.
    Raced,
    /// Another agent of the business has this name.
    NameTaken,
}

/// Agents, their versions and drafts.
pub trait AgentBook: Send + Sync {
    /// Agents of a business, oldest first, from after a row on.
    fn agents(&self, business: BusinessId, after: Option<AgentId>, limit: u32) -> StoreFuture<'_, Vec<AgentRecord>>;

    /// One agent by number, UUID or name.
    fn agent_record(&self, business: BusinessId, key: RowKey) -> StoreFuture<'_, Option<AgentRecord>>;

    /// A new agent with its first version.
    fn create_agent(
        &self,
        business: BusinessId,
        uuid: uuid::Uuid,
        first: Version,
        change: Change,
    ) -> StoreFuture<'_, Kept>;

    /// The next version, of which callers meet the first word from now on. A draft from which it was published is gone.
    fn save_agent(&self, seen: AgentRecord, next: Version, change: Change) -> StoreFuture<'_, Kept>;

    /// Another draft, or none.
    fn save_draft(&self, seen: AgentRecord, draft: Option<Draft>, change: Change) -> StoreFuture<'_, Kept>;

    /// The end of an agent: calls find it no more, those that it answered keep it, its name is free. [`Kept::Done`] has it as it last was.
    fn delete_agent(&self, seen: AgentRecord, change: Change) -> StoreFuture<'_, Kept>;

    /// Versions of an agent, newest first, from before a number on. An agent that was never changed has its live one alone.
    fn versions(&self, agent: Identity, before: Option<VersionNumber>, limit: u32)
    -> StoreFuture<'_, Vec<KeptVersion>>;

    /// One version of an agent.
    fn version(&self, agent: Identity, number: VersionNumber) -> StoreFuture<'_, Option<KeptVersion>>;
}
