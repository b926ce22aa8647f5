//! Names of the metrics that the switch emits, and the few functions that emit them. Labels are closed sets, never an id.
//!
//! What is counted at frame rate keeps its handles (`media`); mailboxes are sounded (`sounding`); `describe` has the help texts.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tandem_domain::call_core::{Part, Response};
use tandem_domain::record::EndReason;

mod describe;
pub(crate) mod media;
pub(crate) mod sounding;

pub use describe::describe;

/// Live calls, by `direction` and `carrier`.
pub const CALLS_ACTIVE: &str = "tandem_calls_active";
/// Calls that may run at once, by `scope`.
pub const CALLS_LIMIT: &str = "tandem_calls_limit";
/// Media sockets that were accepted, by `direction` and `carrier`.
pub const CALL_ATTEMPTS: &str = "tandem_call_attempts_total";
/// Ended calls, by `direction`, `carrier`, `outcome` and `reason`.
pub const CALLS: &str = "tandem_calls_total";
/// Calls that were not let in for want of room, by `scope` (whose limit) and `reason`.
pub const CALLS_REFUSED: &str = "tandem_calls_refused_total";
/// Calls that were let in beyond their business's limit, by their agent's leave.
pub const CALLS_OVERFLOWED: &str = "tandem_calls_overflowed_total";
/// Length of ended calls in seconds.
pub const CALL_DURATION: &str = "tandem_call_duration_seconds";
/// End of the caller's speech to the first agent audio sent, in seconds, by `agent`.
pub const TURN_LATENCY: &str = "tandem_turn_latency_seconds";
/// Parts of the turn latency in seconds, by `stage`, `provider` and `model`.
pub const STAGE_LATENCY: &str = "tandem_stage_latency_seconds";
/// Interruptions, by `kind`.
pub const INTERRUPTIONS: &str = "tandem_interruptions_total";
/// Onset of the caller's speech to the `clear`, in seconds.
pub const BARGE_IN_STOP: &str = "tandem_barge_in_stop_seconds";
/// Silence events, by `kind`.
pub const SILENCE_EVENTS: &str = "tandem_silence_events_total";
/// Times that the playout queue ran dry inside an utterance, by `side`.
pub const UNDERRUNS: &str = "tandem_audio_underruns_total";
/// Lateness of each paced chunk in seconds.
pub const PLAYOUT_LAG: &str = "tandem_playout_lag_seconds";
/// Lateness of the wake-ups that the egress pumps asked for, in seconds: the health figure of a switch.
pub const TIMER_LAG: &str = "tandem_timer_lag_seconds";
/// Messages that wait in mailboxes, by `kind` of actor.
pub const MAILBOX_DEPTH: &str = "tandem_actor_mailbox_depth";
/// Stretches of audio that a lane dropped before they were read, by `kind` of lane: one of [`LANES`].
pub const LANE_DROPS: &str = "tandem_lane_drops_total";
/// The lanes that may drop. The speech lane makes its writer wait instead.
pub const LANES: [&str; 3] = ["ear", "caller_tap", "agent_tap"];
/// Parts that died, by `kind` and `reason`.
pub const RESTARTS: &str = "tandem_actor_restarts_total";
/// Sessions that broke their protocol, by `carrier` and `reason`.
pub const BREACHES: &str = "tandem_media_breaches_total";
/// Messages that were skipped, by `carrier` and `reason`.
pub const IGNORED: &str = "tandem_media_ignored_total";
/// Keys pressed, by `carrier`.
pub const DTMF: &str = "tandem_dtmf_total";
/// Notices that a far end with a screen lost because it did not read.
pub const NOTICES_DROPPED: &str = "tandem_notices_dropped_total";
/// There and back to a far end that answers pings, in seconds.
pub const ROUND_TRIP: &str = "tandem_leg_round_trip_seconds";
/// Records that could not be queued or stored, by `reason`.
pub const RECORDS_LOST: &str = "tandem_records_lost_total";
/// Records that wait for the database.
pub const RECORDS_WAITING: &str = "tandem_records_waiting";
/// Size of the records that wait for the database, in bytes, as JSON.
pub const SPOOL_BYTES: &str = "tandem_spool_bytes";
/// Records that wait for the database and have no copy on disk: a crash would lose them.
pub const RECORDS_UNJOURNALLED: &str = "tandem_records_unjournalled";
/// Calls that a process left open when it died, and that were closed since, by `reason`.
pub const CALLS_RECOVERED: &str = "tandem_calls_recovered_total";
/// Records that a process left behind when it died, and that were written since.
pub const RECORDS_RECOVERED: &str = "tandem_records_recovered_total";
/// Recordings of calls that are over, by `outcome`: `saved`, `incomplete` (the disk did not take all of it), `lost`.
pub const RECORDINGS: &str = "tandem_recordings_total";
/// Size of the recordings that were saved, in bytes.
pub const RECORDING_BYTES: &str = "tandem_recording_bytes_total";
/// Times that the disk stopped taking a call's recording, by `reason`: one of [`RECORDING_FAULTS`].
pub const RECORDING_FAILURES: &str = "tandem_recording_failures_total";
/// Why a disk takes nothing.
pub const RECORDING_FAULTS: [&str; 2] = ["disk_full", "io"];
/// Vendor requests, by `stage`, `provider` and `outcome`.
pub const PROVIDER_REQUESTS: &str = "tandem_provider_requests_total";

