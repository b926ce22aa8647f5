//! The inference pool against processes that misbehave on purpose: killed, poisoned, hung, talking nonsense. No model is needed.
//!
//! The worker is this test binary, started again with one test selected: [`worker`]. It does what the prompt says.

#![cfg(feature = "local-speech")]
#![allow(clippy::unwrap_used)]

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{StreamExt, poll, stream};
use tandem_codecs::{Pcm, SampleRate};
use tandem_domain::ids::TurnId;
use tandem_domain::port::EventStream;
use tandem_domain::port::stt::{Covers, Stt, SttError, SttEvent, SttInput, SttSpec};
use tandem_providers::local::whisper::{Fault, WhisperConfig, WhisperError, WhisperPool};
use tandem_providers::local::whisper_stt::WhisperStt;
use tandem_providers::local::whisper_wire::{Outcome, Reply, Request, body_length};
use tempfile::TempDir;
use tokio::sync::mpsc;

/// Where the worker finds its pipes; also what tells it that it is one.
const FOLDER: &str = "FAKE_WORKER_FOLDER";

/// Not a test of its own: the other end of the pipes.
#[test]
fn worker() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let mut stdin = std::io::stdin().lock();
    // The test harness prints to stdout, so the frames go to the descriptor that the shell kept aside.
    let mut frames = OpenOptions::new().write(true).open("/dev/fd/3").unwrap();
    frames.write_all(&Reply::ready(Duration::ZERO).encode()).unwrap();
    let mut header = [0; 4];
    while stdin.read_exact(&mut header).is_ok() {
        let mut body = vec![0; body_length(header).unwrap()];
        stdin.read_exact(&mut body).unwrap();
        let request = Request::decode(&body).unwrap();
        let text = obey(request.prompt.trim_end_matches('.'), request.samples.len(), &folder, &mut frames);
        let outcome = Outcome::Heard { text, confidence: 0.5 };
        frames.write_all(&Reply { id: request.id, outcome, took: Duration::ZERO }.encode()).unwrap();
    }
}

fn obey(order: &str, samples: usize, folder: &Path, frames: &mut File) -> String {
    match order.split_once(' ').unwrap_or((order, "")) {
        ("say", words) => words.to_owned(),
        ("count", _) => samples.to_string(),
        ("crash", _) => std::process::abort(),
        ("hang", _) => loop {
            std::thread::park();
        },
        ("babble", _) => {
            frames.write_all(&[0xFF; 64]).unwrap();
            String::new()
        }
        // Tells its process id and waits to be killed; the second time it is left in peace.
        ("victim", _) => {
            let second = OpenOptions::new().write(true).create_new(true).open(folder.join("was here")).is_err();
            if !second {
                std::fs::write(folder.join("out"), std::process::id().to_string()).unwrap();
                loop {
                    std::thread::park();
                }
            }
            "survived".to_owned()
        }
        // Says that it runs, and ends when told to.
        ("wait", _) => {
            std::fs::write(folder.join("out"), "running").unwrap();
            std::fs::read_to_string(folder.join("in")).unwrap()
        }
        other => panic!("no such order: {other:?}"),
    }
}

/// A pool of such workers, and two named pipes to them.
struct Bench {
    pool: WhisperPool,
    folder: TempDir,
}

impl Bench {
    fn new(workers: usize, queue: usize, limit: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["in", "out"] {
            assert!(Command::new("mkfifo").arg(folder.path().join(name)).status().unwrap().success());
        }
        let script = format!("exec 3>&1 >/dev/null; {FOLDER}=\"$1\" exec \"$0\" --exact worker --nocapture");
        let program = std::env::current_exe().unwrap();
        let worker: Vec<OsString> =
            vec!["sh".into(), "-c".into(), script.into(), program.into(), folder.path().as_os_str().to_owned()];
        let config = WhisperConfig { workers, queue, limit, ..WhisperConfig::new(worker, PathBuf::from("no model")) };
        Self { pool: WhisperPool::new(config), folder }
    }

    async fn ask(&self, order: &str) -> Result<String, WhisperError> {
        let speech = Pcm::new(SampleRate::HZ_8000, vec![1i16; 80]);
        self.pool.transcribe(&speech, order).await.map(|transcript| transcript.text)
    }

