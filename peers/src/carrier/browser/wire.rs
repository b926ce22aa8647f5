//! What the switch writes to a page, as types that take nothing else; and every way to break them.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

/// What a page cannot make sense of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// No event of the socket, or not as its types have it.
    #[error("not an event that a client knows: {why}")]
    NotAnEvent {
        /// Why.
        why: String,
    },
    /// Pages take text.
    #[error("binary frame of {bytes} bytes")]
    Binary {
        /// Its size.
        bytes: usize,
    },
    /// The client waits for metadata and takes the first event for it.
    #[error("an event before the metadata")]
    BeforeMetadata,
    /// The client reads metadata once.
    #[error("metadata twice")]
    SecondMetadata,
    /// Metadata that a client cannot use.
    #[error("metadata: {why}")]
    Metadata {
        /// Why.
        why: String,
    },
    /// Audio that is none.
    #[error("audio payload: {why}")]
    Payload {
        /// Why.
        why: String,
    },
    /// The client keeps it for a loudspeaker that never comes.
    #[error("audio for a page that reads")]
    AudioForAReader,
    /// Clients drop it: its id is not above the last interruption's.
    #[error("audio {event_id} belongs to what was interrupted")]
    AudioOfTheInterrupted {
        /// Its id.
        event_id: u64,
    },
    /// Ids of audio never fall.
    #[error("audio {event_id} after a greater id")]
    AudioOutOfOrder {
        /// Its id.
        event_id: u64,
    },
    /// More audio than an interruption can still undo.
    #[error("{:.1} s of audio wait at the page", .waiting.as_secs_f64())]
    Overflow {
        /// How much.
        waiting: Duration,
    },
    /// Clients would go on playing: the id is not above that of the audio.
    #[error("interruption {event_id} interrupts nothing")]
    InterruptsNothing {
        /// Its id.
        event_id: u64,
    },
    /// Words that do not fit what was shown before.
    #[error("{what}, event {event_id}")]
    Words {
        /// What is wrong.
        what: &'static str,
        /// Whose words.
        event_id: u64,
    },
    /// A score that is none, or too many of them.
    #[error("score of speech: {why}")]
    Score {
        /// Why.
        why: String,
    },
    /// Parts of a latency that do not add up to it.
    #[error("latency of {total_ms} ms is made of {parts_ms} ms")]
    Latency {
        /// The whole.
        total_ms: u64,
        /// The sum.
        parts_ms: u64,
    },
    /// A tool's call that is there twice, or was never made.
    #[error("tool call {id}: {why}")]
    Tool {
        /// Which.
        id: String,
        /// Why.
        why: &'static str,
    },
    /// The talk had ended.
    #[error("an event after conversation_ended")]
    AfterEnd,
}

/// An event, named by its `type`.
#[derive(Debug, PartialEq)]
pub(super) enum FromSwitch {
    ConversationInitiationMetadata(Metadata),
    Audio(Audio),
    Interruption(Id),
    Ping(Ping),
    UserTranscript(Transcript),
    TentativeUserTranscript(Transcript),
    AgentResponse(Response),
    AgentChatResponsePart(Part),
    AgentResponseCorrection(Correction),
    VadScore(Score),
    TurnLatency(Latency),
    ClientToolCall(ToolCall),
    AgentToolResponse(ToolResponse),
    ConversationEnded(Ended),
}

