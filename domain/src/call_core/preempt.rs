//! Preemptive generation: the brain is asked as soon as the words of a pause are there, while the silence that ends the turn still runs.
//!
//! ```text
//! words of a pause ─► Think ─► events, kept ─┬─► the turn ends with these words: they are handled as if they came now
//!                      └─► Prepare(1st)      └─► speech goes on, other words, another history: StopThinking, Discard
//! ```
//!
//! The words are those that the recogniser settled, or before that a partial that did not change from one time to the next. An early answer has
//! no effect before its turn is committed: no word of it is said, no tool of it runs, no state of it is taken. What it costs when it is thrown
//! away is counted, one event each. Not begun where more words are likely ([`Ground::is_likely_end`]), nor while anything of ours is said, thought
//! or held.
//!
//! [`Ground::is_likely_end`]: crate::endpointing::Ground::is_likely_end

use std::time::Instant;

use super::{CallCore, Effect, Thinking};
use crate::ids::TurnId;
use crate::port::brain::{Ask, BrainEvent, Prompt};
use crate::slot::words::split;
use crate::turn::Committed;

/// Events of an early answer that are kept: a longer answer waits for its turn to end.
const MOST_EVENTS: usize = 64;
/// Early answers to one turn that may be thrown away; a caller who pauses after every word would cost an answer each.
const MOST_WASTED: u32 = 2;

/// Whether and what is asked before its time.
#[derive(Debug, Clone)]
pub(super) struct Preempt {
    /// `PREEMPTIVE_GENERATION`.
    on: bool,
    early: Option<Early>,
    /// The words of the last partial.
    partial: Vec<String>,
    /// Of the turn named, so many answers were thrown away.
    wasted: (TurnId, u32),
}

/// An answer to words that may not be the turn's last.
#[derive(Debug, Clone)]
struct Early {
    number: u32,
    ask: Ask,
    words: Vec<String>,
    /// Lines of the history that it was asked with.
    lines: usize,
    events: Vec<BrainEvent>,
    done: bool,
    /// Its first sentence is with the voice.
    prepared: bool,
}

impl Preempt {
    pub(super) fn new(on: bool) -> Self {
        Self { on, early: None, partial: Vec::new(), wasted: (TurnId(0), 0) }
    }
}

impl CallCore {
    /// The words of a pause may be there: asks early, if they are likely to be all.
    pub(super) fn words_settled(&mut self) {
        let Some((turn, text, confidence)) = self.turns.likely_over() else { return };
        let text = text.to_owned();
        self.ask_early(turn, text, confidence);
    }

    /// Words that may still change. In a pause, if they did not: asks early, if they are likely to be all.
    pub(super) fn words_so_far(&mut self, text: &str) {
        let words = split(text);
        let stable = self.preempt.partial == words;
        self.preempt.partial = words;
        let Some(turn) = self.turns.unsettled().filter(|_| stable) else { return };
        self.expect_answer();
        if self.turns.endpointing().wait(text, None).ground.is_likely_end() {
            self.ask_early(turn, text.to_owned(), None);
        }
    }

    fn ask_early(&mut self, turn: TurnId, text: String, confidence: Option<f32>) {
        let words = split(&text);
        if self.preempt.early.as_ref().is_some_and(|early| early.ask.turn == turn && early.words == words) {
            return;
        }
        self.waste("other_words");
        let busy = self.thinking.is_some()
            || self.speech.is_some()
            || self.cutting.is_some()
            || self.ending.is_some()
            || self.pending_user.is_some()
            || self.barge_in.is_holding()
            || self.greets(); // a hello is answered by the greeting
        let spent = self.preempt.wasted.0 == turn && self.preempt.wasted.1 >= MOST_WASTED;
        if !self.preempt.on || busy || spent || words.is_empty() {
            return;
        }
        self.asks += 1;
        let number = self.asks;
        let prompt = Prompt::Heard { text, confidence };
        let ask = Ask { turn, prompt, state: self.state.clone(), history: [].into() };
        self.effects.push_back(Effect::Think { number, ask: ask.clone() });
        let lines = self.history.len();
        self.preempt.early =
            Some(Early { number, ask, words, lines, events: Vec::new(), done: false, prepared: false });
    }

    /// Keeps what the brain says to an early question; `false` if it was asked another.
    pub(super) fn keep(&mut self, ask: u32, event: &BrainEvent) -> bool {
        let Some(early) = self.preempt.early.as_mut().filter(|early| early.number == ask) else { return false };
        if early.events.len() == MOST_EVENTS {
            self.waste("too_long");
            return true;
        }
        early.events.push(event.clone());
        if let BrainEvent::Say(text) = event
            && !std::mem::replace(&mut early.prepared, true)
            && !self.reads
        {
            self.effects.push_back(Effect::Prepare(text.clone()));
        }
        true
    }

    /// The brain has no more to say to an early question, or has failed on it; `false` if it was asked another.
    pub(super) fn kept_all(&mut self, ask: u32, failed: bool) -> bool {
        let Some(early) = self.preempt.early.as_mut().filter(|early| early.number == ask) else { return false };
        early.done = true;
        if failed {
            self.waste("failed");
        }
        true
    }

    /// The turn is over: takes the early answer, if there is one to its words. `true` if there was.
    pub(super) fn take_early(&mut self, now: Instant, reply_to: &Committed) -> bool {
        let fits = |early: &Early| {
            early.ask.turn == reply_to.turn
                && early.words == split(&reply_to.text)
                && early.lines == self.history.len()
                && early.ask.state == self.state
        };
        if !self.preempt.early.as_ref().is_some_and(fits) {
            self.waste("other_words");
            return false;
        }
        let Some(Early { number, ask, events, done, .. }) = self.preempt.early.take() else { return false };
        self.note_event("preemptive_used", cost(number, &events));
        self.thinking = Some(Thinking {
            number,
            ask,
            received: 0,
            skip: 0,
            skips: false,
            protect: false,
            deadline: now + self.answer_limit,
            reply_to: Some(reply_to.clone()),
            committed_at: now,
            first_token_at: None,
        });
        for event in events {
            self.brain(now, number, event);
        }
        if done {
            self.brain_done(now, number);
        }
        true
    }

    /// Throws an early answer away.
    pub(super) fn waste(&mut self, why: &'static str) {
        let Some(early) = self.preempt.early.take() else { return };
        let turn = early.ask.turn;
        let before = if self.preempt.wasted.0 == turn { self.preempt.wasted.1 } else { 0 };
        self.preempt.wasted = (turn, before + 1);
        self.note_event("preemptive_wasted", format!("{why}: {}", cost(early.number, &early.events)));
        if !early.done {
            self.effects.push_back(Effect::StopThinking);
        }
        if early.prepared && !self.reads {
            self.effects.push_back(Effect::Discard);
        }
    }
}

/// What an early answer has cost so far: an ask to the brain, and the characters of its sentences, of which the voice had the first.
fn cost(number: u32, events: &[BrainEvent]) -> String {
    let said = events.iter().filter_map(|event| if let BrainEvent::Say(text) = event { Some(text) } else { None });
    format!("ask {number}, {} characters", said.map(|text| text.chars().count()).sum::<usize>())
}
