//! The moves of the conversation: ask, skip, read back, close. What the caller's words call for is decided in `hearing` and `delay`.

use super::plan::{Exhausted, Policy, SlotSpec};
use super::speech::{render, sentence, summary};
use super::state::{Awaiting, Context, Ending, Heard, PlaybookState, Reply, SkipReason, Skipped, stage};
use super::{Playbook, delay};
use crate::slot::words::split;
use std::collections::BTreeMap;

impl Playbook {
    /// Opens the conversation: the greeting and the first question.
    pub fn start(&self, context: &Context) -> Reply {
        let language = context.language.clone().unwrap_or_else(|| self.plan.language.clone());
        let opening = self.plan.stages.first().map_or(stage::INTRO, String::as_str).to_owned();
        let state = PlaybookState {
            stage: opening.clone(),
            language,
            slots: BTreeMap::new(),
            skipped: BTreeMap::new(),
            awaiting: Awaiting::Answer { slot: String::new() }, // until `advance` has chosen the first
            attempts: BTreeMap::new(),
            acknowledged: Vec::new(),
            half_heard: None,
            last_said: Vec::new(),
            turns: 0,
            delays: 0,
            silences: 0,
            rounds: 0,
        };
        let mut turn = Turn::new(self, context, state);
        match &context.greeting {
            Some(greeting) => turn.tell(greeting),
            None => self.plan.greeting.iter().for_each(|line| turn.tell(line)),
        }
        turn.advance();
        turn.state.stage = opening;
        turn.reply()
    }

    /// Answers a settled utterance. Text without words counts as not heard; after the end nothing is said any more.
    pub fn respond(&self, state: &PlaybookState, heard: &Heard<'_>, context: &Context) -> Reply {
        let words = split(heard.text);
        self.turn(state, context, |turn| if words.is_empty() { turn.unheard() } else { turn.hear(heard, &words) })
    }

    /// Answers speech that could not be recognised.
    pub fn respond_unheard(&self, state: &PlaybookState, context: &Context) -> Reply {
        self.turn(state, context, |turn| turn.unheard())
    }

    /// Answers silence; `rung` counts from 0 since the caller last spoke.
    pub fn respond_silence(&self, state: &PlaybookState, rung: u32, context: &Context) -> Reply {
        self.turn(state, context, |turn| delay::silent(turn, rung))
    }

    /// Says the last reply again, without apologies. Does not count as a turn: the caller of this function decides how often.
    pub fn repeat(&self, state: &PlaybookState) -> Reply {
        Reply { say: state.last_said.clone(), decision: state.decision(), state: state.clone() }
    }

    /// One counted turn of a conversation that has not ended.
    fn turn(&self, state: &PlaybookState, context: &Context, answer: impl FnOnce(&mut Turn<'_>)) -> Reply {
        let mut turn = Turn::new(self, context, state.clone());
        if state.ending().is_none() {
            turn.state.turns = turn.state.turns.saturating_add(1);
            if turn.state.turns > self.plan.max_turns { turn.finish(Ending::TooLong) } else { answer(&mut turn) }
        }
        turn.reply()
    }
}

/// One reply in the making.
pub(super) struct Turn<'a> {
    pub(super) playbook: &'a Playbook,
    pub(super) context: &'a Context,
    pub(super) state: PlaybookState,
    say: Vec<String>,
    /// What a repetition would say: `say` without apologies.
    told: Vec<String>,
}

impl<'a> Turn<'a> {
    fn new(playbook: &'a Playbook, context: &'a Context, state: PlaybookState) -> Self {
        Self { playbook, context, state, say: Vec::new(), told: Vec::new() }
    }

    fn reply(mut self) -> Reply {
        if !self.told.is_empty() {
            self.state.last_said = self.told;
        }
        Reply { decision: self.state.decision(), say: self.say, state: self.state }
    }

    /// Says a line of the playbook.
    pub(super) fn tell(&mut self, line: &str) {
        self.tell_with(line, &[]);
    }

    pub(super) fn tell_with(&mut self, line: &str, own: &[(&str, &str)]) {
        let line = render(self.playbook, self.context, line, own);
        self.tell_as_it_is(line);
    }

    /// Says a finished sentence; what the caller said may hold braces and is no template.
    fn tell_as_it_is(&mut self, line: String) {
        if !line.is_empty() {
            self.told.push(line.clone());
            self.say.push(line);
        }
    }

    /// Says a line that a repetition leaves out.
    pub(super) fn aside(&mut self, line: &str) {
        let line = render(self.playbook, self.context, line, &[]);
        if !line.is_empty() {
            self.say.push(line);
        }
    }

    pub(super) fn say_again(&mut self) {
        self.say.extend(self.state.last_said.clone());
    }

