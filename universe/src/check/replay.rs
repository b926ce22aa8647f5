//! One seed is one call, bit for bit: ear, mouth and records.

use super::{Breach, Invariant};
use crate::Run;

/// Where two runs of one case part.
pub fn check(first: &Run, second: &Run) -> Option<Breach> {
    if first.digest == second.digest {
        return None;
    }
    let sample = first.tape.ear.iter().zip(&second.tape.ear).position(|(one, other)| one != other);
    let shorter = first.tape.ear.len().min(second.tape.ear.len());
    let at = first.tape.at(sample.unwrap_or(shorter) as u64);
    let what = match sample {
        Some(_) => "the ears part".to_owned(),
        None if first.tape.ear.len() != second.tape.ear.len() => "one ear has more".to_owned(),
        None => {
            let (one, other) = (first.records.iter(), second.records.iter());
            let record =
                one.zip(other).position(|(one, other)| crate::run::timeless(one) != crate::run::timeless(other));
            format!("the ears are the same, the records part at record {record:?}, or the mouths do")
        }
    };
    Some(Breach { invariant: Invariant::Replay, at, what: format!("a second run of the same seed differs: {what}") })
}

#[cfg(test)]
mod tests {
    use super::super::made_up::made_up;
    use super::*;

    #[test]
    fn equal_runs_are_one_and_a_sample_parts_them() {
        let run = made_up().says("one two").run();
        assert_eq!(check(&run, &run.clone()), None);
        let mut other = run.clone();
        other.tape.ear[8_000] ^= 1;
        other.digest = crate::run::digest(&other.tape, &other.records);
        let breach = check(&run, &other).unwrap();
        assert_eq!((breach.invariant, breach.at.as_millis()), (Invariant::Replay, 1_000));
    }
}
