//! How many calls are held: more and more of them until the service level breaks.
//!
//! Pure: told the result of each step, says what to try next. A step during which the callers themselves were late says nothing about the
//! switch; it is tried once more, and then the ramp ends there without a figure for it.

use serde::Serialize;

use super::slo::Breach;

pub(super) mod climb;

/// A ramp under way.
#[derive(Debug)]
pub(super) struct Ramp {
    to: u32,
    step: u32,
    trying: u32,
    held: Option<u32>,
    tried_again: bool,
}

/// Why a ramp ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub(super) enum End {
    /// These clauses broke at so many calls.
    ServiceLevel { calls: u32, breaches: Vec<Breach> },
    /// All were held.
    Top,
    /// The callers were late at so many calls, so the limit is theirs.
    Callers { calls: u32 },
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Next {
    /// Measure with so many calls.
    Try(u32),
    /// Done: the most calls that were held, `None` if not even the first step was.
    Done { held: Option<u32>, end: End },
}

/// What a step showed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub(super) enum Step {
    Held,
    Broke {
        breaches: Vec<Breach>,
    },
    /// The callers were late.
    Unmeasured,
}

impl Ramp {
    /// From `from` to `to` calls, both tried, `step` more each time.
    pub(super) fn new(from: u32, to: u32, step: u32) -> Self {
        Self { to: to.max(from), step: step.max(1), trying: from, held: None, tried_again: false }
    }

    /// The first step.
    pub(super) fn first(&self) -> u32 {
        self.trying
    }

    /// Takes the result of the step that was tried last.
    pub(super) fn next(&mut self, step: Step) -> Next {
        let end = match step {
            Step::Held => {
                self.held = Some(self.trying);
                self.tried_again = false;
                if self.trying < self.to {
                    self.trying = self.trying.saturating_add(self.step).min(self.to);
                    return Next::Try(self.trying);
                }
                End::Top
            }
            Step::Broke { breaches } => End::ServiceLevel { calls: self.trying, breaches },
            Step::Unmeasured if self.tried_again => End::Callers { calls: self.trying },
            Step::Unmeasured => {
                self.tried_again = true;
                return Next::Try(self.trying);
            }
        };
        Next::Done { held: self.held, end }
    }
}

#[cfg(test)]
mod tests {
    use super::super::slo::Clause;
    use super::*;

    fn breach() -> Vec<Breach> {
        vec![Breach { clause: Clause::Latency, measured: 300.0, limit: 250.0 }]
    }

    #[test]
    fn climbs_to_the_first_step_that_breaks() {
        let mut ramp = Ramp::new(50, 400, 100);
        assert_eq!(ramp.first(), 50);
        assert_eq!(ramp.next(Step::Held), Next::Try(150));
        assert_eq!(ramp.next(Step::Held), Next::Try(250));
        let end = End::ServiceLevel { calls: 250, breaches: breach() };
        assert_eq!(ramp.next(Step::Broke { breaches: breach() }), Next::Done { held: Some(150), end });
    }

    #[test]
    fn the_top_is_tried_and_is_the_end() {
        let mut ramp = Ramp::new(50, 120, 50);
        assert_eq!(ramp.next(Step::Held), Next::Try(100));
        assert_eq!(ramp.next(Step::Held), Next::Try(120));
        assert_eq!(ramp.next(Step::Held), Next::Done { held: Some(120), end: End::Top });
    }

    #[test]
    fn nothing_is_held_if_the_first_step_breaks() {
        let end = End::ServiceLevel { calls: 50, breaches: breach() };
        assert_eq!(Ramp::new(50, 400, 50).next(Step::Broke { breaches: breach() }), Next::Done { held: None, end });
    }

    #[test]
    fn late_callers_are_tried_once_more_at_each_step() {
        let mut ramp = Ramp::new(50, 400, 50);
        assert_eq!(ramp.next(Step::Unmeasured), Next::Try(50));
        assert_eq!(ramp.next(Step::Held), Next::Try(100));
        assert_eq!(ramp.next(Step::Unmeasured), Next::Try(100));
        let end = End::Callers { calls: 100 };
        assert_eq!(ramp.next(Step::Unmeasured), Next::Done { held: Some(50), end });
    }

    #[test]
    fn odd_bounds_end_all_the_same() {
        assert_eq!(Ramp::new(50, 10, 0).next(Step::Held), Next::Done { held: Some(50), end: End::Top });
    }
}
