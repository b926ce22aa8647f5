//! One call from its first frame to the last thing that it leaves behind.
//!
//! Place: makes a [`Run`] of a [`Case`] on a runtime of its own, with one thread and a clock that stands still while there is work: hours pass
//! in seconds, and nothing but the case decides what happens.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tandem_actors::tap::{AudioTap, Tap as AudioTaps};
use tandem_actors::{Arrival, Ports, Switch, SwitchConfig, clock};
use tandem_domain::ids::UtteranceId;
use tandem_domain::port::dialect::Dialect;
use tandem_domain::port::store::AgentStore;
use tandem_domain::port::stt::Stt;
use tandem_domain::port::tts::Tts;
use tandem_domain::record::{EndReason, Record};
use tandem_peers::caller::{Caller, CallerTurn, Rendered, Step};
use tandem_peers::carrier::{Carrier, MediaPeer, PlaybackStatistics};
use tandem_peers::universe::cast::{Cast, CastError};
use tandem_peers::universe::public_bugs::Holds;
use tandem_peers::universe::surroundings::Room;
use tandem_peers::vendor::{FakeStt, FakeSttConfig, FakeTts, FakeTtsConfig, Fault, FaultPlan};
use tandem_peers::voice::Heard;
use tandem_providers::carrier::browser::BrowserDialect;
use tandem_providers::carrier::exotel::ExotelDialect;
use tandem_providers::carrier::twilio::TwilioDialect;
use tandem_providers::stt::fallback::Order as SttOrder;
use tandem_providers::tts::order::{Limits, Order as TtsOrder};
use tokio::runtime::{Builder, Handle};
use tokio::time::sleep;

use crate::case::Case;
use crate::exchange::{Log, Overheard, Reception, Tap, TappedBrains, TappedStt, TappedTts};
use crate::line::{Line, Over, wire};
use crate::recorder::{Recorder, Recording};
use crate::sabotage::Sabotage;
use crate::tape::Tape;

/// How long the recogniser and the voice of this machine take (README: Whisper and flite on one core).
const LOCAL_STT: Duration = Duration::from_millis(300);
const LOCAL_TTS: Duration = Duration::from_millis(60);
/// Beyond the longest call that the agent allows: its goodbye.
const GOODBYE: Duration = Duration::from_secs(30);
/// What a call may still need after its end: promises.md P8, "sockets and calls closed within 2 s of hang-up".
const GRACE: Duration = Duration::from_secs(2);

/// A caller's go, by the tape's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Go {
    /// The words, or the keys.
    pub said: String,
    /// First sound.
    pub began: Duration,
    /// Last sound; the call's end if it was cut short.
    pub ended: Duration,
    /// It began while the agent spoke.
    pub over_agent: bool,
    /// It was a go of words, not of keys.
    pub spoken: bool,
}

impl Go {
    /// Whether it made a sound: words, or a cough; keys make none.
    pub fn is_sound(&self) -> bool {
        self.spoken || self.said.is_empty()
    }
}

/// What is alive, besides the run itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Alive {
    /// Tasks of the runtime: actors, pumps, timers that are waited for.
    pub tasks: usize,
    /// Streams open at vendors.
    pub streams: usize,
    /// Calls that the switchboard holds.
    pub calls: usize,
}

/// A call as it was: all that an invariant may look at.
#[derive(Debug, Clone)]
pub struct Run {
    /// What was asked for.
    pub case: Case,
    /// Ear and mouth.
    pub tape: Tape,
    /// The words in the ear; positions in samples of the tape.
    pub heard: Vec<Heard>,
    /// What the caller did.
    pub goes: Vec<Go>,
    /// What went on at the vendors.
    pub overheard: Vec<(Duration, Overheard)>,
    /// What went on at each recogniser of the order by itself.
    pub recognisers: Vec<(Duration, Overheard)>,
    /// What the call left in the store, in order.
    pub records: Vec<Record>,
    /// When the room around the caller, or the caller, was speech to the switch's detector.
    pub floor: Vec<(Duration, Duration)>,
    /// How the line ended, and when.
    pub over: (Duration, Over),
    /// What a recorder made of the call; of those that are about recordings.
    pub recording: Option<Recording>,
    /// The longest that any message was under way, up and down.
    pub ways: (Duration, Duration),
    /// What the listener could complain about.
    pub playback: PlaybackStatistics,
    /// Before the call.
    pub before: Alive,
    /// Two seconds after it.
    pub after: Alive,
    /// Of ear, mouth and records; without ids and wall clock.
    pub digest: [u8; 32],
}

