//! Money as callers and recognisers put it, read as an answer of the front desk's budget question.
#![allow(clippy::unwrap_used)]

use serde_json::{Map, Value, json};
use tandem_domain::playbook::{Awaiting, Context, Heard, Playbook, PlaybookState};
use tandem_domain::slot::{Currency, Money, Quantity, Tongue};

/// A front desk that has just asked for the budget.
fn asked_for_budget() -> (Playbook, Context, PlaybookState) {
    let (playbook, context) = (Playbook::front_desk(), Context::default());
    let opening = playbook.start(&context);
    let heard = Heard { text: "an apartment in Delhi", confidence: None };
    let state = playbook.respond(&opening.state, &heard, &context).state;
    assert_eq!(state.awaiting, Awaiting::Answer { slot: "budget".to_owned() });
    (playbook, context, state)
}

fn data(text: &str) -> Map<String, Value> {
    let (playbook, context, state) = asked_for_budget();
    let reply = playbook.respond(&state, &Heard { text, confidence: None }, &context);
    playbook.extracted_data(&reply.state)
}

#[test]
fn amounts_in_lakh_and_crore() {
    for (text, expected) in [
        ("sixty lakh rupees", 6_000_000),
        ("Sixty lakh rupees.", 6_000_000),
        ("60 lakhs", 6_000_000),
        ("sixty-lac", 6_000_000),
        ("₹60 lakh", 6_000_000),
        ("Rs. 60,00,000", 6_000_000),
        ("60,00,000", 6_000_000),
        ("my budget is around 60L", 6_000_000),
        ("1.5 crore", 15_000_000),
        ("1.5cr", 15_000_000),
        ("one and a half crore", 15_000_000),
        ("two point five crore", 25_000_000),
        ("one crore twenty lakh", 12_000_000),
        ("half a crore", 5_000_000),
        ("a crore", 10_000_000),
        ("fifty thousand", 50_000),
        ("up to seventy five lakhs maximum", 7_500_000),
        ("sixty lakh, sixty lakh rupees", 6_000_000),
        ("sixty lakh rupees sixty lakh rupees", 6_000_000),
        ("fifty, no, sixty lakh", 6_000_000),
        ("sixty lakh, sorry, seventy", 7_000_000),
        ("not sixty lakh, fifty lakh", 5_000_000),
        ("not more than sixty lakh", 6_000_000),
    ] {
        let data = data(text);
        assert_eq!((&data["budget"], &data["budget_currency"]), (&json!(expected), &json!("INR")), "{text}");
    }
}

#[test]
fn what_recognisers_make_of_lakh() {
    for text in
        ["sixty lack", "60 lack rupees", "sixty locks", "60 laugh", "sixty like rupees", "60 lakh Ruby's", "60 lakes"]
    {
        assert_eq!(data(text)["budget"], json!(6_000_000), "{text}");
    }
    for text in ["one crow", "one core twenty lack", "2 crows"] {
        assert!(data(text)["budget"].as_i64().unwrap() >= 10_000_000, "{text}");
    }
}

#[test]
fn a_range_counts_as_its_upper_end_and_keeps_both() {
    for (text, low, high) in [
        ("fifty to sixty lakh", 5_000_000, 6_000_000),
        ("50-60 lakhs", 5_000_000, 6_000_000),
        ("fifty sixty lakh", 5_000_000, 6_000_000),
        ("between fifty and sixty lakh rupees", 5_000_000, 6_000_000),
        ("ninety lakh to one crore", 9_000_000, 10_000_000),
        ("fifty to one crore", 5_000_000, 10_000_000),
        ("one or two crore", 10_000_000, 20_000_000),
    ] {
        let data = data(text);
        assert_eq!((&data["budget_low"], &data["budget"]), (&json!(low), &json!(high)), "{text}");
    }
}

#[test]
fn other_currencies() {
    let dollars = data("two hundred thousand dollars");
    assert_eq!((&dollars["budget"], &dollars["budget_currency"]), (&json!(200_000), &json!("USD")));
    assert_eq!(data("$200k")["budget_currency"], json!("USD"));
    assert_eq!(data("one million dirhams")["budget"], json!(1_000_000));
}

#[test]
fn counts_areas_and_addresses_are_no_money() {
    for text in ["three bedrooms", "two thousand square feet", "sector sixty two", "in two months", "the 3 bhk one"] {
        assert!(!data(text).contains_key("budget"), "{text}");
    }
}

#[test]
fn an_amount_without_its_scale_is_asked_about_once() {
    let (playbook, context, state) = asked_for_budget();
    let reply = playbook.respond(&state, &Heard { text: "sixty", confidence: None }, &context);
    assert_eq!(reply.say, ["Is that sixty lakh, or sixty crore?"]);
    let reply = playbook.respond(&reply.state, &Heard { text: "lakh", confidence: None }, &context);
    assert_eq!(playbook.extracted_data(&reply.state)["budget"], json!(6_000_000));
}

#[test]
fn money_is_spoken_in_words() {
    let rupees = |major: i64| Money::of(Quantity::from_whole(major).unwrap(), Currency::Inr).unwrap();
    assert_eq!(rupees(6_000_000).spoken(Tongue::English), "sixty lakh rupees");
    assert_eq!(rupees(12_000_000).spoken(Tongue::English), "one crore twenty lakh rupees");
    assert_eq!(rupees(15_000_000).spoken(Tongue::English), "one crore fifty lakh rupees");
    assert_eq!(rupees(1).spoken(Tongue::English), "one rupee");
    assert_eq!(
        Money { minor: 150, low_minor: None, currency: Currency::Usd }.spoken(Tongue::English),
        "one dollar and fifty cents"
    );
    let range = |low: i64, high: i64| Money { low_minor: Some(low * 100), ..rupees(high) }.spoken(Tongue::English);
    assert_eq!(range(5_000_000, 6_000_000), "fifty to sixty lakh rupees");
    assert_eq!(range(9_000_000, 10_000_000), "ninety lakh to one crore rupees");
    assert_eq!(range(9_050_000, 10_000_000), "ninety lakh fifty thousand to one crore rupees");
}

#[test]
fn fractions_of_a_major_unit_are_kept() {
    assert_eq!(data("5000.50 rupees")["budget"], json!(5000.5));
}
