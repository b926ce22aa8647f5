//! Dictated values: how many are cut off, and how long a whole one waits, against a fixed timer.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use tandem_domain::agent::{SpellingPatience, Timing};
use tandem_domain::endpointing::{Expects, LONGEST, Spelled};

use crate::caller::{Caller, ms};

#[derive(Deserialize)]
struct Corpus {
    value: Vec<Value>,
}

#[derive(Deserialize)]
struct Value {
    asked: Spelled,
    groups: Vec<String>,
}

/// Each value is dictated so often, with other pauses.
const READINGS: u64 = 40;
/// Pauses between groups.
const SHORTEST_PAUSE: u64 = 300;
const LONGEST_PAUSE: u64 = 1_200;

fn corpus() -> Vec<Value> {
    toml::from_str::<Corpus>(include_str!("dictated.toml")).unwrap().value
}

/// The pauses of one reading: even, and the same in every run.
fn pauses(count: usize, seed: &mut u64) -> Vec<Duration> {
    let mut draw = || {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ms(SHORTEST_PAUSE + (*seed >> 33) % (LONGEST_PAUSE - SHORTEST_PAUSE + 1))
    };
    (1..count).map(|_| draw()).collect()
}

#[derive(Default)]
struct Tally {
    values: u32,
    cut: u32,
    delay: Duration,
}

impl Tally {
    fn cut_percent(&self) -> f64 {
        f64::from(self.cut) * 100.0 / f64::from(self.values)
    }

    /// Of those that were heard to their end.
    fn mean_delay(&self) -> u128 {
        self.delay.checked_div(self.values - self.cut).map_or(0, |delay| delay.as_millis())
    }
}

/// Every value of the corpus, each in a call of its own.
fn dictate(timing: &Timing) -> BTreeMap<Spelled, Tally> {
    let mut tallies: BTreeMap<Spelled, Tally> = BTreeMap::new();
    let mut seed = 7;
    for value in corpus() {
        let groups: Vec<&str> = value.groups.iter().map(String::as_str).collect();
        for _ in 0..READINGS {
            let mut caller = Caller::new(timing, "en-IN", Some(Expects::value(value.asked)));
            let ended = caller.speaks(&groups, &pauses(groups.len(), &mut seed));
            let tally = tallies.entry(value.asked).or_default();
            tally.values += 1;
            if ended.groups < groups.len() {
                tally.cut += 1;
            } else {
                tally.delay += ended.delay;
            }
        }
    }
    tallies
}

fn fixed(silence: Duration) -> Timing {
    Timing { endpoint_silence: silence, spelling_patience: SpellingPatience::Off, ..Timing::default() }
}

#[test]
fn dictated_values_are_heard_to_their_end() {
    let timers = [
        ("spelling patience", dictate(&Timing::default())),
        ("timer of 500 ms", dictate(&fixed(ms(500)))),
        ("timer of 1,250 ms", dictate(&fixed(ms(1_250)))),
    ];
    println!(
        "| asked for | {} |",
        timers.each_ref().map(|(name, _)| format!("{name}: cut off, mean delay")).join(" | ")
    );
    for asked in timers[0].1.keys() {
        let of = |tally: &Tally| format!("{:.1} %, {} ms", tally.cut_percent(), tally.mean_delay());
        println!("| {asked:?} | {} |", timers.each_ref().map(|(_, tallies)| of(&tallies[asked])).join(" | "));
    }
    let [(_, patient), (_, short), (_, long)] = &timers;
    for (asked, tally) in patient {
        assert!(tally.cut_percent() <= 1.0, "{asked:?}: {:.1} % cut off", tally.cut_percent());
        assert!(short[asked].cut_percent() > 25.0, "{asked:?}: a fixed timer would do");
    }
    for asked in [Spelled::Phone, Spelled::Pin, Spelled::Money] {
        assert!(patient[&asked].mean_delay() < 500, "{asked:?}: a whole value ends sooner than a plain sentence");
        assert!(long[&asked].mean_delay() > 1_200, "{asked:?}: the timer that cuts nothing off is slow");
    }
}

