//! The switch of a run, with everything behind its ports, and the way into it.
//!
//! Place: set up by [`crate::run()`] for one call, and by [`crate::many`] for the same call many times over. Vendors, taps and the log are the
//! switch's, so calls on one stage share them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tandem_actors::tap::{AudioTap, Tap as AudioTaps};
use tandem_actors::{Arrival, Ports, RecordingKeeping, Switch, SwitchConfig};
use tandem_codecs::SampleRate;
use tandem_domain::port::dialect::Dialect;
use tandem_domain::port::store::{AgentStore, NoNumbers, Unlimited};
use tandem_domain::port::stt::Stt;
use tandem_domain::port::tts::Tts;
use tandem_domain::record::Record;
use tandem_peers::caller::{Caller, Rendered, Step};
use tandem_peers::carrier::{Carrier, MediaPeer};
use tandem_peers::universe::public_bugs::Holds;
use tandem_peers::universe::surroundings::Room;
use tandem_peers::vendor::{FakeStt, FakeSttConfig, FakeTts, FakeTtsConfig, FaultPlan};
use tandem_providers::carrier::browser::BrowserDialect;
use tandem_providers::carrier::exotel::ExotelDialect;
use tandem_providers::carrier::twilio::TwilioDialect;
use tandem_providers::stt::fallback::Order as SttOrder;
use tandem_providers::tts::order::{Limits, Order as TtsOrder};
use tempfile::TempDir;
use tokio::runtime::Handle;

use crate::Case;
use crate::exchange::{Log, Reception, Tap, TappedBrains, TappedStt, TappedTts};
use crate::line::{Line, wire};
use crate::recorder::{Recorder, Recording, SavedFile};
use crate::run::{Alive, RunError};

/// How long the recogniser and the voice of this machine take (README: Whisper and flite on one core).
const LOCAL_STT: Duration = Duration::from_millis(300);
const LOCAL_TTS: Duration = Duration::from_millis(60);

/// A switch, and what it was given.
pub(crate) struct Stage {
    pub(crate) switch: Switch,
    /// What the call hears of its vendors.
    pub(crate) tap: Arc<Tap>,
    /// What goes over the vendors' wires: with one vendor behind another, more than the call hears.
    pub(crate) wires: Arc<Tap>,
    pub(crate) log: Log,
    recorder: Option<Arc<Recorder>>,
    /// Of the switch's own recordings.
    folder: Option<TempDir>,
}

impl Stage {
    /// A switch that takes so many calls at once, at least.
    pub(crate) async fn set(case: &Case, at_once: usize) -> Result<Self, RunError> {
        let (tap, wires, log) = (Arc::new(Tap::default()), Arc::new(Tap::default()), Log::default());
        let (scenario, vendors) = (&case.scenario, &case.scenario.vendors);
        let desk = Arc::new(Reception { timing: case.timing, ambience: case.ambience, desk: scenario.desk });
        let ports = Ports {
            agents: Arc::clone(&desk) as Arc<dyn AgentStore>,
            numbers: Arc::new(NoNumbers),
            limits: Arc::new(Unlimited),
            log: Arc::new(log.clone()),
            stt: Arc::new(TappedStt(recognisers(case, &wires), Arc::clone(&tap))),
            tts: voices(case, &tap),
            brains: Arc::new(TappedBrains(vendors.brain.fake(desk, scenario.seed), Arc::clone(&tap))),
        };
        let recorder = case.holds.iter().any(Holds::is_about_a_recording).then(Recorder::start);
        let folder =
            case.holds.contains(&Holds::RecordingIsSaved).then(TempDir::new).transpose().map_err(RunError::Folder)?;
        let mut config = SwitchConfig::default();
        config.max_calls = config.max_calls.max(at_once);
        if let Some(recorder) = &recorder {
            config.tap = AudioTaps::to(Arc::clone(recorder) as Arc<dyn AudioTap>);
        }
        if let Some(folder) = &folder {
            config.recordings = RecordingKeeping { folder: Some(folder.path().to_owned()), ..Default::default() };
        }
        let switch = Switch::start(config, ports).await?;
        Ok(Self { switch, tap, wires, log, recorder, folder })
    }

