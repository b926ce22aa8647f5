//! The clock at the far end, which is not quite ours.

use std::time::{Duration, Instant};

/// A clock that runs by so many millionths too fast (or too slow, below zero). A telephone's quartz is within 200, a bad gateway or a
/// starved virtual machine within 2,000 (120 ms a minute).
///
/// The driver tells the far end's model *its* time ([`Self::far`]), and wakes at ours ([`Self::real`]): so both what it sends and what it
/// plays drift, as they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FarClock {
    start: Instant,
    /// Nanoseconds that the far clock counts in one of our milliseconds.
    nanos_per_milli: u64,
}

const MILLION: u64 = 1_000_000;

impl FarClock {
    /// Drift is bounded to ±100,000 ppm; both clocks agree at `start`.
    pub fn new(start: Instant, drift_ppm: i32) -> Self {
        let nanos_per_milli = MILLION.saturating_add_signed(i64::from(drift_ppm.clamp(-100_000, 100_000)));
        Self { start, nanos_per_milli }
    }

    /// What the far clock shows at our `now`.
    pub fn far(self, now: Instant) -> Instant {
        self.start + scaled(now.saturating_duration_since(self.start), self.nanos_per_milli, MILLION)
    }

    /// When, by our clock, the far clock shows `far`; never before it does.
    pub fn real(self, far: Instant) -> Instant {
        let elapsed = far.saturating_duration_since(self.start);
        let mut real = scaled(elapsed, MILLION, self.nanos_per_milli);
        while scaled(real, self.nanos_per_milli, MILLION) < elapsed {
            real += Duration::from_nanos(1); // the division rounded down
        }
        self.start + real
    }
}

fn scaled(duration: Duration, by: u64, of: u64) -> Duration {
    let nanos = duration.as_nanos() * u128::from(by) / u128::from(of);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
