#![allow(clippy::unwrap_used)]
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::stream;
use tandem_domain::playout::Playout;
use tandem_domain::port::EventStream;
use tandem_domain::port::dialect::{Capabilities, ClearMarks, EndBy};
use tandem_domain::port::tts::TtsChunk;
use tokio::time::sleep;

use super::*;
use crate::clock;

/// Samples of a chunk: 100 ms.
const CHUNK: usize = 800;
/// From the request to the first chunk.
const FIRST: Duration = Duration::from_millis(300);
const UTTERANCE: UtteranceId = UtteranceId(1);

/// A voice of five chunks a sentence. Of the first `broken` sentences there is no sound.
struct Slow {
    asked: AtomicU32,
    broken: u32,
    /// Samples of a chunk.
    chunk: usize,
}

impl Voice for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn speak(&self, _: TtsSpec) -> EventStream<TtsChunk, TtsError> {
        let broken = self.asked.fetch_add(1, Ordering::Relaxed) < self.broken;
        let chunk = TtsChunk { samples: Arc::from(vec![100; self.chunk]), words: Vec::new() };
        let (begin, rest) = (chunk.clone(), std::iter::repeat_n(Ok(chunk), 4));
        let first = stream::once(async move {
            sleep(FIRST).await;
            match broken {
                true => Err(TtsError::Failed { vendor: "slow", detail: "as planned".into() }),
                false => Ok(begin),
            }
        });
        first.chain(stream::iter(rest)).boxed()
    }
}

struct Stage {
    tts: ActorRef<TtsMsg>,
    voice: Arc<Slow>,
    lane: SpeechLane,
}

impl Stage {
    async fn new(broken: u32) -> Self {
        Self::of(Slow { asked: AtomicU32::new(0), broken, chunk: CHUNK }).await
    }

    async fn of(voice: Slow) -> Self {
        let voice = Arc::new(voice);
        let capabilities = Capabilities {
            carrier: "test",
            chunk: Duration::from_millis(20),
            lead: Duration::from_millis(80),
            clear: ClearMarks::NoClear,
            marks: false,
            notices: false,
            dtmf_in: true,
            dtmf_out: false,
            end: EndBy::SocketClose,
            max_message_bytes: 65_536,
        };
        let lane = SpeechLane::new(Playout::new(&capabilities, 8_000), None);
        lane.playout().open(UTTERANCE);
        let args = Args {
            call: CallId(uuid::Uuid::nil()),
            voice: Arc::clone(&voice) as Arc<dyn Voice>,
            spec: TtsSpec { rate_hz: 8_000, ..TtsSpec::default() },
            lane: lane.clone(),
        };
        let (tts, _) = Actor::spawn(None, Tts, args).await.unwrap();
        Self { tts, voice, lane }
    }

    fn prepare(&self, text: &str) {
        self.tts.cast(TtsMsg::Prepare(text.into())).unwrap();
    }

    fn speak(&self, text: &str) {
        self.tts.cast(TtsMsg::Speak(Sentence { utterance: UTTERANCE, index: 0, text: text.into() })).unwrap();
    }

    fn is_queued(&self) -> bool {
        self.lane.playout().is_complete(UTTERANCE, 0)
    }

    /// How long it takes until the sentence is in the lane.
    async fn queued_after(&self) -> Duration {
        let asked = clock::now();
        while !self.is_queued() {
            timeout(Duration::from_secs(5), self.lane.woken()).await.unwrap();
        }
        clock::now() - asked
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_prepared_is_spoken_at_once_and_made_once() {
    let stage = Stage::new(0).await;
    stage.prepare("Hello.");
    sleep(FIRST * 2).await;
    assert!(!stage.is_queued(), "nobody has asked for it");
    stage.speak("Hello.");
    assert_eq!(stage.queued_after().await, Duration::ZERO);
    assert_eq!(stage.voice.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_ready_yet_goes_on() {
    let stage = Stage::new(0).await;
    stage.prepare("Hello.");
    sleep(FIRST / 3).await;
    stage.speak("Hello.");
    assert_eq!(stage.queued_after().await, FIRST - FIRST / 3);
    assert_eq!(stage.voice.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn other_words_are_made_anew() {
    for discard in [false, true] {
        let stage = Stage::new(0).await;
        stage.prepare("Hello.");
        sleep(FIRST * 2).await;
        if discard {
            stage.tts.cast(TtsMsg::Discard).unwrap();
        }
        stage.speak(if discard { "Hello." } else { "Good evening." });
        assert_eq!(stage.queued_after().await, FIRST);
        assert_eq!(stage.voice.asked.load(Ordering::Relaxed), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_sentence_that_could_not_be_prepared_is_tried_again() {
    let stage = Stage::new(1).await;
    stage.prepare("Hello.");
    sleep(FIRST * 2).await;
    stage.speak("Hello.");
    assert_eq!(stage.queued_after().await, FIRST);
    assert_eq!(stage.voice.asked.load(Ordering::Relaxed), 2);
}

/// promises.md P7, "10 MB at once".
#[tokio::test(start_paused = true)]
async fn ten_minutes_at_once_wait_for_room() {
    let stage = Stage::of(Slow { asked: AtomicU32::new(0), broken: 0, chunk: 600 * 8_000 }).await;
    stage.speak("Hello.");
    sleep(FIRST * 10).await;
    let waiting = stage.lane.playout().backlog();
    assert!(waiting <= Duration::from_secs(14), "{waiting:?} wait to be heard");
    assert!(!stage.is_queued());
}

#[tokio::test(start_paused = true)]
async fn without_preparation_a_sentence_takes_as_long_as_its_voice() {
    let stage = Stage::new(0).await;
    stage.speak("Hello.");
    assert_eq!(stage.queued_after().await, FIRST);
}
