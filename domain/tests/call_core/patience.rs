//! Patience with a silent caller: the ladder in whole calls, a moment that is asked for, fillers, and the longest call.

use std::time::Duration;

use tandem_domain::agent::Timing;
use tandem_domain::call_core::{Input, Lines};
use tandem_domain::journal::Setup;
use tandem_domain::port::brain::{BrainEvent, Prompt};
use tandem_domain::record::EndReason;
use tandem_domain::transcript::Role;

use crate::world::{SENTENCE, World, ms};

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// When the core next acts, and why.
fn next(world: &World) -> (Duration, &'static str) {
    let (at, why) = world.core.poll_timeout().unwrap();
    (at - world.now, why)
}

#[test]
fn three_reprompts_in_other_words_each_time_and_then_a_polite_end() {
    let mut world = World::greeted(Timing::default());
    let mut said = Vec::new();
    for _ in 0..3 {
        assert_eq!(next(&world), (secs(7), "silence"));
        world.pass(secs(7));
        said.push(world.last_text());
        world.play_all();
    }
    said.dedup();
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said.iter().all(|line| line.contains("property") || line.contains("apartment")), "{said:?}");
    world.pass(secs(7));
    assert_eq!(world.last_text(), Lines::default().silence);
    world.play_all();
    assert_eq!(world.ended, [EndReason::Silence]);
}

#[test]
fn a_set_silence_ends_the_call_whatever_the_rung() {
    let mut world = World::greeted(Timing { end_after_silence: Some(secs(20)), ..Timing::default() });
    let quiet = world.now;
    while world.ended.is_empty() {
        world.pass(secs(7).min(next(&world).0));
        world.play_all();
    }
    assert_eq!(world.ended, [EndReason::Silence]);
    assert!((secs(20)..=secs(23)).contains(&(world.now - quiet)), "{:?}", world.now - quiet);
}

#[test]
fn a_brain_that_takes_its_time_is_no_silence_of_the_callers() {
    let mut world = World::greeted(Timing { answer_limit: secs(60), soft_timeout: None, ..Timing::default() });
    world.hold_brain = true;
    world.say("I want an apartment");
    world.pass(secs(50));
    assert_eq!(world.events("silence").len(), 0);
    world.answer();
    world.play_all();
    assert_eq!(next(&world), (secs(7), "silence"), "it counts from the end of the answer");
}

#[test]
fn who_types_or_presses_keys_is_there() {
    let mut world = World::greeted(Timing::default());
    world.pass(secs(7));
    world.play_all();
    for key in [Input::Dtmf('5'), Input::Activity] {
        world.pass(secs(6));
        world.input(key);
        assert_eq!(next(&world), (secs(7), "silence"));
    }
    world.pass(secs(7));
    let rungs = world.events("silence");
    assert_eq!(rungs, ["reprompt 1", "reprompt 1"], "the ladder begins anew");
}

#[test]
fn a_held_voice_is_no_silence_of_the_callers() {
    let mut world = World::new(Timing { turn_after_silence: ms(800), ..Timing::default() });
    world.play();
    world.heard = SENTENCE / 2;
    world.speak(400);
    world.pass(ms(1_300));
    assert_eq!((world.resumed.len(), world.events("silence").len()), (1, 0));
    world.play_all();
    assert_eq!(next(&world).1, "endpoint", "the recogniser may still have words");
    world.words("");
    assert_eq!(next(&world).1, "silence");
}

#[test]
fn a_dog_that_barks_every_few_seconds_holds_no_call_open() {
    let mut world = World::greeted(Timing::default());
    let quiet = world.now;
    while world.ended.is_empty() {
        world.pass(ms(4_000));
        if world.ended.is_empty() && world.core.utterance().is_none() {
            world.speak(350);
            world.understand("");
        }
        if world.core.utterance().is_some() && !world.core.agent_speaking() {
            world.play_all();
        }
        assert!(world.now - quiet < secs(90), "still up: {:?}", world.events("silence"));
    }
    assert_eq!(world.ended, [EndReason::Silence]);
    assert_eq!(world.events("silence").len(), 3);
}

