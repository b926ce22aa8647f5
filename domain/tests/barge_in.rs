//! The arbiter on made-up clocks: what holds our voice, what ends it, what lets it go on.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use proptest::prelude::*;
use tandem_domain::barge_in::{BargeIn, Ground, Lexicon, List, Lists, Overlap, Patience, Ruling};
use tandem_domain::echo::Loudness;

const OWN: &str =
    "We have two apartments in Delhi, and one of them is close to the metro. Shall I read you the prices?";
const PLAIN: Overlap = Overlap { protected: false, asked: false };
const ASKED: Overlap = Overlap { protected: false, asked: true };

#[allow(clippy::disallowed_methods)] // a made-up clock needs an origin
fn origin() -> Instant {
    Instant::now()
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn arbiter(language: &str) -> BargeIn {
    BargeIn::new(Patience::default(), Lexicon::of(language))
}

/// The caller speaks for `length` over our voice; the words come 300 ms after its end.
fn ruled(language: &str, overlap: Overlap, length: Duration, words: &str, confidence: Option<f32>) -> Ruling {
    let (t0, mut arbiter) = (origin(), arbiter(language));
    assert_eq!(arbiter.sustained(t0, overlap), Some(Ruling::Hold));
    arbiter.speech_ended(t0 + length);
    let ruling = arbiter.settled(t0 + length + ms(300), words, confidence, OWN).unwrap();
    assert!(!arbiter.is_holding(), "a ruling is the end of it");
    ruling
}

fn hears(words: &str) -> Ruling {
    ruled("en-IN", PLAIN, ms(500), words, Some(0.9))
}

#[test]
fn who_listens_aloud_is_not_interrupting() {
    for words in [
        "mm-hmm",
        "Mhmm.",
        "hmmmm",
        "uh-huh",
        "okay",
        "Yeah, yeah.",
        "right, I see",
        "achha",
        "haan haan",
        "ji",
        "theek hai",
        "हाँ जी",
        "ठीक है",
        "no problem",
        "keep going",
        "yeah totally",
        "for sure",
        "okay that's fine",
        "oh that's nice",
        "very nice",
        "ekdum sahi baat hai",
    ] {
        assert_eq!(hears(words), Ruling::Resume(Ground::Backchannel), "{words}");
    }
}

#[test]
fn who_wants_the_floor_gets_it() {
    for words in [
        "stop",
        "Wait, wait!",
        "no",
        "hold on a second",
        "ruko",
        "ek minute",
        "एक मिनट",
        "रुकिए",
        "nahi",
        "sorry?",
        "okay stop",
    ] {
        assert_eq!(hears(words), Ruling::Yield(Ground::Command), "{words}");
    }
    for words in ["I meant a villa", "Pune", "what about Gurgaon", "mujhe villa chahiye", "okay and the price"] {
        assert!(matches!(hears(words), Ruling::Yield(_)), "{words}");
    }
}

#[test]
fn yes_answers_a_question_and_is_a_nod_otherwise() {
    for words in ["yes", "okay", "haan", "जी"] {
        assert_eq!(hears(words), Ruling::Resume(Ground::Backchannel), "{words}");
        assert_eq!(ruled("hi", ASKED, ms(400), words, None), Ruling::Yield(Ground::Answer), "{words}");
    }
    assert_eq!(ruled("en", ASKED, ms(400), "mm-hmm", None), Ruling::Resume(Ground::Backchannel), "still listening");
}

#[test]
fn noise_coughs_and_half_heard_words_do_not_end_our_voice() {
    assert_eq!(ruled("en", PLAIN, ms(400), "", None), Ruling::Resume(Ground::Noise));
    assert_eq!(ruled("en", PLAIN, ms(1_100), "", None), Ruling::Resume(Ground::Noise), "a long cough");
    assert_eq!(
        ruled("en", PLAIN, ms(2_100), "", None),
        Ruling::Yield(Ground::Unheard),
        "a sentence that nobody understood"
    );
    assert_eq!(ruled("en", PLAIN, ms(300), "(coughs)", Some(0.9)), Ruling::Resume(Ground::Noise));
    assert_eq!(ruled("en", PLAIN, ms(300), "hook", Some(0.07)), Ruling::Resume(Ground::Noise));
    assert_eq!(ruled("en", PLAIN, ms(300), "Mumbai", Some(0.8)), Ruling::Yield(Ground::Words));
}

#[test]
fn three_coughs_in_a_call_are_three_coughs() {
    let (t0, mut arbiter) = (origin(), arbiter("en"));
    for number in 0..6 {
        let began = t0 + ms(number * 60_000);
        arbiter.sustained(began, PLAIN);
        arbiter.speech_ended(began + ms(900));
        assert_eq!(arbiter.settled(began + ms(1_200), "", None, OWN), Some(Ruling::Resume(Ground::Noise)));
        arbiter.heard_out(t0);
    }
}

#[test]
fn a_room_that_holds_our_voice_again_and_again_ends_it() {
    let (t0, mut arbiter) = (origin(), arbiter("en"));
    let mut stretch = |number: u64, words: &str| {
        let began = t0 + ms(number * 5_000);
        arbiter.sustained(began, PLAIN);
        arbiter.speech_ended(began + ms(900));
        arbiter.settled(began + ms(1_200), words, None, OWN)
    };
    let (noise, unheard) = (Some(Ruling::Resume(Ground::Noise)), Some(Ruling::Yield(Ground::Unheard)));
    assert_eq!([1, 2, 3].map(|number| stretch(number, "")), [noise, noise, unheard]);
    assert_eq!([4, 5].map(|number| stretch(number, "")), [noise, noise], "counted anew");
    assert_eq!(stretch(6, "mm-hmm"), Some(Ruling::Resume(Ground::Backchannel)));
    assert_eq!(stretch(7, ""), noise, "a word between them");
}

#[test]
fn one_word_beside_a_nod_has_to_be_sure() {
    assert_eq!(ruled("en-IN", PLAIN, ms(700), "achha achha ghar", Some(0.7)), Ruling::Resume(Ground::Noise));
    assert_eq!(ruled("en-IN", PLAIN, ms(700), "achha Mumbai", Some(0.8)), Ruling::Yield(Ground::Words));
    assert_eq!(ruled("en", PLAIN, ms(700), "okay Mumbai", None), Ruling::Yield(Ground::Words), "no figure, no doubt");
    assert_eq!(ruled("en", PLAIN, ms(700), "okay near Mumbai", Some(0.7)), Ruling::Yield(Ground::Words), "two words");
    assert_eq!(ruled("en", ASKED, ms(700), "yes Mumbai", Some(0.7)), Ruling::Yield(Ground::Answer), "it answers");
}

#[test]
fn words_of_grammar_alone_are_a_nod_misheard_and_say_nothing_of_what_is_beside_them() {
    for words in ["the", "a", "of", "it is", "hmm that", "and"] {
        assert_eq!(hears(words), Ruling::Resume(Ground::Backchannel), "{words}");
    }
    for words in ["in Delhi", "for the office", "that one", "and the price"] {
        assert_eq!(hears(words), Ruling::Yield(Ground::Words), "{words}");
    }
    assert_eq!(hears("stop it"), Ruling::Yield(Ground::Command));
}

#[test]
fn our_own_words_are_echo_and_two_are_not() {
    assert_eq!(hears("apartments in Delhi and"), Ruling::Resume(Ground::Echo));
    assert_eq!(hears("the prices"), Ruling::Yield(Ground::Words));
    assert_eq!(hears("metro."), Ruling::Resume(Ground::Noise), "a cough, and our last word under it");
    assert_eq!(hears("garage."), Ruling::Yield(Ground::Words), "a word that is not ours");
}

#[test]
fn words_that_are_still_coming_rule_as_soon_as_they_can() {
    let t0 = origin();
    let after = |partials: &[&str]| {
        let mut arbiter = arbiter("en");
        arbiter.sustained(t0, PLAIN);
        partials.iter().map(|text| arbiter.partial(text, OWN)).collect::<Vec<_>>()
    };
    assert_eq!(after(&["wait"]), [Some(Ruling::Yield(Ground::Command))]);
    assert_eq!(after(&["I", "I want"]), [None, Some(Ruling::Yield(Ground::Words))]);
    assert_eq!(after(&["mm", "mm hmm"]), [None, None]);
    assert_eq!(after(&["apartments in Delhi", "apartments in Delhi and"]), [None, None], "an echo waits for the final");
}

#[test]
fn long_speech_takes_the_floor_and_long_agreement_waits_for_more() {
    let (t0, mut arbiter) = (origin(), arbiter("en"));
    arbiter.sustained(t0, PLAIN);
    assert_eq!(arbiter.handle_timeout(t0 + ms(2_499)), None);
    assert_eq!(arbiter.partial("yeah yeah", OWN), None);
    assert_eq!(arbiter.handle_timeout(t0 + ms(4_999)), None);
    assert_eq!(arbiter.handle_timeout(t0 + ms(5_000)), Some(Ruling::Yield(Ground::Length)));
    arbiter.sustained(t0 + ms(9_000), PLAIN);
    assert_eq!(arbiter.handle_timeout(t0 + ms(11_500)), Some(Ruling::Yield(Ground::Length)));
    assert_eq!(arbiter.poll_timeout(), None);
}

#[test]
fn words_that_never_come_let_a_short_sound_pass_and_a_long_one_not() {
    let (nothing, unheard) = (Ruling::Resume(Ground::Nothing), Ruling::Yield(Ground::Unheard));
    for (length, waits, ruling) in [(400, 1_200, nothing), (700, 2_400, nothing), (900, 2_400, unheard)] {
        let (t0, mut arbiter) = (origin(), arbiter("en"));
        arbiter.sustained(t0, PLAIN);
        arbiter.speech_ended(t0 + ms(length));
        assert_eq!(arbiter.handle_timeout(t0 + ms(length + waits - 1)), None);
        assert_eq!(arbiter.handle_timeout(t0 + ms(length + waits)), Some(ruling));
        assert_eq!(arbiter.settled(t0 + ms(length + waits + 100), "stop", None, OWN), None, "too late");
    }
}

#[test]
fn what_a_recogniser_leaves_of_a_nod_is_a_nod() {
    let ruled = |words, confidence| ruled("en", PLAIN, ms(500), words, Some(confidence));
    for words in ["see", "I", "oh the see", "all", "ah nice that's you", "sounds"] {
        assert_eq!(ruled(words, 0.75), Ruling::Resume(Ground::Backchannel), "{words}");
    }
    for (words, confidence) in [("that is all", 0.9), ("that is all", 0.75), ("is all", 0.75)] {
        assert_eq!(
            ruled(words, confidence),
            Ruling::Yield(Ground::Words),
            "{words}: too much for what is left of a nod"
        );
    }
    for words in ["I want", "see Delhi", "all flats", "you rent"] {
        assert_eq!(ruled(words, 0.5), Ruling::Yield(Ground::Words), "{words}: two words");
    }
    for words in ["enough", "please"] {
        assert_eq!(ruled(words, 0.9), Ruling::Yield(Ground::Command), "though {words} is in a nod too");
    }
    for words in ["fair enough", "please continue"] {
        assert_eq!(ruled(words, 0.9), Ruling::Resume(Ground::Backchannel), "{words}");
    }
}

#[test]
fn more_words_than_the_sound_has_room_for_are_made_up() {
    let babble = "you are to be of the one in all that is said";
    assert!(BargeIn::is_babble(babble, ms(700)) && !BargeIn::is_babble(babble, ms(1_250)));
    assert!(!BargeIn::is_babble("stop stop stop", ms(300)) && !BargeIn::is_babble("", ms(0)));
}

#[test]
fn a_pause_in_the_speech_is_not_its_end() {
    let (t0, mut arbiter) = (origin(), arbiter("en"));
    arbiter.sustained(t0, PLAIN);
    arbiter.speech_ended(t0 + ms(400));
    arbiter.speech_again();
    assert_eq!(arbiter.handle_timeout(t0 + ms(2_499)), None);
    assert_eq!(arbiter.handle_timeout(t0 + ms(2_500)), Some(Ruling::Yield(Ground::Length)));
}

#[test]
fn protected_passages_are_not_held_and_keys_end_what_is_held() {
    let (t0, mut arbiter) = (origin(), arbiter("en"));
    assert_eq!(arbiter.sustained(t0, Overlap { protected: true, asked: true }), None);
    assert_eq!(arbiter.key(false), None);
    arbiter.sustained(t0, PLAIN);
    assert_eq!(arbiter.sustained(t0 + ms(100), PLAIN), None, "held already");
    assert_eq!(arbiter.key(false), Some(Ruling::Yield(Ground::Key)));
    assert_eq!(arbiter.key(false), None);
}

#[test]
fn lists_come_as_data_beside_the_built_in_ones_or_in_their_place() {
    let mut lists = Lists::default();
    for file in [
        "language = 'mr'\nheard_in = ['en-IN']\nbackchannels = ['ho ka']\ncommands = ['thamba', 'right']",
        "language = 'hi-latn'\nbackchannels = ['theek']",
    ] {
        lists.add(List::from_toml(file).unwrap()).unwrap();
    }
    let again = List::from_toml("language = 'MR'\ncommands = ['bas']").unwrap();
    assert_eq!(lists.add(again.clone()), Err(again), "one list a language");

    let heard = |language: &str, text: &str| {
        let reading = Lexicon::with(language, &lists.of_call(language)).read(text);
        (reading.backchannels, reading.answers, reading.commands, reading.others.len())
    };
    assert_eq!(heard("mr-IN", "Ho ka? Thamba!"), (1, 0, 1, 0));
    assert_eq!(
        heard("en-IN", "ho ka, right"),
        (1, 0, 1, 0),
        "what a file says of a phrase goes before what is built in"
    );
    assert_eq!(heard("en", "ho ka, right"), (1, 0, 0, 2));
    assert_eq!(heard("hi", "theek, nahi, नहीं"), (1, 0, 1, 1), "in the place of Hindi in Latin letters");
    assert_eq!(heard("en", "theek"), (0, 0, 0, 1), "and heard no wider than that was");
    assert_eq!(Lexicon::of("de").read("haan").others, ["han"], "Hindi is for calls in which it is spoken");
}

/// Speech at this level, on a line on which our own voice comes back at -45 dBFS and has been recognised.
fn at(loudest: f32, now: f32) -> Loudness {
    Loudness { loudest, now, played: -18.0, line: Some(-45.0), proven: true, caller: None }
}

#[test]
fn what_is_no_louder_than_our_echo_holds_nothing_until_somebody_speaks_in_it() {
    let (t0, mut arbiter) = (origin(), arbiter("en"));
    arbiter.loudness(at(-43.0, -43.0));
    assert_eq!(arbiter.sustained(t0, PLAIN), None);
    assert!(!arbiter.has_doubted() && arbiter.is_own_voice(t0 + ms(600)));
    arbiter.loudness(Loudness { caller: Some(-41.0), ..at(-43.0, -43.0) });
    assert!(arbiter.has_doubted(), "so faint is the caller on this line");
    arbiter.loudness(at(-43.0, -43.0));
    arbiter.loudness(at(-21.0, -21.0));
    assert!(arbiter.has_doubted());
    assert_eq!(arbiter.sustained(t0, PLAIN), Some(Ruling::Hold));
    assert!(!arbiter.is_own_voice(t0 + ms(600)));
    arbiter.forget();
    arbiter.speech_again();
    assert_eq!(arbiter.sustained(t0, PLAIN), Some(Ruling::Hold), "nothing is known of the next sound");
}

#[test]
fn a_faint_caller_behind_our_voice_is_not_our_voice() {
    let (t0, mut arbiter) = (origin(), arbiter("en"));
    arbiter.loudness(at(-43.0, -43.0));
    assert_eq!(arbiter.sustained(t0, PLAIN), None);
    arbiter.heard_out(t0 + ms(500));
    assert!(arbiter.is_own_voice(t0 + ms(1_500)), "the echo of our last words");
    assert!(!arbiter.is_own_voice(t0 + ms(1_501)), "nothing of ours comes back for so long");
    arbiter.speech_again();
    arbiter.loudness(at(-43.0, -43.0));
    assert!(!arbiter.is_own_voice(t0 + ms(1_200)), "it did not begin over our voice");
}

#[test]
fn our_own_words_are_echo_by_how_loud_they_are() {
    let after = |loudness: Option<Loudness>, words: &str| {
        let (t0, mut arbiter) = (origin(), arbiter("en"));
        arbiter.sustained(t0, PLAIN);
        loudness.into_iter().for_each(|loudness| arbiter.loudness(loudness));
        arbiter.speech_ended(t0 + ms(500));
        arbiter.settled(t0 + ms(800), words, Some(0.9), OWN)
    };
    let (echo, words) = (Some(Ruling::Resume(Ground::Echo)), Some(Ruling::Yield(Ground::Words)));
    assert_eq!([after(None, "apartments in Delhi"), after(None, "the prices")], [echo, words]);
    assert_eq!(after(Some(at(-43.0, -43.0)), "the prices"), echo);
    assert_eq!(after(Some(at(-43.0, -43.0)), ""), Some(Ruling::Resume(Ground::Noise)), "no words, no proof");
    assert_eq!(after(Some(at(-21.0, -21.0)), "metro"), words, "the caller says it, at the telephone");
    let nod = Some(Ruling::Resume(Ground::Backchannel));
    assert_eq!(
        [after(Some(at(-21.0, -21.0)), "apartments in Delhi uh-huh"), after(None, "in Delhi uh-huh")],
        [nod, words]
    );
    assert_eq!(after(Some(at(-21.0, -21.0)), "in Delhi stop and one"), Some(Ruling::Yield(Ground::Command)));
    assert_eq!(after(Some(at(-21.0, -21.0)), "apartments in Delhi"), words, "the caller says them, to be sure");
}

#[test]
fn a_room_that_goes_on_after_the_caller_is_not_the_caller() {
    let (t0, mut arbiter) = (origin(), arbiter("en"));
    arbiter.sustained(t0, PLAIN);
    arbiter.loudness(at(-21.0, -36.0));
    assert_eq!(arbiter.handle_timeout(t0 + ms(4_999)), None);
    assert_eq!(arbiter.handle_timeout(t0 + ms(5_000)), Some(Ruling::Resume(Ground::Noise)));
    assert!(!arbiter.has_doubted());
    arbiter.loudness(at(-21.0, -22.0));
    assert!(arbiter.has_doubted(), "the caller again, and the detector has heard no end");
}

#[derive(Debug, Clone)]
enum Step {
    Sustained(bool, bool),
    Again,
    Ended,
    Key,
    Partial(String),
    Settled(String, Option<f32>),
    Loudness(f32, f32),
    Timeout,
    Forget,
}

fn step() -> impl Strategy<Value = Step> {
    let words = prop_oneof![Just("stop".to_owned()), Just("mm-hmm".to_owned()), Just(String::new()), any::<String>()];
    prop_oneof![
        (any::<bool>(), any::<bool>()).prop_map(|(protected, asked)| Step::Sustained(protected, asked)),
        Just(Step::Again),
        Just(Step::Ended),
        Just(Step::Key),
        words.clone().prop_map(Step::Partial),
        (words, proptest::option::of(0.0..1.0f32)).prop_map(|(text, confidence)| Step::Settled(text, confidence)),
        (-60.0..0.0f32, -60.0..0.0f32).prop_map(|(loudest, now)| Step::Loudness(loudest, now)),
        Just(Step::Timeout),
        Just(Step::Forget),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    /// Whatever comes in whatever order: a hold is ended by one ruling and no other, and never lasts beyond its deadline.
    #[test]
    fn every_hold_ends_once(steps in prop::collection::vec((0u64..2_000, step()), 1..60)) {
        let (mut now, mut arbiter) = (origin(), arbiter("hi"));
        for (wait, step) in steps {
            now += ms(wait);
            let was_held = arbiter.is_holding();
            let ruling = match step {
                Step::Sustained(protected, asked) => arbiter.sustained(now, Overlap { protected, asked }),
                Step::Again => { arbiter.speech_again(); None }
                Step::Ended => { arbiter.speech_ended(now); None }
                Step::Key => arbiter.key(false),
                Step::Partial(text) => arbiter.partial(&text, OWN),
                Step::Settled(text, confidence) => arbiter.settled(now, &text, confidence, OWN),
                Step::Loudness(loudest, now) => { arbiter.loudness(at(loudest, now)); None }
                Step::Timeout => arbiter.handle_timeout(now),
                Step::Forget => { arbiter.forget(); prop_assert!(!arbiter.is_holding()); None }
            };
            match ruling {
                Some(Ruling::Hold) => prop_assert!(!was_held && arbiter.is_holding()),
                Some(_) => prop_assert!(was_held && !arbiter.is_holding()),
                None => {}
            }
            prop_assert_eq!(arbiter.poll_timeout().is_some(), arbiter.is_holding());
        }
        if let Some(due) = arbiter.poll_timeout() {
            prop_assert!(arbiter.handle_timeout(due).is_some());
        }
    }
}
