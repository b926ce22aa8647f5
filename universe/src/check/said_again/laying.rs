//! The ear's words laid into what was meant to be said: each in its place, places growing, but for what is said again behind a `clear`.
//!
//! ```text
//!  meant    Hello,  this  is  Tandem's          place 0 1 2 3
//!  ear        ~     this │ Hello,  this  is     "Hello," had a gap in it: no word can be told, and it is the one that is said again
//!  place            1    │   0      1    2      back to 0: allowed, where 0 ended within the ways' delay before the clear
//! ```
//!
//! Of all ways to lay them the one that has a place for the most words; of those, the one in which most of what the record claims was heard, and
//! then the one that goes back least. A place may be further back only behind a `clear` after which the record says that the voice went on, within
//! one utterance, to a word that the switch may not have known to be heard; and then every word comes again until the voice is where it was, unless
//! it is cut before.

use std::time::Duration;

use tandem_domain::ids::UtteranceId;
use tandem_peers::voice::Talker;

use super::super::ear::whole;
use super::{allowed, clears, taken_back};
use crate::Run;

/// A word that has a place outweighs any number of preferences.
const PLACED: u32 = 1 << 12;
/// The record says that the word was heard.
const CLAIMED: u32 = 2;
/// What it costs to go back.
const BACK: u32 = 1;
/// Audio is sent no further ahead of the ear than this (`tandem_domain::playout`).
const LEAD: Duration = Duration::from_millis(300);

/// Where a word of the ear belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Laid {
    /// Among all words that were meant; `None` if nobody meant it.
    pub(super) place: Option<usize>,
    /// With it the voice says again what it had said.
    pub(super) again: bool,
}

/// A word that was meant.
struct Meant<'run> {
    text: &'run str,
    utterance: UtteranceId,
    claimed: bool,
}

/// A word in one of the places that it may have.
#[derive(Debug, Clone, Copy)]
struct Cell {
    place: usize,
    worth: u32,
    /// The word before it, and which of its cells.
    before: Option<(usize, usize)>,
    again: bool,
}

/// The best that ends before a place.
#[derive(Debug, Clone, Copy, Default)]
struct Best {
    worth: u32,
    cell: Option<(usize, usize)>,
}

/// Where each word of the ear belongs.
pub(super) fn laid(run: &Run) -> Vec<Laid> {
    let rows = Rows::of(run);
    let (heard, meant) = (&run.heard, &rows.meant);
    let mut before = vec![Best::default(); meant.len() + 1];
    let mut cells: Vec<Vec<Cell>> = Vec::with_capacity(heard.len());
    for (word, text) in heard.iter().map(|word| word.text.as_str()).enumerate() {
        let back = rows.back(word);
        let reached = |place: usize| {
            let worth = PLACED + rows.claims(place);
            let best = before[place];
            let on = Cell { place, worth: best.worth + worth, before: best.cell, again: false };
            let of_last = cells.last().map_or(&[][..], Vec::as_slice).iter().enumerate();
            let again = of_last.filter_map(|(index, last)| {
                let said = rows.said_again(word, back?, last.place, place)?;
                let counted: u32 = (place..place + said).map(|place| rows.claims(place)).sum(); // with the first saying
                Some(Cell {
                    place,
                    worth: last.worth + worth - BACK - counted,
                    before: Some((word - 1, index)),
                    again: true,
                })
            });
            again.fold(on, |best, cell| if cell.worth > best.worth { cell } else { best })
        };
        let of_word: Vec<Cell> = (0..meant.len()).filter(|&place| meant[place].text == text).map(reached).collect();
        for (index, cell) in of_word.iter().enumerate() {
            for best in before[cell.place + 1..].iter_mut().take_while(|best| best.worth < cell.worth) {
                *best = Best { worth: cell.worth, cell: Some((word, index)) };
            }
        }
        cells.push(of_word);
    }
    let mut out = vec![Laid { place: None, again: false }; heard.len()];
    let mut next = before.last().and_then(|best| best.cell);
    while let Some((word, index)) = next {
        let cell = cells[word][index];
        out[word] = Laid { place: Some(cell.place), again: cell.again };
        next = cell.before;
    }
    out
}

