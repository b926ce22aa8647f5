//! Handles of the metrics that are counted at frame rate: looked up once a call, since each look-up hashes its labels and takes a lock.

use std::time::Duration;

use metrics::{Counter, Histogram};

use super::{LANE_DROPS, PLAYOUT_LAG, TIMER_LAG, UNDERRUNS};

/// What an egress pump counts.
#[derive(Debug, Clone)]
pub(crate) struct EgressMeter {
    playout_lag: Histogram,
    timer_lag: Histogram,
    underruns: Counter,
}

impl EgressMeter {
    pub(crate) fn new() -> Self {
        Self {
            playout_lag: metrics::histogram!(PLAYOUT_LAG),
            timer_lag: metrics::histogram!(TIMER_LAG),
            underruns: metrics::counter!(UNDERRUNS, "side" => "egress"),
        }
    }

    /// A chunk was sent so late.
    pub(crate) fn chunk(&self, late: Duration) {
        self.playout_lag.record(late.as_secs_f64());
    }

    /// The pump had asked to be woken, and was so late.
    pub(crate) fn woken(&self, late: Duration) {
        self.timer_lag.record(late.as_secs_f64());
    }

    /// The queue ran dry inside an utterance, so many times since the last call.
    pub(crate) fn underruns(&self, times: u32) {
        if times > 0 {
            self.underruns.increment(u64::from(times));
        }
    }
}

/// The count of what the lane of this `kind` dropped: a closed set, one name for each lane.
pub(crate) fn lane_drops(kind: &'static str) -> Counter {
    metrics::counter!(LANE_DROPS, "kind" => kind)
}
