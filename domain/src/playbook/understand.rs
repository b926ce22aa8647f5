//! Reads one utterance against all slots of a playbook at once, because callers answer what they like: two slots in a sentence, another
//! question than the one asked, or a slot that was filled long ago.
//!
//! Only reads. Whether a reading fills, corrects or merely repeats a slot is decided by the engine.

use super::Playbook;
use super::state::{Awaiting, Context, Half, PlaybookState};
use crate::slot::candidate::{Candidate, Picked, changes_mind, pick};
use crate::slot::money::{Asking, Money, find as find_money};
use crate::slot::numeral::{self, Quantity, scale_word};
use crate::slot::words::any;
use crate::slot::yes_no::{self, Assent};
use crate::slot::{SlotType, SlotValue};

mod contact;
mod when;

/// A value for a slot.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// Index among the playbook's slots.
    pub(super) slot: usize,
    pub(super) value: SlotValue,
    pub(super) confidence: f32,
    /// Words it was read from.
    pub(super) heard: String,
    /// First word after it.
    pub(super) end: usize,
}

/// All that an utterance says about the slots.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Understood {
    /// At most one value a slot, in the playbook's order.
    pub(super) found: Vec<Found>,
    /// An answer that lacks its rest.
    pub(super) half: Option<(usize, Half)>,
    /// Something was named only to be ruled out: "not Delhi".
    pub(super) ruled_out: bool,
    /// Slots called by name: "the budget is wrong".
    pub(super) mentioned: Vec<usize>,
    /// The caller takes something back.
    pub(super) corrects: bool,
    /// Yes, no, right or wrong.
    pub(super) assent: Option<Assent>,
}

/// Reads `text`, whose words are `words` and which the caller said in `state`.
pub(super) fn understand(
    playbook: &Playbook,
    state: &PlaybookState,
    context: &Context,
    text: &str,
    words: &[String],
) -> Understood {
    let assent = yes_no::read_words(words);
    let corrects = changes_mind(words, 0, words.len())
        || matches!(assent, Some(Assent::No | Assent::Wrong))
        || any(&playbook.ready.phrases.correction, words);
    let cued = |i: &usize| playbook.ready.slots[*i].cues.iter().any(|cue| cue.find(words).is_some());
    let mentioned = (0..playbook.slots().len()).filter(cued).collect();
    let understood = Understood { assent, corrects, mentioned, ..Understood::default() };
    let (free, asked) = (vec![true; words.len()], asked(playbook, state));
    let mut reader = Reader { playbook, state, context, text, words, free, asked, understood };
    // What is surest of its words comes first.
    reader.emails();
    reader.phones();
    reader.numbers_with_units();
    reader.appointments();
    reader.money();
    reader.names();
    reader.choices();
    reader.places();
    reader.bare_numbers();
    reader.yes_no();
    reader.understood.found.sort_by_key(|found| found.slot);
    reader.understood
}

/// Index of the slot that was asked.
fn asked(playbook: &Playbook, state: &PlaybookState) -> Option<usize> {
    match &state.awaiting {
        Awaiting::Answer { slot } => playbook.slot_index(slot),
        Awaiting::Confirmation { .. } | Awaiting::Change { .. } | Awaiting::Nothing { .. } => None,
    }
}

struct Reader<'a> {
    playbook: &'a Playbook,
    state: &'a PlaybookState,
    context: &'a Context,
    text: &'a str,
    words: &'a [String],
    /// False for words that a slot has taken.
    free: Vec<bool>,
    asked: Option<usize>,
    understood: Understood,
}

