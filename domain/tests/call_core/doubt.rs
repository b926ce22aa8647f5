//! Words that were hardly understood: asked for again, not for ever, and never guessed.

use tandem_domain::agent::{Timing, Uncertainty};
use tandem_domain::call_core::{Input, Lines, Note};
use tandem_domain::journal::Setup;
use tandem_domain::port::brain::Prompt;
use tandem_domain::port::stt::Covers;

use crate::world::{World, ms};

/// A greeted caller of an agent that doubts below 0.6.
fn doubting(message: Option<&str>) -> World {
    let uncertainty = Uncertainty { enabled: true, threshold: 0.6, message: message.map(str::to_owned) };
    let mut world = World::before(Setup { uncertainty, ..Setup::default() });
    world.input(Input::Started);
    world.play_all();
    world
}

/// The caller speaks for a second and is understood with this confidence.
fn says(world: &mut World, text: &str, confidence: Option<f32>) {
    world.speak(1_000);
    let (turn, _, to) = *world.transcribe.last().unwrap();
    world.input(Input::Transcript { turn, to, text: text.into(), confidence, covers: Covers::WholeTurn });
    world.pass(ms(300));
}

fn doubted(world: &World) -> Vec<String> {
    let detail = |note: &'_ Note| match note {
        Note::Event { kind: "low_confidence", detail } => Some(detail.clone()),
        _ => None,
    };
    world.notes.iter().filter_map(detail).collect()
}

#[test]
fn hardly_understood_words_are_asked_for_again_and_stay_on_record() {
    let mut world = doubting(None);
    says(&mut world, "an apartment in Delhi", Some(0.4));
    assert_eq!(world.last_text(), "Sorry, I didn't catch that.");
    assert!(world.slots().is_empty(), "nothing is guessed");
    world.play_all();
    assert_eq!(world.turns(), [(1, "an apartment in Delhi".to_owned())]);
    let turn = world.notes.iter().find_map(|note| if let Note::UserTurn(turn) = note { Some(turn) } else { None });
    assert_eq!(turn.unwrap().confidence, Some(0.4));
    let response = world.responses()[1];
    assert_eq!((response.turn.map(|turn| turn.0), response.latency), (Some(1), Some(ms(500))));
    says(&mut world, "an apartment in Delhi", Some(0.9));
    assert_eq!(world.slots()["property_type"], "apartment");
    assert_eq!(doubted(&world), ["0.40"]);
}

#[test]
fn the_third_time_in_a_row_the_brain_has_what_was_understood() {
    let mut world = doubting(None);
    for _ in 0..2 {
        says(&mut world, "an apartment", Some(0.5));
        world.play_all();
        assert!(world.slots().is_empty());
    }
    world.hold_brain = true;
    says(&mut world, "an apartment", Some(0.5));
    let (_, ask) = &world.asks[0];
    assert_eq!(ask.prompt, Prompt::Heard { text: "an apartment".into(), confidence: Some(0.5) });
    world.answer();
    world.hold_brain = false;
    world.play_all();
    assert_eq!(world.slots()["property_type"], "apartment");
    says(&mut world, "in Delhi", Some(0.5));
    assert_eq!(doubted(&world).len(), 3, "and the count begins anew");
}

#[test]
fn speech_without_a_word_is_doubted_in_the_same_way() {
    let mut world = doubting(Some("Come again?"));
    for _ in 0..2 {
        says(&mut world, "", None);
        assert_eq!(world.last_text(), "Come again?");
        world.play_all();
    }
    says(&mut world, "", None);
    assert!(
        world.last_text().starts_with("Sorry, I did not hear you."),
        "the playbook counts it: {}",
        world.last_text()
    );
    assert_eq!(doubted(&world), ["no words", "no words"]);
    assert!(world.turns().is_empty(), "there is nothing to put on record");
}

#[test]
fn a_yes_that_was_hardly_heard_confirms_nothing() {
    let mut world = doubting(None);
    for text in ["an apartment in Delhi", "sixty lakh rupees", "tomorrow evening"] {
        says(&mut world, text, Some(0.9));
        world.play_all();
    }
    let asked = world.core.state().unwrap().clone();
    says(&mut world, "no", Some(0.3));
    assert_eq!(world.last_text(), "Sorry, I didn't catch that.");
    assert_eq!(world.core.state(), Some(&asked), "the question stands");
}

#[test]
fn who_is_understood_who_types_and_who_has_no_figure_is_believed() {
    for text in [Some(0.6), Some(1.0), None] {
        let mut world = doubting(None);
        says(&mut world, "an apartment", text);
        assert_eq!(world.slots()["property_type"], "apartment", "{text:?}");
    }
    let mut world = doubting(None);
    world.input(Input::Typed("an apartment".into()));
    assert_eq!(world.slots()["property_type"], "apartment");
}

#[test]
fn it_is_off_unless_an_agent_switches_it_on() {
    let mut world = World::new(Timing::default());
    world.play_all();
    says(&mut world, "an apartment", Some(0.36));
    assert_eq!(world.slots()["property_type"], "apartment");
    assert!(doubted(&world).is_empty());
}

#[test]
fn the_line_is_in_the_call_s_language() {
    let lines = Lines::of("hi-IN");
    let uncertainty = Uncertainty { enabled: true, ..Uncertainty::default() };
    let mut world = World::before(Setup { uncertainty, lines: lines.clone(), ..Setup::default() });
    world.brain_in("hi");
    world.input(Input::Started);
    world.play_all();
    says(&mut world, "फ्लैट", Some(0.2));
    assert_eq!(world.last_text(), lines.unsure);
}

#[test]
fn it_is_interrupted_and_taken_back_like_an_answer() {
    let mut world = doubting(None);
    says(&mut world, "an apart", Some(0.2));
    world.begin(); // before a word of it was heard: the same turn
    assert_eq!(world.cuts, 1);
    world.pass(ms(400));
    world.end(16_000);
    world.words("an apartment in Delhi");
    world.pass(ms(400));
    world.play_all();
    assert_eq!(world.turns(), [(1, "an apartment in Delhi".to_owned())]);
}