/// Values that come in place of the one that was asked for, and values as recognisers mishear them: what was asked, and the groups.
const BESIDE: [(Spelled, &[&str]); 14] = [
    // The answer to the next question, or still to the last one.
    (Spelled::Phone, &["s u n", "i l", "at yahoo", "dot co dot in"]),
    (Spelled::Phone, &["neha dot", "kapoor", "at gmail", "dot com"]),
    (Spelled::Pin, &["the ninth", "of October", "nineteen eighty two"]),
    (Spelled::Email, &["two crore", "ten lakh rupees"]),
    (Spelled::Pin, &["my budget is", "ninety lakh"]),
    (Spelled::Money, &["sales at the rate", "acme dot", "in"]),
    (Spelled::Pin, &["seven zero four two", "nine", "five double one", "six two"]),
    // Digits that sound like other words.
    (Spelled::Phone, &["nine ate", "six to", "five five", "four free", "two one"]),
    (Spelled::Phone, &["seven it zero", "for two that nine", "eight one zero seven"]),
    (Spelled::Phone, &["mine eight seven", "the six five so four", "three two one"]),
    (Spelled::Pin, &["one the", "two two", "four five"]),
    // Addresses and days of which a word was lost.
    (Spelled::Email, &["priya one two free", "at outlook", "dot com"]),
    (Spelled::Date, &["the of of January", "nineteen ninety nine"]),
    (Spelled::Date, &["twenty second that", "November", "nineteen eighty five"]),
];

#[test]
fn what_is_dictated_instead_and_what_is_misheard_is_heard_to_its_end() {
    let (mut seed, mut tally) = (11, Tally::default());
    for (asked, groups) in BESIDE {
        for _ in 0..READINGS {
            let mut caller = Caller::new(&Timing::default(), "en-IN", Some(Expects::value(asked)));
            let ended = caller.speaks(groups, &pauses(groups.len(), &mut seed));
            tally.values += 1;
            tally.cut += u32::from(ended.groups < groups.len());
            if ended.groups < groups.len() {
                println!("{asked:?}: {} of {groups:?}", ended.groups);
            }
        }
    }
    assert!(tally.cut_percent() <= 1.0, "{:.1} % of {} cut off", tally.cut_percent(), tally.values);
}

#[test]
fn another_value_that_is_whole_is_a_plain_sentence() {
    for text in ["rahul at gmail dot com", "sixty lakh rupees", "the first of May nineteen ninety"] {
        let mut caller = Caller::new(&Timing::default(), "en-IN", Some(Expects::value(Spelled::Pin)));
        assert_eq!(caller.speaks(&[text], &[]).delay, ms(500), "{text}");
    }
}

#[test]
fn without_patience_a_value_is_cut_like_any_sentence() {
    let off = Timing { spelling_patience: SpellingPatience::Off, ..Timing::default() };
    let mut caller = Caller::new(&off, "en-IN", Some(Expects::value(Spelled::Phone)));
    assert_eq!(caller.speaks(&["nine eight seven six five", "four three two one zero"], &[ms(900)]).groups, 1);
}

#[test]
fn a_number_that_nobody_asked_for_is_waited_for_where_that_is_set() {
    let groups = ["you can call me back at nine eight seven six five", "four three two one zero"];
    for (patience, heard) in [(SpellingPatience::Auto, 1), (SpellingPatience::On, 2)] {
        let timing = Timing { spelling_patience: patience, ..Timing::default() };
        assert_eq!(Caller::new(&timing, "en-IN", None).speaks(&groups, &[ms(900)]).groups, heard, "{patience:?}");
    }
}

#[test]
fn a_value_that_never_comes_is_not_waited_for_for_ever() {
    for (asked, words, delay) in [
        (Spelled::Phone, "nine eight seven", 2_500),
        (Spelled::Money, "sixty", 2_500),
        (Spelled::Email, "rahul dot", 3_500),
        (Spelled::Address, "flat three zero two", 3_500),
    ] {
        let mut caller = Caller::new(&Timing::default(), "en", Some(Expects::value(asked)));
        let ended = caller.speaks(&[words], &[]);
        assert_eq!(ended.delay, ms(delay), "{words}");
        assert!(ended.delay <= LONGEST);
    }
}

#[test]
fn a_model_that_asks_for_a_number_is_understood_by_its_question() {
    let mut caller = Caller::new(&Timing::default(), "en", None);
    let groups = ["nine eight seven six five", "four three two one zero"];
    caller.turns.endpointing().utterance_begins();
    caller.turns.endpointing().said("Great, I can arrange that.");
    caller.turns.endpointing().said("May I have your mobile number, please?");
    assert_eq!(caller.speaks(&groups, &[ms(900)]).groups, 2);
    caller.turns.endpointing().utterance_begins();
    caller.turns.endpointing().said("Thank you. How many bedrooms?");
    assert_eq!(caller.speaks(&["three", "I think"], &[ms(900)]).groups, 1, "the number was asked for before");
}
