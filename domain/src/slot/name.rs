//! Names of people: "my name is Rahul Sharma", "this is Priya", "मेरा नाम राहुल है", "R A H U L", or the bare name where it was asked for.
//!
//! No list of names: what is introduced as one is one, and a bare answer is one where none of its words is everyday talk. A recogniser's
//! spelling is kept, with capitals.

use super::candidate::Candidate;
use super::fuzzy::is_common;
use super::words::is_listed;

/// Words a name has at most.
const LONGEST: usize = 4;

/// Words that lead to a name, each as a phrase.
const INTRODUCTIONS: [&[&str]; 12] = [
    &["my", "name", "is"],
    &["name", "is"],
    &["my", "names"],
    &["this", "is"],
    &["i", "am"],
    &["im"],
    &["call", "me"],
    &["mera", "naam"],
    &["naam", "hai"],
    &["मेरा", "नाम"],
    &["main"],
    &["मैं"],
];
/// Leads that begin many other sentences too; they count only where the name was asked for.
const WEAK: [&str; 6] = ["this", "i", "im", "main", "मैं", "call"];

/// Words that are no part of a name and end it.
const NEVER: &str = "speaking calling here hai hoon hun from interested looking not sure happy busy fine good sir madam maam ji \
    है हूं हू जी से नहीं हां yes no yeah okay thanks bol raha rahi बोल रहा रही mr mrs ms miss doctor dr calling wait hello hi namaste नमस्ते \
    interested decided afraid sorry going trying the a an actually naam नाम name is";

/// A name among `words`. `asked` says that a bare one will do.
pub(crate) fn find(words: &[String], free: &[bool], asked: bool) -> Option<Candidate<String>> {
    let introduced = INTRODUCTIONS.iter().find_map(|lead| {
        let strong = !WEAK.contains(&lead[0]);
        let at =
            words.windows(lead.len()).rposition(|window| window.iter().zip(*lead).all(|(word, lead)| word == lead))?;
        (strong || asked).then(|| name_at(words, free, at + lead.len())).flatten()
    });
    introduced.map(|name| Candidate { confidence: 0.95, ..name }).or_else(|| bare(words, free).filter(|_| asked))
}

/// The name that begins at `at`, past titles.
fn name_at(words: &[String], free: &[bool], at: usize) -> Option<Candidate<String>> {
    let titles = words[at.min(words.len())..]
        .iter()
        .take_while(|word| matches!(word.as_str(), "mr" | "mrs" | "ms" | "miss" | "dr" | "doctor"))
        .count();
    let start = at + titles;
    let spelled = spelled(words, start);
    let end = match spelled {
        Some(end) => end,
        None => {
            words.iter().enumerate().skip(start).take(LONGEST).take_while(|(i, word)| free[*i] && is_part(word)).count()
                + start
        }
    };
    (end > start).then(|| {
        let value = if spelled.is_some() { capital(&words[start..end].concat()) } else { title(&words[start..end]) };
        Candidate { start, end, value, confidence: 0.8 }
    })
}

/// The whole utterance, where every word may be part of a name.
fn bare(words: &[String], free: &[bool]) -> Option<Candidate<String>> {
    let skip = |word: &&String| {
        matches!(
            word.as_str(),
            "uh" | "um"
                | "hi"
                | "hello"
                | "yes"
                | "yeah"
                | "sure"
                | "its"
                | "it"
                | "is"
                | "haan"
                | "ji"
                | "no"
                | "actually"
                | "sorry"
                | "जी"
                | "हां"
        )
    };
    let start = words.iter().take_while(skip).count();
    let name = name_at(words, free, start)?;
    // What follows may be a courtesy or a verb, not a sentence.
    let rest = &words[name.end..];
    (rest.len() <= 2 && rest.iter().all(|word| is_listed(NEVER, word))).then_some(name)
}

fn is_part(word: &str) -> bool {
    let letters = word.chars().all(|c| c.is_alphabetic() || c == '\u{94d}' || ('\u{900}'..='\u{97f}').contains(&c));
    letters && word.chars().count() > 1 && !is_common(word) && !is_listed(NEVER, word)
}

/// Three or more single letters: "R A H U L".
fn spelled(words: &[String], start: usize) -> Option<usize> {
    let letters = words
        .iter()
        .skip(start)
        .take_while(|word| word.len() == 1 && word.bytes().all(|b| b.is_ascii_alphabetic()))
        .count();
    (3..=24).contains(&letters).then_some(start + letters)
}

fn title(words: &[String]) -> String {
    words.iter().map(|word| capital(word)).collect::<Vec<_>>().join(" ")
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slot::words::split;

    fn heard(text: &str, asked: bool) -> Option<String> {
        let words = split(text);
        find(&words, &vec![true; words.len()], asked).map(|name| name.value)
    }

    #[test]
    fn introduced_names() {
        for (text, expected) in [
            ("My name is Rahul Sharma.", "Rahul Sharma"),
            ("my name is rahul and I want a flat", "Rahul"),
            ("mera naam Priya Verma hai", "Priya Verma"),
            ("मेरा नाम राहुल है", "राहुल"),
            ("the name is Dr. Anita Rao", "Anita Rao"),
        ] {
            assert_eq!(heard(text, false).as_deref(), Some(expected), "{text}");
            assert_eq!(heard(text, true).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn names_to_the_question() {
        for (text, expected) in [
            ("Rahul", "Rahul"),
            ("uh, Rahul Sharma", "Rahul Sharma"),
            ("this is Priya speaking", "Priya"),
            ("I am Rahul", "Rahul"),
            ("it's Farhan", "Farhan"),
            ("R A H U L", "Rahul"),
            ("राहुल शर्मा", "राहुल शर्मा"),
            ("main Suresh bol raha hoon", "Suresh"),
        ] {
            assert_eq!(heard(text, true).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn talk_that_is_no_name() {
        for text in [
            "",
            "yes",
            "I don't know",
            "what do you mean",
            "I am looking for a flat",
            "no thank you",
            "sixty lakh",
            "नहीं",
        ] {
            assert_eq!(heard(text, false), None, "{text}");
        }
        for text in ["", "yes", "I don't know", "I am not sure", "no thank you", "नहीं"] {
            assert_eq!(heard(text, true), None, "{text}");
        }
    }
}
