//! Which sample of an utterance is heard when, by our clock.
//!
//! ```text
//! sent    ▓▓▓▓▓▓▓▓░░░▓▓▓▓▓▓▓▓▓▓    ▓▓▓▓▓▓      ▓ the utterance's own samples: a run    ░ what belongs to no word: concealment, filling, silence
//! runs    └ run 0 ┘   └ run 1 ┘    └ run 2┘
//! ```
//!
//! Positions count the utterance's own samples, so what is put between two runs takes time and moves no position. Not here: how much later than
//! by our clock the far end plays; whoever asks takes that off the instant.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Runs that are kept. What is older was heard, or a mark behind it has come back.
const MOST: usize = 64;

/// The runs of one utterance since its playback was last begun or resumed.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    runs: VecDeque<Run>,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    at: Instant,
    position: u64,
    samples: u64,
}

impl Timeline {
    /// `samples` from `position` on are heard from `at` on.
    pub(super) fn sent(&mut self, at: Instant, position: u64, samples: u64, rate_hz: u32) {
        if samples == 0 {
            return;
        }
        if let Some(last) = self.runs.back_mut()
            && last.position + last.samples == position
            && last.at + length(last.samples, rate_hz) == at
        {
            last.samples += samples;
            return;
        }
        if self.runs.len() == MOST {
            self.runs.pop_front();
        }
        self.runs.push_back(Run { at, position, samples });
    }

    /// The position that is reached at `at`; `None` if nothing was sent.
    pub(super) fn position_at(&self, at: Instant, rate_hz: u32) -> Option<u64> {
        let begun = self.runs.iter().rev().find(|run| run.at <= at);
        match begun {
            Some(run) => {
                let passed = at.saturating_duration_since(run.at).as_micros() * u128::from(rate_hz) / 1_000_000;
                Some(run.position + run.samples.min(passed as u64))
            }
            None => self.runs.front().map(|run| run.position),
        }
    }

    /// Where the newest run begins.
    pub(super) fn newest(&self) -> Option<u64> {
        self.runs.back().map(|run| run.position)
    }

    /// The far end's buffer was emptied: what was sent is not heard by this.
    pub(super) fn clear(&mut self) {
        self.runs.clear();
    }
}

fn length(samples: u64, rate_hz: u32) -> Duration {
    Duration::from_micros(samples * 1_000_000 / u64::from(rate_hz))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::disallowed_methods)] // a made-up clock needs an origin
    fn origin() -> Instant {
        Instant::now()
    }

    #[test]
    fn what_is_put_between_two_runs_takes_time_and_moves_no_position() {
        let (t0, mut line) = (origin(), Timeline::default());
        let ms = |ms| t0 + Duration::from_millis(ms);
        assert_eq!((line.position_at(t0, 8_000), line.newest()), (None, None));
        line.sent(ms(100), 0, 160, 8_000);
        line.sent(ms(120), 160, 80, 8_000); // 10 ms of it, then 30 ms of something else
        line.sent(ms(160), 240, 160, 8_000);
        let at = |time| line.position_at(ms(time), 8_000).unwrap();
        assert_eq!([0, 100, 110, 125, 130, 150, 160, 170, 999].map(at), [0, 0, 80, 200, 240, 240, 240, 320, 400]);
        assert_eq!((line.runs.len(), line.newest()), (2, Some(240)));
    }

    #[test]
    fn a_timeline_does_not_grow() {
        let (t0, mut line) = (origin(), Timeline::default());
        for n in 0..1_000 {
            line.sent(t0 + Duration::from_millis(50 * n), 160 * n, 160, 8_000);
        }
        assert_eq!(line.runs.len(), MOST);
    }
}