/// Times that a provider was told of a saved agent, by `provider` and `outcome`: `taken`, `away` (told again), `refused` (not told again).
pub const AGENT_SAVES: &str = "tandem_agent_saves_told_total";

/// Answers begun before the caller's turn was over, by whether they were used.
pub const PREEMPTIVE: &str = "tandem_preemptive_answers_total";

/// Agents that have series of their own.
const MOST_AGENTS: usize = 100;

/// A call is over.
pub fn call_ended(carrier: &'static str, reason: &EndReason, duration: Duration) {
    let outcome = match reason {
        EndReason::Completed
        | EndReason::Handover
        | EndReason::CallerHangup
        | EndReason::Silence
        | EndReason::MaxDuration
        | EndReason::MovedOn
        | EndReason::Drained => "answered",
        EndReason::Refused | EndReason::Denied(_) | EndReason::NoAgent | EndReason::NotInvited(_) => "rejected",
        EndReason::StartTimeout | EndReason::MediaTimeout | EndReason::LegLost | EndReason::Breach(_) => {
            "failed_network"
        }
        EndReason::PartFailed(_) | EndReason::CallCrashed | EndReason::ServerRestarted | EndReason::ServerLost => {
            "failed_local"
        }
    };
    metrics::counter!(CALLS, "direction" => "inbound", "carrier" => carrier, "outcome" => outcome, "reason" => reason.as_str()).increment(1);
    metrics::histogram!(CALL_DURATION).record(duration.as_secs_f64());
    if let EndReason::Breach(_) | EndReason::StartTimeout | EndReason::MediaTimeout = reason {
        metrics::counter!(BREACHES, "carrier" => carrier, "reason" => reason.as_str()).increment(1);
    }
}

/// A call was not let in, if that is why it ended.
pub(crate) fn call_refused(reason: &EndReason) {
    let scope = match reason {
        EndReason::Refused => "server",
        EndReason::Denied(denied) => denied.level().as_str(),
        _ => return,
    };
    metrics::counter!(CALLS_REFUSED, "scope" => scope, "reason" => reason.as_str()).increment(1);
}

/// An utterance of the agent is over. `providers`: of its words, its thought and its voice.
pub fn response(agent: &str, [stt, brain, tts]: [&'static str; 3], response: &Response) {
    if let Some(latency) = response.latency {
        metrics::histogram!(TURN_LATENCY, "agent" => agent_label(agent)).record(latency.as_secs_f64());
    }
    for (stage, time) in &response.stages {
        let provider = match *stage {
            "stt_final" => stt,
            "llm_first_token" | "llm_first_sentence" => brain,
            "tts_first_audio" => tts,
            _ => "", // our own
        };
        metrics::histogram!(STAGE_LATENCY, "stage" => *stage, "provider" => provider, "model" => "")
            .record(time.as_secs_f64());
    }
}

/// The name of an agent as a label: the first [`MOST_AGENTS`] by their names, all further ones together. Agents are made by people, and a
/// series that was made is never forgotten.
fn agent_label(agent: &str) -> String {
    static KNOWN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if !known.contains(agent) {
        if known.len() >= MOST_AGENTS {
            return "other".to_owned();
        }
        known.insert(agent.to_owned());
    }
    agent.to_owned()
}

/// An answer that was begun before the caller's turn was over is `used` or `wasted`.
pub fn preemptive(outcome: &'static str) {
    metrics::counter!(PREEMPTIVE, "outcome" => outcome).increment(1);
}

/// A part of a call died.
pub fn part_died(part: Part, reason: &'static str) {
    metrics::counter!(RESTARTS, "kind" => part.name(), "reason" => reason).increment(1);
}
