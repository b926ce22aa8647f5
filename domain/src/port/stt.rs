//! Speech to text: one direction of a call's audio in, transcripts out.
//!
//! Positions are samples on the call's ingress clock (8 kHz unless the spec says otherwise), counted from the first sample of the call,
//! so that a restarted stream can be fed again from where the caller began to speak.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Blame, EventStream, Retry};
use crate::ids::TurnId;

/// What the recogniser should know before it hears anything.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SttSpec {
    /// BCP 47 tag, such as `en` or `hi-IN`.
    pub language: String,
    /// Sample rate of the audio in Hz.
    pub rate_hz: u32,
    /// The agent's own keywords (`asr_keywords`): names and terms that it should not mishear.
    pub keywords: Vec<String>,
    /// Whether somebody looks at [`SttEvent::Partial`]s. An engine for which they are work leaves them out otherwise; one that has them anyway
    /// tells them to every call, whose arbiter of interruptions reads them.
    pub partials: bool,
}

/// One item of the stream towards the recogniser, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum SttInput {
    /// The next stretch of audio. `start` is the position of its first sample; a gap means that audio was dropped.
    Audio {
        /// Position of the first sample.
        start: u64,
        /// Linear mono PCM.
        samples: Arc<[i16]>,
    },
    /// The caller speaks, in a turn that began at `from`: said at the beginning and after each pause. Ends with the next `Finalize`.
    Speaking {
        /// Where the caller's turn began.
        from: u64,
    },
    /// The caller paused: settle what was said in `from..to`. All audio before `to` has been sent already.
    /// A second one for the same turn supersedes the first: the caller went on after a pause.
    Finalize {
        /// The turn in question.
        turn: TurnId,
        /// Where the caller's turn began.
        from: u64,
        /// Where the caller's speech ended.
        to: u64,
        /// Words that the answer probably contains (the expected slots' vocabulary).
        hints: Arc<[String]>,
    },
}

/// Audio and markers towards the recogniser. Ends when the call ends.
pub type SttInputStream = std::pin::Pin<Box<dyn futures_core::Stream<Item = SttInput> + Send>>;

/// What the recogniser says.
#[derive(Debug, Clone, PartialEq)]
pub enum SttEvent {
    /// An unstable transcript of the turn so far; replaces the partial before it.
    Partial {
        /// Words so far.
        text: String,
    },
    /// The settled transcript of `turn`.
    Final {
        /// The turn that was finalised.
        turn: TurnId,
        /// `to` of the [`SttInput::Finalize`] that this answers: an answer to a superseded one is dropped.
        to: u64,
        /// What was said; empty if nothing was understood.
        text: String,
        /// 0 to 1; `None` where the vendor gives none.
        confidence: Option<f32>,
        /// Whether the text replaces earlier finals of the turn or continues them.
        covers: Covers,
    },
}

/// How much of a turn a final transcript covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Covers {
    /// The turn from its beginning: replaces earlier finals of the same turn (batch engines).
    WholeTurn,
    /// What came after the last final: is appended (streaming engines).
    SinceLastFinal,
}

/// Why a recogniser stream ended before its audio did.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SttError {
    /// The engine refused our credentials.
    #[error("{vendor} refused our key")]
    Unauthorized {
        /// Name of the engine.
        vendor: &'static str,
    },
    /// Every worker is taken and the queue is full.
    #[error("{vendor} is busy")]
    Busy {
        /// Name of the engine.
        vendor: &'static str,
    },
    /// More streams at once than the vendor grants us.
    #[error("{vendor} has no room for another stream of ours")]
    RateLimited {
        /// Name of the engine.
        vendor: &'static str,
        /// When it may be asked again, where it said so.
        retry_after: Option<Duration>,
    },
    /// The engine does not do what we asked for: a setting is wrong, not the moment.
    #[error("{vendor} refused our request: {detail}")]
    Refused {
        /// Name of the engine.
        vendor: &'static str,
        /// What it said, for the log.
        detail: String,
    },
    /// The engine cannot run here (model or program missing), or not for us (account not paid).
    #[error("{vendor} is not available: {remedy}")]
    Unavailable {
        /// Name of the engine.
        vendor: &'static str,
        /// What to do about it.
        remedy: String,
    },
    /// The engine crashed, hung or closed the stream.
    #[error("{vendor} failed: {detail}")]
    Failed {
        /// Name of the engine.
        vendor: &'static str,
        /// What happened, for the log.
        detail: String,
    },
}

impl SttError {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Unauthorized { .. }
            | Self::Unavailable { .. }
            | Self::Refused { .. }
            | Self::RateLimited { .. }
            | Self::Busy { .. } => Blame::Us,
            Self::Failed { .. } => Blame::Vendor,
        }
    }

    /// What may be tried next.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Unauthorized { .. } | Self::Unavailable { .. } | Self::Refused { .. } => Retry::Never,
            Self::Busy { .. } | Self::RateLimited { .. } => Retry::NextVendor,
            Self::Failed { .. } => Retry::Now,
        }
    }
}

/// A speech recogniser.
pub trait Stt: Send + Sync {
    /// Stable lower-case name, as in `STT_PROVIDER` and in metrics.
    fn name(&self) -> &'static str;

    /// Transcribes one direction of audio until `audio` ends. An `Err` item ends the stream.
    /// Dropping the result closes the vendor's stream.
    fn transcribe(&self, spec: SttSpec, audio: SttInputStream) -> EventStream<SttEvent, SttError>;
}
