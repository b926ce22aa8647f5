//! What a client writes, as types; and the one rule for reading them.
//!
//! Audio comes forty times a second and is the only message without a `type`: it is read in one go and borrows from the message. All others
//! are read twice, first for their `type`.
//!
//! Not bounded here: depth. `serde_json` gives up at 128 levels where it builds a value, and skips unread fields without recursion; the
//! length of a message is bounded before it is read.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) use crate::carrier::message::{quote, read};

/// A string that borrows from the message where it can. `Option<Cow<str>>` alone would always copy.
#[derive(Debug, Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// What tells the messages apart.
#[derive(Debug, Deserialize)]
pub(super) struct Head<'a> {
    /// Missing from audio alone.
    #[serde(rename = "type", borrow)]
    pub(super) kind: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) user_audio_chunk: Option<Text<'a>>,
}

/// `pong`: answers a `ping`.
#[derive(Debug, Deserialize)]
pub(super) struct Pong {
    pub(super) event_id: u64,
}

/// `user_message`; `contextual_update` has the same member, and never leaves it out.
#[derive(Debug, Deserialize)]
pub(super) struct Message {
    pub(super) text: Option<String>,
}

/// `multimodal_message`: files, which we do not take, and perhaps words.
#[derive(Debug, Deserialize)]
pub(super) struct Multimodal {
    pub(super) text: Option<Message>,
}

/// `client_tool_result`.
#[derive(Debug, Deserialize)]
pub(super) struct ToolResult {
    pub(super) tool_call_id: String,
    /// The public client sends text; others send whatever their tool gave.
    #[serde(default)]
    pub(super) result: Value,
    #[serde(default)]
    pub(super) is_error: bool,
}

/// `conversation_initiation_client_data`. What has no use here (models, mocks) is not read.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ClientData {
    #[serde(default)]
    pub(super) conversation_config_override: Option<Overrides>,
    #[serde(default)]
    pub(super) dynamic_variables: Option<Map<String, Value>>,
    #[serde(default)]
    pub(super) user_id: Option<String>,
}

/// What a client wants to choose of the agent.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Overrides {
    #[serde(default)]
    pub(super) agent: Option<Map<String, Value>>,
    #[serde(default)]
    pub(super) tts: Option<Map<String, Value>>,
    #[serde(default)]
    pub(super) asr: Option<Map<String, Value>>,
    #[serde(default)]
    pub(super) conversation: Option<Conversation>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Conversation {
    #[serde(default)]
    pub(super) text_only: Option<bool>,
}
