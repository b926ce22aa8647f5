//! Numbers as people say them: English and Hindi words and digits, with the Indian scales (lakh, crore) beside the western ones.
//!
//! Exact: a value is a whole number of millionths, so "two point seven five crore" loses nothing and no float is involved.
//! Reads one number at a position and says where it ends; ranges and currencies are [`super::money`]'s, times [`super::window`]'s and telephone
//! numbers [`super::phone`]'s. Misheard scales ("sixty lack") are accepted after a number only, and marked, because "lock" alone is a lock.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::hindi;

/// A million: one, in millionths.
const ONE: i128 = 1_000_000;

/// An exact number with six decimal places, within ±9.2 million million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(i64);

impl Quantity {
    /// From a whole number; `None` beyond the range.
    pub fn from_whole(whole: i64) -> Option<Self> {
        Self::from_millionths(i128::from(whole) * ONE)
    }

    /// From millionths; `None` beyond the range.
    pub(crate) fn from_millionths(millionths: i128) -> Option<Self> {
        i64::try_from(millionths).ok().map(Self)
    }

    /// The value in millionths.
    pub fn millionths(self) -> i64 {
        self.0
    }

    /// The value, where it is whole.
    pub fn whole(self) -> Option<i64> {
        (i128::from(self.0) % ONE == 0).then_some(self.0 / 1_000_000)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, size) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        match size % 1_000_000 {
            0 => write!(f, "{sign}{}", size / 1_000_000),
            rest => write!(f, "{sign}{}.{}", size / 1_000_000, format!("{rest:06}").trim_end_matches('0')),
        }
    }
}

/// A number found among words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numeral {
    /// Its value.
    pub quantity: Quantity,
    /// Index of the first word after it.
    pub end: usize,
    /// The greatest scale word in it, such as 100,000 for a lakh; `None` without one.
    pub scale: Option<i64>,
    /// A scale was guessed from a word that sounds like it.
    pub misheard: bool,
}

const LAKH: i64 = 100_000;
const CRORE: i64 = 10_000_000;

/// Reads one number that begins exactly at `at`.
pub fn read(words: &[String], at: usize) -> Option<Numeral> {
    digit_run(words, at).or_else(|| sum(words, at))
}

/// A scale word alone ("lakh"), which answers "sixty what?".
pub fn scale_word(word: &str) -> Option<i64> {
    Some(match word {
        "thousand" | "thousands" | "hazar" | "hazaar" | "hajar" | "hajaar" | "हजार" => 1_000,
        "lakh" | "lakhs" | "lac" | "lacs" | "lak" | "laks" | "लाख" => LAKH,
        "crore" | "crores" | "karod" | "karor" | "caror" | "cror" | "crors" | "करोड" => CRORE,
        "million" | "millions" | "mn" => 1_000_000,
        "billion" | "billions" | "bn" => 1_000_000_000,
        _ => return None,
    })
}

/// Single letters are scales only when they stick to digits: `60k`, `1.5 cr`.
fn short_scale(word: &str) -> Option<i64> {
    Some(match word {
        "k" => 1_000,
        "l" => LAKH,
        "cr" | "crs" => CRORE,
        "m" => 1_000_000,
        _ => return None,
    })
}

/// What telephone recognisers write for lakh and crore. "Sixty like rupees" is one too, but "two like this" is not.
fn misheard_scale(word: &str, next: Option<&String>) -> Option<i64> {
    Some(match word {
        "lack" | "lacks" | "lock" | "locks" | "luck" | "lake" | "lakes" | "laugh" | "laughs" | "lax" | "lag"
        | "lash" | "lark" | "larks" | "log" | "logs" | "lok" | "lakhsh" | "lucks" | "lach" | "lah" => LAKH,
        "like" | "look" | "life" if next.is_some_and(|word| super::money::currency_word(word).is_some()) => LAKH,
        "crow" | "crows" | "core" | "cores" | "grow" | "crawl" | "crawls" | "crowd" | "crown" | "carore" | "corer"
        | "roar" => CRORE,
        _ => return None,
    })
}

