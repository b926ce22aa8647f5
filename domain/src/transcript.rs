//! The conversation as it was heard: who said what, when.

use serde::{Deserialize, Serialize};

/// Who said a line. Stored and returned in lower case (api-inventory section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The caller.
    User,
    /// The agent.
    Agent,
    /// Neither: something that the agent was told about the conversation. Never part of a stored transcript.
    System,
}

/// One line of the conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Who said it.
    pub role: Role,
    /// For the agent: what the caller heard, which after an interruption is less than what was meant.
    pub text: String,
}
