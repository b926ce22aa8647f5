//! The filler: what is said while the answer takes its time, so that the line is not dead (`soft_timeout_seconds`).
//!
//! ```text
//! asked ──── soft timeout ──► "One moment, please." ── 2 s ──► "Let me see." ──► the answer    (one utterance: what was heard of it is one truth)
//!       └─ a sentence comes ──► no filler
//! ```
//!
//! Only while no sentence of the answer is there: a sentence that the voice is busy with would be spoken before any filler. A brain that is asked
//! for the opening or a reprompt is waited for in the same way. A far end that reads gets none. It is interrupted, recorded and remembered
//! like any other sentence, and nothing is added to one that a caller holds.

use std::time::{Duration, Instant};

use super::{CallCore, Speech};

/// From one filler to the next: as long as one takes to be said, and a silence that nobody takes for the end of the call.
const AGAIN: Duration = Duration::from_secs(2);

/// When a filler is due, and which.
#[derive(Debug, Clone)]
pub(super) struct Filler {
    /// `None` switches it off.
    after: Option<Duration>,
    /// For the question that the brain has.
    due: Option<Instant>,
    /// How many were said: each time it is the next one's turn.
    said: usize,
}

impl Filler {
    pub(super) fn new(after: Option<Duration>) -> Self {
        Self { after, due: None, said: 0 }
    }

    /// A question goes to the brain; `awaited` if somebody waits for the answer.
    pub(super) fn arm(&mut self, now: Instant, awaited: bool) {
        self.due = self.after.filter(|_| awaited).map(|after| now + after);
    }

    /// Our voice goes on after it was held: what is left of it is not hurried on.
    pub(super) fn resumed(&mut self, now: Instant) {
        self.due = self.due.map(|due| due.max(now + AGAIN));
    }
}

impl CallCore {
    /// When the next filler is to be said, if the answer has no sentence by then.
    pub(super) fn filler_due(&self) -> Option<Instant> {
        self.filler.due.filter(|_| {
            let asked = self.thinking.is_some() && !self.answered();
            asked && !self.barge_in.is_holding() && !self.greeting_waits()
        })
    }

    /// Says a filler if one is due.
    pub(super) fn fill(&mut self, now: Instant) {
        if self.filler_due().is_none_or(|due| now < due) {
            return;
        }
        self.filler.due = Some(now + AGAIN);
        let Some(thinking) = &self.thinking else { return };
        let lines = self.lines().filler;
        let Some(line) = lines.get(self.filler.said % lines.len().max(1)).cloned() else { return };
        let (reply_to, committed_at) = (thinking.reply_to.clone(), thinking.committed_at);
        self.filler.said += 1;
        self.note_event("filler", format!("ask {}", thinking.number));
        self.say(now, line, reply_to, committed_at);
        if let Some(speech) = &mut self.speech {
            speech.fillers += 1;
        }
    }

    /// Whether the brain has given a sentence of the answer.
    pub(super) fn answered(&self) -> bool {
        self.speech.as_ref().is_some_and(Speech::answers)
    }
}

impl Speech {
    /// Whether it says more than that the answer is coming.
    fn answers(&self) -> bool {
        self.sentences.len() > self.fillers
    }
}
