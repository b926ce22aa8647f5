//! The brain: it is asked, it answers sentence by sentence, it may fail.

use std::time::Instant;

use super::{CallCore, Effect, Note, Thinking};
use crate::ids::TurnId;
use crate::playbook::Decision;
use crate::port::brain::{Ask, BrainEvent, Prompt};
use crate::turn::Committed;

/// Characters of an answer beyond which no more of it is taken: more than three minutes of speech. A model that never ends is none to listen to,
/// and no far end's clock should be left alone with our audio for longer.
const LONGEST_ANSWER: usize = 3_000;

impl CallCore {
    pub(super) fn think(&mut self, now: Instant, turn: TurnId, prompt: Prompt, reply_to: Option<Committed>) {
        if prompt != Prompt::Open {
            self.opening_is_over();
        }
        self.stop_speaking(); // never two utterances at once: a turn that was committed under our own voice ends it
        self.silence.disarm();
        self.state_before = self.state.clone();
        self.decision = None;
        self.tools.next_answer();
        self.filler.arm(now, !self.reads);
        if let (Prompt::Heard { .. }, Some(turn)) = (&prompt, &reply_to)
            && self.take_early(now, turn)
        {
            return;
        }
        self.waste("other_words");
        let ask = Ask { turn, prompt, state: self.state.clone(), history: [].into() };
        self.ask(now, ask, reply_to, 0, now);
    }

    pub(super) fn ask(
        &mut self,
        now: Instant,
        ask: Ask,
        reply_to: Option<Committed>,
        skip: u32,
        committed_at: Instant,
    ) {
        self.asks += 1;
        let number = self.asks;
        self.effects.push_back(Effect::Think { number, ask: ask.clone() });
        let deadline = now + self.answer_limit;
        self.thinking = Some(Thinking {
            number,
            ask,
            received: 0,
            skips: false,
            skip,
            protect: false,
            deadline,
            reply_to,
            committed_at,
            first_token_at: None,
        });
    }

    pub(super) fn brain(&mut self, now: Instant, ask: u32, event: BrainEvent) {
        if self.keep(ask, &event) {
            return;
        }
        let Some(thinking) = self.thinking.as_mut().filter(|thinking| thinking.number == ask) else { return };
        match event {
            BrainEvent::FirstToken => thinking.first_token_at = Some(now),
            BrainEvent::Say(text) => {
                thinking.received += 1;
                let protected = std::mem::take(&mut thinking.protect);
                if thinking.received <= thinking.skip || text.trim().is_empty() {
                    return; // said already, by an attempt whose driver died
                }
                let (reply_to, committed_at) = (thinking.reply_to.clone(), thinking.committed_at);
                self.say(now, text, reply_to, committed_at);
                if let Some(speech) = self.speech.as_mut().filter(|_| protected) {
                    speech.protected.push(speech.sentences.len() - 1);
                }
                self.cut_off_at_length();
            }
            BrainEvent::Protect => thinking.protect = true,
            BrainEvent::State(state) => {
                if self.state.as_ref() != Some(&*state) {
                    self.state = Some(*state.clone());
                    self.hear_in_what_is_spoken();
                    self.effects.push_back(Effect::Note(Note::Progress(state)));
                }
            }
            BrainEvent::Decision(decision) => self.decision = Some(decision),
            BrainEvent::Tool(call) => self.tool(now, call),
            // Only a turn can be left to the caller; a reprompt that says nothing is none.
            BrainEvent::SkipTurn => thinking.skips = thinking.reply_to.is_some(),
        }
    }

    pub(super) fn brain_done(&mut self, now: Instant, ask: u32) {
        if self.kept_all(ask, false) || self.thinking.as_ref().is_none_or(|thinking| thinking.number != ask) {
            return;
        }
        let Some(thinking) = self.thinking.take() else { return };
        if thinking.skips {
            self.note_event("skip_turn", format!("ask {}", thinking.number));
            self.silence.give_time();
        }
        if self.answered() {
            return self.seal();
        }
        let goes_on = self.decision.is_none_or(|decision| decision == Decision::NeedMoreInfo);
        let acted = thinking.skips || self.tools.pressed();
        if goes_on && !acted && self.says_for_the_brain(now, &thinking) {
            return self.seal();
        }
        if self.speech.is_some() {
            return self.seal(); // the filler was the last word
        }
        self.flush_user();
        self.turns.reply_heard();
        self.after_reply(now);
    }

    /// What is said of an answer that does not end is said, and the rest is not asked for.
    fn cut_off_at_length(&mut self) {
        let said =
            self.speech.iter().flat_map(|speech| &speech.sentences).map(|text| text.chars().count()).sum::<usize>();
        let Some(thinking) = self.thinking.take_if(|_| said > LONGEST_ANSWER) else { return };
        self.effects.push_back(Effect::StopThinking);
        self.note_event("answer_cut_off", format!("ask {}, {said} characters", thinking.number));
        self.seal();
    }

    pub(super) fn brain_gave_up(&mut self, now: Instant) {
        let Some(thinking) = self.thinking.take() else { return };
        self.effects.push_back(Effect::StopThinking);
        self.note_event("brain_failed", format!("ask {}", thinking.number));
        if !self.answered() && !self.says_for_the_brain(now, &thinking) {
            self.say(now, self.lines().sorry, thinking.reply_to, thinking.committed_at);
        }
        self.seal();
    }

    /// Where the brain says nothing: a caller who waits hears that he was not understood, one who is silent hears that somebody is there, since a
    /// reprompt that says nothing is none, and one whose call begins is greeted. `false` if there is nothing to say.
    fn says_for_the_brain(&mut self, now: Instant, thinking: &Thinking) -> bool {
        let lines = match thinking.ask.prompt {
            Prompt::Open => vec![(self.greeting.disclosure.clone(), true), (self.greeting.greeting.clone(), false)],
            Prompt::Silence { .. } => vec![(self.lines().there, false)],
            _ => thinking.reply_to.iter().map(|_| (self.lines().sorry, false)).collect(),
        };
        let mut said = false;
        for (line, protected) in lines.into_iter().filter(|(line, _)| !line.is_empty()) {
            self.say(now, line, thinking.reply_to.clone(), thinking.committed_at);
            if let Some(speech) = self.speech.as_mut().filter(|_| protected) {
                speech.protected.push(speech.sentences.len() - 1);
            }
            said = true;
        }
        said
    }
}