/// Scale at `at` after a number: value and whether it was guessed.
fn scale_at(words: &[String], at: usize, number: &Small) -> Option<(i64, bool)> {
    let word = words.get(at)?;
    if let Some(scale) = scale_word(word) {
        return Some((scale, false));
    }
    if let Some(scale) = short_scale(word).filter(|_| number.digits) {
        return Some((scale, false));
    }
    misheard_scale(word, words.get(at + 1)).filter(|_| !number.article).map(|scale| (scale, true))
}

/// A number below a scale word, with its fraction.
struct Small {
    millionths: i128,
    end: usize,
    /// Only "a": counts as one before a scale and is nothing otherwise.
    article: bool,
    /// Written in digits.
    digits: bool,
}

/// Descending groups: "one crore twenty lakh fifty thousand".
fn sum(words: &[String], at: usize) -> Option<Numeral> {
    let (mut total, mut end) = (0_i128, at);
    let (mut first, mut last): (Option<i64>, i64) = (None, i64::MAX);
    let mut misheard = false;
    let mut from = at;
    while let Some(small) = small(words, from) {
        let Some((scale, guessed)) = scale_at(words, small.end, &small).filter(|(scale, _)| *scale < last) else {
            if small.article {
                break;
            }
            match first {
                None => (total, end) = (small.millionths, small.end),
                Some(_) => {
                    if let Some(more) = tail(words, &small, last) {
                        (total, end) = (total.checked_add(more)?, small.end);
                    }
                }
            }
            break;
        };
        total = total.checked_add(small.millionths.checked_mul(i128::from(scale))?)?;
        (last, end) = (scale, small.end + 1);
        if let Some(scale_of_scale) =
            words.get(end).and_then(|word| scale_word(word)).filter(|next| first.is_none() && *next > scale)
        {
            total = total.checked_mul(i128::from(scale_of_scale))?; // "two thousand crore"
            (last, end) = (scale_of_scale, end + 1);
        }
        first = first.or(Some(last));
        misheard |= guessed;
        if let Some((half, after)) = fraction(words, end) {
            (total, end) = (total.checked_add(half.checked_mul(i128::from(last))?)?, after);
        }
        from = end + usize::from(words.get(end).is_some_and(|word| is_and(word)));
    }
    (end > at).then(|| Quantity::from_millionths(total)).flatten().map(|quantity| Numeral {
        quantity,
        end,
        scale: first,
        misheard,
    })
}

/// What a group without a scale adds after one with a scale. "Two thousand five hundred" adds 500. "One crore twenty" is one crore twenty
/// lakh in daily speech. "Sixty lakh two bedroom" adds nothing: after a lakh a bare number belongs to something else.
fn tail(words: &[String], small: &Small, last: i64) -> Option<i128> {
    if last == CRORE {
        let closes = words.get(small.end).is_none_or(|word| super::money::currency_word(word).is_some());
        return (closes && small.millionths < 100 * ONE).then(|| small.millionths * i128::from(LAKH));
    }
    (last != LAKH && small.millionths < i128::from(last) * ONE && !super::money::is_measure(words.get(small.end)))
        .then_some(small.millionths)
}

fn small(words: &[String], at: usize) -> Option<Small> {
    let word = words.get(at)?.as_str();
    let made = |millionths, end| Some(Small { millionths, end, article: false, digits: false });
    match word {
        "a" | "an" => {
            if words.get(at + 1).is_some_and(|word| word == "hundred") {
                return small(words, at + 1);
            }
            return Some(Small { millionths: ONE, end: at + 1, article: true, digits: false });
        }
        "half" => {
            let end = at + 1 + usize::from(words.get(at + 1).is_some_and(|word| word == "a"));
            return scale_word(words.get(end)?).and_then(|_| made(ONE / 2, end));
        }
        "point" => {
            let (part, end) = decimals(words, at + 1)?;
            return made(part, end);
        }
        _ => {}
    }
    let digits = word.starts_with(|c: char| c.is_ascii_digit());
    let (mut value, mut end) = match digits {
        true => (written(word)?, at + 1),
        false if is_hundred(word) => (ONE, at), // "hundred crore": one of them, read as such just below
        false => match quarters(words, at) {
            Some(read) => read,
            None => {
                let (value, end) = below_hundred(words, at)?;
                (value * ONE, end)
            }
        },
    };
    if words.get(end).is_some_and(|word| is_hundred(word)) {
        (value, end) = (value.checked_mul(100)?, end + 1);
        let from = end + usize::from(words.get(end).is_some_and(|word| is_and(word)));
        if let Some((rest, after)) = below_hundred(words, from) {
            (value, end) = (value + rest * ONE, after);
        }
    }
    if words.get(end).is_some_and(|word| word == "point") {
        if let Some((part, after)) = decimals(words, end + 1) {
            (value, end) = (value + part, after);
        }
    } else if let Some((part, after)) = fraction(words, end) {
        (value, end) = (value + part, after);
    }
    Some(Small { millionths: value, end, article: false, digits })
}

