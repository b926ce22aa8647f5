//! How well the arbiter tells what callers want, on phrases that the lexicons were not written from (`fixtures/overlaps.toml`).
//!
//! Words only, as text: how they sound and how they are recognised is the universe's business. A real interruption that is not honoured is
//! worse than a backchannel that ends our voice, but both have a gate (issue "turn-taking": 99 % and 3 %).

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use serde::Deserialize;
use tandem_domain::barge_in::{BargeIn, Lexicon, Overlap, Patience, Ruling};

const OWN: &str =
    "We have two apartments in Delhi, and one of them is close to the metro. Shall I read you the prices?";

#[derive(Deserialize)]
struct Fixture {
    overlap: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    language: String,
    wants: Wants,
    said: Vec<String>,
    #[serde(default)]
    asked: bool,
    #[serde(default = "half_a_second")]
    ms: u64,
    #[serde(default = "sure")]
    confidence: f32,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Debug)]
#[serde(rename_all = "snake_case")]
enum Wants {
    Floor,
    Nothing,
}

fn half_a_second() -> u64 {
    500
}

fn sure() -> f32 {
    0.9
}

/// What the arbiter makes of speech of this length whose words are settled 300 ms after its end.
fn ruled(case: &Case, text: &str) -> Wants {
    #[allow(clippy::disallowed_methods)] // a made-up clock needs an origin
    let t0 = Instant::now();
    let mut arbiter = BargeIn::new(Patience::default(), Lexicon::of(&case.language));
    arbiter.sustained(t0, Overlap { protected: false, asked: case.asked });
    let ended = t0 + Duration::from_millis(case.ms);
    arbiter.speech_ended(ended);
    match arbiter.settled(ended + Duration::from_millis(300), text, Some(case.confidence), OWN) {
        Some(Ruling::Yield(_)) => Wants::Floor,
        Some(Ruling::Resume(_)) => Wants::Nothing,
        other => panic!("{text:?}: {other:?} is no ruling on a hold"),
    }
}

#[test]
fn interruptions_are_honoured_and_listening_aloud_is_none() {
    let fixture: Fixture = toml::from_str(include_str!("fixtures/overlaps.toml")).unwrap();
    let mut figures = [(Wants::Floor, 0_u32, Vec::new()), (Wants::Nothing, 0, Vec::new())];
    for case in &fixture.overlap {
        for text in &case.said {
            let (_, count, wrong) = figures.iter_mut().find(|(wants, ..)| *wants == case.wants).unwrap();
            *count += 1;
            if ruled(case, text) != case.wants {
                wrong.push(format!("{text:?} ({}, asked: {})", case.language, case.asked));
            }
        }
    }
    let [(_, real, missed), (_, idle, ended)] = &figures;
    println!("{real} interruptions, missed {missed:?}; {idle} others, taken for one {ended:?}");
    assert!(*real >= 100 && *idle >= 80, "{real} and {idle}: too few to speak of percents");
    assert!(missed.len() as f32 <= 0.01 * *real as f32, "missed: {missed:?}");
    assert!(ended.len() as f32 <= 0.03 * *idle as f32, "ended our voice: {ended:?}");
}