/// What was heard and what was meant.
struct Rows<'run> {
    run: &'run Run,
    meant: Vec<Meant<'run>>,
    /// The `clear`s behind which the voice went on, and until when the words behind them may be of the same utterance.
    taken_back: Vec<(Duration, Duration)>,
    /// When gaps were filled, as the switch saw it, and in which utterance.
    gaps: Vec<(Duration, String)>,
}

impl<'run> Rows<'run> {
    fn of(run: &'run Run) -> Self {
        let words = |response: &'run tandem_domain::record::AgentResponse| {
            let claimed = response.heard.split_whitespace().count();
            let text = response.text.split_whitespace().enumerate();
            text.map(move |(place, text)| Meant { text, utterance: response.utterance, claimed: place < claimed })
        };
        let met = run.met();
        Self {
            run,
            meant: run.responses().flat_map(words).collect(),
            taken_back: taken_back(run).into_iter().collect(),
            gaps: run.events("gap_filled").map(|(at, detail)| (met + at, detail.to_owned())).collect(),
        }
    }

    fn at(&self, word: usize) -> Duration {
        self.run.heard.get(word).map_or(self.run.over.0, |heard| self.run.tape.at(heard.start))
    }

    /// The first `clear` between this word and the one before it behind which the voice went on, if it was not given up before this word.
    fn back(&self, word: usize) -> Option<Duration> {
        let (from, to) = (self.at(word.checked_sub(1)?), self.at(word));
        let between = |clear: &Duration| from < *clear && *clear <= to;
        self.taken_back.iter().find(|(clear, given_up)| between(clear) && to < *given_up).map(|(clear, _)| *clear)
    }

    /// What it is worth to have heard the word of this place.
    fn claims(&self, place: usize) -> u32 {
        if self.meant[place].claimed { CLAIMED } else { 0 }
    }

    /// How many words are told again, if a voice that had come as far as `last` with the word before, and was cleared then, may say `place` with
    /// this word.
    fn said_again(&self, word: usize, clear: Duration, last: usize, place: usize) -> Option<usize> {
        let may = place <= last
            && self.meant[place].utterance == self.meant[last].utterance
            && self.was_late(word, clear, last, place);
        may.then(|| self.comes_back(word, last, place)).flatten()
    }

    /// Whether `place` and all behind it ended so late before the `clear` that the switch may not know of it.
    fn was_late(&self, word: usize, clear: Duration, last: usize, place: usize) -> bool {
        let allowed = allowed(self.run);
        let mut told = word; // the word behind the one that is looked at
        let mut from = Duration::ZERO;
        for earlier in (place..=last).rev() {
            let heard = told.checked_sub(1).map(|told| &self.run.heard[told]);
            let end = match heard.filter(|heard| heard.text == self.meant[earlier].text) {
                Some(heard) => {
                    told -= 1;
                    from = self.run.tape.at(heard.start);
                    whole(self.run, heard)
                }
                None => {
                    let end = from;
                    from = from.saturating_sub(length(self.run, self.meant[earlier].text));
                    let is_lost = self.is_torn(self.meant[earlier].utterance, from, end) || self.is_cleared(from, end);
                    if !is_lost {
                        return false;
                    }
                    end
                }
            };
            if end + allowed < clear {
                return false;
            }
        }
        true
    }

    /// How many of `place..=last` are told from this word on, if they are all of them that can be told, or are cut before.
    fn comes_back(&self, word: usize, last: usize, place: usize) -> Option<usize> {
        let mut next = word;
        for meant in &self.meant[place..=last] {
            if self.run.heard.get(next).is_some_and(|heard| heard.text == meant.text) {
                next += 1;
                continue;
            }
            let (from, to) = (self.at(next - 1), self.at(next));
            if next == self.run.heard.len() || self.is_cleared(from, to) {
                break;
            }
            if !self.is_torn(meant.utterance, from, to) {
                return None;
            }
        }
        Some(next - word)
    }

    /// Whether what was heard of the utterance between these had a gap in it that was filled.
    fn is_torn(&self, utterance: UtteranceId, from: Duration, to: Duration) -> bool {
        let (_, down) = self.run.ways;
        let detail = format!("in utterance {}", utterance.0);
        let reaches = |at: Duration| at <= to && from <= at + LEAD + down + self.run.case.chunk() * 2;
        self.gaps.iter().any(|(at, of)| *of == detail && reaches(*at))
    }

    /// Whether the carrier was told between these to drop what it had.
    fn is_cleared(&self, from: Duration, to: Duration) -> bool {
        clears(self.run).any(|clear| (from..=to).contains(&clear))
    }
}

