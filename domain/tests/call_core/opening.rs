//! The first words, in every order in which two people may begin a call: who is greeted when, what stops the greeting, and that it is said once.

use tandem_domain::agent::Timing;
use tandem_domain::barge_in::Ground;
use tandem_domain::call_core::Input;
use tandem_domain::greeting::FirstWords;
use tandem_domain::journal::Setup;
use tandem_domain::port::brain::BrainEvent;
use tandem_domain::port::stt::Covers;
use tandem_domain::record::{Direction, EndReason};
use tandem_domain::transcript::Role;

use crate::world::{SENTENCE, World, ms};

const GREETING: &str = "Hello, this is Tandem's front desk.";

/// A call that we placed, answered this instant.
fn answered() -> World {
    let mut world = World::before(Setup { direction: Direction::Outbound, ..Setup::default() });
    world.input(Input::Started);
    world
}

/// A call that came in this instant, and whose caller begins at once.
fn spoken_to_first() -> World {
    let mut world = World::new(Timing::default());
    world.begin();
    world
}

/// How often the greeting was given to the voice.
fn greetings(world: &World) -> usize {
    world.spoken.iter().filter(|(.., text)| text == GREETING).count()
}

/// Whether the greeting may sound: it is made, and not held back.
fn may_sound(world: &World) -> bool {
    world.core.utterance().is_some() && world.holds == world.resumed.len()
}

#[test]
fn who_calls_us_is_greeted_at_once() {
    let world = World::new(Timing::default());
    assert!(may_sound(&world) && world.holds == 0);
    assert_eq!(greetings(&world), 1);
}

#[test]
fn a_callee_who_says_nothing_is_spoken_to_within_two_seconds() {
    let mut world = answered();
    assert_eq!((greetings(&world), may_sound(&world)), (1, false), "the voice is at work already");
    world.pass(ms(1_499));
    assert!(!may_sound(&world));
    world.pass(ms(1));
    assert!(may_sound(&world) && world.resumed == [Ground::Opening]);
    world.play_all();
    assert!(!world.responses()[0].interrupted);
}

#[test]
fn a_callee_who_says_hello_is_greeted_as_soon_as_they_have() {
    let mut world = answered();
    world.pass(ms(700));
    world.begin();
    world.pass(ms(400));
    assert!(!may_sound(&world), "not into their word");
    world.end(8_000);
    assert!(may_sound(&world), "the detector has just said that they stopped");
    let greeting = world.play();
    world.words("Hello?");
    world.pass(ms(2_000));
    let heard = world.all_heard(greeting);
    world.input(heard);
    assert_eq!((world.cuts, greetings(&world)), (0, 1), "the hello neither stops the greeting nor is answered again");
    assert!(world.core.history().iter().all(|line| line.role == Role::Agent));
}

#[test]
fn what_a_callee_answers_the_telephone_with_is_on_record_and_the_greeting_answers_it() {
    let mut world = answered();
    world.pass(ms(300));
    world.begin();
    world.pass(ms(1_900));
    assert!(!may_sound(&world), "whoever speaks for two seconds is let finish");
    world.end(8_000);
    let greeting = world.play();
    world.words("Rahul speaking, who is this?");
    world.pass(ms(2_000));
    let heard = world.all_heard(greeting);
    world.input(heard);
    assert_eq!((world.cuts, greetings(&world)), (0, 1));
    assert_eq!(world.turns(), [(1, "Rahul speaking, who is this?".to_owned())]);
    let roles: Vec<_> = world.core.history().iter().map(|line| line.role).collect();
    assert_eq!(roles, [Role::User, Role::Agent], "a model sees what it was asked");
    world.say("an apartment");
    assert!(world.slots().contains_key("property_type"), "and the conversation goes on");
}

#[test]
fn a_callee_who_goes_on_over_the_greeting_interrupts_it_as_ever() {
    let mut world = answered();
    world.begin();
    world.end(4_000);
    world.play();
    world.heard = SENTENCE / 2;
    world.pass(ms(100));
    world.begin();
    world.pass(ms(700));
    world.end(16_000);
    world.words("Hello, I want an apartment in Delhi");
    world.pass(ms(400));
    assert_eq!(world.cuts, 1);
    assert!(world.slots().contains_key("property_type"), "{:?}", world.slots());
}

#[test]
fn a_disclosure_waits_like_any_first_word_and_is_protected_once_it_sounds() {
    let mut world = World::before(Setup { direction: Direction::Outbound, ..Setup::default() });
    world.hold_brain = true;
    world.input(Input::Started);
    let ask = world.asks[0].0;
    for event in [BrainEvent::Protect, BrainEvent::Say("I am a machine.".into())] {
        world.input(Input::Brain { ask, event });
    }
    assert!(!may_sound(&world) && world.core.protected_sentences().is_empty(), "the hold takes all of it");
    world.pass(ms(1_500));
    assert!(may_sound(&world));
    world.play();
    assert_eq!(world.core.protected_sentences(), [0]);
}

