//! Parts that died, and the end of the call.

use std::time::{Duration, Instant};

use super::{CallCore, Effect, Note, Part, Thinking};
use crate::record::EndReason;
use crate::transcript::{Line, Role};

/// A goodbye that was not heard by then is not waited for.
const GOODBYE_LIMIT: Duration = Duration::from_secs(8);
/// The brain learns that the call ends so long before it does, or a tenth of the longest call before, whichever is shorter.
const TIME_SHORT: Duration = Duration::from_secs(60);

impl CallCore {
    /// When the longest call is over.
    pub(super) fn time_up(&self) -> Option<Instant> {
        self.started.map(|started| started + self.max_duration)
    }

    /// When the brain is to be told that it soon will be.
    pub(super) fn time_short(&self) -> Option<Instant> {
        let before = TIME_SHORT.min(self.max_duration / 10);
        self.time_up().filter(|_| !self.hurried).map(|at| at - before)
    }

    /// Tells the brain, once, so that a model can come to an end by itself. A playbook asks on: its questions are few.
    pub(super) fn hurry(&mut self, now: Instant) {
        if self.time_short().is_none_or(|at| now < at) {
            return;
        }
        self.hurried = true;
        let left = self.time_up().map_or(0, |at| at.saturating_duration_since(now).as_secs());
        self.note_event("time_short", format!("{left} s"));
        let text = format!("This call ends in {left} seconds. Come to the end: say what matters, and take leave.");
        self.history.push(Line { role: Role::System, text });
    }

    pub(super) fn restarted(&mut self, now: Instant, part: Part) {
        self.note_event("restart", part.name().to_owned());
        match part {
            Part::Stt => {
                let again = self.turns.unanswered(now);
                self.turn_action(now, again);
            }
            Part::Dialogue => {
                self.waste("failed");
                if let Some(Thinking { ask, received, skip, reply_to, committed_at, .. }) = self.thinking.take() {
                    self.ask(now, ask, reply_to, received.max(skip), committed_at);
                }
            }
            Part::Tts => {
                if let Some(speech) = &self.speech {
                    let again = speech.sentences.iter().zip(0..).map(|(text, sentence)| Effect::Speak {
                        utterance: speech.id,
                        sentence,
                        text: text.clone(),
                    });
                    self.effects.extend(again);
                }
            }
            // The detector keeps no truth; egress, the alarm and the recorder go on from what the call lends them.
            Part::Vad | Part::Egress | Part::Silence | Part::Recorder | Part::Leg | Part::Ingress => {}
        }
    }

    pub(super) fn dismiss(&mut self, now: Instant, reason: EndReason, line: String) {
        if self.ending.is_some() {
            return;
        }
        self.waste("call_ends");
        if self.thinking.take().is_some() {
            self.effects.push_back(Effect::StopThinking);
        }
        self.stop_speaking();
        if self.pending_user.is_none() {
            self.pending_user = self.turns.unfinished(now);
        }
        self.turns.drop_turn();
        self.silence.disarm();
        self.ending = Some((reason, now + GOODBYE_LIMIT));
        self.say(now, line, None, now);
        self.seal();
    }

    pub(super) fn end(&mut self, reason: EndReason) {
        self.over = Some(reason);
        self.waste("call_ends");
        if self.thinking.take().is_some() {
            self.effects.push_back(Effect::StopThinking);
        }
        self.stop_speaking();
        if self.cutting.is_none() {
            self.close(); // otherwise when we know what was heard
        }
    }

    pub(super) fn close(&mut self) {
        if self.closed {
            return;
        }
        self.closed = true;
        self.flush_user();
        if let Some(reason) = self.over.clone() {
            self.effects.push_back(Effect::End(reason));
        }
    }

    pub(super) fn note_event(&mut self, kind: &'static str, detail: String) {
        self.effects.push_back(Effect::Note(Note::Event { kind, detail }));
    }
}
