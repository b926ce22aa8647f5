//! Vendors that panic, fall silent, are busy or slow: the call goes on, or ends for the right reason.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "support/line.rs"]
mod line;
#[path = "support/memory.rs"]
mod memory;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use line::{Exchange, Line, Vendors, say};
use tandem_actors::{Ports, Switch, SwitchConfig};
use tandem_domain::agent::Timing;
use tandem_domain::call_core::Part;
use tandem_domain::port::EventStream;
use tandem_domain::port::store::{NoNumbers, Unlimited};
use tandem_domain::port::stt::{Covers, Stt, SttError, SttEvent, SttInput, SttInputStream, SttSpec};
use tandem_domain::port::tts::{Tts, TtsChunk, TtsError, TtsSpec};
use tandem_peers::vendor::{FakeStt, FakeSttConfig, FakeTts, FakeTtsConfig};

const LIMIT: Duration = Duration::from_secs(240);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

async fn exchange(stt: Arc<dyn Stt>, tts: Arc<dyn Tts>) -> Exchange {
    let log = memory::Log::default();
    let ports = Ports {
        agents: Arc::new(memory::OneAgent(Timing::default())),
        numbers: Arc::new(NoNumbers),
        limits: Arc::new(Unlimited),
        log: Arc::new(log.clone()),
        stt,
        tts,
        brains: Arc::new(memory::OneAgent(Timing::default())),
    };
    Exchange { switch: Switch::start(SwitchConfig::default(), ports).await.unwrap(), log }
}

/// A voice that panics on its second sentence.
struct PanickingTts(FakeTts, AtomicU32);

impl Tts for PanickingTts {
    fn name(&self) -> &'static str {
        "panicking"
    }
    fn speak(&self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError> {
        if self.1.fetch_add(1, Ordering::SeqCst) == 1 {
            return Box::pin(stream::once(async { panic!("planned") }));
        }
        self.0.speak(spec)
    }
}

#[tokio::test(start_paused = true)]
async fn a_voice_that_panics_once_costs_no_more_than_a_restart() {
    let tts = PanickingTts(FakeTts::default(), AtomicU32::new(0));
    let exchange = exchange(Arc::new(FakeStt::default()), Arc::new(tts)).await;
    let mut line = Line::dial(&exchange, 1, vec![]).await;
    line.run_out(LIMIT).await;
    let records = exchange.records(&line).await;
    assert_eq!(records.reason(), "silence");
    assert_eq!(records.events.iter().filter(|kind| **kind == "restart").count(), 1, "{:?}", records.events);
    assert!(line.transcript().contains("What kind of property are you looking for?"), "{}", line.transcript());
}

/// A voice that falls mute after so many sentences.
struct MuteTts(FakeTts, AtomicU32, u32);

impl Tts for MuteTts {
    fn name(&self) -> &'static str {
        "mute"
    }
    fn speak(&self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError> {
        if self.1.fetch_add(1, Ordering::SeqCst) >= self.2 {
            return Box::pin(stream::empty());
        }
        self.0.speak(spec)
    }
}

#[tokio::test(start_paused = true)]
async fn a_voice_without_sound_does_not_hold_the_call_to_its_longest() {
    let tts = MuteTts(FakeTts::default(), AtomicU32::new(0), 3);
    let exchange = exchange(Arc::new(FakeStt::default()), Arc::new(tts)).await;
    let mut line = Line::dial(&exchange, 1, vec![say(1, "I want an apartment in Delhi")]).await;
    line.run_out(LIMIT).await;
    let records = exchange.records(&line).await;
    assert_eq!(records.reason(), "silence");
    assert!(records.ended[0].duration < Duration::from_secs(60), "{:?}", records.ended);
    assert!(
        records.heard().len() <= line.transcript().len() + 8,
        "heard {:?} ear {:?}",
        records.heard(),
        line.transcript()
    );
}

/// A recogniser that is busy for so many turns, and then hears a goodbye.
struct BusyStt(Arc<AtomicU32>, u32);

