//! A check that cannot fail is no check: with its mechanism switched off, each invariant is broken, and found broken.

#![allow(missing_docs)]

use tandem_peers::universe::cast::Cast;
use tandem_peers::universe::public_bugs;
use tandem_universe::check::{self, Invariant};
use tandem_universe::sabotage::Sabotage;
use tandem_universe::{Case, run};

/// Calls by which the breach must have been seen.
const CALLS: u64 = 60;

fn goes_red(invariant: Invariant) {
    let cast = Cast::in_cache();
    let sabotage = Sabotage::of(invariant).map_err(|error| error.to_string()).expect("built with the feature");
    // what sounds broken is asked of the calls of public bugs alone
    let cases: Box<dyn Iterator<Item = Case>> = match invariant {
        Invariant::Glitch => Box::new(public_bugs::all().into_iter().map(Case::of_bug)),
        _ => Box::new((1..=CALLS).map(Case::of_seed)),
    };
    let is_red = cases.map(|case| case.sabotaged(Some(sabotage))).any(|case| {
        let first = run(&case, &cast).expect("the call can be run");
        let mut breaches = check::all(&first);
        if invariant == Invariant::Replay {
            let again = case.clone().sabotaged(Some(sabotage));
            breaches.extend(check::replay::check(&first, &run(&again, &cast).expect("the call can be run again")));
        }
        breaches.iter().any(|breach| breach.invariant == invariant)
    });
    assert!(is_red, "{invariant} is green although its mechanism is off");
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
