//! Our voice: what is said, what was heard of it, and what of that goes into the history.

use std::time::{Duration, Instant};

use super::{CallCore, Effect, Note, Response, Speech};
use crate::ids::UtteranceId;
use crate::ledger::{Heard, heard_text};
use crate::transcript::{Line, Role};
use crate::turn::Committed;

impl CallCore {
    pub(super) fn say(&mut self, now: Instant, text: String, reply_to: Option<Committed>, committed_at: Instant) {
        let first_token_at = self.thinking.as_ref().and_then(|thinking| thinking.first_token_at);
        if self.speech.is_none() {
            self.turns.endpointing().utterance_begins();
        }
        if self.state.is_none() {
            self.turns.endpointing().said(&text); // a playbook tells what it asks for; a model only says it
        }
        let speech = self.speech.get_or_insert_with(|| {
            self.utterances += 1;
            Speech {
                id: UtteranceId(self.utterances),
                reply_to,
                sentences: Vec::new(),
                committed_at,
                first_token_at,
                first_sentence_at: now,
                first_audio_at: None,
                fillers: 0,
                protected: Vec::new(),
                shown: false,
            }
        });
        let sentence = speech.sentences.len() as u32;
        speech.sentences.push(text.clone());
        let utterance = speech.id;
        self.show_sentence(&text);
        self.effects.push_back(Effect::Speak { utterance, sentence, text });
        self.hold_greeting();
    }

    pub(super) fn seal(&mut self) {
        self.show_answer();
        if let Some(speech) = &self.speech {
            self.effects.push_back(Effect::Seal { utterance: speech.id, sentences: speech.sentences.len() as u32 });
        }
    }

    pub(super) fn first_audio(&mut self, now: Instant, utterance: UtteranceId) {
        let Some(speech) = self.speech.as_mut().filter(|speech| speech.id == utterance) else { return };
        if speech.first_audio_at.is_some() {
            return; // a new pump says it again
        }
        speech.first_audio_at = Some(now);
        self.show_latency(now);
        self.flush_user();
        self.turns.reply_heard();
        let over_caller = self.begins_over_caller();
        self.opening_is_over();
        match (over_caller, self.is_protected()) {
            (true, true) => self.look_again(now),
            (true, false) => self.interrupt(), // the caller began before our first sample, and has not stopped
            (false, _) => {}
        }
    }

    pub(super) fn spoken(&mut self, now: Instant, utterance: UtteranceId, heard: &Heard) {
        let Some(speech) = self.speech.take_if(|speech| speech.id == utterance) else { return };
        let heard = self.heard_of(&speech, heard);
        self.flush_user();
        self.turns.reply_heard();
        self.barge_in.heard_out(now);
        self.respond(now, &speech, heard, false);
        self.after_reply(now);
    }

    /// Our answer is complete, in the caller's ear.
    pub(super) fn after_reply(&mut self, now: Instant) {
        match (&self.ending, self.postponed.take()) {
            (Some((reason, _)), postponed) => {
                let reason = reason.clone();
                self.pending_user = self.pending_user.take().or(postponed);
                self.end(reason);
            }
            (None, Some(turn)) => self.commit(now, turn),
            (None, None) => self.listen(now),
        }
    }

    pub(super) fn cut(&mut self, now: Instant, heard: &Heard) {
        let Some(mut speech) = self.cutting.take() else { return };
        let text = self.heard_of(&speech, heard);
        self.show_cut(&mut speech, &text);
        let unspoken = self.history.iter().all(|line| line.role != Role::Agent);
        if text.is_empty() && unspoken && speech.reply_to.is_none() {
            // Of the opening nobody heard a word: it is said with the answer.
            (self.state, self.state_before) = (None, None);
            if let Some(thinking) = &mut self.thinking {
                thinking.ask.state = None;
            }
        }
        if speech.first_audio_at.is_some() || heard.samples > 0 || self.reads {
            if !self.is_over() && !self.reads {
                self.note_event(
                    "interruption",
                    format!("heard {} of {} characters", text.len(), speech.sentences.join(" ").len()),
                );
                self.decision = None; // what the caller says now may change it
            }
            self.respond(now, &speech, text, !self.reads);
        }
        if self.is_over() {
            self.close();
        } else {
            self.listen(now); // who was cut by a key has nobody to answer
        }
    }

    /// What the caller has of an utterance.
    pub(super) fn heard_of(&self, speech: &Speech, heard: &Heard) -> String {
        if self.reads { speech.sentences.join(" ") } else { heard_text(&speech.sentences, heard) }
    }

    pub(super) fn stop_speaking(&mut self) {
        self.barge_in.forget();
        self.protected_until = None;
        if let Some(speech) = self.speech.take() {
            self.cutting = Some(speech);
            self.effects.push_back(Effect::Cut);
        }
    }

    /// Writes an utterance into the history and the notes.
    pub(super) fn respond(&mut self, now: Instant, speech: &Speech, heard: String, interrupted: bool) {
        // The turn it answers comes before it; one that was committed under our own voice comes with its own answer.
        if self.pending_user.as_ref().map(|turn| turn.turn) == speech.reply_to.as_ref().map(|turn| turn.turn) {
            self.flush_user();
        }
        if !heard.is_empty() {
            self.history.push(Line { role: Role::Agent, text: heard.clone() });
        }
        let at = speech.first_audio_at.unwrap_or(now);
        let stages = speech.stages(at);
        self.effects.push_back(Effect::Note(Note::AgentResponse(Response {
            utterance: speech.id,
            turn: speech.reply_to.as_ref().map(|turn| turn.turn),
            text: speech.sentences.join(" "),
            heard,
            interrupted,
            at,
            latency: speech.reply_to.as_ref().map(|turn| at.saturating_duration_since(turn.ended)),
            stages,
        })));
    }

    pub(super) fn flush_user(&mut self) {
        if let Some(turn) = self.pending_user.take() {
            self.history.push(Line { role: Role::User, text: turn.text.clone() });
            self.effects.push_back(Effect::Note(Note::UserTurn(turn)));
        }
    }
}

impl Speech {
    /// What the time from the end of the caller's speech to the first sample, at `at`, was spent on. Nothing, if it answers nobody.
    pub(super) fn stages(&self, at: Instant) -> Vec<(&'static str, Duration)> {
        self.reply_to.as_ref().map_or_else(Vec::new, |turn| {
            let endpoint = turn.endpoint.min(self.committed_at);
            // Each stage ends where the next begins, so that they add up.
            let begun = self.first_token_at.filter(|_| self.fillers == 0); // a model that began before its filler had no sentence yet
            let thought = begun.map(|token| ("llm_first_token", token.saturating_duration_since(self.committed_at)));
            let sentence = if self.fillers > 0 { "filler" } else { "llm_first_sentence" };
            let from = begun.unwrap_or(self.committed_at);
            let before = [
                ("endpointing", endpoint.saturating_duration_since(turn.ended)),
                ("stt_final", self.committed_at.saturating_duration_since(endpoint)),
            ];
            let after = [
                (sentence, self.first_sentence_at.saturating_duration_since(from)),
                ("tts_first_audio", at.saturating_duration_since(self.first_sentence_at)),
            ];
            before.into_iter().chain(thought).chain(after).collect()
        })
    }
}
