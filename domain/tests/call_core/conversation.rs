//! Conversations as they should go, and parts that die in them.

use std::time::Duration;

use tandem_domain::agent::Timing;
use tandem_domain::call_core::{Input, Lines, Note, Part};
use tandem_domain::ids::{TurnId, UtteranceId};
use tandem_domain::ledger::Heard;
use tandem_domain::playbook::Decision;
use tandem_domain::port::brain::{BrainEvent, ToolCall};
use tandem_domain::port::stt::Covers;
use tandem_domain::record::EndReason;

use crate::world::{SENTENCE, World, ms};

#[test]
fn a_whole_call_ends_completed_with_its_slots() {
    let mut world = World::new(Timing::default());
    world.play_all();
    world.say("I want an apartment in Delhi");
    assert!(world.last_text().to_lowercase().contains("delhi"), "read back: {}", world.last_text());
    world.play_all();
    world.say("sixty lakh rupees");
    assert!(world.last_text().contains("sixty lakh"), "read back: {}", world.last_text());
    for _ in 0..3 {
        if world.ended.is_empty() && world.core.utterance().is_some() {
            world.play_all();
            world.pass(ms(7_000));
        }
    }
    assert_eq!(world.ended, [EndReason::Completed]);
    assert_eq!(world.core.decision(), Some(Decision::ThankYouResponse));
    assert_eq!(world.slots()["budget"], 6_000_000);
}

#[test]
fn the_stages_of_a_turn_add_up_to_its_latency() {
    let mut world = World::new(Timing::default());
    world.play_all();
    world.say("I want an apartment in Delhi");
    world.pass(ms(60));
    world.play_all();
    let reply = world.responses()[1];
    assert_eq!(reply.latency, Some(ms(560)));
    assert_eq!(reply.stages.iter().map(|(_, time)| *time).sum::<Duration>(), ms(560));
    assert_eq!(reply.stages[0], ("endpointing", ms(500)));
}

#[test]
fn an_interruption_leaves_only_what_was_heard() {
    let mut world = World::new(Timing::default());
    world.play();
    world.heard = SENTENCE / 2;
    world.speak(1_000);
    assert_eq!((world.holds, world.cuts), (1, 0), "what it means is not known yet");
    world.understand("I want a villa in Pune");
    assert_eq!(world.cuts, 1);
    let greeting = world.responses()[0];
    assert!(
        greeting.interrupted
            && greeting.heard.len() < greeting.text.len()
            && greeting.text.starts_with(&greeting.heard)
    );
    assert_eq!(world.core.history()[0].text, greeting.heard, "the brain sees what the caller heard");
    assert!(world.last_text().contains("Pune"));
}

#[test]
fn a_cough_over_our_voice_does_not_stop_us() {
    let mut world = World::new(Timing::default());
    world.play();
    world.speak(120);
    assert_eq!((world.cuts, world.transcribe.len()), (0, 0));
    assert!(world.core.agent_speaking());
}

#[test]
fn an_interruption_without_words_is_answered_so_that_the_caller_is_not_left_in_silence() {
    let mut world = World::new(Timing::default());
    world.play();
    world.speak(300);
    world.understand("");
    assert!(world.core.utterance().is_some(), "the agent speaks again");
}

#[test]
fn going_on_before_our_reply_takes_the_reply_back() {
    let mut world = World::new(Timing::default());
    world.play_all();
    world.say("I want an apartment");
    assert!(world.slots().contains_key("property_type"));
    world.speak(1_000); // our reply has not begun
    assert_eq!(world.cuts, 1);
    assert!(world.slots().is_empty(), "the slots are those before the turn");
    world.understand("I want an apartment in Delhi");
    world.play_all();
    let turns: Vec<_> = world.notes.iter().filter(|note| matches!(note, Note::UserTurn(_))).collect();
    assert_eq!(turns.len(), 1, "one turn, once");
    assert_eq!(world.responses().len(), 2, "what nobody heard is no response");
}

