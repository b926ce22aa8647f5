//! Whether a turn sounds finished: a model's opinion of the caller's last seconds.
//!
//! Place: asked at a pause, where a call has such a model; one signal beside the length of the pause and the words.
//! Not here: what follows from the answer, which is endpointing's to decide, and when to ask.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::Blame;

/// The most that a model is told of a turn: its last seconds.
pub const WINDOW: Duration = Duration::from_secs(8);

/// The last seconds of what a caller says, mono, up to a pause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnAudio {
    /// Sample rate in Hz.
    pub rate_hz: u32,
    /// Linear PCM, oldest first. Of more than [`WINDOW`] the end counts.
    pub samples: Arc<[i16]>,
}

/// An answer: from 0, the caller will go on, to 1, the caller is done.
pub type Judgement<'a> = Pin<Box<dyn Future<Output = Result<f32, EndOfTurnError>> + Send + 'a>>;

/// A model that hears whether a turn is complete.
pub trait EndOfTurn: Send + Sync {
    /// Name of the engine, for logs and metrics.
    fn name(&self) -> &'static str;

    /// How sure it is that the turn is complete. Takes a tenth of a second and more of a core, elsewhere than on the thread that polls;
    /// dropping the result gives it up.
    fn judge(&self, audio: TurnAudio) -> Judgement<'_>;
}

/// Why there is no opinion. The pause decides alone then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndOfTurnError {
    /// As many turns are being judged as this machine may.
    #[error("{engine} is busy")]
    Busy {
        /// Name of the engine.
        engine: &'static str,
    },
    /// The engine cannot run here: its model is missing or is none.
    #[error("{engine} is not available: {remedy}")]
    Unavailable {
        /// Name of the engine.
        engine: &'static str,
        /// What to do about it.
        remedy: String,
    },
    /// The engine crashed or gave something unusable.
    #[error("{engine} failed: {detail}")]
    Failed {
        /// Name of the engine.
        engine: &'static str,
        /// What happened.
        detail: String,
    },
}

impl EndOfTurnError {
    /// Whose fault it is: all of it happens on this machine.
    pub fn blame(&self) -> Blame {
        Blame::Us
    }
}
