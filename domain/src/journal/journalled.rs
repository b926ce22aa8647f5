//! A core whose every input and effect is written down, if anybody wants that.
//!
//! It is the only way to the core of a call that runs: what is not `&self` goes through here, so no driver can feed the core unseen. Without a
//! tape it is the core and one branch.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::Setup;
use super::entry::WrittenInput;
use super::recorder::Recorder;
use crate::call_core::{CallCore, Effect, Input};

/// A journal that is being written, shared with whoever wants to read it meanwhile. Locked for a microsecond at a time, never while the core
/// decides: a core that panics leaves its last input on the tape.
#[derive(Debug, Clone)]
pub struct Tape(Arc<Mutex<Recorder>>);

impl Tape {
    /// Shares a journal.
    pub fn new(recorder: Recorder) -> Self {
        Self(Arc::new(Mutex::new(recorder)))
    }

    /// The journal as far as it goes; see [`Recorder::journal`].
    pub fn journal(&self, over: bool) -> Vec<u8> {
        self.lock().journal(over)
    }

    fn lock(&self) -> MutexGuard<'_, Recorder> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A core and its tape.
#[derive(Debug)]
pub struct Journalled {
    core: CallCore,
    tape: Option<Tape>,
}

impl Journalled {
    /// The core of this setup, which the header of the tape must name too.
    pub fn new(setup: &Setup, tape: Option<Tape>) -> Self {
        Self { core: setup.core(), tape }
    }

    /// [`CallCore::handle`].
    pub fn handle(&mut self, now: Instant, input: Input) {
        let input = match &self.tape {
            None => input,
            Some(tape) => {
                let mut recorder = tape.lock();
                let origin = recorder.origin();
                let written = WrittenInput::of(input, origin);
                recorder.input(now, &written);
                written.input(origin)
            }
        };
        self.core.handle(now, input);
    }

    /// [`CallCore::poll_effect`]. `None` ends the step.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        let effect = self.core.poll_effect();
        if let Some(tape) = &self.tape {
            match &effect {
                Some(effect) => tape.lock().effect(effect),
                None => tape.lock().settled(self.core.poll_timeout()),
            }
        }
        effect
    }
}

/// All that does not change the core.
impl Deref for Journalled {
    type Target = CallCore;

    fn deref(&self) -> &CallCore {
        &self.core
    }
}