impl Reader<'_> {
    fn of_kind(&self, kind: SlotType) -> Vec<usize> {
        (0..self.playbook.slots().len()).filter(|i| self.playbook.slots()[*i].kind == kind).collect()
    }

    fn is_asked(&self, slots: &[usize]) -> bool {
        self.asked.is_some_and(|asked| slots.contains(&asked))
    }

    fn is_mentioned(&self, slots: &[usize]) -> bool {
        self.understood.mentioned.iter().any(|slot| slots.contains(slot))
    }

    /// The caller may be speaking about any slot: something was read back, or we asked what to change.
    fn is_open(&self) -> bool {
        match self.state.awaiting {
            Awaiting::Confirmation { .. } | Awaiting::Change { .. } => true,
            Awaiting::Answer { .. } | Awaiting::Nothing { .. } => false,
        }
    }

    fn value_of(&self, slot: usize) -> Option<&SlotValue> {
        self.state.slots.get(&self.playbook.slots()[slot].name).map(|filled| &filled.value)
    }

    fn is_filled(&self, slot: usize) -> bool {
        self.value_of(slot).is_some()
    }

    fn take(&mut self, start: usize, end: usize) {
        self.free[start..end].fill(false);
    }

    fn keep<T>(&mut self, slot: usize, candidate: &Candidate<T>, value: SlotValue) {
        let heard = self.words[candidate.start..candidate.end].join(" ");
        let (confidence, end) = (candidate.confidence, candidate.end);
        self.understood.found.push(Found { slot, value, confidence, heard, end });
    }

    fn money(&mut self) {
        let slots = self.of_kind(SlotType::Money);
        let Some(&first) = slots.first() else { return };
        let about = self.asked.filter(|asked| slots.contains(asked)).unwrap_or(first);
        let spec = &self.playbook.slots()[about];
        let asked = self.is_asked(&slots) || self.is_mentioned(&slots);
        let read_back = self.is_open() || self.state.acknowledged.contains(&spec.name);
        let corrects = self.known_money(about).filter(|_| self.understood.corrects && (asked || read_back));
        let currency = self.known_money(about).map_or(spec.currency, |known| known.currency);
        let amounts = find_money(self.words, &self.free, Asking { asked, currency, corrects });
        for amount in &amounts {
            self.take(amount.start, amount.end);
        }
        for (slot, picked) in self.assign(amounts, &slots) {
            self.understood.ruled_out |= picked.ruled_out;
            let Some(amount) = picked.chosen else { continue };
            let least = Quantity::from_whole(i64::from(self.playbook.slots()[slot].least));
            match amount.value.bare.filter(|bare| least.is_some_and(|least| *bare < least)) {
                Some(number) => self.understood.half = Some((slot, Half::Amount(number))),
                None => self.keep(slot, &amount, SlotValue::Money(amount.value.money)),
            }
        }
        self.complete_half();
    }

    fn known_money(&self, slot: usize) -> Option<Money> {
        match self.state.slots.get(&self.playbook.slots()[slot].name)?.value {
            SlotValue::Money(money) => Some(money),
            _ => None,
        }
    }

    /// "Sixty." – "Lakh or crore?" – "Lakh."
    fn complete_half(&mut self) {
        let Some(half) = &self.state.half_heard else { return };
        let Half::Amount(number) = half.part else { return };
        let Some(slot) = self.playbook.slot_index(&half.slot) else { return };
        if self.understood.half.is_some() || self.understood.found.iter().any(|found| found.slot == slot) {
            return;
        }
        let Some((at, scale)) = self.words.iter().enumerate().find_map(|(i, word)| Some((i, scale_word(word)?))) else {
            return;
        };
        let number = i128::from(number.millionths()) * i128::from(scale);
        let currency = self.playbook.slots()[slot].currency;
        let money = Quantity::from_millionths(number).and_then(|number| Money::of(number, currency));
        if let Some(money) = money {
            self.take(at, at + 1);
            self.keep(slot, &Candidate { start: at, end: at + 1, value: (), confidence: 0.9 }, SlotValue::Money(money));
        }
    }

    /// "Three bedrooms" is a count of bedrooms whatever was asked.
    fn numbers_with_units(&mut self) {
        for slot in self.of_kind(SlotType::Number) {
            let units = &self.playbook.slots()[slot].units;
            let numbers = self.numbers(|next| next.is_some_and(|next| units.contains(next)));
            let picked = pick(numbers, self.words);
            self.understood.ruled_out |= picked.ruled_out;
            if let Some(number) = picked.chosen {
                let end = (number.end + 1).min(self.words.len());
                self.take(number.start, end);
                self.keep(slot, &number, SlotValue::Number(number.value));
            }
        }
    }

    /// A number alone counts where a number was asked for, or where the only number that we read back is taken back.
    fn bare_numbers(&mut self) {
        let slots = self.of_kind(SlotType::Number);
        let read_back = match slots.as_slice() {
            [only] if self.understood.corrects => Some(*only).filter(|slot| {
                let name = &self.playbook.slots()[*slot].name;
                self.state.slots.contains_key(name) && (self.is_open() || self.state.acknowledged.contains(name))
            }),
            _ => None,
        };
        let Some(slot) = self.asked.filter(|slot| slots.contains(slot)).or(read_back) else { return };
        if self.understood.found.iter().any(|found| found.slot == slot) {
            return;
        }
        let picked = pick(self.numbers(|_| true), self.words);
        self.understood.ruled_out |= picked.ruled_out;
        if let Some(number) = picked.chosen {
            self.take(number.start, number.end);
            self.keep(slot, &number, SlotValue::Number(number.value));
        }
    }

    fn numbers(&self, fits: impl Fn(Option<&String>) -> bool) -> Vec<Candidate<Quantity>> {
        let mut numbers = Vec::new();
        let mut at = 0;
        while at < self.words.len() {
            let Some(number) = numeral::read(self.words, at).filter(|number| !number.misheard) else {
                at += 1;
                continue;
            };
            if fits(self.words.get(number.end)) && self.free[at..number.end].iter().all(|free| *free) {
                numbers.push(Candidate { start: at, end: number.end, value: number.quantity, confidence: 1.0 });
            }
            at = number.end;
        }
        numbers
    }

    /// The asked choice first: vocabularies may share words.
    fn choices(&mut self) {
        let mut slots = self.of_kind(SlotType::Choice);
        slots.sort_by_key(|slot| Some(*slot) != self.asked);
        for slot in slots {
            let asked = Some(slot) == self.asked || self.is_open();
            let hits = self.playbook.ready.slots[slot].choices.find(self.words, &self.free, asked);
            for hit in &hits {
                self.take(hit.start, hit.end);
            }
            let picked = pick(hits, self.words);
            self.understood.ruled_out |= picked.ruled_out;
            if let Some(choice) = picked.chosen {
                self.keep(slot, &choice, SlotValue::Choice(choice.value.clone()));
            }
        }
    }

    fn places(&mut self) {
        let slots = self.of_kind(SlotType::Place);
        let Some(&first) = slots.first() else { return };
        let about = self.asked.filter(|asked| slots.contains(asked)).unwrap_or(first);
        let asked = self.is_asked(&slots);
        let unlisted =
            asked || self.understood.corrects || !self.understood.found.is_empty() || self.is_mentioned(&slots);
        let gazetteer = &self.playbook.ready.slots[about].gazetteer;
        let places = gazetteer.find(self.words, &self.free, asked || self.is_open(), unlisted);
        for place in &places {
            self.take(place.start, place.end);
        }
        for (slot, picked) in self.assign(places, &slots) {
            self.understood.ruled_out |= picked.ruled_out;
            if let Some(place) = picked.chosen {
                self.keep(slot, &place, SlotValue::Place(place.value.clone()));
            }
        }
    }

    fn yes_no(&mut self) {
        let Some(slot) = self.asked.filter(|slot| self.playbook.slots()[*slot].kind == SlotType::YesNo) else { return };
        if let Some(assent) = self.understood.assent {
            let whole = Candidate { start: 0, end: self.words.len(), value: (), confidence: 1.0 };
            self.keep(slot, &whole, SlotValue::YesNo(assent.is_yes()));
        }
    }

    /// Shares readings among the slots of one type: by the cue before them ("from Delhi to Pune"), else to the slot that was asked, else to the
    /// first that is open.
    fn assign<T: PartialEq>(&self, candidates: Vec<Candidate<T>>, slots: &[usize]) -> Vec<(usize, Picked<T>)> {
        let mut shares: Vec<(usize, Vec<Candidate<T>>)> = slots.iter().map(|slot| (*slot, Vec::new())).collect();
        let mut before = 0;
        for candidate in candidates {
            let cue = self.cue_before(before, candidate.start, slots);
            before = candidate.end;
            let open = |slot: &usize| !self.state.slots.contains_key(&self.playbook.slots()[*slot].name);
            let asked = self.asked.filter(|asked| slots.contains(asked));
            let slot = cue.or(asked).or_else(|| slots.iter().copied().find(open)).or_else(|| slots.first().copied());
            if let Some((_, share)) = shares.iter_mut().find(|(other, _)| Some(*other) == slot) {
                share.push(candidate);
            }
        }
        shares.into_iter().map(|(slot, share)| (slot, pick(share, self.words))).collect()
    }

    fn cue_before(&self, from: usize, start: usize, slots: &[usize]) -> Option<usize> {
        let from = from.max(start.saturating_sub(4));
        let before = self.words.get(from..start)?;
        slots
            .iter()
            .copied()
            .filter(|_| slots.len() > 1)
            .find_map(|slot| {
                let cues = &self.playbook.ready.slots[slot].cues;
                cues.iter().filter_map(|cue| cue.find(before)).max().map(|at| (at, slot))
            })
            .map(|(_, slot)| slot)
    }
}