impl Run {
    /// The records of utterances, in order.
    pub fn responses(&self) -> impl Iterator<Item = &tandem_domain::record::AgentResponse> {
        self.records.iter().filter_map(|record| match record {
            Record::AgentResponse(response) => Some(response),
            _ => None,
        })
    }

    /// Events of this kind on the timeline that the call left, with their detail: since its start, by the tape's clock, which may run off.
    pub(crate) fn events<'run>(&'run self, kind: &'run str) -> impl DoubleEndedIterator<Item = (Duration, &'run str)> {
        let drift = 1.0 + f64::from(self.case.scenario.line.drift_ppm) / 1e6;
        self.records.iter().filter_map(move |record| match record {
            Record::Event(event) if event.kind == kind => {
                Some((event.since_start.mul_f64(drift), event.data["detail"].as_str().unwrap_or_default()))
            }
            _ => None,
        })
    }

    /// When the timeline that the call left begins.
    pub(crate) fn met(&self) -> Duration {
        self.overheard.iter().find(|(_, what)| *what == Overheard::Met).map_or(Duration::ZERO, |(at, _)| *at)
    }

    /// Times that the voice was late in the middle of a word of this utterance; of any, if `None`. What stood in for it breaks the word's mark,
    /// though a person would still understand it: so many words cannot be told by the ear.
    pub fn gaps_filled(&self, utterance: Option<UtteranceId>) -> usize {
        let of_it = |detail: &str| utterance.is_none_or(|utterance| detail == format!("in utterance {}", utterance.0));
        self.events("gap_filled").filter(|(_, detail)| of_it(detail)).count()
    }

    /// The reasons for the call's end on record.
    pub fn reasons(&self) -> Vec<&EndReason> {
        let ends = self.records.iter().filter_map(|record| match record {
            Record::Ended(ended) => Some(&ended.reason),
            _ => None,
        });
        ends.collect()
    }

    /// Sentences whose sound the vendor broke, so that nobody can tell how much of them was heard.
    pub fn doubtful_sentences(&self) -> impl Iterator<Item = &str> {
        self.overheard.iter().filter_map(|(_, overheard)| match overheard {
            Overheard::Speak(text, Some(Fault::Garbage | Fault::Endless | Fault::Drop | Fault::DropMidway)) => {
                Some(text.as_str())
            }
            _ => None,
        })
    }

    /// When the words began that end the call whatever the caller says; `None` if it ended otherwise.
    pub fn goodbye_from(&self) -> Option<Duration> {
        let ([EndReason::Silence | EndReason::MaxDuration | EndReason::Drained], Some(last)) =
            (self.reasons().as_slice(), self.responses().last())
        else {
            return None;
        };
        let words = last.text.split_whitespace().count().min(self.heard.len());
        let first = self.heard.get(self.heard.len() - words)?;
        Some(self.tape.at(first.start))
    }
}

/// Runs the case to its end.
///
/// # Errors
///
/// If the machine has no runtime for us or no voices for the callers, or the switch does not start.
pub fn run(case: &Case, cast: &Cast) -> Result<Run, RunError> {
    let (script, room) = (case.scenario.script(cast)?, case.scenario.room(cast)?); // spoken before the clock stands still
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build()?;
    let _armed = Sabotage::arm(case.sabotage);
    runtime.block_on(played(case.clone(), script, room))
}

