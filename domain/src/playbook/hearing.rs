//! What an utterance means at this point of the conversation, and the move it calls for.
//!
//! Order matters and is the same everywhere: a person is asked for, then answers and corrections, then leave-taking, then "no", then delays and
//! refusals, then nothing understood. So "thank you, sixty lakh" is an answer, and "not interested" alone is a goodbye.

use super::delay::{Delay, requested};
use super::engine::Turn;
use super::plan::{Policy, SettledBy, SlotSpec, Unknown};
use super::state::{Awaiting, Ending, Filled, Half, HalfHeard, Heard, SkipReason, stage};
use super::understand::{Found, Understood, understand};
use crate::aside::Aside;
use crate::slot::phone::grouped;
use crate::slot::place::bare_name;
use crate::slot::spell::{self, Scales};
use crate::slot::words::{Phrase, any};
use crate::slot::yes_no::Assent;
use crate::slot::{SlotType, SlotValue, Tongue};

/// Confidence with which a filled slot is replaced though the caller took nothing back.
const SURE: f32 = 0.95;

/// What an utterance did to the slots.
#[derive(Debug, Default)]
struct Changes {
    /// Filled or corrected, by name, in the playbook's order.
    names: Vec<String>,
    /// One of them had another value before.
    corrected: bool,
    /// The caller said again what we know.
    echoed: bool,
    /// First word after the last value.
    end: usize,
}

/// One utterance and what it says.
struct Hearing<'h> {
    heard: &'h Heard<'h>,
    words: &'h [String],
    understood: &'h Understood,
    /// It says again what we know.
    echoed: bool,
    /// The caller takes leave.
    leaves: bool,
}

impl<'a> Turn<'a> {
    /// Answers an utterance of at least one word.
    pub(super) fn hear(&mut self, heard: &Heard<'_>, words: &[String]) {
        let phrases = &self.playbook.ready.phrases;
        if any(&phrases.handover, words) {
            return self.finish(Ending::Handover);
        }
        // Before its words are read as an answer: "ek minute" is not one rupee, and "yes, one moment" confirms nothing.
        if Aside::is_wait(heard.text) && self.grant(Delay::Wait, None) {
            return;
        }
        let understood = understand(self.playbook, &self.state, self.context, heard.text, words);
        let changes = self.apply(&understood, heard);
        let leaves = last_word(&phrases.goodbye, words);
        let nothing =
            changes.names.is_empty() && !changes.echoed && understood.half.is_none() && understood.assent.is_none();
        let faint = heard.confidence.is_some_and(|confidence| confidence < self.playbook.plan.least_confidence);
        if nothing && faint {
            return self.unheard();
        }
        if !changes.names.is_empty() {
            return self.go_on(&changes, leaves.is_some_and(|at| at >= changes.end));
        }
        let leaves = leaves.is_some() && !understood.ruled_out;
        let hearing = Hearing { heard, words, understood: &understood, echoed: changes.echoed, leaves };
        match self.state.awaiting.clone() {
            Awaiting::Answer { slot } => match self.spec(&slot) {
                Some(spec) => self.hear_answer(spec, &hearing),
                None => self.advance(),
            },
            Awaiting::Confirmation { slots, last, .. } => self.hear_confirmation(&slots, last, &hearing),
            Awaiting::Change { last, .. } => self.hear_change(last, &hearing),
            Awaiting::Nothing { .. } => {}
        }
    }

    /// Fills and corrects slots.
    fn apply(&mut self, understood: &Understood, heard: &Heard<'_>) -> Changes {
        let mut changes = Changes::default();
        let asked = match &self.state.awaiting {
            Awaiting::Answer { slot } => self.playbook.slot_index(slot),
            Awaiting::Confirmation { .. } | Awaiting::Change { .. } | Awaiting::Nothing { .. } => None,
        };
        // "Thank you, that is all" takes nothing back, whatever else it names.
        let content = understood.assent == Some(Assent::Right) && !understood.corrects;
        let answers_question = understood.found.iter().any(|found| Some(found.slot) == asked);
        for found in &understood.found {
            let spec = &self.playbook.slots()[found.slot];
            changes.end = changes.end.max(found.end);
            match self.state.slots.get(&spec.name).map(|filled| &filled.value) {
                None => {}
                Some(known) if repeats(known, &found.value) => {
                    changes.echoed = true;
                    continue;
                }
                Some(_) => {
                    let meant = understood.corrects
                        || understood.mentioned.contains(&found.slot)
                        || Some(found.slot) == asked
                        || (asked.is_none() && !content)
                        || (found.confidence >= SURE && !answers_question);
                    if !meant {
                        continue;
                    }
                    changes.corrected = true;
                }
            }
            self.fill(spec, found, heard);
            changes.names.push(spec.name.clone());
        }
        changes
    }

