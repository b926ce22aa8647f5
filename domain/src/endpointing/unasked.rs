//! Values that are dictated though another was asked for, or none: told by signs that few sentences have.
//!
//! Place: behind [`super::expects`], whose readers say how far the value is, but stricter about what is one at all: nothing but its words speaks for it.
//! A caller who has the answer to the next question in hand, or who is still at the last one, is heard out as well.

use super::expects::{self, Progress, Spelled};
use crate::slot::money::currency_word;
use crate::slot::numeral::scale_word;
use crate::slot::words::{is_listed, split};
use crate::slot::{date, email, fuzzy};

/// Digits that nobody asked for are a telephone number from so many on.
const CLEAR_RUN: usize = 5;
/// As many, where no value was asked for and nothing but digits was said.
const SHORTEST_RUN: usize = 3;
/// So many single letters in a row spell something.
const CLEAR_LETTERS: usize = 3;
/// Words that stand in addresses of mail, and hardly elsewhere.
const SIGNS: &str = "dot underscore डॉट अंडरस्कोर";
/// Months that are other words too, unless a day or "of" stands before them.
const AMBIGUOUS: &str = "march may";
/// An ordinal among more words than this is no day: "the first thing that I want to know".
const SHORT: usize = 4;

/// The value that `text` ends in, other than `asked`, and how much of it is there; `None` where it ends in none.
pub(super) fn read(text: &str, asked: Option<Spelled>) -> Option<(Spelled, Progress)> {
    let words = split(text);
    let told = [
        (Spelled::Email, is_mail(text, &words)),
        (Spelled::Date, is_day(&words)),
        (Spelled::Money, words.iter().any(|word| scale_word(word).is_some() || currency_word(word).is_some())),
        (Spelled::Phone, is_number(&words)),
    ];
    let told = told.into_iter().filter(|(spelled, told)| *told && Some(*spelled) != asked);
    let mut read = told.map(|(spelled, _)| (spelled, expects::progress(spelled, None, None, text)));
    read.find(|(_, progress)| *progress != Progress::Nothing)
}

/// Digits and nothing else, where no value was asked for: how much of a telephone number they are, unless they are one. So many as open a number
/// are its beginning; fewer may be all that was meant.
pub(super) fn digits(text: &str) -> Option<Progress> {
    let words = split(text);
    let (run, _) = expects::run(&words).filter(|(run, last)| *last && run.digits.len() >= SHORTEST_RUN)?;
    let begun = expects::progress(Spelled::Phone, None, None, text) == Progress::Begun && expects::is_read_out(&words);
    begun.then_some(if run.digits.len() >= CLEAR_RUN { Progress::Begun } else { Progress::Whole { may_grow: true } })
}

fn is_number(words: &[String]) -> bool {
    expects::run(words).is_some_and(|(run, last)| last && run.digits.len() >= CLEAR_RUN)
}

/// "Rahul at the rate", "info dot sales", "k a v", "s it n", "sunil kumar at gmail".
fn is_mail(text: &str, words: &[String]) -> bool {
    let is_letter = |word: &String| word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
    // Two of them are words.
    let letters = words.iter().filter(|word| is_letter(word) && !is_listed("a i", word)).count();
    letters >= 2 && letters * 2 >= words.len()
        || ends_in_a_host(words)
        || text.contains('@')
        || text.to_lowercase().contains(" at the rate")
        || words.iter().any(|word| is_listed(SIGNS, word))
        || words.windows(CLEAR_LETTERS).any(|row| row.iter().all(is_letter))
        || email::read(text).is_some()
}

/// "Sharma at example": neither word is one that sentences are made of, as in "I live at Delhi".
fn ends_in_a_host(words: &[String]) -> bool {
    matches!(words, [.., before, at, host] if at == "at" && !fuzzy::is_common(before) && !fuzzy::is_common(host))
}

/// "The fifteenth", "third of", "twenty second November", "of January".
fn is_day(words: &[String]) -> bool {
    let named = |at: usize| {
        date::is_month(&words[at]) && (!is_listed(AMBIGUOUS, &words[at]) || at > 0 && leads_to_a_month(&words[..at]))
    };
    let counted = words.len() <= SHORT && (0..words.len()).any(|at| date::is_ordinal(words, at));
    counted || (0..words.len()).any(named)
}

fn leads_to_a_month(before: &[String]) -> bool {
    let last = before.len() - 1;
    before[last] == "of" || (last.saturating_sub(1)..=last).any(|at| date::is_ordinal(before, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROWS: Progress = Progress::Whole { may_grow: true };
    const WHOLE: Progress = Progress::Whole { may_grow: false };

    #[test]
    fn a_value_is_told_by_its_signs() {
        for (text, told) in [
            ("call me on 98765", Some((Spelled::Phone, Progress::Begun))),
            ("rahul at the rate gmail", Some((Spelled::Email, GROWS))),
            ("info dot sales at example", Some((Spelled::Email, Progress::Begun))),
            ("sunil kumar at gmail", Some((Spelled::Email, GROWS))),
            ("k a v", Some((Spelled::Email, Progress::Begun))),
            ("r of in h", Some((Spelled::Email, Progress::Begun))),
            ("rahul sharma at example", Some((Spelled::Email, Progress::Begun))),
            ("k a v y a at yahoo dot com", Some((Spelled::Email, WHOLE))),
            ("the fifteenth", Some((Spelled::Date, Progress::Begun))),
            ("third of", Some((Spelled::Date, Progress::Begun))),
            ("the fifteenth of March", Some((Spelled::Date, GROWS))),
            ("the of of January", Some((Spelled::Date, GROWS))),
            ("seventh of July nineteen seventy eight", Some((Spelled::Date, WHOLE))),
            ("my budget is eighty five lakh", Some((Spelled::Money, GROWS))),
            ("two crore ten lakh rupees", Some((Spelled::Money, WHOLE))),
        ] {
            assert_eq!(read(text, Some(Spelled::Pin)), told, "{text:?}");
        }
        assert_eq!(read("sixty lakh", Some(Spelled::Money)), None, "what was asked for is judged by its own reader");
    }

    #[test]
    fn digits_that_nobody_asked_for_may_be_a_number() {
        for (text, told) in [
            ("nine eight seven six five", Some(Progress::Begun)),
            ("nine eight seven", Some(GROWS)),
            ("nine ate seven four two", Some(GROWS)),
            ("98765", Some(Progress::Begun)),
            ("nine eight seven six five four three two one oh", None),
            ("three", None),
            ("I want two flats in sector 560", None),
            ("yes", None),
        ] {
            assert_eq!(digits(text), told, "{text:?}");
        }
    }

    #[test]
    fn sentences_hold_none() {
        for text in [
            "",
            "I want two flats in sector 56",
            "you may call me",
            "one second",
            "just a second please",
            "I live at Delhi",
            "call me at noon",
            "the first thing that I want to know is the price",
            "what do you mean by that",
            "sixty lakh would be fine",
            "I have no e-mail address",
        ] {
            assert_eq!(read(text, None), None, "{text:?}");
        }
    }
}
