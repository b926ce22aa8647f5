//! Typed identifiers. A row has a whole-number `id` and a UUIDv7 (api-inventory R2); inside the switch a call is known by its UUID alone.
//!
//! Nothing here makes an id: randomness and time come in by argument, so a run can be repeated.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

uuid_id! {
    /// One call: a far end connected to us, from arrival to its end.
    CallId
}
uuid_id! {
    /// One conversation: what was said in a call or a browser talk.
    ConversationId
}
uuid_id! {
    /// One life of one process of this program, from its start to its end: whose calls are open when it dies is known by it.
    LifeId
}

/// The owner of a row. Every port method that touches owned data takes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BusinessId(pub i64);

impl BusinessId {
    /// The business that exists before anybody has set one up; migrations create its row.
    pub const FIRST: BusinessId = BusinessId(1);
}

/// Row number of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AgentId(pub i64);

/// One go of the caller, counted from 1 within a call. `TurnId(0)` stands for the opening, which answers nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TurnId(pub u32);

/// One stretch of agent speech, counted from 1 within a call. A reply of several sentences is one utterance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UtteranceId(pub u32);
