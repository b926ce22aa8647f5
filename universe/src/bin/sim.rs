//! tmp
#![allow(missing_docs)]
use std::time::Instant;
use tandem_universe::check;
use tandem_peers;
fn main() {
    #[allow(clippy::disallowed_methods)]
    let began = Instant::now();
    let args: Vec<u64> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    let (first, n) = (args[0], args[1]);
    let cast = tandem_peers::universe::cast::Cast::in_cache();
    let mut hours = 0.0;
    let mut counts = std::collections::BTreeMap::new();
    for seed in first..first + n {
        let case = tandem_universe::Case::of_seed(seed);
        let run = tandem_universe::run(&case, &cast).unwrap();
        let mut breaches = check::all(&run);
        if seed % 10 == 0 {
            let again = tandem_universe::run(&case, &cast).unwrap();
            breaches.extend(check::replay::check(&run, &again));
        }
        hours += run.over.0.as_secs_f64();
        for b in &breaches {
            *counts.entry(b.invariant).or_insert(0) += 1;
            println!("{seed} {:?} {b}   [{:?} stt {:?} tts {:?} llm {:?}]", (case.door(), case.scenario.caller.manner), run.reasons(), case.scenario.vendors.stt.faults, case.scenario.vendors.tts.faults, case.scenario.vendors.brain.faults);
        }
        if n == 1 {
            for go in &run.goes { println!("go {go:?}"); }
            for o in &run.overheard { println!("{o:?}"); }
            for s in run.tape.agent_sounds() { println!("agent {s:?}"); }
            for w in &run.heard { println!("{:?} {}", run.tape.at(w.start), w.text); }
            for r in &run.records { println!("{r:?}"); }
        }
    }
    println!("{counts:?} {:?} per call, {hours} s", began.elapsed() / (n as u32));
}