#[test]
fn silence_is_answered_three_times_and_then_ends_the_call() {
    let mut world = World::new(Timing::default());
    while world.ended.is_empty() {
        world.play_all();
        world.pass(ms(7_000));
        assert!(world.spoken.len() < 20, "bounded");
    }
    assert!(matches!(world.ended[..], [EndReason::Silence | EndReason::Completed]));
}

#[test]
fn the_longest_call_ends_politely_even_in_the_middle_of_a_sentence() {
    let mut world =
        World::new(Timing { max_duration: ms(30_000), turn_after_silence: ms(60_000), ..Timing::default() });
    world.play_all();
    world.pass(ms(25_500));
    world.say("I want an apartment in Delhi");
    world.play();
    world.pass(ms(1_000));
    assert_eq!(world.last_text(), Lines::default().time_up);
    world.play_all();
    assert_eq!(world.ended, [EndReason::MaxDuration]);
}

#[test]
fn a_goodbye_that_nobody_hears_is_not_waited_for() {
    let mut world = World::new(Timing::default());
    world.input(Input::Dismiss(EndReason::Drained));
    world.pass(ms(7_999));
    assert!(world.ended.is_empty());
    world.pass(ms(1));
    assert_eq!(world.ended, [EndReason::Drained]);
}

#[test]
fn hanging_up_in_mid_sentence_records_what_was_heard_and_ends_once() {
    let mut world = World::new(Timing::default());
    world.play();
    world.heard = SENTENCE / 2;
    world.input(Input::Ended(EndReason::CallerHangup));
    world.input(Input::Ended(EndReason::LegLost));
    world.input(Input::Tick);
    assert_eq!(world.ended, [EndReason::CallerHangup]);
    assert!(matches!(world.notes.last(), Some(Note::AgentResponse(response)) if response.interrupted));
}

#[test]
fn a_dead_dialogue_is_asked_again_and_says_nothing_twice() {
    let mut world = World::new(Timing::default());
    world.play_all();
    world.hold_brain = true;
    world.say("I want an apartment in Delhi");
    let (number, _) = world.asks[0].clone();
    world.input(Input::Brain { ask: number, event: BrainEvent::Say("An apartment in Delhi.".into()) });
    let before = world.spoken.len();
    world.input(Input::Restarted(Part::Dialogue));
    let (again, ask) = world.asks.pop_back().unwrap();
    assert_ne!(again, number);
    assert!(ask.state.is_some(), "the slots come from the core");
    world.input(Input::Brain { ask: number, event: BrainEvent::Say("from the grave".into()) });
    world.input(Input::Brain { ask: again, event: BrainEvent::Say("An apartment in Delhi.".into()) });
    assert_eq!(world.spoken.len(), before, "said already");
    world.input(Input::Brain { ask: again, event: BrainEvent::Say("What is your budget?".into()) });
    assert_eq!(world.spoken.len(), before + 1);
}

#[test]
fn a_dead_voice_is_told_again_what_is_to_be_said() {
    let mut world = World::new(Timing::default());
    let before = world.spoken.len();
    world.input(Input::Restarted(Part::Tts));
    assert_eq!(world.spoken.len(), before * 2);
    assert_eq!(world.spoken[..before], world.spoken[before..], "the same sentences under the same numbers");
}

#[test]
fn a_dead_recogniser_is_asked_again() {
    let mut world = World::new(Timing::default());
    world.play_all();
    world.speak(1_000);
    world.input(Input::Restarted(Part::Stt));
    assert_eq!(world.transcribe.len(), 2);
    world.understand("I want an apartment in Delhi");
    assert!(world.last_text().contains("Delhi"));
}

#[test]
fn a_brain_that_never_answers_is_given_up_with_an_apology() {
    let mut world = World::new(Timing::default());
    world.play_all();
    world.hold_brain = true;
    world.say("I want an apartment in Delhi");
    world.pass(ms(8_000));
    assert!(world.last_text().ends_with(&Lines::default().sorry), "after a filler");
}