impl Stt for BusyStt {
    fn name(&self) -> &'static str {
        "busy"
    }
    fn transcribe(&self, _: SttSpec, audio: SttInputStream) -> EventStream<SttEvent, SttError> {
        let (count, busy) = (Arc::clone(&self.0), self.1);
        Box::pin(stream::unfold(Some(audio), move |audio| {
            let count = Arc::clone(&count);
            async move {
                let mut audio = audio?;
                loop {
                    if let SttInput::Finalize { turn, to, .. } = audio.next().await? {
                        if count.fetch_add(1, Ordering::SeqCst) < busy {
                            return Some((Err(SttError::Busy { vendor: "busy" }), None));
                        }
                        let text = "goodbye".to_owned();
                        let event = SttEvent::Final { turn, to, text, confidence: None, covers: Covers::WholeTurn };
                        return Some((Ok(event), Some(audio)));
                    }
                }
            }
        }))
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_recogniser_costs_a_question_and_not_the_call() {
    let count = Arc::new(AtomicU32::new(0));
    let exchange = exchange(Arc::new(BusyStt(Arc::clone(&count), 2)), Arc::new(FakeTts::default())).await;
    let script = vec![say(1, "I want an apartment"), say(1, "I want an apartment"), say(1, "goodbye")];
    let mut line = Line::dial(&exchange, 1, script).await;
    line.run_out(LIMIT).await;
    let records = exchange.records(&line).await;
    let asked = count.load(Ordering::SeqCst);
    assert_eq!(records.reason(), "completed", "finals asked: {asked}, events {:?}", records.events);
    assert!(!records.events.contains(&"restart"), "being busy is no death: {:?}", records.events);
}

/// A recogniser that takes 1.3 s, and a caller who pauses for 400 ms in his answer.
#[tokio::test(start_paused = true)]
async fn a_pause_in_the_answer_loses_no_words_with_a_slow_recogniser() {
    for gap in [300_u64, 350, 400, 450] {
        let stt = FakeStt::new(FakeSttConfig { latency: ms(1_300).into(), ..FakeSttConfig::default() });
        let exchange = exchange(Arc::new(stt), Arc::new(FakeTts::default())).await;
        let (first, second) = (line::rendered(1, "I want an apartment"), line::rendered(1, "in Delhi"));
        let samples = [&first.samples[..], &vec![0; gap as usize * 8], &second.samples[..]].concat();
        let step = tandem_peers::caller::Step::Say(tandem_peers::caller::Rendered {
            text: "I want an apartment in Delhi".into(),
            samples: samples.into(),
        });
        let mut line =
            Line::dial(&exchange, 1, vec![step, tandem_peers::caller::Step::Wait, tandem_peers::caller::Step::HangUp])
                .await;
        let end = tandem_actors::clock::now() + LIMIT;
        while line.tick().await && !line.caller.is_done() && tandem_actors::clock::now() < end {}
        let records = exchange.records(&line).await;
        assert_eq!(records.said(), "I want an apartment in Delhi", "gap {gap}");
    }
}

/// The recogniser dies in the caller's second turn: the new one must hear the turn's first word too.
#[tokio::test(start_paused = true)]
async fn a_recogniser_that_dies_in_the_second_turn_loses_no_word() {
    let meant = swept(None).await.0;
    for tick in (647..750).step_by(23) {
        let (ear, reason) = swept(Some((Part::Stt, tick))).await;
        assert_eq!((ear, reason.as_str()), (meant.clone(), "completed"), "killed at tick {tick}");
    }
}

/// A call in which a part is killed at that tick of 20 ms: the words in the caller's ear, and the reason for its end.
async fn swept(kill: Option<(Part, usize)>) -> (Vec<String>, String) {
    let vendors = Vendors {
        stt: FakeStt::new(FakeSttConfig { latency: ms(150).into(), ..FakeSttConfig::default() }),
        tts: FakeTts::new(FakeTtsConfig {
            first_chunk: ms(120).into(),
            chunk_interval: ms(60),
            ..FakeTtsConfig::default()
        }),
    };
    let exchange = Exchange::with(vendors, Timing::default(), SwitchConfig::default()).await;
    let script = vec![say(7, "I want an apartment in Delhi"), say(7, "sixty lakh rupees")];
    let mut line = Line::dial(&exchange, 7, script).await;
    if let Some((part, tick)) = kill {
        for _ in 0..tick {
            assert!(line.tick().await, "the call ended before tick {tick}");
        }
        exchange.kill(&line, part).await;
    }
    line.run_out(LIMIT).await;
    let records = exchange.records(&line).await;
    (line.transcript().split_whitespace().map(str::to_owned).collect(), records.reason().to_owned())
}
