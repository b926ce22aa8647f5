//! The words in the ear, each in its place in what the agent meant to say.
//!
//! An agent that was held and goes on may say a word twice, so places may step back within an utterance; a cut may skip the rest of one. Which of
//! several places a word has is told by the words that follow it.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::Run;
use crate::exchange::Overheard;

/// So many words in a row tell a place.
const ROW: usize = 6;
/// A word that was expected where it is needs no proof by those behind it.
const EXPECTED: usize = 3;
/// Of two utterances with the same words, a word is rather of the one of which the record says that something was heard.
const ON_RECORD: usize = 4;
/// An utterance that a voice was asked for since the last word begins rather than that an older one with the same words goes on.
const JUST_ASKED_FOR: usize = 5;

/// A word that was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) from: Duration,
    pub(super) to: Duration,
    /// Utterance, and which of its words; `None` for a word that was never meant.
    pub(super) place: Option<(usize, usize)>,
    /// The carrier was told to forget what it had between the word before and this one.
    pub(super) behind_a_clear: bool,
}

/// All that the agent said, as the ear has it.
#[derive(Debug)]
pub(super) struct Spoken {
    pub(super) words: Vec<Word>,
    /// Words of each utterance, as they were meant.
    meant: Vec<Vec<String>>,
    doubtful: Vec<bool>,
}

impl Spoken {
    pub(super) fn of(run: &Run) -> Self {
        let meant: Vec<Vec<String>> =
            run.responses().map(|response| response.text.split_whitespace().map(str::to_owned).collect()).collect();
        let broken: BTreeSet<&str> = run.doubtful_sentences().collect();
        let doubtful = run.responses().map(|response| broken.iter().any(|text| response.text.contains(text))).collect();
        Self { words: laid(run, &meant), meant, doubtful }
    }

    /// Whether nobody can tell how much of the utterance was heard: a vendor broke its sound.
    pub(super) fn is_doubtful(&self, utterance: usize) -> bool {
        self.doubtful.get(utterance).copied().unwrap_or(true)
    }

    /// The utterance that is being said at that instant: the one of the last word that has begun.
    pub(super) fn under_way(&self, at: Duration) -> Option<usize> {
        let begun = self.words.iter().take_while(|word| word.from <= at);
        begun.filter_map(|word| word.place).last().map(|(utterance, _)| utterance)
    }

    /// The words of the utterance, as they were heard.
    pub(super) fn of_utterance(&self, utterance: usize) -> impl DoubleEndedIterator<Item = &Word> {
        self.words.iter().filter(move |word| word.place.is_some_and(|(of, _)| of == utterance))
    }

    /// When its last word ended, if that was heard.
    pub(super) fn completed(&self, utterance: usize) -> Option<Duration> {
        let last = self.meant.get(utterance)?.len().checked_sub(1)?;
        self.of_utterance(utterance).rfind(|word| word.place == Some((utterance, last))).map(|word| word.to)
    }

    /// What of questions had been heard of the utterance by then.
    pub(super) fn asked(&self, utterance: usize, by: Duration) -> Asked {
        let Some(meant) = self.meant.get(utterance) else { return Asked::Nothing };
        let heard = self.of_utterance(utterance).filter(|word| word.from <= by).filter_map(|word| Some(word.place?.1));
        let Some(heard) = heard.max() else { return Asked::Nothing };
        let ends = |word: &String| word.ends_with(['.', '!', '?']);
        let question_at =
            |from: usize| meant[from..].iter().find(|word| ends(word)).is_some_and(|word| word.ends_with('?'));
        if meant[..=heard].iter().any(|word| word.ends_with('?')) {
            Asked::Question
        } else if question_at(heard) {
            Asked::PartOfOne
        } else {
            Asked::Nothing
        }
    }
}

/// What the caller has heard of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// None has begun.
    Nothing,
    /// One has begun: whether "yes" answers it, nobody can tell.
    PartOfOne,
    /// One is over.
    Question,
}

