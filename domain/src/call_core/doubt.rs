//! Words that were hardly understood are asked for again instead of being answered (`speech_uncertainty_*`, `low_confidence_*`).
//!
//! ```text
//! turn, confidence < threshold ─► "Sorry, I didn't catch that." ─► again ─► the same once more ─► the third time the brain has it
//! turn, confidence ≥ threshold ─► the brain
//! ```
//!
//! Speech without a single recognised word is confidence nought: with the setting on it is treated alike, so that a caller hears one way of
//! asking. The brain is not asked meanwhile, so nothing is guessed: no slot is filled and no "yes" taken. The third time in a row it gets what
//! was understood, with its confidence, because it may know more than a threshold: a playbook counts the failure and hands over in the end.
//!
//! Not doubted: what was typed, and words of a recogniser that gives no confidence.

use std::time::Instant;

use super::{CallCore, Effect};
use crate::agent::Uncertainty;
use crate::port::dialect::Notice;
use crate::turn::Committed;

/// So often in a row the caller is asked to say it again.
const MOST_ASKED: u32 = 2;

/// What is doubted in one call.
#[derive(Debug)]
pub(super) struct Doubt {
    by: Uncertainty,
    /// Turns in a row that were asked for again.
    asked: u32,
}

impl Doubt {
    pub(super) fn new(by: Uncertainty) -> Self {
        Self { by, asked: 0 }
    }

    /// Whether this turn is to be said again. To be asked once of each turn that would be answered.
    fn asks_again(&mut self, turn: &Committed) -> bool {
        let confidence = if turn.text.is_empty() { Some(0.0) } else { turn.confidence };
        let unsure = self.by.enabled && !turn.typed && confidence.is_some_and(|c| c < self.by.threshold);
        self.asked = if unsure && self.asked < MOST_ASKED { self.asked + 1 } else { 0 };
        self.asked > 0
    }
}

impl CallCore {
    /// What becomes of turns that were hardly understood.
    pub fn doubting(mut self, by: Uncertainty) -> Self {
        self.doubt = Doubt::new(by);
        self
    }

    /// Asks for a turn again if it was hardly understood; `true` if it did.
    pub(super) fn doubts(&mut self, now: Instant, turn: &Committed) -> bool {
        if !self.doubt.asks_again(turn) {
            return false;
        }
        self.waste("unsure");
        self.silence.caller_spoke();
        self.flush_user();
        if self.thinking.take().is_some() {
            self.effects.push_back(Effect::StopThinking);
        }
        self.opening_is_over();
        self.stop_speaking();
        self.state_before.clone_from(&self.state);
        self.decision = None;
        let confidence = turn.confidence.map_or_else(|| "no words".to_owned(), |confidence| format!("{confidence:.2}"));
        self.note_event("low_confidence", confidence);
        if !turn.text.is_empty() {
            let (number, text) = (turn.turn, turn.text.clone());
            self.show(|| Notice::UserTranscript { turn: number, text });
            self.pending_user = Some(turn.clone());
        }
        let line = self.doubt.by.message.clone().unwrap_or_else(|| self.lines().unsure);
        self.say(now, line, Some(turn.clone()), now);
        self.seal();
        true
    }
}
