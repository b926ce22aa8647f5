//! Nothing outlives its call: no task, lane, timer, stream of a vendor, nor its seat at the switchboard.
//!
//! Counted 2 s after the end (promises.md P8). An actor is a task, a lane lives as long as the tasks and actors that hold it, and a timer is a
//! task that waits; a call has no child process here, since vendors are models.

use super::{Breach, Invariant};
use crate::Run;

/// What is still alive and was not before the call.
pub fn check(run: &Run) -> Vec<Breach> {
    let (before, after) = (run.before, run.after);
    [
        ("tasks", before.tasks, after.tasks),
        ("streams of vendors", before.streams, after.streams),
        ("calls at the switchboard", before.calls, after.calls),
    ]
    .into_iter()
    .filter(|(_, before, after)| after > before)
    .map(|(what, before, after)| Breach {
        invariant: Invariant::Leaks,
        at: run.over.0,
        what: format!("{} {what} outlived the call ({before} before it, {after} after)", after - before),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::made_up::made_up;
    use super::*;

    #[test]
    fn what_was_there_before_may_stay() {
        let mut run = made_up().says("one").run();
        (run.before.tasks, run.after.tasks) = (2, 2);
        assert_eq!(check(&run), []);
    }

    #[test]
    fn a_task_and_a_stream_that_stay_are_two_breaches() {
        let mut run = made_up().says("one").run();
        (run.after.tasks, run.after.streams) = (1, 1);
        assert_eq!(check(&run).len(), 2);
    }
}
