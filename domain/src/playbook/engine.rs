//! The moves of the conversation: ask, skip, read back, close. What the caller's words call for is decided in `hearing` and `delay`.

use std::collections::BTreeMap;

use super::line::Line;
use super::plan::{Exhausted, Plan, Policy, SlotSpec};
use super::speech::{render, sentence, summary};
use super::state::{Awaiting, Context, Ending, Filled, Heard, PlaybookState, Reply, SkipReason, Skipped, stage};
use super::{Playbook, delay};
use crate::slot::words::split;
use crate::slot::{SlotValue, Tongue};

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
            acknowledged: Box::default(),
            half_heard: None,
            last_said: Box::default(),
            last_protected: Box::default(),
            turns: 0,
            delays: 0,
            silences: 0,
            rounds: 0,
            failures: 0,
            welcomed: false,
            summed_up: false,
            expects: None,
        };
        let mut turn = Turn::new(self, context, state);
        turn.remember_language();
        let plan = turn.plan();
        let must_be_heard = || plan.greeting.iter().filter(|line| line.protected);
        match &context.greeting {
            Some(greeting) => {
                turn.tell(greeting);
                must_be_heard().for_each(|line| turn.tell_line(line));
            }
            None if context.returning && !plan.returning.is_empty() => {
                plan.returning.iter().for_each(|line| turn.tell_line(line));
                if !plan.returning.iter().any(|line| line.protected) {
                    must_be_heard().for_each(|line| turn.tell_line(line));
                }
            }
            None => plan.greeting.iter().for_each(|line| turn.tell_line(line)),
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
        Reply {
            say: state.last_said.to_vec(),
            protected: state.last_protected.to_vec(),
            decision: state.decision(),
            state: state.clone(),
            waits: false,
            tools: Vec::new(),
        }
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
    say: Vec<Line>,
    /// What a repetition would say: `say` without apologies.
    told: Vec<Line>,
    /// The caller asked for a moment, and has it.
    waits: bool,
    /// The state before this turn.
    before: PlaybookState,
}

impl<'a> Turn<'a> {
    fn new(playbook: &'a Playbook, context: &'a Context, state: PlaybookState) -> Self {
        Self { playbook, context, before: state.clone(), state, say: Vec::new(), told: Vec::new(), waits: false }
    }

