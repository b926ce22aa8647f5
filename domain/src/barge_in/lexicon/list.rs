//! One list of words: a language's phrases by what they want, read from a TOML file and carried by the journals of the calls that heard by it.
//!
//! ```toml
//! language = "mr"               # BCP 47 tag; a file of a built-in language (en, hi, hi-Latn) takes that list's place
//! heard_in = ["en-IN", "hi"]    # further calls in which it counts, by their language; "*" means all
//! backchannels = ["ho ka"]      # "go on, I listen"; each list may be missing
//! answers = ["ho"]              # the same, but an answer after a question
//! hesitations = ["mhanje"]      # sounds between words
//! commands = ["thamba"]         # the floor, please; a phrase of two lists counts as of the later one
//! ```
//!
//! Not here: folders (the program reads them, and names the file) and which lists a call hears by ([`super::Lists`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{LONGEST, Wants, sounds};

/// Most phrases of a list: it goes into the journal of every call that hears by it.
const MOST_PHRASES: usize = 2_000;
/// Most languages of [`Words::heard_in`].
const MOST_LANGUAGES: usize = 64;

/// Why a list of words cannot be used, and where in its file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {flaw}")]
pub struct LexiconError {
    /// Line in the file, from 1.
    pub line: usize,
    /// What is wrong there.
    pub flaw: Flaw,
}

/// What is wrong with a list of words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// It is no TOML, or has other keys.
    #[error("{0}")]
    Syntax(String),
    /// The language is none.
    #[error("{0:?} is not the tag of a language: write one such as mr or hi-Latn")]
    Language(String),
    /// A phrase has no words, or too many.
    #[error("{0:?} has to have one to {LONGEST} words")]
    Length(String),
    /// There is nothing in it.
    #[error("no phrases: fill backchannels, answers, hesitations or commands")]
    Empty,
    /// There is too much in it.
    #[error(
        "more than {MOST_PHRASES} phrases, or more than {MOST_LANGUAGES} languages in heard_in: leave out what is seldom said"
    )]
    TooMuch,
}

/// A list as it is written: with places in a file, or without them in a journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<T> {
    language: T,
    #[serde(default = "Vec::new")]
    heard_in: Vec<T>,
    #[serde(default = "Vec::new")]
    backchannels: Vec<T>,
    #[serde(default = "Vec::new")]
    answers: Vec<T>,
    #[serde(default = "Vec::new")]
    hesitations: Vec<T>,
    #[serde(default = "Vec::new")]
    commands: Vec<T>,
}

