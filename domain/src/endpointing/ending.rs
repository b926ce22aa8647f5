//! How callers end what they say: words after which more comes, and answers that are whole. Lists by language, kept as data.
//!
//! Place: read by [`super::Endpointing`]. English always; Hindi in both scripts where Hindi is spoken, for telephone speech mixes them. Says
//! nothing about values that are dictated: [`super::expects`] does.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;

use super::expects::Spelled;
use crate::slot::words::split;

const EN: &str = include_str!("../../endings/en.toml");
const HI: &str = include_str!("../../endings/hi.toml");
const HINGLISH: &str = include_str!("../../endings/hinglish.toml");
/// Longest phrase, in words.
const LONGEST: usize = 6;

/// No more words than these go before a value that was asked for.
const PREAMBLE: usize = 3;

/// What the last words of a text say about its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// More comes.
    Open,
    /// Nothing either way.
    Plain,
    /// The answer is whole.
    Whole,
}

/// A file of endings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    language: String,
    open: Vec<String>,
    unless_stopped: Vec<String>,
    whole: Vec<String>,
    values: BTreeMap<Spelled, Vec<String>>,
}

/// Why a file of endings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndingsError {
    /// It is no TOML, or has other keys.
    #[error("endings: {0}")]
    Syntax(String),
    /// A phrase has no words, or too many.
    #[error("endings of {language}: {phrase:?} has to have one to {LONGEST} words")]
    Length {
        /// The file's language.
        language: String,
        /// As written.
        phrase: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Open,
    UnlessStopped,
    Whole,
}

/// Phrases by their words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Endings {
    phrases: BTreeMap<Vec<String>, Kind>,
    values: Vec<(Vec<String>, Spelled)>,
}

impl Endings {
    /// The lists for a call in this language (BCP 47 tag).
    pub fn of(language: &str) -> Arc<Self> {
        static ENGLISH: LazyLock<Arc<Endings>> = LazyLock::new(|| Endings::built_in(&[EN]));
        static INDIAN: LazyLock<Arc<Endings>> = LazyLock::new(|| Endings::built_in(&[EN, HI, HINGLISH]));
        let indian = language.split('-').next() == Some("hi") || language.ends_with("-IN");
        Arc::clone(if indian { &INDIAN } else { &ENGLISH })
    }

    fn built_in(files: &[&str]) -> Arc<Self> {
        let mut endings = Self::default();
        for file in files {
            endings.add(file).expect("a built-in list, which the tests read");
        }
        Arc::new(endings)
    }

    /// Adds the phrases of a TOML file; a phrase that is there already takes the new meaning.
    ///
    /// # Errors
    /// The file has other keys, or a phrase without words.
    pub fn add(&mut self, file: &str) -> Result<(), EndingsError> {
        let file: File = toml::from_str(file).map_err(|error| EndingsError::Syntax(error.message().to_owned()))?;
        let language = file.language;
        let words = |phrase: String| match split(&phrase) {
            words if words.is_empty() || words.len() > LONGEST => {
                Err(EndingsError::Length { language: language.clone(), phrase })
            }
            words => Ok(words),
        };
        for (phrases, kind) in
            [(file.open, Kind::Open), (file.unless_stopped, Kind::UnlessStopped), (file.whole, Kind::Whole)]
        {
            for phrase in phrases {
                self.phrases.insert(words(phrase)?, kind);
            }
        }
        for (value, phrases) in file.values {
            for phrase in phrases {
                self.values.push((words(phrase)?, value));
            }
        }
        Ok(())
    }

    /// How `text` ends. A final full stop counts against words that only mostly go on; a comma, dash or ellipsis for them.
    pub fn read(&self, text: &str) -> Ending {
        self.ending(text, Self::is_stopped(text))
    }

    /// Whether more comes after `text` though a value in it is whole: "sixty lakh and". Words that mostly go on do not count, for values end in
    /// them too: "acme dot in".
    pub(super) fn hangs(&self, text: &str) -> bool {
        self.ending(text, true) == Ending::Open
    }