#[test]
fn a_noise_over_the_last_words_does_not_hold_the_line_open() {
    let mut world = World::new(Timing::default());
    world.play_all();
    world.say("goodbye");
    let utterance = world.play();
    world.pass(ms(1_900));
    world.input(Input::SpeechStarted { at: 0, began: world.now });
    let heard = world.all_heard(utterance);
    world.input(heard);
    assert!(world.ended.is_empty(), "the caller may have something to say");
    world.pass(ms(100));
    let ended = world.now;
    world.pass(ms(200));
    world.input(Input::SpeechEnded { to: 800, ended });
    world.understand("");
    assert_eq!(world.ended, [EndReason::Completed]);
}

#[test]
fn keys_are_kept_as_events() {
    let mut world = World::new(Timing::default());
    world.input(Input::Dtmf('5'));
    assert!(world.notes.iter().any(|note| matches!(note, Note::Event { kind: "dtmf", detail } if detail == "5")));
}

/// Any order of inputs: no panic, at most one utterance at a time, exactly one end.
#[test]
fn any_order_of_inputs_is_survived() {
    use proptest::prelude::*;
    let step = (0u8..19, 0u64..3_000, 0u32..6);
    proptest!(ProptestConfig::with_cases(300), |(steps in proptest::collection::vec(step, 1..120))| {
        let mut world = World::with_screen(Timing::default(), true);
        for (kind, time, number) in steps {
            world.pass(ms(time));
            world.heard = time * 8;
            world.hold_brain = number == 5;
            match kind {
                0 => world.input(Input::SpeechStarted { at: time, began: world.now }),
                1 => world.input(Input::SpeechSustained),
                2 => world.input(Input::SpeechEnded { to: time, ended: world.now }),
                3 | 4 => {
                    let (text, covers) = if kind == 3 { ("in Delhi", Covers::WholeTurn) } else { ("", Covers::SinceLastFinal) };
                    let to = world.transcribe.last().map_or(time, |(.., to)| *to);
                    world.input(Input::Transcript { turn: TurnId(number), to, text: text.into(), confidence: None, covers });
                }
                5 => world.input(Input::FirstAudio(UtteranceId(number))),
                6 => world.input(Input::Spoken(UtteranceId(number), Heard::default())),
                7 => world.input(Input::BrainDone { ask: number }),
                8 => world.input(Input::BrainFailed { ask: number }),
                9 => world.input(Input::Restarted([Part::Stt, Part::Tts, Part::Dialogue, Part::Egress][number as usize % 4])),
                10 => if let Some(utterance) = world.core.utterance() { world.input(Input::FirstAudio(utterance)) },
                11 => if let Some(utterance) = world.core.utterance() { world.input(world.all_heard(utterance)) },
                12 => world.input(Input::Dtmf('#')),
                13 => world.input(Input::Typed("sixty lakh".into())),
                14 => world.input(Input::Partial("in".into())),
                15 => world.input(Input::Activity),
                16 => world.input(Input::ToolResult { id: format!("tool_{number}"), result: String::new(), is_error: false }),
                17 => {
                    let call = ToolCall { name: format!("tool {number}"), parameters: serde_json::Map::new() };
                    world.input(Input::Brain { ask: number, event: BrainEvent::Tool(call) });
                }
                _ => if number == 0 { world.input(Input::Dismiss(EndReason::Drained)) },
            }
        }
        world.input(Input::Ended(EndReason::LegLost));
        prop_assert_eq!(world.ended.len(), 1);
        let mut ids: Vec<u32> = world.responses().iter().map(|response| response.utterance.0).collect();
        let count = ids.len();
        ids.dedup();
        prop_assert_eq!(ids.len(), count, "no utterance is recorded twice");
        prop_assert!(ids.is_sorted());
        let mut turns: Vec<u32> = world.turns().into_iter().map(|(turn, _)| turn).collect();
        let count = turns.len();
        turns.dedup();
        prop_assert_eq!(turns.len(), count, "no turn is recorded twice");
    });
}
