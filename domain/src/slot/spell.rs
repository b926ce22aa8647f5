//! Numbers as words, so that every voice says them well: "one crore twenty lakh", "two hundred thousand".

use super::numeral::{Quantity, TEENS, TENS, UNITS};

/// Which scale words are used above a thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scales {
    /// Lakh and crore.
    Indian,
    /// Million and billion.
    Western,
}

impl Scales {
    /// Scale words with their values, greatest first.
    pub(crate) fn steps(self) -> &'static [(i64, &'static str)] {
        match self {
            Self::Indian => &[(10_000_000, "crore"), (100_000, "lakh"), (1_000, "thousand")],
            Self::Western => &[(1_000_000_000, "billion"), (1_000_000, "million"), (1_000, "thousand")],
        }
    }
}

/// A whole number in words, with "minus" below zero.
pub fn whole(value: i64, scales: Scales) -> String {
    let words = magnitude(value.unsigned_abs(), scales);
    if value < 0 { format!("minus {words}") } else { words }
}

/// A quantity in words; decimals digit by digit after "point".
pub fn quantity(value: Quantity, scales: Scales) -> String {
    if let Some(value) = value.whole() {
        return whole(value, scales);
    }
    let text = value.to_string();
    let (whole_part, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let size = whole_part.trim_start_matches('-').parse().unwrap_or(0);
    let digits: Vec<&str> =
        decimals.chars().filter_map(|c| c.to_digit(10)).map(|digit| UNITS[digit as usize]).collect();
    let sign = if whole_part.starts_with('-') { "minus " } else { "" };
    format!("{sign}{} point {}", magnitude(size, scales), digits.join(" "))
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
        parts.push(below_thousand(rest));
    }
    parts.join(" ")
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
    fn decimals_are_read_digit_by_digit() {
        let value = Quantity::from_millionths(2_750_000).unwrap();
        assert_eq!(quantity(value, Scales::Indian), "two point seven five");
    }
}
