//! How far away the far end is, where it answers pings.
//!
//! One ping is waited for at a time, the newest; its answer is the newest measurement. Any other answer says nothing, so that a far end can
//! neither shorten nor repeat a measurement. Pure: told the time.

use std::time::{Duration, Instant};

/// From one ping to the next, answered or not.
const EVERY: Duration = Duration::from_secs(3);

/// The pings of one leg.
#[derive(Debug, Default)]
pub struct RoundTrip {
    last_id: u64,
    sent_at: Option<Instant>,
    /// The ping that is under way.
    waiting: Option<u64>,
    measured: Option<Duration>,
}

impl RoundTrip {
    /// The last measurement.
    pub fn measured(&self) -> Option<Duration> {
        self.measured
    }

    /// When the next ping is due; the first at once.
    pub fn poll_timeout(&self, now: Instant) -> Instant {
        self.sent_at.map_or(now, |sent| sent + EVERY)
    }

    /// The id of the ping that is due, if one is.
    pub fn poll(&mut self, now: Instant) -> Option<u64> {
        if now < self.poll_timeout(now) {
            return None;
        }
        self.last_id += 1;
        (self.sent_at, self.waiting) = (Some(now), Some(self.last_id));
        Some(self.last_id)
    }

    /// An answer came: how long it took, if it is the one we wait for.
    pub fn answered(&mut self, now: Instant, id: u64) -> Option<Duration> {
        self.waiting.take_if(|waiting| *waiting == id)?;
        self.measured = Some(now.saturating_duration_since(self.sent_at?));
        self.measured
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::disallowed_methods)] // a made-up clock needs an origin
    fn origin() -> Instant {
        Instant::now()
    }

    #[test]
    fn an_answer_measures_once() {
        let (t0, mut trip) = (origin(), RoundTrip::default());
        assert_eq!(trip.poll(t0), Some(1));
        assert_eq!(trip.poll(t0), None, "one at a time");
        assert_eq!(trip.answered(t0, 7), None, "nobody asked");
        let later = t0 + Duration::from_millis(40);
        assert_eq!(trip.answered(later, 1), Some(Duration::from_millis(40)));
        assert_eq!(trip.answered(later, 1), None, "told already");
        assert_eq!(trip.poll(t0 + EVERY), Some(2));
        assert_eq!(trip.measured(), Some(Duration::from_millis(40)), "until there is a newer one");
    }

    #[test]
    fn a_ping_that_is_never_answered_gives_way_to_the_next() {
        let (t0, mut trip) = (origin(), RoundTrip::default());
        trip.poll(t0);
        assert_eq!(trip.poll(t0 + EVERY), Some(2));
        let later = t0 + EVERY + Duration::from_millis(9);
        assert_eq!(trip.answered(later, 1), None, "nobody waits for it any more");
        assert_eq!(trip.answered(later, 2), Some(Duration::from_millis(9)));
    }
}
