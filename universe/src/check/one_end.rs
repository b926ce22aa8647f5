//! Exactly one terminal state a call.

use std::time::Duration;

use tandem_domain::record::{EndReason, RECORDING_SAVED, Record};

use super::{Breach, Invariant};
use crate::{Over, Run};

/// A call without an end, with two, with records after it, or with a reason that only a crash has.
pub fn check(run: &Run) -> Vec<Breach> {
    let mut found = Vec::new();
    let mut breach = |what: String| found.push(Breach { invariant: Invariant::OneEnd, at: run.over.0, what });
    if run.over.1 == Over::Endless {
        breach(format!("nobody ended the call in {:.0} s", run.over.0.as_secs_f64()));
    }
    let started = run.records.iter().filter(|record| matches!(record, Record::Started(_))).count();
    if started != 1 {
        breach(format!("{started} records of a start"));
    }
    let reasons = run.reasons();
    match reasons.as_slice() {
        [EndReason::CallCrashed] => breach("the call's actor died".to_owned()),
        [_] => {}
        several => breach(format!("{} ends on record: {several:?}", several.len())),
    }
    // A file is whole, and told of, when its call is over.
    let of_the_call = |record: &&Record| !matches!(record, Record::Event(event) if event.kind == RECORDING_SAVED);
    let last = run.records.iter().rfind(of_the_call);
    if reasons.len() == 1 && !matches!(last, Some(Record::Ended(_))) {
        breach(format!("a record after the end: {last:?}"));
    }
    let durations = run.records.iter().filter_map(|record| match record {
        Record::Ended(ended) => Some(ended.duration),
        _ => None,
    });
    // The far end's clock may run slow by 0.2 %, and its second is longer then.
    let longest = run.over.0.mul_f64(1.003) + Duration::from_secs(1);
    for duration in durations.filter(|duration| *duration > longest) {
        breach(format!("a call of {:.1} s has {:.1} s on record", run.over.0.as_secs_f64(), duration.as_secs_f64()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::made_up::made_up;
    use super::*;

    #[test]
    fn one_start_and_one_end() {
        assert_eq!(check(&made_up().says("one").run()), []);
    }

    #[test]
    fn two_ends_none_and_a_crash_are_breaches() {
        let whole = made_up().says("one").run();
        let mut twice = whole.clone();
        twice.records.extend(whole.records.last().cloned());
        assert_eq!(check(&twice).len(), 1);
        let mut never = whole.clone();
        never.records.pop();
        never.over.1 = Over::Endless;
        assert_eq!(check(&never).len(), 2);
        let mut crashed = whole;
        let Some(Record::Ended(ended)) = crashed.records.last_mut() else { panic!("the last record is the end") };
        ended.reason = EndReason::CallCrashed;
        assert_eq!(check(&crashed).len(), 1);
    }

    #[test]
    fn a_record_after_the_end_is_a_breach() {
        let mut run = made_up().says("one").run();
        let utterance = run.records[1].clone();
        run.records.push(utterance);
        assert_eq!(check(&run).len(), 1);
    }
}
