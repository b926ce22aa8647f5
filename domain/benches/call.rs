//! What the decisions of a call cost: the core's steps, the ledger, and the pacing of one 20 ms chunk.
//!
//! `cargo bench -p tandem-domain`. A chunk is paced 50 times a second while the agent speaks; the core has a dozen inputs a turn.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use tandem_codecs::SampleRate;
use tandem_codecs::ambience::Scene;
use tandem_codecs::mix::Bed;
use tandem_domain::agent::Timing;
use tandem_domain::call_core::{CallCore, Effect, Input, Lines};
use tandem_domain::ids::UtteranceId;
use tandem_domain::ledger::{Heard, SentenceAudio, heard_text};
use tandem_domain::playout::Playout;
use tandem_domain::port::brain::BrainEvent;
use tandem_domain::port::dialect::{Capabilities, ClearMarks, EndBy};
use tandem_domain::port::stt::Covers;
use tandem_domain::port::tts::WordStart;

const SENTENCES: [&str; 2] = ["An apartment in Delhi, very good.", "And what is your budget for it, roughly?"];
/// Samples of one sentence: two seconds.
const SENTENCE_SAMPLES: u64 = 16_000;

#[allow(clippy::disallowed_methods)] // a made-up clock needs an origin
fn origin() -> Instant {
    Instant::now()
}

/// A call on a made-up clock, whose drivers answer at once.
struct Call {
    core: CallCore,
    now: Instant,
    turn: u32,
    samples: u64,
}

impl Call {
    fn greeted() -> Self {
        let core = CallCore::new(&Timing::default(), Lines::default());
        let mut call = Self { core, now: origin(), turn: 0, samples: 0 };
        call.step(Input::Started);
        call
    }

    fn heard() -> Heard {
        let audio = SentenceAudio { samples: SENTENCE_SAMPLES, complete: true, words: Vec::new() };
        Heard { samples: 2 * SENTENCE_SAMPLES, sentences: vec![audio; 2] }
    }

    /// One input and all that follows from it without the caller.
    fn step(&mut self, input: Input) {
        self.core.handle(self.now, input);
        let mut answers = Vec::new();
        while let Some(effect) = self.core.poll_effect() {
            match effect {
                Effect::Transcribe { turn, to, .. } => answers.push(Input::Transcript {
                    turn,
                    to,
                    text: "sixty lakh rupees".into(),
                    confidence: Some(0.9),
                    covers: Covers::WholeTurn,
                }),
                Effect::Think { number, .. } => {
                    let say = |text: &str| Input::Brain { ask: number, event: BrainEvent::Say(text.into()) };
                    answers.extend(SENTENCES.map(say));
                    answers.push(Input::BrainDone { ask: number });
                }
                Effect::Seal { utterance, .. } => {
                    answers.push(Input::FirstAudio(utterance));
                    answers.push(Input::Spoken(utterance, Self::heard()));
                }
                Effect::Cut => answers.push(Input::Cut(Self::heard())),
                Effect::Hold => answers.push(Input::Held(Self::heard())),
                _ => {}
            }
        }
        for answer in answers {
            self.now += Duration::from_millis(50);
            self.step(answer);
        }
        black_box(self.core.poll_timeout());
    }

    /// The caller says something and is answered.
    fn turn(&mut self) {
        self.turn += 1;
        let at = self.samples;
        self.step(Input::SpeechStarted { at, began: self.now });
        self.now += Duration::from_secs(2);
        self.samples += SENTENCE_SAMPLES;
        self.step(Input::SpeechEnded { to: self.samples, ended: self.now });
        self.now += Duration::from_secs(1);
        self.step(Input::Tick);
    }
}

fn core(c: &mut Criterion) {
    let mut group = c.benchmark_group("call_core");
    let mut probe = Call::greeted();
    probe.turn();
    assert_eq!(probe.core.history().len(), 3, "greeting, turn and answer: the bench runs what it says");
    group.bench_function("tick_without_effect", |b| {
        let mut call = Call::greeted();
        b.iter(|| {
            call.core.handle(black_box(call.now), Input::Tick);
            black_box(call.core.poll_effect());
            black_box(call.core.poll_timeout())
        });
    });
    for turns in [1, 20] {
        group.bench_function(format!("turn_{turns}_of_a_call"), |b| {
            let before = || {
                let mut call = Call::greeted();
                (1..turns).for_each(|_| call.turn());
                call
            };
            b.iter_batched_ref(before, Call::turn, BatchSize::SmallInput);
        });
    }
    group.finish();
}

fn ledger(c: &mut Criterion) {
    let texts: Vec<String> = SENTENCES.iter().map(|&text| text.to_owned()).collect();
    let words = |text: &str| -> Vec<WordStart> {
        let starts = text.char_indices().filter(|&(byte, _)| byte == 0 || text[..byte].ends_with(' '));
        starts.map(|(byte, _)| WordStart { byte, sample: byte as u64 * 400 }).collect()
    };
    let timed = |words| SentenceAudio { samples: SENTENCE_SAMPLES, complete: true, words };
    let mut group = c.benchmark_group("ledger");
    for (name, audio) in [
        ("by_word_timings", [timed(words(SENTENCES[0])), timed(words(SENTENCES[1]))]),
        ("by_proportion", [timed(Vec::new()), timed(Vec::new())]),
    ] {
        let heard = Heard { samples: SENTENCE_SAMPLES + 9_000, sentences: audio.to_vec() };
        group.bench_function(name, |b| b.iter(|| heard_text(black_box(&texts), black_box(&heard))));
    }
    group.finish();
}

fn pacing(c: &mut Criterion) {
    let telephone = Capabilities {
        carrier: "bench",
        chunk: Duration::from_millis(20),
        lead: Duration::from_millis(60),
        clear: ClearMarks::AllReturned,
        marks: true,
        notices: false,
        dtmf_in: true,
        dtmf_out: false,
        end: EndBy::SocketClose,
        max_message_bytes: 1_000,
    };
    let mut group = c.benchmark_group("playout_20_ms");
    for (name, bed) in [("voice", None), ("voice_over_ambience", Some(Scene::Office.round()))] {
        group.bench_function(name, |b| {
            let (mut playout, mut now, mut actions) = (Playout::new(&telephone, 8_000), origin(), Vec::new());
            playout.set_bed(bed.clone().map(|round| Bed::new(SampleRate::HZ_8000, round, 0.5, 7)));
            let utterance = UtteranceId(1);
            playout.open(utterance);
            b.iter(|| {
                // What goes out comes in, so that the queue has one length.
                playout.push(utterance, 0, playout.queued(utterance, 0), &[1_000; 160], &[]);
                playout.poll(now, &mut actions);
                let next = playout.poll_timeout(now);
                black_box(&actions);
                actions.clear();
                now += Duration::from_millis(20);
                next
            });
        });
    }
    group.finish();
}

criterion_group!(benches, core, ledger, pacing);
criterion_main!(benches);
