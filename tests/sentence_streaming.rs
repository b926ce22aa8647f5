//! The caller hears the first sentence before the second is synthesised: with a voice that is held back on purpose, and with the natural one.
#![cfg(feature = "local-speech")]
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use line::{Exchange, Line};
use tandem_actors::{Ports, Switch, SwitchConfig};
use tandem_domain::agent::Timing;
use tandem_domain::port::EventStream;
use tandem_domain::port::store::{NoNumbers, Unlimited};
use tandem_domain::port::tts::{Tts, TtsChunk, TtsError, TtsSpec};
use tandem_peers::vendor::{FakeStt, FakeTts};
use tandem_providers::local::clauses::Clauses;
use tokio::sync::Semaphore;

#[path = "support/line.rs"]
mod line;
#[path = "support/memory.rs"]
mod memory;

const LIMIT: Duration = Duration::from_secs(10);

/// A voice that makes as many clauses as its gate lets through, and writes down which.
struct Gated {
    voice: FakeTts,
    gate: Arc<Semaphore>,
    made: Arc<Mutex<Vec<String>>>,
}

impl Tts for Gated {
    fn name(&self) -> &'static str {
        "gated"
    }

    fn speak(&self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError> {
        let (gate, made) = (Arc::clone(&self.gate), Arc::clone(&self.made));
        let text = spec.text.clone();
        let chunks = self.voice.speak(spec);
        let synthesis = async move {
            gate.acquire().await.unwrap().forget();
            made.lock().unwrap().push(text);
            chunks
        };
        Box::pin(stream::once(synthesis).flatten())
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_sentence_is_in_the_ear_while_the_second_is_not_made() {
    let (gate, made) = (Arc::new(Semaphore::new(1)), Arc::new(Mutex::new(Vec::new())));
    let voice = Gated { voice: FakeTts::default(), gate: Arc::clone(&gate), made: Arc::clone(&made) };
    let log = memory::Log::default();
    let ports = Ports {
        agents: Arc::new(memory::OneAgent(Timing::default())),
        numbers: Arc::new(NoNumbers),
        limits: Arc::new(Unlimited),
        log: Arc::new(log.clone()),
        stt: Arc::new(FakeStt::default()),
        tts: Arc::new(Clauses::new(Arc::new(voice))),
        brains: Arc::new(memory::OneAgent(Timing::default())),
    };
    let exchange = Exchange { switch: Switch::start(SwitchConfig::default(), ports).await.unwrap(), log };
    let mut line = Line::dial(&exchange, 1, vec![]).await;

    line.until("a second of the first sentence", LIMIT, |line| line.agent_audio > Duration::from_secs(1)).await;
    assert_eq!(*made.lock().unwrap(), ["Hello, this is Tandem's front desk."]);
    gate.add_permits(1);
    line.until("the second sentence", LIMIT, |line| line.transcript().contains("looking for?")).await;
    assert_eq!(made.lock().unwrap().len(), 2);
    exchange.switch.stop().await;
}
