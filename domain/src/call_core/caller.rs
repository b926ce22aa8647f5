//! The caller: speech begins, lasts and ends; a turn is committed, or taken up again.

use std::time::{Duration, Instant};

use super::{CallCore, Effect, Note};
use crate::endpointing::{Ground, Wait};
use crate::playbook::{Decision, Ending, PlaybookState};
use crate::port::brain::Prompt;
use crate::port::dialect::Notice;
use crate::record::EndReason;
use crate::turn::{Committed, TurnAction};

/// Sounds shorter than this in which no word was found are noise, not an answer that we missed.
const SHORTEST_WORD: Duration = Duration::from_millis(600);

impl CallCore {
    pub(super) fn speech_started(&mut self, at: u64, began: Instant) {
        if self.ending.is_some() {
            return; // a goodbye is not interrupted
        }
        self.silence.sound_began();
        self.waste("went_on");
        let speaking = self.agent_speaking();
        self.barge_in.speech_again();
        if let Some(TurnAction::Reopen(_)) = self.turns.speech_started(at, began, speaking) {
            self.take_back();
        }
        self.speech_before_greeting(began);
    }

    /// The caller went on before our reply was heard: forget the reply.
    pub(super) fn take_back(&mut self) {
        self.pending_user = None;
        if self.state != self.state_before {
            self.state = self.state_before.clone();
            self.hear_in_what_is_spoken();
            self.effects.extend(self.state.clone().map(|state| Effect::Note(Note::Progress(Box::new(state)))));
        }
        self.decision = None;
        if self.thinking.take().is_some() {
            self.effects.push_back(Effect::StopThinking);
        }
        self.stop_speaking();
    }

    pub(super) fn speech_sustained(&mut self, now: Instant) {
        if self.ending.is_some() {
            return;
        }
        self.turns.speech_sustained();
        if self.turns.caller_speaking() && self.agent_speaking() {
            self.overlapped(now);
        }
    }

    /// The caller has the floor.
    pub(super) fn interrupt(&mut self) {
        self.interrupted = true;
        if self.thinking.take().is_some() {
            self.effects.push_back(Effect::StopThinking);
        }
        self.stop_speaking();
    }

    pub(super) fn turn_action(&mut self, now: Instant, action: Option<TurnAction>) {
        match action {
            Some(TurnAction::Transcribe { turn, from, to }) => {
                self.effects.push_back(Effect::Transcribe { turn, from, to });
                if self.judges_turns {
                    self.effects.push_back(Effect::JudgeTurn { turn, from, to });
                }
            }
            Some(TurnAction::Commit(turn)) => {
                self.note_endpoint();
                self.commit(now, turn);
            }
            Some(TurnAction::Reopen(_)) => self.take_back(),
            None => {}
        }
    }

    /// Tells the endpointing what the caller's words answer.
    pub(super) fn expect_answer(&mut self) {
        let expects = self.state.as_ref().and_then(|state| state.expects.as_deref().cloned());
        self.turns.endpointing().expect(expects);
    }

    /// Why the turn ended sooner or later than a plain one.
    fn note_endpoint(&mut self) {
        if let Some(Wait { silence, ground }) = self.turns.ended_by()
            && ground != Ground::Plain
        {
            self.note_event("endpoint", format!("{} {} ms", ground.name(), silence.as_millis()));
        }
    }

    pub(super) fn commit(&mut self, now: Instant, turn: Committed) {
        if self.greeting_answers(now, &turn) {
            return;
        }
        let interrupted = std::mem::take(&mut self.interrupted);
        if turn.text.is_empty() {
            if (turn.speech < SHORTEST_WORD && !interrupted) || self.is_protected() {
                self.turns.drop_turn();
                self.listen(now);
                return;
            }
            if !self.doubts(now, &turn) {
                self.silence.caller_spoke();
                self.think(now, turn.turn, Prompt::Unheard, Some(turn));
            }
            return;
        }
        if self.only_listens(&turn.text) {
            self.waste("only_listens");
            self.note_event("backchannel", turn.text); // its words came after our voice had gone on
            self.turns.drop_turn();
            return;
        }
        if self.is_protected() {
            return self.postpone(turn);
        }
        if self.doubts(now, &turn) {
            return;
        }
        self.silence.caller_spoke();
        self.flush_user(); // a typed turn that nobody will answer any more: it was said all the same
        let (number, text) = (turn.turn, turn.text.clone());
        self.show(|| Notice::UserTranscript { turn: number, text });
        let prompt = Prompt::Heard { text: turn.text.clone(), confidence: turn.confidence };
        self.pending_user = Some(turn.clone());
        self.think(now, turn.turn, prompt, Some(turn));
    }

    /// If nothing is being said or thought: ends the call if that was decided, else the caller's silence counts.
    pub(super) fn listen(&mut self, now: Instant) {
        if self.speech.is_some() || self.thinking.is_some() || self.ending.is_some() {
            return;
        }
        if self.turns.is_open() {
            return self.silence.playback_ended_under_a_sound(now);
        }
        match self.decision {
            Some(Decision::ThankYouResponse) => {
                let unanswered = self.state.as_ref().and_then(PlaybookState::ending) == Some(Ending::Silence);
                self.end(if unanswered { EndReason::Silence } else { EndReason::Completed });
            }
            Some(Decision::HandoverToHuman) => self.end(EndReason::Handover),
            Some(Decision::NeedMoreInfo) | None => self.silence.playback_ended(now),
        }
    }
}
