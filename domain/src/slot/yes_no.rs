//! Assent and denial, in English and Hindi and in the mixture of both.
//!
//! "Yes" answers the question as it was put; "that's right" speaks of the facts. The two differ when the question is "would you like to change
//! anything?", so they are kept apart.

use super::words::{Phrase, any, split};

/// What a short answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assent {
    /// Yes to the question as put.
    Yes,
    /// No to the question as put.
    No,
    /// All is well: "that's right", "perfect", "thank you", "that's all".
    Right,
    /// Something is wrong: "that's wrong", "not correct".
    Wrong,
}

impl Assent {
    /// As the answer to a plain question of fact.
    pub fn is_yes(self) -> bool {
        match self {
            Self::Yes | Self::Right => true,
            Self::No | Self::Wrong => false,
        }
    }
}

/// Reads an answer, or `None` where the utterance is neither.
pub fn read(text: &str) -> Option<Assent> {
    read_words(&split(text))
}

/// Words at the start that decide nothing.
const FILLERS: [&str; 12] = ["uh", "um", "umm", "hmm", "er", "ah", "oh", "well", "so", "and", "hello", "but"];

/// "Good" in a long sentence praises a location; in a short one it settles the question.
const SHORT: usize = 6;

pub(crate) fn read_words(words: &[String]) -> Option<Assent> {
    let skipped = words.iter().take_while(|word| FILLERS.contains(&word.as_str())).count();
    let words = &words[skipped..];
    let short = words.len() <= SHORT;
    if any(&phrases(&["nothing wrong|change|else|more", "not wrong", "no mistake|change|changes"]), words) {
        return Some(Assent::Right);
    }
    if any(&phrases(&["not right|correct|true|okay|ok|good|it|what"]), words) && short
        || words.iter().any(|word| matches!(word.as_str(), "wrong" | "incorrect" | "mistake" | "galat" | "गलत"))
        || short && any(&phrases(&["sahi|theek|thik|सही|ठीक nahi|nahin|नहीं|नही"]), words)
    {
        return Some(Assent::Wrong);
    }
    if any(
        &phrases(&[
            "thats|its|is|all|everything right|correct|fine|good|perfect",
            "thats all|it|everything",
            "leave it",
        ]),
        words,
    ) && short
    {
        return Some(Assent::Right);
    }
    if any(&phrases(&["bas itna|itni|yahi", "बस इतना|इतनी|यही", "kuch|kuchh nahi|nahin", "कुछ नहीं|नही"]), words) && short
    {
        return Some(Assent::Right);
    }
    let first = words.first().map_or("", String::as_str);
    // "Ji" and "haan ji" are courtesy: "ji nahi" is no.
    let denies = |word: &String| plain(word) == Some(Assent::No);
    if plain(first) == Some(Assent::Yes) && words.get(1).is_some_and(denies) && !matches!(first, "yes" | "yeah") {
        return Some(Assent::No);
    }
    if let Some(plain) = plain(first) {
        return Some(plain);
    }
    (short && words.iter().enumerate().any(|(i, word)| is_content(word, words.get(i + 1)))).then_some(Assent::Right)
}

fn plain(word: &str) -> Option<Assent> {
    match word {
        "yes"
        | "yeah"
        | "yep"
        | "yup"
        | "ya"
        | "yah"
        | "haan"
        | "han"
        | "ha"
        | "ji"
        | "jee"
        | "haanji"
        | "hanji"
        | "sure"
        | "absolutely"
        | "definitely"
        | "certainly"
        | "exactly"
        | "bilkul"
        | "zaroor"
        | "हां"
        | "हा"
        | "जी"
        | "बिल्कुल"
        | "बिलकुल"
        | "जरूर" => Some(Assent::Yes),
        "no" | "nope" | "nah" | "nahi" | "nahin" | "na" | "naa" | "never" | "mat" | "नहीं" | "नही" | "ना" | "न"
        | "मत" => Some(Assent::No),
        _ => None,
    }
}

fn is_content(word: &str, next: Option<&String>) -> bool {
    match word {
        "correct"
        | "perfect"
        | "fine"
        | "good"
        | "great"
        | "okay"
        | "ok"
        | "thanks"
        | "nothing"
        | "none"
        | "theek"
        | "thik"
        | "sahi"
        | "achha"
        | "accha"
        | "dhanyavaad"
        | "dhanyavad"
        | "shukriya"
        | "ठीक"
        | "सही"
        | "अच्छा"
        | "धन्यवाद"
        | "शुक्रिया"
        | "बस" => true,
        "right" => next.is_none_or(|next| !matches!(next.as_str(), "now" | "away")),
        "thank" => next.is_some_and(|next| next == "you"),
        _ => false,
    }
}

fn phrases(notations: &[&str]) -> Vec<Phrase> {
    notations.iter().map(|notation| Phrase::new(notation)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_answers() {
        for text in ["Yes.", "yeah", "haan", "ji", "um, yes please", "Sure", "yes that is so"] {
            assert_eq!(read(text), Some(Assent::Yes), "{text}");
        }
        for text in ["No.", "nope", "no no", "nahi", "uh no", "no, fifty lakh"] {
            assert_eq!(read(text), Some(Assent::No), "{text}");
        }
    }

    #[test]
    fn plain_answers_in_hindi() {
        for text in ["हाँ", "हां जी", "जी", "जी हाँ", "बिल्कुल", "haan ji", "zaroor", "ji haan"]
        {
            assert_eq!(read(text), Some(Assent::Yes), "{text}");
        }
        for text in ["नहीं", "जी नहीं", "ji nahi", "na", "नही, पचास", "haan nahi"] {
            assert_eq!(read(text), Some(Assent::No), "{text}");
        }
        for text in ["सही है", "ठीक है", "theek hai", "बस इतना ही", "kuch nahi", "धन्यवाद", "achha"]
        {
            assert_eq!(read(text), Some(Assent::Right), "{text}");
        }
        for text in ["गलत है", "यह गलत है", "सही नहीं है", "theek nahi hai"] {
            assert_eq!(read(text), Some(Assent::Wrong), "{text}");
        }
    }

    #[test]
    fn answers_about_the_facts() {
        for text in [
            "that's right",
            "Correct.",
            "yes that's correct",
            "no that's all",
            "no, that's fine",
            "thank you",
            "no changes",
            "all good",
        ] {
            assert_eq!(read(text), Some(Assent::Right), "{text}");
        }
        for text in ["that's wrong", "no that's not right", "yes, that is wrong", "incorrect"] {
            assert_eq!(read(text), Some(Assent::Wrong), "{text}");
        }
    }

    #[test]
    fn other_talk_is_no_answer() {
        for text in ["", "sixty lakh", "I need it right now", "an apartment in a good location near the new airport"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
