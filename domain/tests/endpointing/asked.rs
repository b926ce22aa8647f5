//! What a playbook asks for reaches the endpointing: by its state, and through a whole call core.

use std::time::Instant;

use tandem_domain::agent::Timing;
use tandem_domain::call_core::{CallCore, Effect, Input, Lines};
use tandem_domain::endpointing::{Expects, Spelled};
use tandem_domain::ids::TurnId;
use tandem_domain::ledger::Heard;
use tandem_domain::playbook::{self, Context, Half, Playbook, PlaybookState};
use tandem_domain::port::brain::{BrainEvent, Prompt};
use tandem_domain::port::stt::Covers;

use crate::caller::ms;

const DESK: &str = r#"
name = "contact"
title = "Contact"
greeting = []
[confirmation]
policy = "end"
[[slots]]
name = "phone"
type = "phone"
prompt = "Your number?"
read_back = "{value}"
[[slots]]
name = "pin_code"
type = "number"
dictated = "pin"
prompt = "Your PIN code?"
read_back = "{value}"
[[slots]]
name = "interested"
type = "yes_no"
prompt = "Shall we call you?"
[[slots]]
name = "bedrooms"
type = "number"
prompt = "How many bedrooms?"
"#;

fn answers(state: &PlaybookState, text: &str) -> PlaybookState {
    let playbook = Playbook::from_toml(DESK).unwrap();
    playbook.respond(state, &playbook::Heard { text, confidence: None }, &Context::default()).state
}

#[test]
fn a_state_tells_what_its_question_asks_for() {
    let context = Context { region: Some("IN".into()), ..Context::default() };
    let opening = Playbook::from_toml(DESK).unwrap().start(&context).state;
    let phone = |region: Option<&str>, begun| {
        Some(Box::new(Expects::Value { spelled: Spelled::Phone, region: region.map(str::to_owned), begun }))
    };
    assert_eq!(opening.expects, phone(Some("IN"), None));
    let half = answers(&opening, "nine eight seven six five");
    assert_eq!(half.expects, phone(None, Some(Half::Digits { digits: "98765".into(), plus: false })));
    let pin = answers(&opening, "nine eight seven six five four three two one zero");
    assert_eq!(pin.expects, Some(Box::new(Expects::value(Spelled::Pin))), "by the word in its file");
    let interested = answers(&pin, "one one zero zero zero one");
    assert_eq!(interested.expects, Some(Box::new(Expects::YesNo)));
    assert_eq!(answers(&interested, "yes").expects, None, "a count is said in one breath");
}

#[test]
fn a_state_that_expects_nothing_is_written_as_it_always_was() {
    let state = PlaybookState { expects: None, ..Playbook::from_toml(DESK).unwrap().start(&Context::default()).state };
    let written = serde_json::to_value(&state).unwrap();
    assert_eq!(written.get("expects"), None);
    assert_eq!(serde_json::from_value::<PlaybookState>(written).unwrap(), state);
}

/// A call whose agent has just asked for a number, in what is left of it: what the turn was, and when it was committed after the last speech.
struct Call {
    core: CallCore,
    now: Instant,
    asked: Vec<(u32, Prompt)>,
    settle: Option<(TurnId, u64)>,
    at: u64,
}

impl Call {
    #[allow(clippy::disallowed_methods)] // a made-up clock needs an origin
    fn new(timing: &Timing) -> Self {
        let core = CallCore::new(timing, Lines::default());
        let mut call = Self { core, now: Instant::now(), asked: Vec::new(), settle: None, at: 0 };
        call.input(Input::Started);
        let state = Playbook::from_toml(DESK).unwrap().start(&Context::default()).state;
        for event in [BrainEvent::Say("Your number?".into()), BrainEvent::State(Box::new(state))] {
            call.input(Input::Brain { ask: 1, event });
        }
        call.input(Input::BrainDone { ask: 1 });
        let utterance = call.core.utterance().unwrap();
        call.input(Input::FirstAudio(utterance));
        call.now += ms(1_000);
        call.input(Input::Spoken(utterance, Heard::default()));
        call.asked.clear();
        call
    }

    fn input(&mut self, input: Input) {
        self.core.handle(self.now, input);
        while let Some(effect) = self.core.poll_effect() {
            match effect {
                Effect::Think { number, ask } => self.asked.push((number, ask.prompt)),
                Effect::Transcribe { turn, to, .. } => self.settle = Some((turn, to)),
                Effect::JudgeTurn { turn, to, .. } => assert_eq!(self.settle, Some((turn, to)), "the same pause"),
                _ => {}
            }
        }
    }

    fn pass(&mut self, millis: u64) {
        let until = self.now + ms(millis);
        while let Some((due, _)) = self.core.poll_timeout().filter(|(due, _)| *due <= until) {
            self.now = self.now.max(due);
            self.input(Input::Tick);
        }
        self.now = until;
    }

    /// Speaks for a second; 300 ms after it, its words are there.
    fn says(&mut self, so_far: &str) {
        self.at += 8_000;
        self.input(Input::SpeechStarted { at: self.at, began: self.now });
        self.pass(200);
        self.input(Input::SpeechSustained);
        self.pass(800);
        let ended = self.now;
        self.pass(200);
        self.at += 8_000;
        self.input(Input::SpeechEnded { to: self.at, ended });
        self.pass(100);
        let (turn, to) = self.settle.unwrap();
        let (text, confidence, covers) = (so_far.to_owned(), None, Covers::WholeTurn);
        self.input(Input::Transcript { turn, to, text, confidence, covers });
    }
}

#[test]
fn a_number_in_groups_is_one_turn_of_the_call_and_answered_at_once() {
    let mut call = Call::new(&Timing::default());
    call.says("nine eight seven six five");
    call.pass(1_100);
    assert!(call.asked.is_empty(), "more digits come");
    call.says("nine eight seven six five four three two one zero");
    assert!(
        matches!(&call.asked[..], [(_, Prompt::Heard { text, .. })] if text.ends_with("one zero")),
        "{:?}",
        call.asked
    );
}

#[test]
fn a_model_is_asked_at_every_pause_where_that_is_set_and_its_word_counts() {
    for (end, millis) in [(None, 500), (Some(0.95), 300), (Some(0.05), 1_200)] {
        let mut call = Call::new(&Timing { end_of_turn_model: true, ..Timing::default() });
        call.says("I have to look it up first");
        if let (Some(probability), Some((turn, to))) = (end, call.settle) {
            call.input(Input::EndOfTurn { turn, to, probability });
        }
        // 300 ms have passed since the caller stopped.
        if millis > 300 {
            call.pass(millis - 301);
            assert!(call.asked.is_empty(), "{end:?}");
        }
        call.pass(1);
        assert_eq!(call.asked.len(), 1, "{end:?}");
    }
}
