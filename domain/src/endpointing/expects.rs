//! What the caller was just asked for, and how much of it a text holds: nothing, a beginning, or all.
//!
//! The readers are the playbook's own ([`crate::slot`]), so a value counts as whole here exactly where the playbook would take it. Decides nothing
//! about time.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde::{Deserialize, Serialize};

use crate::playbook::Half;
use crate::slot::money::{self, Asking, Currency, currency_word};
use crate::slot::numeral::{scale_word, two_digits};
use crate::slot::phone::{self, Dictated, Judged};
use crate::slot::place::Gazetteer;
use crate::slot::window::{self, Looking};
use crate::slot::words::{is_listed, split};
use crate::slot::{email, fuzzy};

/// Where nobody says whose numbers come without a country code.
const HOME: &str = "IN";
/// A bare number below this is counted in something that is still to come: "sixty".
const LEAST_AMOUNT: i64 = 1_000;
/// Fewer digits, with other words behind them, are a count: "I have two".
const SHORTEST_RUN: usize = 3;
/// Words between the parts of an amount.
const JOINS: &str = "point decimal and to or se aur dashamlav दशमलव और से";
/// Digits that nobody asked for are a telephone number from so many on.
const CLEAR_RUN: usize = 5;

/// A value that is dictated piece by piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spelled {
    /// A telephone number.
    Phone,
    /// A postal code.
    Pin,
    /// An e-mail address.
    Email,
    /// An amount.
    Money,
    /// A date.
    Date,
    /// Where somebody lives.
    Address,
}

/// What the next words of the caller answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expects {
    /// A question of yes or no.
    YesNo,
    /// A question for a value.
    Value {
        /// Which.
        spelled: Spelled,
        /// Two letters: whose numbers are dictated. India where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        region: Option<String>,
        /// What an earlier turn has of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        begun: Option<Half>,
    },
}

impl Expects {
    /// This value, of which nothing is known yet.
    pub fn value(spelled: Spelled) -> Self {
        Self::Value { spelled, region: None, begun: None }
    }
}

/// How much of a value is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// None of it.
    Nothing,
    /// Its beginning.
    Begun,
    /// All of it.
    Whole {
        /// With more behind it, it would be another value that is whole: "two lakh", "two lakh fifty thousand".
        may_grow: bool,
    },
}

impl Progress {
    fn whole(may_grow: bool) -> Self {
        Self::Whole { may_grow }
    }

    fn begun(begun: bool) -> Self {
        if begun { Self::Begun } else { Self::Nothing }
    }
}

/// How much of a value of this kind is in `text`. `begun` is what an earlier turn has of it.
pub(super) fn progress(spelled: Spelled, region: Option<&str>, begun: Option<&Half>, text: &str) -> Progress {
    let words = split(text);
    let region = region.unwrap_or(HOME);
    match spelled {
        Spelled::Phone => telephone(&words, region, begun),
        Spelled::Pin => pin(&words, region),
        Spelled::Email => address_of_mail(text),
        Spelled::Money => amount(&words, begun),
        Spelled::Date => day(&words),
        Spelled::Address => address(&words),
    }
}

/// A value that `text` ends in though nobody asked for one.
pub(super) fn unasked(text: &str) -> Option<Spelled> {
    let words = split(text);
    let digits = run(&words).filter(|(run, last)| *last && run.digits.len() >= CLEAR_RUN);
    if digits.is_some() {
        return Some(Spelled::Phone);
    }
    (text.contains('@') || text.to_lowercase().contains(" at the rate")).then_some(Spelled::Email)
}

/// The digits in hand, and whether they end the text.
fn run(words: &[String]) -> Option<(Dictated, bool)> {
    let run = phone::find(words, &vec![true; words.len()])?;
    let last = words[run.end..].iter().all(|word| phone::is_between(word));
    Some((run.value, last))
}

