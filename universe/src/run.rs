//! One call from its first frame to the last thing that it leaves behind.
//!
//! Place: makes a [`Run`] of a [`Case`] on a runtime of its own, with one thread and a clock that stands still while there is work: hours pass
//! in seconds, and nothing but the case decides what happens.

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tandem_actors::clock;
use tandem_domain::ids::UtteranceId;
use tandem_domain::record::{EndReason, RECORDING_SAVED, Record};
use tandem_peers::caller::{CallerTurn, Rendered, Step};
use tandem_peers::carrier::PlaybackStatistics;
use tandem_peers::universe::cast::{Cast, CastError};
use tandem_peers::universe::surroundings::Room;
use tandem_peers::vendor::Fault;
use tandem_peers::voice::Heard;
use tokio::runtime::Builder;
use tokio::time::sleep;

use crate::case::Case;
use crate::exchange::Overheard;
use crate::line::Over;
use crate::many::{self, Many};
use crate::recorder::{Recording, SavedFile};
use crate::sabotage::Sabotage;
use crate::stage::Stage;
use crate::tape::Tape;

/// Beyond the longest call that the agent allows: its goodbye.
const GOODBYE: Duration = Duration::from_secs(30);
/// What a call may still need after its end: promises.md P8, "sockets and calls closed within 2 s of hang-up".
pub(crate) const GRACE: Duration = Duration::from_secs(2);

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
    /// The file that the switch's own recorder left, if it was to.
    pub saved: Option<SavedFile>,
    /// What became of the same call many times over, where that was asked for.
    pub many: Option<Many>,
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
    let mut run = once(case, cast)?;
    let rooms = (0..many::calls(case)).map(|_| case.scenario.room(cast)).collect::<Result<Vec<Room>, _>>()?;
    if !rooms.is_empty() {
        let script = case.scenario.script(cast)?;
        run.many = Some(on_a_clock_of_its_own(case, many::played(case.clone(), &script, rooms))??);
    }
    Ok(run)
}

/// The one call alone, whatever is promised of many.
pub(crate) fn once(case: &Case, cast: &Cast) -> Result<Run, RunError> {
    let (script, room) = (case.scenario.script(cast)?, case.scenario.room(cast)?); // spoken before the clock stands still
    on_a_clock_of_its_own(case, played(case.clone(), script, room))?
}

fn on_a_clock_of_its_own<T>(case: &Case, work: impl Future<Output = T>) -> Result<T, RunError> {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build()?;
    let _armed = Sabotage::arm(case.sabotage);
    Ok(runtime.block_on(work))
}

/// Why there is no run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No runtime.
    #[error("no runtime for a call: {0}; allow more open files")]
    Runtime(#[from] std::io::Error),
    /// No folder for recordings.
    #[error("no folder for recordings: {0}; make the system's folder for temporary files writable")]
    Folder(std::io::Error),
    /// The callers' voices.
    #[error(transparent)]
    Cast(#[from] CastError),
    /// The switch.
    #[error(transparent)]
    Switch(#[from] tandem_actors::StartError),
}

async fn played(case: Case, script: Vec<Step<Rendered>>, room: Room) -> Result<Run, RunError> {
    let stage = Stage::set(&case, 1).await?;
    let before = stage.alive().await;

    let now = clock::now();
    let mut line = stage.call(&case, script, room, now);
    let over = line.run(limit(&case)).await;
    let (ways, far) = (line.longest_ways(), line.far_clock());
    let ended = far.far(clock::now());
    let recording = stage.recordings().pop();
    let (tape, turns) = (std::mem::take(&mut line.tape), line.caller.turns().to_vec());
    let playback = line.peer.statistics();
    drop(line);

    sleep(GRACE).await;
    let after = stage.alive().await;
    stage.switch.stop().await;

    let since = |at: Instant| at.saturating_duration_since(now);
    let records = stage.log.records();
    Ok(Run {
        digest: digest(&tape, &records),
        goes: turns.into_iter().map(|turn| go(turn, now, ended)).collect(),
        overheard: stage.tap.notes().into_iter().map(|(at, what)| (since(far.far(at)), what)).collect(),
        recognisers: stage.wires.notes().into_iter().map(|(at, what)| (since(far.far(at)), what)).collect(),
        over: (since(ended), over),
        case,
        heard: tape.words(),
        floor: tape.floor(),
        tape,
        ways,
        saved: stage.saved(&records),
        records,
        recording,
        playback,
        before,
        after,
        many: None,
    })
}

/// How long a call may last at the most, until nobody ends it any more.
pub(crate) fn limit(case: &Case) -> Duration {
    case.scenario.limit.max(case.timing.max_duration + GOODBYE)
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
        Record::Admitted(usage) => format!("admitted {}", usage.overflow),
        Record::Progress(progress) => {
            format!("progress {} {} {:?}", progress.revision, progress.stage, progress.extracted)
        }
        Record::Event(event) if event.kind == RECORDING_SAVED => {
            format!("event {:?} {} {}", event.since_start, event.kind, event.data["sha256"]) // the file has the call's id for a name
        }
        Record::Event(event) => format!("event {} {:?} {} {}", event.index, event.since_start, event.kind, event.data),
        Record::Ended(ended) => {
            format!("ended {:?} {} {:?} {:?}", ended.reason, ended.detail, ended.duration, ended.outcome)
        }
    }
}
