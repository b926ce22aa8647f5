//! A caller of the recogniser port: speaks the talker's voice, pauses, and hears what was understood.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tandem_domain::ids::TurnId;
use tandem_domain::port::EventStream;
use tandem_domain::port::stt::{Stt, SttError, SttEvent, SttInput, SttSpec};
use tandem_peers::mock::Mock;
use tandem_peers::voice::speak;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Nothing in these tests takes longer.
pub const LIMIT: Duration = Duration::from_secs(20);

pub struct Caller {
    pub feed: mpsc::Sender<SttInput>,
    pub events: EventStream<SttEvent, SttError>,
    pub at: u64,
    pub turn: u32,
}

impl Caller {
    pub fn new(stt: &dyn Stt) -> Self {
        Self::with(stt, SttSpec { language: "en".to_owned(), rate_hz: 8_000, ..SttSpec::default() })
    }

    pub fn with(stt: &dyn Stt, spec: SttSpec) -> Self {
        let (feed, inputs) = mpsc::channel(10_000);
        let inputs = stream::unfold(inputs, |mut inputs| async move { Some((inputs.recv().await?, inputs)) });
        Self { feed, events: stt.transcribe(spec, Box::pin(inputs)), at: 0, turn: 0 }
    }

    /// Audio, faster than it is spoken: no recogniser minds.
    pub fn hear(&mut self, samples: &[i16]) {
        for chunk in samples.chunks(160) {
            self.feed.try_send(SttInput::Audio { start: self.at, samples: chunk.into() }).unwrap();
            self.at += chunk.len() as u64;
        }
    }

    pub fn silence(&mut self, ms: usize) {
        self.hear(&vec![0; ms * 8]);
    }

    /// A turn, up to where a detector of speech would ask for it.
    pub fn say(&mut self, text: &str) {
        self.silence(400);
        let from = self.at;
        self.hear(&speak(text));
        self.ask(from, 200);
    }

    /// Asks for what was said since `from`, so many ms after it ended.
    pub fn ask(&mut self, from: u64, after: usize) {
        let to = self.at;
        self.silence(after);
        self.turn += 1;
        let turn = TurnId(self.turn);
        self.feed.try_send(SttInput::Finalize { turn, from, to, hints: Arc::from([]) }).unwrap();
    }

    /// The next final's words; partials are passed over.
    pub async fn answer(&mut self) -> Result<String, SttError> {
        let next = async {
            loop {
                match self.events.next().await.expect("the stream goes on")? {
                    SttEvent::Partial { .. } => {}
                    SttEvent::Final { turn, text, .. } => {
                        assert_eq!(turn.0, self.turn);
                        return Ok(text);
                    }
                }
            }
        };
        timeout(LIMIT, next).await.expect("in time")
    }
}

/// Waits until the server's log shows it.
pub async fn logged(mock: &Mock, shown: impl Fn(&Mock) -> bool) {
    let look = async {
        while !shown(mock) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT, look).await.expect("the server has seen it in time");
}
