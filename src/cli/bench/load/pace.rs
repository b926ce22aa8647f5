//! How evenly the messages of a run come, and how far the sender's lead moved in it.
//!
//! ```text
//! came less due   ▁▁▁▂▁▁▁▁▅▁▁▁▁▁▁▁▂▃▃▃▃▃▄▃▃▃▃▃▃
//!                         └ late    └─────┴ the lead has become smaller; one is late by that
//! ```
//!
//! A message is *late* by how much later it came than the promptest of the half second before it, and the promptest of the half second behind
//! it, whichever was less prompt: a stall is late by both, a sender that keeps less ahead from here on is later than before and not late.
//! That is a move of the lead, which a carrier's buffer is there for; it is told apart, as the distance between the run's promptest half second
//! and its least prompt one. At a run's ends, where one half second is not whole, the other counts alone. Not here: what ends a run.

use std::time::{Duration, Instant};

use super::FRAME;

/// Messages of 20 ms in half a second.
const AROUND: usize = 25;
/// One sample at 8 kHz.
const SAMPLE_MICROS: i64 = 125;

/// The run under way.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// First arrival, and samples since.
    began: Option<(Instant, u64)>,
    /// Arrival less media time of each message, in µs.
    deviations: Vec<i64>,
}

/// What a run was like.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Judged {
    /// How late each message was, from where the lead was built up.
    pub(super) late: Vec<Duration>,
    /// How far the lead moved after that.
    pub(super) moved: Duration,
}

impl Pace {
    /// A message with so many samples came.
    pub(super) fn came(&mut self, now: Instant, samples: usize) {
        let (first, before) = self.began.get_or_insert((now, 0));
        let arrival = now.saturating_duration_since(*first).as_micros() as i64;
        self.deviations.push(arrival - *before as i64 * SAMPLE_MICROS);
        *before += samples as u64;
    }

    /// The run is over; `None` if nothing came.
    pub(super) fn end(&mut self) -> Option<Judged> {
        self.began = None;
        let beginning = &self.deviations[..self.deviations.len().min(AROUND + 1)];
        // The lead is built up where a message is not half a frame behind the promptest.
        let close = beginning.iter().min()? + FRAME.as_micros() as i64 / 2;
        let led = beginning.iter().position(|&deviation| deviation <= close).unwrap_or(0);
        let judged = judge(&self.deviations[led..]);
        self.deviations.clear();
        Some(judged)
    }
}

fn judge(deviations: &[i64]) -> Judged {
    let least = |part: &[i64]| part.iter().copied().min().unwrap_or(0);
    let own: Vec<i64> = (0..deviations.len())
        .map(|n| {
            let (before, behind) = (&deviations[n.saturating_sub(AROUND)..=n], &deviations[n..]);
            match (n >= AROUND, behind.len() > AROUND) {
                (true, true) => least(before).max(least(&behind[..=AROUND])),
                (true, false) => least(before),
                (false, true) => least(&behind[..=AROUND]),
                (false, false) => least(deviations),
            }
        })
        .collect();
    let micros = |from: i64, to: i64| Duration::from_micros((to - from).unsigned_abs());
    let moved = own.iter().min().zip(own.iter().max()).map_or(Duration::ZERO, |(least, most)| micros(*least, *most));
    Judged { late: deviations.iter().zip(&own).map(|(came, own)| micros(*own, *came)).collect(), moved }
}

#[cfg(test)]
mod tests {
    use super::super::{FRAME_SAMPLES, now};
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// The pace of messages of 20 ms that came at these times, in ms.
    fn pace(times: impl IntoIterator<Item = u64>) -> Judged {
        let (mut pace, origin) = (Pace::default(), now());
        times.into_iter().for_each(|at| pace.came(origin + ms(at), FRAME_SAMPLES));
        pace.end().unwrap_or_default()
    }

    /// Five at once, then one every 20 ms; each of them later by what `late` says.
    fn run(messages: u64, late: impl Fn(u64) -> u64) -> Judged {
        pace((0..messages).map(|n| 20 * n.saturating_sub(4) + late(n)))
    }

    #[test]
    fn what_builds_up_the_lead_is_not_judged() {
        assert_eq!(run(100, |_| 0), Judged { late: vec![ms(0); 96], moved: ms(0) });
        assert_eq!(pace([]), Judged::default());
        assert_eq!(pace([7]).late, [ms(0)]);
    }

    #[test]
    fn a_message_that_comes_late_is_late_wherever_it_is() {
        for which in [5, 10, 40, 80, 95, 99] {
            let judged = run(100, |n| if n == which { 12 } else { 0 });
            assert_eq!(judged.late.iter().max(), Some(&ms(12)), "message {which}");
            assert_eq!(judged.late.iter().filter(|late| !late.is_zero()).count(), 1);
            assert_eq!(judged.moved, ms(0));
        }
    }

    #[test]
    fn what_a_stall_held_up_is_late() {
        // nothing for 110 ms, then all at once
        let judged = run(100, |n| if (50..=55).contains(&n) { 110 - 20 * (n - 50) } else { 0 });
        assert_eq!(judged.late[46..52], [110, 90, 70, 50, 30, 10].map(ms));
        assert_eq!(judged.moved, ms(0));
    }

    #[test]
    fn a_sender_that_keeps_less_ahead_has_moved_its_lead_and_is_not_late() {
        let at_once = run(200, |n| if n >= 100 { 40 } else { 0 });
        assert_eq!((at_once.late.iter().max(), at_once.moved), (Some(&ms(0)), ms(40)));
        let bit_by_bit = run(400, |n| n.saturating_sub(100).min(100) / 5);
        assert_eq!((bit_by_bit.late.iter().max(), bit_by_bit.moved), (Some(&ms(0)), ms(20)));
        let late_besides = run(200, |n| 20 * u64::from(n >= 100) + 9 * u64::from(n == 150));
        assert_eq!((late_besides.late.iter().max(), late_besides.moved), (Some(&ms(9)), ms(20)));
    }

    #[test]
    fn a_lead_that_grows_has_moved_too() {
        let grown = run(200, |n| if n < 100 { 40 } else { 0 });
        assert_eq!((grown.late.iter().max(), grown.moved), (Some(&ms(0)), ms(40)));
    }

    #[test]
    fn in_a_run_that_is_short_every_move_is_lateness() {
        let judged = run(30, |n| if n >= 20 { 15 } else { 0 });
        assert_eq!(judged.late.iter().filter(|late| **late == ms(15)).count(), 10);
    }
}
