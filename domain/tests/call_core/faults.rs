//! Late, missing and doubled inputs: each of these once held a call, lost a word or said one twice.

use std::time::Duration;

use tandem_domain::agent::Timing;
use tandem_domain::call_core::{Input, Note, Part};
use tandem_domain::ids::TurnId;
use tandem_domain::ledger::Heard;
use tandem_domain::port::brain::Brain;
use tandem_domain::port::stt::Covers;
use tandem_domain::record::EndReason;

use crate::world::{World, ms};

/// A voice that finds nothing to say in a sentence (flite: "none if the text has no words"): `Spoken` comes without `FirstAudio`.
#[test]
fn a_reply_without_audio_leaves_the_caller_a_call_that_goes_on() {
    let mut world = World::new(Timing::default());
    world.play_all();
    world.say("I want an apartment in Delhi");
    let reply = world.core.utterance().unwrap();
    world.input(Input::Spoken(reply, Heard::default()));
    assert_eq!(
        world.core.poll_timeout().map(|(_, why)| why),
        Some("silence"),
        "nobody speaks, and nothing will happen"
    );
}

/// And nothing of it may be on record as heard.
#[test]
fn a_reply_without_audio_was_not_heard() {
    let mut world = World::new(Timing::default());
    world.play_all();
    world.say("I want an apartment in Delhi");
    let reply = world.core.utterance().unwrap();
    world.input(Input::Spoken(reply, Heard::default()));
    assert_eq!(world.responses().last().unwrap().heard, "");
}

/// A new outgoing pump says `FirstAudio` again (`catch_up`).
#[test]
fn a_second_first_audio_does_not_change_the_latency() {
    let mut world = World::new(Timing::default());
    world.play_all();
    world.say("I want an apartment in Delhi");
    let utterance = world.play();
    world.pass(ms(3_000));
    world.input(Input::FirstAudio(utterance));
    world.input(Input::Restarted(Part::Egress));
    world.input(Input::Spoken(utterance, Heard::default()));
    assert_eq!(world.responses()[1].latency, Some(ms(500)));
}

/// The caller says "hello" before the greeting's first sample: who speaks for longer than the barge-in's 200 ms is not talked over.
#[test]
fn the_agent_does_not_begin_over_a_speaking_caller() {
    let mut world = World::new(Timing::default());
    world.pass(ms(100));
    world.begin();
    world.pass(ms(200));
    world.play(); // the voice was slow
    world.pass(ms(3_000));
    assert!(world.cuts > 0 || !world.core.agent_speaking(), "3 s of talking over the caller");
}

/// A turn committed under our own voice is flushed by the cut, and once more when the caller goes on.
#[test]
fn a_turn_is_on_record_once_and_whole() {
    let mut world = World::new(Timing::default());
    world.pass(ms(100));
    world.begin();
    world.pass(ms(100));
    world.end(4_000);
    world.play(); // the greeting begins after the caller's "I want"
    world.heard = 1_600;
    world.words("I want");
    world.pass(ms(400)); // committed: the greeting is cut, the reply is being prepared
    world.begin(); // the caller goes on: the same turn
    world.pass(ms(500));
    world.end(16_000);
    world.words("I want an apartment in Delhi");
    world.pass(ms(400));
    world.play_all();
    assert_eq!(world.turns(), [(1, "I want an apartment in Delhi".to_owned())]);
}

/// The words were settled and the turn committed; the caller goes on and hangs up.
#[test]
fn words_of_a_reopened_turn_are_on_record_after_a_hang_up() {
    let mut world = World::new(Timing::default());
    world.play_all();
    world.say("I want an apartment in Delhi");
    world.begin();
    world.input(Input::Ended(EndReason::CallerHangup));
    assert_eq!(world.turns(), [(1, "I want an apartment in Delhi".to_owned())]);
}

/// The words were settled, the silence not full.
#[test]
fn words_that_are_settled_are_on_record_after_a_hang_up() {
    let mut world = World::new(Timing::default());
    world.play_all();
    world.begin();
    world.pass(ms(800));
    world.end(8_000);
    world.words("sixty lakh rupees");
    world.input(Input::Ended(EndReason::CallerHangup));
    assert_eq!(world.turns(), [(1, "sixty lakh rupees".to_owned())]);
}

/// The answer to the first of two questions about a turn comes after the second was asked.
#[test]
fn the_answer_to_a_superseded_question_does_not_settle_the_turn() {
    let mut world = World::new(Timing::default());
    world.play_all();
    world.begin();
    world.pass(ms(300));
    world.end(4_000);
    world.pass(ms(100));
    world.begin();
    world.pass(ms(300));
    world.end(12_000);
    world.answered(TurnId(1), 4_000, "sixty", Covers::WholeTurn);
    world.pass(ms(400));
    world.words("sixty lakh rupees");
    world.pass(ms(400));
    world.play_all();
    assert_eq!(world.turns(), [(1, "sixty lakh rupees".to_owned())]);
}

/// A streaming engine that died in the turn reads it again from its beginning.
#[test]
fn a_restarted_streaming_recogniser_does_not_double_words() {
    let mut world = World::new(Timing::default());
    world.play_all();
    world.begin();
    world.pass(ms(300));
    world.end(4_000);
    world.answered(TurnId(1), 4_000, "sixty", Covers::SinceLastFinal);
    world.begin();
    world.input(Input::Restarted(Part::Stt));
    world.pass(ms(300));
    world.end(12_000);
    world.answered(TurnId(1), 12_000, "sixty lakh rupees", Covers::SinceLastFinal);
    world.pass(ms(400));
    world.play_all();
    assert_eq!(world.turns(), [(1, "sixty lakh rupees".to_owned())]);
}

/// A brain that answers nothing at all: the caller hears something within 2 s.
#[test]
fn a_brain_that_says_nothing_is_no_dead_air() {
    let mut world = World::new(Timing::default());
    world.play_all();
    world.hold_brain = true;
    world.say("I want an apartment in Delhi");
    let (number, _) = world.asks.pop_front().unwrap();
    world.input(Input::BrainDone { ask: number });
    world.pass(ms(2_000));
    assert!(
        world.core.utterance().is_some(),
        "next: {:?}",
        world.core.poll_timeout().map(|(at, why)| (at - world.now, why))
    );
}

/// Noise that never ends: a turn has a longest length.
#[test]
fn speech_that_never_ends_does_not_hold_the_call() {
    let mut world = World::new(Timing::default());
    world.play_all();
    world.begin();
    world.pass(Duration::from_secs(120));
    assert!(
        !world.transcribe.is_empty() || world.cuts > 0 || world.core.utterance().is_some(),
        "two minutes of nothing"
    );
}

/// What was taken back is taken back on record too.
#[test]
fn a_reply_that_was_taken_back_leaves_no_progress_on_record() {
    let mut world = World::new(Timing::default());
    world.play_all();
    let progress = |world: &World| {
        let state =
            |note: &Note| if let Note::Progress(state) = note { Some(world.brain.extracted(state)) } else { None };
        world.notes.iter().rev().find_map(state).unwrap()
    };
    let before = progress(&world);
    world.say("I want an apartment in Delhi");
    world.begin();
    world.input(Input::Ended(EndReason::CallerHangup));
    let (after, turns) = (progress(&world), world.turns());
    assert!(after == before || !turns.is_empty(), "slots {after:?} of words that are not on record");
}
