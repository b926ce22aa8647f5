//! Journals of calls that anything may happen to: they replay, they show damage, and they show a decision that was not taken.

#![allow(clippy::unwrap_used, missing_docs)]

mod frames;

use std::time::{Duration, Instant};

use frames::{forged, payloads, sealed};
use proptest::prelude::*;
use tandem_domain::agent::Timing;
use tandem_domain::call_core::{Effect, Input, Part};
use tandem_domain::ids::{CallId, TurnId, UtteranceId};
use tandem_domain::journal::{
    self, Closing, Damage, Difference, Header, Journal, Journalled, Recorder, Replay, Setup, Tape,
};
use tandem_domain::ledger::{Heard, SentenceAudio};
use tandem_domain::playbook::{Context, Decision, Playbook, PlaybookState};
use tandem_domain::port::brain::{BrainEvent, ToolCall};
use tandem_domain::port::stt::Covers;
use tandem_domain::record::EndReason;

const MOST_BYTES: usize = 1 << 20;

#[allow(clippy::disallowed_methods)] // a made-up clock needs an origin
fn origin() -> Instant {
    Instant::now() + Duration::from_secs(3_600)
}

fn setup(screen: bool, reads: bool) -> Setup {
    let timing = Timing { preemptive_generation: screen, end_of_turn_model: screen, ..Timing::default() };
    Setup { timing, screen, reads, ..Setup::default() }
}

fn header(setup: Setup) -> Header {
    Header { call: CallId(uuid::Uuid::nil()), agent: "front-desk".into(), program: "test".into(), setup }
}

/// A call that is journalled, with drivers that do nothing but answer cuts.
struct Call {
    start: Instant,
    now: Instant,
    core: Journalled,
    tape: Tape,
}

impl Call {
    fn new(setup: Setup, most_bytes: usize) -> Self {
        let start = origin();
        let tape = Tape::new(Recorder::new(&header(setup.clone()), start, most_bytes));
        Self { start, now: start, core: Journalled::new(&setup, Some(tape.clone())), tape }
    }

    fn input(&mut self, after_ms: u64, input: Input) {
        self.now += Duration::from_millis(after_ms);
        self.core.handle(self.now, input);
        while let Some(effect) = self.core.poll_effect() {
            let audio = SentenceAudio { samples: 16_000, complete: true, words: Vec::new() };
            let heard = Heard { samples: 9_000, sentences: vec![audio] };
            match effect {
                Effect::Cut => self.core.handle(self.now, Input::Cut(heard)),
                Effect::Hold => self.core.handle(self.now, Input::Held(heard)),
                _ => {}
            }
        }
    }

    fn journal(&self) -> Vec<u8> {
        self.tape.journal(false)
    }

    /// One turn of a plain call, up to the answer.
    fn exchange(&mut self) {
        let say = |ask, text: &str| Input::Brain { ask, event: BrainEvent::Say(text.into()) };
        self.input(0, Input::Started);
        self.input(20, say(1, "Hello."));
        self.input(0, say(1, "What are you looking for?"));
        self.input(0, Input::BrainDone { ask: 1 });
        self.input(40, Input::FirstAudio(UtteranceId(1)));
        self.input(1_000, Input::SpeechStarted { at: 8_000, began: self.now });
        self.input(200, Input::SpeechSustained);
        self.input(800, Input::SpeechEnded { to: 16_000, ended: self.now + Duration::from_millis(600) });
        let words = "an apartment in Delhi".to_owned();
        let (turn, confidence, covers) = (TurnId(1), Some(0.9), Covers::WholeTurn);
        self.input(50, Input::Transcript { turn, to: 16_000, text: words, confidence, covers });
        let due = self.core.poll_timeout().unwrap().0;
        self.now = due;
        self.input(0, Input::Tick);
        self.input(30, say(2, "Delhi it is."));
        self.input(0, Input::BrainDone { ask: 2 });
        self.input(50, Input::FirstAudio(UtteranceId(2)));
    }
}

fn run_again(journal: &[u8]) -> Replay {
    journal::replay(&Journal::read(journal).unwrap(), origin() + Duration::from_secs(77))
}

fn what_if(journal: &[u8], name: &str, value: &str) -> Replay {
    let changes = [(name.to_owned(), value.to_owned())];
    journal::what_if(&Journal::read(journal).unwrap(), &changes, origin()).unwrap()
}

