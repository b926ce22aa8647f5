//! "An agent was saved": what a provider hears that keeps something of an agent on its own side, such as a cache of its spoken lines or a
//! configuration at a speech-to-speech vendor (api-inventory section 3: made with the agent, and anew where its prompt changes).
//!
//! ```text
//! save ─┬─ agent, version, audit ─┐
//!       └─ outbox ────────────────┴─ one transaction        later, elsewhere: outbox ─► deliverer ─► AgentSaved::saved ─► settled
//! ```
//!
//! Saving waits for nobody, and nobody misses a save: what is in the outbox outlives the process. Each version that became live is told to each
//! listener, an agent's versions one after the other and in order. Between a listener's work and the note that it is done lies a moment in which
//! a process can die; the version is then told again, under the same [`SavedAgent::key`]. So a listener whose work must not happen twice hands
//! the key on to its vendor, or asks there first.
//!
//! Not here: the rows ([`crate::port::store::AgentOutbox`]), and when to try again, which is the deliverer's.

use std::future::Future;
use std::pin::Pin;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::agent::Identity;
use crate::agent_settings::AgentSettings;
use crate::agent_version::VersionNumber;

/// A version of an agent that became live.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedAgent {
    /// The same whenever this version is told, and of no other.
    pub key: Uuid,
    /// Whose version.
    pub identity: Identity,
    /// Its number. By the time it is told, a newer one may be live; that one is told next.
    pub version: VersionNumber,
    /// What it has set.
    pub settings: AgentSettings,
    /// When it was saved.
    pub at: DateTime<Utc>,
}

/// What a listener answers.
pub type Hearing<'a> = Pin<Box<dyn Future<Output = Result<(), AgentSavedError>> + Send + 'a>>;

/// A provider that wants to know of saved agents.
pub trait AgentSaved: Send + Sync {
    /// Its name in rows, logs and metrics: lower case, and never another, or what it was told is told again.
    fn name(&self) -> &'static str;

    /// Takes a version in. Dropping the result gives the attempt up, which happens when it takes too long for the deliverer and when the process
    /// ends; the version is then told again.
    fn saved<'a>(&'a self, agent: &'a SavedAgent) -> Hearing<'a>;
}

/// Why a listener did not take a version in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgentSavedError {
    /// Not now: it is told again later, and before the agent's next version.
    #[error("not taken for now: {0}")]
    Away(String),
    /// It never will: it is not told again, and the agent's next version is.
    #[error("refused: {0}")]
    Refused(String),
}