fn is_hundred(word: &str) -> bool {
    matches!(word, "hundred" | "hundreds" | "sau" | "सौ")
}

fn is_and(word: &str) -> bool {
    matches!(word, "and" | "aur" | "और")
}

/// Hindi counts in quarters: "sadhe teen" is three and a half, "sava do" two and a quarter, "paune do" one and three quarters, and "dedh"
/// and "dhai" are one and two and a half. Before a scale "sava" and "paune" stand alone: "sava lakh". In millionths, with the end.
pub(super) fn quarters(words: &[String], at: usize) -> Option<(i128, usize)> {
    let of_scale = |alone: i128| {
        let next = words.get(at + 1)?;
        (is_hundred(next) || scale_word(next).is_some()).then_some((alone, at + 1))
    };
    let of_number = |more: i128| below_hundred(words, at + 1).map(|(value, end)| (value * ONE + more, end));
    match words.get(at)?.as_str() {
        "dedh" | "derh" | "डेढ" => Some((ONE * 3 / 2, at + 1)),
        "dhai" | "adhai" | "ढाई" | "अढाई" => Some((ONE * 5 / 2, at + 1)),
        "sadhe" | "sade" | "saade" | "saadhe" | "साढे" => of_number(ONE / 2),
        "sava" | "sawa" | "savaa" | "सवा" => of_scale(ONE * 5 / 4).or_else(|| of_number(ONE / 4)),
        "paune" | "pauna" | "पौने" | "पौन" => of_scale(ONE * 3 / 4).or_else(|| of_number(-ONE / 4)),
        _ => None,
    }
}

/// "and a half" and "and a quarter", in millionths.
fn fraction(words: &[String], at: usize) -> Option<(i128, usize)> {
    words.get(at).filter(|word| *word == "and")?;
    let end = at + 1 + usize::from(words.get(at + 1).is_some_and(|word| word == "a"));
    match words.get(end)?.as_str() {
        "half" => Some((ONE / 2, end + 1)),
        "quarter" => Some((ONE / 4, end + 1)),
        _ => None,
    }
}

/// What follows "point": single digits, or one number read as digits ("twenty five" is 25). In millionths.
fn decimals(words: &[String], at: usize) -> Option<(i128, usize)> {
    let mut digits = String::new();
    let mut end = at;
    while let Some(word) = words.get(end) {
        if let Some(digit) = unit(word) {
            digits.push(char::from(b'0' + digit));
        } else if digits.is_empty() && word.bytes().all(|b| b.is_ascii_digit()) {
            digits.push_str(word);
            end += 1;
            break;
        } else if digits.is_empty() {
            let (value, after) = below_hundred(words, end)?;
            digits = value.to_string();
            end = after;
            break;
        } else {
            break;
        }
        end += 1;
    }
    (!digits.is_empty()).then(|| fraction_digits(&digits)).flatten().map(|part| (part, end))
}

/// `25` after the point is 250,000 millionths; digits beyond the sixth are dropped.
fn fraction_digits(digits: &str) -> Option<i128> {
    let kept: String = digits.chars().chain("000000".chars()).take(6).collect();
    kept.parse().ok()
}

/// A number written in digits, with an optional point.
fn written(word: &str) -> Option<i128> {
    let (whole, part) = word.split_once('.').unwrap_or((word, "0"));
    whole.parse::<i64>().ok().map(i128::from)?.checked_mul(ONE)?.checked_add(fraction_digits(part)?)
}