fn telephone(words: &[String], region: &str, begun: Option<&Half>) -> Progress {
    let Some((run, last)) = run(words) else { return Progress::Nothing };
    let joined = match begun {
        Some(Half::Digits { digits, plus }) => {
            Some(Dictated { digits: format!("{digits}{}", run.digits), plus: *plus })
        }
        Some(Half::Amount(_)) | None => None,
    };
    let short = run.digits.len() < SHORTEST_RUN && !last;
    let judged: Vec<(Dictated, Judged)> = [Some(run), joined]
        .into_iter()
        .flatten()
        .map(|digits| (digits.clone(), phone::judge(&digits, region)))
        .collect();
    if let Some((digits, _)) = judged.iter().find(|(_, judged)| matches!(judged, Judged::Whole(_))) {
        return Progress::whole(phone::may_grow(digits, region));
    }
    Progress::begun(!short && judged.iter().any(|(_, judged)| *judged == Judged::TooShort))
}

/// Six digits in India, five in the United States.
fn pin(words: &[String], region: &str) -> Progress {
    let length = match region {
        "US" => 5,
        HOME => 6,
        _ => return Progress::Nothing,
    };
    match run(words) {
        Some((run, _)) if run.digits.len() == length => Progress::whole(false),
        Some((run, last)) => Progress::begun(run.digits.len() < length && (last || run.digits.len() >= SHORTEST_RUN)),
        None => Progress::Nothing,
    }
}

fn address_of_mail(text: &str) -> Progress {
    let tokens = email::tokens(text);
    if let Some(address) = email::read(text) {
        let top = address.rsplit('.').next().unwrap_or_default();
        let said = tokens.last().is_some_and(|last| last.rsplit('.').next() == Some(top));
        return Progress::whole(!said || top == "co");
    }
    let sign = |token: &String| matches!(token.as_str(), "@" | "." | "_" | "-");
    let letters = tokens.iter().filter(|token| token.chars().count() == 1 && *token != "i").count();
    // "S for sierra".
    let alphabet = tokens.windows(3).any(|three| three[0].chars().count() == 1 && three[1] == "for");
    let said = email::after_leads(&tokens);
    let name = said.len() <= 2 && said.iter().any(|token| token.len() > 1 && !fuzzy::is_common(token));
    Progress::begun(tokens.iter().any(sign) || letters >= 3 || letters * 2 > tokens.len() || alphabet || name)
}

fn amount(words: &[String], begun: Option<&Half>) -> Progress {
    let asking = Asking { asked: true, currency: Currency::Inr, corrects: None };
    let Some(found) = money::find(words, &vec![true; words.len()], asking).pop() else {
        let scale = words.last().is_some_and(|word| scale_word(word).is_some());
        return if scale && matches!(begun, Some(Half::Amount(_))) {
            Progress::whole(false)
        } else {
            Progress::Nothing
        };
    };
    let rest = &words[found.end..];
    if !rest.is_empty() {
        // "One point", "fifty to"; else a sentence with an amount in it.
        return Progress::begun(rest.iter().all(|word| is_listed(JOINS, word)));
    }
    match found.value.bare {
        Some(number) if number.whole().is_some_and(|whole| whole >= LEAST_AMOUNT) => Progress::whole(true),
        Some(_) => Progress::Begun,
        None => Progress::whole(!words[found.start..].iter().any(|word| currency_word(word).is_some())),
    }
}

/// Which day it is does not matter here, only whether a day is there.
fn day(words: &[String]) -> Progress {
    let now = NaiveDate::from_ymd_opt(2026, 1, 1).map(|day| NaiveDateTime::new(day, NaiveTime::MIN));
    let free = vec![true; words.len()];
    let dated =
        |asked| window::find(words, &free, Looking { now, asked }).iter().any(|found| found.value.date.is_some());
    if dated(false) {
        return Progress::whole(true); // the year may follow
    }
    let number = (words.len().saturating_sub(2)..words.len()).any(|at| two_digits(words, at).is_some());
    Progress::begun(number || dated(true))
}

