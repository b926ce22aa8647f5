//! A check that cannot fail is no check: with its mechanism switched off, each invariant is broken, and found broken.

#![allow(missing_docs)]

use tandem_peers::universe::cast::Cast;
use tandem_peers::universe::fault_rows;
use tandem_peers::universe::public_bugs::{self, PublicBug};
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

/// Each of the public bugs that this mechanism carries comes back with it off, and is found.
fn each_goes_red(mechanism: &str) {
    let rows = public_bugs::by_mechanism();
    let (_, bugs) = rows.into_iter().find(|(name, _)| *name == mechanism).expect("it carries some");
    each_of_them_goes_red(mechanism, bugs);
}

/// Each of these rows of the fault table is green by this mechanism alone.
fn each_row_goes_red(mechanism: &str, rows: &[&str]) {
    let bugs: Vec<PublicBug> =
        fault_rows::all().into_iter().filter(|row| rows.contains(&row.call.name.as_str())).collect();
    assert_eq!(bugs.len(), rows.len(), "of {rows:?} some are no rows");
    each_of_them_goes_red(mechanism, bugs);
}

fn each_of_them_goes_red(mechanism: &str, bugs: Vec<PublicBug>) {
    let cast = Cast::in_cache();
    let sabotage = Sabotage::named(mechanism).map_err(|error| error.to_string()).expect("built with the feature");
    let green: Vec<String> = bugs
        .into_iter()
        .map(|bug| Case::of_bug(bug).sabotaged(Some(sabotage)))
        .filter(|case| {
            let broken = check::all(&run(case, &cast).expect("the call can be run"));
            !broken.iter().any(|breach| [Invariant::Glitch, sabotage.breaks()].contains(&breach.invariant))
        })
        .map(|case| case.scenario.name)
        .collect();
    assert!(green.is_empty(), "green although {mechanism} is off: {green:?}");
}

macro_rules! mechanisms {
    ($($name:ident: $mechanism:literal;)*) => {
        $(
            #[test]
            fn $name() {
                each_goes_red($mechanism);
            }
        )*

        #[test]
        fn no_public_bug_is_carried_by_a_mechanism_that_is_not_tried() {
            let tried = [$($mechanism),*];
            let carrying: Vec<&str> = public_bugs::by_mechanism().into_iter().map(|(name, _)| name).collect();
            assert_eq!(carrying, tried);
        }
    };
}

mechanisms! {
    nobody_is_given_way_where_nothing_interrupts: "barge_in";
    nobody_goes_on_where_nothing_is_resumed: "resume";
    an_agent_stops_for_its_own_echo_where_nobody_measures_it: "energy";
    a_line_that_wavers_is_heard_where_the_carrier_has_no_lead: "glitch";
    a_voice_has_gaps_where_each_frame_waits_for_the_last: "deadlines";
    a_voice_stutters_where_its_pieces_are_not_joined: "framing";
    a_voice_stops_between_sentences_where_the_pump_is_not_woken: "wake";
    nothing_is_understood_where_a_rate_is_not_converted: "rate";
    a_far_end_overflows_where_nothing_is_paced: "protocol";
    every_call_leaves_something_where_tasks_stay: "leaks";
    what_nobody_heard_is_on_record_where_what_was_generated_counts: "ear";
    what_is_read_out_is_torn_where_a_pause_is_the_end: "spelling";
    a_recording_without_the_calls_clock_is_not_the_call: "recording";
    a_second_listener_hears_nothing_where_lanes_are_shared: "readers";
    a_file_is_not_known_of_where_nobody_tells: "saved";
}

#[test]
fn overtaken_messages_are_lost_where_nothing_puts_them_in_order() {
    each_row_goes_red("order", &["row_n2_reordered_5", "row_n2_both_jitter_30_ms"]);
}

#[test]
fn a_key_is_two_where_copies_are_not_told() {
    each_row_goes_red("keys_once", &["row_n2_doubled_5", "row_n2_both_jitter_30_ms", "row_n2_both_exotel"]);
}
