//! What callers hear besides the words, in whole calls under a paused clock: the place that an agent sounds like, and a carrier that says
//! nothing of what it dropped.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "support/line.rs"]
mod line;
#[path = "support/memory.rs"]
mod memory;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use line::{Exchange, Line, rendered, say};
use memory::{CallRecords, Log, OneAgent};
use tandem_actors::{Arrival, Ports, Switch, SwitchConfig};
use tandem_codecs::Level;
use tandem_codecs::ambience::Scene;
use tandem_domain::agent::{Agent, Ambience, AmbienceKind, Timing};
use tandem_domain::ids::BusinessId;
use tandem_domain::port::dialect::{Capabilities, ClearMarks, Decoder, Dialect, Encoder, LegStart};
use tandem_domain::port::store::{AgentStore, NoNumbers, RowKey, StoreFuture, Unlimited};
use tandem_peers::caller::{Rendered, Step};
use tandem_peers::carrier::twilio::{TwilioIds, TwilioPeer};
use tandem_peers::carrier::{FRAME_SAMPLES, HeardFrame, MediaPeer, PlaybackStatistics, Violation};
use tandem_peers::vendor::{FakeStt, FakeTts};
use tandem_providers::carrier::twilio::TwilioDialect;

const LIMIT: Duration = Duration::from_secs(240);
/// What a voice is louder than, and a line's silence is not.
const VOICED_DBFS: f32 = -40.0;

/// The front desk's agent, changed.
struct Changed<F>(F);

impl<F: Fn(&mut Agent) + Send + Sync> AgentStore for Changed<F> {
    fn agent(&self, business: BusinessId, key: RowKey) -> StoreFuture<'_, Option<Agent>> {
        Box::pin(async move {
            let agent = OneAgent(Timing::default()).agent(business, key).await?;
            Ok(agent.map(|mut agent| {
                (self.0)(&mut agent);
                agent
            }))
        })
    }
}

async fn exchange(change: impl Fn(&mut Agent) + Send + Sync + 'static) -> Exchange {
    let log = Log::default();
    let ports = Ports {
        numbers: Arc::new(NoNumbers),
        limits: Arc::new(Unlimited),
        agents: Arc::new(Changed(change)),
        log: Arc::new(log.clone()),
        stt: Arc::new(FakeStt::default()),
        tts: Arc::new(FakeTts::default()),
        brains: Arc::new(OneAgent(Timing::default())),
    };
    Exchange { switch: Switch::start(SwitchConfig::default(), ports).await.unwrap(), log }
}

/// How loud `round` is in `heard`, whose first sample is its `place`-th: 1 as it is, 0 if it is not there.
fn share(heard: &[i16], round: &[i16], place: u64) -> f64 {
    let bed = |n: usize| f64::from(round[((place + n as u64) % round.len() as u64) as usize]);
    let both: f64 = heard.iter().enumerate().map(|(n, sample)| f64::from(*sample) * bed(n)).sum();
    both / (0..heard.len()).map(|n| bed(n).powi(2)).sum::<f64>()
}

#[tokio::test(start_paused = true)]
async fn a_place_gives_way_by_nine_decibels_while_the_caller_speaks() {
    let round = Scene::Office.round(); // made before the call, which has it from its first frame then
    let exchange = exchange(|agent| agent.ambience = Ambience { kind: AmbienceKind::Office, volume: 1.0 }).await;
    // By the time: to a caller of ours an agent that is never silent never ends.
    let after = Duration::from_secs(7);
    let speaks = Step::Interrupt { after, say: rendered(401, "I want a villa with a garden in Pune") };
    let mut line = Line::dial(&exchange, 401, vec![speaks]).await;
    line.until("the bed", LIMIT, |line| line.agent_audio > Duration::ZERO).await;
    let (began, seed) = (line.ear_tape.len() - FRAME_SAMPLES, exchange.session(&line).await.call_id.0.as_u64_pair().1);
    line.until("the caller's line", LIMIT, |line| {
        let voiced = |frame: &[i16]| Level::of(frame).rms_dbfs > VOICED_DBFS;
        let spoken = line.mouth_tape.chunks(FRAME_SAMPLES).filter(|frame| voiced(frame)).count();
        spoken > 75 && line.mouth_tape.rchunks(FRAME_SAMPLES).take(5).all(|frame| !voiced(frame))
    })
    .await;
    let voiced: Vec<usize> = (line.mouth_tape.chunks(FRAME_SAMPLES).enumerate())
        .filter_map(|(n, frame)| (Level::of(frame).rms_dbfs > VOICED_DBFS).then_some(n * FRAME_SAMPLES))
        .collect();
    let decibels = |from: usize, to: usize| {
        let place = seed % round.len() as u64 + (from - began) as u64;
        20.0 * share(&line.ear_tape[from..to], &round, place).log10()
    };
    let before = decibels(voiced[0] - 1_600, voiced[0]);
    // it is known for speech after 60 ms, and the bed is under way by then; it takes 100 ms
    let under = decibels(voiced[0] + 2_400, voiced[voiced.len() - 1]);
    assert!(before.abs() < 0.2, "as it is: {before} dB");
    assert!((under + 9.0).abs() < 0.3, "under the caller: {under} dB");
}