    /// Waits until a worker has something to say.
    async fn hear(&self) -> String {
        let path = self.folder.path().join("out");
        tokio::task::spawn_blocking(|| std::fs::read_to_string(path)).await.unwrap().unwrap()
    }

    async fn tell(&self, words: &'static str) {
        let path = self.folder.path().join("in");
        tokio::task::spawn_blocking(move || std::fs::write(path, words)).await.unwrap().unwrap();
    }
}

const PATIENT: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_killed_process_costs_one_retry_and_no_other_job() {
    let bench = Bench::new(2, 20, PATIENT);
    let others = join_all((0..10).map(|_| bench.ask("say hello")));
    let assassin = async {
        let pid = bench.hear().await;
        assert!(Command::new("sh").args(["-c", "kill -9 \"$0\"", &pid]).status().unwrap().success());
    };
    let (victim, others, ()) = tokio::join!(bench.ask("victim"), others, assassin);
    assert_eq!(victim.unwrap(), "survived");
    assert!(others.into_iter().all(|answer| answer.unwrap() == "hello"));
}

#[tokio::test]
async fn a_poison_job_is_given_up_and_the_pool_goes_on() {
    let bench = Bench::new(1, 20, PATIENT);
    let (poison, next) = tokio::join!(bench.ask("crash"), bench.ask("say next"));
    assert!(matches!(poison, Err(WhisperError::Failed { fault: Fault::Crashed })), "{poison:?}");
    assert_eq!(next.unwrap(), "next");
}

#[tokio::test]
async fn a_hung_process_is_replaced() {
    let bench = Bench::new(1, 20, Duration::from_secs(2));
    let hung = bench.ask("hang").await;
    assert!(matches!(hung, Err(WhisperError::Failed { fault: Fault::Hung })), "{hung:?}");
    assert_eq!(bench.ask("say again").await.unwrap(), "again");
}

#[tokio::test]
async fn nonsense_is_not_believed() {
    let bench = Bench::new(1, 20, PATIENT);
    let babble = bench.ask("babble").await;
    assert!(matches!(babble, Err(WhisperError::Failed { fault: Fault::Garbled })), "{babble:?}");
    assert_eq!(bench.ask("say sense").await.unwrap(), "sense");
}

#[tokio::test]
async fn a_worker_that_does_not_start_is_an_error() {
    for program in ["/nonexistent/worker", "true"] {
        let config = WhisperConfig::new(vec![program.into()], PathBuf::from("no model"));
        let answer = WhisperPool::new(config).warm().await;
        assert!(matches!(answer, Err(WhisperError::Failed { fault: Fault::Start })), "{program}: {answer:?}");
    }
}

#[tokio::test]
async fn a_full_queue_refuses_and_a_dropped_job_makes_room() {
    let bench = Bench::new(1, 1, PATIENT);
    let running = bench.ask("wait");
    let rest = async {
        assert_eq!(bench.hear().await, "running");
        let mut waiting = Box::pin(bench.ask("say never"));
        assert!(poll!(&mut waiting).is_pending());
        assert!(matches!(bench.ask("say no").await, Err(WhisperError::Busy)));
        drop(waiting);
        let mut waiting = Box::pin(bench.ask("say yes"));
        assert!(poll!(&mut waiting).is_pending());
        bench.tell("go").await;
        assert_eq!(waiting.await.unwrap(), "yes");
    };
    let (ran, ()) = tokio::join!(running, rest);
    assert_eq!(ran.unwrap(), "go");
}

fn spec() -> SttSpec {
    SttSpec { language: "en".into(), rate_hz: 8_000, ..SttSpec::default() }
}

fn audio(start: u64, count: usize) -> SttInput {
    SttInput::Audio { start, samples: Arc::from(vec![100i16; count]) }
}

fn finalize(turn: u32, from: u64, to: u64, order: &str) -> SttInput {
    SttInput::Finalize { turn: TurnId(turn), from, to, hints: Arc::from([order.to_owned()]) }
}

#[tokio::test]
async fn a_turn_is_heard_with_a_margin_and_covers_itself() {
    let bench = Bench::new(1, 20, PATIENT);
    let inputs = [audio(8_000, 24_000), finalize(3, 16_000, 24_000, "count")];
    let events: Vec<_> =
        WhisperStt::new(bench.pool.clone()).transcribe(spec(), stream::iter(inputs).boxed()).collect().await;
    // 300 ms before, 200 ms after, at twice the rate.
    let text = (2 * (8_000 + 2_400 + 1_600)).to_string();
    let expected =
        SttEvent::Final { turn: TurnId(3), to: 24_000, text, confidence: Some(0.5), covers: Covers::WholeTurn };
    assert_eq!(events, [Ok(expected)]);
}

