//! What a simulated call leaves: the caller's own account, and the report that is printed.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::caller::CallerTurn;
use crate::carrier::{MediaPeer, PlaybackStatistics};

/// Who ended the call, as the caller's side saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndedBy {
    /// The switch closed the socket.
    Switch,
    /// The caller hung up.
    Caller,
    /// The limit of the simulation.
    Limit,
    /// The connection broke: how.
    Lost(String),
}

/// What the caller's side alone knows of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerReport {
    /// The carrier's id of the call; a key of the switch's API.
    pub call_sid: String,
    /// Who ended it.
    pub ended_by: EndedBy,
    /// The goes, in order. The first is the agent's opening: nothing said, begun at zero.
    pub turns: Vec<PeerTurn>,
    /// How well the agent's audio came.
    pub playback: PlaybackStatistics,
    /// Caller audio sent.
    pub sent: Duration,
    /// From the stream's start to its end.
    pub duration: Duration,
    /// The recording, if one was asked for.
    pub recording: Option<PathBuf>,
}

/// One go of the caller, and what was heard until the next. Times are since the stream's start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PeerTurn {
    /// The caller's words or keys.
    pub said: String,
    /// When the caller began.
    pub began: Duration,
    /// When the caller's last sound ended; `None` if the call ended before.
    pub ended: Option<Duration>,
    /// From there to the first sound of the answer.
    pub latency: Option<Duration>,
    /// Whether the caller began while the agent spoke.
    pub over_agent: bool,
    /// What a recogniser made of what the caller heard.
    pub heard: String,
}

impl PeerReport {
    pub(super) fn new(
        peer: &dyn MediaPeer,
        turns: &[CallerTurn],
        began: Instant,
        ended_by: EndedBy,
        now: Instant,
    ) -> Self {
        let since = |instant: Instant| instant.saturating_duration_since(began);
        let spoken = turns.iter().map(|turn| PeerTurn {
            said: turn.said.clone(),
            began: since(turn.began),
            ended: turn.ended.map(since),
            latency: turn.latency(),
            over_agent: turn.over_agent,
            heard: String::new(),
        });
        Self {
            call_sid: peer.call_sid().to_owned(),
            ended_by,
            turns: std::iter::once(PeerTurn::default()).chain(spoken).collect(),
            playback: peer.statistics(),
            sent: peer.sent(),
            duration: since(now),
            recording: None,
        }
    }

    /// Adds an utterance to the go during or after which it began.
    pub(super) fn add_heard(&mut self, start: Duration, text: &str) {
        if let Some(turn) = self.turns.iter_mut().rev().find(|turn| turn.began <= start) {
            append(&mut turn.heard, text);
        }
    }
}

/// The object that `tandem simulate --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SimulationReport {
    /// The carrier's id of the call: a key of `/api/conversations/{id}`.
    pub call_id: String,
    /// Why the switch says the call ended; `None` if it keeps no record of it.
    pub ended_reason: Option<String>,
    /// The goes; the first is the agent's opening, if it had one.
    pub turns: Vec<TurnReport>,
    /// The line.
    pub audio: AudioReport,
    /// Path of the recording.
    pub recording: Option<PathBuf>,
}

/// One go of the caller and its answer, from both sides.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct TurnReport {
    /// What the caller said.
    pub caller_said: String,
    /// What the switch understood.
    pub heard_as: String,
    /// What the switch says the caller heard.
    pub agent_text: String,
    /// What the caller heard.
    pub agent_heard_text: String,
    /// From the end of the caller's speech to the first sound of the answer, by the caller's clock.
    pub latency_ms: Option<u64>,
    /// Parts of the latency in ms by stage, by the switch's clock; an object.
    pub stages: serde_json::Map<String, serde_json::Value>,
    /// Whether the answer was cut short.
    pub interrupted: bool,
}

/// How the audio fared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AudioReport {
    /// Gaps inside the agent's speech.
    pub underruns: u32,
    /// Messages more than 20 ms behind their pace.
    pub late_frames: u32,
    /// Caller audio sent.
    pub seconds_sent: f64,
    /// Agent audio received.
    pub seconds_received: f64,
}

/// Appends words with a space between.
pub(super) fn append(text: &mut String, more: &str) {
    if !text.is_empty() && !more.is_empty() {
        text.push(' ');
    }
    text.push_str(more);
}
