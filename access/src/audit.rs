//! The record of a change: who, when, from where, what, and what it was before.
//!
//! A record is data, written by the store in the transaction that makes the change, so that there is none without the other. It is
//! made here and nowhere else, because here secrets are masked ([`mask`]) and sizes bounded: what is once in the log stays there.
//!
//! ```json
//! {"action":"updated","at":"2027-01-15T08:00:00Z","business":7,
//!  "changes":[{"after":"***","at":"/carrier/auth_token","before":"***"},{"after":30,"at":"/max_minutes","before":20}],
//!  "from":{"address":"192.0.2.1","agent":"curl/8.5.0"},"resource":{"id":"12","kind":"agent"},"who":{"id":17,"kind":"user"}}
//! ```
//!
//! The text form is canonical ([`Record::canonical`]): equal records are equal bytes, so they can be hashed, compared and exported.
//! Not here: what was said in calls, which is the conversations' own record; reading and showing, which are the interface's.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::AuditEntry;

use crate::account::UserId;
use crate::api_key::KeyId;
use crate::policy::Principal;

mod canonical;
mod diff;
pub mod mask;

pub use canonical::canonical;
pub use diff::{Change, Changes, MAX_CHANGES, MAX_VALUE_BYTES, changes};

/// The most characters that are kept of a text that a client chose (its `User-Agent`, its request's id).
pub const MAX_CLIENT_CHARS: usize = 200;

/// Who made a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Who {
    /// A person.
    User {
        /// Which.
        id: UserId,
    },
    /// A program with a key.
    Key {
        /// Which.
        id: KeyId,
    },
    /// Whoever had the set-up link.
    SetupLink,
    /// The command line.
    Cli {
        /// The account of the machine that it ran under, as far as it is known.
        account: Option<String>,
    },
    /// A program of this machine, while there was no administrator.
    Local,
    /// Ourselves: retention, a carrier's callback, an expiry.
    System {
        /// Which part.
        part: String,
    },
    /// Nobody who is known: a log-in that failed.
    Unknown,
}

impl From<&Principal> for Who {
    fn from(principal: &Principal) -> Self {
        match principal {
            Principal::User { user, .. } => Self::User { id: *user },
            Principal::Key { key, .. } => Self::Key { id: *key },
            Principal::Local => Self::Local,
            Principal::Cli { .. } => Self::Cli { account: None },
        }
    }
}

/// Where a request came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The client's address, as far as a trusted proxy or the socket tells.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<IpAddr>,
    /// What the client says that it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub agent: Option<String>,
    /// The request's id, to find it in the log.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request: Option<String>,
}

impl Origin {
    /// Texts are cut to [`MAX_CLIENT_CHARS`], control characters go: the client chose them, and a log is shown on terminals.
    pub fn new(address: Option<IpAddr>, agent: Option<&str>, request: Option<&str>) -> Self {
        let tame = |text: &str| text.chars().filter(|c| !c.is_control()).take(MAX_CLIENT_CHARS).collect();
        Self { address, agent: agent.map(tame), request: request.map(tame) }
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A row is new.
    Created,
    /// A row is another.
    Updated,
    /// A row is gone.
    Deleted,
    /// A draft became what callers hear.
    Published,
    /// An earlier version became it again.
    RolledBack,
    /// A key, a session or a link was ended.
    Revoked,
    /// The first administrator was made.
    SetUp,
    /// A log-in.
    LoggedIn,
    /// A log-in with a wrong password, or one that had to wait.
    LogInRefused,
    /// A log-out.
    LoggedOut,
    /// A refresh token came twice, and its session was ended.
    RefreshReused,
    /// Data was taken out in bulk.
    Exported,
    /// Data was deleted for good.
    Erased,
}

/// What it was done to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// The kind, as in the path: `agent`, `user`, `api_key`, `phone_number`.
    pub kind: String,
    /// Its id, as the interface shows it.
    pub id: String,
}

/// One change, ready to be stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When.
    pub at: DateTime<Utc>,
    /// Whose row.
    pub business: BusinessId,
    /// By whom.
    pub who: Who,
    /// From where.
    pub from: Origin,
    /// What was done.
    pub action: Action,
    /// To what.
    pub resource: Resource,
    /// What is different, secrets masked.
    #[serde(flatten)]
    pub changes: Changes,
}

impl Record {
    /// The record as canonical JSON: what is stored, and what may be hashed.
    pub fn canonical(&self) -> String {
        let value = serde_json::to_value(self).expect("a record's keys are texts and its numbers finite");
        canonical(&value)
    }

    /// Reads a stored record.
    ///
    /// # Errors
    ///
    /// If the text is no record, say of a later version with another action.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

/// Where the record of a failed log-in says how many there were since the one before, which have none.
const UNRECORDED: &str = "/unrecorded";

impl Changes {
    /// Of a failed log-in: how many before it have no record of their own ([`crate::lockout::Recorded`]).
    pub fn after_unrecorded(failures: u32) -> Self {
        let told =
            (failures > 0).then(|| Change { at: UNRECORDED.to_owned(), before: None, after: Some(failures.into()) });
        Self { list: told.into_iter().collect(), left_off: 0 }
    }

    /// What [`Self::after_unrecorded`] says; 0 for every other record.
    pub fn unrecorded(&self) -> u32 {
        let told = self.list.iter().find(|change| change.at == UNRECORDED).and_then(|change| change.after.as_ref());
        told.and_then(Value::as_u64).map_or(0, |failures| u32::try_from(failures).unwrap_or(u32::MAX))
    }
}

impl From<&Record> for AuditEntry {
    fn from(record: &Record) -> Self {
        let action = serde_json::to_value(record.action).ok().and_then(|name| name.as_str().map(str::to_owned));
        Self {
            at: record.at,
            business: record.business,
            action: action.expect("an action is written as its name"),
            resource_kind: record.resource.kind.clone(),
            resource_id: record.resource.id.clone(),
            record: record.canonical(),
        }
    }
}

/// The JSON of a row for [`changes`]; what a type does not serialise (a [`crate::secret::Secret`]) is not in it to begin with.
///
/// # Errors
///
/// If the type has keys that are no texts.
pub fn as_json(row: &impl Serialize) -> Result<Value, serde_json::Error> {
    serde_json::to_value(row)
}

#[cfg(test)]
mod tests;