    /// The caller dials: the line, which is still to be run.
    pub(crate) fn call(&self, case: &Case, script: Vec<Step<Rendered>>, room: Room, now: Instant) -> Line {
        let (ours, socket) = wire();
        let peer = case.carrier.peer(BTreeMap::new());
        let dialects = door(&case.carrier, peer.as_ref());
        tokio::spawn({
            let switch = self.switch.clone();
            async move { switch.serve_any(&dialects, socket, Arrival::default()).await }
        });
        let caller = Caller::new(script, case.scenario.manners(), now);
        Line::new(peer, caller, room, &case.scenario, !matches!(case.carrier, Carrier::Browser(_)), ours, now)
    }

    /// What was recorded of the calls up to now, in the order in which they began.
    pub(crate) fn recordings(&self) -> Vec<Recording> {
        self.recorder.as_ref().map(|recorder| recorder.finish()).unwrap_or_default()
    }

    /// The file that the switch's recorder left; the records say how long its call was.
    pub(crate) fn saved(&self, records: &[Record]) -> Option<SavedFile> {
        let mut lengths = records.iter().filter_map(|record| match record {
            Record::Ended(ended) => Some(SampleRate::HZ_8000.samples_in(ended.duration) as u64),
            _ => None,
        });
        SavedFile::only_one_in(self.folder.as_ref()?.path(), lengths.next_back()?)
    }

    /// What is alive now.
    pub(crate) async fn alive(&self) -> Alive {
        let calls = self.switch.calls().await.len();
        let streams = [&self.tap, &self.wires].iter().map(|tap| tap.open_streams()).sum();
        tokio::task::yield_now().await; // what has just ended is swept up by its runtime
        Alive { tasks: Handle::current().metrics().num_alive_tasks(), streams, calls }
    }
}

/// The recogniser of the scenario, and behind it one that runs on this machine: slower, and sound.
fn recognisers(case: &Case, wires: &Arc<Tap>) -> SttOrder {
    let (scenario, tapped) = (&case.scenario, |stt| Arc::new(TappedStt(stt, Arc::clone(wires))));
    let local = FakeStt::new(FakeSttConfig { latency: LOCAL_STT.into(), ..FakeSttConfig::default() });
    SttOrder::new(tapped(scenario.vendors.stt.fake(scenario.seed)), [tapped(local) as Arc<dyn Stt>])
}

/// The voice of the scenario, and behind it one that runs on this machine; the calls of public bugs are about one voice.
fn voices(case: &Case, tap: &Arc<Tap>) -> Arc<dyn Tts> {
    let scenario = &case.scenario;
    let tapped = |voice, faults| Arc::new(TappedTts { voice, faults, tap: Arc::clone(tap) });
    let local = FakeTts::new(FakeTtsConfig { first_chunk: LOCAL_TTS.into(), ..FakeTtsConfig::default() });
    let first = tapped(scenario.vendors.tts.fake(scenario.seed), case.voice_faults());
    match case.holds.is_empty() || !scenario.vendors.tts.faults.is_empty() {
        false => first,
        true => Arc::new(TtsOrder::new(first, [tapped(local, FaultPlan::none()) as Arc<dyn Tts>], Limits::default())),
    }
}

/// The dialects that the carrier's door speaks.
fn door(carrier: &Carrier, peer: &dyn MediaPeer) -> Vec<Arc<dyn Dialect>> {
    match carrier {
        Carrier::Twilio(_) | Carrier::Exotel(..) => {
            let query = peer.query().unwrap_or_default();
            vec![Arc::new(TwilioDialect::new(0)), Arc::new(ExotelDialect::default().opened_with(&query))]
        }
        Carrier::Browser(wishes) => vec![Arc::new(BrowserDialect::new(wishes.agent.clone(), 0))],
    }
}
