//! The filler: said once when an answer takes its time, part of the same utterance, and told truthfully.

use tandem_domain::agent::Timing;
use tandem_domain::call_core::{Input, Lines, Note, Part};
use tandem_domain::journal::Setup;
use tandem_domain::ledger::{Heard, SentenceAudio};
use tandem_domain::port::brain::BrainEvent;
use tandem_domain::transcript::Role;

use crate::world::{SENTENCE, World, ms};

/// A call in which a turn was committed 300 ms ago, and the brain is silent.
fn waiting(timing: Timing) -> World {
    let mut world = World::new(timing);
    world.play_all();
    world.hold_brain = true;
    world.say("I want an apartment in Delhi");
    world
}

fn answer(world: &mut World, event: BrainEvent) {
    let ask = world.asks[0].0;
    world.input(Input::Brain { ask, event });
}

fn say(world: &mut World, text: &str) {
    answer(world, BrainEvent::Say(text.to_owned()));
}

fn done(world: &mut World) {
    let (ask, _) = world.asks.pop_front().unwrap();
    world.input(Input::BrainDone { ask });
}

fn fillers(world: &World) -> usize {
    world.notes.iter().filter(|note| matches!(note, Note::Event { kind: "filler", .. })).count()
}

#[test]
fn an_answer_that_takes_its_time_is_announced_and_follows() {
    let mut world = waiting(Timing::default());
    let greeting = world.spoken.len();
    let (due, why) = world.core.poll_timeout().unwrap();
    assert_eq!(why, "filler");
    assert_eq!(due - world.now, ms(1_200), "time stands where the turn was committed");
    world.pass(ms(1_199));
    assert_eq!(world.spoken.len(), greeting);
    world.pass(ms(1));
    assert_eq!(world.last_text(), Lines::default().filler[0]);
    let utterance = world.play();
    world.pass(ms(1_999));
    assert_eq!(world.spoken.len(), greeting + 1, "one at a time");
    say(&mut world, "Fine.");
    done(&mut world);
    assert_eq!(world.core.utterance(), Some(utterance), "never two at once");
    world.pass(ms(2_000));
    let heard = world.all_heard(utterance);
    world.input(heard);
    let response = world.responses().last().copied().unwrap();
    assert_eq!(
        (response.text.as_str(), response.heard.as_str()),
        ("One moment, please. Fine.", "One moment, please. Fine.")
    );
    assert_eq!(fillers(&world), 1);
    let stages: Vec<_> = response.stages.iter().map(|(name, _)| *name).collect();
    assert_eq!(stages, ["endpointing", "stt_final", "filler", "tts_first_audio"]);
    assert_eq!(response.stages.iter().map(|(_, time)| *time).sum::<std::time::Duration>(), response.latency.unwrap());
}

#[test]
fn an_answer_in_time_needs_none_and_its_stages_add_up() {
    let mut world = waiting(Timing::default());
    world.pass(ms(400));
    answer(&mut world, BrainEvent::FirstToken);
    world.pass(ms(150));
    say(&mut world, "Fine.");
    world.pass(ms(90));
    world.play();
    world.pass(ms(5_000));
    done(&mut world);
    let heard = world.all_heard(world.core.utterance().unwrap());
    world.input(heard);
    assert_eq!(fillers(&world), 0);
    let response = world.responses().last().copied().unwrap();
    let thought = [("llm_first_token", ms(400)), ("llm_first_sentence", ms(150)), ("tts_first_audio", ms(90))];
    assert_eq!(response.stages[2..], thought);
    assert_eq!(response.stages.iter().map(|(_, time)| *time).sum::<std::time::Duration>(), response.latency.unwrap());
}

#[test]
fn a_brain_that_stays_silent_is_covered_until_it_is_given_up() {
    let mut world = waiting(Timing::default());
    world.pass(ms(1_200));
    world.play();
    world.pass(ms(6_799));
    assert_eq!(fillers(&world), 4, "at 1.2, 3.2, 5.2 and 7.2 s");
    world.pass(ms(1));
    assert!(world.last_text().ends_with(&Lines::default().sorry), "{}", world.last_text());
    world.pass(ms(9_000));
    assert_eq!(fillers(&world), 4, "nothing is awaited any more");
}

