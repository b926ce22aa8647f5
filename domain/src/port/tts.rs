//! Text to speech: one sentence in, PCM out, in chunks as they are made.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Blame, EventStream, Retry};

/// One sentence to be spoken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TtsSpec {
    /// The sentence, plain text.
    pub text: String,
    /// Voice by the engine's own name; empty for its default.
    pub voice: String,
    /// BCP 47 tag.
    pub language: String,
    /// Sample rate wanted, in Hz. The engine resamples.
    pub rate_hz: u32,
}

/// One stretch of synthesised speech.
#[derive(Debug, Clone, PartialEq)]
pub struct TtsChunk {
    /// Linear mono PCM at the rate asked for.
    pub samples: Arc<[i16]>,
    /// Words whose beginning is known, in order; empty where the engine gives no timing.
    pub words: Vec<WordStart>,
}

/// Where a word of the sentence begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordStart {
    /// Byte offset of the word in [`TtsSpec::text`].
    pub byte: usize,
    /// Samples from the beginning of the sentence.
    pub sample: u64,
}

/// Why a sentence was not (wholly) spoken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TtsError {
    /// The engine refused our credentials.
    #[error("{vendor} refused our key")]
    Unauthorized {
        /// Name of the engine.
        vendor: &'static str,
    },
    /// The account has no characters left until it is paid for or its month is over.
    #[error("{vendor} has no quota left: raise the plan, or wait for the next period")]
    Exhausted {
        /// Name of the engine.
        vendor: &'static str,
    },
    /// As many sentences are being made as the engine or the account allows.
    #[error("{vendor} is busy")]
    Busy {
        /// Name of the engine.
        vendor: &'static str,
    },
    /// The engine has no voice of that name.
    #[error("{vendor} has no voice {voice:?}: choose one that the account owns")]
    NoSuchVoice {
        /// Name of the engine.
        vendor: &'static str,
        /// What was asked for.
        voice: String,
    },
    /// The engine cannot run here: program or voice missing.
    #[error("{vendor} is not available: {remedy}")]
    Unavailable {
        /// Name of the engine.
        vendor: &'static str,
        /// What to do about it.
        remedy: String,
    },
    /// The engine crashed, hung or sent something unusable.
    #[error("{vendor} failed: {detail}")]
    Failed {
        /// Name of the engine.
        vendor: &'static str,
        /// What happened, for the log.
        detail: String,
    },
}

impl TtsError {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Unauthorized { .. }
            | Self::Exhausted { .. }
            | Self::Busy { .. }
            | Self::NoSuchVoice { .. }
            | Self::Unavailable { .. } => Blame::Us,
            Self::Failed { .. } => Blame::Vendor,
        }
    }

    /// What may be tried next.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Unauthorized { .. }
            | Self::Exhausted { .. }
            | Self::NoSuchVoice { .. }
            | Self::Unavailable { .. } => Retry::Never,
            Self::Busy { .. } => Retry::NextVendor,
            Self::Failed { .. } => Retry::Now,
        }
    }
}

/// A voice that an agent may ask for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownVoice<'a> {
    /// What [`TtsSpec::voice`] takes.
    pub id: &'a str,
    /// For people.
    pub name: &'a str,
    /// Such as "American English"; empty where nobody says.
    pub accent: &'a str,
}

/// A voice.
pub trait Tts: Send + Sync {
    /// Stable lower-case name, as in `TTS_PROVIDER` and in metrics.
    fn name(&self) -> &'static str;

    /// The voices that it is known to have, its default first; none where there is nothing to choose.
    fn voices(&self) -> Vec<KnownVoice<'_>> {
        Vec::new()
    }

    /// Speaks one sentence. The same sentence gives the same audio where the engine is deterministic; a restarted
    /// sentence skips what was already queued. Dropping the result cancels the synthesis.
    fn speak(&self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError>;
}
