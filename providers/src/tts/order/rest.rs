//! How long a voice that failed is left alone.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tandem_domain::port::tts::TtsError;
use tokio::time::Instant;

use super::Limits;

/// The rest of one voice, shared by all sentences.
#[derive(Debug, Default)]
pub(super) struct Rest {
    until: Mutex<Option<Instant>>,
}

impl Rest {
    /// Whether a sentence may ask it. The first one after a rest tries it, and has `patience` for that; until then the others pass it by.
    pub(super) fn may_speak(&self, now: Instant, patience: Duration) -> bool {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        match *until {
            Some(rests) if now < rests => false,
            Some(_) => {
                *until = Some(now + patience);
                true
            }
            None => true,
        }
    }

    /// It failed so.
    pub(super) fn begin(&self, now: Instant, error: &TtsError, limits: &Limits) {
        let rest = match error {
            // A person has to pay, to type a key or to install something.
            TtsError::Unauthorized { .. }
            | TtsError::Exhausted { .. }
            | TtsError::NoSuchVoice { .. }
            | TtsError::Unavailable { .. } => limits.long_rest,
            TtsError::Failed { .. } => limits.rest,
            // It answers at once and may have room for the next sentence: it says so itself if not.
            TtsError::Busy { .. } => Duration::ZERO,
        };
        let until = (!rest.is_zero()).then(|| now + rest);
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// It speaks.
    pub(super) fn wake(&self) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
