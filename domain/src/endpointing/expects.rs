//! What the caller was just asked for, and how much of it a text holds: nothing, a beginning, or all.
//!
//! The readers are the playbook's own ([`crate::slot`]), so a value counts as whole here exactly where the playbook would take it. Decides nothing
//! about time.

use std::cmp::Ordering;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde::{Deserialize, Serialize};

use crate::playbook::Half;
use crate::slot::date;
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
/// Of years: "two thousand one", "do hazaar ek".
const THOUSAND: &str = "thousand hazaar hazar हजार";
/// What recognisers write for a digit on a telephone line, and what is left of "double five" without the five.
const ALIKE: &str = "ate fine for mine free to too tree won double triple treble";

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

/// The digits in hand, and whether they end the text.
pub(super) fn run(words: &[String]) -> Option<(Dictated, bool)> {
    let run = phone::find(words, &vec![true; words.len()])?;
    let last = words[run.end..].iter().all(|word| phone::is_between(word));
    Some((run.value, last))
}

/// Whether the words are digits that are read out, with what a recogniser made of some of them: "nine ate seven", "six three to eight". Not "I have
/// two phones".
pub(super) fn is_read_out(words: &[String]) -> bool {
    let (mut digits, mut alike, mut others, mut at) = (0, 0, 0, 0);
    while let Some(word) = words.get(at) {
        let group = phone::group(words, at).map(|(_, end)| end);
        match group {
            Some(_) => digits += 1,
            None if is_listed(ALIKE, word) => alike += 1,
            None if fuzzy::is_common(word) || phone::is_between(word) => others += 1,
            None => return false,
        }
        at = group.unwrap_or(at + 1);
    }
    digits > 0 && digits + alike >= others
}

fn telephone(words: &[String], region: &str, begun: Option<&Half>) -> Progress {
    let Some((run, last)) = run(words) else { return Progress::Nothing };
    let alone = phone::judge(&run, region);
    if matches!(alone, Judged::Whole(_)) {
        return Progress::whole(phone::may_grow(&run, region));
    }
    let joined = match begun {
        Some(Half::Digits { digits, plus }) => {
            phone::judge(&Dictated { digits: format!("{digits}{}", run.digits), plus: *plus }, region)
        }
        Some(Half::Amount(_)) | None => Judged::Impossible,
    };
    if matches!(joined, Judged::Whole(_)) {
        return Progress::whole(true); // who was asked to go on may as well have begun anew
    }
    let short = run.digits.len() < SHORTEST_RUN && !last && !is_read_out(words);
    Progress::begun(!short && [alone, joined].contains(&Judged::TooShort))
}

/// Six digits in India, five in the United States.
fn pin(words: &[String], region: &str) -> Progress {
    let length = match region {
        "US" => 5,
        HOME => 6,
        _ => return Progress::Nothing,
    };
    let Some((run, last)) = run(words) else { return Progress::Nothing };
    match run.digits.len().cmp(&length) {
        Ordering::Equal => Progress::whole(false),
        // With the number of a house or a sector before it; or it is a telephone number, which goes on.
        Ordering::Greater if last => Progress::whole(true),
        Ordering::Greater => Progress::Nothing,
        Ordering::Less => Progress::begun(run.digits.len() >= SHORTEST_RUN || last || is_read_out(words)),
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
    // "Priya one two", with a word that was misheard.
    let spelled = letters * 2 > tokens.len() || letters >= 2 && letters * 2 == tokens.len();
    // "S for sierra".
    let alphabet = tokens.windows(3).any(|three| three[0].chars().count() == 1 && three[1] == "for");
    let said = email::after_leads(&tokens);
    let name = said.len() <= 2 && said.iter().any(|token| token.len() > 1 && !fuzzy::is_common(token));
    Progress::begun(tokens.iter().any(sign) || letters >= 3 || spelled || alphabet || name)
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

/// Which day it is does not matter here, only whether a day is there, and whether its year is.
pub(super) fn day(words: &[String]) -> Progress {
    let dated = |asked| {
        let looking = Looking { now: day_to_count_from(), asked };
        window::find(words, &vec![true; words.len()], looking).iter().any(|found| found.value.date.is_some())
    };
    let month = words.iter().rposition(|word| date::is_month(word));
    if dated(false) {
        return Progress::whole(!month.is_some_and(|month| has_year(&words[month + 1..])));
    }
    if month.is_some_and(|month| month > 0 && month + 1 == words.len()) {
        return Progress::whole(true); // "in January"
    }
    let number = (words.len().saturating_sub(2)..words.len()).any(|at| two_digits(words, at).is_some());
    Progress::begun(number || dated(true))
}

fn day_to_count_from() -> Option<NaiveDateTime> {
    NaiveDate::from_ymd_opt(2026, 1, 1).map(|day| NaiveDateTime::new(day, NaiveTime::MIN))
}

/// "1990", "nineteen ninety", "two thousand one"; not "two thousand", which may be its beginning.
fn has_year(words: &[String]) -> bool {
    let written = |word: &String| word.len() == 4 && word.parse().is_ok_and(|year: u32| (1_900..2_200).contains(&year));
    let spoken = |at: usize| {
        let (century, end) = two_digits(words, at)?;
        let (years, _) = two_digits(words, end)?;
        Some(matches!(century, 19 | 20) && years >= 10)
    };
    let counted = |at: usize| {
        let thousand = words.get(at + 1).is_some_and(|word| is_listed(THOUSAND, word));
        thousand.then(|| two_digits(words, at + 2).is_some())
    };
    words.iter().any(written) || (0..words.len()).any(|at| spoken(at) == Some(true) || counted(at) == Some(true))
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
                // As recognisers mishear them.
                ("nine ate", Progress::Begun),
                ("six three to eight", Progress::Begun),
                ("and three two it eight", Progress::Begun),
                ("the three eight the nine", Progress::Begun),
                ("seven zero in four two double mine four", Progress::Begun),
                ("two minutes", Progress::Nothing),
                ("that is fine", Progress::Nothing),
            ],
        );
        let digits = Half::Digits { digits: "98765".into(), plus: false };
        assert_eq!(progress(Spelled::Phone, None, Some(&digits), "four three two one oh"), GROWS);
        assert_eq!(progress(Spelled::Phone, None, Some(&digits), "98765 43210"), WHOLE, "the whole number again");
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
                ("one the", Progress::Begun),
                ("sector 45 one two two double zero three", GROWS),
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
                ("priya one two free", Progress::Begun),
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
                ("the fifteenth of March nineteen", GROWS),
                ("the fifteenth of March nineteen ninety", WHOLE),
                ("third of August two thousand", GROWS),
                ("third of August two thousand one", WHOLE),
                ("the 3rd of August 2001", WHOLE),
                ("the it of January", GROWS),
                ("twenty second that", Progress::Begun),
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
}