#[tokio::test]
async fn the_same_turn_finalised_again_supersedes() {
    let bench = Bench::new(2, 20, PATIENT);
    let first = stream::iter([audio(0, 8_000), finalize(1, 0, 4_000, "wait")]);
    let pool = bench.pool.clone();
    let bench = Arc::new(bench);
    let second = stream::once({
        let bench = Arc::clone(&bench);
        async move {
            bench.hear().await; // the first one runs
            finalize(1, 0, 8_000, "say both halves")
        }
    });
    let events: Vec<_> = WhisperStt::new(pool).transcribe(spec(), first.chain(second).boxed()).collect().await;
    assert!(
        matches!(&events[..], [Ok(SttEvent::Final { to: 8_000, text, .. })] if text == "both halves"),
        "{events:?}"
    );
}

/// A stream that is fed by hand, on a pool of so many workers, and what it says.
fn by_hand(bench: &Bench, order: &str) -> (mpsc::Sender<SttInput>, EventStream<SttEvent, SttError>) {
    let (sender, receiver) = mpsc::channel(64);
    let inputs = stream::unfold(receiver, |mut inputs| async move { Some((inputs.recv().await?, inputs)) });
    let spec = SttSpec { keywords: vec![order.to_owned()], partials: true, ..spec() };
    (sender, WhisperStt::new(bench.pool.clone()).transcribe(spec, inputs.boxed()))
}

#[tokio::test]
async fn an_open_turn_is_previewed_once_a_second() {
    let bench = Bench::new(2, 20, PATIENT);
    let (inputs, mut events) = by_hand(&bench, "count");
    inputs.send(audio(0, 8_000)).await.unwrap();
    inputs.send(SttInput::Speaking { from: 8_000 }).await.unwrap();
    for (start, seconds) in [(8_000, 1), (16_000, 2)] {
        inputs.send(audio(start, 8_000)).await.unwrap();
        // 300 ms before, nothing after, at twice the rate.
        let text = (2 * (seconds * 8_000 + 2_400)).to_string();
        assert_eq!(events.next().await, Some(Ok(SttEvent::Partial { text })));
    }
    inputs.send(finalize(1, 8_000, 24_000, "say settled")).await.unwrap();
    assert!(matches!(events.next().await, Some(Ok(SttEvent::Final { text, .. })) if text.starts_with("settled")));
    inputs.send(audio(24_000, 16_000)).await.unwrap();
    drop(inputs);
    assert_eq!(events.next().await, None, "the turn is over");
}

#[tokio::test]
async fn a_final_does_not_wait_for_a_preview_that_runs() {
    let bench = Bench::new(2, 20, PATIENT);
    let (inputs, mut events) = by_hand(&bench, "wait");
    inputs.send(SttInput::Speaking { from: 0 }).await.unwrap();
    inputs.send(audio(0, 8_000)).await.unwrap();
    let ask = async {
        assert_eq!(bench.hear().await, "running");
        inputs.send(finalize(1, 0, 8_000, "say settled")).await.unwrap();
    };
    let (event, ()) = tokio::join!(events.next(), ask);
    assert!(matches!(&event, Some(Ok(SttEvent::Final { text, .. })) if text.starts_with("settled")), "{event:?}");
    bench.tell("too late").await;
    drop(inputs);
    assert_eq!(events.next().await, None, "what was abandoned says nothing");
}

#[tokio::test]
async fn a_pool_of_one_keeps_its_worker_for_finals() {
    let bench = Bench::new(1, 20, PATIENT);
    let (inputs, events) = by_hand(&bench, "count");
    inputs.send(SttInput::Speaking { from: 0 }).await.unwrap();
    inputs.send(audio(0, 80_000)).await.unwrap();
    inputs.send(finalize(1, 0, 80_000, "say settled")).await.unwrap();
    drop(inputs);
    let events: Vec<_> = events.collect().await;
    assert!(matches!(&events[..], [Ok(SttEvent::Final { .. })]), "{events:?}");
}
