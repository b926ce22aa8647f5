//! The one brain of a call: all truth, no IO.
//!
//! It takes one ordered stream of inputs `(now, input)` and returns effects and the next deadline. The `call` actor owns it and serialises its
//! inputs; every other actor of the call is a driver around IO. So a driver that dies loses no truth: the core says again what is still to be
//! done, and what was heard stays heard.
//!
//! Composed of smaller machines: [`Turns`] (when the caller's turn is over), [`SilenceLadder`] (what to do when nobody speaks), the
//! [`opening`](crate::opening) (who has the first word) and the [`ledger`](crate::ledger) (what was heard). What it does not do: pace audio ([`crate::playout`]), choose words
//! ([`crate::port::brain::Brain`]), or look at a clock.
//!
//! ```text
//! speech ends ─► Transcribe ─► turn committed ─► Think ─► Say… ─► Speak… ─► FirstAudio ─► Spoken ─► silence ladder
//!                                                                    └─ caller speaks 200 ms ─► Cut ─► ledger
//! ```

mod brain;
mod caller;
mod doubt;
mod ending;
mod filler;
mod floor;
mod io;
mod lines;
mod opening;
mod preempt;
mod screen;
mod tools;
mod voice;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::agent::{Timing, Uncertainty};
use crate::barge_in::{BargeIn, Lexicon, List, Patience};
use crate::endpointing::Endpointing;
use crate::greeting::FirstWords;
use crate::ids::{TurnId, UtteranceId};
use crate::playbook::{Decision, PlaybookState};
use crate::port::brain::{Ask, Prompt};
use crate::record::{Direction, EndReason};
use crate::silence::{SilenceAction, SilenceLadder};
use crate::transcript::Line;
use crate::turn::{Committed, Turns};

pub use io::{Effect, Input, Lines, Note, Part, Response};

/// Keys of a call that are kept: a stuck key, or a hostile one, must not fill the record.
const MOST_KEYS: u32 = 256;

#[derive(Debug, Clone)]
struct Thinking {
    number: u32,
    ask: Ask,
    /// Sentences received from this ask.
    received: u32,
    /// The turn stays with the caller.
    skips: bool,
    /// Sentences that an earlier, broken attempt at the same ask gave already.
    skip: u32,
    /// The next sentence is protected.
    protect: bool,
    deadline: Instant,
    reply_to: Option<Committed>,
    committed_at: Instant,
    /// When the model began to answer.
    first_token_at: Option<Instant>,
}

#[derive(Debug, Clone)]
struct Speech {
    id: UtteranceId,
    reply_to: Option<Committed>,
    sentences: Vec<String>,
    committed_at: Instant,
    first_token_at: Option<Instant>,
    first_sentence_at: Instant,
    first_audio_at: Option<Instant>,
    /// So many sentences at its beginning only say that the answer is coming.
    fillers: usize,
    /// The sentences that have to be heard.
    protected: Vec<usize>,
    /// The whole of it was shown.
    shown: bool,
}

