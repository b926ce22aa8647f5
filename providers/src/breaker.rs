//! When a vendor that failed is left alone, and for how long. A pure decision, told the time.
//!
//! ```text
//! closed ── failed ──► resting 10 s, 20 s, 40 s, 60 s ... ── rest over, one probe a second ──► closed, as soon as one succeeds
//! ```
//!
//! Place: one for each vendor and stage, shared by all calls, so that not every call pays for finding out.

use std::time::Duration;

use tandem_domain::port::Retry;
use tokio::time::Instant;

/// First rest.
const REST: Duration = Duration::from_secs(10);
/// Longest rest that we choose ourselves; a refused key is tried again after it too, since keys are renewed at the vendor.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// Longest rest that a vendor may ask for.
const LONGEST_WISH: Duration = Duration::from_secs(600);
/// A vendor without room may have room again soon.
const SHORT_REST: Duration = Duration::from_secs(2);
/// Between two probes (promises.md P1).
const PROBE: Duration = Duration::from_secs(1);

/// A vendor's state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Breaker {
    failures: u32,
    /// Nobody asks before.
    until: Option<Instant>,
}

impl Breaker {
    /// Whether this request may go to the vendor. After a rest one in a second may, until one succeeds.
    pub fn admits(&mut self, now: Instant) -> bool {
        match self.until {
            Some(until) if now < until => false,
            Some(_) => {
                self.until = Some(now + PROBE);
                true
            }
            None => true,
        }
    }

    /// Whether the vendor has failed and not succeeded since.
    pub fn is_open(&self) -> bool {
        self.until.is_some()
    }

    /// It did what was asked.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// It failed, with this advice and perhaps a wish of its own.
    pub fn failed(&mut self, now: Instant, retry: Retry, retry_after: Option<Duration>) {
        let rest = match (retry_after, retry) {
            (Some(wish), _) => wish.min(LONGEST_WISH),
            (None, Retry::Never) => LONGEST_REST,
            (None, Retry::NextVendor) => SHORT_REST,
            (None, Retry::Now) => REST.saturating_mul(1 << self.failures.min(8)).min(LONGEST_REST),
        };
        self.failures += 1;
        let until = now + rest;
        self.until = Some(self.until.map_or(until, |before| before.max(until)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn rests_grow_and_end_with_a_success() {
        let (mut breaker, mut now) = (Breaker::default(), crate::clock::now());
        for rest in [10, 20, 40, 60, 60] {
            assert!(breaker.admits(now));
            breaker.failed(now, Retry::Now, None);
            assert!(breaker.is_open() && !breaker.admits(now + secs(rest) - Duration::from_millis(1)), "{rest}");
            now += secs(rest);
        }
        assert!(breaker.admits(now));
        assert!(!breaker.admits(now), "one probe");
        assert!(breaker.admits(now + PROBE), "that one got lost");
        breaker.succeeded();
        assert!(breaker.admits(now) && breaker.admits(now) && !breaker.is_open());
    }

    #[test]
    fn a_vendor_may_say_when_to_come_again() {
        let now = crate::clock::now();
        for (retry, wish, rest) in [
            (Retry::NextVendor, Some(secs(30)), secs(30)),
            (Retry::NextVendor, Some(secs(86_400)), LONGEST_WISH),
            (Retry::NextVendor, None, SHORT_REST),
            (Retry::Never, None, LONGEST_REST),
        ] {
            let mut breaker = Breaker::default();
            breaker.failed(now, retry, wish);
            assert!(
                !breaker.admits(now + rest - Duration::from_millis(1)) && breaker.admits(now + rest),
                "{retry:?} {wish:?}"
            );
        }
    }
}
