//! What can be switched off, one mechanism for each invariant, to see that its check notices: a check that cannot fail is no check.
//!
//! | invariant | what is switched off |
//! |---|---|
//! | `one_voice` | the voice's driver says one sentence after the other |
//! | `dead_air` | the silence ladder |
//! | `barge_in` | speech of 200 ms interrupts |
//! | `ear` | the ledger: what was generated counts as heard |
//! | `one_end` | the switchboard writes an end only for calls that did not write their own |
//! | `leaks` | a task ends with the actor that owns it |
//! | `protocol` | audio is paced |
//! | `glitch` | the carrier is kept a little ahead |
//! | `replay` | chance comes from the seed |
//!
//! Three are settings of an agent or of a case, and are bent here. The others are inside of the switch, behind its cargo feature `sabotage`,
//! and are looked up by thread: a run has a thread to itself.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use crate::Case;
use crate::check::Invariant;

/// A mechanism that is off, named after the invariant that it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sabotage(Invariant);

/// This build cannot do that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this build has no sabotage of {0}: build with `--features sabotage`, as `make sim SABOTAGE={0}` does")]
pub struct NotBuilt(Invariant);

/// Longer than any call.
const NEVER: Duration = Duration::from_secs(100_000);

impl Sabotage {
    /// Switches off what carries this invariant.
    ///
    /// # Errors
    ///
    /// If this build cannot: settings can always be bent, but the hooks in the switch are only there with the feature `sabotage`.
    pub fn of(invariant: Invariant) -> Result<Self, NotBuilt> {
        match invariant {
            Invariant::DeadAir | Invariant::BargeIn | Invariant::Replay => Ok(Self(invariant)),
            Invariant::OneVoice
            | Invariant::Ear
            | Invariant::OneEnd
            | Invariant::Leaks
            | Invariant::Protocol
            | Invariant::Glitch => match cfg!(feature = "sabotage") {
                true => Ok(Self(invariant)),
                false => Err(NotBuilt(invariant)),
            },
        }
    }

    /// Bends the settings that are the mechanism.
    pub(crate) fn bend(self, case: &mut Case) {
        match self.0 {
            Invariant::DeadAir => case.timing.turn_after_silence = NEVER,
            Invariant::BargeIn => case.timing.barge_in_min_speech = NEVER,
            // keys of the standard library's maps: drawn by the system, anew for each state
            Invariant::Replay => case.scenario.seed = RandomState::new().build_hasher().finish(),
            Invariant::OneVoice
            | Invariant::Ear
            | Invariant::OneEnd
            | Invariant::Leaks
            | Invariant::Protocol
            | Invariant::Glitch => {}
        }
    }

    /// Switches the mechanism off in this thread until the result is dropped.
    #[cfg(feature = "sabotage")]
    pub(crate) fn arm(sabotage: Option<Self>) -> Armed {
        use tandem_domain::sabotage::{Mechanism, switch_off};
        switch_off(sabotage.and_then(|Self(invariant)| match invariant {
            Invariant::OneVoice => Some(Mechanism::OneSentenceAtATime),
            Invariant::Ear => Some(Mechanism::Ledger),
            Invariant::OneEnd => Some(Mechanism::OneEnd),
            Invariant::Leaks => Some(Mechanism::TasksEndWithTheirOwner),
            Invariant::Protocol => Some(Mechanism::Pacing),
            Invariant::Glitch => Some(Mechanism::Lead),
            Invariant::DeadAir | Invariant::BargeIn | Invariant::Replay => None,
        }));
        Armed
    }

    /// Nothing is behind hooks in this build.
    #[cfg(not(feature = "sabotage"))]
    pub(crate) fn arm(_: Option<Self>) -> Armed {
        Armed
    }
}

/// Whatever was switched off is on again when this is dropped.
pub(crate) struct Armed;

impl Drop for Armed {
    fn drop(&mut self) {
        #[cfg(feature = "sabotage")]
        tandem_domain::sabotage::switch_off(None);
    }
}
