//! What must hold of every call, each invariant alone: a pure function of what was taped.
//!
//! | invariant | holds that | its limit |
//! |---|---|---|
//! | [`one_voice`] | the agent says one utterance after the other | none: not one word out of order |
//! | [`dead_air`] | nobody listens to nothing | design.md section 12 item 4: 2 s, 4 s, or the silence ladder's rung |
//! | [`barge_in`] | the agent falls silent when it is spoken over | [`barge_in::budget`] |
//! | [`ear`] | the record holds what was heard | design.md section 12 item 7: the word, or one word |
//! | [`one_end`] | a call ends once, for one reason | none |
//! | [`leaks`] | nothing outlives its call | none, 2 s after its end |
//! | [`glitch`] | a public bug's call sounds as it was made | what the bug's report asks for |
//! | [`protocol`] | the carrier has nothing to complain of | none: the carriers' models are stricter than the carriers |
//! | [`replay`] | one seed is one call | none: bit for bit |
//!
//! Place: after [`crate::run()`]. A check looks at a [`Run`] and at nothing else, so a made-up run tests it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;

use crate::Run;

pub mod barge_in;
pub mod dead_air;
pub mod ear;
pub mod glitch;
pub mod leaks;
#[cfg(test)]
pub(crate) mod made_up;
pub mod one_end;
pub mod one_voice;
mod order;
mod pace;
pub mod protocol;
pub mod replay;
mod said_again;

/// One of the things that must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Invariant {
    /// [`one_voice`].
    OneVoice,
    /// [`dead_air`].
    DeadAir,
    /// [`barge_in`].
    BargeIn,
    /// [`ear`].
    Ear,
    /// [`one_end`].
    OneEnd,
    /// [`leaks`].
    Leaks,
    /// [`protocol`].
    Protocol,
    /// [`glitch`].
    Glitch,
    /// [`replay`].
    Replay,
}

impl Invariant {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::OneVoice,
        Self::DeadAir,
        Self::BargeIn,
        Self::Ear,
        Self::OneEnd,
        Self::Leaks,
        Self::Protocol,
        Self::Glitch,
        Self::Replay,
    ];

    /// Its name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::OneVoice => "one_voice",
            Self::DeadAir => "dead_air",
            Self::BargeIn => "barge_in",
            Self::Ear => "ear",
            Self::OneEnd => "one_end",
            Self::Leaks => "leaks",
            Self::Protocol => "protocol",
            Self::Glitch => "glitch",
            Self::Replay => "replay",
        }
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// There is no such invariant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no invariant is called {0:?}; there are one_voice, dead_air, barge_in, ear, one_end, leaks, protocol, glitch and replay"
)]
pub struct UnknownInvariant(String);

impl FromStr for Invariant {
    type Err = UnknownInvariant;

    fn from_str(name: &str) -> Result<Self, UnknownInvariant> {
        Self::ALL.into_iter().find(|known| known.name() == name).ok_or_else(|| UnknownInvariant(name.to_owned()))
    }
}

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Breach {
    /// Which.
    pub invariant: Invariant,
    /// When, since the stream began.
    #[serde(serialize_with = "seconds")]
    pub at: Duration,
    /// What happened, for people.
    pub what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} at {:.2} s: {}", self.invariant, self.at.as_secs_f64(), self.what)
    }
}

fn seconds<S: serde::Serializer>(at: &Duration, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_f64(at.as_secs_f64())
}

/// Everything that does not hold of this run; [`replay`] wants a second one.
pub fn all(run: &Run) -> Vec<Breach> {
    let checks = [
        one_voice::check,
        dead_air::check,
        barge_in::check,
        ear::check,
        one_end::check,
        leaks::check,
        protocol::check,
        glitch::check,
    ];
    checks.into_iter().flat_map(|check| check(run)).collect()
}
