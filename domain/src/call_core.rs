//! The one brain of a call: all truth, no IO.
//!
//! It takes one ordered stream of inputs `(now, input)` and returns effects and the next deadline. The `call` actor owns it and serialises its
//! inputs; every other actor of the call is a driver around IO. So a driver that dies loses no truth: the core says again what is still to be
//! done, and what was heard stays heard.
//!
//! Composed of smaller machines: [`Turns`] (when the caller's turn is over), [`SilenceLadder`] (what to do when nobody speaks) and the
//! [`ledger`](crate::ledger) (what was heard). What it does not do: pace audio ([`crate::playout`]), choose words
//! ([`crate::port::brain::Brain`]), or look at a clock.
//!
//! ```text
//! speech ends ─► Transcribe ─► turn committed ─► Think ─► Say… ─► Speak… ─► FirstAudio ─► Spoken ─► silence ladder
//!                                                                    └─ caller speaks 200 ms ─► Cut ─► ledger
//! ```

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::agent::Timing;
use crate::ids::{TurnId, UtteranceId};
use crate::ledger::{Heard, heard_text};
use crate::playbook::{Decision, Ending, PlaybookState};
use crate::port::brain::{Ask, BrainEvent, Prompt};
use crate::port::stt::Covers;
use crate::record::EndReason;
use crate::silence::{SilenceAction, SilenceLadder};
use crate::transcript::{Line, Role};
use crate::turn::{Committed, TurnAction, Turns};

/// A brain that has not finished after this is given up (`llm_cascade_timeout_seconds`).
const THINKING_LIMIT: Duration = Duration::from_secs(8);
/// A goodbye that was not heard by then is not waited for.
const GOODBYE_LIMIT: Duration = Duration::from_secs(8);
/// Keys of a call that are kept: a stuck key, or a hostile one, must not fill the record.
const MOST_KEYS: u32 = 256;
/// Sounds shorter than this in which no word was found are noise, not an answer that we missed.
const SHORTEST_WORD: Duration = Duration::from_millis(600);

/// A replaceable part of a call: the drivers that may die without ending it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The speech detector.
    Vad,
    /// The recogniser's stream.
    Stt,
    /// The brain's driver.
    Dialogue,
    /// The voice's driver.
    Tts,
    /// The outgoing pump.
    Egress,
    /// The alarm clock of deadlines.
    Silence,
    /// The connection.
    Leg,
    /// The incoming pump.
    Ingress,
}

impl Part {
    /// Name for logs, metrics and records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Vad => "vad",
            Self::Stt => "stt",
            Self::Dialogue => "dialogue",
            Self::Tts => "tts",
            Self::Egress => "egress",
            Self::Silence => "silence",
            Self::Leg => "leg",
            Self::Ingress => "ingress",
        }
    }
}

/// The sentences that the switch itself may have to say, in the agent's language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// The brain gave no answer.
    pub sorry: String,
    /// Nobody answers.
    pub silence: String,
    /// The longest call is over.
    pub time_up: String,
    /// We are shutting down.
    pub drain: String,
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            sorry: "Sorry, I did not get that. Could you say it again?".into(),
            silence: "I cannot hear you. Please call again. Goodbye.".into(),
            time_up: "I am sorry, our time is up. Thank you for calling. Goodbye.".into(),
            drain: "I am sorry, I have to end this call. Please call again in a minute. Goodbye.".into(),
        }
    }
}

