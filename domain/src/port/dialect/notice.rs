//! What a far end with a screen may show while it talks: words, corrections, times.
//!
//! Place:   made by the call core, the ingress pump and the round-trip clock; written by the egress pump, in order with the audio, through
//!          [`Encoder::notice`](super::Encoder::notice).
//! Not here: audio, and anything that the conversation needs. A notice that is lost costs a line on a screen, never a word of the call.

use std::time::Duration;

use serde::Serialize;

use crate::ids::{ConversationId, TurnId, UtteranceId};
use crate::port::brain::ToolCall;
use crate::record::EndReason;

/// One thing to show.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// The call stands. The first notice of every call, before any audio.
    Started {
        /// Under which id its record is found.
        conversation: ConversationId,
    },
    /// A turn of the caller as it was understood, spoken or typed. Told again with more words when the caller goes on after all.
    UserTranscript {
        /// Which turn.
        turn: TurnId,
        /// Its words; never empty.
        text: String,
    },
    /// What was understood so far of the turn that is being spoken; replaces the one before.
    TentativeTranscript {
        /// Which turn.
        turn: TurnId,
        /// Its words so far.
        text: String,
    },
    /// The agent's answer as it is being made, before it is spoken.
    AgentPart {
        /// Which utterance.
        utterance: UtteranceId,
        /// Its next part.
        part: AnswerPart,
    },
    /// The agent's whole answer.
    AgentResponse {
        /// Which utterance.
        utterance: UtteranceId,
        /// What is meant to be said.
        text: String,
    },
    /// Less was heard of an answer than was meant.
    Correction {
        /// Which utterance.
        utterance: UtteranceId,
        /// What was meant.
        original: String,
        /// What was heard; may be empty.
        heard: String,
    },
    /// How much of the last fifth of a second was speech: 0 to 1.
    VadScore(f32),
    /// An answer has begun to sound.
    Latency {
        /// Which utterance.
        utterance: UtteranceId,
        /// From the end of the caller's speech to its first sample.
        total: Duration,
        /// Parts of that, in the order they were spent; they add up to it.
        stages: Vec<(&'static str, Duration)>,
    },
    /// The far end shall run a tool of its own and tell the result.
    ToolCall {
        /// To be returned with the result.
        id: String,
        /// Which, and with what.
        call: ToolCall,
    },
    /// A tool that the far end was asked to run is done, or has failed.
    ToolDone {
        /// From [`Notice::ToolCall`].
        id: String,
        /// The tool.
        name: String,
        /// It failed, or did not answer in time.
        is_error: bool,
        /// The far end answered at all.
        answered: bool,
    },
    /// To be answered at once: measures the round trip.
    Ping {
        /// To be returned.
        id: u64,
        /// The last one measured.
        round_trip: Option<Duration>,
    },
    /// The call is over. The last notice of every call.
    Ended {
        /// Why.
        reason: EndReason,
    },
}

/// A part of an answer that is being made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerPart {
    /// It begins.
    Start,
    /// The next sentence, with the space that parts it from the one before.
    Delta(String),
    /// No more will come.
    Stop,
}