#[test]
fn a_callee_s_radio_does_not_keep_us_silent() {
    let mut world = answered();
    world.begin();
    world.pass(ms(5_799));
    assert!(!may_sound(&world));
    world.pass(ms(1));
    assert!(may_sound(&world));
    world.play();
    world.pass(ms(3_000));
    assert_eq!(world.cuts, 0, "it plays on");
}

#[test]
fn a_callee_who_hangs_up_before_the_greeting_has_heard_nothing() {
    let mut world = answered();
    world.pass(ms(800));
    world.input(Input::Ended(EndReason::CallerHangup));
    assert_eq!((world.ended.as_slice(), world.responses().len()), (&[EndReason::CallerHangup][..], 0));
}

#[test]
fn a_hello_before_our_first_word_is_let_out_and_then_greeted() {
    let mut world = spoken_to_first();
    assert!(!may_sound(&world));
    world.pass(ms(500));
    world.end(6_000);
    assert!(may_sound(&world), "700 ms of hello and the detector's 200");
    let greeting = world.play();
    world.words("hello");
    world.pass(ms(2_000));
    let heard = world.all_heard(greeting);
    world.input(heard);
    assert_eq!((world.cuts, greetings(&world)), (0, 1));
    let response = world.responses()[0];
    assert!(response.heard == response.text && !response.interrupted);
}

#[test]
fn the_second_hello_comes_over_the_greeting_and_does_not_stop_it() {
    let mut world = spoken_to_first();
    world.pass(ms(200));
    world.end(3_200);
    world.play();
    world.pass(ms(100));
    world.begin(); // hello?
    assert_eq!(world.resumed, [Ground::Opening]);
    world.heard = SENTENCE / 4;
    world.pass(ms(300));
    world.end(9_000);
    world.words("Hello? Hello?");
    assert_eq!((world.cuts, greetings(&world)), (0, 1));
    assert_eq!(world.resumed.last(), Some(&Ground::Backchannel));
    assert!(world.core.agent_speaking() && !world.core.turn_is_open());
}

#[test]
fn a_hello_over_the_greeting_lets_it_go_on_even_before_its_words_are_settled() {
    let mut world = World::new(Timing::default());
    world.play();
    world.heard = SENTENCE / 3;
    world.begin();
    world.input(Input::Partial("hello".into()));
    assert_eq!((world.holds, world.cuts), (1, 0), "a command anywhere else");
    world.pass(ms(200));
    world.end(4_000);
    let (turn, _, to) = *world.transcribe.last().unwrap();
    world.answered(turn, to, "hello", Covers::SinceLastFinal);
    assert_eq!((world.cuts, world.resumed.as_slice()), (0, &[Ground::Backchannel][..]));
    world.play_all();
    assert_eq!(greetings(&world), 1);
    assert!(world.turns().is_empty());
}

#[test]
fn the_first_of_two_hellos_is_settled_while_the_second_is_said() {
    let mut world = World::new(Timing::default());
    world.play();
    world.heard = SENTENCE / 3;
    world.begin();
    world.pass(ms(100));
    world.end(4_000);
    let (turn, _, to) = *world.transcribe.last().unwrap();
    world.begin(); // hello?
    world.answered(turn, to, "hello", Covers::WholeTurn);
    assert_eq!((world.holds, world.cuts), (1, 0));
    world.pass(ms(100));
    world.end(9_000);
    world.words("hello hello");
    assert_eq!((world.cuts, world.resumed.as_slice()), (0, &[Ground::Backchannel][..]));
}

#[test]
fn a_hello_over_anything_else_still_wants_the_floor() {
    let mut world = World::new(Timing::default());
    world.play_all();
    world.say("I want an apartment");
    world.play();
    world.heard = SENTENCE / 3;
    world.begin();
    world.input(Input::Partial("hello".into()));
    assert_eq!(world.cuts, 1);
}

#[test]
fn who_says_more_than_hello_before_our_first_word_is_greeted_and_answered_once() {
    let mut world = spoken_to_first();
    world.pass(ms(1_800));
    world.end(16_000);
    assert!(!may_sound(&world), "a sentence has the floor");
    world.words("Hello, I want an apartment in Delhi");
    world.pass(ms(400));
    let text = world.last_text();
    assert!(text.starts_with(GREETING) && text.matches(GREETING).count() == 1 && text.contains("Delhi"), "{text}");
    world.play_all();
    assert_eq!(world.responses().len(), 1, "what nobody heard is on no record");
}

