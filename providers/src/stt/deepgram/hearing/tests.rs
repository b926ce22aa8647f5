#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::super::wire::{Alternative, Channel, Word};
use super::*;

const RATE: u32 = 8_000;
/// Samples of a second.
const S: u64 = RATE as u64;

/// Words of half a second each, from `start` seconds on.
fn heard(start: f64, text: &str) -> Results {
    let words: Vec<Word> = text
        .split_whitespace()
        .enumerate()
        .map(|(index, word)| {
            let begins = start + index as f64 * 0.5;
            Word { word: word.to_lowercase(), punctuated_word: Some(word.to_owned()), start: begins, end: begins + 0.4 }
        })
        .collect();
    let best = Alternative { transcript: text.to_owned(), confidence: 0.9, words };
    let duration = text.split_whitespace().count() as f64 * 0.5;
    Results { start, duration, is_final: false, from_finalize: false, channel: Channel { alternatives: vec![best] } }
}

fn settled(start: f64, text: &str) -> Results {
    Results { is_final: true, ..heard(start, text) }
}

/// What `Finalize` brings: all up to `end`.
fn finalized(start: f64, end: f64, text: &str) -> Results {
    Results { from_finalize: true, duration: end - start, ..settled(start, text) }
}

fn connected() -> Hearing {
    let mut hearing = Hearing::new(RATE);
    hearing.connected(0, 0);
    hearing
}

fn ask(hearing: &mut Hearing, now: Instant, turn: u32, from: u64, to: u64) -> Option<SttEvent> {
    let answer = hearing.ask(now, TurnId(turn), from, to);
    if answer.is_none() {
        hearing.finalize_sent();
    }
    answer
}

fn answer(event: Option<SttEvent>) -> (u32, u64, String) {
    match event.unwrap() {
        SttEvent::Final { turn, to, text, covers: Covers::WholeTurn, .. } => (turn.0, to, text),
        other => panic!("{other:?}"),
    }
}

