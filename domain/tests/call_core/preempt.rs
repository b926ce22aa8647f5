//! An answer is begun while the silence runs, and counts only if the turn ends with the words it was begun for.

use tandem_domain::agent::Timing;
use tandem_domain::call_core::{Input, Part};
use tandem_domain::playbook::Decision;
use tandem_domain::port::brain::{BrainEvent, Prompt};
use tandem_domain::port::stt::Covers;

use crate::world::{World, ms};

fn early() -> Timing {
    Timing { preemptive_generation: true, ..Timing::default() }
}

/// A call whose greeting was heard.
fn greeted(timing: Timing) -> World {
    let mut world = World::greeted(timing);
    world.hold_brain = true;
    world
}

/// The caller speaks for a second; the words are there 250 ms after it.
fn says(world: &mut World, text: &str) {
    world.begin();
    world.pass(ms(800));
    world.end(8_000);
    world.pass(ms(50));
    world.words(text);
}

/// The number of the ask that the brain has, and its words.
fn asked(world: &World) -> Option<(u32, String)> {
    let (number, ask) = world.asks.back()?;
    match &ask.prompt {
        Prompt::Heard { text, .. } => Some((*number, text.clone())),
        _ => None,
    }
}

#[test]
fn the_brain_is_asked_in_the_silence_and_answers_at_its_end() {
    let mut world = greeted(early());
    let spoken = world.spoken.len();
    let state = world.core.state().cloned();
    says(&mut world, "an apartment in Delhi");
    assert_eq!(asked(&world).map(|(_, text)| text).as_deref(), Some("an apartment in Delhi"));
    world.answer();
    assert_eq!((world.spoken.len(), world.core.state().cloned()), (spoken, state), "nothing has happened yet");
    assert_eq!(world.prepared.len(), 1, "the voice has the first sentence");
    world.pass(ms(250));
    assert!(world.spoken.len() > spoken, "the answer is there when the silence is full");
    assert_eq!(
        world.spoken[spoken].2,
        world.prepared[0].clone().unwrap(),
        "the sentence that was prepared is the first"
    );
    assert_eq!(world.slots()["property_type"], "apartment");
    assert_eq!((world.events("preemptive_used").len(), world.events("preemptive_wasted").len()), (1, 0));
    world.play_all();
    let response = world.responses().last().copied().unwrap();
    assert_eq!(response.stages.iter().map(|(_, time)| *time).sum::<std::time::Duration>(), response.latency.unwrap());
}

/// A model that takes 400 ms to its first sentence.
fn latency(timing: Timing) -> std::time::Duration {
    let mut world = greeted(timing);
    says(&mut world, "an apartment in Delhi");
    let ended = world.now - ms(250);
    if asked(&world).is_none() {
        world.pass(ms(250)); // the silence is full
    }
    world.pass(ms(400));
    world.answer();
    world.play();
    world.now - ended
}

#[test]
fn the_reply_comes_sooner_by_the_time_that_the_silence_still_ran() {
    assert_eq!(latency(Timing::default()), ms(900));
    assert_eq!(latency(early()), ms(650));
}

#[test]
fn who_goes_on_is_not_answered_to_half_a_sentence() {
    let mut world = greeted(early());
    let spoken = world.spoken.len();
    says(&mut world, "an apartment");
    world.answer();
    world.pass(ms(100));
    says(&mut world, "an apartment in Delhi");
    assert_eq!(world.prepared.iter().filter(|sentence| sentence.is_none()).count(), 1, "the voice forgets it");
    assert_eq!(asked(&world).map(|(_, text)| text).as_deref(), Some("an apartment in Delhi"));
    world.answer();
    world.pass(ms(250));
    assert!(world.spoken.len() > spoken);
    assert_eq!(world.slots()["property_type"], "apartment");
    assert!(world.slots().contains_key("location"), "{:?}", world.slots());
    let wasted = world.events("preemptive_wasted");
    assert_eq!((wasted.len(), world.events("preemptive_used").len()), (1, 1));
    assert!(wasted[0].starts_with("went_on: ask ") && wasted[0].ends_with(" characters"), "{wasted:?}");
}

