//! What `/metrics` says about each metric of the switch: its help text and its unit. Installed once, by whoever installs a recorder.

use metrics::Unit;

use super::*;

enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Every metric of this crate.
const ALL: &[(Kind, &str, Unit, &str)] = {
    use Kind::{Counter, Gauge, Histogram};
    use Unit::{Bytes, Count, Seconds};
    &[
        (Gauge, CALLS_ACTIVE, Count, "live calls"),
        (Gauge, CALLS_LIMIT, Count, "calls that may run at once"),
        (Counter, CALL_ATTEMPTS, Count, "media sockets that were accepted"),
        (Counter, CALLS, Count, "ended calls; reason is the end in full, outcome its class"),
        (Counter, CALLS_REFUSED, Count, "calls that were not let in for want of room; scope is whose limit"),
        (
            Counter,
            CALLS_OVERFLOWED,
            Count,
            "calls that were let in beyond their business's limit, by their agent's leave",
        ),
        (Histogram, CALL_DURATION, Seconds, "length of ended calls"),
        (Histogram, TURN_LATENCY, Seconds, "end of the caller's speech to the first agent audio sent"),
        (Histogram, STAGE_LATENCY, Seconds, "parts of the turn latency; they add up to it"),
        (Counter, INTERRUPTIONS, Count, "interruptions"),
        (Counter, PREEMPTIVE, Count, "answers that were begun before the caller's turn was over, used or wasted"),
        (Histogram, BARGE_IN_STOP, Seconds, "onset of the caller's speech to the clear that silences the agent"),
        (Counter, SILENCE_EVENTS, Count, "reprompts and ends for want of an answer"),
        (Counter, UNDERRUNS, Count, "times that the playout queue ran dry inside an utterance"),
        (Histogram, PLAYOUT_LAG, Seconds, "lateness of each paced chunk of audio"),
        (Histogram, TIMER_LAG, Seconds, "lateness of the wake-ups that the egress pumps asked for"),
        (Counter, RESTARTS, Count, "parts of calls that died; each is restarted, degraded or ends its call"),
        (
            Gauge,
            MAILBOX_DEPTH,
            Count,
            "messages that wait in the mailboxes of all actors of a kind, sounded every second",
        ),
        (Counter, LANE_DROPS, Count, "stretches of audio that a lane dropped before they were read"),
        (Counter, BREACHES, Count, "sessions that broke their protocol"),
        (Counter, IGNORED, Count, "messages that were skipped"),
        (Counter, DTMF, Count, "keys pressed"),
        (Counter, NOTICES_DROPPED, Count, "notices that a far end with a screen lost because it did not read"),
        (Histogram, ROUND_TRIP, Seconds, "there and back to a far end that answers pings"),
        (Counter, RECORDS_LOST, Count, "records that could not be queued or stored"),
        (Gauge, RECORDS_WAITING, Count, "records that wait for the database"),
        (Gauge, SPOOL_BYTES, Bytes, "size of the records that wait for the database"),
        (Gauge, RECORDS_UNJOURNALLED, Count, "records that wait for the database and that a crash would lose"),
        (Counter, CALLS_RECOVERED, Count, "calls that a dead process had left open, and that were closed since"),
        (Counter, RECORDS_RECOVERED, Count, "records that a dead process had left behind, and that were written since"),
        (Counter, RECORDINGS, Count, "recordings of calls that are over"),
        (Counter, RECORDING_BYTES, Bytes, "size of the recordings that were saved"),
        (Counter, RECORDING_FAILURES, Count, "times that the disk stopped taking a call's recording"),
        (Counter, PROVIDER_REQUESTS, Count, "requests to vendors"),
        (Counter, AGENT_SAVES, Count, "times that a provider was told of a saved agent"),
    ]
};

/// Describes all metrics of the switch to the recorder, and makes those that shall stand at zero before anything was counted: an alert on a
/// series that does not exist yet never fires.
pub fn describe() {
    for (kind, name, unit, help) in ALL {
        match kind {
            Kind::Counter => metrics::describe_counter!(*name, *unit, *help),
            Kind::Gauge => metrics::describe_gauge!(*name, *unit, *help),
            Kind::Histogram => metrics::describe_histogram!(*name, *unit, *help),
        }
    }
    metrics::counter!(UNDERRUNS, "side" => "egress").absolute(0);
    for reason in RECORDING_FAULTS {
        metrics::counter!(RECORDING_FAILURES, "reason" => reason).absolute(0);
    }
    for kind in LANES {
        metrics::counter!(LANE_DROPS, "kind" => kind).absolute(0);
    }
}