impl FromSwitch {
    pub(super) fn parse(text: &str) -> Result<Self, Violation> {
        let not = |why: String| Violation::NotAnEvent { why };
        let mut event: Map<String, Value> = serde_json::from_str(text).map_err(|error| not(error.to_string()))?;
        let kind = match event.remove("type") {
            Some(Value::String(kind)) => kind,
            _ => return Err(not("it has no type".to_owned())),
        };
        let mut payload = |member: &str| {
            let payload = event.remove(member).ok_or_else(|| not(format!("{kind} without {member}")))?;
            match event.keys().next() {
                Some(other) => Err(not(format!("{kind} with an unknown field {other}"))),
                None => Ok(payload),
            }
        };
        macro_rules! read {
            ($variant:ident, $member:literal) => {
                serde_json::from_value(payload($member)?)
                    .map(Self::$variant)
                    .map_err(|error| not(format!("{kind}: {error}")))
            };
        }
        match kind.as_str() {
            "conversation_initiation_metadata" => {
                read!(ConversationInitiationMetadata, "conversation_initiation_metadata_event")
            }
            "audio" => read!(Audio, "audio_event"),
            "interruption" => read!(Interruption, "interruption_event"),
            "ping" => read!(Ping, "ping_event"),
            "user_transcript" => read!(UserTranscript, "user_transcription_event"),
            "tentative_user_transcript" => read!(TentativeUserTranscript, "tentative_user_transcription_event"),
            "agent_response" => read!(AgentResponse, "agent_response_event"),
            "agent_chat_response_part" => read!(AgentChatResponsePart, "text_response_part"),
            "agent_response_correction" => read!(AgentResponseCorrection, "agent_response_correction_event"),
            "vad_score" => read!(VadScore, "vad_score_event"),
            "turn_latency" => read!(TurnLatency, "turn_latency_event"),
            "client_tool_call" => read!(ClientToolCall, "client_tool_call"),
            "agent_tool_response" => read!(AgentToolResponse, "agent_tool_response"),
            "conversation_ended" => read!(ConversationEnded, "conversation_ended_event"),
            other => Err(not(format!("unknown type {other}"))),
        }
    }
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Metadata {
    conversation_id: String,
    agent_output_audio_format: String,
    user_input_audio_format: String,
}

impl Metadata {
    /// The conversation's id, if all of it can be used.
    pub(super) fn checked(self) -> Result<String, Violation> {
        for format in [&self.agent_output_audio_format, &self.user_input_audio_format] {
            if format != "pcm_16000" {
                return Err(Violation::Metadata { why: format!("audio format {format}") });
            }
        }
        match self.conversation_id {
            id if id.is_empty() => Err(Violation::Metadata { why: "no conversation_id".to_owned() }),
            id => Ok(id),
        }
    }
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Audio {
    pub(super) audio_base_64: String,
    pub(super) event_id: u64,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Id {
    pub(super) event_id: u64,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ping {
    pub(super) event_id: u64,
    /// `null` until something was measured.
    #[serde(rename = "ping_ms")]
    _ping_ms: Option<u64>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Transcript {
    pub(super) user_transcript: String,
    pub(super) event_id: u64,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Response {
    pub(super) agent_response: String,
    pub(super) event_id: u64,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    pub(super) text: String,
    #[serde(rename = "type")]
    pub(super) kind: PartKind,
    pub(super) event_id: u64,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum PartKind {
    Start,
    Delta,
    Stop,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Correction {
    pub(super) original_agent_response: String,
    pub(super) corrected_agent_response: String,
    pub(super) event_id: u64,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Score {
    pub(super) vad_score: f64,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Latency {
    pub(super) event_id: u64,
    pub(super) total_ms: u64,
    pub(super) stages: Stages,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stages {
    endpointing: u64,
    stt: u64,
    /// Of an answer that began with a filler, `filler` stands in its place.
    #[serde(default)]
    brain: u64,
    #[serde(default)]
    filler: u64,
    tts: u64,
}

impl Stages {
    pub(super) fn sum(&self) -> u64 {
        self.endpointing + self.stt + self.brain + self.filler + self.tts
    }
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToolCall {
    pub(super) tool_name: String,
    pub(super) tool_call_id: String,
    #[serde(rename = "parameters")]
    _parameters: Map<String, Value>,
    #[serde(rename = "event_id")]
    _event_id: u64,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToolResponse {
    pub(super) tool_name: String,
    pub(super) tool_call_id: String,
    pub(super) tool_type: String,
    pub(super) is_error: bool,
    #[serde(rename = "is_called")]
    _is_called: bool,
    #[serde(rename = "event_id")]
    _event_id: u64,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ended {
    pub(super) reason: String,
}
