//! Prints what a journal costs a core: time for each input with and without one, and its size.
//!
//! `cargo run --release -p tandem-domain --example journal_cost`

#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::time::{Duration, Instant};

use tandem_domain::call_core::{Effect, Input};
use tandem_domain::ids::{CallId, TurnId, UtteranceId};
use tandem_domain::journal::{Header, Journalled, Recorder, Setup, Tape};
use tandem_domain::ledger::{Heard, SentenceAudio};
use tandem_domain::playbook::{self, Context, Playbook, PlaybookState};
use tandem_domain::port::brain::BrainEvent;
use tandem_domain::port::stt::Covers;

const CALLS: u32 = 200;
const TURNS: u32 = 20;
/// A turn and its answer, in seconds.
const TURN_SECONDS: u64 = 8;

fn main() {
    let (playbook, context) = (Playbook::front_desk(), Context::new("Asha", "Homes"));
    let opening = playbook.start(&context).state;
    let said = playbook::Heard { text: "an apartment in Delhi for sixty lakh rupees", confidence: Some(0.9) };
    let state = playbook.respond(&opening, &said, &context).state;
    run(&state, false); // warm
    let (plain, inputs, _) = run(&state, false);
    let (journalled, _, bytes) = run(&state, true);
    let each = |time: Duration| time.as_nanos() as f64 / f64::from(inputs) / 1_000.0;
    let seconds = u64::from(CALLS * TURNS) * TURN_SECONDS;
    println!("{inputs} inputs: {:.2} µs each without a journal, {:.2} µs with one", each(plain), each(journalled));
    println!(
        "{:.0} bytes an input, {:.0} bytes a call-second; {:.4} ms of processor time a call-second",
        bytes as f64 / f64::from(inputs),
        bytes as f64 / seconds as f64,
        journalled.saturating_sub(plain).as_secs_f64() * 1_000.0 / seconds as f64
    );
}

/// Time spent, inputs told, bytes written.
fn run(state: &PlaybookState, journalled: bool) -> (Duration, u32, usize) {
    let (mut spent, mut told, mut bytes) = (Duration::ZERO, 0, 0);
    for _ in 0..CALLS {
        let start = Instant::now();
        let setup = Setup::default();
        let (agent, program) = ("front-desk".to_owned(), "example".to_owned());
        let header = Header { call: CallId(uuid::Uuid::nil()), agent, program, setup: setup.clone() };
        let tape = journalled.then(|| Tape::new(Recorder::new(&header, start, 1 << 20)));
        let mut core = Journalled::new(&setup, tape.clone());
        let mut now = start;
        let mut tell = |after_ms: u64, input: Input| {
            now += Duration::from_millis(after_ms);
            told += 1;
            core.handle(now, input);
            while let Some(effect) = core.poll_effect() {
                match effect {
                    Effect::Cut => core.handle(now, Input::Cut(Heard::default())),
                    Effect::Hold => core.handle(now, Input::Held(Heard::default())),
                    _ => {}
                }
            }
            now
        };
        let began = Instant::now();
        tell(0, Input::Started);
        for turn in 1..=TURNS {
            let brain = |event| Input::Brain { ask: turn, event };
            tell(300, brain(BrainEvent::State(Box::new(PlaybookState { turns: turn, ..state.clone() }))));
            tell(10, brain(BrainEvent::Say("An apartment in Delhi, for sixty lakh rupees.".into())));
            tell(10, brain(BrainEvent::Say("When would you like to move in?".into())));
            tell(0, Input::BrainDone { ask: turn });
            tell(80, Input::FirstAudio(UtteranceId(turn)));
            let audio = SentenceAudio { samples: 16_000, complete: true, words: Vec::new() };
            let now =
                tell(4_000, Input::Spoken(UtteranceId(turn), Heard { samples: 32_000, sentences: vec![audio; 2] }));
            tell(600, Input::SpeechStarted { at: 8_000, began: now + Duration::from_millis(540) });
            tell(200, Input::SpeechSustained);
            let ended = now + Duration::from_millis(2_200);
            tell(1_500, Input::SpeechEnded { to: 24_000, ended });
            let text = "as soon as possible please".to_owned();
            let (covers, confidence) = (Covers::WholeTurn, Some(0.9));
            tell(200, Input::Transcript { turn: TurnId(turn), to: 24_000, text, confidence, covers });
            tell(500, Input::Tick);
        }
        spent += began.elapsed();
        bytes += tape.map_or(0, |tape| tape.journal(true).len());
    }
    (spent, told, bytes)
}