fn now() -> Instant {
    crate::clock::now()
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn a_finalize_brings_all_that_was_settled_before_it_too() {
    let mut hearing = connected();
    assert_eq!(hearing.results(settled(0.0, "I want an apartment")), None);
    assert_eq!(ask(&mut hearing, now(), 1, 800, 3 * S), None);
    assert_eq!(
        answer(hearing.results(finalized(2.0, 3.2, "in Delhi."))),
        (1, 3 * S, "I want an apartment in Delhi.".into())
    );
    assert_eq!(hearing.poll_timeout(), None);
}

#[test]
fn what_their_endpointer_has_settled_is_answered_at_once() {
    let mut hearing = connected();
    hearing.results(settled(0.0, "Hello there"));
    assert_eq!(answer(ask(&mut hearing, now(), 1, 0, S)), (1, S, "Hello there".into()));
}

#[test]
fn a_caller_who_goes_on_gets_one_answer_for_the_whole_turn() {
    let mut hearing = connected();
    ask(&mut hearing, now(), 1, 0, S);
    assert_eq!(answer(hearing.results(finalized(0.0, 1.2, "I want"))).2, "I want");
    ask(&mut hearing, now(), 1, 0, 3 * S);
    assert_eq!(answer(hearing.results(finalized(2.0, 3.2, "a villa"))), (1, 3 * S, "I want a villa".into()));
}

#[test]
fn an_answer_to_a_superseded_question_is_not_taken_for_the_newer_ones() {
    let mut hearing = connected();
    ask(&mut hearing, now(), 1, 0, S);
    ask(&mut hearing, now(), 1, 0, 4 * S);
    assert_eq!(hearing.results(finalized(0.0, 1.2, "I want")), None);
    assert_eq!(answer(hearing.results(finalized(3.0, 4.2, "a villa"))).2, "I want a villa");
}

#[test]
fn words_of_the_turn_before_and_of_no_turn_stay_out() {
    let mut hearing = connected();
    ask(&mut hearing, now(), 1, 0, S);
    hearing.results(finalized(0.0, 1.2, "Yes please"));
    hearing.results(settled(2.0, "mm")); // under our own voice: nobody asked
    ask(&mut hearing, now(), 2, 4 * S, 5 * S);
    assert_eq!(answer(hearing.results(finalized(4.0, 5.2, "sixty lakh"))), (2, 5 * S, "sixty lakh".into()));
}

#[test]
fn a_result_that_begins_before_the_turn_gives_its_words() {
    let mut hearing = connected();
    ask(&mut hearing, now(), 1, 4 * S, 5 * S);
    // "mm" ends at 3.4 s, more than 300 ms before the turn; "so" at 3.9 s
    assert_eq!(answer(hearing.results(finalized(3.0, 5.1, "Mm so yes please"))).2, "so yes please");
}

#[test]
fn a_finalize_that_is_never_answered_has_its_limit() {
    let asked = now();
    // their results have passed the turn's end, and no word is open
    let mut hearing = connected();
    hearing.results(settled(0.0, "yes"));
    hearing.results(Results { duration: 3.0, ..heard(0.5, "") });
    ask(&mut hearing, asked, 1, 0, 3 * S);
    assert_eq!(hearing.poll_timeout(), Some(asked + ms(500)));
    assert_eq!(hearing.handle_timeout(asked + ms(499)), None);
    let Some(Due::Answer(event)) = hearing.handle_timeout(asked + ms(500)) else { panic!("it is due") };
    assert_eq!(answer(Some(event)).2, "yes");

    // a hypothesis is the answer after a while, and is said once though its final comes late
    let mut hearing = connected();
    hearing.results(heard(0.0, "no thanks"));
    ask(&mut hearing, asked, 1, 0, S);
    let Some(Due::Answer(event)) = hearing.handle_timeout(asked + ms(1_500)) else { panic!("it is due") };
    assert_eq!(answer(Some(event)).2, "no thanks");
    hearing.results(finalized(0.0, 1.2, "No, thanks."));
    ask(&mut hearing, asked, 1, 0, 4 * S);
    assert_eq!(answer(hearing.results(finalized(3.0, 4.1, "not now"))).2, "no thanks not now");
}

#[test]
fn a_vendor_that_stops_within_a_turn_is_gone() {
    let asked = now();
    let mut hearing = connected();
    hearing.results(settled(4.0, "half a"));
    ask(&mut hearing, asked, 2, 4 * S, 7 * S);
    assert_eq!(hearing.handle_timeout(asked + ms(1_999)), None);
    assert_eq!(hearing.handle_timeout(asked + ms(2_000)), Some(Due::Stalled));
}

#[test]
fn a_new_connection_begins_its_clock_again_and_says_nothing_twice() {
    let mut hearing = connected();
    hearing.results(settled(0.0, "I want an apartment")); // up to 2 s
    hearing.results(heard(2.0, "in"));
    assert_eq!(hearing.settled_to(), 2 * S);
    hearing.connected(2 * S, 160); // with 20 ms of silence before
    ask(&mut hearing, now(), 1, 0, 3 * S);
    let answer = answer(hearing.results(finalized(0.02, 1.2, "in Delhi")));
    assert_eq!(answer, (1, 3 * S, "I want an apartment in Delhi".into()));
}

#[test]
fn partials_grow_and_are_told_once() {
    let mut hearing = connected();
    assert_eq!(hearing.results(heard(0.0, "I")), None, "nobody looks");
    hearing.speaking(0);
    let partial = |text: &str| Some(SttEvent::Partial { text: text.to_owned() });
    assert_eq!(hearing.results(heard(0.0, "I want")), partial("I want"));
    assert_eq!(hearing.results(heard(0.0, "I want")), None);
    assert_eq!(hearing.results(settled(0.0, "I want")), None);
    assert_eq!(hearing.results(heard(1.0, "a villa")), partial("I want a villa"));
    ask(&mut hearing, now(), 1, 0, 2 * S);
    hearing.results(finalized(1.0, 2.2, "a villa"));
    assert_eq!(hearing.results(heard(3.0, "and")), None, "the turn is over");
}

#[test]
fn an_endless_vendor_fills_no_memory() {
    let mut hearing = connected();
    let words = "longerword ".repeat(600);
    for index in 0..200 {
        hearing.results(settled(300.0 * f64::from(index), &words));
        hearing.results(heard(300.0 * f64::from(index), &words));
    }
    assert_eq!(hearing.settled.len(), MAX_STRETCHES);
    assert!(
        hearing.settled.iter().all(|stretch| stretch.text.len() <= MAX_TEXT_BYTES && stretch.words.len() <= MAX_WORDS)
    );
}

proptest! {
    /// Whatever a server says, in whatever order: each turn has at most one answer, and none after it was superseded.
    #[test]
    fn any_results_give_at_most_one_answer_a_question(
        steps in proptest::collection::vec((0_u8..5, -1e3..1e6_f64, 0.0..1e6_f64, any::<bool>(), any::<bool>(), "[a-z ]{0,20}"), 0..60)
    ) {
        let mut hearing = connected();
        let mut time = now();
        let (mut asked, mut answered) = (0, 0);
        for (step, start, duration, is_final, from_finalize, text) in steps {
            let event = match step {
                0 => {
                    asked += 1;
                    ask(&mut hearing, time, asked, start.abs() as u64, (start.abs() + duration) as u64)
                }
                1 => {
                    time += ms(duration as u64 % 3_000);
                    match hearing.handle_timeout(time) {
                        Some(Due::Answer(event)) => Some(event),
                        Some(Due::Stalled) | None => None,
                    }
                }
                2 => {
                    hearing.connected(start.abs() as u64, duration as u64);
                    None
                }
                _ => hearing.results(Results { duration, is_final, from_finalize, ..heard(start, &text) }),
            };
            if let Some(SttEvent::Final { turn, .. }) = event {
                prop_assert_eq!(turn.0, asked);
                prop_assert!(turn.0 > answered, "answered twice");
                answered = turn.0;
            }
        }
    }
}
