//! A check that cannot fail is no check: with its mechanism switched off, each invariant is broken, and found broken.

#![allow(missing_docs)]

use tandem_peers::universe::cast::Cast;
use tandem_peers::universe::public_bugs;
use tandem_universe::Case;
use tandem_universe::check::Invariant;
use tandem_universe::crowd::{Manner, run_all};
use tandem_universe::sabotage::Sabotage;

/// Calls until the breach must have been seen.
const CALLS: usize = 40;
const FIRST_SEED: u64 = 1;

fn goes_red(invariant: Invariant) {
    let bugs = public_bugs::all();
    let sabotage = Sabotage::of(invariant).map_err(|error| error.to_string()).expect("built with the feature");
    let case = |number: usize| {
        let case = match invariant {
            // asked of the calls of public bugs alone
            Invariant::Glitch => Case::of_bug(bugs[number].clone()),
            _ => Case::of_seed(FIRST_SEED + number as u64),
        };
        case.sabotaged(Some(sabotage))
    };
    let count = if invariant == Invariant::Glitch { bugs.len() } else { CALLS };
    let manner = Manner { threads: 2, replay_every: usize::from(invariant == Invariant::Replay) };
    let outcomes = run_all(&case, count, manner, &Cast::in_cache(), |_| {}).expect("the calls can be run");
    let red = outcomes.iter().flat_map(|outcome| &outcome.breaches).filter(|breach| breach.invariant == invariant);
    assert!(red.count() > 0, "{invariant} is green in {count} calls although its mechanism is off");
}

macro_rules! sabotages {
    ($($name:ident: $invariant:ident;)*) => {$(
        #[test]
        fn $name() {
            goes_red(Invariant::$invariant);
        }
    )*};
}

sabotages! {
    sentences_at_once_are_two_voices: OneVoice;
    no_ladder_is_dead_air: DeadAir;
    no_barge_in_is_noticed: BargeIn;
    what_was_generated_is_not_what_was_heard: Ear;
    an_end_written_twice_is_not_one: OneEnd;
    tasks_that_stay_are_leaks: Leaks;
    audio_that_is_not_paced_breaks_the_protocol: Protocol;
    a_carrier_without_a_lead_is_starved: Glitch;
    chance_from_elsewhere_is_no_replay: Replay;
}