/// Why there is no run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No runtime.
    #[error("no runtime for a call: {0}; allow more open files")]
    Runtime(#[from] std::io::Error),
    /// The callers' voices.
    #[error(transparent)]
    Cast(#[from] CastError),
    /// The switch.
    #[error(transparent)]
    Switch(#[from] tandem_actors::StartError),
}

async fn played(case: Case, script: Vec<Step<Rendered>>, room: Room) -> Result<Run, RunError> {
    let (tap, wires, log) = (Arc::new(Tap::default()), Arc::new(Tap::default()), Log::default());
    let (scenario, vendors) = (&case.scenario, &case.scenario.vendors);
    let desk = Arc::new(Reception { timing: case.timing, ambience: case.ambience, desk: scenario.desk });
    let ports = Ports {
        agents: Arc::clone(&desk) as Arc<dyn AgentStore>,
        log: Arc::new(log.clone()),
        stt: Arc::new(TappedStt(recognisers(&case, &wires), Arc::clone(&tap))),
        tts: voices(&case, &tap),
        brains: Arc::new(TappedBrains(vendors.brain.fake(desk, scenario.seed), Arc::clone(&tap))),
    };
    let recorder = case.holds.iter().any(Holds::is_about_a_recording).then(Recorder::start);
    let mut config = SwitchConfig::default();
    if let Some((recorder, _)) = &recorder {
        config.tap = AudioTaps::to(Arc::clone(recorder) as Arc<dyn AudioTap>);
    }
    let switch = Switch::start(config, ports).await?;
    let before = alive(&switch, &[&tap, &wires]).await;

    let now = clock::now();
    let (ours, socket) = wire();
    let peer = case.carrier.peer(BTreeMap::new());
    let dialects = door(&case.carrier, peer.as_ref());
    tokio::spawn({
        let switch = switch.clone();
        async move { switch.serve_any(&dialects, socket, Arrival::default()).await }
    });
    let caller = Caller::new(script, scenario.manners(), now);
    let mut line = Line::new(peer, caller, room, scenario, !matches!(case.carrier, Carrier::Browser(_)), ours, now);
    let over = line.run(scenario.limit.max(case.timing.max_duration + GOODBYE)).await;
    let (ways, far) = (line.longest_ways(), line.far_clock());
    let ended = far.far(clock::now());
    let recording = recorder.as_ref().and_then(|(recorder, _)| recorder.finish());
    let (tape, turns) = (std::mem::take(&mut line.tape), line.caller.turns().to_vec());
    let playback = line.peer.statistics();
    drop(line);

    sleep(GRACE).await;
    let after = alive(&switch, &[&tap, &wires]).await;
    switch.stop().await;

    let since = |at: Instant| at.saturating_duration_since(now);
    let records = log.records();
    Ok(Run {
        digest: digest(&tape, &records),
        goes: turns.into_iter().map(|turn| go(turn, now, ended)).collect(),
        overheard: tap.notes().into_iter().map(|(at, what)| (since(far.far(at)), what)).collect(),
        recognisers: wires.notes().into_iter().map(|(at, what)| (since(far.far(at)), what)).collect(),
        over: (since(ended), over),
        case,
        heard: tape.words(),
        floor: tape.floor(),
        tape,
        ways,
        records,
        recording,
        playback,
        before,
        after,
    })
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

async fn alive(switch: &Switch, taps: &[&Tap]) -> Alive {
    let calls = switch.calls().await.len();
    let streams = taps.iter().map(|tap| tap.open_streams()).sum();
    tokio::task::yield_now().await; // what has just ended is swept up by its runtime
    Alive { tasks: Handle::current().metrics().num_alive_tasks(), streams, calls }
}

fn go(turn: CallerTurn, began: Instant, over: Instant) -> Go {
    let since = |at: Instant| at.saturating_duration_since(began);
    let spoken = turn.said.chars().any(char::is_alphabetic);
    Go {
        began: since(turn.began),
        ended: since(turn.ended.unwrap_or(over)),
        over_agent: turn.over_agent,
        said: turn.said,
        spoken,
    }
}

/// What two runs of one seed must have in common: every sample, and every record but for its ids and its time on the wall.
pub(crate) fn digest(tape: &Tape, records: &[Record]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for sample in tape.ear.iter().chain(&tape.mouth) {
        hash.update(sample.to_le_bytes());
    }
    for record in records {
        hash.update(timeless(record).as_bytes());
    }
    hash.finalize().into()
}

/// The record without what comes from outside of the case.
pub(crate) fn timeless(record: &Record) -> String {
    match record {
        Record::Started(started) => format!("started {} {:?}", started.call_sid, started.parameters),
        Record::UserTurn(turn) => format!("user {:?} {:?} {:?}", turn.turn, turn.text, turn.confidence),
        Record::AgentResponse(response) => format!(
            "agent {:?} {:?} {:?} {:?} {} {:?} {:?}",
            response.utterance,
            response.turn,
            response.text,
            response.heard,
            response.interrupted,
            response.latency,
            response.stages
        ),
        Record::Progress(progress) => {
            format!("progress {} {} {:?}", progress.revision, progress.stage, progress.extracted)
        }
        Record::Event(event) => format!("event {} {:?} {} {}", event.index, event.since_start, event.kind, event.data),
        Record::Ended(ended) => {
            format!("ended {:?} {} {:?} {:?}", ended.reason, ended.detail, ended.duration, ended.outcome)
        }
    }
}