impl<T> Written<T> {
    /// Each text by `of`, in the order of the file.
    fn map<U>(self, of: impl Fn(T) -> U + Copy) -> Written<U> {
        let all = |texts: Vec<T>| texts.into_iter().map(of).collect();
        Written {
            language: of(self.language),
            heard_in: all(self.heard_in),
            backchannels: all(self.backchannels),
            answers: all(self.answers),
            hesitations: all(self.hesitations),
            commands: all(self.commands),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Words {
    language: String,
    heard_in: Vec<String>,
    /// By the words as they sound.
    phrases: BTreeMap<Vec<String>, Wants>,
    /// The words of phrases that want nothing.
    parts: BTreeSet<String>,
}

/// One list of words. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written<String>", into = "Written<String>")]
pub struct List(Arc<Words>);

impl List {
    /// Reads a file.
    ///
    /// # Errors
    /// The file is no list of words; says where.
    pub fn from_toml(text: &str) -> Result<Self, LexiconError> {
        let line = |at: usize| 1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count();
        let written: Written<Spanned<String>> = toml::from_str(text).map_err(|error| LexiconError {
            line: error.span().map_or(1, |span| line(span.start)),
            flaw: Flaw::Syntax(error.message().trim().replace('\n', ", ")),
        })?;
        Self::new(written.map(|text| (line(text.span().start), text.into_inner())))
            .map_err(|(line, flaw)| LexiconError { line, flaw })
    }

    /// The list of texts that each have a place, or the first flaw with its place.
    fn new<P: Copy>(written: Written<(P, String)>) -> Result<Self, (P, Flaw)> {
        let top = written.language.0;
        let lists = [
            (written.backchannels, Wants::Nothing),
            (written.answers, Wants::Answer),
            (written.hesitations, Wants::Hesitation),
            (written.commands, Wants::Floor),
        ];
        let (place, language) = written.language;
        if !is_tag(&language) {
            return Err((place, Flaw::Language(language)));
        }
        if let Some((place, tag)) = written.heard_in.iter().find(|(_, tag)| tag != EVERYWHERE && !is_tag(tag)) {
            return Err((*place, Flaw::Language(tag.clone())));
        }
        let heard_in: Vec<_> = written.heard_in.into_iter().map(|(_, tag)| tag).collect();
        let mut phrases = BTreeMap::new();
        for (texts, wants) in lists {
            for (place, phrase) in texts {
                let words = sounds(&phrase);
                if words.is_empty() || words.len() > LONGEST {
                    return Err((place, Flaw::Length(phrase)));
                }
                phrases.insert(words, wants);
            }
        }
        if phrases.is_empty() {
            return Err((top, Flaw::Empty));
        }
        if phrases.len() > MOST_PHRASES || heard_in.len() > MOST_LANGUAGES {
            return Err((top, Flaw::TooMuch));
        }
        let nods = phrases.iter().filter(|(_, wants)| **wants == Wants::Nothing);
        let parts = nods.flat_map(|(words, _): (&Vec<String>, _)| words).cloned().collect();
        Ok(Self(Arc::new(Words { language, heard_in, phrases, parts })))
    }

    /// Its language (BCP 47 tag).
    pub fn language(&self) -> &str {
        &self.0.language
    }

    /// Whether it is a list of this very language.
    pub(super) fn is_of(&self, language: &str) -> bool {
        self.language().eq_ignore_ascii_case(language)
    }

    /// Whether its file says that a call in this language hears by it, or it is of the call's own language, in any script or country.
    pub(super) fn is_heard_in(&self, call: &str) -> bool {
        let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        primary(self.language()) == primary(call)
            || self.0.heard_in.iter().any(|tag| tag == EVERYWHERE || begins_with(call, tag))
    }

    /// What these words want, if they are a phrase of it.
    pub(super) fn wants(&self, words: &[String]) -> Option<Wants> {
        self.0.phrases.get(words).copied()
    }

    /// Whether a phrase that wants nothing has this word.
    pub(super) fn has_part(&self, word: &str) -> bool {
        self.0.parts.contains(word)
    }
}

/// In [`Words::heard_in`]: all calls.
const EVERYWHERE: &str = "*";

/// Whether `tag` begins with the subtags of `prefix`: `en-IN` with `en`, and not with `e`.
fn begins_with(tag: &str, prefix: &str) -> bool {
    let mut subtags = tag.split('-');
    prefix.split('-').all(|wanted| subtags.next().is_some_and(|subtag| subtag.eq_ignore_ascii_case(wanted)))
}

/// Whether a text has the form of a language's tag (RFC 5646 2.1: two to eight letters, then subtags of up to eight letters and digits).
fn is_tag(text: &str) -> bool {
    let mut subtags = text.split('-');
    let primary = subtags.next().unwrap_or_default();
    (2..=8).contains(&primary.len())
        && primary.bytes().all(|byte| byte.is_ascii_alphabetic())
        && subtags.all(|tag| (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

impl TryFrom<Written<String>> for List {
    type Error = Flaw;

    fn try_from(written: Written<String>) -> Result<Self, Flaw> {
        Self::new(written.map(|text| ((), text))).map_err(|((), flaw)| flaw)
    }
}

impl From<List> for Written<String> {
    fn from(List(list): List) -> Self {
        let of = |wants| list.phrases.iter().filter(move |(_, own)| **own == wants).map(|(words, _)| words.join(" "));
        Self {
            language: list.language.clone(),
            heard_in: list.heard_in.clone(),
            backchannels: of(Wants::Nothing).collect(),
            answers: of(Wants::Answer).collect(),
            hesitations: of(Wants::Hesitation).collect(),
            commands: of(Wants::Floor).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn flaw(text: &str) -> (usize, Flaw) {
        let error = List::from_toml(text).unwrap_err();
        (error.line, error.flaw)
    }

    #[test]
    fn a_slip_is_told_with_its_line() {
        let list =
            |phrases: &str| format!("# Marathi\nlanguage = 'mr'\nbackchannels = [\n  'ho ka',\n  {phrases},\n]\n");
        assert_eq!(flaw(&list("'...'")), (5, Flaw::Length("...".to_owned())));
        assert_eq!(flaw(&list("'a b c d e f'")), (5, Flaw::Length("a b c d e f".to_owned())));
        assert!(matches!(flaw(&list("7")), (5, Flaw::Syntax(_))));
        assert!(matches!(flaw(&(list("'ho'") + "command = ['thamba']")), (7, Flaw::Syntax(_))));
        assert!(matches!(flaw("commands = ['thamba']"), (1, Flaw::Syntax(told)) if told.contains("language")));
        assert_eq!(flaw("\nlanguage = 'Marathi language'"), (2, Flaw::Language("Marathi language".to_owned())));
        assert_eq!(
            flaw("language = 'mr'\nheard_in = ['en', '']\ncommands = ['thamba']"),
            (2, Flaw::Language(String::new()))
        );
        assert_eq!(flaw("language = 'mr'\ncommands = []"), (1, Flaw::Empty));
        let many: Vec<_> = (0..=MOST_PHRASES).map(|n| format!("'{n}'")).collect();
        assert_eq!(flaw(&list(&many.join(", "))), (2, Flaw::TooMuch));
        assert_eq!(
            List::from_toml(&list("'...'")).unwrap_err().to_string(),
            "line 5: \"...\" has to have one to 5 words"
        );
    }

    #[test]
    fn a_journal_gives_back_the_same_list() {
        let list = List::from_toml(
            "language = 'mr'\nheard_in = ['hi']\nbackchannels = ['Hmmm', 'ho ka?']\nanswers = ['ho']\ncommands = ['थांबा']",
        )
        .unwrap();
        let bytes = rmp_serde::to_vec_named(&list).unwrap();
        assert_eq!(rmp_serde::from_slice::<List>(&bytes).unwrap(), list);
        let forged = rmp_serde::to_vec_named(&BTreeMap::from([("language", "")])).unwrap();
        assert!(
            rmp_serde::from_slice::<List>(&forged).is_err(),
            "what could not be a file is not believed of a journal"
        );
    }

    #[test]
    fn a_list_is_heard_in_calls_of_its_language_and_of_those_it_names() {
        let list = List::from_toml("language = 'mr'\nheard_in = ['en-IN']\ncommands = ['thamba']").unwrap();
        for (call, heard) in
            [("mr", true), ("mr-IN", true), ("mr-Latn", true), ("en-in", true), ("en", false), ("m", false)]
        {
            assert_eq!(list.is_heard_in(call), heard, "{call}");
        }
        let list = List::from_toml("language = 'mr'\nheard_in = ['*']\ncommands = ['thamba']").unwrap();
        assert!(list.is_heard_in("de"));
    }
}
