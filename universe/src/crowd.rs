//! Many calls, as many at once as there are threads, and what became of them all.
//!
//! Place: under `sim` and the tests. Each call has a thread to itself while it runs; results come back as they end, so the order of a report is
//! made afterwards. Takes no time by itself: whoever asks measures.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use serde::Serialize;
use tandem_domain::record::EndReason;
use tandem_peers::universe::cast::Cast;

use crate::check::{self, Breach, Invariant, dead_air};
use crate::figures::{Figures, notes, percentile};
use crate::run::{Run, RunError, once};
use crate::{Case, run};

/// Outcomes that may wait for whoever reads them.
const WAITING: usize = 64;

/// What became of one call.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Its place among the cases.
    pub number: usize,
    /// `seed 17`, or the name of a public bug.
    pub name: String,
    /// Its length.
    pub length: Duration,
    /// What did not hold.
    pub breaches: Vec<Breach>,
    /// Invariants that were checked.
    pub checked: usize,
    /// How turns were taken.
    pub figures: Figures,
    /// What they are made of, with its place on the tape; empty unless asked for.
    pub notes: Vec<(Duration, String)>,
    /// The longest silence.
    pub longest_silence: Duration,
    /// It was ended by its longest duration: nobody was understood, or somebody held the floor.
    pub ran_out: bool,
}

impl Outcome {
    fn of(number: usize, run: &Run, breaches: Vec<Breach>, checked: usize, noted: bool) -> Self {
        Self {
            number,
            name: run.case.scenario.name.clone(),
            length: run.over.0,
            figures: Figures::of(run, &breaches),
            notes: if noted { notes(run) } else { Vec::new() },
            breaches,
            checked,
            longest_silence: dead_air::longest(run),
            ran_out: run.reasons().contains(&&EndReason::MaxDuration),
        }
    }
}

/// How to run them.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Threads.
    pub threads: usize,
    /// Every so many calls one is run twice, to see that the second is the first. Zero for never.
    pub replay_every: usize,
    /// Whether outcomes tell what their figures are made of.
    pub notes: bool,
}

/// Runs all cases; tells of each as it ends.
///
/// # Errors
///
/// The first that kept a call from being run at all.
pub fn run_all(
    cases: &(dyn Fn(usize) -> Case + Sync),
    count: usize,
    manner: Manner,
    cast: &Cast,
    mut ended: impl FnMut(&Outcome),
) -> Result<Vec<Outcome>, RunError> {
    let next = AtomicUsize::new(0);
    let mut outcomes = Vec::with_capacity(count);
    std::thread::scope(|scope| {
        let (tell, told) = sync_channel(WAITING);
        for _ in 0..manner.threads.max(1) {
            let (tell, next) = (tell.clone(), &next);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count || tell.send(one(number, &cases(number), manner, cast)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(tell);
        for outcome in told {
            let outcome = outcome?;
            ended(&outcome);
            outcomes.push(outcome);
        }
        Ok::<(), RunError>(())
    })?;
    outcomes.sort_by_key(|outcome: &Outcome| outcome.number);
    Ok(outcomes)
}

/// One call, and all that is to be said about it.
fn one(number: usize, case: &Case, manner: Manner, cast: &Cast) -> Result<Outcome, RunError> {
    let twice = manner.replay_every > 0 && number.is_multiple_of(manner.replay_every);
    // What panics is our own code or the switch's outside of its tasks: a breach of this call, which must not end the others.
    let judged = catch_unwind(AssertUnwindSafe(|| {
        let first = run(case, cast)?;
        let mut breaches = check::all(&first);
        if twice {
            breaches.extend(check::replay::check(&first, &once(&again(case), cast)?));
        }
        Ok(Outcome::of(number, &first, breaches, Invariant::ALL.len() - usize::from(!twice), manner.notes))
    }));
    judged.unwrap_or_else(|_| {
        let what = "the run panicked; its message is above".to_owned();
        Ok(Outcome {
            number,
            name: case.scenario.name.clone(),
            length: Duration::ZERO,
            breaches: vec![Breach { invariant: Invariant::OneEnd, at: Duration::ZERO, what }],
            checked: 1,
            figures: Figures::default(),
            notes: Vec::new(),
            longest_silence: Duration::ZERO,
            ran_out: false,
        })
    })
}

/// The case as its seed makes it once more: with chance from elsewhere, it is another.
fn again(case: &Case) -> Case {
    case.clone().sabotaged(case.sabotage)
}

/// All of them in a line.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Calls.
    pub calls: usize,
    /// Invariants checked, over all calls.
    pub checked: usize,
    /// Invariants that did not hold.
    pub breaches: usize,
    /// Hours that the callers spent.
    pub simulated_hours: f64,
    /// Interruptions, and how long the agent went on: median and 95th percentile, in ms.
    pub barge_ins: usize,
    /// Median.
    pub barge_in_p50_ms: u128,
    /// 95th percentile.
    pub barge_in_p95_ms: u128,
    /// The longest silence of any call, in s.
    pub longest_silence_s: f64,
    /// Calls that their longest duration ended.
    pub ran_out: usize,
}

impl Summary {
    /// Of these outcomes.
    pub fn of(outcomes: &[Outcome]) -> Self {
        let figures = Figures::sum(outcomes.iter().map(|outcome| &outcome.figures));
        let barge_in = |percent| percentile(&figures.barge_ins, percent).as_millis();
        Self {
            calls: outcomes.len(),
            checked: outcomes.iter().map(|outcome| outcome.checked).sum(),
            breaches: outcomes.iter().map(|outcome| outcome.breaches.len()).sum(),
            simulated_hours: outcomes.iter().map(|outcome| outcome.length.as_secs_f64()).sum::<f64>() / 3_600.0,
            barge_ins: figures.barge_ins.len(),
            barge_in_p50_ms: barge_in(50),
            barge_in_p95_ms: barge_in(95),
            longest_silence_s: outcomes
                .iter()
                .map(|outcome| outcome.longest_silence)
                .max()
                .unwrap_or_default()
                .as_secs_f64(),
            ran_out: outcomes.iter().filter(|outcome| outcome.ran_out).count(),
        }
    }
}
