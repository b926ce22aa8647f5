//! Whether calls are held: the service level of design.md section 10, judged over one window.
//!
//! | clause      | measured                                                                      | at most |
//! |-------------|-------------------------------------------------------------------------------|---------|
//! | latency     | p95 from the caller's last sound to the answer's first, in the caller's ear, less the silence that ends a turn | 250 ms |
//! | underruns   | 20 ms frames that were missing inside the agent's speech, of all frames of it | 1 %     |
//! | lost turns  | turns without an answer within 8 s and calls that failed, of all turns        | 1 %     |

use std::fmt;

use serde::Serialize;

/// Most added latency, p95, in ms.
const LATENCY_MS: f64 = 250.0;
/// Most of what the other two may lose.
const SHARE: f64 = 0.01;

/// What is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Service {
    /// `None` if no turn was answered.
    pub(super) added_p95_ms: Option<f64>,
    /// 0 to 1.
    pub(super) underrun_share: f64,
    /// 0 to 1.
    pub(super) lost_turn_share: f64,
}

/// A clause of the service level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Clause {
    Latency,
    Underruns,
    LostTurns,
    /// Nobody was answered, so nothing can be judged.
    NoAnswers,
}

/// A clause that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Breach {
    pub(super) clause: Clause,
    /// In the clause's unit: ms, or a share from 0 to 1.
    pub(super) measured: f64,
    pub(super) limit: f64,
}

/// The clauses that do not hold; empty if the calls are held.
pub(super) fn judge(service: &Service) -> Vec<Breach> {
    let latency = match service.added_p95_ms {
        Some(measured) => Breach { clause: Clause::Latency, measured, limit: LATENCY_MS },
        None => Breach { clause: Clause::NoAnswers, measured: 1.0, limit: 0.0 },
    };
    let share = |clause, measured| Breach { clause, measured, limit: SHARE };
    let all =
        [latency, share(Clause::Underruns, service.underrun_share), share(Clause::LostTurns, service.lost_turn_share)];
    all.into_iter().filter(|breach| breach.measured > breach.limit).collect()
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f64| share * 100.0;
        match self.clause {
            Clause::Latency => write!(f, "added latency p95 {:.0} ms (limit {:.0})", self.measured, self.limit),
            Clause::Underruns => {
                write!(f, "underruns {:.1} % of speech (limit {:.0})", percent(self.measured), percent(self.limit))
            }
            Clause::LostTurns => {
                write!(f, "lost turns {:.1} % (limit {:.0})", percent(self.measured), percent(self.limit))
            }
            Clause::NoAnswers => write!(f, "no turn was answered"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Service = Service { added_p95_ms: Some(250.0), underrun_share: 0.01, lost_turn_share: 0.01 };

    fn clauses(service: Service) -> Vec<Clause> {
        judge(&service).iter().map(|breach| breach.clause).collect()
    }

    #[test]
    fn limits_themselves_are_kept() {
        assert_eq!(clauses(GOOD), []);
    }

    #[test]
    fn each_clause_breaks_alone() {
        assert_eq!(clauses(Service { added_p95_ms: Some(250.1), ..GOOD }), [Clause::Latency]);
        assert_eq!(clauses(Service { added_p95_ms: None, ..GOOD }), [Clause::NoAnswers]);
        assert_eq!(clauses(Service { underrun_share: 0.011, ..GOOD }), [Clause::Underruns]);
        assert_eq!(clauses(Service { lost_turn_share: 0.011, ..GOOD }), [Clause::LostTurns]);
        let all = Service { added_p95_ms: Some(900.0), underrun_share: 0.5, lost_turn_share: 0.5 };
        assert_eq!(clauses(all), [Clause::Latency, Clause::Underruns, Clause::LostTurns]);
    }

    #[test]
    fn a_breach_says_how_far_it_went() {
        let breaches = judge(&Service { lost_turn_share: 0.034, added_p95_ms: Some(312.4), ..GOOD });
        let words: Vec<String> = breaches.iter().map(ToString::to_string).collect();
        assert_eq!(words, ["added latency p95 312 ms (limit 250)", "lost turns 3.4 % (limit 1)"]);
    }
}
