//! Every input, effect and note is written and read back.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::barge_in::Ground;
use crate::journal::print::{effect_in_words, in_words};
use crate::journal::read::unpack;
use crate::ledger::SentenceAudio;
use crate::playbook::{self, Context, Decision, Playbook, PlaybookState, ToolCall};
use crate::port::brain::Ask;
use crate::port::dialect::Breach;
use crate::port::dialect::notice::AnswerPart;
use crate::port::tts::WordStart;
use crate::transcript::{Line, Role};

#[allow(clippy::disallowed_methods)] // a made-up clock needs an origin
fn origin() -> Origin {
    Origin(Instant::now() + Duration::from_secs(3_600))
}

/// A state with slots of kinds that leave fields out when they are empty.
fn state() -> PlaybookState {
    let (playbook, context) = (Playbook::front_desk(), Context::new("Asha", "Homes"));
    let mut state = playbook.start(&context).state;
    for text in ["an apartment in Delhi", "between sixty and seventy lakh rupees"] {
        state = playbook.respond(&state, &playbook::Heard { text, confidence: Some(0.7) }, &context).state;
    }
    assert!(state.slots.len() >= 3, "{state:?}");
    state
}

fn tool() -> ToolCall {
    let parameters = serde_json::json!({ "at": 28.613_895_400_000_003, "n": u64::MAX, "deep": [{ "no": null }] });
    ToolCall { name: "show".into(), parameters: parameters.as_object().expect("it is one").clone() }
}

fn heard() -> Heard {
    let words = vec![WordStart { byte: 0, sample: 0 }, WordStart { byte: 4, sample: 1_000 }];
    Heard { samples: 4_321, sentences: vec![SentenceAudio { samples: 16_000, complete: true, words }] }
}

fn every_input(origin: Origin) -> Vec<Input> {
    let (began, text) = (origin.0 - Duration::from_nanos(1), || "नमस्ते".to_owned());
    let event = |event| Input::Brain { ask: 3, event };
    vec![
        Input::Started,
        Input::SpeechStarted { at: 7, began },
        Input::SpeechSustained,
        Input::Loudness(Loudness {
            loudest: -21.5,
            now: -60.0,
            played: -18.0,
            line: Some(-47.0),
            proven: true,
            caller: None,
        }),
        Input::SpeechEnded { to: 1 << 38, ended: origin.0 + Duration::from_nanos(1_234_567_891) },
        Input::Transcript { turn: TurnId(1), to: 5, text: text(), confidence: Some(0.1), covers: Covers::WholeTurn },
        Input::EndOfTurn { turn: TurnId(1), to: 5, probability: 0.75 },
        event(BrainEvent::Say(text())),
        event(BrainEvent::Protect),
        event(BrainEvent::State(Box::new(state()))),
        event(BrainEvent::Decision(Decision::HandoverToHuman)),
        event(BrainEvent::Tool(tool())),
        event(BrainEvent::SkipTurn),
        Input::BrainDone { ask: 1 },
        Input::BrainFailed { ask: u32::MAX },
        Input::FirstAudio(UtteranceId(1)),
        Input::Spoken(UtteranceId(1), heard()),
        Input::Cut(Heard::default()),
        Input::Held(Heard::default()),
        Input::Dtmf('#'),
        Input::Partial(text()),
        Input::Typed(text()),
        Input::Context(text()),
        Input::Activity,
        Input::ToolResult { id: "tool_1".into(), result: text(), is_error: true },
        Input::Noticed { kind: "override_refused", detail: text() },
        Input::Restarted(Part::Egress),
        Input::Ended(EndReason::Breach(Breach::BadPayloadLength(3))),
        Input::Dismiss(EndReason::PartFailed("tts")),
        Input::Tick,
    ]
}

