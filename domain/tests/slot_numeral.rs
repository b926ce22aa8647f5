//! Numbers as callers and recognisers put them.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use tandem_domain::slot::numeral::{self, Quantity};
use tandem_domain::slot::spell::{self, Scales};

/// Value and number of words read from the start of `text`.
fn read(text: &str) -> (String, usize) {
    let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    let number = numeral::read(&words, 0).unwrap_or_else(|| panic!("no number in {text:?}"));
    (number.quantity.to_string(), number.end)
}

fn value(text: &str) -> String {
    let (value, end) = read(text);
    assert_eq!(end, text.split(' ').count(), "{text:?} is not read to its end");
    value
}

#[test]
fn whole_numbers_in_words_and_digits() {
    for (text, expected) in [
        ("zero", "0"),
        ("seventeen", "17"),
        ("sixty two", "62"),
        ("one hundred", "100"),
        ("a hundred", "100"),
        ("a hundred and fifty thousand", "150000"),
        ("two hundred and five", "205"),
        ("one twenty", "120"),
        ("two thousand five hundred", "2500"),
        ("two hundred thousand", "200000"),
        ("three million two hundred thousand", "3200000"),
        ("6000000", "6000000"),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn lakh_and_crore() {
    for (text, expected) in [
        ("sixty lakh", "6000000"),
        ("60 lakhs", "6000000"),
        ("60 l", "6000000"),
        ("a lakh", "100000"),
        ("half a crore", "5000000"),
        ("1.5 crore", "15000000"),
        ("one point five crore", "15000000"),
        ("two point seven five crore", "27500000"),
        ("one point twenty five crore", "12500000"),
        ("one and a half crore", "15000000"),
        ("one crore and a half", "15000000"),
        ("one crore twenty lakh", "12000000"),
        ("one crore and twenty lakh fifty thousand", "12050000"),
        ("one crore twenty", "12000000"),
        ("one twenty lakh", "12000000"),
        ("hundred crore", "1000000000"),
        ("dedh crore", "15000000"),
        ("sade five lakh", "550000"),
        ("60 k", "60000"),
        ("two thousand crore", "20000000000"),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn digits_said_one_by_one() {
    assert_eq!(value("double five"), "55");
    assert_eq!(value("nine eight double seven"), "9877");
    assert_eq!(value("nine eight seven six five four three two one zero"), "9876543210");
    assert_eq!(read("two three"), ("2".to_owned(), 1));
}

#[test]
fn a_number_ends_where_something_else_begins() {
    assert_eq!(read("sixty lakh two bedroom"), ("6000000".to_owned(), 2));
    assert_eq!(read("two bedroom"), ("2".to_owned(), 1));
    assert_eq!(read("five and then"), ("5".to_owned(), 1));
    assert_eq!(read("two thousand square feet"), ("2000".to_owned(), 2));
}

#[test]
fn misheard_scales_follow_a_number() {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    for text in ["sixty lack", "60 laugh", "sixty locks", "60 lake", "sixty like rupees"] {
        let number = numeral::read(&words(text), 0).unwrap();
        assert_eq!((number.quantity, number.misheard), (Quantity::from_whole(6_000_000).unwrap(), true), "{text}");
    }
    assert!(numeral::read(&words("a lack of money"), 0).is_none());
    assert!(numeral::read(&words("lock the door"), 0).is_none());
    assert_eq!(numeral::read(&words("two like that"), 0).unwrap().scale, None);
}

#[test]
fn what_does_not_fit_is_no_number() {
    let huge = ["99999999999999999999".to_owned(), "crore".to_owned()];
    assert!(numeral::read(&huge, 0).is_none());
    let many: Vec<String> = std::iter::repeat_n("9".to_owned(), 40).collect();
    assert!(numeral::read(&many, 0).is_none_or(|number| number.end <= 40));
}

/// Whole numbers below a thousand crore; those above a lakh end in thousands, because a bare number after a lakh belongs to something else.
fn sayable() -> impl Strategy<Value = i64> {
    prop_oneof![
        0_i64..100_000,
        (100_i64..1_000_000).prop_map(|n| n * 1_000),
        (1_000_000_i64..10_000_000).prop_map(|n| n * 1_000)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_spelt_is_read_back(value in sayable(), indian: bool) {
        let scales = if indian { Scales::Indian } else { Scales::Western };
        let words: Vec<String> = spell::whole(value, scales).split(' ').map(str::to_owned).collect();
        let number = numeral::read(&words, 0).unwrap();
        prop_assert_eq!(number.quantity.whole(), Some(value));
        prop_assert_eq!(number.end, words.len());
    }

    #[test]
    fn no_words_can_break_it(words in proptest::collection::vec(word(), 0..12)) {
        for at in 0..words.len() {
            if let Some(number) = numeral::read(&words, at) {
                prop_assert!(number.end > at && number.end <= words.len());
            }
        }
    }
}

fn word() -> impl Strategy<Value = String> {
    "(zero|one|nine|twenty|hundred|thousand|point|a|and|half|lakh|crore|lack|double|99999999|999999999999999999999|1.5|k|to|rupees|sade)"
}
