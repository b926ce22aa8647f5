//! Numbers as words, so that every voice says them well: "one crore twenty lakh", "two hundred thousand".

use super::hindi;
use super::numeral::{Quantity, TEENS, TENS, UNITS};
use super::tongue::Tongue;

/// Which number words are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scales {
    /// English with lakh and crore.
    Indian,
    /// English with million and billion.
    Western,
    /// Hindi.
    Hindi,
}

impl Scales {
    /// Scale words with their values, greatest first.
    pub(crate) fn steps(self) -> &'static [(i64, &'static str)] {
        match self {
            Self::Indian => &[(10_000_000, "crore"), (100_000, "lakh"), (1_000, "thousand")],
            Self::Western => &[(1_000_000_000, "billion"), (1_000_000, "million"), (1_000, "thousand")],
            Self::Hindi => &[(10_000_000, "करोड़"), (100_000, "लाख"), (1_000, "हज़ार")],
        }
    }

    /// The words in which an Indian caller counts in that language.
    pub fn of(tongue: Tongue) -> Self {
        match tongue {
            Tongue::English => Self::Indian,
            Tongue::Hindi => Self::Hindi,
        }
    }

    fn minus(self) -> &'static str {
        if self == Self::Hindi { "ऋण" } else { "minus" }
    }
}

/// A whole number in words, with "minus" or its like below zero.
pub fn whole(value: i64, scales: Scales) -> String {
    let words = magnitude(value.unsigned_abs(), scales);
    if value < 0 { format!("{} {words}", scales.minus()) } else { words }
}

/// A quantity in words; decimals digit by digit after "point".
pub fn quantity(value: Quantity, scales: Scales) -> String {
    if let Some(value) = value.whole() {
        return whole(value, scales);
    }
    let text = value.to_string();
    let (whole_part, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let size = whole_part.trim_start_matches('-').parse().unwrap_or(0);
    let sign = if whole_part.starts_with('-') { format!("{} ", scales.minus()) } else { String::new() };
    let point = if scales == Scales::Hindi { "दशमलव" } else { "point" };
    format!("{sign}{} {point} {}", magnitude(size, scales), digits(decimals, scales))
}

/// Digits one by one: "nine eight seven". Whatever is no digit is left out.
pub fn digits(text: &str, scales: Scales) -> String {
    let digits: Vec<&str> = text
        .chars()
        .filter_map(|c| c.to_digit(10))
        .map(|digit| if scales == Scales::Hindi { hindi::word(digit as u8) } else { UNITS[digit as usize] })
        .collect();
    digits.join(" ")
}

/// A day of a month as English counts it: "twenty third".
pub fn ordinal(day: u32) -> String {
    let words = whole(i64::from(day), Scales::Indian);
    let (head, last) = words.rsplit_once(' ').map_or(("", words.as_str()), |(head, last)| (head, last));
    let last = match last {
        "one" => "first".to_owned(),
        "two" => "second".to_owned(),
        "three" => "third".to_owned(),
        "five" => "fifth".to_owned(),
        "eight" => "eighth".to_owned(),
        "nine" => "ninth".to_owned(),
        "twelve" => "twelfth".to_owned(),
        other => other.strip_suffix('y').map_or_else(|| format!("{other}th"), |stem| format!("{stem}ieth")),
    };
    if head.is_empty() { last } else { format!("{head} {last}") }
}

fn magnitude(value: u64, scales: Scales) -> String {
    let mut parts = Vec::new();
    let mut rest = value;
    for &(step, name) in scales.steps() {
        let step = step.unsigned_abs();
        if rest >= step {
            parts.push(format!("{} {name}", magnitude(rest / step, scales)));
            rest %= step;
        }
    }
    if rest > 0 || parts.is_empty() {
        parts.push(if scales == Scales::Hindi { below_thousand_in_hindi(rest) } else { below_thousand(rest) });
    }
    parts.join(" ")
}

fn below_thousand_in_hindi(value: u64) -> String {
    let (hundreds, rest) = (value / 100 % 10, (value % 100) as u8);
    match (hundreds, rest) {
        (0, rest) => hindi::word(rest).to_owned(),
        (hundreds, 0) => format!("{} सौ", hindi::word(hundreds as u8)),
        (hundreds, rest) => format!("{} सौ {}", hindi::word(hundreds as u8), hindi::word(rest)),
    }
}

fn below_thousand(value: u64) -> String {
    if value < 100 {
        return below_hundred(value);
    }
    let hundreds = format!("{} hundred", UNITS[(value / 100 % 10) as usize]);
    if value.is_multiple_of(100) { hundreds } else { format!("{hundreds} {}", below_hundred(value % 100)) }
}

fn below_hundred(value: u64) -> String {
    let (tens, unit) = ((value / 10) as usize, (value % 10) as usize);
    match tens {
        0 => UNITS[unit].to_owned(),
        1 => TEENS[unit].to_owned(),
        _ if unit == 0 => TENS[tens - 2].to_owned(),
        _ => format!("{} {}", TENS[tens - 2], UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn both_scales() {
        assert_eq!(whole(6_000_000, Scales::Indian), "sixty lakh");
        assert_eq!(whole(12_000_000, Scales::Indian), "one crore twenty lakh");
        assert_eq!(whole(6_250_415, Scales::Indian), "sixty two lakh fifty thousand four hundred fifteen");
        assert_eq!(whole(200_000, Scales::Western), "two hundred thousand");
        assert_eq!(whole(0, Scales::Western), "zero");
        assert_eq!(whole(-17, Scales::Indian), "minus seventeen");
        assert!(!whole(i64::MIN, Scales::Indian).is_empty());
    }

    #[test]
    fn hindi_has_a_word_for_each_number() {
        assert_eq!(whole(5_000, Scales::Hindi), "पाँच हज़ार");
        assert_eq!(whole(12_575, Scales::Hindi), "बारह हज़ार पाँच सौ पचहत्तर");
        assert_eq!(whole(6_000_000, Scales::Hindi), "साठ लाख");
        assert_eq!(whole(100, Scales::Hindi), "एक सौ");
        assert_eq!(digits("98-0", Scales::Hindi), "नौ आठ शून्य");
        assert!(!whole(i64::MIN, Scales::Hindi).is_empty());
    }

    #[test]
    fn days_of_a_month() {
        for (day, words) in
            [(1, "first"), (3, "third"), (12, "twelfth"), (20, "twentieth"), (23, "twenty third"), (31, "thirty first")]
        {
            assert_eq!(ordinal(day), words);
        }
    }

    #[test]
    fn decimals_are_read_digit_by_digit() {
        let value = Quantity::from_millionths(2_750_000).unwrap();
        assert_eq!(quantity(value, Scales::Indian), "two point seven five");
    }
}
