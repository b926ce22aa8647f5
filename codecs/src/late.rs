//! Audio that is late on a stream without sequence numbers, such as a carrier's WebSocket: what fills the wait, and how the clock of samples
//! comes right again.
//!
//! Place: behind the decoder of a leg over TCP, where nothing is lost and everything may be late. RTP has [`crate::jitter`]. Not here: when to
//! fill, which the caller knows.
//!
//! ```text
//! came        ████████░░░░░░░░░░░░████████████████────████   ░ stall, then a burst with all that was held up
//! given       ████████≈≈≈~~~~~~~~~████████████████    ████   ≈ carried on  ~ comfort noise  ─ silence
//! ahead                          └── as much as was filled ──┘ taken back where it costs no word: from silence
//! ```
//!
//! What fills a stall makes the stream longer than the call if the audio comes after all. That much is owed, and is given back by leaving out
//! silent stretches. If it never comes nothing is owed: the stream is as long as the call already. So over a call the count of samples given
//! is the call's time, and no word is dropped. As long as nothing is late nothing is altered.

use std::time::Duration;

use crate::frame::SampleRate;
use crate::plc::Concealer;

/// A sender's clock that is slower than ours by less than this does not look late.
const DRIFT: f64 = 300e-6;
/// A debt is forgotten when audio has flowed for so long without being ahead: it was lost.
const SETTLED: Duration = Duration::from_secs(1);

/// Fills the stalls of one stream.
#[derive(Clone, Debug)]
pub struct LateAudio {
    rate: SampleRate,
    concealer: Concealer,
    /// Samples given: those that came and those that filled.
    given: u64,
    /// Samples filled that are not given back.
    owed: u64,
    /// How far `given` has been ahead of the clock at best, in samples, when nothing was owed.
    best: Option<f64>,
    last: Duration,
    /// When audio came again after the last stall.
    flowing_since: Option<Duration>,
}

impl LateAudio {
    /// For audio of this rate.
    pub fn new(rate: SampleRate) -> Self {
        let concealer = Concealer::new(rate);
        Self { rate, concealer, given: 0, owed: 0, best: None, last: Duration::ZERO, flowing_since: None }
    }

    /// Audio came, at `now` on any clock of ours that does not go back. After a stall its first 5 ms are blended with what filled it.
    pub fn came(&mut self, now: Duration, samples: &mut [i16]) {
        self.concealer.good(samples);
        self.given += samples.len() as u64;
        let lead = self.lead(now);
        if self.owed == 0 {
            let slack = now.saturating_sub(self.last).as_secs_f64() * f64::from(self.rate.hz()) * DRIFT;
            self.best = Some(self.best.map_or(lead, |best| lead.max(best - slack)));
        } else {
            let since = *self.flowing_since.get_or_insert(now);
            if self.ahead(now) <= 0.0 && now.saturating_sub(since) >= SETTLED {
                self.owed = 0;
            }
        }
        self.last = now;
    }

    /// Fills `out` in place of audio that has not come.
    pub fn fill(&mut self, now: Duration, out: &mut [i16]) {
        self.concealer.conceal(out);
        self.given += out.len() as u64;
        self.owed += out.len() as u64;
        self.flowing_since = None;
        self.last = now;
    }

    /// Whether `samples` that just [`came`](Self::came) and are silent may be left out, because so much was filled and has come after all. They
    /// count as left out if so.
    pub fn takes_back(&mut self, now: Duration, samples: usize) -> bool {
        let samples = samples as u64;
        let can = samples > 0 && self.owed >= samples && self.ahead(now) >= samples as f64;
        if can {
            self.owed -= samples;
            self.given -= samples;
        }
        can
    }

    /// Samples given so far.
    pub fn given(&self) -> u64 {
        self.given
    }

    /// How far the stream is ahead of where it stood before the stall.
    fn ahead(&self, now: Duration) -> f64 {
        self.best.map_or(0.0, |best| self.lead(now) - best)
    }

    fn lead(&self, now: Duration) -> f64 {
        self.given as f64 - now.as_secs_f64() * f64::from(self.rate.hz())
    }
}
