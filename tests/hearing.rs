//! How a caller is heard: keys in the audio, audio that stalls in the middle of a sentence, and the processors that are asked for.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "support/line.rs"]
mod line;
#[path = "support/memory.rs"]
mod memory;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use line::{Exchange, Line, Vendors, rendered, say};
use tandem_actors::{Hearing, InbandDtmf, Ports, Switch, SwitchConfig};
use tandem_codecs::SampleRate;
use tandem_codecs::dtmf::{Key, dtmf};
use tandem_domain::agent::Timing;
use tandem_domain::port::EventStream;
use tandem_domain::port::store::{NoNumbers, Unlimited};
use tandem_domain::port::stt::{Stt, SttError, SttEvent, SttInput, SttInputStream, SttSpec};
use tandem_peers::caller::{Rendered, Step};
use tandem_peers::vendor::{FakeStt, FakeTts};

const LIMIT: Duration = Duration::from_secs(240);
/// What a recogniser is given at once.
const CHUNK: u64 = 800;

fn heard_with(hearing: Hearing) -> SwitchConfig {
    SwitchConfig { hearing, ..SwitchConfig::default() }
}

/// The tones of `keys`, 120 ms each with as long a pause.
fn tones(keys: &str) -> Rendered {
    let tone = |key| dtmf(SampleRate::HZ_8000, Key::new(key).unwrap(), 8_000, Duration::from_millis(120));
    let samples = keys.chars().flat_map(|key| tone(key).samples.iter().copied().chain([0; 960]).collect::<Vec<_>>());
    Rendered { text: String::new(), samples: samples.collect::<Vec<_>>().into() }
}

/// The keys that a call over Twilio's dialect had, when they were in the audio and, if `told`, in messages too.
async fn keys(inband: InbandDtmf, told: bool) -> usize {
    let config = heard_with(Hearing { inband_dtmf: inband, ..Hearing::default() });
    let exchange = Exchange::with(Vendors::default(), Timing::default(), config).await;
    let script = if told { Step::Dtmf("12#".into()) } else { Step::Say(tones("12#")) };
    let mut line = Line::dial(&exchange, 6, vec![script, say(6, "goodbye")]).await;
    line.run_out(LIMIT).await;
    exchange.records(&line).await.events.iter().filter(|kind| **kind == "dtmf").count()
}

#[tokio::test(start_paused = true)]
async fn keys_in_the_audio_count_where_they_are_listened_for() {
    assert_eq!(keys(InbandDtmf::On, false).await, 3);
    assert_eq!(keys(InbandDtmf::Auto, false).await, 0, "Twilio has messages for them");
    assert_eq!(keys(InbandDtmf::On, true).await, 3, "and the messages count as ever");
}

/// Counts what the recogniser is given.
struct Counting(FakeStt, Arc<AtomicU64>);

impl Stt for Counting {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn transcribe(&self, spec: SttSpec, audio: SttInputStream) -> EventStream<SttEvent, SttError> {
        let count = Arc::clone(&self.1);
        let counted = audio.inspect(move |input| {
            if let SttInput::Audio { samples, .. } = input {
                count.fetch_add(samples.len() as u64, Ordering::Relaxed);
            }
        });
        self.0.transcribe(spec, Box::pin(counted))
    }
}

#[tokio::test(start_paused = true)]
async fn a_stall_in_a_sentence_leaves_the_recognisers_clock_on_the_calls() {
    for stall in [300, 1_000, 4_500] {
        let (given, log) = (Arc::new(AtomicU64::new(0)), memory::Log::default());
        let ports = Ports {
            agents: Arc::new(memory::OneAgent(Timing::default())),
            numbers: Arc::new(NoNumbers),
            limits: Arc::new(Unlimited),
            log: Arc::new(log.clone()),
            stt: Arc::new(Counting(FakeStt::default(), Arc::clone(&given))),
            tts: Arc::new(FakeTts::default()),
            brains: Arc::new(memory::OneAgent(Timing::default())),
        };
        let exchange = Exchange { switch: Switch::start(SwitchConfig::default(), ports).await.unwrap(), log };
        let script = vec![say(3, "I want an apartment in Delhi"), say(3, "sixty lakh rupees")];
        let mut line = Line::dial(&exchange, 3, script).await;
        line.until("the caller speaks", LIMIT, |line| line.mouth_tape.iter().any(|sample| sample.abs() > 1_000)).await;
        line.stall();
        let until = line.mouth_tape.len() + stall * 8;
        line.until("the stall", LIMIT, |line| line.mouth_tape.len() >= until).await;
        line.burst().await;
        line.run_out(LIMIT).await;
        let (given, sent) = (given.load(Ordering::Relaxed), line.mouth_tape.len() as u64);
        // The last piece may not be full; what was filled in the stall and came after all would be 1,600 more.
        assert!(given <= sent + 160 && given + CHUNK + 640 >= sent, "stall of {stall} ms: {given} of {sent}");
        let records = exchange.records(&line).await;
        assert_eq!(records.extracted["location"], "Delhi", "{}", records.said());
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_is_understood_with_gain_control() {
    let hearing = Hearing { agc: true, ..Hearing::default() };
    let exchange = Exchange::with(Vendors::default(), Timing::default(), heard_with(hearing)).await;
    let script = vec![Step::Say(rendered(1, "I want an apartment in Delhi")), say(1, "sixty lakh rupees")];
    let mut line = Line::dial(&exchange, 1, script).await;
    line.run_out(LIMIT).await;
    let records = exchange.records(&line).await;
    assert_eq!(records.said(), "I want an apartment in Delhi / sixty lakh rupees");
}