fn state() -> PlaybookState {
    let (playbook, context) = (Playbook::front_desk(), Context::new("Asha", "Homes"));
    playbook.start(&context).state
}

fn heard() -> impl Strategy<Value = Heard> {
    (0_u64..40_000, 0_u64..3).prop_map(|(samples, sentences)| {
        let audio = SentenceAudio { samples: 16_000, complete: true, words: Vec::new() };
        Heard { samples, sentences: (0..sentences).map(|_| audio.clone()).collect() }
    })
}

/// Anything that may be told to a core, also what makes no sense. Instants are filled in when it is told.
fn any_input() -> impl Strategy<Value = Told> {
    let id = 0_u32..6;
    let text = prop_oneof![Just(String::new()), "[a-zA-Zअ-ह ,.]{1,30}"];
    let part = prop_oneof![Just(Part::Stt), Just(Part::Dialogue), Just(Part::Tts), Just(Part::Egress)];
    let event = prop_oneof![
        6 => text.clone().prop_map(BrainEvent::Say),
        2 => Just(BrainEvent::State(Box::new(state()))),
        1 => Just(BrainEvent::Decision(Decision::NeedMoreInfo)),
        1 => Just(BrainEvent::Decision(Decision::ThankYouResponse)),
    ];
    let confidence = proptest::option::of(0.0_f32..1.0);
    let input = prop_oneof![
        (id.clone(), event).prop_map(|(ask, event)| Input::Brain { ask, event }),
        id.clone().prop_map(|ask| Input::BrainDone { ask }),
        id.clone().prop_map(|ask| Input::BrainFailed { ask }),
        id.clone().prop_map(|id| Input::FirstAudio(UtteranceId(id))),
        (id.clone(), heard()).prop_map(|(id, heard)| Input::Spoken(UtteranceId(id), heard)),
        (id.clone(), 0.0_f32..=1.0).prop_map(|(turn, probability)| Input::EndOfTurn {
            turn: TurnId(turn),
            to: 8_000,
            probability
        }),
        (id, text.clone(), confidence).prop_map(|(turn, text, confidence)| Input::Transcript {
            turn: TurnId(turn),
            to: 8_000,
            text,
            confidence,
            covers: Covers::SinceLastFinal
        }),
        text.clone().prop_map(Input::Typed),
        text.clone().prop_map(Input::Partial),
        text.prop_map(Input::Context),
        Just(Input::Dtmf('5')),
        Just(Input::Activity),
        part.prop_map(Input::Restarted),
        Just(Input::Tick),
    ];
    prop_oneof![
        8 => input.prop_map(Told::Input),
        2 => Just(Told::SpeechStarted),
        2 => Just(Told::SpeechEnded),
        1 => Just(Told::Input(Input::SpeechSustained)),
        3 => Just(Told::Due),
    ]
}

#[derive(Debug, Clone)]
enum Told {
    Input(Input),
    SpeechStarted,
    SpeechEnded,
    /// Time passes up to the core's deadline.
    Due,
}

