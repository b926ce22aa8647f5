//! Calls whose far end has a screen: what it is shown, what it may type, and tools that it runs.

use std::time::Duration;

use serde_json::{Map, json};
use tandem_domain::agent::Timing;
use tandem_domain::call_core::{Input, Note};
use tandem_domain::ids::{TurnId, UtteranceId};
use tandem_domain::journal::Setup;
use tandem_domain::port::brain::{BrainEvent, ToolCall};
use tandem_domain::port::dialect::Notice;
use tandem_domain::port::dialect::notice::AnswerPart;
use tandem_domain::record::EndReason;
use tandem_domain::transcript::Role;

use crate::world::{SENTENCE, World, ms};

fn page() -> World {
    World::with_screen(Timing::default(), true)
}

/// What the caller is shown of itself.
fn transcripts(world: &World) -> Vec<(u32, &str)> {
    world
        .shown
        .iter()
        .filter_map(|notice| match notice {
            Notice::UserTranscript { turn, text } => Some((turn.0, text.as_str())),
            _ => None,
        })
        .collect()
}

/// The answer that was shown for an utterance, whole and in its parts.
fn answers(world: &World, of: u32) -> (String, String) {
    let (mut whole, mut parts) = (String::new(), String::new());
    for notice in &world.shown {
        match notice {
            Notice::AgentResponse { utterance: UtteranceId(id), text } if *id == of => whole.push_str(text),
            Notice::AgentPart { utterance: UtteranceId(id), part: AnswerPart::Delta(text) } if *id == of => {
                parts.push_str(text);
            }
            _ => {}
        }
    }
    (whole, parts)
}

fn corrections(world: &World) -> Vec<(&str, &str)> {
    world
        .shown
        .iter()
        .filter_map(|notice| match notice {
            Notice::Correction { original, heard, .. } => Some((original.as_str(), heard.as_str())),
            _ => None,
        })
        .collect()
}

fn events(world: &World) -> Vec<(&'static str, &str)> {
    world
        .notes
        .iter()
        .filter_map(|note| match note {
            Note::Event { kind, detail } => Some((*kind, detail.as_str())),
            _ => None,
        })
        .collect()
}

#[test]
fn a_telephone_is_shown_nothing() {
    let mut world = World::new(Timing::default());
    world.play_all();
    world.say("I want an apartment in Delhi");
    world.play_all();
    assert!(world.shown.is_empty());
}

#[test]
fn a_turn_and_its_answer_are_shown_as_they_are_made() {
    let mut world = page();
    world.play_all();
    world.input(Input::SpeechStarted { at: 0, began: world.now });
    world.input(Input::Partial("I want an".into()));
    world.input(Input::SpeechEnded { to: 8_000, ended: world.now });
    world.understand("I want an apartment in Delhi");
    world.pass(ms(300));
    assert!(world.shown.contains(&Notice::TentativeTranscript { turn: TurnId(1), text: "I want an".into() }));
    assert_eq!(transcripts(&world), [(1, "I want an apartment in Delhi")]);
    let (whole, parts) = answers(&world, 2);
    assert_eq!((whole.as_str(), parts.as_str()), (world.last_text().as_str(), world.last_text().as_str()));

    world.pass(ms(40));
    world.play();
    let latency = world.shown.iter().find_map(|notice| match notice {
        Notice::Latency { utterance: UtteranceId(2), total, stages } => Some((*total, stages.clone())),
        _ => None,
    });
    let (total, stages) = latency.expect("the answer's latency");
    assert_eq!(stages.iter().map(|(_, time)| *time).sum::<Duration>(), total);
    world.input(Input::Partial("late".into()));
    assert!(!matches!(world.shown.last(), Some(Notice::TentativeTranscript { .. })), "nobody speaks");
}

#[test]
fn an_interruption_corrects_what_was_shown() {
    let mut world = page();
    world.play();
    world.heard = SENTENCE / 2;
    world.speak(1_000);
    assert_eq!(corrections(&world), [], "it may go on yet");
    world.understand("I want a villa in Pune");
    let greeting = world.responses()[0].clone();
    assert_eq!(corrections(&world), [(greeting.text.as_str(), greeting.heard.as_str())]);
}

#[test]
fn an_answer_that_nobody_heard_is_corrected_to_nothing() {
    let mut world = page();
    world.play_all();
    world.say("I want an apartment");
    let answer = world.last_text();
    world.begin(); // the caller goes on before our first sample
    assert_eq!(corrections(&world), [(answer.as_str(), "")]);
    world.end(24_000);
    world.words("I want an apartment in Delhi");
    world.pass(ms(500));
    let shown = [(1, "I want an apartment"), (1, "I want an apartment in Delhi")];
    assert_eq!(transcripts(&world), shown, "the same turn, with more words");
}

#[test]
fn a_typed_turn_is_answered_as_a_spoken_one() {
    let mut world = page();
    world.play_all();
    world.input(Input::Typed("  I want an apartment in Delhi ".into()));
    assert!(world.last_text().contains("Delhi"), "{}", world.last_text());
    world.play_all();
    world.input(Input::Typed("sixty lakh rupees".into()));
    world.play_all();
    assert_eq!(world.slots()["budget"], 6_000_000);
    assert_eq!(world.turns(), [(1, "I want an apartment in Delhi".into()), (2, "sixty lakh rupees".into())]);
    assert!(world.notes.iter().all(|note| !matches!(note, Note::UserTurn(turn) if !turn.typed)));
    assert_eq!(world.responses()[1].latency, Some(Duration::ZERO), "nothing had to be waited for");
}

