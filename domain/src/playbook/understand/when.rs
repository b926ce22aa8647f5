//! Appointments among the slots: which window belongs to which of the date, time and window slots, and what a correction keeps.

use super::Reader;
use crate::slot::candidate::pick;
use crate::slot::window::{self, Looking};
use crate::slot::{SlotType, SlotValue, TimeWindow};

impl Reader<'_> {
    /// Read only where the talk is about time: callers say "today" and "this morning" about much else.
    pub(super) fn appointments(&mut self) {
        let windows = self.of_kind(SlotType::TimeWindow);
        let parts: Vec<usize> =
            [SlotType::Date, SlotType::Time].into_iter().flat_map(|kind| self.of_kind(kind)).collect();
        let all: Vec<usize> = windows.iter().chain(&parts).copied().collect();
        let about = self.is_asked(&all) || self.is_mentioned(&all);
        let corrects = self.understood.corrects && all.iter().any(|slot| self.is_filled(*slot));
        if all.is_empty() || !(about || self.is_open() || corrects) {
            return;
        }
        let found = window::find(self.words, &self.free, Looking { now: self.context.now, asked: about });
        if self.asked.is_some_and(|asked| parts.contains(&asked)) || windows.is_empty() {
            let picked = pick(found, self.words);
            self.understood.ruled_out |= picked.ruled_out;
            let Some(chosen) = picked.chosen else { return };
            let mut taken = Vec::new();
            for (kind, value) in [
                (SlotType::Date, chosen.value.date.map(SlotValue::Date)),
                (SlotType::Time, chosen.value.point().map(SlotValue::Time)),
            ] {
                let slots = self.of_kind(kind);
                let asked = self.asked.filter(|asked| slots.contains(asked));
                let open = slots.iter().copied().find(|slot| !self.is_filled(*slot));
                let slot = asked.or(open).or_else(|| slots.first().copied());
                taken.extend(slot.zip(value));
            }
            if !taken.is_empty() {
                self.take(chosen.start, chosen.end);
            }
            for (slot, value) in taken {
                self.keep(slot, &chosen, value);
            }
            return;
        }
        for window in &found {
            self.take(window.start, window.end);
        }
        for (slot, picked) in self.assign(found, &windows) {
            self.understood.ruled_out |= picked.ruled_out;
            if let Some(chosen) = picked.chosen {
                let value = self.completed(slot, chosen.value);
                self.keep(slot, &chosen, SlotValue::Window(value));
            }
        }
    }

    /// "No, at five" keeps the day that was said before, and "no, on Tuesday" the hours.
    fn completed(&self, slot: usize, heard: TimeWindow) -> TimeWindow {
        let Some(SlotValue::Window(known)) = self.value_of(slot) else { return heard };
        let hours = if heard.from.is_none() && heard.to.is_none() { known } else { &heard };
        TimeWindow { date: heard.date.or(known.date), from: hours.from, to: hours.to }
    }
}