fn any_call() -> impl Strategy<Value = Call> {
    let told = proptest::collection::vec((0_u64..700, any_input()), 1..60);
    (any::<bool>(), any::<bool>(), proptest::option::of(Just(EndReason::CallerHangup)), told).prop_map(
        |(screen, reads, end, told)| {
            let mut call = Call::new(setup(screen, screen && reads), MOST_BYTES);
            call.input(0, Input::Started);
            for (after, told) in told {
                let began = call.now - Duration::from_millis(60);
                match told {
                    Told::Input(input) => call.input(after, input),
                    Told::SpeechStarted => call.input(after, Input::SpeechStarted { at: 800, began }),
                    Told::SpeechEnded => call.input(after, Input::SpeechEnded { to: 8_000, ended: began }),
                    Told::Due => {
                        call.now = call.core.poll_timeout().map_or(call.now, |(at, _)| call.now.max(at));
                        call.input(0, Input::Tick);
                    }
                }
            }
            if let Some(reason) = end {
                call.input(5, Input::Ended(reason));
            }
            call
        },
    )
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines: Vec<String> = Journal::read(&self.journal()).unwrap().lines().collect();
        write!(f, "{}", lines.join("\n"))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happened_in_a_call_happens_again(call in any_call()) {
        let run = run_again(&call.journal());
        prop_assert_eq!(&run.divergence, &None);
        prop_assert!(run.inputs > 0);
        prop_assert!(run.length.seconds() - (call.now - call.start).as_secs_f64() < 0.001);
    }

    #[test]
    fn a_flipped_byte_is_found(call in any_call(), at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let mut journal = call.journal();
        let at = at.index(journal.len());
        journal[at] ^= flip;
        prop_assert!(Journal::read(&journal).is_err(), "byte {at}");
    }

    #[test]
    fn a_piece_that_is_missing_or_added_is_found(call in any_call(), at in any::<prop::sample::Index>(), length in 1_usize..200) {
        let journal = call.journal();
        let from = at.index(journal.len());
        let to = (from + length).min(journal.len());
        prop_assert!(Journal::read(&journal[..from]).is_err(), "ends at {from}");
        let without = [&journal[..from], &journal[to..]].concat();
        prop_assert!(Journal::read(&without).is_err(), "without {from}..{to}");
        let twice = [&journal[..to], &journal[from..]].concat();
        prop_assert!(Journal::read(&twice).is_err(), "{from}..{to} twice");
    }

    /// No entry can go and no two can change places, though each is what was written.
    #[test]
    fn entries_that_are_moved_are_found(call in any_call(), one in any::<prop::sample::Index>(), other in any::<prop::sample::Index>()) {
        let journal = call.journal();
        let payloads = payloads(&journal);
        prop_assert_eq!(&sealed(&journal, &payloads), &journal, "the format is as it is described");
        let seals = seals(&journal);
        let entries: Vec<_> = payloads.iter().zip(&seals).collect();
        let (one, other) = (one.index(entries.len()), other.index(entries.len()));
        if entries[one] != entries[other] {
            let mut moved = entries.clone();
            moved.swap(one, other);
            prop_assert!(Journal::read(&joined(&journal, &moved)).is_err());
        }
        let mut fewer = entries;
        fewer.remove(one);
        prop_assert!(Journal::read(&joined(&journal, &fewer)).is_err());
    }

    /// A journal that was edited anywhere, by whoever knows the format: it may be refused, it may differ, and nothing worse.
    #[test]
    fn an_edit_with_good_seals_does_no_harm(
        call in any_call(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let journal = call.journal();
        let mut payloads = payloads(&journal);
        for (payload, at, byte) in edits {
            let payload = payload.index(payloads.len());
            let at = at.index(payloads[payload].len());
            payloads[payload][at] = byte;
        }
        if let Ok(journal) = Journal::read(&sealed(&journal, &payloads)) {
            journal::replay(&journal, origin());
            let _ = journal::what_if(&journal, &[("eagerness".into(), "high".into())], origin());
            prop_assert!(journal.lines().count() > 0);
        }
    }

    /// Bytes that are no journal, with a good beginning and good seals: an error, not a crash.
    #[test]
    fn what_cannot_be_understood_is_refused(garbage in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..4)) {
        let journal = Call::new(setup(false, false), MOST_BYTES).journal();
        prop_assert!(Journal::read(&sealed(&journal, &garbage)).is_err());
        let header = payloads(&journal).remove(0);
        let after_header: Vec<Vec<u8>> = [vec![header], garbage].concat();
        if let Ok(journal) = Journal::read(&sealed(&journal, &after_header)) {
            journal::replay(&journal, origin());
        }
    }
}

/// The written seals of a journal's entries.
fn seals(journal: &[u8]) -> Vec<Vec<u8>> {
    let mut at = 10;
    payloads(journal)
        .iter()
        .map(|payload| {
            at += 4 + payload.len() + 8;
            journal[at - 8..at].to_vec()
        })
        .collect()
}

/// A journal of these entries with the seals they have.
fn joined(beginning: &[u8], entries: &[(&Vec<u8>, &Vec<u8>)]) -> Vec<u8> {
    let mut journal = beginning[..10].to_vec();
    for (payload, seal) in entries {
        journal.extend((payload.len() as u32).to_le_bytes());
        journal.extend(payload.iter().chain(*seal));
    }
    journal
}

