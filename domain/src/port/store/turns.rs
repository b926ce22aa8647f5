//! A conversation by its caller's turns, each with what the agent answered (api-inventory E31 to E34).

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

/// A stored turn of the caller.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoredTurn {
    /// Row number.
    pub id: i64,
    /// Public id.
    pub uuid: Uuid,
    /// Row number of the conversation.
    pub conversation_id: i64,
    /// Place among the caller's turns, from 1.
    pub order_index: i64,
    /// What was said.
    pub transcript: String,
    /// Language tag, where the recogniser tells.
    pub detected_language: Option<String>,
    /// Engine that heard it.
    pub stt_provider: String,
    /// 0 to 1.
    pub stt_confidence: Option<f64>,
    /// When the caller began to speak.
    pub created_at: DateTime<Utc>,
    /// The answers, in the order they were spoken. More than one where the caller interrupted the first.
    pub agent_responses: Vec<StoredResponse>,
}

/// A stored answer of the agent. The opening and reprompts answer no turn: they are in the transcript alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoredResponse {
    /// Row number.
    pub id: i64,
    /// Public id.
    pub uuid: Uuid,
    /// Place among the agent's utterances, from 1.
    pub order_index: i64,
    /// What the caller heard.
    pub response_text: String,
    /// What was meant to be said, where that was more.
    pub intended_text: Option<String>,
    /// Cut short.
    pub interrupted: bool,
    /// Brain that wrote it.
    pub llm_provider: String,
    /// Engine that spoke it.
    pub tts_provider: String,
    /// Its voice; empty for the engine's own choice.
    pub voice_id: String,
    /// Language tag.
    pub language: Option<String>,
    /// End of the caller's speech to first audio, in ms.
    pub latency_ms: Option<i64>,
    /// Parts of the latency in ms, by stage name.
    pub stages: Option<serde_json::Value>,
    /// When its first sample was sent.
    pub created_at: DateTime<Utc>,
}