    pub(super) fn spec(&self, name: &str) -> Option<&'a SlotSpec> {
        self.playbook.slot_index(name).map(|i| &self.playbook.slots()[i])
    }

    /// Asks for a slot in the words of its prompt.
    pub(super) fn ask(&mut self, spec: &SlotSpec) {
        if !self.state.slots.contains_key(&spec.name) {
            self.state.stage = spec.stage.clone().unwrap_or_else(|| stage::COLLECTING.to_owned());
        }
        self.state.awaiting = Awaiting::Answer { slot: spec.name.clone() };
        self.tell(&spec.prompt);
    }

    /// Puts the same question again, in other words each time, until the slot's patience ends. `aside` comes first.
    pub(super) fn ask_again(&mut self, spec: &SlotSpec, aside: &str) {
        let attempts = self.count_attempt(spec);
        if attempts > spec.max_reprompts {
            return self.give_up(spec, SkipReason::Exhausted);
        }
        self.aside(aside);
        self.state.awaiting = Awaiting::Answer { slot: spec.name.clone() };
        let again = spec.reprompts.get(attempts as usize - 1).or(spec.reprompts.last()).unwrap_or(&spec.prompt);
        self.tell(again);
    }

    /// Counts a failed answer and returns how many there are, at least 1.
    pub(super) fn count_attempt(&mut self, spec: &SlotSpec) -> u32 {
        self.state.delays = 0;
        let attempts = self.state.attempts.entry(spec.name.clone()).or_default();
        *attempts = attempts.saturating_add(1);
        *attempts
    }

    /// The slot's patience is spent. One that has an answer keeps it.
    fn give_up(&mut self, spec: &SlotSpec, reason: SkipReason) {
        if self.state.slots.contains_key(&spec.name) {
            return self.advance();
        }
        match spec.exhausted {
            Exhausted::Skip => self.skip(spec, reason, None),
            Exhausted::HandOver => self.finish(Ending::Handover),
        }
    }

    /// Goes on without an answer.
    pub(super) fn skip(&mut self, spec: &SlotSpec, reason: SkipReason, value: Option<String>) {
        if !self.state.slots.contains_key(&spec.name) {
            self.state.skipped.insert(spec.name.clone(), Skipped { reason, value });
        }
        self.aside(&self.playbook.plan.lines.skipped);
        self.advance();
    }

    /// Asks for the next open slot, or concludes.
    pub(super) fn advance(&mut self) {
        self.state.half_heard = None;
        let playbook = self.playbook;
        let open = |spec: &&SlotSpec| {
            !self.state.slots.contains_key(&spec.name) && !self.state.skipped.contains_key(&spec.name)
        };
        match playbook.slots().iter().find(open) {
            Some(spec) => self.ask(spec),
            None => self.conclude(),
        }
    }

    /// Reads back these slots in passing, as a statement: "An apartment in Delhi."
    pub(super) fn acknowledge(&mut self, names: &[String]) {
        if let Some(text) = summary(self.playbook, &self.state, |name| names.iter().any(|other| other == name)) {
            self.tell_as_it_is(format!("{}.", sentence(&text)));
            self.state.acknowledged = names.to_vec();
        }
    }

    /// Nothing is left to ask: reads all back where the policy says so, else closes.
    fn conclude(&mut self) {
        self.state.stage = stage::COMPLETED.to_owned();
        let confirmation = &self.playbook.plan.confirmation;
        let all = summary(self.playbook, &self.state, |_| true);
        let (Policy::End, Some(all)) = (confirmation.policy, all) else { return self.finish(Ending::Completed) };
        self.state.rounds = self.state.rounds.saturating_add(1);
        if self.state.rounds > confirmation.rounds {
            self.tell_as_it_is(format!("{}.", sentence(&all)));
            return self.finish(Ending::Completed);
        }
        let slots = self.state.slots.keys().cloned().collect();
        self.state.awaiting = Awaiting::Confirmation { slots, last: true, misses: 0, silences: 0 };
        for line in &confirmation.end {
            self.tell_with(line, &[("summary", &all)]);
        }
    }

    /// Reads the slots back and asks whether they are right (policy `each`).
    pub(super) fn confirm(&mut self, slots: Vec<String>) {
        let text = summary(self.playbook, &self.state, |name| slots.iter().any(|slot| slot == name));
        let Some(text) = text else { return self.advance() };
        self.state.awaiting = Awaiting::Confirmation { slots, last: false, misses: 0, silences: 0 };
        for line in &self.playbook.plan.confirmation.each {
            self.tell_with(line, &[("summary", &text)]);
        }
    }

    /// Says the last words.
    pub(super) fn finish(&mut self, ending: Ending) {
        let closing = &self.playbook.plan.closing;
        let lines = match ending {
            Ending::Completed => &closing.completed,
            Ending::Goodbye => &closing.goodbye,
            Ending::Handover => &closing.handover,
            Ending::Silence => &closing.silence,
            Ending::TooLong => &closing.too_long,
        };
        lines.iter().for_each(|line| self.tell(line));
        if matches!(ending, Ending::Completed | Ending::Goodbye) {
            self.state.stage = stage::COMPLETED.to_owned();
        }
        self.state.half_heard = None;
        self.state.awaiting = Awaiting::Nothing { ending };
    }
}
