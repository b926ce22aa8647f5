//! When the switch took turns of the caller for whole.
//!
//! ```text
//!  asked ────────────────────────────────────────────► committed
//!  asked early ── preemptive_used, on the timeline ──► committed then
//!  asked early ── preemptive_wasted ─────────────────► nothing: the caller went on, or other words came
//! ```
//!
//! Place: what the brain was asked, from [`crate::exchange`], laid beside the timeline that the call left. At most one early question is open at
//! any time, and what became of it is noted before anything else is asked.

use std::time::Duration;

use crate::Run;
use crate::exchange::Overheard;

/// What the two clocks may differ by where they tell one instant: drift is not the same for both in the last digit.
const SAME: Duration = Duration::from_millis(2);

/// All commits, in order.
pub(super) fn commits(run: &Run) -> Vec<Duration> {
    let outcomes = |kind, used: bool| run.events(kind).map(move |(since, _)| (run.met() + since, used));
    let mut early: Vec<(Duration, bool)> =
        outcomes("preemptive_used", true).chain(outcomes("preemptive_wasted", false)).collect();
    early.sort_unstable();
    let mut early = early.into_iter().peekable();
    let asked: Vec<Duration> =
        run.overheard.iter().filter(|(_, what)| matches!(what, Overheard::Asked { .. })).map(|(at, _)| *at).collect();
    let mut found = Vec::new();
    for (index, at) in asked.iter().enumerate() {
        let next = asked.get(index + 1).map_or(Duration::MAX, |next| next.saturating_add(SAME));
        while early.next_if(|(noted, _)| *noted + SAME < *at).is_some() {}
        match early.next_if(|(noted, _)| *noted <= next) {
            Some((noted, true)) => found.push(noted),
            Some((_, false)) => {}
            None => found.push(*at),
        }
    }
    found
}