/// A carrier that sends marks back when they were played, and says nothing of those that a `clear` has dropped.
struct Mute(TwilioDialect);

impl Dialect for Mute {
    fn capabilities(&self) -> Capabilities {
        Capabilities { clear: ClearMarks::NoneReturned, ..self.0.capabilities() }
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        self.0.decoder()
    }

    fn encoder(&self, start: &LegStart) -> Box<dyn Encoder> {
        self.0.encoder(start)
    }
}

/// Its side of the line.
struct MutePeer(TwilioPeer);

impl MediaPeer for MutePeer {
    fn call_sid(&self) -> &str {
        &self.0.ids().call_sid
    }

    fn query(&self) -> Option<String> {
        None
    }

    fn open(&mut self, now: Instant) -> Vec<String> {
        self.0.open(now)
    }

    fn caller_audio(&mut self, samples: &[i16; FRAME_SAMPLES]) -> Option<String> {
        Some(self.0.caller_audio(samples))
    }

    fn dtmf(&mut self, digit: char) -> String {
        self.0.dtmf(digit)
    }

    fn stop(&mut self, now: Instant) -> String {
        self.0.stop(now)
    }

    fn receive(&mut self, now: Instant, text: &str) -> Result<Vec<String>, Violation> {
        let clears = self.0.statistics().clears;
        let played = self.0.handle_timeout(now); // before the message: those are told
        let dropped = self.0.receive(now, text)?;
        let cleared = self.0.statistics().clears > clears;
        Ok(played.into_iter().chain(dropped.into_iter().filter(|_| !cleared)).collect())
    }

    fn receive_binary(&mut self, bytes: usize) -> Violation {
        self.0.receive_binary(bytes).into()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.0.poll_timeout()
    }

    fn handle_timeout(&mut self, now: Instant) -> Vec<String> {
        self.0.handle_timeout(now)
    }

    fn played(&mut self, now: Instant) -> Vec<HeardFrame> {
        self.0.played(now)
    }

    fn statistics(&self) -> PlaybackStatistics {
        self.0.statistics()
    }

    fn sent(&self) -> Duration {
        self.0.sent()
    }
}

/// A call on that carrier; how often its buffer was cleared.
async fn on_a_mute_carrier(number: u64, script: Vec<Step<Rendered>>) -> (u32, String, CallRecords) {
    let exchange = Exchange::new().await;
    let peer = MutePeer(TwilioPeer::new(TwilioIds::numbered(u128::from(number)), BTreeMap::new()));
    let dialect: Arc<dyn Dialect> = Arc::new(Mute(TwilioDialect::new(0)));
    let mut line = Line::dial_as(&exchange, vec![dialect], peer, Arrival::default(), number, script).await;
    line.run_out(LIMIT).await;
    let (clears, heard) = (line.peer.statistics().clears, line.transcript());
    (clears, heard, exchange.records(&line).await)
}

#[tokio::test(start_paused = true)]
async fn marks_that_a_clear_has_dropped_are_neither_waited_for_nor_taken_for_heard() {
    let over = Step::Interrupt { after: Duration::from_millis(1_300), say: rendered(402, "I want a villa in Pune") };
    let (clears, heard, records) = on_a_mute_carrier(402, vec![over, say(402, "one crore")]).await;
    assert_eq!((clears, records.reason()), (1, "completed"));
    let cut = &records.responses[0];
    assert!(cut.interrupted && !cut.heard.is_empty() && cut.heard != cut.text, "{cut:?}");
    // Of the word that was under way in the far end's buffer either may have half.
    let behind = records.heard().strip_prefix(&cut.heard).map(str::to_owned).unwrap();
    let ear = heard.strip_suffix(&behind).unwrap_or_else(|| panic!("{heard:?} does not end with {behind:?}"));
    let more = ear.strip_prefix(&cut.heard).unwrap_or_else(|| panic!("{ear:?} does not begin with {cut:?}"));
    assert!(more.split_whitespace().count() <= 1, "heard and not on record: {more:?}");
    assert_eq!(records.extracted["location"], "Pune");
}

#[tokio::test(start_paused = true)]
async fn a_voice_goes_on_behind_a_clear_that_nobody_answered() {
    let nod = Step::Interrupt { after: Duration::from_millis(1_300), say: rendered(403, "mm-hmm okay") };
    let (clears, heard, records) = on_a_mute_carrier(403, vec![nod, say(403, "goodbye")]).await;
    let greeting = &records.responses[0];
    assert!(clears >= 1 && !greeting.interrupted, "{clears} clears, {greeting:?}");
    assert_eq!(greeting.heard, greeting.text);
    assert!(heard.ends_with("Goodbye."), "{heard}");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_stands_for_nothing_is_on_the_timeline_and_not_in_the_ear() {
    let exchange = exchange(|agent| {
        agent.script.disclosure = Some("This call is recorded by {compny}.".to_owned());
    })
    .await;
    let mut line = Line::dial(&exchange, 404, vec![say(404, "goodbye")]).await;
    line.run_out(LIMIT).await;
    assert!(line.transcript().starts_with("This call is recorded. "), "{}", line.transcript());
    let records = exchange.records(&line).await;
    let told = records.timeline.iter().find(|event| event.kind == "unknown_variable").unwrap();
    assert_eq!(told.data["detail"], "{compny} in the disclosure");
}
