//! Nothing outlives its call: no task, lane, timer, stream of a vendor, nor its seat at the switchboard.
//!
//! Counted 2 s after the end (promises.md P8). An actor is a task, a lane lives as long as the tasks and actors that hold it, and a timer is a
//! task that waits; a call has no child process here, since vendors are models.

use super::{Breach, Invariant};
use crate::Run;
use crate::run::Alive;

/// What is still alive and was not before the call, or before many of it.
pub fn check(run: &Run) -> Vec<Breach> {
    let breach = |what| Breach { invariant: Invariant::Leaks, at: run.over.0, what };
    let one = left(run.before, run.after).map(|left| format!("{left} outlived the call"));
    let many = run.many.iter().flat_map(|many| {
        left(many.before, many.after).map(|left| format!("{left} outlived {} calls like this one", many.calls))
    });
    one.chain(many).map(breach).collect()
}

fn left(before: Alive, after: Alive) -> impl Iterator<Item = String> {
    [
        ("tasks", before.tasks, after.tasks),
        ("streams of vendors", before.streams, after.streams),
        ("calls at the switchboard", before.calls, after.calls),
    ]
    .into_iter()
    .filter(|(_, before, after)| after > before)
    .map(|(what, before, after)| format!("{} {what} ({before} before, {after} after)", after - before))
}

#[cfg(test)]
mod tests {
    use super::super::made_up::made_up;
    use super::*;
    use crate::many::Many;

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

    #[test]
    fn what_one_call_does_not_leave_many_may() {
        let mut run = made_up().says("one").run();
        let (before, after) = (Alive { tasks: 3, ..Alive::default() }, Alive { tasks: 4, ..Alive::default() });
        run.many = Some(Many { calls: 50, before, after, astray: 0, recordings: Vec::new() });
        assert_eq!(check(&run)[0].what, "1 tasks (3 before, 4 after) outlived 50 calls like this one");
    }
}