/// How long the voice says this word, without the pause behind it.
fn length(run: &Run, text: &str) -> Duration {
    let samples = Talker::default().speak(text).words.first().map_or(0, |spoken| spoken.samples.len());
    run.tape.at(samples as u64)
}

#[cfg(test)]
mod tests {
    use super::super::super::made_up::made_up;
    use super::*;

    fn places(run: &Run) -> Vec<Option<usize>> {
        laid(run).into_iter().map(|word| word.place).collect()
    }

    /// A run whose voice is held in "two", of "one" only the sound was heard, and that goes on at "one".
    fn torn(gap: Duration) -> Run {
        let mut run = made_up().says("one two").held(true).says_on("one two three", "one two three").run();
        run.heard.remove(0);
        run.ways = (Duration::from_millis(600), Duration::from_millis(600));
        let gap = made_up().noted("gap_filled", gap).run().records.swap_remove(1);
        run.records.insert(1, gap);
        if let tandem_domain::record::Record::Event(event) = &mut run.records[1] {
            event.data = serde_json::json!({ "detail": "in utterance 1" });
        }
        run
    }

    #[test]
    fn a_word_that_a_gap_hid_may_be_said_again() {
        let run = torn(Duration::from_millis(100));
        assert_eq!(places(&run), [Some(1), Some(0), Some(1), Some(2)]);
        assert_eq!(laid(&run).iter().position(|word| word.again), Some(1));
        assert_eq!(super::super::once(&run).len(), 3);
    }

    #[test]
    fn without_a_gap_in_it_a_word_was_never_said() {
        let run = torn(Duration::from_secs(20));
        assert_eq!(laid(&run).iter().filter(|word| word.again).count(), 0);
        assert_eq!(super::super::once(&run).len(), 4);
    }

    #[test]
    fn a_voice_that_goes_back_leaves_nothing_out() {
        let long = |run: &mut Run| run.ways = (Duration::from_millis(900), Duration::from_millis(900));
        let mut all = made_up().says("one two three").held(true).says_on("two three four", "one two three four").run();
        let mut some = made_up().says("one two three").held(true).says_on("two four", "one two three four").run();
        long(&mut all);
        long(&mut some);
        assert_eq!(places(&all), [Some(0), Some(1), Some(2), Some(1), Some(2), Some(3)]);
        assert!(places(&some).contains(&None), "{:?}", places(&some));
    }

    #[test]
    fn a_word_that_comes_twice_in_an_utterance_is_no_repetition() {
        let held = made_up().says("in one").held(true).says_on("in", "in one in").held(true);
        let mut run = held.says_on("two", "in one in two").run();
        run.ways = (Duration::from_millis(600), Duration::from_millis(600));
        assert_eq!(places(&run), [Some(0), Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn a_voice_that_is_held_again_and_again_may_begin_the_same_word_each_time() {
        let mut run =
            made_up().says("one two").held(true).says_on("one", "one").held(true).says_on("one", "one two").run();
        run.ways = (Duration::from_millis(600), Duration::from_millis(600));
        assert_eq!(places(&run), [Some(0), Some(1), Some(0), Some(0)]);
        let texts: Vec<&str> = super::super::once(&run).iter().map(|word| word.text.as_str()).collect();
        assert_eq!(texts, ["one", "two"]);
    }
}
