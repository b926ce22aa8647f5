//! How far the far end's clock has run off from ours, by when marks come back.
//!
//! A voice ends, and the next one finds the clock begun anew. A bed does not: at 200 ppm a slower far end has 12 ms more of it waiting each minute,
//! before every word that is said, and a faster one has nothing left of 40 ms after some three.
//!
//! ```text
//! least lag of 30 s   45 ─ 51 ─ 57 ─ 63 ── 51 ─ 63 ─ 63 ─ 100      in ms, to a far end that is slower by 200 ppm, and then keeps our time
//! run off              0    ?   12 ─ 18 ┐   0    ?    0 ──── 0
//!                           │           └ put back    └ no clock: the way has become longer
//!                           └ a clock, if it goes on so
//! ```
//!
//! A way that becomes longer once looks like a slower clock for one window; putting our clock by that would take from what waits at the far end, and
//! not from what is too much there. So one window is not believed, and no put takes more than its caller can spare.
//!
//! Pure: told the time. Not here: putting the clock, which waits until nothing is said, and beginning it anew, which ends all that is known here.

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

/// The marks of one leg, since its clock began.
#[derive(Debug, Default)]
pub(super) struct Drift {
    window: Option<Window>,
    /// The least lag of the window before, and when it ended.
    known: Option<(Instant, i64)>,
    last: Option<Move>,
    off_us: i64,
    /// The last window that ended says that the far clock still runs off.
    goes_on: bool,
}

#[derive(Debug)]
struct Window {
    began: Instant,
    marks: u32,
    least_us: i64,
}

/// From the least lag of one window to that of the next.
#[derive(Debug, Clone, Copy)]
struct Move {
    within: Duration,
    by_us: i64,
    is_believed: bool,
}

impl Move {
    /// No faster than a clock may.
    fn is_slow(&self) -> bool {
        self.by_us.abs() <= DOUBT_US + self.within.as_secs() as i64 * WORST_PPM // a millionth of a second is a µs
    }

    /// `next` goes on as this did; each may be wrong.
    fn agrees(&self, next: &Self) -> bool {
        let expected_us = self.by_us as f64 * next.within.as_secs_f64() / self.within.as_secs_f64().max(1.0);
        self.by_us.signum() == next.by_us.signum() && (next.by_us as f64 - expected_us).abs() <= 2.0 * DOUBT_US as f64
    }
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
            let within = now.saturating_duration_since(at);
            self.moved(Move { within, by_us: least_us - before_us, is_believed: false });
        }
    }

    /// A window has ended.
    fn moved(&mut self, mut now: Move) {
        let before = self.last.take().filter(|before| now.is_slow() && before.agrees(&now));
        if let Some(before) = before {
            self.off_us += now.by_us + if before.is_believed { 0 } else { before.by_us };
            now.is_believed = true;
        }
        self.goes_on = before.is_some();
        self.last = now.is_slow().then_some(now);
    }

    /// What the clock has to be put by, in µs and no more than `most`: later if the far end is slower. It is taken for done; what is left is for when
    /// another window has shown the same.
    pub(super) fn take(&mut self, most: Duration) -> Option<i64> {
        if !self.goes_on || self.off_us.abs() < WORTH_US {
            return None;
        }
        let most_us = most.as_micros() as i64;
        let put_us = self.off_us.clamp(-most_us, most_us);
        self.off_us -= put_us;
        self.goes_on = false;
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
            drift.take(Duration::from_millis(20)).map(|us| us / 1_000)
        };
        lags.into_iter().map(window).collect()
    }

    #[test]
    fn what_runs_off_slowly_is_put_back() {
        assert_eq!(taken([45, 51, 57, 51, 57, 63]), [None, None, Some(12), None, Some(12), None]);
        assert_eq!(taken([45, 39, 33]), [None, None, Some(-12)]);
    }

    #[test]
    fn a_way_that_becomes_longer_is_no_clock() {
        assert_eq!(taken([45, 57, 57, 57, 69, 69, 69]), [None; 7], "12 ms longer once, and once more");
        assert_eq!(taken([45, 90, 96, 20, 26]), [None; 5], "jumps");
        assert_eq!(taken([45, 46, 45, 44, 46]), [None; 5]);
    }

    #[test]
    fn no_put_is_more_than_can_be_spared_and_what_is_left_waits_for_another_window() {
        assert_eq!(
            taken([45, 57, 69, 49, 49, 49]),
            [None, None, Some(20), None, None, None],
            "twice in a row, and no more"
        );
    }
}