fn laid(run: &Run, meant: &[Vec<String>]) -> Vec<Word> {
    let flat: Vec<(&str, usize, usize)> = meant
        .iter()
        .enumerate()
        .flat_map(|(utterance, words)| {
            words.iter().enumerate().map(move |(index, word)| (word.as_str(), utterance, index))
        })
        .collect();
    let on_record: Vec<bool> = run.responses().map(|response| !response.heard.is_empty()).collect();
    let asked = asked_for(run);
    let clears: Vec<Duration> = run.tape.clears.iter().map(|frame| run.tape.at(*frame as u64 * 160)).collect();
    let (mut next, mut out, mut before) = (0_usize, Vec::with_capacity(run.heard.len()), Duration::ZERO);
    for (index, heard) in run.heard.iter().enumerate() {
        let (from, to) = (run.tape.at(heard.start), run.tape.at(heard.end));
        let behind_a_clear = clears.iter().any(|clear| (before..=from).contains(clear));
        // no further back than the utterance that was being said
        let earliest = next - next.checked_sub(1).map_or(0, |last| flat[last].2 + 1);
        let row = |place: usize| {
            let following = run.heard[index..].iter().zip(&flat[place..]).take(ROW);
            following.take_while(|(heard, (word, ..))| heard.text == *word).count()
        };
        let worth = |place: usize| {
            let expected = if place == next && !behind_a_clear { EXPECTED } else { 0 };
            let begins = flat[place].2 == 0
                && behind_a_clear
                && asked[flat[place].1].is_some_and(|asked| (before..=from).contains(&asked));
            row(place)
                + expected
                + if on_record[flat[place].1] { ON_RECORD } else { 0 }
                + if begins { JUST_ASKED_FOR } else { 0 }
        };
        let places = || (earliest..flat.len()).filter(|place| flat[*place].0 == heard.text);
        let best_of = |places: &mut dyn Iterator<Item = usize>| {
            places.max_by_key(|place| (worth(*place), std::cmp::Reverse(place.abs_diff(next))))
        };
        // no voice says what it was not asked for yet
        let begun = |place: &usize| asked[flat[*place].1].is_none_or(|asked| asked <= from);
        let best = best_of(&mut places().filter(begun)).or_else(|| best_of(&mut places()));
        if let Some(place) = best {
            next = place + 1;
        }
        out.push(Word { from, to, place: best.map(|place| (flat[place].1, flat[place].2)), behind_a_clear });
        before = from;
    }
    out
}

/// When a voice was first asked for a sentence of each utterance, as its vendor heard it; `None` if it cannot be told.
fn asked_for(run: &Run) -> Vec<Option<Duration>> {
    let speaks: Vec<(Duration, &str)> = run
        .overheard
        .iter()
        .filter_map(|(at, overheard)| match overheard {
            Overheard::Speak(text, _) if !text.trim().is_empty() => Some((*at, text.trim())),
            _ => None,
        })
        .collect();
    let mut next = 0;
    let first = move |text: &str| {
        let found = (next..speaks.len()).find(|index| text.starts_with(speaks[*index].1))?;
        next = found;
        let mut rest = text;
        while let Some(after) = speaks.get(next).and_then(|(_, said)| rest.strip_prefix(said)) {
            (next, rest) = (next + 1, after.trim_start());
        }
        Some(speaks[found].0)
    };
    run.responses().map(|response| response.text.as_str()).map(first).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::made_up::{claim, made_up};

    const MS: fn(u64) -> Duration = Duration::from_millis;
    const LINE: &str = "one two three four";

    fn utterances(run: &Run) -> Vec<Option<usize>> {
        Spoken::of(run).words.iter().map(|word| word.place.map(|(utterance, _)| utterance)).collect()
    }

    #[test]
    fn of_two_utterances_with_the_same_words_the_one_on_record_was_heard() {
        let mut run = made_up().says(LINE).pause(MS(1_000)).says(LINE).run();
        run.heard.drain(..4);
        assert_eq!(utterances(&run), [Some(0); 4], "both are on record: the first in order");
        claim(&mut run, 0, "");
        assert_eq!(utterances(&run), [Some(1); 4]);
    }

    /// An utterance that is stopped at its first word, and behind the `clear` all of its words: said again, or another with the same.
    fn stopped_and_said(asked_again_at: Option<Duration>) -> Run {
        let mut run = made_up().pause(MS(200)).says_but(LINE, "one").pause(MS(1_000)).says(LINE).run();
        run.tape.clears = vec![60];
        let asked = [Some(Duration::ZERO), asked_again_at].into_iter().flatten();
        run.overheard = asked.map(|at| (at, Overheard::Speak(LINE.to_owned(), None))).collect();
        run
    }

    #[test]
    fn an_utterance_begins_if_a_voice_was_asked_for_it_since_the_last_word() {
        let run = stopped_and_said(Some(MS(1_500)));
        assert_eq!(utterances(&run), [Some(0), Some(1), Some(1), Some(1), Some(1)]);
    }

    #[test]
    fn without_that_the_one_that_was_held_is_said_again() {
        assert_eq!(utterances(&stopped_and_said(None)), [Some(0); 5], "nobody asked for another");
        let early = stopped_and_said(Some(Duration::ZERO));
        assert_eq!(utterances(&early), [Some(0); 5], "it was asked for before the last word");
    }

    #[test]
    fn no_word_is_of_an_utterance_that_was_asked_for_later() {
        let mut run = made_up().says_but(LINE, "one two").pause(MS(1_000)).says(LINE).run();
        claim(&mut run, 0, "");
        let asked = [Duration::ZERO, MS(2_800)];
        run.overheard = asked.map(|at| (at, Overheard::Speak(LINE.to_owned(), None))).to_vec();
        assert_eq!(utterances(&run)[..2], [Some(0); 2], "though the record has nothing of it");
    }
}
