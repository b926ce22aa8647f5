//! The words that callers say over an agent's voice, by what they want with them: go on, have the floor, or nothing.
//!
//! Place: read by [`super::BargeIn`]. One file a language ([`Lexicon::of`] has English, Hindi and Hindi in Latin letters); others come as data
//! ([`Lists`]). Telephone speech mixes languages, so a call hears by all lists of its languages at once.

mod list;

use std::sync::{Arc, LazyLock};

use crate::slot::words::split;

pub use list::{Flaw, LexiconError, List};

/// What a recogniser leaves of a nod has no more words than this, and one more beside a nod that it left whole.
const MOST_TORN: u32 = 1;

/// Longest phrase, in words.
const LONGEST: usize = 5;

/// The lists that need no file.
static BUILT_IN: LazyLock<[List; 3]> = LazyLock::new(|| {
    [
        include_str!("../../lexicons/en.toml"),
        include_str!("../../lexicons/hi.toml"),
        include_str!("../../lexicons/hinglish.toml"),
    ]
    .map(|text| List::from_toml(text).expect("a built-in list, which the tests read"))
});

/// What a phrase wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// Go on: the caller listens.
    Nothing,
    /// As [`Self::Nothing`], except after a question, which it answers.
    Answer,
    /// A sound between words.
    Hesitation,
    /// The floor.
    Floor,
}

/// Lists that come as data, beside the built-in ones or in their place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lists(Vec<List>);

impl Lists {
    /// Adds a list; gives it back if there is one of its language already.
    ///
    /// # Errors
    /// The list, where its language has one.
    pub fn add(&mut self, list: List) -> Result<(), List> {
        if self.0.iter().any(|other| other.is_of(list.language())) {
            return Err(list);
        }
        self.0.push(list);
        Ok(())
    }

    /// Those that a call in this language hears by. A list in the place of a built-in one is heard where that one is, too.
    pub fn of_call(&self, language: &str) -> Vec<List> {
        let replaces = |list: &List| built_in(language).any(|built_in| list.is_of(built_in.language()));
        self.0.iter().filter(|list| replaces(list) || list.is_heard_in(language)).cloned().collect()
    }
}

/// The built-in lists of calls in a language (BCP 47 tag): English always, Hindi in both scripts where Hindi is spoken.
fn built_in(language: &str) -> impl Iterator<Item = &'static List> {
    let indian = language.split('-').next() == Some("hi") || language.ends_with("-IN");
    BUILT_IN.iter().filter(move |list| indian || list.is_of("en"))
}

/// The lists that one call hears by, the most telling last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lexicon {
    lists: Vec<List>,
}

impl Lexicon {
    /// The built-in lists of a call in this language (BCP 47 tag).
    pub fn of(language: &str) -> Arc<Self> {
        Self::with(language, &[])
    }

    /// The same with `lists` ([`Lists::of_call`]): each in the place of the built-in one of its language, else beside them. Where two lists have
    /// one phrase, the later one of `lists` tells what it wants.
    pub fn with(language: &str, lists: &[List]) -> Arc<Self> {
        let replaced = |built_in: &List| lists.iter().any(|list| list.is_of(built_in.language()));
        let kept = built_in(language).filter(|list| !replaced(list)).cloned();
        Arc::new(Self { lists: kept.chain(lists.iter().cloned()).collect() })
    }

    /// What is in `text`: its longest phrases from the left, and the words that are in no phrase.
    pub fn read(&self, text: &str) -> Reading {
        let words = sounds(text);
        let (mut reading, mut rest) = (Reading::default(), words.as_slice());
        while let Some(first) = rest.first() {
            let phrase = (1..=LONGEST.min(rest.len())).rev().find_map(|n| Some((n, self.wants(&rest[..n])?)));
            let (length, wants) = phrase.map_or((1, None), |(length, wants)| (length, Some(wants)));
            match wants {
                Some(Wants::Nothing) => reading.backchannels += 1,
                Some(Wants::Answer) => reading.answers += 1,
                Some(Wants::Hesitation) => reading.hesitations += 1,
                Some(Wants::Floor) => reading.commands += 1,
                None if self.lists.iter().any(|list| list.has_part(first)) => reading.parts += 1,
                None => reading.others.push(first.clone()),
            }
            rest = &rest[length..];
        }
        reading
    }

    fn wants(&self, words: &[String]) -> Option<Wants> {
        self.lists.iter().rev().find_map(|list| list.wants(words))
    }
}

/// What was found in a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// Phrases that want nothing.
    pub backchannels: u32,
    /// Phrases that may answer.
    pub answers: u32,
    /// Sounds between words.
    pub hesitations: u32,
    /// Phrases that want the floor.
    pub commands: u32,
    /// Words of no phrase here that are in one that wants nothing: what a recogniser leaves of "I see" is "see".
    pub parts: u32,
    /// Words of no phrase, as they sound.
    pub others: Vec<String>,
}

impl Reading {
    /// Whether there are no words at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// How many words say something. What may be the rest of a nod counts only if it is `whole`, all that was said, or beside more than nods have:
    /// "see" is none then, "oh, see" neither, "see Delhi" two, and "that is all" one.
    pub fn words(&self, whole: bool) -> usize {
        let beside = u32::from(self.backchannels + self.answers > 0);
        let short = self.others.is_empty() && self.parts + self.hesitations <= MOST_TORN + beside;
        if short && !whole { 0 } else { self.others.len() + self.parts as usize }
    }
}

/// The words of a text as they sound: each run of one letter is one letter, so that "hmmmm" is "hmm".
pub(super) fn sounds(text: &str) -> Vec<String> {
    split(text).into_iter().map(|word| single(&word)).collect()
}

fn single(word: &str) -> String {
    let mut last = None;
    // Numbers keep their digits: 55 is not 5.
    word.chars().filter(|c| c.is_ascii_digit() || last.replace(*c) != Some(*c)).collect()
}