#[test]
fn nothing_is_said_into_a_sound() {
    let mut world = World::greeted(Timing::default());
    world.pass(ms(6_900));
    world.begin();
    world.pass(ms(1_500));
    assert_eq!(world.events("silence").len(), 0);
    world.end(16_000);
    world.understand("I want an apartment");
    assert_eq!(world.events("silence").len(), 0);
    assert!(world.slots().contains_key("property_type"));
}

#[test]
fn who_asks_for_a_moment_has_three_rungs_of_quiet_and_is_then_asked() {
    let mut world = World::greeted(Timing::default());
    world.say("ek minute, let me check");
    assert_eq!(world.last_text(), "Take your time.");
    world.play_all();
    assert_eq!(next(&world), (secs(21), "silence"));
    assert_eq!(world.events("skip_turn").len(), 1);
    world.pass(secs(21));
    assert!(world.last_text().starts_with("Are you still there?"));
    world.play_all();
    assert_eq!(next(&world), (secs(7), "silence"));
    world.say("an apartment");
    world.play_all();
    assert_eq!(next(&world), (secs(7), "silence"), "a turn that is answered ends it");
}

#[test]
fn a_brain_may_leave_the_turn_to_the_caller_without_a_word() {
    let mut world = World::greeted(Timing::default());
    world.hold_brain = true;
    world.say("let me get my papers");
    let spoken = world.spoken.len();
    let (ask, _) = world.asks.pop_front().unwrap();
    world.input(Input::Brain { ask, event: BrainEvent::SkipTurn });
    world.input(Input::BrainDone { ask });
    assert_eq!(world.spoken.len(), spoken, "no apology");
    assert_eq!(next(&world), (secs(21), "silence"));
    assert_eq!(world.turns().len(), 1, "what was said is on record");
    world.pass(secs(20));
    assert_eq!(world.spoken.len(), spoken, "nor a filler, nor a reprompt");
    world.say("so, an apartment");
    assert_eq!(world.asks[0].1.prompt, Prompt::Heard { text: "so, an apartment".into(), confidence: Some(0.9) });
}

#[test]
fn a_reprompt_cannot_be_skipped_for_ever() {
    let mut world = World::greeted(Timing::default());
    world.hold_brain = true;
    for _ in 0..3 {
        world.pass(secs(7));
        let (ask, asked) = world.asks.pop_front().unwrap();
        assert!(matches!(asked.prompt, Prompt::Silence { .. }));
        world.input(Input::Brain { ask, event: BrainEvent::SkipTurn });
        world.input(Input::BrainDone { ask });
        assert_eq!(world.last_text(), Lines::default().there, "somebody is there");
        world.play_all();
        assert_eq!(next(&world), (secs(7), "silence"));
    }
    world.pass(secs(7));
    world.play_all();
    assert_eq!(world.ended, [EndReason::Silence]);
}

#[test]
fn a_brain_that_fails_leaves_no_caller_in_silence() {
    let mut world = World::greeted(Timing::default());
    world.hold_brain = true;
    for failed in [false, true] {
        world.pass(secs(7));
        let (ask, _) = world.asks.pop_front().unwrap();
        world.input(if failed { Input::BrainFailed { ask } } else { Input::BrainDone { ask } });
        assert_eq!(world.last_text(), Lines::default().there);
        world.play_all();
    }
    world.say("I want an apartment");
    let (ask, _) = world.asks.pop_front().unwrap();
    world.input(Input::BrainDone { ask });
    assert_eq!(world.last_text(), Lines::default().sorry, "who said something has not to be told that we are there");
}