#[test]
fn an_answer_that_is_thrown_away_leaves_no_state_no_decision_and_no_tool() {
    let mut world = greeted(early());
    let before = (world.core.state().cloned(), world.core.decision());
    says(&mut world, "thank you, that is enough");
    let (number, _) = asked(&world).unwrap();
    let other = tandem_domain::playbook::Playbook::logistics();
    let opening = other.start(&tandem_domain::playbook::Context::default()).state;
    for event in [
        BrainEvent::FirstToken,
        BrainEvent::Say("Goodbye!".into()),
        BrainEvent::State(Box::new(opening)),
        BrainEvent::Decision(Decision::ThankYouResponse),
    ] {
        world.input(Input::Brain { ask: number, event });
    }
    world.input(Input::BrainDone { ask: number });
    world.begin(); // no, it is not
    assert_eq!((world.core.state().cloned(), world.core.decision()), before);
    assert!(world.spoken.iter().all(|(.., text)| text != "Goodbye!"));
    assert!(world.ended.is_empty());
    world.input(Input::Brain { ask: number, event: BrainEvent::Say("Late.".into()) });
    assert!(world.spoken.iter().all(|(.., text)| text != "Late."), "a stale answer");
}

#[test]
fn words_after_which_more_comes_are_not_worth_an_answer() {
    let mut world = greeted(early());
    says(&mut world, "I want to");
    assert_eq!(asked(&world), None);
    world.pass(ms(950));
    assert!(asked(&world).is_some(), "asked when the turn is over");
    assert!(world.events("preemptive_used").is_empty());
}

#[test]
fn a_caller_who_pauses_after_every_word_costs_two_answers_and_no_more() {
    let mut world = greeted(early());
    let mut text = String::new();
    for word in ["an", "old", "apartment", "in", "south", "Delhi"] {
        text = format!("{text} {word}");
        says(&mut world, text.trim());
        world.pass(ms(50));
    }
    world.begin();
    assert_eq!(world.events("preemptive_wasted").len(), 2);
}

#[test]
fn a_brain_that_fails_early_is_asked_again_when_the_turn_is_over() {
    let mut world = greeted(early());
    says(&mut world, "an apartment in Delhi");
    let (number, _) = asked(&world).unwrap();
    world.asks.clear();
    world.input(Input::BrainFailed { ask: number });
    world.pass(ms(250));
    let (again, text) = asked(&world).unwrap();
    assert!(again > number && text == "an apartment in Delhi");
    world.answer();
    assert_eq!(world.slots()["property_type"], "apartment");

    let mut world = greeted(early());
    says(&mut world, "an apartment in Delhi");
    let (number, _) = asked(&world).unwrap();
    world.input(Input::Restarted(Part::Dialogue));
    world.pass(ms(250));
    assert!(asked(&world).unwrap().0 > number, "its driver died with it");
}

#[test]
fn what_the_brain_is_told_meanwhile_makes_its_answer_stale() {
    let mut world = greeted(early());
    says(&mut world, "an apartment in Delhi");
    let (number, _) = asked(&world).unwrap();
    world.input(Input::Context("The page shows villas.".into()));
    world.pass(ms(250));
    assert!(asked(&world).unwrap().0 > number);
    assert_eq!(world.events("preemptive_wasted").len(), 1);
}

#[test]
fn an_answer_that_is_not_whole_goes_on_after_the_turn_is_over() {
    let mut world = greeted(early());
    says(&mut world, "an apartment in Delhi");
    let (number, _) = asked(&world).unwrap();
    world.input(Input::Brain { ask: number, event: BrainEvent::Say("Noted.".into()) });
    world.pass(ms(250));
    assert_eq!(world.last_text(), "Noted.");
    world.input(Input::Brain { ask: number, event: BrainEvent::Say("Where?".into()) });
    world.input(Input::BrainDone { ask: number });
    assert_eq!(world.last_text(), "Noted. Where?");
    assert_eq!(world.asks.len(), 1, "the one ask was enough");
}

#[test]
fn a_recogniser_that_changes_its_mind_is_answered_by_its_last_words() {
    let mut world = greeted(early());
    says(&mut world, "an apartment in Delhi");
    let (turn, _, to) = *world.transcribe.last().unwrap();
    world.answered(turn, to, "an office in Delhi", Covers::WholeTurn);
    world.answer();
    world.answer();
    world.pass(ms(250));
    assert_eq!(world.slots()["property_type"], "office");
    assert_eq!(world.events("preemptive_wasted").len(), 1);
}

#[test]
fn a_partial_that_stays_is_as_good_as_settled_words() {
    let mut world = greeted(early());
    world.begin();
    world.input(Input::Partial("an apartment".into()));
    world.pass(ms(800));
    world.end(8_000);
    world.input(Input::Partial("an apartment in Delhi".into()));
    assert_eq!(asked(&world), None, "it has just changed");
    world.input(Input::Partial("An apartment in Delhi.".into()));
    assert!(asked(&world).is_some());
    world.answer();
    world.pass(ms(100));
    world.words("An apartment, in Delhi");
    world.pass(ms(300));
    assert_eq!(world.slots()["property_type"], "apartment");
    assert_eq!((world.events("preemptive_used").len(), world.events("preemptive_wasted").len()), (1, 0));
}
