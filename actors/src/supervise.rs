//! What becomes of a call when one of its parts dies. A pure function of the part and of what has happened to it before.
//!
//! | part                               | within 3 deaths in 60 s            | beyond                    |
//! |------------------------------------|------------------------------------|---------------------------|
//! | `vad`                              | restart                            | degrade to the energy engine |
//! | `stt`, `dialogue`, `tts`, `egress` | restart: at once, 100 ms, 500 ms   | the call ends, `part_failed` |
//! | `silence`                          | restart at once                    | the call ends, `part_failed` |
//! | `recorder`                         | restart: at once, 100 ms, 500 ms   | the recording ends, the call goes on |
//! | `leg`, `ingress`                   | the call ends, `leg_lost`          |                           |

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tandem_domain::call_core::Part;
use tandem_domain::record::EndReason;

/// Deaths that are forgiven within [`WINDOW`].
const BUDGET: usize = 3;
/// Deaths older than this are forgotten.
const WINDOW: Duration = Duration::from_secs(60);

/// What to do about a death.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Start the part again after this long.
    Restart {
        /// Zero for the first time.
        after: Duration,
    },
    /// Go on without it, or with it in its simplest form.
    Degrade,
    /// The call cannot go on.
    EndCall(EndReason),
}

/// Deaths of one part, newest last.
#[derive(Debug, Clone, Default)]
pub struct History {
    deaths: VecDeque<Instant>,
}

impl History {
    /// Notes a death and forgets what is older than the window. Returns the deaths within it, this one included.
    fn record(&mut self, now: Instant) -> usize {
        self.deaths.push_back(now);
        while self.deaths.front().is_some_and(|death| now.saturating_duration_since(*death) >= WINDOW) {
            self.deaths.pop_front();
        }
        self.deaths.len()
    }
}

/// Judges the death of `part`, and notes it in its history.
pub fn verdict(part: Part, history: &mut History, now: Instant) -> Verdict {
    let deaths = history.record(now);
    let after = match deaths {
        0 | 1 => Duration::ZERO,
        2 => Duration::from_millis(100),
        _ => Duration::from_millis(500),
    };
    match part {
        Part::Leg | Part::Ingress => Verdict::EndCall(EndReason::LegLost),
        Part::Vad | Part::Recorder if deaths > BUDGET => Verdict::Degrade,
        Part::Stt | Part::Dialogue | Part::Tts | Part::Egress | Part::Silence if deaths > BUDGET => {
            Verdict::EndCall(EndReason::PartFailed(part.name()))
        }
        Part::Vad | Part::Silence => Verdict::Restart { after: Duration::ZERO },
        Part::Stt | Part::Dialogue | Part::Tts | Part::Egress | Part::Recorder => Verdict::Restart { after },
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
    fn three_deaths_a_minute_are_forgiven_the_fourth_ends_the_call() {
        let (t0, mut history) = (origin(), History::default());
        let at = |seconds| t0 + Duration::from_secs(seconds);
        assert_eq!(verdict(Part::Tts, &mut history, at(0)), Verdict::Restart { after: Duration::ZERO });
        assert_eq!(verdict(Part::Tts, &mut history, at(1)), Verdict::Restart { after: Duration::from_millis(100) });
        assert_eq!(verdict(Part::Tts, &mut history, at(2)), Verdict::Restart { after: Duration::from_millis(500) });
        assert_eq!(verdict(Part::Tts, &mut history, at(3)), Verdict::EndCall(EndReason::PartFailed("tts")));
    }

    #[test]
    fn old_deaths_are_forgotten() {
        let (t0, mut history) = (origin(), History::default());
        for minute in 0..100 {
            let now = t0 + WINDOW * minute;
            assert_eq!(verdict(Part::Stt, &mut history, now), Verdict::Restart { after: Duration::ZERO });
        }
    }

    #[test]
    fn the_detector_and_the_recorder_degrade_and_the_connection_ends_the_call() {
        let t0 = origin();
        for part in [Part::Vad, Part::Recorder] {
            let mut history = History::default();
            for _ in 0..BUDGET {
                assert!(matches!(verdict(part, &mut history, t0), Verdict::Restart { .. }));
            }
            assert_eq!(verdict(part, &mut history, t0), Verdict::Degrade);
        }
        assert_eq!(verdict(Part::Leg, &mut History::default(), t0), Verdict::EndCall(EndReason::LegLost));
    }
}