#[test]
fn an_opening_that_takes_its_time_is_covered_too() {
    let mut world = World::before(Setup::default());
    world.hold_brain = true;
    world.input(Input::Started);
    world.pass(ms(1_200));
    assert_eq!(fillers(&world), 1);
    say(&mut world, "Hello.");
    done(&mut world);
    assert_eq!(world.last_text(), format!("{} Hello.", Lines::default().filler[0]));
}

#[test]
fn it_can_be_switched_off() {
    let mut world = waiting(Timing { soft_timeout: None, ..Timing::default() });
    world.pass(ms(7_900));
    assert_eq!(fillers(&world), 0);
}

#[test]
fn each_turn_takes_the_next_line() {
    let mut world = waiting(Timing::default());
    let mut said = Vec::new();
    for _ in 0..4 {
        world.pass(ms(1_200));
        said.push(world.last_text());
        say(&mut world, "Fine.");
        done(&mut world);
        world.play_all();
        world.say("and then?");
    }
    let lines = Lines::default().filler;
    assert_eq!(said, [0, 1, 2, 0].map(|line: usize| lines[line].clone()));
}

#[test]
fn a_caller_who_speaks_over_it_stops_it_and_the_answer() {
    let mut world = waiting(Timing::default());
    world.pass(ms(1_200));
    world.play();
    world.heard = SENTENCE / 2;
    world.pass(ms(1_000));
    world.begin();
    assert_eq!((world.holds, world.asks.len()), (1, 1), "the brain goes on: it may have been a cough");
    world.pass(ms(2_500));
    assert_eq!(world.cuts, 1);
    assert!(world.asks.is_empty(), "the brain is stopped");
    assert_eq!(world.core.history().last().map(|line| line.role), Some(Role::Agent));
    assert_eq!(world.responses().last().unwrap().text, Lines::default().filler[0]);
    assert!(world.responses().last().unwrap().interrupted);
}

#[test]
fn a_brain_that_fails_after_it_still_apologises() {
    for failure in [|ask| Input::BrainFailed { ask }, |ask| Input::BrainDone { ask }] {
        let mut world = waiting(Timing::default());
        world.pass(ms(1_200));
        let ask = world.asks[0].0;
        world.input(failure(ask));
        let lines = Lines::default();
        assert_eq!(world.last_text(), format!("{} {}", lines.filler[0], lines.sorry));
        let utterance = world.play();
        let audio = SentenceAudio { samples: SENTENCE, complete: true, words: Vec::new() };
        world.input(Input::Spoken(utterance, Heard { samples: 2 * SENTENCE, sentences: vec![audio; 2] }));
        assert_eq!(world.core.poll_timeout().map(|(_, why)| why), Some("silence"), "the call goes on");
    }
}

#[test]
fn a_dead_dialogue_does_not_repeat_the_filler() {
    let mut world = waiting(Timing::default());
    world.pass(ms(1_200));
    world.input(Input::Restarted(Part::Dialogue));
    world.pass(ms(1_999));
    assert_eq!(fillers(&world), 1, "the next one has its own time");
    let (ask, _) = world.asks.pop_back().unwrap();
    world.input(Input::Brain { ask, event: BrainEvent::Say("Fine.".to_owned()) });
    assert_eq!(world.last_text(), "One moment, please. Fine.");
}

#[test]
fn a_reprompt_that_takes_its_time_is_covered() {
    let mut world = World::new(Timing::default());
    world.hold_brain = true;
    world.play_all();
    world.pass(ms(7_000));
    assert_eq!(world.asks.len(), 1, "the first reprompt is asked for");
    world.pass(ms(1_199));
    assert_eq!(fillers(&world), 0);
    world.pass(ms(1));
    assert_eq!(fillers(&world), 1);
}