#[test]
fn typing_interrupts_as_speech_does() {
    let mut world = page();
    world.play();
    world.heard = SENTENCE / 2;
    world.input(Input::Typed("I want a villa in Pune".into()));
    assert_eq!(world.cuts, 1);
    assert!(world.responses()[0].interrupted);
    assert!(world.last_text().contains("Pune"));
    let roles: Vec<Role> = world.core.history().iter().map(|line| line.role).collect();
    assert_eq!(roles, [Role::Agent], "what was heard of us comes before the turn that interrupted it");
}

#[test]
fn a_typed_turn_that_is_followed_by_speech_is_not_forgotten() {
    let mut world = page();
    world.play_all();
    world.hold_brain = true;
    world.input(Input::Typed("I want an apartment".into()));
    world.speak(1_000);
    world.understand("in Delhi");
    world.pass(ms(300));
    world.hold_brain = false;
    world.answer(); // too late: the question was superseded
    world.answer();
    world.play_all();
    assert_eq!(world.turns(), [(1, "I want an apartment".into()), (2, "in Delhi".into())]);
}

#[test]
fn what_was_said_before_something_was_typed_stays_said() {
    let mut world = page();
    world.play_all();
    world.hold_brain = true;
    world.say("I want an apartment");
    world.input(Input::Typed("in Delhi".into()));
    world.hold_brain = false;
    world.answer();
    world.play_all();
    assert_eq!(world.turns(), [(1, "I want an apartment".into()), (2, "in Delhi".into())]);
}

#[test]
fn activity_is_no_silence_and_context_is_no_speech() {
    let mut world = page();
    world.play_all();
    for _ in 0..5 {
        world.pass(ms(6_000));
        world.input(Input::Activity);
    }
    assert_eq!(world.responses().len(), 1, "nobody was asked whether they are there");
    for number in 0..200 {
        world.input(Input::Context(format!("looks at flat {number}")));
    }
    let context: Vec<&str> =
        world.core.history().iter().filter(|line| line.role == Role::System).map(|line| line.text.as_str()).collect();
    assert_eq!((context.len(), context.last()), (64, Some(&"looks at flat 199")));
    assert!(world.turns().is_empty());
}

fn map() -> ToolCall {
    ToolCall { name: "show_map".into(), parameters: Map::from_iter([("city".to_owned(), json!("Delhi"))]) }
}

/// A call in which the brain asks for a tool while it answers.
fn with_tool(mut world: World) -> World {
    world.play_all();
    world.hold_brain = true;
    world.say("I want an apartment in Delhi");
    let ask = world.asks.front().unwrap().0;
    world.input(Input::Brain { ask, event: BrainEvent::Tool(map()) });
    world.input(Input::Brain { ask, event: BrainEvent::Tool(map()) }); // asked again, after its driver died
    world
}

#[test]
fn a_tool_is_called_once_and_settled_once() {
    let mut world = with_tool(page());
    let calls: Vec<&Notice> = world.shown.iter().filter(|notice| matches!(notice, Notice::ToolCall { .. })).collect();
    assert_eq!(calls, [&Notice::ToolCall { id: "tool_1".into(), call: map() }]);
    let done = |id: &str| Input::ToolResult { id: id.into(), result: "shown".into(), is_error: false };
    world.input(done("tool_7"));
    world.input(done("tool_1"));
    world.input(done("tool_1"));
    let settled = |notice: &&Notice| matches!(notice, Notice::ToolDone { is_error: false, answered: true, .. });
    assert_eq!(world.shown.iter().filter(settled).count(), 1);
    let call = ("tool_call", r#"show_map {"city":"Delhi"}"#);
    assert_eq!(events(&world), [call, ("tool_result", "show_map: shown")]);
}

#[test]
fn a_tool_that_does_not_answer_has_failed_and_holds_nothing_up() {
    let mut world = with_tool(page());
    world.hold_brain = false;
    world.answer();
    world.play_all();
    world.pass(ms(20_000));
    let failed = |notice: &&Notice| matches!(notice, Notice::ToolDone { is_error: true, answered: false, .. });
    assert_eq!(world.shown.iter().filter(failed).count(), 1);
    assert!(events(&world).contains(&("tool_error", "show_map: no answer within 20 s")));
}

#[test]
fn a_telephone_runs_no_tools() {
    let world = with_tool(World::new(Timing::default()));
    assert_eq!(events(&world)[1..], [("tool_unavailable", "show_map")]);
}

#[test]
fn a_goodbye_is_not_interrupted_by_typing() {
    let mut world = page();
    world.play_all();
    world.input(Input::Dismiss(EndReason::Drained));
    let goodbye = world.core.utterance();
    world.input(Input::Typed("wait".into()));
    assert_eq!(world.core.utterance(), goodbye);
    world.play_all();
    assert_eq!(world.ended, [EndReason::Drained]);
}

#[test]
fn a_caller_who_reads_has_read_what_was_shown() {
    let reads = Setup { screen: true, reads: true, ..Setup::default() };
    let mut world = World::before(reads);
    world.input(Input::Started);
    let greeting = world.last_text();
    world.input(Input::Typed("I want an apartment in Delhi".into())); // before a sample was made
    assert_eq!((world.core.history()[0].text.as_str(), corrections(&world).len()), (greeting.as_str(), 0));
    assert!(!world.responses()[0].interrupted);
}
