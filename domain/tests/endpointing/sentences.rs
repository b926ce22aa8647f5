//! Sentences: obviously whole, obviously not, and neither; and what holds for any words and any pauses.

use std::time::Duration;

use proptest::prelude::*;
use tandem_domain::agent::{Eagerness, SpellingPatience, Timing};
use tandem_domain::endpointing::{Expects, LONGEST, Spelled};

use crate::caller::{Caller, ms};

fn delay(timing: &Timing, expects: Option<Expects>, text: &str) -> Duration {
    Caller::new(timing, "en-IN", expects).speaks(&[text], &[]).delay
}

#[test]
fn a_plain_sentence_waits_for_the_base_and_others_for_less_or_more() {
    let timing = Timing::default();
    for (text, millis) in [
        ("I want a flat in Delhi", 500),
        ("I want a flat in Delhi.", 500),
        ("What is the price?", 500),
        ("yes", 500),
        ("yes I do", 500),
        ("I want to", 1_200),
        ("a flat in Delhi and", 1_200),
        ("sixty lakh, umm...", 1_200),
        ("mujhe ek flat chahiye aur", 1_200),
        ("it costs, matlab", 1_200),
    ] {
        assert_eq!(delay(&timing, None, text), ms(millis), "{text:?}");
    }
    // As soon as the words are there, 320 ms after the speech.
    for text in ["Yes.", "Yes, please.", "हाँ जी।", "No, thank you."] {
        assert_eq!(delay(&timing, None, text), ms(320), "{text:?}");
    }
    assert_eq!(delay(&timing, Some(Expects::YesNo), "yes"), ms(320), "asked so, it needs no full stop");
    assert_eq!(delay(&timing, Some(Expects::YesNo), "No."), ms(500), "what is right instead may follow");
}

#[test]
fn eagerness_moves_every_silence() {
    let at = |eagerness: Eagerness, text| {
        let endpoint_silence = eagerness.of(ms(500));
        delay(&Timing { endpoint_silence, eagerness, ..Timing::default() }, Some(Expects::value(Spelled::Phone)), text)
    };
    for (text, millis) in [("I live in Delhi", [900, 500, 320]), ("nine eight seven", [4_000, 2_500, 1_500])] {
        let found = [Eagerness::LOW, Eagerness::NORMAL, Eagerness::HIGH].map(|eagerness| at(eagerness, text));
        assert_eq!(found, millis.map(ms), "{text}");
    }
}

#[test]
fn a_caller_who_pauses_long_is_given_longer() {
    let mut caller = Caller::new(&Timing::default(), "en", None);
    assert_eq!(caller.speaks(&["I live in Delhi"], &[]).delay, ms(500));
    for _ in 0..4 {
        caller.speaks(&["I live in Delhi", "with my family", "since last year"], &[ms(490), ms(480)]);
    }
    let habit = caller.speaks(&["I live in Delhi"], &[]).delay;
    assert!(habit > ms(540) && habit < ms(600), "{habit:?}");
}

#[test]
fn a_model_that_hears_the_end_shortens_the_silence_and_one_that_does_not_lengthens_it() {
    let silence = |text: &str, end: Option<f32>| {
        let mut caller = Caller::new(&Timing::default(), "en", Some(Expects::value(Spelled::Phone)));
        caller.turns.endpointing().wait(text, end).silence
    };
    for (end, millis) in [(None, 500), (Some(0.95), 300), (Some(0.5), 500), (Some(0.05), 1_200), (Some(f32::NAN), 500)]
    {
        assert_eq!(silence("I live in Delhi", end), ms(millis), "{end:?}");
    }
    assert_eq!(silence("nine eight seven", Some(0.99)), ms(2_500), "a number is whole when it is whole");
}

#[test]
fn a_judgement_moves_the_deadline_of_its_own_pause_alone() {
    use tandem_domain::ids::TurnId;
    use tandem_domain::port::stt::Covers;
    let mut caller = Caller::new(&Timing::default(), "en", None);
    let t0 = caller.now;
    caller.turns.speech_started(0, t0, false);
    caller.turns.speech_ended(t0 + ms(1_200), 8_000, t0 + ms(1_000), false);
    caller.turns.transcript(t0 + ms(1_250), TurnId(1), 8_000, "I live in Delhi", None, Covers::WholeTurn);
    assert_eq!(caller.turns.judged(t0 + ms(1_260), TurnId(1), 4_000, 0.99), None, "of an older pause");
    assert_eq!(caller.turns.poll_timeout(), Some(t0 + ms(1_500)));
    assert_eq!(caller.turns.judged(t0 + ms(1_270), TurnId(1), 8_000, 0.01), None);
    assert_eq!(caller.turns.poll_timeout(), Some(t0 + ms(2_200)));
    caller.turns.judged(t0 + ms(1_280), TurnId(1), 8_000, 0.99);
    assert_eq!(caller.turns.poll_timeout(), Some(t0 + ms(1_300)));
}

fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "nine",
        "double",
        "98765",
        "and",
        "um",
        "at",
        "dot",
        "com",
        "lakh",
        "sixty",
        "yes",
        "no.",
        "sector",
        "Gurugram",
        "I want to",
        "aur",
        "मतलब",
        "नौ",
        "@",
        "...",
        "the twenty third",
        "of November",
        "rupees",
        "",
        "plus",
    ]);
    prop::collection::vec(word, 0..8).prop_map(|words| words.join(" "))
}

fn expects() -> impl Strategy<Value = Option<Expects>> {
    let spelled = prop::sample::select(vec![
        Spelled::Phone,
        Spelled::Pin,
        Spelled::Email,
        Spelled::Money,
        Spelled::Date,
        Spelled::Address,
    ]);
    prop_oneof![Just(None), Just(Some(Expects::YesNo)), spelled.prop_map(|spelled| Some(Expects::value(spelled)))]
}

proptest! {
    /// No commit while the caller speaks (`Caller::begins` asserts it), and one within the bound after they stopped.
    #[test]
    fn a_turn_ends_in_silence_and_within_the_bound(
        groups in prop::collection::vec(words(), 1..5),
        pauses in prop::collection::vec(0_u64..5_000, 4),
        expects in expects(),
        eagerness in 0.0_f32..=1.0,
        spelling in prop::sample::select(vec![SpellingPatience::Auto, SpellingPatience::On, SpellingPatience::Off]),
        base in 100_u64..=5_000,
    ) {
        let eagerness = Eagerness::try_from(eagerness).unwrap();
        let timing = Timing { endpoint_silence: ms(base), eagerness, spelling_patience: spelling, ..Timing::default() };
        let mut caller = Caller::new(&timing, "hi-IN", expects);
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        let pauses: Vec<Duration> = pauses.into_iter().map(ms).collect();
        let between = &pauses[..groups.len() - 1];
        let ended = caller.speaks(&groups, between);
        prop_assert!(ended.delay <= LONGEST.max(ms(320)), "{ended:?}");
    }

    /// A judgement of any kind leaves the silence within its bounds.
    #[test]
    fn no_judgement_makes_a_silence_endless(text in words(), end in prop::num::f32::ANY, expects in expects()) {
        let mut caller = Caller::new(&Timing::default(), "hi", expects);
        let silence = caller.turns.endpointing().wait(&text, Some(end)).silence;
        prop_assert!(silence >= ms(300) && silence <= LONGEST, "{silence:?}");
    }
}
