//! What a caller will do, step by step.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One step of a script. `L` is a line as written ([`Line`]) or as it will sound ([`Rendered`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step<L> {
    /// Says a line when the agent has finished.
    Say(L),
    /// Lets one go of the agent pass without an answer.
    Wait,
    /// Presses keys, one after the other, when the agent has finished.
    Dtmf(String),
    /// Says nothing for that long, whatever the agent does. The line after it waits for quiet, not for agent speech.
    Silence(#[serde(with = "crate::millis")] Duration),
    /// Speaks over the agent, that long after the agent began its next go.
    Interrupt {
        /// From the agent's first sound.
        #[serde(with = "crate::millis")]
        after: Duration,
        /// What to say.
        say: L,
    },
    /// Hangs up, at once.
    HangUp,
}

/// A line as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// To be spoken by a synthesiser.
    Text(String),
    /// A recording.
    Audio(Rendered),
}

/// A line as it will sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Its words; for a recording, what the report shall call it.
    pub text: String,
    /// Mono PCM at 8 kHz.
    pub samples: Arc<[i16]>,
}

impl<L> Step<L> {
    /// The line of this step, if it has one.
    pub fn line(&self) -> Option<&L> {
        match self {
            Self::Say(line) | Self::Interrupt { say: line, .. } => Some(line),
            Self::Wait | Self::Dtmf(_) | Self::Silence(_) | Self::HangUp => None,
        }
    }

    /// The same step with its line, if it has one, replaced.
    pub fn map<M>(self, map: impl FnOnce(L) -> M) -> Step<M> {
        match self {
            Self::Say(line) => Step::Say(map(line)),
            Self::Wait => Step::Wait,
            Self::Dtmf(keys) => Step::Dtmf(keys),
            Self::Silence(length) => Step::Silence(length),
            Self::Interrupt { after, say } => Step::Interrupt { after, say: map(say) },
            Self::HangUp => Step::HangUp,
        }
    }
}