    /// The texts in the language of the conversation.
    pub(super) fn plan(&self) -> &'a Plan {
        self.playbook.plan_in(&self.state.language)
    }

    /// A caller who chose a language before is not asked for it again, where the playbook says so.
    fn remember_language(&mut self) {
        let Some(last) = self.context.last_language.as_ref().filter(|_| self.playbook.plan.remember_language) else {
            return;
        };
        let chosen = self.playbook.slots().iter().find(|spec| {
            spec.stage.as_deref() == Some(stage::LANGUAGE_SELECTION)
                && spec.vocabulary.iter().any(|term| term.value == *last)
        });
        if let Some(spec) = chosen {
            let value = SlotValue::Choice(last.clone());
            let filled = Filled { heard: String::new(), value, confidence: 1.0, confirmed: false };
            self.state.slots.insert(spec.name.clone(), filled);
            self.state.language.clone_from(last);
        }
    }

    fn reply(mut self) -> Reply {
        if !self.told.is_empty() {
            let (said, protected) = apart(self.told);
            (self.state.last_said, self.state.last_protected) = (said.into(), protected.into());
        }
        let (say, protected) = apart(self.say);
        self.state.expects = self.playbook.expects(&self.state, self.context).map(Box::new);
        let tools = self.playbook.tool_calls(&self.before, &self.state);
        Reply { decision: self.state.decision(), say, protected, state: self.state, waits: self.waits, tools }
    }

    /// Says a line of the playbook.
    pub(super) fn tell(&mut self, line: &str) {
        self.tell_with(line, &[]);
    }

    pub(super) fn tell_with(&mut self, line: &str, own: &[(&str, &str)]) {
        let line = render(self.plan(), self.context, line, own);
        self.tell_as_it_is(line, false);
    }

    fn tell_line(&mut self, line: &Line) {
        let say = render(self.plan(), self.context, &line.say, &[]);
        self.tell_as_it_is(say, line.protected);
    }

    /// Asks for a slot in these words of its own.
    pub(super) fn tell_question(&mut self, spec: &SlotSpec, words: &str) {
        let say = render(self.plan(), self.context, words, &[]);
        self.tell_as_it_is(say, spec.protected);
    }

    /// Says a finished sentence; what the caller said may hold braces and is no template.
    fn tell_as_it_is(&mut self, say: String, protected: bool) {
        if !say.is_empty() {
            let line = Line { say, protected };
            self.told.push(line.clone());
            self.say.push(line);
        }
    }

    /// Says a line that a repetition leaves out.
    pub(super) fn aside(&mut self, line: &str) {
        let say = render(self.plan(), self.context, line, &[]);
        if !say.is_empty() {
            self.say.push(Line { say, protected: false });
        }
    }

    pub(super) fn say_again(&mut self) {
        let last = together(&self.state);
        self.say.extend(last);
    }

    /// Says only the question again: who says "hello?" to a greeting has heard that there is somebody.
    pub(super) fn ask_after_greeting(&mut self) {
        let question = together(&self.state).last();
        self.say.extend(question);
    }

    /// Leaves the turn to the caller.
    pub(super) fn wait(&mut self) {
        self.waits = true;
        self.aside(&self.plan().lines.wait);
    }

    pub(super) fn spec(&self, name: &str) -> Option<&'a SlotSpec> {
        self.playbook.slot_index(name).map(|i| &self.plan().slots[i])
    }

    /// Asks for a slot in the words of its prompt.
    pub(super) fn ask(&mut self, spec: &SlotSpec) {
        if self.state.slots.contains_key(&spec.name) {
            self.state.summed_up = false; // it is about to change, or to be heard again
        } else {
            self.enter_stage(spec);
        }
        self.state.awaiting = Awaiting::Answer { slot: spec.name.clone() };
        self.tell_question(spec, &spec.prompt);
    }

    fn enter_stage(&mut self, spec: &SlotSpec) {
        self.state.stage = spec.stage.clone().unwrap_or_else(|| stage::COLLECTING.to_owned());
    }

    /// Puts the same question again, in other words each time, until the slot's patience ends. `aside` comes first.
    pub(super) fn ask_again(&mut self, spec: &SlotSpec, aside: &str) {
        let attempts = self.count_attempt(spec);
        if self.has_had_enough() {
            return self.finish(Ending::Handover);
        }
        if attempts > spec.max_reprompts {
            return self.give_up(spec, SkipReason::Exhausted);
        }
        if self.state.stage == stage::WELCOME {
            self.enter_stage(spec); // the welcome is over, and not answered
        }
        self.aside(aside);
        self.state.awaiting = Awaiting::Answer { slot: spec.name.clone() };
        let again = spec.reprompts.get(attempts as usize - 1).or(spec.reprompts.last()).unwrap_or(&spec.prompt);
        self.tell_question(spec, again);
    }

    /// Counts a failed answer and returns how many there are, at least 1.
    pub(super) fn count_attempt(&mut self, spec: &SlotSpec) -> u32 {
        self.state.delays = 0;
        self.state.failures = self.state.failures.saturating_add(1);
        let attempts = self.state.attempts.entry(spec.name.clone()).or_default();
        *attempts = attempts.saturating_add(1);
        *attempts
    }

    /// So many failures in a row that a person had better take over.
    pub(super) fn has_had_enough(&self) -> bool {
        let most = self.playbook.plan.handover_after;
        most > 0 && self.state.failures >= most
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
        self.aside(&self.plan().lines.skipped);
        self.advance();
    }

    /// Goes on without an answer to an offer, and without a word about it.
    pub(super) fn decline(&mut self, spec: &SlotSpec, reason: SkipReason) {
        self.state.skipped.insert(spec.name.clone(), Skipped { reason, value: None });
        self.advance();
    }

    pub(super) fn is_open(&self, spec: &SlotSpec) -> bool {
        !self.state.slots.contains_key(&spec.name) && !self.state.skipped.contains_key(&spec.name)
    }

    /// All required slots have answers.
    pub(super) fn is_qualified(&self) -> bool {
        self.playbook.is_qualified(&self.state)
    }

    /// Asks for the next open slot, or concludes.
    pub(super) fn advance(&mut self) {
        self.state.half_heard = None;
        let slots = &self.plan().slots;
        let Some(spec) = slots.iter().find(|spec| self.is_open(spec)) else { return self.conclude() };
        if spec.offer && !slots.iter().any(|spec| !spec.offer && self.is_open(spec)) && !self.sum_up() {
            return;
        }
        let welcomes = !self.state.welcomed && spec.stage.as_deref() != Some(stage::LANGUAGE_SELECTION);
        if welcomes {
            self.state.welcomed = true;
            self.plan().welcome.iter().for_each(|line| self.tell_line(line));
        }
        self.ask(spec);
        if welcomes && !self.plan().welcome.is_empty() {
            self.state.stage = stage::WELCOME.to_owned();
        }
    }

    /// Reads all back before an offer, which may be the last thing that is said. False where that was done too often, and the talk is over.
    fn sum_up(&mut self) -> bool {
        let confirmation = &self.plan().confirmation;
        if confirmation.policy != Policy::End || self.state.summed_up {
            return true;
        }
        let names: Vec<String> = self.state.slots.keys().cloned().collect();
        self.acknowledge(&names);
        self.state.summed_up = !names.is_empty();
        self.state.rounds = self.state.rounds.saturating_add(u32::from(self.state.summed_up));
        let goes_on = self.state.rounds <= confirmation.rounds;
        if !goes_on {
            self.finish(Ending::Completed);
        }
        goes_on
    }

    /// Reads back these slots in passing, as a statement: "An apartment in Delhi."
    pub(super) fn acknowledge(&mut self, names: &[String]) {
        if let Some(text) = summary(self.playbook, &self.state, |name| names.iter().any(|other| other == name)) {
            self.tell_as_it_is(self.statement(&text), false);
            self.state.acknowledged = names.into();
        }
    }

    /// A sentence of the caller's answers.
    fn statement(&self, text: &str) -> String {
        format!("{}{}", sentence(text), Tongue::of(&self.plan().language).full_stop())
    }

    /// Nothing is left to ask: reads all back where the policy says so, else closes.
    fn conclude(&mut self) {
        self.state.stage = stage::COMPLETED.to_owned();
        let confirmation = &self.plan().confirmation;
        if self.state.summed_up {
            return self.finish(Ending::Completed); // all was read back before the offer that was just declined
        }
        let all = summary(self.playbook, &self.state, |_| true);
        let (Policy::End, Some(all)) = (confirmation.policy, all) else { return self.finish(Ending::Completed) };
        self.state.rounds = self.state.rounds.saturating_add(1);
        if self.state.rounds > confirmation.rounds {
            self.tell_as_it_is(self.statement(&all), false);
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
        for line in &self.plan().confirmation.each {
            self.tell_with(line, &[("summary", &text)]);
        }
    }

    /// Says the last words.
    pub(super) fn finish(&mut self, ending: Ending) {
        let closing = &self.plan().closing;
        let lines = match ending {
            Ending::Completed => &closing.completed,
            Ending::Goodbye => &closing.goodbye,
            Ending::Handover => &closing.handover,
            Ending::Silence => &closing.silence,
            Ending::TooLong => &closing.too_long,
        };
        lines.iter().for_each(|line| self.tell_line(line));
        if matches!(ending, Ending::Completed | Ending::Goodbye) {
            self.state.stage = stage::COMPLETED.to_owned();
        }
        self.state.half_heard = None;
        self.state.awaiting = Awaiting::Nothing { ending };
    }
}

/// The words, and which of them have to be heard.
fn apart(lines: Vec<Line>) -> (Vec<String>, Vec<usize>) {
    let protected = lines.iter().enumerate().filter(|(_, line)| line.protected).map(|(i, _)| i).collect();
    (lines.into_iter().map(|line| line.say).collect(), protected)
}

/// What was said last, as lines.
fn together(state: &PlaybookState) -> impl DoubleEndedIterator<Item = Line> + use<> {
    let protected = state.last_protected.clone();
    let say = state.last_said.clone().into_iter();
    say.enumerate().map(move |(i, say)| Line { say, protected: protected.contains(&i) })
}
