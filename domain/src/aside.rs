//! What callers say beside the matter: a bare hello, and a request for a moment.
//!
//! Place: read by the call core (a hello over the greeting, [`crate::call_core`]) and by brains (who asks for a moment is given one, without a
//! model). The phrases are data: `lexicons/asides.toml`, one table a language. Total: any text has an answer, most have [`None`].
//!
//! Only what stands alone is an aside. "Hold on, that is wrong" says something, and is the brain's.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::slot::words::split;

const FILE: &str = include_str!("../lexicons/asides.toml");
/// Longest phrase, in words.
const LONGEST: usize = 5;

/// Words that answer nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aside {
    /// "Hello? Hello?"
    Hello,
    /// "Ek minute, let me check."
    Wait,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Language {
    hellos: Vec<String>,
    waits: Vec<String>,
    courtesies: Vec<String>,
}

/// Phrases by their words; `None` for those that say neither.
type Phrases = HashMap<Vec<String>, Option<Aside>>;

static PHRASES: LazyLock<Phrases> = LazyLock::new(|| {
    let file: BTreeMap<String, Language> = toml::from_str(FILE).expect("a built-in list, which the tests read");
    let mut phrases = Phrases::new();
    let lists = file.into_values().flat_map(|language| {
        [(language.courtesies, None), (language.hellos, Some(Aside::Hello)), (language.waits, Some(Aside::Wait))]
    });
    for (list, aside) in lists {
        for phrase in list {
            let known = phrases.entry(sounds(&phrase)).or_insert(aside);
            *known = known.or(aside); // "रुकिए" is a courtesy after a wait, and a wait alone
        }
    }
    phrases
});

impl Aside {
    /// The aside that all of `text` is. A hello that also asks for a moment asks for a moment.
    pub fn of(text: &str) -> Option<Self> {
        let words = sounds(text);
        let (mut found, mut rest) = (None, words.as_slice());
        while !rest.is_empty() {
            let longest = (1..=LONGEST.min(rest.len())).rev();
            let (length, aside) = longest.into_iter().find_map(|n| Some((n, *PHRASES.get(&rest[..n])?)))?;
            found = match (found, aside) {
                (Some(Self::Wait), _) | (_, Some(Self::Wait)) => Some(Self::Wait),
                (known, aside) => aside.or(known),
            };
            rest = &rest[length..];
        }
        found
    }

    /// Whether all of `text` is a hello.
    pub fn is_hello(text: &str) -> bool {
        Self::of(text) == Some(Self::Hello)
    }

    /// Whether all of `text` asks for a moment.
    pub fn is_wait(text: &str) -> bool {
        Self::of(text) == Some(Self::Wait)
    }
}

/// The words as they sound: each run of one letter is one letter.
fn sounds(text: &str) -> Vec<String> {
    let single = |word: String| {
        let mut last = None;
        word.chars().filter(|c| last.replace(*c) != Some(*c)).collect()
    };
    split(text).into_iter().map(single).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_that_stands_alone_is_one() {
        for text in
            ["Hello?", "hello, hello", "Hellooo", "hi there!", "हैलो हैलो", "Namaste ji", "yes, hello?", "Haan ji, hello"]
        {
            assert_eq!(Aside::of(text), Some(Aside::Hello), "{text}");
        }
    }

    #[test]
    fn who_asks_for_a_moment_is_understood_in_each_language_and_in_two_at_once() {
        for text in [
            "hold on",
            "Just a second, please.",
            "ek minute",
            "Ek minute rukiye",
            "ek minute, let me check",
            "एक मिनट रुकिए",
            "okay, one moment",
            "hello, hold on",
            "can you hold on please",
            "sorry, give me a sec",
            "ज़रा रुकिए सर",
            "main dekhta hoon",
            "um, let me think",
        ] {
            assert_eq!(Aside::of(text), Some(Aside::Wait), "{text}");
        }
    }

    #[test]
    fn what_says_more_is_no_aside() {
        for text in [
            "",
            "...",
            "yes",
            "okay sir",
            "hold on, that is wrong",
            "one crore",
            "wait, I want a villa",
            "hello, I want a flat",
            "one",
            "two",
            "minute",
            "[BLANK_AUDIO]",
            "ek",
            "ek crore",
            "haan",
            "let me check the price with you",
            "call me in two minutes",
        ] {
            assert_eq!(Aside::of(text), None, "{text}");
        }
    }

    #[test]
    fn no_phrase_of_the_file_is_too_long_to_be_found() {
        assert!(
            PHRASES.keys().all(|phrase| (1..=LONGEST).contains(&phrase.len())),
            "{:?}",
            PHRASES.keys().max_by_key(|phrase| phrase.len())
        );
    }
}