#[test]
fn a_recogniser_that_takes_its_time_over_a_cough_delays_no_reprompt() {
    let mut world = World::new(Timing::default());
    world.play();
    world.begin(); // too short to hold our voice
    world.end(2_000);
    world.play_all();
    assert_ne!(next(&world).1, "silence", "the recogniser may still have words");
    world.pass(ms(2_500));
    world.words("");
    assert_eq!(next(&world), (ms(4_500), "silence"), "from the end of our own words");
}

#[test]
fn an_answer_that_does_not_end_is_cut_off() {
    let mut world = World::greeted(Timing::default());
    world.hold_brain = true;
    world.say("I want an apartment");
    let (ask, _) = world.asks.pop_front().unwrap();
    let before = world.spoken.len();
    for _ in 0..500 {
        world.input(Input::Brain { ask, event: BrainEvent::Say("And another thing that I meant to say.".into()) });
    }
    let said: usize = world.spoken[before..].iter().map(|(_, _, text)| text.len()).sum();
    assert!((3_000..3_100).contains(&said), "{said}");
    assert_eq!(world.events("answer_cut_off").len(), 1);
    world.play_all();
    assert_eq!(next(&world), (secs(7), "silence"), "and the call goes on");
}

#[test]
fn a_filler_is_not_said_over_a_held_voice_nor_on_its_heels() {
    let mut world = World::greeted(Timing::default());
    world.hold_brain = true;
    world.say("I want an apartment in Delhi");
    world.pass(ms(1_200));
    world.play();
    world.heard = SENTENCE / 2;
    world.pass(ms(1_500));
    world.begin();
    world.pass(ms(200));
    world.end(20_000);
    assert_eq!((world.holds, world.events("filler").len()), (1, 1), "the next was due 200 ms ago");
    world.words("mm-hmm");
    assert_eq!(world.resumed.len(), 1);
    world.pass(ms(1_999));
    assert_eq!(world.events("filler").len(), 1, "what is left of the first is said first");
    world.pass(ms(1));
    assert_eq!(world.events("filler").len(), 2);
}

#[test]
fn who_has_taken_the_floor_hears_no_filler() {
    let mut world = World::greeted(Timing::default());
    world.hold_brain = true;
    world.say("I want an apartment in Delhi");
    world.pass(ms(1_200));
    world.play();
    world.heard = SENTENCE / 2;
    world.begin();
    world.input(Input::Partial("no wait".into()));
    assert_eq!(world.cuts, 1);
    world.pass(ms(5_000));
    assert_eq!(world.events("filler").len(), 1);
}

#[test]
fn the_switch_s_own_lines_follow_the_language_of_the_conversation() {
    let mut world = World::before(Setup::default());
    world.brain_in("hi");
    world.input(Input::Started);
    world.play_all();
    world.hold_brain = true;
    world.say("अपार्टमेंट");
    world.pass(ms(1_200));
    assert_eq!(world.last_text(), Lines::of("hi").filler[0]);
    world.pass(secs(7));
    assert!(world.last_text().ends_with(&Lines::of("hi").sorry));
}

#[test]
fn a_model_learns_that_the_call_ends_soon_and_the_caller_is_taken_leave_of() {
    let timing = Timing { max_duration: secs(120), turn_after_silence: secs(600), ..Timing::default() };
    let mut world = World::greeted(timing);
    world.pass(secs(105));
    assert!(world.core.history().iter().all(|line| line.role != Role::System));
    assert_eq!(next(&world), (secs(1), "time_short"));
    world.pass(secs(1));
    world.hold_brain = true;
    world.say("I want an apartment");
    let (_, ask) = world.asks.pop_front().unwrap();
    let told: Vec<_> = ask.history.iter().filter(|line| line.role == Role::System).collect();
    assert!(told.len() == 1 && told[0].text.contains("12 seconds"), "{told:?}");
    assert_eq!(world.events("time_short"), ["12 s"]);
    world.pass(secs(12));
    assert_eq!(world.last_text(), Lines::default().time_up);
    world.play_all();
    assert_eq!(world.ended, [EndReason::MaxDuration]);
}