fn address(words: &[String]) -> Progress {
    if matches!(run(words), Some((run, true)) if run.digits.len() == 6) {
        return Progress::whole(false);
    }
    let places = Gazetteer::built_in().find(words, &vec![true; words.len()], true, false);
    if places.iter().any(|place| place.end == words.len()) {
        return Progress::whole(true); // the postal code may follow
    }
    Progress::begun(words.iter().any(|word| !fuzzy::is_common(word)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const GROWS: Progress = Progress::Whole { may_grow: true };
    const WHOLE: Progress = Progress::Whole { may_grow: false };

    fn all(spelled: Spelled, cases: &[(&str, Progress)]) {
        for (text, expected) in cases {
            assert_eq!(progress(spelled, None, None, text), *expected, "{text:?}");
        }
    }

    #[test]
    fn telephone_numbers() {
        all(
            Spelled::Phone,
            &[
                ("", Progress::Nothing),
                ("I have no phone", Progress::Nothing),
                ("I have two phones", Progress::Nothing),
                ("nine", Progress::Begun),
                ("my number is 98765", Progress::Begun),
                ("nine eight seven six five double four", Progress::Begun),
                ("nine eight seven six five double four and", Progress::Begun),
                ("98765 43210", WHOLE),
                ("nine eight double five triple nine one two three", WHOLE),
                ("9198765432", GROWS), // the country code, perhaps
                ("919876543210", WHOLE),
                ("plus nine one nine eight seven six five", Progress::Begun),
            ],
        );
        let digits = Half::Digits { digits: "98765".into(), plus: false };
        assert_eq!(progress(Spelled::Phone, None, Some(&digits), "four three two one oh"), WHOLE);
        assert_eq!(progress(Spelled::Phone, None, Some(&digits), "four three"), Progress::Begun);
        assert_eq!(progress(Spelled::Phone, Some("AE"), None, "50123456"), GROWS);
        assert_eq!(progress(Spelled::Phone, Some("US"), None, "415 555 2671"), WHOLE);
    }

    #[test]
    fn postal_codes() {
        all(
            Spelled::Pin,
            &[
                ("one one zero", Progress::Begun),
                ("one one zero double zero one", WHOLE),
                ("110001", WHOLE),
                ("I do not know", Progress::Nothing),
            ],
        );
        assert_eq!(progress(Spelled::Pin, Some("US"), None, "94107"), WHOLE);
    }

    #[test]
    fn addresses_of_mail() {
        all(
            Spelled::Email,
            &[
                ("rahul", Progress::Begun),
                ("r a h u l", Progress::Begun),
                ("rahul dot sharma", Progress::Begun),
                ("rahul dot sharma at", Progress::Begun),
                ("rahul at gmail", GROWS),
                ("rahul at gmail dot com", WHOLE),
                ("rahul@gmail.com.", WHOLE),
                ("rahul at yahoo dot co", GROWS),
                ("rahul at yahoo dot co dot in", WHOLE),
                ("sure, it is neha", Progress::Begun),
                ("I do not have any", Progress::Nothing),
            ],
        );
    }

    #[test]
    fn amounts() {
        all(
            Spelled::Money,
            &[
                ("sixty", Progress::Begun),
                ("sixty lakh", GROWS),
                ("sixty lakh rupees", WHOLE),
                ("two lakh fifty thousand rupees", WHOLE),
                ("6000000", GROWS),
                ("sixty lakh would be fine", Progress::Nothing),
                ("I have no idea", Progress::Nothing),
            ],
        );
        let sixty = Half::Amount(crate::slot::Quantity::from_whole(60).unwrap());
        assert_eq!(progress(Spelled::Money, None, Some(&sixty), "lakh"), WHOLE);
    }

    #[test]
    fn dates_and_addresses() {
        all(
            Spelled::Date,
            &[
                ("the twenty third", Progress::Begun),
                ("twenty", Progress::Begun),
                ("the twenty third of November", GROWS),
                ("tomorrow", GROWS),
                ("I do not know", Progress::Nothing),
            ],
        );
        all(
            Spelled::Address,
            &[
                ("flat three zero two", Progress::Begun),
                ("tower B, sector 56", Progress::Begun),
                ("tower B, sector 56, Gurugram", GROWS),
                ("tower B, sector 56, Gurugram 122011", WHOLE),
                ("why do you need it", Progress::Nothing),
            ],
        );
    }

    #[test]
    fn a_value_that_nobody_asked_for() {
        assert_eq!(unasked("call me on 98765"), Some(Spelled::Phone));
        assert_eq!(unasked("rahul at the rate gmail"), Some(Spelled::Email));
        assert_eq!(unasked("I want two flats in sector 56"), None);
    }
}
