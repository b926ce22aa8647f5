//! The first words: our greeting is held back while the other side has the first word, and a bare "hello?" neither stops nor repeats it.
//!
//! ```text
//! Think(open) ─► Speak, Hold ─► (the voice makes the greeting) ─► Resume(opening) ─► FirstAudio     no time is lost by waiting
//!      └─ nobody has to be waited for ─► Speak ─► FirstAudio
//! ```
//!
//! Place: drives [`crate::opening`], which knows when. What is said here is what becomes of the other side's words meanwhile:
//!
//! | they say                                   | inbound                                        | outbound                            |
//! |--------------------------------------------|------------------------------------------------|-------------------------------------|
//! | "hello?" before or over the greeting       | nothing; the greeting is said, or goes on      | nothing; the greeting is said       |
//! | more, before our first word                | greeted and answered at once                   | on record; the greeting answers it  |
//! | more, over the greeting                    | the barge-in arbiter's                         | the barge-in arbiter's              |

use std::time::Instant;

use super::{CallCore, Effect};
use crate::aside::Aside;
use crate::barge_in::{Ground, Ruling};
use crate::greeting;
use crate::ids::{TurnId, UtteranceId};
use crate::ledger::Heard;
use crate::opening::Opening;
use crate::port::brain::Prompt;
use crate::port::stt::Covers;
use crate::record::Direction;
use crate::turn::Committed;

/// A call's first utterance: the greeting, unless the caller was answered before it.
const FIRST: UtteranceId = UtteranceId(1);

/// How the first words stand.
#[derive(Debug)]
pub(super) struct FirstWords {
    pub(super) opening: Opening,
    /// The greeting is made and held back.
    held: bool,
    /// The callee's turn that the greeting waited for.
    awaited: Option<TurnId>,
    /// It begins over a sound that does not end: that sound does not stop it.
    over_noise: bool,
}

impl FirstWords {
    pub(super) fn new(direction: Direction) -> Self {
        Self { opening: Opening::new(direction), held: false, awaited: None, over_noise: false }
    }
}

impl CallCore {
    /// We placed this call: the other side has the first word.
    pub fn outbound(mut self) -> Self {
        self.first_words = FirstWords::new(Direction::Outbound);
        self
    }

    /// With these first words where the brain has none.
    #[must_use]
    pub fn greeting(self, greeting: greeting::FirstWords) -> Self {
        Self { greeting, ..self }
    }

    /// Whether the greeting is being made, held back or spoken.
    pub(super) fn greets(&self) -> bool {
        let thought = self.thinking.as_ref().is_some_and(|thinking| thinking.ask.prompt == Prompt::Open);
        let spoken = self.speech.as_ref().is_some_and(|speech| speech.id == FIRST && speech.reply_to.is_none());
        self.ending.is_none() && (thought || spoken)
    }

    /// Whether it waits for the other side.
    pub(super) fn greeting_waits(&self) -> bool {
        self.first_words.opening.is_waiting() && self.greets()
    }

    /// The other side began to speak.
    pub(super) fn speech_before_greeting(&mut self, began: Instant) {
        if self.reads || self.agent_speaking() || !self.greets() {
            return;
        }
        self.first_words.opening.speech_started(began);
        if self.first_words.opening.direction() == Direction::Outbound {
            self.first_words.awaited = self.turns.open_turn();
        }
        self.hold_greeting();
    }

    /// Has the voice make the greeting without a sound of it, if it is to wait.
    pub(super) fn hold_greeting(&mut self) {
        if self.greeting_waits() && self.speech.is_some() && !std::mem::replace(&mut self.first_words.held, true) {
            self.effects.push_back(Effect::Hold);
        }
    }

    /// It stands still; `true` if that is all there is to say about it.
    pub(super) fn greeting_held(&mut self, now: Instant, heard: &Heard) -> bool {
        if self.barge_in.is_holding() || !self.first_words.held {
            return false;
        }
        if heard.samples > 0 {
            self.open_up(now); // it had begun to sound: from here on it is the arbiter's
        }
        true
    }