/// What happened, in the order it is handled.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The leg is up: the call begins.
    Started,
    /// The detector heard speech, which began at sample `at`, at the instant `began`.
    SpeechStarted {
        /// Position on the ingress clock.
        at: u64,
        /// When it began; a little before now.
        began: Instant,
    },
    /// The current speech has lasted as long as an interruption must.
    SpeechSustained,
    /// The speech ended at sample `to`, at the instant `ended`.
    SpeechEnded {
        /// Position on the ingress clock.
        to: u64,
        /// When it ended; the detector's hangover before now.
        ended: Instant,
    },
    /// The recogniser settled a turn.
    Transcript {
        /// The turn.
        turn: TurnId,
        /// `to` of the [`Effect::Transcribe`] that this answers.
        to: u64,
        /// Its words; empty if none.
        text: String,
        /// 0 to 1.
        confidence: Option<f32>,
        /// Whole turn or continuation.
        covers: Covers,
    },
    /// The brain answers the ask of this number.
    Brain {
        /// From [`Effect::Think`].
        ask: u32,
        /// The next item.
        event: BrainEvent,
    },
    /// The brain's answer to this ask is complete.
    BrainDone {
        /// From [`Effect::Think`].
        ask: u32,
    },
    /// The brain failed on this ask.
    BrainFailed {
        /// From [`Effect::Think`].
        ask: u32,
    },
    /// The first sample of the utterance was sent.
    FirstAudio(UtteranceId),
    /// The utterance was played to its end; what was heard of it.
    Spoken(UtteranceId, Heard),
    /// The answer to [`Effect::Cut`]: what was heard. Comes before any other input.
    Cut(Heard),
    /// A key was pressed.
    Dtmf(char),
    /// A driver died and stands again.
    Restarted(Part),
    /// The far end is gone, or we were told to end: no more words.
    Ended(EndReason),
    /// Say goodbye and end.
    Dismiss(EndReason),
    /// A deadline may have passed.
    Tick,
}

/// What the drivers shall do, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Settle the words of `from..to`; supersedes what was asked before about the turn.
    Transcribe {
        /// The turn.
        turn: TurnId,
        /// First sample.
        from: u64,
        /// Sample after the last.
        to: u64,
    },
    /// Ask the brain; supersedes what was asked before.
    Think {
        /// Number of this ask, to be returned with the answers.
        number: u32,
        /// All that the brain may know.
        ask: Ask,
    },
    /// Drop what the brain is doing.
    StopThinking,
    /// Speak a sentence of an utterance. Said again after the voice's driver died; what is queued already is not to be queued twice.
    Speak {
        /// The utterance.
        utterance: UtteranceId,
        /// Its sentence, from 0.
        sentence: u32,
        /// The words.
        text: String,
    },
    /// The utterance has so many sentences and no more.
    Seal {
        /// The utterance.
        utterance: UtteranceId,
        /// Number of sentences.
        sentences: u32,
    },
    /// Stop speaking now and answer with [`Input::Cut`].
    Cut,
    /// Something to be stored.
    Note(Note),
    /// Close the leg; the call is over. The last effect of every call.
    End(EndReason),
}

/// Something to be stored about the call.
#[derive(Debug, Clone, PartialEq)]
pub enum Note {
    /// A committed turn of the caller.
    UserTurn(Committed),
    /// An utterance that is over.
    AgentResponse(Response),
    /// The playbook moved on.
    Progress(Box<PlaybookState>),
    /// An entry of the timeline.
    Event {
        /// Closed set.
        kind: &'static str,
        /// A few words.
        detail: String,
    },
}

/// An utterance of the agent that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// Which.
    pub utterance: UtteranceId,
    /// The turn it answers, if any.
    pub turn: Option<TurnId>,
    /// What was meant.
    pub text: String,
    /// What was heard.
    pub heard: String,
    /// Cut short.
    pub interrupted: bool,
    /// When its first sample left.
    pub at: Instant,
    /// End of the caller's speech to the first sample.
    pub latency: Option<Duration>,
    /// Its parts; they add up to it.
    pub stages: Vec<(&'static str, Duration)>,
}

#[derive(Debug, Clone)]
struct Thinking {
    number: u32,
    ask: Ask,
    /// Sentences received from this ask.
    received: u32,
    /// Sentences that an earlier, broken attempt at the same ask gave already.
    skip: u32,
    deadline: Instant,
    reply_to: Option<Committed>,
    committed_at: Instant,
}

#[derive(Debug, Clone)]
struct Speech {
    id: UtteranceId,
    reply_to: Option<Committed>,
    sentences: Vec<String>,
    committed_at: Instant,
    first_sentence_at: Instant,
    first_audio_at: Option<Instant>,
}