/// The core of one call.
#[derive(Debug)]
pub struct CallCore {
    lines: Lines,
    /// Said where the brain opens with nothing.
    greeting: FirstWords,
    turns: Turns,
    /// A model is asked at each pause whether the turn is over.
    judges_turns: bool,
    barge_in: BargeIn,
    /// Lists of words that the program brought ([`CallCore::hearing_by`]).
    lists: Vec<List>,
    /// The language in which words are understood at present.
    heard_in: String,
    /// A key ends our speech.
    keys_interrupt: bool,
    silence: SilenceLadder,
    max_duration: Duration,
    answer_limit: Duration,
    filler: filler::Filler,
    preempt: preempt::Preempt,
    first_words: opening::FirstWords,
    doubt: doubt::Doubt,
    started: Option<Instant>,
    /// The brain knows that the call ends soon.
    hurried: bool,
    history: Vec<Line>,
    state: Option<PlaybookState>,
    /// The state before the turn that is being answered: restored when the caller goes on.
    state_before: Option<PlaybookState>,
    decision: Option<Decision>,
    /// A committed turn whose answer nobody has heard yet.
    pending_user: Option<Committed>,
    thinking: Option<Thinking>,
    speech: Option<Speech>,
    /// Speech that was stopped; what was heard of it is not known yet.
    cutting: Option<Speech>,
    /// The caller interrupted us and has not been answered since.
    interrupted: bool,
    /// What was said over a passage that has to be heard: answered behind it.
    postponed: Option<Committed>,
    /// The caller speaks over such a passage, which ends then.
    protected_until: Option<Instant>,
    asks: u32,
    utterances: u32,
    keys: u32,
    /// The far end can show what happens.
    screen: bool,
    /// The far end reads instead of listening: what was shown is what was heard.
    reads: bool,
    tools: tools::Tools,
    /// A goodbye is being said; the call ends when it was heard, or at the instant.
    ending: Option<(EndReason, Instant)>,
    over: Option<EndReason>,
    closed: bool,
    effects: VecDeque<Effect>,
}

impl CallCore {
    /// A call with this patience, before its leg is up.
    pub fn new(timing: &Timing, lines: Lines) -> Self {
        Self {
            turns: Turns::new(Endpointing::new(timing, &lines.language)),
            judges_turns: timing.end_of_turn_model,
            barge_in: BargeIn::new(Patience::default(), Lexicon::of(&lines.language)),
            keys_interrupt: timing.interrupt_on_dtmf,
            lists: Vec::new(),
            heard_in: lines.language.clone(),
            lines,
            greeting: FirstWords::default(),
            silence: SilenceLadder::new(timing.turn_after_silence, timing.end_after_silence),
            max_duration: timing.max_duration,
            answer_limit: timing.answer_limit,
            filler: filler::Filler::new(timing.soft_timeout),
            preempt: preempt::Preempt::new(timing.preemptive_generation),
            first_words: opening::FirstWords::new(Direction::Inbound),
            doubt: doubt::Doubt::new(Uncertainty::default()),
            started: None,
            hurried: false,
            history: Vec::new(),
            state: None,
            state_before: None,
            decision: None,
            pending_user: None,
            thinking: None,
            speech: None,
            cutting: None,
            interrupted: false,
            postponed: None,
            protected_until: None,
            asks: 0,
            utterances: 0,
            keys: 0,
            screen: false,
            reads: false,
            tools: tools::Tools::default(),
            ending: None,
            over: None,
            closed: false,
            effects: VecDeque::new(),
        }
    }

    /// The playbook's state, as the last answer left it.
    pub fn state(&self) -> Option<&PlaybookState> {
        self.state.as_ref()
    }

    /// The last decision.
    pub fn decision(&self) -> Option<Decision> {
        self.decision
    }

    /// The conversation as it was heard.
    pub fn history(&self) -> &[Line] {
        &self.history
    }

    /// Whether the agent's voice is in the caller's ear.
    pub fn agent_speaking(&self) -> bool {
        self.speech.as_ref().is_some_and(|speech| speech.first_audio_at.is_some())
    }

    /// The utterance that is being spoken or synthesised.
    pub fn utterance(&self) -> Option<UtteranceId> {
        self.speech.as_ref().map(|speech| speech.id)
    }

    /// The sentences of [`Self::utterance`] that nobody's speech holds: what is in one of them is not held by [`Effect::Hold`]. None before it
    /// sounds, for a greeting may wait for the other side's first word.
    pub fn protected_sentences(&self) -> &[usize] {
        self.speech.as_ref().filter(|speech| speech.first_audio_at.is_some()).map_or(&[], |speech| &speech.protected)
    }

    /// Whether the caller speaks, or has spoken and was not answered yet.
    pub fn turn_is_open(&self) -> bool {
        self.turns.is_open()
    }