/// 0 to 99 in words; "one twenty" is 120, as people say it.
fn below_hundred(words: &[String], at: usize) -> Option<(i128, usize)> {
    let word = words.get(at)?;
    if let Some(value) = hindi::number(words, at) {
        return Some((i128::from(value), at + 1));
    }
    if let Some(tens) = tens(word) {
        return Some(match words.get(at + 1).and_then(|word| unit(word)).filter(|&unit| unit > 0) {
            Some(unit) => (i128::from(tens + unit), at + 2),
            None => (i128::from(tens), at + 1),
        });
    }
    if let Some(teen) = teen(word) {
        return Some((i128::from(teen), at + 1));
    }
    let unit = unit(word)?;
    let spoken_hundred = (unit > 0).then(|| words.get(at + 1).and_then(|word| tens(word))).flatten();
    if spoken_hundred.is_some() {
        let (rest, end) = below_hundred(words, at + 1)?;
        return Some((i128::from(unit) * 100 + rest, end));
    }
    Some((i128::from(unit), at + 1))
}

/// Three or more single digits, or any with "double" and "triple": "nine eight double seven".
fn digit_run(words: &[String], at: usize) -> Option<Numeral> {
    let (mut value, mut count, mut end, mut repeated) = (0_i128, 0_u32, at, false);
    while let Some(word) = words.get(end) {
        let times = match word.as_str() {
            "double" => 2,
            "triple" => 3,
            _ => 1,
        };
        let Some(digit) = words.get(end + usize::from(times > 1)).and_then(|word| digit(word)) else { break };
        for _ in 0..times {
            value = value.checked_mul(10)?.checked_add(i128::from(digit))?;
        }
        repeated |= times > 1;
        count += times;
        end += 1 + usize::from(times > 1);
        if count > 12 {
            return None;
        }
    }
    let quantity = Quantity::from_millionths(value.checked_mul(ONE)?)?;
    (count >= 3 || repeated).then_some(Numeral { quantity, end, scale: None, misheard: false })
}

/// A single digit in a run of them, where "do" can only be two.
pub(super) fn digit(word: &str) -> Option<u8> {
    unit(word).or_else(|| hindi::value(word).filter(|value| *value < 10))
}

/// A whole number from 0 to 99 that begins at `at`, in words or in one or two digits, with its end.
pub(crate) fn two_digits(words: &[String], at: usize) -> Option<(u8, usize)> {
    let word = words.get(at)?;
    if word.len() <= 2 && word.bytes().all(|b| b.is_ascii_digit()) {
        return word.parse().ok().map(|value| (value, at + 1));
    }
    if let Some(tens) = tens(word) {
        let more = words.get(at + 1).filter(|word| !word.starts_with(|c: char| c.is_ascii_digit()));
        return Some(match more.and_then(|word| unit(word)).filter(|unit| *unit > 0) {
            Some(unit) => (tens + unit, at + 2),
            None => (tens, at + 1),
        });
    }
    teen(word).or_else(|| unit(word)).or_else(|| hindi::number(words, at)).map(|value| (value, at + 1))
}

/// A single digit, as a word or written.
fn unit(word: &str) -> Option<u8> {
    Some(match word {
        "0" | "zero" | "oh" | "nil" => 0,
        "1" | "one" => 1,
        "2" | "two" => 2,
        "3" | "three" => 3,
        "4" | "four" => 4,
        "5" | "five" => 5,
        "6" | "six" => 6,
        "7" | "seven" => 7,
        "8" | "eight" => 8,
        "9" | "nine" => 9,
        _ => return None,
    })
}

fn teen(word: &str) -> Option<u8> {
    TEENS.iter().position(|name| *name == word).map(|i| 10 + i as u8)
}

fn tens(word: &str) -> Option<u8> {
    let word = if word == "fourty" { "forty" } else { word };
    TENS.iter().position(|name| *name == word).map(|i| (i as u8 + 2) * 10)
}

pub(super) const UNITS: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
pub(super) const TEENS: [&str; 10] =
    ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"];
pub(super) const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