#[test]
fn both_fall_silent_and_the_floor_is_ours_after_a_second_and_not_after_seven() {
    let mut world = spoken_to_first();
    world.pass(ms(1_800));
    let stopped = world.now;
    world.end(16_000);
    while !may_sound(&world) {
        world.pass(ms(10));
    }
    assert_eq!(world.now - stopped, ms(1_200), "the recogniser has said nothing");
    world.play();
    world.words("");
    world.pass(ms(400));
    assert_eq!((world.cuts, greetings(&world)), (0, 1), "sound without words does not stop the greeting");
}

#[test]
fn who_pauses_in_the_middle_of_a_sentence_is_not_greeted_into_it() {
    let mut world = spoken_to_first();
    world.pass(ms(1_800));
    world.end(16_000);
    let (turn, _, to) = *world.transcribe.last().unwrap();
    world.answered(turn, to, "I want", Covers::SinceLastFinal);
    world.begin();
    world.pass(ms(8_000));
    assert!(!may_sound(&world), "this is no radio");
    world.end(96_000);
    world.words("I want an apartment in Delhi");
    world.pass(ms(400));
    assert_eq!((world.cuts, world.last_text().starts_with(GREETING)), (1, true), "{}", world.last_text());
}

#[test]
fn a_noise_before_the_greeting_is_nothing() {
    let mut world = World::new(Timing::default());
    world.speak(120);
    assert!(may_sound(&world));
    world.play();
    world.understand("");
    assert_eq!((world.cuts, greetings(&world)), (0, 1));
}

#[test]
fn a_greeting_that_takes_its_time_is_not_announced_while_a_caller_says_hello() {
    let mut world = World::before(Setup::default());
    world.hold_brain = true;
    world.input(Input::Started);
    world.pass(ms(900));
    world.begin();
    world.pass(ms(500));
    assert!(world.spoken.is_empty(), "the filler was due at 1.2 s");
    world.end(8_000);
    world.words("hello");
    world.pass(ms(1_200));
    assert_eq!(world.spoken.len(), 1, "then it is");
    let ask = world.asks[0].0;
    world.input(Input::Brain { ask, event: BrainEvent::Say(GREETING.into()) });
    assert_eq!(greetings(&world), 1, "the hello has not replaced the question to the brain");
}

#[test]
fn a_pump_that_was_faster_than_the_news_of_a_hello_goes_on() {
    let mut world = World::new(Timing::default());
    world.heard = 400; // a word's beginning was heard, and we have not been told
    world.begin();
    assert_eq!(world.resumed, [Ground::Opening]);
    assert_eq!(world.holds, 1);
}

#[test]
fn a_goodbye_in_place_of_the_greeting_is_not_held_back() {
    let mut world = answered();
    world.input(Input::Dismiss(EndReason::Drained));
    world.play_all();
    assert_eq!(world.ended, [EndReason::Drained]);
    assert_eq!(world.holds, 1, "the greeting was, and is gone");
}

#[test]
fn what_is_typed_before_the_greeting_is_answered() {
    let mut world = answered();
    world.input(Input::Typed("an apartment in Delhi".into()));
    let text = world.last_text();
    assert!(text.starts_with(GREETING) && text.contains("Delhi"), "{text}");
    world.play_all();
}

/// A call whose brain answers the opening with nothing, or not at all.
fn opened_without_words(fails: bool) -> World {
    let first_words =
        FirstWords { disclosure: "This call is recorded.".to_owned(), greeting: "Welcome to Acme.".to_owned() };
    let mut world = World::before(Setup { first_words, ..Setup::default() });
    world.hold_brain = true;
    world.input(Input::Started);
    let (ask, _) = world.asks.pop_front().unwrap();
    world.input(if fails { Input::BrainFailed { ask } } else { Input::BrainDone { ask } });
    world
}

#[test]
fn a_brain_without_a_first_word_leaves_the_agents_own_and_nobody_stops_its_disclosure() {
    for fails in [false, true] {
        let mut world = opened_without_words(fails);
        let said: Vec<&str> = world.spoken.iter().map(|(.., text)| text.as_str()).collect();
        assert_eq!(said, ["This call is recorded.", "Welcome to Acme."], "fails: {fails}");
        world.input(Input::FirstAudio(world.core.utterance().unwrap()));
        assert_eq!(world.core.protected_sentences(), [0]);
        world.play_all();
        assert_eq!(world.responses()[0].text, "This call is recorded. Welcome to Acme.");
    }
}
