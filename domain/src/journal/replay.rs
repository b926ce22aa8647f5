//! Runs a call again from its journal: the same core, told the same inputs at the same times, must decide the same.
//!
//! [`replay`] is strict: each effect bit by bit, each deadline to the nanosecond. [`what_if`] gives the core another patience. The inputs are then
//! true only until the first effect that differs, so it stops there; a deadline that moves decides nothing yet, and the first such is kept apart.
//! Where a moved deadline passes before the next input comes, the core is asked at that instant, as it would have been.

use std::time::Instant;

use super::entry::{Due, Offset, Origin, WrittenEffect, WrittenInput, pack};
use super::print::{due_in_words, effect_in_words, in_words};
use super::read::{Journal, Part, Step};
use super::{ChangeError, Setup};
use crate::call_core::{CallCore, Effect, Input};

/// How a run went.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// Inputs that the core was told.
    pub inputs: usize,
    /// Effects that were the same.
    pub effects: usize,
    /// Time of the last input.
    pub length: Offset,
    /// Where the run was no longer the journal's; it was not followed further.
    pub divergence: Option<Divergence>,
    /// The first deadline that moved, of a [`what_if`].
    pub shift: Option<Shift>,
}

/// Where a run is not the journal's.
#[derive(Debug, Clone, PartialEq)]
pub struct Divergence {
    /// Number of the entry; the header is 0.
    pub entry: usize,
    /// Where that begins in the file.
    pub offset: usize,
    /// When.
    pub at: Offset,
    /// What the core had been told.
    pub input: String,
    /// What differs.
    pub difference: Difference,
}

/// What differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// An effect: what the journal has and what the core wants now; `None` for none (any more).
    Effect {
        /// The journal's.
        expected: Option<String>,
        /// This run's.
        got: Option<String>,
    },
    /// When the core wants to be asked again.
    Deadline {
        /// The journal's.
        expected: String,
        /// This run's.
        got: String,
    },
    /// The core would have acted by itself, at a deadline that the journal does not have.
    ByItself {
        /// Which.
        deadline: String,
        /// What it wants done first.
        got: String,
    },
}

/// A deadline that another patience has moved.
#[derive(Debug, Clone, PartialEq)]
pub struct Shift {
    /// Number of the entry.
    pub entry: usize,
    /// When it was set.
    pub at: Offset,
    /// What the core had been told.
    pub input: String,
    /// The journal's.
    pub expected: String,
    /// This run's.
    pub got: String,
}

/// Runs the call again. `origin` is any instant: the call's first.
pub fn replay(journal: &Journal, origin: Instant) -> Replay {
    Run::new(journal.header.setup.core(), origin, false).all(journal)
}

/// Runs the call again with some settings changed, `(name, value)` each; see [`Setup::change`].
pub fn what_if(journal: &Journal, changes: &[(String, String)], origin: Instant) -> Result<Replay, ChangeError> {
    let mut setup: Setup = journal.header.setup.clone();
    for (name, value) in changes {
        setup.change(name, value)?;
    }
    Ok(Run::new(setup.core(), origin, true).all(journal))
}

struct Run {
    core: CallCore,
    origin: Origin,
    what_if: bool,
    /// The journal's last deadline.
    due: Option<Due>,
    /// When, and the last input.
    at: Offset,
    input: String,
    report: Replay,
}

impl Run {
    fn new(core: CallCore, origin: Instant, what_if: bool) -> Self {
        let report = Replay { inputs: 0, effects: 0, length: Offset(0), divergence: None, shift: None };
        Self { core, origin: Origin(origin), what_if, due: None, at: Offset(0), input: String::new(), report }
    }

    fn all(mut self, journal: &Journal) -> Replay {
        for (step, entry) in journal.steps.iter().zip(1..) {
            if let Err(difference) = self.step(step, entry) {
                let Self { at, input, .. } = self;
                let divergence = Divergence { entry, offset: step.offset, at, input, difference };
                return Replay { divergence: Some(divergence), ..self.report };
            }
        }
        self.report
    }

    fn step(&mut self, step: &Step, entry: usize) -> Result<(), Difference> {
        for part in &step.parts {
            match part {
                Part::Input(at, input) => {
                    self.own_deadlines(*at)?;
                    self.tell(*at, input.clone());
                }
                Part::Effect(expected) => {
                    let got = self.core.poll_effect().map(|effect| self.packed(&effect));
                    if got.as_ref() != Some(expected) {
                        let (expected, got) = (Some(effect_in_words(expected)), got.as_deref().map(effect_in_words));
                        return Err(Difference::Effect { expected, got });
                    }
                    self.report.effects += 1;
                }
                Part::Settled(due) => self.settled(due.as_ref(), entry)?,
            }
        }
        Ok(())
    }

    fn tell(&mut self, at: Offset, input: WrittenInput) {
        (self.at, self.input) = (at, in_words(&input));
        self.report.length = self.report.length.max(at);
        self.report.inputs += 1;
        self.core.handle(self.origin.instant(at), input.input(self.origin));
    }

    fn settled(&mut self, expected: Option<&Due>, entry: usize) -> Result<(), Difference> {
        if let Some(more) = self.core.poll_effect() {
            return Err(Difference::Effect { expected: None, got: Some(self.in_words(&more)) });
        }
        self.due = expected.cloned();
        let got = Due::of(self.core.poll_timeout(), self.origin);
        if got.as_ref() == expected {
            return Ok(());
        }
        let (expected, got) = (due_in_words(expected), due_in_words(got.as_ref()));
        if !self.what_if {
            return Err(Difference::Deadline { expected, got });
        }
        let shift = || Shift { entry, at: self.at, input: self.input.clone(), expected, got };
        self.report.shift.get_or_insert_with(shift);
        Ok(())
    }

    /// Asks the core at those of its deadlines before `until` that the journal does not have.
    fn own_deadlines(&mut self, until: Offset) -> Result<(), Difference> {
        if !self.what_if {
            return Ok(());
        }
        let mut last = Offset(i64::MIN);
        while let Some((at, why)) = self.core.poll_timeout() {
            let due = Due { at_ns: self.origin.offset(at), why: why.to_owned() };
            if due.at_ns >= until || self.due.as_ref() == Some(&due) || due.at_ns <= last {
                break; // the journal's own tick will come, or nothing came of ours
            }
            self.core.handle(at, Input::Tick);
            if let Some(effect) = self.core.poll_effect() {
                self.at = due.at_ns;
                let (deadline, got) = (due_in_words(Some(&due)), self.in_words(&effect));
                return Err(Difference::ByItself { deadline, got });
            }
            last = due.at_ns;
        }
        Ok(())
    }

    fn packed(&self, effect: &Effect) -> Vec<u8> {
        let mut bytes = Vec::new();
        pack(&WrittenEffect::of(effect, self.origin), &mut bytes);
        bytes
    }

    fn in_words(&self, effect: &Effect) -> String {
        in_words(&WrittenEffect::of(effect, self.origin))
    }
}