/// The core of one call.
#[derive(Debug)]
pub struct CallCore {
    lines: Lines,
    turns: Turns,
    silence: SilenceLadder,
    max_duration: Duration,
    started: Option<Instant>,
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
    asks: u32,
    utterances: u32,
    keys: u32,
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
            lines,
            turns: Turns::new(timing.endpoint_silence),
            silence: SilenceLadder::new(timing.turn_after_silence, timing.end_after_silence),
            max_duration: timing.max_duration,
            started: None,
            history: Vec::new(),
            state: None,
            state_before: None,
            decision: None,
            pending_user: None,
            thinking: None,
            speech: None,
            cutting: None,
            interrupted: false,
            asks: 0,
            utterances: 0,
            keys: 0,
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
        if let Effect::Think { ask, .. } = &mut effect {
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
        let longest = self.started.map(|started| (started + self.max_duration, "max_duration"));
        let turn = self.turns.poll_timeout().map(|at| (at, "endpoint"));
        let thinking = self.thinking.as_ref().map(|thinking| (thinking.deadline, "thinking"));
        let silence = self.silence.poll_timeout().map(|at| (at, "silence"));
        [longest, turn, thinking, silence].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// Takes one input. Total: any input in any state is handled, late and stale ones have no effect.
    pub fn handle(&mut self, now: Instant, input: Input) {
        if self.is_over() {
            if let Input::Cut(heard) = input {
                self.cut(now, &heard);
            }
            return;
        }
        match input {
            Input::Started => {
                self.started = Some(now);
                self.think(now, TurnId(0), Prompt::Open, None);
            }
            Input::SpeechStarted { at, began } => self.speech_started(at, began),
            Input::SpeechSustained => self.speech_sustained(),
            Input::SpeechEnded { to, ended } => {
                let speaking = self.agent_speaking();
                let action = self.turns.speech_ended(now, to, ended, speaking);
                self.turn_action(now, action);
                if !self.turns.is_open() {
                    self.listen(now);
                }
            }
            Input::Transcript { turn, to, text, confidence, covers } => {
                let action = self.turns.transcript(now, turn, to, &text, confidence, covers);
                self.turn_action(now, action);
            }
            Input::Brain { ask, event } => self.brain(now, ask, event),
            Input::BrainDone { ask } => self.brain_done(now, ask),
            Input::BrainFailed { ask } => {
                if self.thinking.as_ref().is_some_and(|thinking| thinking.number == ask) {
                    self.brain_gave_up(now);
                }
            }
            Input::FirstAudio(utterance) => self.first_audio(now, utterance),
            Input::Spoken(utterance, heard) => self.spoken(now, utterance, &heard),
            Input::Cut(heard) => self.cut(now, &heard),
            Input::Dtmf(digit) if self.keys < MOST_KEYS => {
                self.keys += 1;
                self.note_event("dtmf", digit.to_string());
            }
            Input::Dtmf(_) => {}
            Input::Restarted(part) => self.restarted(now, part),
            Input::Ended(reason) => {
                // What was understood of the last words is kept, though nobody answers them.
                if self.pending_user.is_none() {
                    self.pending_user = self.turns.unfinished(now);
                }
                // Who hangs up while we say goodbye did not end the call.
                let reason = match (&self.ending, self.decision, reason) {
                    (Some((ours, _)), _, EndReason::CallerHangup) => ours.clone(),
                    (None, Some(Decision::ThankYouResponse), EndReason::CallerHangup) => EndReason::Completed,
                    (None, Some(Decision::HandoverToHuman), EndReason::CallerHangup) => EndReason::Handover,
                    (_, _, reason) => reason,
                };
                self.end(reason);
            }
            Input::Dismiss(reason) => {
                let line = self.lines.drain.clone();
                self.dismiss(now, reason, line);
            }
            Input::Tick => self.tick(now),
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
        if self.started.is_some_and(|started| now >= started + self.max_duration) {
            let line = self.lines.time_up.clone();
            return self.dismiss(now, EndReason::MaxDuration, line);
        }
        let action = self.turns.handle_timeout(now);
        self.turn_action(now, action);
        if self.thinking.as_ref().is_some_and(|thinking| now >= thinking.deadline) {
            self.brain_gave_up(now);
        }
        match self.silence.handle_timeout(now) {
            Some(SilenceAction::Reprompt(rung)) => {
                self.note_event("silence", format!("reprompt {}", rung + 1));
                self.think(now, TurnId(0), Prompt::Silence { rung }, None);
            }
            Some(SilenceAction::GiveUp) => {
                let line = self.lines.silence.clone();
                self.dismiss(now, EndReason::Silence, line);
            }
            None => {}
        }
    }

    // --- the caller -------------------------------------------------------------------------------------------------------------

    fn speech_started(&mut self, at: u64, began: Instant) {
        if self.ending.is_some() {
            return; // a goodbye is not interrupted
        }
        self.silence.disarm();
        let speaking = self.agent_speaking();
        if let Some(TurnAction::Reopen(_)) = self.turns.speech_started(at, began, speaking) {
            self.take_back();
        }
    }

    /// The caller went on before our reply was heard: forget the reply.
    fn take_back(&mut self) {
        self.pending_user = None;
        if self.state != self.state_before {
            self.state = self.state_before.clone();
            self.effects.extend(self.state.clone().map(|state| Effect::Note(Note::Progress(Box::new(state)))));
        }
        self.decision = None;
        if self.thinking.take().is_some() {
            self.effects.push_back(Effect::StopThinking);
        }
        self.stop_speaking();
    }

    fn speech_sustained(&mut self) {
        if self.ending.is_some() {
            return;
        }
        self.turns.speech_sustained();
        self.silence.caller_spoke();
        if self.turns.caller_speaking() && self.agent_speaking() {
            self.interrupt();
        }
    }

    /// The caller has the floor.
    fn interrupt(&mut self) {
        self.interrupted = true;
        if self.thinking.take().is_some() {
            self.effects.push_back(Effect::StopThinking);
        }
        self.stop_speaking();
    }

    fn turn_action(&mut self, now: Instant, action: Option<TurnAction>) {
        match action {
            Some(TurnAction::Transcribe { turn, from, to }) => {
                self.effects.push_back(Effect::Transcribe { turn, from, to })
            }
            Some(TurnAction::Commit(turn)) => self.commit(now, turn),
            Some(TurnAction::Reopen(_)) => self.take_back(),
            None => {}
        }
    }

    fn commit(&mut self, now: Instant, turn: Committed) {
        let interrupted = std::mem::take(&mut self.interrupted);
        if turn.text.is_empty() {
            if turn.speech < SHORTEST_WORD && !interrupted {
                self.turns.drop_turn();
                self.listen(now);
                return;
            }
            self.silence.caller_spoke();
            self.think(now, turn.turn, Prompt::Unheard, Some(turn));
            return;
        }
        self.silence.caller_spoke();
        let prompt = Prompt::Heard { text: turn.text.clone(), confidence: turn.confidence };
        self.pending_user = Some(turn.clone());
        self.think(now, turn.turn, prompt, Some(turn));
    }

    /// If nothing is being said or thought: ends the call if that was decided, else the caller's silence counts.
    fn listen(&mut self, now: Instant) {
        if self.speech.is_some() || self.thinking.is_some() || self.turns.is_open() || self.ending.is_some() {
            return;
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

    // --- the brain --------------------------------------------------------------------------------------------------------------

    fn think(&mut self, now: Instant, turn: TurnId, prompt: Prompt, reply_to: Option<Committed>) {
        self.stop_speaking(); // never two utterances at once: a turn that was committed under our own voice ends it
        self.silence.disarm();
        self.state_before = self.state.clone();
        self.decision = None;
        let ask = Ask { turn, prompt, state: self.state.clone(), history: [].into() };
        self.ask(now, ask, reply_to, 0, now);
    }

    fn ask(&mut self, now: Instant, ask: Ask, reply_to: Option<Committed>, skip: u32, committed_at: Instant) {
        self.asks += 1;
        let number = self.asks;
        self.effects.push_back(Effect::Think { number, ask: ask.clone() });
        self.thinking =
            Some(Thinking { number, ask, received: 0, skip, deadline: now + THINKING_LIMIT, reply_to, committed_at });
    }

    fn brain(&mut self, now: Instant, ask: u32, event: BrainEvent) {
        let Some(thinking) = self.thinking.as_mut().filter(|thinking| thinking.number == ask) else { return };
        match event {
            BrainEvent::Say(text) => {
                thinking.received += 1;
                if thinking.received <= thinking.skip || text.trim().is_empty() {
                    return; // said already, by an attempt whose driver died
                }
                let (reply_to, committed_at) = (thinking.reply_to.clone(), thinking.committed_at);
                self.say(now, text, reply_to, committed_at);
            }
            BrainEvent::State(state) => {
                if self.state.as_ref() != Some(&*state) {
                    self.state = Some(*state.clone());
                    self.effects.push_back(Effect::Note(Note::Progress(state)));
                }
            }
            BrainEvent::Decision(decision) => self.decision = Some(decision),
        }
    }

    fn brain_done(&mut self, now: Instant, ask: u32) {
        if self.thinking.as_ref().is_none_or(|thinking| thinking.number != ask) {
            return;
        }
        let Some(thinking) = self.thinking.take() else { return };
        if self.speech.is_some() {
            return self.seal();
        }
        if self.decision.is_none_or(|decision| decision == Decision::NeedMoreInfo)
            && let Some(turn) = thinking.reply_to
        {
            // The caller waits for an answer: no answer is none.
            let line = self.lines.sorry.clone();
            self.say(now, line, Some(turn), thinking.committed_at);
            return self.seal();
        }
        self.flush_user();
        self.turns.reply_heard();
        self.after_reply(now);
    }

    fn brain_gave_up(&mut self, now: Instant) {
        let Some(thinking) = self.thinking.take() else { return };
        self.effects.push_back(Effect::StopThinking);
        self.note_event("brain_failed", format!("ask {}", thinking.number));
        if self.speech.is_none() {
            let line = self.lines.sorry.clone();
            self.say(now, line, thinking.reply_to, thinking.committed_at);
        }
        self.seal();
    }

    // --- our voice --------------------------------------------------------------------------------------------------------------

    fn say(&mut self, now: Instant, text: String, reply_to: Option<Committed>, committed_at: Instant) {
        let speech = self.speech.get_or_insert_with(|| {
            self.utterances += 1;
            Speech {
                id: UtteranceId(self.utterances),
                reply_to,
                sentences: Vec::new(),
                committed_at,
                first_sentence_at: now,
                first_audio_at: None,
            }
        });
        let sentence = speech.sentences.len() as u32;
        speech.sentences.push(text.clone());
        self.effects.push_back(Effect::Speak { utterance: speech.id, sentence, text });
    }

    fn seal(&mut self) {
        if let Some(speech) = &self.speech {
            self.effects.push_back(Effect::Seal { utterance: speech.id, sentences: speech.sentences.len() as u32 });
        }
    }

    fn first_audio(&mut self, now: Instant, utterance: UtteranceId) {
        let Some(speech) = self.speech.as_mut().filter(|speech| speech.id == utterance) else { return };
        if speech.first_audio_at.is_some() {
            return; // a new pump says it again
        }
        speech.first_audio_at = Some(now);
        self.flush_user();
        self.turns.reply_heard();
        if self.turns.is_sustained() {
            self.interrupt(); // the caller began before our first sample, and has not stopped
        }
    }

    fn spoken(&mut self, now: Instant, utterance: UtteranceId, heard: &Heard) {
        let Some(speech) = self.speech.take_if(|speech| speech.id == utterance) else { return };
        let heard = heard_text(&speech.sentences, heard);
        self.flush_user();
        self.turns.reply_heard();
        self.respond(now, &speech, heard, false);
        self.after_reply(now);
    }

    /// Our answer is complete, in the caller's ear.
    fn after_reply(&mut self, now: Instant) {
        match &self.ending {
            Some((reason, _)) => {
                let reason = reason.clone();
                self.end(reason);
            }
            None => self.listen(now),
        }
    }

    fn cut(&mut self, now: Instant, heard: &Heard) {
        let Some(speech) = self.cutting.take() else { return };
        let text = heard_text(&speech.sentences, heard);
        if text.is_empty() && self.history.is_empty() && speech.reply_to.is_none() {
            self.state = None; // of the opening nobody heard a word: it is said with the answer
        }
        if speech.first_audio_at.is_some() || heard.samples > 0 {
            if !self.is_over() {
                self.note_event(
                    "interruption",
                    format!("heard {} of {} characters", text.len(), speech.sentences.join(" ").len()),
                );
                self.decision = None; // what the caller says now may change it
            }
            self.respond(now, &speech, text, true);
        }
        if self.is_over() {
            self.close();
        }
    }

    fn stop_speaking(&mut self) {
        if let Some(speech) = self.speech.take() {
            self.cutting = Some(speech);
            self.effects.push_back(Effect::Cut);
        }
    }

    /// Writes an utterance into the history and the notes.
    fn respond(&mut self, now: Instant, speech: &Speech, heard: String, interrupted: bool) {
        // The turn it answers comes before it; one that was committed under our own voice comes with its own answer.
        if self.pending_user.as_ref().map(|turn| turn.turn) == speech.reply_to.as_ref().map(|turn| turn.turn) {
            self.flush_user();
        }
        if !heard.is_empty() {
            self.history.push(Line { role: Role::Agent, text: heard.clone() });
        }
        let at = speech.first_audio_at.unwrap_or(now);
        let stages = speech.reply_to.as_ref().map_or_else(Vec::new, |turn| {
            let endpoint = turn.endpoint.min(speech.committed_at);
            vec![
                ("endpointing", endpoint.saturating_duration_since(turn.ended)),
                ("stt_final", speech.committed_at.saturating_duration_since(endpoint)),
                ("llm_first_sentence", speech.first_sentence_at.saturating_duration_since(speech.committed_at)),
                ("tts_first_audio", at.saturating_duration_since(speech.first_sentence_at)),
            ]
        });
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

    fn flush_user(&mut self) {
        if let Some(turn) = self.pending_user.take() {
            self.history.push(Line { role: Role::User, text: turn.text.clone() });
            self.effects.push_back(Effect::Note(Note::UserTurn(turn)));
        }
    }

    // --- faults and the end -----------------------------------------------------------------------------------------------------

    fn restarted(&mut self, now: Instant, part: Part) {
        self.note_event("restart", part.name().to_owned());
        match part {
            Part::Stt => {
                let again = self.turns.unanswered(now);
                self.turn_action(now, again);
            }
            Part::Dialogue => {
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
            // The detector keeps no truth; egress and the alarm go on from what the call lends them.
            Part::Vad | Part::Egress | Part::Silence | Part::Leg | Part::Ingress => {}
        }
    }

    fn dismiss(&mut self, now: Instant, reason: EndReason, line: String) {
        if self.ending.is_some() {
            return;
        }
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

    fn end(&mut self, reason: EndReason) {
        self.over = Some(reason);
        if self.thinking.take().is_some() {
            self.effects.push_back(Effect::StopThinking);
        }
        self.stop_speaking();
        if self.cutting.is_none() {
            self.close(); // otherwise when we know what was heard
        }
    }

    fn close(&mut self) {
        if self.closed {
            return;
        }
        self.closed = true;
        self.flush_user();
        if let Some(reason) = self.over.clone() {
            self.effects.push_back(Effect::End(reason));
        }
    }

    fn note_event(&mut self, kind: &'static str, detail: String) {
        self.effects.push_back(Effect::Note(Note::Event { kind, detail }));
    }
}
