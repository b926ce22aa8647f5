//! A far end with a screen: what it is shown, and what it does besides speaking.
//!
//! Nothing here decides about a call whose far end is a telephone: without [`CallCore::showing`] no notice is made.

use std::time::Instant;

use super::{CallCore, Effect, Speech};
use crate::port::dialect::Notice;
use crate::port::dialect::notice::AnswerPart;
use crate::transcript::{Line, Role};

/// Lines of context that a call keeps: a page that talks without end must not fill the brain's question.
const MOST_CONTEXT: usize = 64;

impl CallCore {
    /// The far end can show what happens.
    pub fn showing(mut self) -> Self {
        self.screen = true;
        self
    }

    /// The far end reads instead of listening.
    pub fn reading(mut self) -> Self {
        self.reads = true;
        self
    }

    /// Makes a notice, if there is anybody to see it.
    pub(super) fn show(&mut self, notice: impl FnOnce() -> Notice) {
        if self.screen {
            self.effects.push_back(Effect::Show(notice()));
        }
    }

    /// What was understood so far of the open turn.
    pub(super) fn tentative(&mut self, text: String) {
        if let Some(turn) = self.turns.open_turn().filter(|_| !text.is_empty() && self.ending.is_none()) {
            self.show(|| Notice::TentativeTranscript { turn, text });
        }
    }

    /// The caller typed: a turn that needs no recogniser, and that interrupts as speech does.
    pub(super) fn typed(&mut self, now: Instant, text: String) {
        let text = text.trim().to_owned();
        if self.ending.is_some() || text.is_empty() {
            return; // a goodbye is not interrupted
        }
        // What was said before and is not answered yet stays said, though this turn is answered in its place.
        self.interrupt();
        self.flush_user();
        if let Some(spoken) = self.turns.unfinished(now) {
            self.pending_user = Some(spoken);
            self.flush_user();
        }
        self.interrupted = false;
        let turn = self.turns.typed(now, text);
        self.commit(now, turn);
    }

    /// Something that the brain should know: a line of the history that nobody said.
    pub(super) fn context(&mut self, text: String) {
        self.note_event("context", text.clone());
        let known = self.history.iter().filter(|line| line.role == Role::System).count();
        if known >= MOST_CONTEXT
            && let Some(oldest) = self.history.iter().position(|line| line.role == Role::System)
        {
            self.history.remove(oldest);
        }
        self.history.push(Line { role: Role::System, text });
    }

    /// The caller does something: silence counts from now.
    pub(super) fn active(&mut self, now: Instant) {
        self.silence.caller_spoke();
        self.listen(now);
    }

    /// The next sentence of the answer.
    pub(super) fn show_sentence(&mut self, sentence: &str) {
        let Some((utterance, first)) = self.speech.as_ref().map(|speech| (speech.id, speech.sentences.len() == 1))
        else {
            return;
        };
        if first {
            self.show(|| Notice::AgentPart { utterance, part: AnswerPart::Start });
        }
        let part = if first { sentence.to_owned() } else { format!(" {sentence}") };
        self.show(|| Notice::AgentPart { utterance, part: AnswerPart::Delta(part) });
    }

    /// The answer is whole.
    pub(super) fn show_answer(&mut self) {
        if let Some(mut speech) = self.speech.take() {
            self.show_whole(&mut speech);
            self.speech = Some(speech);
        }
    }

    /// What was heard of an answer that was stopped.
    pub(super) fn show_cut(&mut self, speech: &mut Speech, heard: &str) {
        self.show_whole(speech);
        let original = speech.sentences.join(" ");
        if original != heard {
            let utterance = speech.id;
            self.show(|| Notice::Correction { utterance, original, heard: heard.to_owned() });
        }
    }

    fn show_whole(&mut self, speech: &mut Speech) {
        if std::mem::replace(&mut speech.shown, true) {
            return;
        }
        let utterance = speech.id;
        self.show(|| Notice::AgentPart { utterance, part: AnswerPart::Stop });
        let sentences = &speech.sentences;
        self.show(|| Notice::AgentResponse { utterance, text: sentences.join(" ") });
    }

    /// The answer begins to sound: how long it took.
    pub(super) fn show_latency(&mut self, at: Instant) {
        let Some(speech) = self.speech.as_ref().filter(|_| self.screen) else { return };
        if let Some(turn) = &speech.reply_to {
            let (utterance, total, stages) = (speech.id, at.saturating_duration_since(turn.ended), speech.stages(at));
            self.show(|| Notice::Latency { utterance, total, stages });
        }
    }
}