#[test]
fn damage_names_the_place() {
    let mut call = Call::new(setup(false, false), MOST_BYTES);
    call.exchange();
    let journal = call.journal();
    let payloads = payloads(&journal);
    let third = 10 + payloads[..3].iter().map(|payload| payload.len() + 12).sum::<usize>();
    let mut flipped = journal.clone();
    flipped[third + 9] ^= 1;
    assert!(
        matches!(Journal::read(&flipped), Err(Damage::Altered { offset, entry: 3 }) if offset == third),
        "{:?}",
        Journal::read(&flipped)
    );
    assert!(matches!(Journal::read(&journal[..third]), Err(Damage::Cut { offset, entry: 3 }) if offset == third));
    let longer = [&journal[..], b"more"].concat();
    assert!(matches!(Journal::read(&longer), Err(Damage::Trailing { offset, more: 4 }) if offset == journal.len()));
    assert!(matches!(Journal::read(b"RIFF    WAVE"), Err(Damage::NotAJournal)));
    let mut newer = journal.clone();
    newer[8] = 2;
    assert!(matches!(Journal::read(&newer), Err(Damage::Version { found: 2 })));
}

#[test]
fn a_decision_that_was_not_taken_is_found_though_its_seals_fit() {
    let mut call = Call::new(setup(false, false), MOST_BYTES);
    call.exchange();
    let journal = call.journal();
    assert_eq!(run_again(&journal).divergence, None);

    let edited = forged(&journal, b"sentences\x01", b"sentences\x02").unwrap();
    let divergence = run_again(&edited).divergence.unwrap();
    let Difference::Effect { expected, got } = &divergence.difference else { panic!("{divergence:?}") };
    assert_eq!(expected.as_deref(), Some("seal {\"sentences\":2,\"utterance\":2}"));
    assert_eq!(got.as_deref(), Some("seal {\"sentences\":1,\"utterance\":2}"));
    assert_eq!(divergence.input, "brain_done {\"ask\":2}");
    assert!((divergence.at.seconds() - 2.39).abs() < 0.001, "{divergence:?}");

    // What the caller said, made another: the answer to it was asked with the true words.
    let edited = forged(&journal, b"Delhi\xAAconfidence", b"Dolly\xAAconfidence").unwrap();
    assert!(run_again(&edited).divergence.is_some());
    let edited = forged(&journal, b"thinking", b"drinking").unwrap();
    let divergence = run_again(&edited).divergence.unwrap();
    assert!(matches!(divergence.difference, Difference::Deadline { .. }), "{divergence:?}");
}

#[test]
fn less_eagerness_would_have_waited_where_the_call_went_on() {
    let mut call = Call::new(setup(false, false), MOST_BYTES);
    call.exchange();
    let journal = call.journal();
    let run = what_if(&journal, "eagerness", "normal");
    assert_eq!((run.divergence, run.shift), (None, None), "that is what it was");

    let run = what_if(&journal, "eagerness", "low");
    let shift = run.shift.unwrap();
    assert!(shift.input.starts_with("cut"), "{shift:?}");
    assert_eq!((shift.expected.as_str(), shift.got.as_str()), ("2.360 s (endpoint)", "2.760 s (endpoint)"));
    let divergence = run.divergence.unwrap();
    assert_eq!(divergence.input, "tick");
    let Difference::Effect { expected, got } = divergence.difference else { panic!("{:?}", divergence.difference) };
    assert!(expected.unwrap().starts_with("think"));
    assert_eq!(got, None, "it waits");
}

#[test]
fn more_eagerness_would_have_gone_on_by_itself() {
    let mut call = Call::new(setup(false, false), MOST_BYTES);
    call.exchange();
    let divergence = what_if(&call.journal(), "eagerness", "high").divergence.unwrap();
    let Difference::ByItself { deadline, got } = divergence.difference else { panic!("{:?}", divergence.difference) };
    assert_eq!(deadline, "2.160 s (endpoint)");
    assert!(got.starts_with("think"), "{got}");
    assert!((divergence.at.seconds() - 2.16).abs() < 1e-6);
}

#[test]
fn patience_that_nothing_hung_on_changes_nothing() {
    let mut call = Call::new(setup(false, false), MOST_BYTES);
    call.exchange();
    let run = what_if(&call.journal(), "max_conversation_duration_seconds", "700");
    assert_eq!(run.divergence, None);
    assert!(run.shift.is_some(), "the first deadline is that of the longest call");
}

