#![allow(clippy::unwrap_used)]
use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::universe::channel::Transport;
use crate::universe::dictation::Dictated;

const CALLS: u64 = 4_000;

/// How many of the calls are of each kind.
fn counted<K: Ord>(calls: &[Scenario], kind: impl Fn(&Scenario) -> K) -> BTreeMap<K, u64> {
    let mut counts = BTreeMap::new();
    for call in calls {
        *counts.entry(kind(call)).or_default() += 1;
    }
    counts
}

fn percent(count: u64) -> f64 {
    100.0 * count as f64 / CALLS as f64
}

#[test]
fn the_weights_are_those_of_the_table() {
    let calls: Vec<Scenario> = (0..CALLS).map(Scenario::from_seed).collect();
    let manners = counted(&calls, |call| format!("{:?}", call.caller.manner));
    for (manner, weight) in
        [("Patient", 22.0), ("Interrupter", 16.0), ("Cougher", 10.0), ("Dictates", 10.0), ("Silent", 5.0)]
    {
        assert!((percent(manners[manner]) - weight).abs() < 2.5, "{manners:?}");
    }
    assert_eq!(manners.len(), Manner::ALL.len());
    let faults = counted(&calls, |call| call.vendors.any_fault());
    assert!((percent(faults[&true]) - 25.0).abs() < 2.5, "{faults:?}");
    let carriers = counted(&calls, |call| call.carrier == CarrierKind::Exotel);
    assert!((percent(carriers[&true]) - 25.0).abs() < 2.5, "{carriers:?}");
    let noises = counted(&calls, |call| call.surroundings.background.is_none());
    assert!((percent(noises[&true]) - 40.0).abs() < 2.5, "{noises:?}");
    let voices = counted(&calls, |call| format!("{:?}", call.caller.voice).split('(').next().unwrap().to_owned());
    assert!(voices.len() == 4 && voices.values().all(|&count| (percent(count) - 25.0).abs() < 2.5), "{voices:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_call_survives_being_written_down(seed: u64) {
        let call = Scenario::from_seed(seed);
        prop_assert_eq!(&Scenario::from_json(&call.to_json()).unwrap(), &call);
        prop_assert_eq!(call.to_json(), Scenario::from_seed(seed).to_json());
    }

    #[test]
    fn a_media_socket_never_gets_the_faults_of_datagrams(seed: u64) {
        let line = Scenario::from_seed(seed).line;
        prop_assert!([line.up, line.down].iter().all(|plan| plan.transport == Transport::WebSocket));
    }
}

#[test]
fn a_misspelt_plan_is_refused() {
    let json = Scenario::from_seed(1).to_json();
    let misspelt = json.replacen("\"drift_ppm\"", "\"drift\"", 1);
    assert_ne!(json, misspelt);
    assert!(Scenario::from_json(&misspelt).unwrap_err().to_string().contains("drift"));
}

/// If this changes, seeds that people wrote down mean other calls: say so in the change log.
#[test]
fn a_seed_is_this_call() {
    let call = Scenario::from_seed(17);
    assert_eq!(
        (call.carrier, call.caller.manner, call.caller.voice, call.caller.script.len()),
        (CarrierKind::Twilio, Manner::Patient, Voice::Formant(31), 4)
    );
}

#[test]
fn every_manner_has_a_script_that_fits_it() {
    let mut seen = BTreeMap::new();
    for seed in 0..300 {
        let call = Scenario::from_seed(seed);
        let script = &call.caller.script;
        let interrupts = script.iter().any(|step| matches!(step, Step::Interrupt { .. }));
        match call.caller.manner {
            Manner::Patient => assert!(!interrupts && script.len() >= 2),
            Manner::HangsUp => assert_eq!(script.last(), Some(&Step::HangUp)),
            Manner::Silent => assert!(script.len() <= 2),
            Manner::Dictates => {
                let dictated = script.iter().filter(|step| matches!(step, Step::Say(Cue::Dictated(_)))).count();
                assert_eq!((dictated, call.desk), (Dictated::ALL.len(), Desk::ContactDesk));
            }
            Manner::Interrupter | Manner::Backchanneller | Manner::Cougher | Manner::DoubleTalker | Manner::Presser => {
                assert!(script.len() >= 2)
            }
        }
        *seen.entry(format!("{:?}", call.caller.manner)).or_insert(0) += usize::from(interrupts);
    }
    for manner in ["Interrupter", "Backchanneller", "Cougher", "DoubleTalker"] {
        assert!(seen[manner] > 0, "{seen:?}");
    }
}
