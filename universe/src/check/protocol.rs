//! The carrier's strict model had nothing to complain of: format, order, pace and lead of what the switch sent.

use super::{Breach, Invariant};
use crate::{Over, Run};

/// What the switch did that its carrier forbids.
pub fn check(run: &Run) -> Vec<Breach> {
    match &run.over {
        (at, Over::Violation(what)) => vec![Breach { invariant: Invariant::Protocol, at: *at, what: what.clone() }],
        (_, Over::CallerHungUp | Over::SwitchClosed | Over::Endless) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::made_up::made_up;
    use super::*;

    #[test]
    fn a_violation_is_a_breach_and_an_end_is_none() {
        let mut run = made_up().says("one").run();
        assert_eq!(check(&run), []);
        run.over.1 = Over::Violation("too far ahead".into());
        assert_eq!(check(&run).len(), 1);
    }
}