    /// Whether `text` is so short that the answer to a question for a value is still to come, and is none of the answers that are whole.
    pub(super) fn is_preamble(&self, text: &str) -> bool {
        let words = split(text);
        let whole = (1..=words.len()).any(|length| self.phrases.get(&words[..length]) == Some(&Kind::Whole));
        (1..=PREAMBLE).contains(&words.len()) && !whole && !Self::is_stopped(text)
    }

    fn ending(&self, text: &str, stopped: bool) -> Ending {
        let text = text.trim();
        if text.ends_with([',', '-', '–', '—', '…', ';', ':']) || text.ends_with("...") {
            return Ending::Open;
        }
        let words = split(text);
        let longest = (1..=LONGEST.min(words.len())).rev();
        for length in longest {
            let from = words.len() - length;
            match self.phrases.get(&words[from..]) {
                Some(Kind::Open) => return Ending::Open,
                Some(Kind::UnlessStopped) if !stopped => return Ending::Open,
                Some(Kind::Whole) if from == 0 => return Ending::Whole,
                Some(Kind::UnlessStopped | Kind::Whole) | None => {}
            }
        }
        Ending::Plain
    }

    /// Whether a full stop, or its like, ends `text`.
    pub fn is_stopped(text: &str) -> bool {
        let text = text.trim();
        text.ends_with(['.', '?', '!', '।']) && !text.ends_with("...")
    }

    /// The value that `text` names, the one named last.
    pub(super) fn named(&self, text: &str) -> Option<Spelled> {
        let words = split(text);
        let places = |phrase: &[String]| words.windows(phrase.len()).rposition(|window| window == phrase);
        let found = self.values.iter().filter_map(|(phrase, value)| Some((places(phrase)?, *value)));
        found.max_by_key(|(at, _)| *at).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_tell() {
        let endings = Endings::of("en-IN");
        for (text, ending) in [
            ("I want to", Ending::Open),
            ("I want to.", Ending::Open),
            ("a flat in Delhi and", Ending::Open),
            ("um", Ending::Open),
            ("sixty lakh, umm...", Ending::Open),
            ("mujhe ek flat chahiye aur", Ending::Open),
            ("मुझे एक फ्लैट चाहिए और", Ending::Open),
            ("it costs, matlab", Ending::Open),
            ("that is what I am looking for", Ending::Open),
            ("that is what I am looking for.", Ending::Plain),
            ("well,", Ending::Open),
            ("I want a flat in Delhi", Ending::Plain),
            ("yes", Ending::Whole),
            ("Yes, please.", Ending::Whole),
            ("हाँ जी", Ending::Whole),
            ("theek hai", Ending::Whole),
            ("yes I want a flat", Ending::Plain),
            ("", Ending::Plain),
        ] {
            assert_eq!(endings.read(text), ending, "{text:?}");
        }
    }

    #[test]
    fn a_call_in_english_alone_knows_no_hindi() {
        assert_eq!(Endings::of("en-GB").read("he is called aur"), Ending::Plain);
        assert_eq!(Endings::of("hi").read("he is called aur"), Ending::Open);
    }

    #[test]
    fn a_value_is_called_by_its_name() {
        let endings = Endings::of("hi-IN");
        for (text, value) in [
            ("May I have your mobile number?", Some(Spelled::Phone)),
            ("Aapka email id kya hai?", Some(Spelled::Email)),
            ("आपका मोबाइल नंबर क्या है?", Some(Spelled::Phone)),
            ("And the PIN code?", Some(Spelled::Pin)),
            ("Not your email, your phone number, please.", Some(Spelled::Phone)),
            ("How many bedrooms?", None),
        ] {
            assert_eq!(endings.named(text), value, "{text}");
        }
    }

    #[test]
    fn bad_lists_are_named() {
        let add = |file: &str| Endings::default().add(file).expect_err("a bad file").to_string();
        assert!(
            add("language = 'x'\nopen = ['']\nunless_stopped = []\nwhole = []\n[values]").contains("one to 6 words")
        );
        assert!(add("tongue = 'x'").starts_with("endings:"));
    }
}
