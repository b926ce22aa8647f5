//! Names, telephone numbers and e-mail addresses among the slots.

use super::Reader;
use crate::playbook::state::{Awaiting, Half};
use crate::slot::candidate::Candidate;
use crate::slot::money::is_measure;
use crate::slot::phone::{self, Dictated, Judged};
use crate::slot::{SlotType, SlotValue, email, name};

/// Where nobody says whose numbers come without a country code.
const HOME: &str = "IN";
/// So many digits are a telephone number to whatever question; fewer than the other are no part of one.
const CLEAR_RUN: usize = 10;
const SHORTEST_RUN: usize = 3;

impl Reader<'_> {
    /// An address takes the whole utterance: its letters and digits are nobody else's.
    pub(super) fn emails(&mut self) {
        let slots = self.of_kind(SlotType::Email);
        let Some(slot) = self.slot_about(&slots) else { return };
        let clear = self.text.contains('@') || self.text.to_lowercase().contains("at the rate");
        if !(clear || self.is_asked(&slots) || self.is_mentioned(&slots)) {
            return;
        }
        if let Some(address) = email::read(self.text) {
            let whole = Candidate { start: 0, end: self.words.len(), value: (), confidence: 0.9 };
            self.take(0, self.words.len());
            self.keep(slot, &whole, SlotValue::Email(address));
        }
    }

    pub(super) fn phones(&mut self) {
        let slots = self.of_kind(SlotType::Phone);
        let Some(slot) = self.slot_about(&slots) else { return };
        let begun = self.begun_digits(slot);
        let Some(run) = phone::find(self.words, &self.free) else { return };
        let about = begun.is_some() || self.is_asked(&slots) || self.is_mentioned(&slots) || self.is_open();
        let digits = run.value.digits.len();
        let counted = is_measure(self.words.get(run.end))
            || self
                .words
                .get(run.end)
                .is_some_and(|word| matches!(word.as_str(), "second" | "sec" | "moment" | "lakh" | "crore"));
        let long_enough = digits >= SHORTEST_RUN || begun.is_some();
        if counted || !long_enough || !(about || digits >= CLEAR_RUN) {
            return;
        }
        let region = self.context.region.as_deref().unwrap_or(HOME);
        let joined =
            begun.map(|begun| Dictated { digits: format!("{}{}", begun.digits, run.value.digits), plus: begun.plus });
        // The whole number again, or the rest of the one that was begun.
        let attempts = [Some(run.value.clone()), joined];
        let judged: Vec<(Dictated, Judged)> =
            attempts.into_iter().flatten().map(|digits| (digits.clone(), phone::judge(&digits, region))).collect();
        let whole = judged.iter().find_map(|(_, judged)| match judged {
            Judged::Whole(number) => Some(number.clone()),
            Judged::TooShort | Judged::Impossible => None,
        });
        if let Some(number) = whole {
            self.take(run.start, run.end);
            return self.keep(slot, &run, SlotValue::Phone(number));
        }
        let short = judged.into_iter().rev().find(|(_, judged)| *judged == Judged::TooShort);
        if let Some((Dictated { digits, plus }, _)) = short.filter(|_| about) {
            self.take(run.start, run.end);
            self.understood.half = Some((slot, Half::Digits { digits, plus }));
        }
    }

    /// Digits of an earlier turn, unless the caller takes them back.
    fn begun_digits(&self, slot: usize) -> Option<Dictated> {
        let half = self.state.half_heard.as_ref().filter(|_| !self.understood.corrects)?;
        match &half.part {
            Half::Digits { digits, plus } if half.slot == self.playbook.slots()[slot].name => {
                Some(Dictated { digits: digits.clone(), plus: *plus })
            }
            Half::Digits { .. } | Half::Amount(_) => None,
        }
    }

    pub(super) fn names(&mut self) {
        let slots = self.of_kind(SlotType::Name);
        let Some(slot) = self.slot_about(&slots) else { return };
        // "Is that right?" about the name alone is answered by a name; about more than that, by "the name is …".
        let own_name = &self.playbook.slots()[slot].name;
        let read_back = matches!(&self.state.awaiting, Awaiting::Confirmation { slots, .. } if slots.len() == 1 && slots[0] == *own_name);
        let corrects = self.understood.corrects && (read_back || self.is_mentioned(&slots));
        let asked = self.is_asked(&slots) || corrects;
        if let Some(name) = name::find(self.words, &self.free, asked) {
            self.take(name.start, name.end);
            self.keep(slot, &name, SlotValue::Name(name.value.clone()));
        }
    }

    /// The slot of a kind that the talk is about: the one that was asked, the one that was named, the first that is open, the first.
    fn slot_about(&self, slots: &[usize]) -> Option<usize> {
        let asked = self.asked.filter(|asked| slots.contains(asked));
        let mentioned = || slots.iter().copied().find(|slot| self.understood.mentioned.contains(slot));
        let open = || slots.iter().copied().find(|slot| !self.is_filled(*slot));
        asked.or_else(mentioned).or_else(open).or_else(|| slots.first().copied())
    }
}