    fn fill(&mut self, spec: &SlotSpec, found: &Found, heard: &Heard<'_>) {
        let confidence = found.confidence * heard.confidence.unwrap_or(1.0).clamp(0.0, 1.0);
        let filled = Filled { heard: found.heard.clone(), value: found.value.clone(), confidence, confirmed: false };
        if spec.stage.as_deref() == Some(stage::LANGUAGE_SELECTION)
            && let SlotValue::Choice(language) | SlotValue::Text(language) = &found.value
        {
            self.state.language = language.clone();
        }
        self.state.slots.insert(spec.name.clone(), filled);
        self.state.skipped.remove(&spec.name);
        self.state.attempts.remove(&spec.name);
    }

    /// After something was filled or corrected: reads it back and asks on.
    fn go_on(&mut self, changes: &Changes, leaves: bool) {
        (self.state.delays, self.state.failures) = (0, 0);
        (self.state.half_heard, self.state.summed_up) = (None, false);
        self.state.acknowledged = Box::default();
        if leaves {
            self.acknowledge(&changes.names);
            return self.finish(if self.is_qualified() { Ending::Completed } else { Ending::Goodbye });
        }
        if changes.corrected {
            let line = &self.plan().lines.corrected;
            self.aside(line);
        }
        let confirmation = &self.plan().confirmation;
        match confirmation.policy {
            Policy::Each => return self.confirm(changes.names.clone()),
            Policy::Confidence => {
                let unsure = |name: &String| {
                    self.state.slots.get(name).is_some_and(|filled| filled.confidence < confirmation.sure)
                };
                let unsure: Vec<String> = changes.names.iter().filter(|name| unsure(name)).cloned().collect();
                if !unsure.is_empty() {
                    return self.confirm(unsure);
                }
                self.acknowledge(&changes.names);
            }
            // What reads back all that is known says it anyway: the end, or the last offer.
            Policy::End => {
                if self.plan().slots.iter().any(|spec| !spec.offer && self.is_open(spec)) {
                    self.acknowledge(&changes.names);
                } else {
                    self.state.acknowledged = changes.names.as_slice().into();
                }
            }
            Policy::None => self.acknowledge(&changes.names),
        }
        self.advance();
    }

    fn hear_answer(&mut self, spec: &SlotSpec, hearing: &Hearing<'_>) {
        let understood = hearing.understood;
        let denies = matches!(understood.assent, Some(Assent::No | Assent::Wrong)) || understood.ruled_out;
        let acknowledged = std::mem::take(&mut self.state.acknowledged);
        if hearing.leaves {
            if self.state.summed_up {
                acknowledged.iter().for_each(|name| self.mark_confirmed(name));
            }
            return self.finish(if self.is_qualified() { Ending::Completed } else { Ending::Goodbye });
        }
        if let Some((slot, half)) = &understood.half {
            return self.ask_rest(*slot, half);
        }
        if let Some(wrong) = self.mentioned_and_known(hearing).filter(|_| understood.corrects) {
            return self.ask(wrong);
        }
        if spec.offer && matches!(understood.assent, Some(Assent::No | Assent::Right)) && !understood.ruled_out {
            acknowledged.iter().for_each(|name| self.mark_confirmed(name));
            return self.decline(spec, SkipReason::Refused);
        }
        if requested(self.playbook, hearing.words).is_some_and(|delay| self.grant(delay, Some(spec))) {
            self.state.acknowledged = acknowledged;
            return;
        }
        if any(&self.playbook.ready.phrases.refuse, hearing.words) {
            return self.refused(spec);
        }
        if any(&self.playbook.ready.phrases.unknown, hearing.words) {
            return self.unknown(spec);
        }
        if denies && !acknowledged.is_empty() {
            return match &*acknowledged {
                [only] => self.spec(only).into_iter().for_each(|spec| self.ask(spec)),
                _ => self.ask_change(false, 0),
            };
        }
        if let Some(found) = self.taken_as_said(spec, hearing) {
            let heard = hearing.heard;
            self.fill(spec, &found, heard);
            return self.go_on(&Changes { names: vec![spec.name.clone()], ..Changes::default() }, false);
        }
        if matches!(understood.assent, Some(Assent::Yes | Assent::Right)) || hearing.echoed {
            acknowledged.iter().for_each(|name| self.mark_confirmed(name));
            return self.ask_again(spec, "");
        }
        let line = &self.plan().lines.unclear;
        self.ask_again(spec, line);
    }

