//! How far the far end's clock has run off from ours, by when marks come back.
//!
//! A voice ends, and the next one finds the clock begun anew. A bed does not: at 200 ppm a slower far end has 12 ms more of it waiting each minute,
//! before every word that is said, and a faster one has nothing left of 40 ms after some three.
//!
//! ```text
//! least lag of 30 s   45 ─ 51 ─ 57 ─ 46 ─ 52 ─ 95 ─ 101      in ms, to a far end that is slower by 200 ppm
//! run off              0    6   12 ──┐ 6    6  = 6 ─  12
//!                                    └ put back          └ no clock: the way has become longer, and is known anew
//! ```
//!
//! Pure: told the time. Not here: putting the clock, which waits until nothing is said.

use std::time::{Duration, Instant};

/// Over so long the least lag is taken: what a line adds to single marks is not in it.
const WINDOW: Duration = Duration::from_secs(30);
/// Marks without which it says nothing: two seconds of voice.
const LEAST_MARKS: u32 = 20;
/// No clock of a telephone network runs off faster; what does is a line that has changed.
const WORST_PPM: i64 = 500;
/// What a least lag may be wrong by.
const DOUBT_US: i64 = 1_000;
/// The clock is put from here on.
const WORTH_US: i64 = 10_000;

/// The marks of one leg.
#[derive(Debug, Default)]
pub(super) struct Drift {
    window: Option<Window>,
    /// The least lag of the window before, and when it ended.
    known: Option<(Instant, i64)>,
    off_us: i64,
}

#[derive(Debug)]
struct Window {
    began: Instant,
    marks: u32,
    least_us: i64,
}

impl Drift {
    /// A mark came back so many µs later than by our clock, or earlier.
    pub(super) fn mark(&mut self, now: Instant, lag_us: i64) {
        let window = self.window.get_or_insert(Window { began: now, marks: 0, least_us: i64::MAX });
        window.marks = window.marks.saturating_add(1);
        window.least_us = window.least_us.min(lag_us);
        if now.saturating_duration_since(window.began) < WINDOW || window.marks < LEAST_MARKS {
            return;
        }
        let least_us = window.least_us;
        self.window = None;
        if let Some((at, before_us)) = self.known.replace((now, least_us)) {
            let since = now.saturating_duration_since(at);
            let most_us = DOUBT_US + since.as_secs() as i64 * WORST_PPM; // a millionth of a second is a µs
            let moved_us = least_us - before_us;
            self.off_us += if moved_us.abs() <= most_us { moved_us } else { 0 };
        }
    }

    /// What the clock has to be put by, in µs: later if the far end is slower. It is taken for done.
    pub(super) fn take(&mut self) -> Option<i64> {
        let put_us = (self.off_us.abs() >= WORTH_US).then(|| std::mem::take(&mut self.off_us))?;
        if let Some((_, least_us)) = &mut self.known {
            *least_us -= put_us;
        }
        self.window = None; // half of it was before
        Some(put_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is taken, window by window of `lags` in ms.
    fn taken(lags: impl IntoIterator<Item = i64>) -> Vec<Option<i64>> {
        #[allow(clippy::disallowed_methods)] // a made-up clock needs an origin
        let (mut drift, mut now) = (Drift::default(), Instant::now());
        let window = |lag: i64| {
            for n in 0..31 {
                now += Duration::from_secs(1);
                drift.mark(now, lag * 1_000 + if n % 3 == 0 { 0 } else { 40_000 });
            }
            drift.take().map(|us| us / 1_000)
        };
        lags.into_iter().map(window).collect()
    }

    #[test]
    fn what_runs_off_slowly_is_put_back_and_what_jumps_is_the_line() {
        assert_eq!(taken([45, 51, 57, 51, 57, 63]), [None, None, Some(12), None, Some(12), None]);
        assert_eq!(taken([45, 39, 33]), [None, None, Some(-12)]);
        assert_eq!(taken([45, 90, 96, 20, 26]), [None, None, None, None, Some(12)], "6 and 6");
        assert_eq!(taken([45, 46, 45, 44, 46]), [None; 5]);
    }
}