fn every_effect(origin: Origin) -> Vec<Effect> {
    let (at, turn, utterance) = (origin.0 + Duration::from_millis(20), TurnId(2), UtteranceId(2));
    let history: Arc<[Line]> = [Line { role: Role::User, text: "hello".into() }].into();
    let prompt = Prompt::Heard { text: "sixty".into(), confidence: None };
    let note = Effect::Note;
    vec![
        Effect::Transcribe { turn, from: 0, to: 9 },
        Effect::JudgeTurn { turn, from: 0, to: 9 },
        Effect::Think { number: 1, ask: Ask { turn, prompt, state: Some(state()), history } },
        Effect::Prepare("hello".into()),
        Effect::Discard,
        Effect::StopThinking,
        Effect::Speak { utterance, sentence: 0, text: "hello".into() },
        Effect::Seal { utterance, sentences: 2 },
        Effect::Cut,
        Effect::Hold,
        Effect::Resume(Ground::Echo),
        Effect::Press("12#".into()),
        note(Note::UserTurn(Committed {
            turn,
            text: "sixty".into(),
            confidence: Some(0.5),
            began: at,
            ended: at,
            endpoint: at,
            speech: Duration::from_millis(3),
            typed: false,
        })),
        note(Note::AgentResponse(crate::call_core::Response {
            utterance,
            turn: None,
            text: "hello there".into(),
            heard: "hello".into(),
            interrupted: true,
            at,
            latency: Some(Duration::from_millis(700)),
            stages: vec![("endpointing", Duration::from_millis(500))],
        })),
        note(Note::Progress(Box::new(state()))),
        note(Note::Event { kind: "restart", detail: "tts".into() }),
        Effect::Show(Notice::AgentPart { utterance, part: AnswerPart::Delta("hello".into()) }),
        Effect::Show(Notice::ToolCall { id: "tool_1".into(), call: tool() }),
        Effect::End(EndReason::Completed),
    ]
}

#[test]
fn every_input_is_read_as_it_was() {
    let origin = origin();
    let inputs = every_input(origin);
    let mut names = BTreeSet::new();
    for input in inputs {
        let written = WrittenInput::of(input.clone(), origin);
        let mut bytes = Vec::new();
        assert!(pack(&written, &mut bytes));
        let (read, length) = unpack::<WrittenInput>(&bytes).expect("it was written so");
        assert_eq!(length, bytes.len());
        assert_eq!(read.input(origin), input);
        names.insert(in_words(&written).split(' ').next().map(str::to_owned));
    }
    assert_eq!(names.len(), 25, "one of each kind: {names:?}");
}

#[test]
fn every_effect_is_written_with_all_that_it_says() {
    let origin = origin();
    let mut written = BTreeSet::new();
    for effect in every_effect(origin) {
        let mut bytes = Vec::new();
        assert!(pack(&WrittenEffect::of(&effect, origin), &mut bytes));
        let shown = effect_in_words(&bytes);
        assert!(shown.is_ascii() && !shown.contains("cannot"), "{shown}");
        assert!(written.insert(bytes), "two effects look the same: {shown}");
    }
    assert_eq!(written.len(), every_effect(origin).len());
}

/// State and history are in a question by their hashes alone: a hash must see the smallest change.
#[test]
fn a_hash_sees_a_change_in_what_it_stands_for() {
    let origin = origin();
    let think = |change: &dyn Fn(&mut Ask)| {
        let history: Vec<Line> = (0..3).map(|n| Line { role: Role::User, text: format!("line {n}") }).collect();
        let mut ask = Ask { turn: TurnId(1), prompt: Prompt::Unheard, state: Some(state()), history: history.into() };
        change(&mut ask);
        in_words(&WrittenEffect::of(&Effect::Think { number: 1, ask }, origin))
    };
    let plain = think(&|_| {});
    assert_eq!(plain, think(&|_| {}));
    assert_ne!(plain, think(&|ask| ask.state.iter_mut().for_each(|state| state.turns += 1)));
    assert_ne!(plain, think(&|ask| Arc::make_mut(&mut ask.history)[1].text.push('.')));
    assert_ne!(plain, think(&|ask| Arc::make_mut(&mut ask.history)[2].role = Role::Agent));
}
