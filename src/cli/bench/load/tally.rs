//! What the callers count. A worker's callers of one group share one; windows are made by taking it.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::playback::Counts;

/// Longest duration that is told from longer ones.
const CEILING: Duration = Duration::from_secs(120);
/// Failures that are kept in words; the others are counted.
const KEPT_FAILURES: usize = 10;

/// Counts and distributions of some time; durations in µs.
#[derive(Debug, Clone)]
pub(in crate::cli::bench) struct Tally {
    /// Frames of 20 ms that callers lived.
    pub(in crate::cli::bench) frames: u64,
    /// How late the callers' own ticks were.
    pub(in crate::cli::bench) tick_lateness: Histogram<u64>,
    /// From the beginning of the stream to the agent's first sound.
    pub(in crate::cli::bench) greetings: Histogram<u64>,
    /// From the end of the caller's speech to the first sound of the answer.
    pub(in crate::cli::bench) answers: Histogram<u64>,
    pub(in crate::cli::bench) lost_turns: u64,
    /// From the first voiced frame of an interruption, sent, to `clear`, received.
    pub(in crate::cli::bench) barge_ins: Histogram<u64>,
    /// Interruptions without a `clear`.
    pub(in crate::cli::bench) unheard_barge_ins: u64,
    /// Lateness of the switch's messages behind their own pace.
    pub(in crate::cli::bench) pacing: Histogram<u64>,
    /// How far its lead moved within each run.
    pub(in crate::cli::bench) lead_moves: Histogram<u64>,
    /// Ticks with agent audio, and those that lacked it in the middle of speech.
    pub(in crate::cli::bench) spoken: u64,
    pub(in crate::cli::bench) missing: u64,
    pub(in crate::cli::bench) underruns: u64,
    pub(in crate::cli::bench) marked_gaps: u64,
    pub(in crate::cli::bench) completed: u64,
    pub(in crate::cli::bench) failed: u64,
    pub(in crate::cli::bench) failures: Vec<String>,
    /// From a frame's way out to its way back; of echoes alone.
    pub(in crate::cli::bench) round_trips: Histogram<u64>,
}

impl Default for Tally {
    fn default() -> Self {
        let empty = || {
            Histogram::new_with_bounds(1, CEILING.as_micros() as u64, 3).expect("the bounds are those of the library")
        };
        Self {
            frames: 0,
            tick_lateness: empty(),
            greetings: empty(),
            answers: empty(),
            lost_turns: 0,
            barge_ins: empty(),
            unheard_barge_ins: 0,
            pacing: empty(),
            lead_moves: empty(),
            spoken: 0,
            missing: 0,
            underruns: 0,
            marked_gaps: 0,
            completed: 0,
            failed: 0,
            failures: Vec::new(),
            round_trips: empty(),
        }
    }
}

impl Tally {
    /// A tick that came `late`.
    pub(super) fn tick(&mut self, late: Duration) {
        self.frames += 1;
        record(&mut self.tick_lateness, late);
    }

    pub(super) fn greeted(&mut self, after: Duration) {
        record(&mut self.greetings, after);
    }

    pub(super) fn answered(&mut self, after: Duration) {
        record(&mut self.answers, after);
    }

    pub(super) fn cleared(&mut self, after: Duration) {
        record(&mut self.barge_ins, after);
    }

    pub(super) fn came_back(&mut self, after: Duration) {
        record(&mut self.round_trips, after);
    }

    pub(super) fn playback(&mut self, counts: &Counts) {
        self.spoken += counts.spoken;
        self.missing += counts.missing;
        self.underruns += u64::from(counts.underruns);
        self.marked_gaps += u64::from(counts.marked_gaps);
        for pace in &counts.paces {
            pace.late.iter().for_each(|late| record(&mut self.pacing, *late));
            record(&mut self.lead_moves, pace.moved);
        }
    }

    /// A call that did not run as calls do; its turn is lost with it.
    pub(super) fn failed(&mut self, why: String) {
        self.failed += 1;
        self.lost_turns += 1;
        if self.failures.len() < KEPT_FAILURES {
            self.failures.push(why);
        }
    }

    /// Seconds of calls.
    pub(in crate::cli::bench) fn call_seconds(&self) -> f64 {
        self.frames as f64 * super::FRAME.as_secs_f64()
    }

    /// Turns that were answered or lost.
    pub(in crate::cli::bench) fn turns(&self) -> u64 {
        self.answers.len() + self.lost_turns
    }

    /// Adds what another counted.
    pub(in crate::cli::bench) fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.tick_lateness, &other.tick_lateness),
            (&mut self.greetings, &other.greetings),
            (&mut self.answers, &other.answers),
            (&mut self.barge_ins, &other.barge_ins),
            (&mut self.pacing, &other.pacing),
            (&mut self.lead_moves, &other.lead_moves),
            (&mut self.round_trips, &other.round_trips),
        ];
        for (mine, theirs) in pairs {
            mine.add(theirs).expect("all have the same bounds");
        }
        self.frames += other.frames;
        self.lost_turns += other.lost_turns;
        self.unheard_barge_ins += other.unheard_barge_ins;
        self.spoken += other.spoken;
        self.missing += other.missing;
        self.underruns += other.underruns;
        self.marked_gaps += other.marked_gaps;
        self.completed += other.completed;
        self.failed += other.failed;
        let room = KEPT_FAILURES.saturating_sub(self.failures.len());
        self.failures.extend(other.failures.iter().take(room).cloned());
    }
}

/// What is longer than the ceiling counts as the ceiling.
fn record(histogram: &mut Histogram<u64>, duration: Duration) {
    histogram.saturating_record(duration.as_micros().min(CEILING.as_micros()) as u64);
}

/// A percentile in ms; `None` where nothing was recorded.
pub(in crate::cli::bench) fn percentile_ms(histogram: &Histogram<u64>, percent: f64) -> Option<f64> {
    (!histogram.is_empty()).then(|| histogram.value_at_quantile(percent / 100.0) as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn counts_add_up() {
        let (mut one, mut other) = (Tally::default(), Tally::default());
        one.tick(ms(1));
        one.answered(ms(600));
        other.tick(ms(3));
        other.failed("refused".to_owned());
        other.answered(ms(700));
        one.add(&other);
        assert_eq!((one.frames, one.turns(), one.failed), (2, 3, 1));
        assert_eq!(one.failures, ["refused"]);
        assert!((one.call_seconds() - 0.04).abs() < 1e-9);
        let p99 = percentile_ms(&one.answers, 99.0).unwrap_or_default();
        assert!((p99 - 700.0).abs() < 1.0, "{p99}");
        assert_eq!(percentile_ms(&one.barge_ins, 50.0), None);
    }

    #[test]
    fn what_lasts_for_ever_and_fails_for_ever_stays_bounded() {
        let mut tally = Tally::default();
        tally.answered(Duration::from_secs(1_000_000));
        for _ in 0..1_000 {
            tally.failed("refused".to_owned());
        }
        let (mut twice, again) = (tally.clone(), tally);
        twice.add(&again);
        assert_eq!((twice.failed, twice.failures.len()), (2_000, KEPT_FAILURES));
    }
}