    /// Whether the caller is speaking.
    pub fn caller_speaking(&self) -> bool {
        self.turns.caller_speaking()
    }

    /// Whether the call is over: nothing is heard or said any more.
    pub fn is_over(&self) -> bool {
        self.over.is_some()
    }

    /// The next thing to do; call until `None` after every input.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        let mut effect = self.effects.pop_front()?;
        if let Effect::Think { number, ask } = &mut effect {
            if let Some(thinking) = self.thinking.as_ref().filter(|thinking| thinking.number == *number) {
                ask.state.clone_from(&thinking.ask.state); // of a greeting that was cut before a word of it was heard nothing is left
            }
            ask.history = self.history.as_slice().into(); // with what a cut before it has shown
        }
        Some(effect)
    }

    /// When [`Input::Tick`] is next due, and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        if self.is_over() {
            return None;
        }
        if let Some((_, give_up)) = &self.ending {
            return Some((*give_up, "goodbye"));
        }
        let longest = self.time_up().map(|at| (at, "max_duration"));
        let soon = self.time_short().map(|at| (at, "time_short"));
        let turn = self.turns.poll_timeout().map(|at| (at, "endpoint"));
        let thinking = self.thinking.as_ref().map(|thinking| (thinking.deadline, "thinking"));
        let silence = self.silence.poll_timeout().map(|at| (at, "silence"));
        let tools = self.tools.poll_timeout().map(|at| (at, "tool"));
        let filler = self.filler_due().map(|at| (at, "filler"));
        let held = self.barge_in.poll_timeout().or(self.protected_until).map(|at| (at, "barge_in"));
        let opening = self.opening_due().map(|at| (at, "opening"));
        [longest, soon, held, opening, turn, thinking, filler, silence, tools]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at)
    }

    /// Takes one input. Total: any input in any state is handled, late and stale ones have no effect.
    pub fn handle(&mut self, now: Instant, input: Input) {
        if self.is_over() {
            if let Input::Cut(heard) = input {
                self.cut(now, &heard);
            }
            return;
        }
        let held = self.barge_in.is_holding();
        match input {
            Input::Started => {
                self.started = Some(now);
                self.first_words.opening.started(now, self.reads);
                self.think(now, TurnId(0), Prompt::Open, None);
            }
            Input::SpeechStarted { at, began } => self.speech_started(at, began),
            Input::Loudness(loudness) => self.loudness(now, loudness),
            Input::SpeechSustained => self.speech_sustained(now),
            Input::SpeechEnded { ended, .. } if self.barge_in.is_own_voice(ended) && self.turns.is_first_stretch() => {
                self.turns.drop_turn(); // nobody is asked for its words
                self.listen(now);
            }
            Input::SpeechEnded { to, ended } => {
                let speaking = self.agent_speaking();
                self.barge_in.speech_ended(ended);
                let action = self.turns.speech_ended(now, to, ended, speaking);
                self.turn_action(now, action);
                self.speech_before_greeting_ended(now, ended);
                if !self.turns.is_open() {
                    self.listen(now);
                }
            }
            Input::Transcript { turn, to, ref text, covers, .. }
                if self.hello_over_greeting(turn, to, text, covers) =>
            {
                self.listen(now);
            }
            Input::Transcript { turn, to, ref text, confidence, covers }
                if !self.may_go_on_as_hello(turn, to, text)
                    && self.weigh(now, floor::Words { turn, to, text, confidence, covers }) =>
            {
                self.listen(now);
            }
            Input::Transcript { turn, to, text, confidence, covers } => {
                self.expect_answer();
                let action = self.turns.transcript(now, turn, to, &text, confidence, covers);
                self.turn_action(now, action);
                self.words_settled();
            }
            Input::EndOfTurn { turn, to, probability } => {
                let action = self.turns.judged(now, turn, to, probability);
                self.turn_action(now, action);
                self.words_settled();
            }
            Input::Brain { ask, event } => self.brain(now, ask, event),
            Input::BrainDone { ask } => self.brain_done(now, ask),
            Input::BrainFailed { ask } => {
                if !self.kept_all(ask, true) && self.thinking.as_ref().is_some_and(|thinking| thinking.number == ask) {
                    self.brain_gave_up(now);
                }
            }
            Input::FirstAudio(utterance) => self.first_audio(now, utterance),
            Input::Spoken(utterance, heard) => self.spoken(now, utterance, &heard),
            Input::Cut(heard) => self.cut(now, &heard),
            Input::Held(heard) if self.greeting_held(now, &heard) => {}
            Input::Held(heard) => self.held(now, &heard),
            Input::Dtmf(digit) if self.keys < MOST_KEYS => {
                self.keys += 1;
                self.note_event("dtmf", digit.to_string());
                self.key();
                self.silence.caller_spoke(); // who presses keys is there
                if self.cutting.is_none() {
                    self.listen(now);
                }
            }
            Input::Dtmf(_) => {}
            Input::Partial(text) => {
                if !self.may_be_hello(&text) {
                    self.overheard(&text);
                }
                self.words_so_far(&text);
                self.tentative(text);
            }
            Input::Typed(text) => self.typed(now, text),
            Input::Context(text) => self.context(text),
            Input::Activity => self.active(now),
            Input::ToolResult { id, result, is_error } => self.tool_result(&id, &result, is_error),
            Input::Noticed { kind, detail } => self.note_event(kind, detail),
            Input::Restarted(part) => self.restarted(now, part),
            Input::Ended(reason) => {
                // What was understood of the last words is kept, though nobody answers them.
                if self.pending_user.is_none() {
                    self.pending_user = self.postponed.take().or_else(|| self.turns.unfinished(now));
                }
                // Who hangs up while we say goodbye did not end the call.
                let reason = match (&self.ending, self.decision, reason) {
                    (Some((ours, _)), _, EndReason::CallerHangup | EndReason::MovedOn) => ours.clone(),
                    (None, Some(Decision::ThankYouResponse), EndReason::CallerHangup) => EndReason::Completed,
                    (None, Some(Decision::HandoverToHuman), EndReason::CallerHangup) => EndReason::Handover,
                    (_, _, reason) => reason,
                };
                self.end(reason);
            }
            Input::Dismiss(reason) => {
                let line = self.lines().drain;
                self.dismiss(now, reason, line);
            }
            Input::Tick => self.tick(now),
        }
        if held && !self.barge_in.is_holding() {
            self.filler.resumed(now);
        }
    }

    fn tick(&mut self, now: Instant) {
        if let Some((reason, give_up)) = &self.ending {
            if now >= *give_up {
                let reason = reason.clone();
                self.end(reason);
            }
            return;
        }
        if self.time_up().is_some_and(|at| now >= at) {
            let line = self.lines().time_up;
            return self.dismiss(now, EndReason::MaxDuration, line);
        }
        self.hurry(now);
        self.tools_overdue(now);
        self.open_in_time(now);
        if let Some(ruling) = self.barge_in.handle_timeout(now) {
            self.ruled(ruling, "");
        }
        self.protected_passed(now);
        let action = self.turns.handle_timeout(now);
        self.turn_action(now, action);
        if self.thinking.as_ref().is_some_and(|thinking| now >= thinking.deadline) {
            self.brain_gave_up(now);
        }
        self.fill(now);
        match self.silence.handle_timeout(now) {
            Some(SilenceAction::Reprompt(rung)) => {
                self.note_event("silence", format!("reprompt {}", rung + 1));
                self.think(now, TurnId(0), Prompt::Silence { rung }, None);
            }
            Some(SilenceAction::GiveUp) => {
                let line = self.lines().silence;
                self.dismiss(now, EndReason::Silence, line);
            }
            None => {}
        }
    }
}
