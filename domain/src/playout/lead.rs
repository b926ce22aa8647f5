//! How far ahead of the far end's ear we send: as little as the line allows.
//!
//! What lies at the carrier can be cleared and not taken back in part, so it is kept short; a line that wavers by more than the lead plays gaps.
//! Two things move it, both measured in the call itself:
//!
//! | evidence | the lead |
//! |---|---|
//! | marks come back, and how much their lag wavers | start → four times the wavering, within least … usual (60 … 100 ms at 80), 1 ms a mark when it falls |
//! | a write of our own was late by more than half the lead, though its audio was there | 20 ms more, up to most (200 ms at 80); 20 ms less after every 10 s without |
//!
//! It grows at once, and shrinks where a voice begins: within one, every chunk goes out a chunk's length after the one before it, and a carrier
//! that keeps the least it can sees no frame come late because we need less.
//!
//! Where no marks come back nothing is known of the line, and the start holds. Pure: told the time.

use std::time::{Duration, Instant};

/// Marks after which their wavering is believed.
const BELIEVED: u32 = 16;
/// The lead covers so many times the mean wavering: RFC 3550 A.8's estimate, and the usual margin of a retransmission timer (RFC 6298).
const MARGIN: u32 = 4;
/// What a lead of its own falls by, from mark to mark.
const FALL: Duration = Duration::from_millis(1);
/// What one late write adds, and what calm takes away.
const STEP: Duration = Duration::from_millis(20);
/// Late writes within this are one event.
const ONE_EVENT: Duration = Duration::from_millis(500);
/// Without a late write for so long, one step is taken back.
const CALM: Duration = Duration::from_secs(10);

/// The lead of one leg.
#[derive(Debug)]
pub(super) struct Lead {
    start: Duration,
    /// What is kept to: never less than [`Self::wanted`].
    kept: Duration,
    /// By the line.
    line: Duration,
    /// On top, by our own lateness.
    extra: Duration,
    /// When `extra` last changed.
    changed: Option<Instant>,
    marks: u32,
    last_lag: Option<Duration>,
    /// Mean wavering, times 16.
    wavering: Duration,
}

impl Lead {
    /// Begins with what the dialect says.
    pub(super) fn new(start: Duration) -> Self {
        Self {
            start,
            kept: start,
            line: start,
            extra: Duration::ZERO,
            changed: None,
            marks: 0,
            last_lag: None,
            wavering: Duration::ZERO,
        }
    }

    /// Least and most by the line alone.
    fn usual(&self) -> (Duration, Duration) {
        (self.start / 4 * 3, self.start.saturating_mul(5) / 4)
    }

    /// How far ahead to send.
    pub(super) fn now(&self) -> Duration {
        self.kept
    }

    /// What line and lateness ask for by now.
    fn wanted(&self) -> Duration {
        self.line.saturating_add(self.extra)
    }

    /// A voice begins, or the far end has nothing left: it may be less from here on.
    pub(super) fn begin(&mut self) {
        self.kept = self.wanted();
    }

    /// No lead at all, and a far end that takes everything at once: neither wavers.
    fn is_fixed(&self) -> bool {
        self.start.is_zero() || self.start == Duration::MAX
    }

    /// A mark came back so much later than by our clock.
    pub(super) fn lag(&mut self, lag: Duration) {
        if self.is_fixed() {
            return;
        }
        let before = self.last_lag.replace(lag);
        self.marks = self.marks.saturating_add(1);
        let Some(before) = before else { return };
        // J += (|D| - J) / 16, kept times 16.
        self.wavering = self.wavering + lag.abs_diff(before) - self.wavering / 16;
        if self.marks >= BELIEVED {
            let (least, usual) = self.usual();
            let wanted = (self.wavering / 16 * MARGIN).clamp(least, usual);
            self.line = wanted.max(self.line.saturating_sub(FALL));
            self.kept = self.kept.max(self.wanted());
        }
    }

    /// A chunk that had been waiting is written at `now`, so much behind its deadline.
    pub(super) fn written(&mut self, now: Instant, late: Duration) {
        if self.is_fixed() {
            return;
        }
        let since = self.changed.map(|changed| now.saturating_duration_since(changed));
        if late > self.now() / 2 {
            if since.is_none_or(|since| since >= ONE_EVENT) {
                let most = self.start.saturating_mul(5) / 2;
                self.extra = (self.extra + STEP).min(most.saturating_sub(self.line));
                self.kept = self.kept.max(self.wanted());
                self.changed = Some(now);
            }
        } else if !self.extra.is_zero() && since.is_some_and(|since| since >= CALM) {
            self.extra = self.extra.saturating_sub(STEP);
            self.changed = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::disallowed_methods)] // a made-up clock needs an origin
    fn origin() -> Instant {
        Instant::now()
    }
    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_calm_line_needs_less_and_a_wavering_one_more() {
        let mut lead = Lead::new(ms(80));
        (0..200).for_each(|_| lead.lag(ms(45)));
        lead.begin();
        assert_eq!(lead.now(), ms(60), "a lag that stands needs no lead");
        (0..200).for_each(|n| lead.lag(ms(30 + 40 * (n % 2))));
        assert_eq!(lead.now(), ms(100), "the most that a line alone may have, and at once");
        lead.lag(ms(30));
        (0..20).for_each(|_| lead.lag(ms(30)));
        lead.begin();
        assert!(lead.now() > ms(78), "it falls slowly: {:?}", lead.now());
        (0..200).for_each(|_| lead.lag(ms(30)));
        lead.begin();
        assert_eq!(lead.now(), ms(60));
    }

    #[test]
    fn a_few_marks_say_nothing() {
        let mut lead = Lead::new(ms(80));
        (0..15).for_each(|n| lead.lag(ms(60 * (n % 2))));
        assert_eq!(lead.now(), ms(80));
    }

    #[test]
    fn late_writes_add_to_it_and_calm_takes_it_back() {
        let (t0, mut lead) = (origin(), Lead::new(ms(80)));
        lead.written(t0, ms(40));
        assert_eq!(lead.now(), ms(80), "half the lead is what it is for");
        lead.written(t0, ms(41));
        lead.written(t0 + ms(20), ms(90));
        assert_eq!(lead.now(), ms(100), "one event");
        (1..50).for_each(|n| lead.written(t0 + ms(600 * n), ms(500)));
        assert_eq!(lead.now(), ms(200), "and never more than this");
        (0..4_000).for_each(|n| lead.written(t0 + ms(40_000 + 20 * n), ms(0)));
        assert_eq!(lead.now(), ms(200), "not in the middle of a voice");
        lead.begin();
        assert_eq!(lead.now(), ms(80));
    }

    #[test]
    fn no_lead_and_a_boundless_one_stay_as_they_are() {
        for start in [Duration::ZERO, Duration::MAX] {
            let (t0, mut lead) = (origin(), Lead::new(start));
            (0..100).for_each(|n| lead.lag(ms(100 * (n % 2))));
            lead.written(t0, Duration::from_secs(5));
            assert_eq!(lead.now(), start);
        }
    }
}
