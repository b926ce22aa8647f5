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
//! | `resume` | a voice that was held goes on |
//! | `spelling` | a turn is taken up again when its caller goes on |
//! | `recording` | a recording is written by the call's sample clock |
//! | `energy` | speech that is no louder than our own voice comes back is nobody's |
//! | `deadlines` | each chunk of audio is due at an instant of its own, counted from the first; off, a sleep after the one before |
//! | `framing` | a rest that fills no chunk waits for what comes next; off, it is filled with silence |
//! | `wake` | a voice that comes after a silence wakes the pump |
//! | `rate` | audio is converted to the rate of the leg |
//! | `readers` | each reader of a call's audio has lanes of its own |
//! | `saved` | a recording that is saved is told of |
//! | `order` | messages of audio are put in order, and copies of them left out |
//! | `keys_once` | a key whose message comes again was pressed once |
//!
//! Three are settings of an agent or of a case, and are bent here. The others are inside of the switch, behind its cargo feature `sabotage`,
//! and are looked up by thread: a run has a thread to itself.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use crate::Case;
use crate::check::Invariant;

/// The names of the mechanisms that can be off besides those that are named after an invariant.
pub fn names() -> impl Iterator<Item = &'static str> {
    Named::ALL.into_iter().map(Named::name)
}

/// A mechanism that is off, named after the invariant that it carries, or by itself where the calls of public bugs alone show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sabotage(Invariant, Option<Named>);

/// A mechanism that carries the calls of some public bugs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// A voice that was held goes on when the caller wants nothing.
    Resume,
    /// A pause within what is read out is not its end.
    Spelling,
    /// A recording lays audio where it was heard.
    Recording,
    /// What is no louder than our own voice comes back is nobody's speech.
    Energy,
    /// Each chunk is due at an instant of its own.
    Deadlines,
    /// A rest that fills no chunk waits.
    Framing,
    /// A voice that comes after a silence wakes the pump.
    Wake,
    /// Audio is converted to the rate of the leg.
    Rate,
    /// Each reader of a call's audio has lanes of its own.
    Readers,
    /// A recording that is saved is told of.
    Saved,
    /// Messages of audio are put in order.
    Order,
    /// A key whose message comes again was pressed once.
    KeysOnce,
}

impl Named {
    const ALL: [Self; 12] = [
        Self::Resume,
        Self::Spelling,
        Self::Recording,
        Self::Energy,
        Self::Deadlines,
        Self::Framing,
        Self::Wake,
        Self::Rate,
        Self::Readers,
        Self::Saved,
        Self::Order,
        Self::KeysOnce,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Resume => "resume",
            Self::Spelling => "spelling",
            Self::Recording => "recording",
            Self::Energy => "energy",
            Self::Deadlines => "deadlines",
            Self::Framing => "framing",
            Self::Wake => "wake",
            Self::Rate => "rate",
            Self::Readers => "readers",
            Self::Saved => "saved",
            Self::Order => "order",
            Self::KeysOnce => "keys_once",
        }
    }

    /// The invariant that its calls break.
    fn breaks(self) -> Invariant {
        match self {
            Self::Wake => Invariant::DeadAir, // an agent that stops between two sentences
            Self::Resume
            | Self::Spelling
            | Self::Recording
            | Self::Energy
            | Self::Deadlines
            | Self::Framing
            | Self::Rate
            | Self::Readers
            | Self::Saved
            | Self::Order
            | Self::KeysOnce => Invariant::Glitch,
        }
    }

    #[cfg(feature = "sabotage")]
    fn mechanism(self) -> tandem_domain::sabotage::Mechanism {
        use tandem_domain::sabotage::Mechanism;
        match self {
            Self::Resume => Mechanism::Resume,
            Self::Spelling => Mechanism::Spelling,
            Self::Recording => Mechanism::SampleClock,
            Self::Energy => Mechanism::Energy,
            Self::Deadlines => Mechanism::Deadlines,
            Self::Framing => Mechanism::Framing,
            Self::Wake => Mechanism::Wake,
            Self::Rate => Mechanism::Rate,
            Self::Readers => Mechanism::Readers,
            Self::Saved => Mechanism::Saved,
            Self::Order => Mechanism::Order,
            Self::KeysOnce => Mechanism::KeysOnce,
        }
    }
}

/// Nothing of that name can be switched off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownSabotage {
    /// No such mechanism.
    #[error("{0:?} cannot be switched off: name an invariant or a mechanism (`--list` has them)")]
    Name(String),
    /// This build has no hook for it.
    #[error(transparent)]
    NotBuilt(#[from] NotBuilt),
}

/// This build cannot do that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this build has no sabotage of {0}: build with `--features sabotage`, as `make sim SABOTAGE={0}` does")]
pub struct NotBuilt(&'static str);

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
            Invariant::DeadAir | Invariant::BargeIn | Invariant::Replay => Ok(Self(invariant, None)),
            Invariant::OneVoice
            | Invariant::Ear
            | Invariant::OneEnd
            | Invariant::Leaks
            | Invariant::Protocol
            | Invariant::Glitch => match cfg!(feature = "sabotage") {
                true => Ok(Self(invariant, None)),
                false => Err(NotBuilt(invariant.name())),
            },
        }
    }

    /// Switches off what has this name: an invariant's, or a mechanism's.
    ///
    /// # Errors
    ///
    /// If nothing has, or this build cannot.
    pub fn named(name: &str) -> Result<Self, UnknownSabotage> {
        if let Ok(invariant) = name.parse::<Invariant>() {
            return Ok(Self::of(invariant)?);
        }
        let named = Named::ALL.into_iter().find(|named| named.name() == name);
        let named = named.ok_or_else(|| UnknownSabotage::Name(name.to_owned()))?;
        match cfg!(feature = "sabotage") {
            true => Ok(Self(named.breaks(), Some(named))),
            false => Err(NotBuilt(named.name()).into()),
        }
    }

    /// The invariant that has to be broken.
    pub fn breaks(self) -> Invariant {
        self.0
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        self.1.map_or(self.0.name(), Named::name)
    }

    /// Whether it is the calls of public bugs that show it: they break what seeds are not asked, or are built for it.
    pub fn is_of_public_bugs(self) -> bool {
        self.1.is_some() || self.0 == Invariant::Glitch
    }

    /// Bends the settings that are the mechanism.
    pub(crate) fn bend(self, case: &mut Case) {
        if self.1.is_some() {
            return; // a hook in the switch
        }
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
        switch_off(sabotage.and_then(|Self(invariant, named)| match invariant {
            _ if named.is_some() => named.map(Named::mechanism),
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
