//! The journal of one call: every input of its [`CallCore`] and all that the core made of it, so that the call can be run again.
//!
//! Place:   the `call` actor owns a [`Journalled`] core and cannot reach the core past it; `tandem replay` reads what it wrote.
//! Not here: files, the memory of finished calls, and audio, of which the core knows nothing but positions.
//!
//! ```text
//! magic, version │ header │ step │ step │ … │ closing        a step: input, effects (with the input that answers a cut), deadline
//!                 each entry: length u32 LE │ payload │ seal, 8 bytes
//! ```
//!
//! The seal of an entry is the beginning of SHA-256 over the whole seal before it and the payload, so a changed byte, and an entry that was
//! changed, moved or taken out, is found where it happened; a missing tail is found because the closing is missing. The seal has no key: who
//! edits a journal can seal it again. Then [`replay`](replay()) finds the edit, because the core decides otherwise.
//!
//! Payloads are MessagePack with field names: a journal stays readable by a program whose types have grown. Instants are nanoseconds since the
//! call's first; the playbook's state and the history in a question are hashes, because they stand in full in the inputs before it.
//!
//! A journal holds what the caller said. It is personal data, wherever it lies.

mod entry;
mod journalled;
mod print;
mod read;
mod recorder;
mod replay;
mod seal;
mod what_if;

use serde::{Deserialize, Serialize};

use crate::agent::{Timing, Uncertainty};
use crate::barge_in::List;
use crate::call_core::{CallCore, Lines};
use crate::greeting::FirstWords;
use crate::ids::CallId;
use crate::record::Direction;

pub use journalled::{Journalled, Tape};
pub use read::{Damage, Journal};
pub use recorder::Recorder;
pub use replay::{Difference, Divergence, Replay, Shift, replay, what_if};
pub use what_if::ChangeError;

/// First bytes of every journal.
const MAGIC: [u8; 8] = *b"tandem-j";
/// Version of the format. To be raised when what an entry means changes; a new optional field is no reason.
const VERSION: u16 = 1;

/// All that a core is made of.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Setup {
    /// The agent's patience.
    pub timing: Timing,
    /// What the switch itself may have to say.
    pub lines: Lines,
    /// The far end can show what happens.
    pub screen: bool,
    /// The far end reads instead of listening.
    pub reads: bool,
    /// Which side began the call: who is dialled has the first word.
    #[serde(default)]
    pub direction: Direction,
    /// What becomes of words that were hardly understood.
    #[serde(default)]
    pub uncertainty: Uncertainty,
    /// Lists of words that the call hears by, beside the built-in ones of its language or in their place (`LEXICONS_DIR`).
    #[serde(default)]
    pub lexicons: Vec<List>,
    /// What the opening is if the brain has none.
    #[serde(default)]
    pub first_words: FirstWords,
}

impl Setup {
    /// The core, before its leg is up.
    pub fn core(&self) -> CallCore {
        let core = CallCore::new(&self.timing, self.lines.clone()).doubting(self.uncertainty.clone());
        let core = core.greeting(self.first_words.clone());
        let core = if self.lexicons.is_empty() { core } else { core.hearing_by(&self.lexicons) };
        let core = if self.direction == Direction::Outbound { core.outbound() } else { core };
        let core = if self.screen { core.showing() } else { core };
        if self.reads { core.reading() } else { core }
    }
}

/// Whose journal it is, and which program wrote it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The call.
    pub call: CallId,
    /// Name of the agent that answered.
    pub agent: String,
    /// The program that recorded it, version and commit: another one may decide otherwise.
    pub program: String,
    /// What its core was made of.
    pub setup: Setup,
}

/// How a journal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Closing {
    /// With its call.
    Ended,
    /// The call went on when the journal was taken.
    Running,
    /// The call is over and did not end in order: its actor died.
    Died,
    /// The journal had no more room; the call went on.
    Full,
}

impl Closing {
    const ALL: [Self; 4] = [Self::Ended, Self::Running, Self::Died, Self::Full];

    /// As it is written.
    fn code(self) -> u8 {
        match self {
            Self::Ended => 1,
            Self::Running => 2,
            Self::Died => 3,
            Self::Full => 4,
        }
    }

    fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|closing| closing.code() == code)
    }
}
