//! Turns that bring no answer: silence, noise, "say again", "hold on", "what can I say?". All are counted.

use super::Playbook;
use super::engine::Turn;
use super::plan::SlotSpec;
use super::state::{Awaiting, Ending, SkipReason};
use crate::aside::Aside;
use crate::slot::words::any;

/// Repetitions and pauses in a row; the next one counts as a failed answer.
const MOST_DELAYS: u32 = 3;
/// Silences in one call. The ladder's own rungs start again whenever the caller makes a sound.
const MOST_SILENCES: u32 = 12;

/// What people say when they have not heard; inside a sentence the words mean nothing of the kind.
const ALONE: [&str; 8] = ["what", "sorry", "huh", "hello", "eh", "pardon", "excuse", "me"];

/// What a caller asks for instead of answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delay {
    Repeat,
    Hello,
    Help,
    Wait,
}

/// The delay that `words` ask for, if any.
pub(super) fn requested(playbook: &Playbook, words: &[String]) -> Option<Delay> {
    match Aside::of(&words.join(" ")) {
        Some(Aside::Wait) => return Some(Delay::Wait),
        Some(Aside::Hello) => return Some(Delay::Hello),
        None => {}
    }
    if words.len() <= 2 && words.iter().all(|word| ALONE.contains(&word.as_str())) {
        return Some(Delay::Repeat);
    }
    let phrases = &playbook.ready.phrases;
    [(Delay::Repeat, &phrases.repeat), (Delay::Help, &phrases.help), (Delay::Wait, &phrases.wait)]
        .into_iter()
        .find_map(|(delay, phrases)| any(phrases, words).then_some(delay))
}

impl Turn<'_> {
    /// Grants a delay; false once the caller has had enough of them.
    pub(super) fn grant(&mut self, delay: Delay, spec: Option<&SlotSpec>) -> bool {
        if self.state.delays >= MOST_DELAYS {
            return false;
        }
        self.state.delays += 1;
        match delay {
            Delay::Hello if self.state.turns <= 1 => self.ask_after_greeting(),
            Delay::Repeat | Delay::Hello => self.say_again(),
            Delay::Wait => self.wait(),
            Delay::Help => match spec.and_then(|spec| Some((spec, spec.help.as_ref().or(spec.reprompts.first())?))) {
                Some((spec, help)) => self.tell_question(spec, help),
                None => self.say_again(),
            },
        }
        true
    }

    /// Sound without words.
    pub(super) fn unheard(&mut self) {
        let line = &self.plan().lines.unheard;
        self.missed(line);
    }

    /// An utterance that brings nothing: the open question again, after `aside`, until patience ends.
    pub(super) fn missed(&mut self, aside: &str) {
        if !matches!(self.state.awaiting, Awaiting::Answer { .. }) {
            self.state.failures = self.state.failures.saturating_add(1);
            if self.has_had_enough() {
                return self.finish(Ending::Handover);
            }
        }
        match self.state.awaiting.clone() {
            Awaiting::Answer { slot } => match self.spec(&slot) {
                Some(spec) => self.ask_again(spec, aside),
                None => self.advance(),
            },
            Awaiting::Confirmation { slots, last, misses, silences } => {
                if misses >= self.plan().confirmation.reprompts {
                    return self.settle(last);
                }
                self.aside(aside);
                self.question(last);
                self.state.awaiting = Awaiting::Confirmation { slots, last, misses: misses + 1, silences };
            }
            Awaiting::Change { last, misses } => {
                if misses >= self.plan().confirmation.reprompts {
                    return self.settle(last);
                }
                self.aside(aside);
                self.ask_change(last, misses + 1);
            }
            Awaiting::Nothing { .. } => {}
        }
    }

    /// The question of a read-back alone, which is its last line.
    fn question(&mut self, last: bool) {
        let confirmation = &self.plan().confirmation;
        let lines = if last { &confirmation.end } else { &confirmation.each };
        if let Some(question) = lines.last().filter(|line| !line.contains("{summary}")) {
            self.tell(question);
        } else {
            self.say_again();
        }
    }

    /// Asks what to change.
    pub(super) fn ask_change(&mut self, last: bool, misses: u32) {
        let line = &self.plan().lines.change;
        self.tell(line);
        self.state.awaiting = Awaiting::Change { last, misses };
    }

    /// Leaves a read-back as it is and goes on, or closes if nothing is left.
    pub(super) fn settle(&mut self, last: bool) {
        if last { self.finish(Ending::Completed) } else { self.advance() }
    }
}

/// Silence after our words. An unanswered closing question closes the call kindly: all is known, only unconfirmed.
pub(super) fn silent(turn: &mut Turn<'_>, rung: u32) {
    turn.state.silences = turn.state.silences.saturating_add(1);
    let lines = &turn.plan().lines.silence;
    let enough = turn.state.silences > MOST_SILENCES;
    let rung = rung as usize; // as many as there are lines for; where an agent waits for longer, they begin anew
    let line = lines.get(rung % lines.len().max(1)).filter(|_| !enough);
    match turn.state.awaiting.clone() {
        Awaiting::Confirmation { slots, last, misses, silences } => {
            if enough || silences >= turn.plan().confirmation.silent_reprompts {
                return turn.settle(last);
            }
            line.into_iter().for_each(|line| turn.aside(line));
            turn.question(last);
            turn.state.awaiting = Awaiting::Confirmation { slots, last, misses, silences: silences + 1 };
        }
        Awaiting::Change { last, .. } => turn.settle(last),
        Awaiting::Answer { slot } => match (line, turn.spec(&slot)) {
            (_, Some(spec)) if turn.state.slots.contains_key(&spec.name) => turn.advance(),
            (_, Some(spec)) if spec.offer => turn.decline(spec, SkipReason::Silent),
            (Some(line), Some(spec)) => {
                turn.aside(line);
                // Not the same words twice: the first reprompt may not have been heard, the others were not understood.
                let others = spec.reprompts.len() + 1;
                let question = (rung % others).checked_sub(1).map_or(&spec.prompt, |other| &spec.reprompts[other]);
                turn.tell_question(spec, question);
            }
            _ => turn.finish(Ending::Silence),
        },
        Awaiting::Nothing { .. } => {}
    }
}
