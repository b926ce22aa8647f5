//! The caller against agents that are nothing but a pattern of sound, on a made-up clock.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use super::*;
use crate::clock;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn line(text: &str, frames: usize) -> Rendered {
    Rendered { text: text.to_owned(), samples: Arc::from(vec![4_000; frames * FRAME_SAMPLES]) }
}

struct Life {
    t0: Instant,
    caller: Caller,
    /// Frame number and what the caller did then.
    actions: Vec<(u64, Action)>,
    /// Frame numbers in which the caller was loud.
    loud: Vec<u64>,
}

/// Lives `frames` frames, the agent speaking in those of `agent`: first and end of each stretch.
fn live(script: Vec<Step<Rendered>>, manners: Manners, frames: u64, agent: &[(u64, u64)]) -> Life {
    let t0 = clock::now().into_std();
    let mut life = Life { t0, caller: Caller::new(script, manners, t0), actions: Vec::new(), loud: Vec::new() };
    for frame in 0..frames {
        let speaks = agent.iter().any(|&(first, end)| (first..end).contains(&frame));
        let heard = [if speaks { 5_000 } else { 0 }; FRAME_SAMPLES];
        let tick = life.caller.tick(t0 + FRAME * frame as u32, &heard);
        life.actions.extend(tick.action.map(|action| (frame, action)));
        if ear::first_sound(&tick.frame).is_some() {
            life.loud.push(frame);
        }
    }
    life
}

fn at(life: &Life, instant: Instant) -> Duration {
    instant.saturating_duration_since(life.t0)
}

#[test]
fn the_caller_waits_for_the_agent_to_finish() {
    // speech until frame 50 with a breath inside; quiet of 35 frames is over at frame 85
    let life = live(vec![Step::Say(line("hello", 10))], Manners::default(), 200, &[(10, 30), (45, 50), (120, 130)]);
    assert_eq!(life.loud, (85..95).collect::<Vec<_>>());
    let turn = &life.caller.turns()[0];
    // the ten frames end when the tenth is sent, at frame 94
    assert_eq!(at(&life, turn.ended.unwrap()), ms(94 * 20));
    assert_eq!(turn.latency(), Some(ms((120 - 94) * 20)));
    assert!(!turn.over_agent);
    assert!(life.caller.is_done());
}

#[test]
fn the_next_line_waits_for_the_answer() {
    let script = vec![Step::Say(line("one", 10)), Step::Say(line("two", 10))];
    let life = live(script, Manners::default(), 400, &[(0, 10), (150, 160)]);
    assert_eq!(life.loud, (45..55).chain(195..205).collect::<Vec<_>>());
    assert_eq!(life.caller.turns()[1].answered, None);
}

#[test]
fn wait_lets_one_go_of_the_agent_pass() {
    let script = vec![Step::Wait, Step::Say(line("one", 10))];
    let life = live(script, Manners::default(), 300, &[(0, 10), (150, 160)]);
    assert_eq!(life.loud, (195..205).collect::<Vec<_>>());
}

#[test]
fn an_interruption_comes_so_long_after_the_agent_began() {
    let script = vec![Step::Interrupt { after: ms(400), say: line("stop", 20) }];
    // the agent goes on over us until frame 42, and answers in 100
    let life = live(script, Manners::default(), 200, &[(10, 42), (100, 110)]);
    assert_eq!(life.loud, (30..50).collect::<Vec<_>>());
    let turn = &life.caller.turns()[0];
    assert!(turn.over_agent);
    assert_eq!(at(&life, turn.answered.unwrap()), ms(100 * 20));
}

#[test]
fn speech_that_was_under_way_is_no_answer() {
    let script = vec![Step::Interrupt { after: ms(200), say: line("stop", 10) }];
    let life = live(script, Manners::default(), 200, &[(10, 60), (100, 110)]);
    assert_eq!(at(&life, life.caller.turns()[0].answered.unwrap()), ms(100 * 20), "not the rest of the old sentence");
}

#[test]
fn after_an_interruption_the_caller_waits_for_the_answer() {
    let script = vec![Step::Interrupt { after: ms(200), say: line("stop", 5) }, Step::Say(line("sixty", 5))];
    // the agent notices late: its old sentence goes on over the end of ours, its answer comes in 120
    let life = live(script, Manners::default(), 250, &[(10, 30), (120, 130)]);
    assert_eq!(life.loud, (20..25).chain(165..170).collect::<Vec<_>>());
}

#[test]
fn keys_are_pressed_one_by_one() {
    let script = vec![Step::Dtmf("4#".to_owned()), Step::HangUp];
    let life = live(script, Manners::default(), 200, &[(0, 10)]);
    let expected = [(45, Action::Press('4')), (60, Action::Press('#')), (61, Action::HangUp)];
    assert_eq!(life.actions, expected);
    assert_eq!(life.caller.turns()[0].said, "4#");
}

#[test]
fn silence_is_kept_whatever_the_agent_does() {
    let script = vec![Step::Silence(Duration::from_secs(4)), Step::Say(line("sorry", 5))];
    let life = live(script, Manners::default(), 400, &[(0, 10), (150, 190)]);
    // silent until frame 200; the agent was last heard in frame 189, quiet by 225
    assert_eq!(life.loud, (225..230).collect::<Vec<_>>());
}

#[test]
fn patience_ends() {
    let manners = Manners { patience: Duration::from_secs(2), ..Manners::default() };
    let life = live(vec![Step::Say(line("anybody?", 5))], manners, 200, &[]);
    assert_eq!(life.loud, (100..105).collect::<Vec<_>>());
}

#[test]
fn the_room_is_never_digitally_silent() {
    let t0 = clock::now().into_std();
    let mut caller = Caller::new([], Manners::default(), t0);
    let frames: Vec<i16> = (0..50).flat_map(|at| caller.tick(t0 + FRAME * at, &[0; 160]).frame).collect();
    let level = tandem_codecs::Level::of(&frames).rms_dbfs;
    assert!((-67.0..-63.0).contains(&level), "{level}");
}
