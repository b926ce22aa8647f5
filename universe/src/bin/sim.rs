//! tmp
#![allow(missing_docs)]
use std::time::Instant;
fn main() {
    #[allow(clippy::disallowed_methods)]
    let began = Instant::now();
    let n = 30;
    let mut hours = 0.0;
    for seed in 1..=n {
        let case = tandem_universe::Case::of_seed(seed);
        let run = tandem_universe::run(&case).unwrap();
        let again = tandem_universe::run(&case).unwrap();
        hours += run.over.0.as_secs_f64();
        println!("{seed} {:?} {:?} {:?} {:?} same {} words {} {:?}", run.over, run.reasons(), run.before, run.after, run.digest == again.digest, run.heard.len(), run.responses().map(|r| (&r.heard, r.interrupted)).collect::<Vec<_>>().len());
    }
    println!("{:?} per call, {hours} s", began.elapsed() / (2 * n as u32));
}