    /// The other side has stopped.
    pub(super) fn speech_before_greeting_ended(&mut self, now: Instant, ended: Instant) {
        if self.greeting_waits() {
            self.first_words.opening.speech_ended(ended);
            if !self.greeting_waits() {
                self.open_up(now);
            }
        }
    }

    /// Lets a greeting go that has waited long enough.
    pub(super) fn open_in_time(&mut self, now: Instant) {
        if self.opening_due().is_some_and(|due| due <= now) {
            self.first_words.over_noise = self.turns.caller_speaking();
            self.open_up(now);
        }
    }

    /// Whether a voice that begins now begins over somebody who has the floor.
    pub(super) fn begins_over_caller(&self) -> bool {
        self.turns.is_sustained() && !(self.greets() && self.first_words.over_noise)
    }

    /// When the greeting is due, if it waits. Not while the other side is saying something: that is a turn, which ends by itself.
    pub(super) fn opening_due(&self) -> Option<Instant> {
        let words = self.turns.words();
        let says_something = !words.is_empty() && !Aside::is_hello(words);
        self.first_words.opening.poll_timeout().filter(|_| self.greeting_waits() && !says_something)
    }

    /// The greeting may sound.
    pub(super) fn open_up(&mut self, now: Instant) {
        self.first_words.opening.open();
        if std::mem::take(&mut self.first_words.held) {
            self.effects.push_back(Effect::Resume(Ground::Opening));
        }
        self.filler.arm(now, !self.reads);
    }

    /// Something else is said in the greeting's place.
    pub(super) fn opening_is_over(&mut self) {
        self.first_words.opening.open();
        self.first_words.held = false;
    }

    /// A bare hello over the greeting, while the arbiter holds it: the greeting goes on. `true` if the words are dealt with.
    pub(super) fn hello_over_greeting(&mut self, turn: TurnId, to: u64, text: &str, covers: Covers) -> bool {
        if !self.barge_in.is_holding() || !self.greets() || !self.turns.asked_about(turn, to) {
            return false;
        }
        let text = match covers {
            Covers::WholeTurn => text.to_owned(),
            Covers::SinceLastFinal => format!("{} {text}", self.turns.words()),
        };
        if !Aside::is_hello(&text) {
            return false;
        }
        let is_echo = self.barge_in.is_echo(&text, &self.own_words()); // of the greeting's own
        self.barge_in.forget();
        self.ruled(Ruling::Resume(if is_echo { Ground::Echo } else { Ground::Backchannel }), &text);
        self.turns.drop_turn();
        true
    }

    /// Words so far over the greeting: a bare hello is nothing for the arbiter.
    pub(super) fn may_be_hello(&self, text: &str) -> bool {
        self.greets() && Aside::is_hello(text)
    }

    /// The first of two hellos is settled while the second is being said: nothing for the arbiter either.
    pub(super) fn may_go_on_as_hello(&self, turn: TurnId, to: u64, text: &str) -> bool {
        !self.turns.asked_about(turn, to) && self.may_be_hello(text)
    }

    /// A turn that is over while we greet; `true` if the greeting is the answer to it.
    pub(super) fn greeting_answers(&mut self, now: Instant, turn: &Committed) -> bool {
        if !self.greets() || self.interrupted || turn.typed {
            return false;
        }
        let awaited = self.first_words.awaited == Some(turn.turn);
        let hello = turn.text.is_empty() || Aside::is_hello(&turn.text);
        if !(awaited || hello) {
            return false;
        }
        self.turns.drop_turn();
        if hello {
            self.note_event("backchannel", turn.text.clone());
        } else {
            self.silence.caller_spoke();
            self.pending_user = Some(turn.clone());
            self.flush_user();
        }
        if self.greeting_waits() {
            self.open_up(now);
        }
        true
    }
}