#[test]
fn a_full_journal_holds_the_call_up_to_there() {
    let mut call = Call::new(setup(false, false), 2_000);
    call.exchange();
    for _ in 0..2_000 {
        call.input(20, Input::Context("something".into()));
    }
    let journal = call.journal();
    assert!(journal.len() <= 2_000 + 14, "{}", journal.len());
    let read = Journal::read(&journal).unwrap();
    assert_eq!((read.closing(), run_again(&journal).divergence), (Closing::Full, None));
    assert!(read.steps() > 3);
}

#[test]
fn a_call_that_died_leaves_its_last_input() {
    let mut call = Call::new(setup(false, false), MOST_BYTES);
    call.exchange();
    let before = Journal::read(&call.journal()).unwrap();
    assert_eq!(before.closing(), Closing::Running);
    call.core.handle(call.now, Input::Context("hello".into())); // and never came back
    let journal = call.tape.journal(true);
    let read = Journal::read(&journal).unwrap();
    assert_eq!((read.closing(), read.steps()), (Closing::Died, before.steps() + 1));
    assert!(read.lines().last().unwrap().ends_with("context \"hello\""));
    assert_eq!(run_again(&journal).divergence, None);
    // Whoever takes a journal leaves it as it was.
    while call.core.poll_effect().is_some() {}
    call.input(0, Input::Ended(EndReason::CallerHangup));
    let read = Journal::read(&call.journal()).unwrap();
    assert_eq!((read.closing(), run_again(&call.journal()).divergence), (Closing::Ended, None));
}

#[test]
fn without_a_tape_it_is_the_core() {
    let (start, setup) = (origin(), setup(false, false));
    let (mut plain, mut wrapped) = (setup.core(), Journalled::new(&setup, None));
    let mut at = start;
    for input in [Input::Started, Input::Brain { ask: 1, event: BrainEvent::Say("Hello.".into()) }, Input::Tick] {
        at += Duration::from_millis(10);
        plain.handle(at, input.clone());
        wrapped.handle(at, input);
        let effects = |poll: &mut dyn FnMut() -> Option<Effect>| std::iter::from_fn(poll).collect::<Vec<_>>();
        assert_eq!(effects(&mut || plain.poll_effect()), effects(&mut || wrapped.poll_effect()));
        assert_eq!(plain.poll_timeout(), wrapped.poll_timeout());
    }
}

/// A journal of the first day of this format. Its core decided otherwise, perhaps; it is still read, and shown.
#[test]
fn format_1_stays_readable() {
    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/journal/format_1.journal");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let mut call = Call::new(setup(true, false), MOST_BYTES);
        call.exchange();
        let parameters = serde_json::Map::from_iter([("budget".to_owned(), 6_000_000.into())]);
        let tool = ToolCall { name: "show".into(), parameters };
        for event in [BrainEvent::State(Box::new(state())), BrainEvent::Tool(tool)] {
            call.input(20, Input::Brain { ask: 2, event });
        }
        call.input(20, Input::Spoken(UtteranceId(2), Heard::default()));
        call.input(20, Input::Noticed { kind: "override_refused", detail: "voice".into() });
        call.input(20, Input::Dtmf('7'));
        call.input(20, Input::Restarted(Part::Tts));
        call.input(20, Input::Ended(EndReason::CallerHangup));
        std::fs::write(FILE, call.journal()).unwrap();
    }
    let journal = Journal::read(&std::fs::read(FILE).unwrap()).unwrap_or_else(|damage| {
        panic!("{damage}: give what is new a serde default, or count the format's version up and keep a file of each")
    });
    assert_eq!((journal.header().agent.as_str(), journal.header().setup.screen), ("front-desk", true));
    assert_eq!((journal.closing(), journal.header().setup.timing.endpoint_silence.as_millis()), (Closing::Ended, 500));
    let lines: Vec<String> = journal.lines().collect();
    for there in ["an apartment in Delhi", "6000000", "dtmf \"7\"", "restarted \"tts\"", "ended \"CallerHangup\""] {
        assert!(lines.iter().any(|line| line.contains(there)), "{there} is not in\n{}", lines.join("\n"));
    }
}
