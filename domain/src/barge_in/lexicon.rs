//! The words that callers say over an agent's voice, by what they want with them: go on, have the floor, or nothing.
//!
//! Place: read by [`super::BargeIn`]. One file a language ([`Lexicon::of`] has English, Hindi and Hindi in Latin letters); others come as data
//! ([`Lexicon::add`]). Telephone speech mixes languages, so a call hears by all lists of its languages at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use serde::Deserialize;

use crate::slot::words::split;

const EN: &str = include_str!("../../lexicons/en.toml");
const HI: &str = include_str!("../../lexicons/hi.toml");
const HINGLISH: &str = include_str!("../../lexicons/hinglish.toml");
/// Longest phrase, in words.
const LONGEST: usize = 5;

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

/// A file of words.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    language: String,
    backchannels: Vec<String>,
    answers: Vec<String>,
    hesitations: Vec<String>,
    commands: Vec<String>,
}

/// Why a file of words cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LexiconError {
    /// It is no TOML, or has other keys.
    #[error("lexicon: {0}")]
    Syntax(String),
    /// A phrase has no words, or too many.
    #[error("lexicon of {language}: {phrase:?} has to have one to {LONGEST} words")]
    Length {
        /// The file's language.
        language: String,
        /// As written.
        phrase: String,
    },
}

/// Phrases by their words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lexicon {
    phrases: BTreeMap<Vec<String>, Wants>,
    /// The words of phrases that want nothing.
    parts: BTreeSet<String>,
}

impl Lexicon {
    /// The lists that a call in this language hears by (BCP 47 tag): English always, Hindi in both scripts where Hindi is spoken.
    pub fn of(language: &str) -> Arc<Self> {
        static ENGLISH: LazyLock<Arc<Lexicon>> = LazyLock::new(|| Lexicon::built_in(&[EN]));
        static INDIAN: LazyLock<Arc<Lexicon>> = LazyLock::new(|| Lexicon::built_in(&[EN, HI, HINGLISH]));
        let indian = language.split('-').next() == Some("hi") || language.ends_with("-IN");
        Arc::clone(if indian { &INDIAN } else { &ENGLISH })
    }

    fn built_in(files: &[&str]) -> Arc<Self> {
        let mut lexicon = Self::default();
        for file in files {
            lexicon.add(file).expect("a built-in list, which the tests read");
        }
        Arc::new(lexicon)
    }

    /// Adds the phrases of a TOML file; a phrase that is there already takes the new meaning.
    ///
    /// # Errors
    /// The file has other keys, or a phrase without words.
    pub fn add(&mut self, file: &str) -> Result<(), LexiconError> {
        let file: File = toml::from_str(file).map_err(|error| LexiconError::Syntax(error.message().to_owned()))?;
        let lists = [
            (file.backchannels, Wants::Nothing),
            (file.answers, Wants::Answer),
            (file.hesitations, Wants::Hesitation),
            (file.commands, Wants::Floor),
        ];
        for (phrases, wants) in lists {
            for phrase in phrases {
                let words = sounds(&phrase);
                if words.is_empty() || words.len() > LONGEST {
                    return Err(LexiconError::Length { language: file.language, phrase });
                }
                if wants == Wants::Nothing {
                    self.parts.extend(words.iter().cloned());
                }
                self.phrases.insert(words, wants);
            }
        }
        Ok(())
    }

    /// What is in `text`: its longest phrases from the left, and the words that are in no phrase.
    pub fn read(&self, text: &str) -> Reading {
        let words = sounds(text);
        let (mut reading, mut rest) = (Reading::default(), words.as_slice());
        while let Some(first) = rest.first() {
            let phrase = (1..=LONGEST.min(rest.len())).rev().find_map(|n| Some((n, *self.phrases.get(&rest[..n])?)));
            let (length, wants) = phrase.map_or((1, None), |(length, wants)| (length, Some(wants)));
            match wants {
                Some(Wants::Nothing) => reading.backchannels += 1,
                Some(Wants::Answer) => reading.answers += 1,
                Some(Wants::Hesitation) => reading.hesitations += 1,
                Some(Wants::Floor) => reading.commands += 1,
                None if self.parts.contains(first) => reading.parts += 1,
                None => reading.others.push(first.clone()),
            }
            rest = &rest[length..];
        }
        reading
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

    /// How many words say something. What may be the rest of a nod counts only if it is `whole`, all that was said, or beside a word that is of
    /// no nod: "see" is none then, "see Delhi" two.
    pub fn words(&self, whole: bool) -> usize {
        if self.others.is_empty() && !whole { 0 } else { self.others.len() + self.parts as usize }
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