    /// The caller's own words: for a text slot at once, for a place that no list knows at the second try.
    fn taken_as_said(&self, spec: &SlotSpec, hearing: &Hearing<'_>) -> Option<Found> {
        let slot = self.playbook.slot_index(&spec.name)?;
        let end = hearing.words.len();
        match spec.kind {
            SlotType::Text => {
                let text = hearing.heard.text.trim().trim_end_matches('.').to_owned();
                Some(Found { slot, value: SlotValue::Text(text.clone()), confidence: 0.5, heard: text, end })
            }
            SlotType::Place if self.state.attempts.contains_key(&spec.name) => {
                let name = bare_name(hearing.words)?;
                let heard = hearing.words[name.start..].join(" ");
                Some(Found { slot, value: SlotValue::Place(name.value), confidence: name.confidence, heard, end })
            }
            SlotType::Choice
            | SlotType::Place
            | SlotType::Money
            | SlotType::Number
            | SlotType::Date
            | SlotType::Time
            | SlotType::TimeWindow
            | SlotType::Name
            | SlotType::Phone
            | SlotType::Email
            | SlotType::YesNo => None,
        }
    }

    /// Asks for what an answer lacks: "sixty" may be sixty lakh or sixty crore, and five digits are half a telephone number.
    fn ask_rest(&mut self, slot: usize, half: &Half) {
        let spec = &self.plan().slots[slot];
        let scales = Scales::of(Tongue::of(&self.plan().language));
        let (line, heard) = match half {
            Half::Amount(number) => (spec.unclear.as_ref(), spell::quantity(*number, scales)),
            Half::Digits { digits, .. } => {
                (Some(spec.unclear.as_ref().unwrap_or(&self.plan().lines.more)), grouped(digits, scales))
            }
        };
        let Some(line) = line else {
            let line = &self.plan().lines.unclear;
            return self.ask_again(spec, line);
        };
        // Digits that come in groups are no failure, as long as they grow.
        let known = match self.state.half_heard.as_ref().map(|half| &half.part) {
            Some(Half::Digits { digits, .. }) => digits.len(),
            _ => 0,
        };
        let grows = matches!(half, Half::Digits { digits, .. } if digits.len() > known);
        if !grows && self.count_attempt(spec) > spec.max_reprompts {
            return self.ask_again(spec, "");
        }
        self.state.half_heard = Some(Box::new(HalfHeard { slot: spec.name.clone(), part: half.clone() }));
        self.state.awaiting = Awaiting::Answer { slot: spec.name.clone() };
        self.tell_with(line, &[("heard", &heard)]);
    }

    fn unknown(&mut self, spec: &SlotSpec) {
        match &spec.unknown {
            Unknown::Skip(value) => {
                self.skip(spec, SkipReason::Unknown, Some(value.clone()).filter(|value| !value.is_empty()))
            }
            Unknown::HandOver => self.finish(Ending::Handover),
            Unknown::AskOnceMore if self.state.attempts.contains_key(&spec.name) => {
                self.skip(spec, SkipReason::Unknown, None)
            }
            Unknown::AskOnceMore => self.ask_again(spec, ""),
        }
    }

