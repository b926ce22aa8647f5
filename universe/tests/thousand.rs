//! A thousand calls, one after the other by their seeds, and the calls with names, of public bugs and of faults: everything holds of each.

#![allow(missing_docs)]

use tandem_peers::universe::cast::Cast;
use tandem_universe::Case;
use tandem_universe::crowd::{Manner, Outcome, Summary, run_all};

const CALLS: usize = 1_000;
/// One in ten is run twice, to see that the second is the first.
const MANNER: Manner = Manner { threads: 2, replay_every: 10, notes: false };

fn all_hold(outcomes: &[Outcome]) {
    let broken: Vec<String> = outcomes
        .iter()
        .flat_map(|outcome| outcome.breaches.iter().map(move |breach| format!("{}: {breach}", outcome.name)))
        .collect();
    println!("{:?}", Summary::of(outcomes));
    assert!(
        broken.is_empty(),
        "{} breaches; `make sim FIRST_SEED=… SEEDS=1` shows one:\n{}",
        broken.len(),
        broken.join("\n")
    );
}

#[test]
fn a_thousand_calls() {
    let case = |number: usize| Case::of_seed(1 + number as u64);
    all_hold(&run_all(&case, CALLS, MANNER, &Cast::in_cache(), |_| {}).expect("the calls can be run"));
}

#[test]
fn the_calls_with_names() {
    let cases: Vec<Case> = Case::all_named().collect();
    let case = |number: usize| cases[number].clone();
    let manner = Manner { replay_every: 1, ..MANNER };
    all_hold(&run_all(&case, cases.len(), manner, &Cast::in_cache(), |_| {}).expect("the calls can be run"));
}