    /// An optional slot is dropped at once, a required one is asked for once more.
    fn refused(&mut self, spec: &SlotSpec) {
        if spec.required && !self.state.attempts.contains_key(&spec.name) {
            self.ask_again(spec, "");
        } else {
            self.skip(spec, SkipReason::Refused, None);
        }
    }

    fn hear_confirmation(&mut self, slots: &[String], last: bool, hearing: &Hearing<'_>) {
        let understood = hearing.understood;
        self.state.acknowledged = Box::default();
        if let Some((slot, half)) = &understood.half {
            return self.ask_rest(*slot, half);
        }
        let settles = !last || self.plan().confirmation.settled_by == SettledBy::Yes;
        let right = match understood.assent {
            Some(Assent::Right) => Some(true),
            Some(Assent::Wrong) => Some(false),
            Some(Assent::Yes) => Some(settles),
            Some(Assent::No) => Some(!settles),
            None => None,
        };
        let mentioned = self.mentioned_and_known(hearing).filter(|_| right != Some(true));
        if let Some(wrong) = mentioned {
            return self.ask(wrong);
        }
        // "No, not Delhi" says what is wrong, whatever the question's own "no" would mean.
        if understood.ruled_out || right == Some(false) {
            return self.denied(slots, last);
        }
        if right == Some(true) || hearing.echoed || hearing.leaves {
            slots.iter().for_each(|name| self.mark_confirmed(name));
            return self.settle(last);
        }
        if requested(self.playbook, hearing.words).is_some_and(|delay| self.grant(delay, None)) {
            return;
        }
        let phrases = &self.playbook.ready.phrases;
        if any(&phrases.unknown, hearing.words) || any(&phrases.refuse, hearing.words) {
            return self.settle(last);
        }
        let line = &self.plan().lines.unclear;
        self.missed(line);
    }

    /// What we read back is wrong, and the caller has not said what is right.
    fn denied(&mut self, slots: &[String], last: bool) {
        match slots {
            [only] => match self.spec(only) {
                Some(spec) => self.ask_again(spec, ""),
                None => self.advance(),
            },
            _ => self.ask_change(last, 0),
        }
    }

    fn hear_change(&mut self, last: bool, hearing: &Hearing<'_>) {
        self.state.acknowledged = Box::default();
        if let Some((slot, half)) = &hearing.understood.half {
            return self.ask_rest(*slot, half);
        }
        if let Some(spec) = self.mentioned_and_known(hearing) {
            return self.ask(spec);
        }
        let content =
            matches!(hearing.understood.assent, Some(Assent::No | Assent::Right)) && !hearing.understood.ruled_out;
        if content || hearing.echoed || hearing.leaves {
            return self.settle(last);
        }
        if requested(self.playbook, hearing.words).is_some_and(|delay| self.grant(delay, None)) {
            return;
        }
        let line = &self.plan().lines.unclear;
        self.missed(line);
    }

    /// The first filled slot that the caller called by name.
    fn mentioned_and_known(&self, hearing: &Hearing<'_>) -> Option<&'a SlotSpec> {
        let playbook = self.playbook;
        let plan = playbook.plan_in(&self.state.language);
        let mentioned = hearing.understood.mentioned.iter().map(|slot| &plan.slots[*slot]);
        mentioned.into_iter().find(|spec| self.state.slots.contains_key(&spec.name))
    }

    fn mark_confirmed(&mut self, name: &str) {
        if let Some(filled) = self.state.slots.get_mut(name) {
            filled.confirmed = true;
        }
    }
}

/// The same answer in other words: the city alone, after one of its parts was named, takes nothing back.
fn repeats(known: &SlotValue, heard: &SlotValue) -> bool {
    match (known, heard) {
        (SlotValue::Place(known), SlotValue::Place(heard)) => {
            known == heard
                || (heard.within.is_none() && (known.within.as_ref() == Some(&heard.name) || known.name == heard.name))
        }
        _ => known == heard,
    }
}

/// Index of the last word of the phrase that is found latest.
fn last_word(phrases: &[Phrase], words: &[String]) -> Option<usize> {
    phrases.iter().filter_map(|phrase| phrase.find(words)).max()
}
