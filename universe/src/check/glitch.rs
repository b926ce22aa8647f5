//! The calls of public bugs sound as they were made: what each report asks for besides the invariants (`tandem_peers::universe::public_bugs`).
//!
//! Asked of those calls alone: their lines are good enough that a gap is ours. On a line that stands still, a gap is the line's.

use std::time::Duration;

use tandem_peers::universe::ear::EarReport;
use tandem_peers::universe::public_bugs::Holds;

use super::{Breach, Invariant, pace};
use crate::Run;

/// Silence for want of audio that is longer than this was the end of something, not a gap in it.
const GAP: Duration = Duration::from_secs(1);

/// What a report asks for and the ear did not get.
pub fn check(run: &Run) -> Vec<Breach> {
    if run.case.holds.is_empty() {
        return Vec::new();
    }
    let report = run.tape.report();
    run.case.holds.iter().filter_map(|holds| broken(run, &report, *holds)).collect()
}

fn broken(run: &Run, report: &EarReport, holds: Holds) -> Option<Breach> {
    let breach = |at: Duration, what: String| Some(Breach { invariant: Invariant::Glitch, at, what });
    match holds {
        Holds::NoStarvedGap(longest) => {
            let within = |from: Duration| run.tape.is_within_utterance(from);
            let gap = report.starved_within(GAP).find(|gap| gap.span.length() > longest && within(gap.span.start))?;
            breach(gap.span.start, format!("a gap of {} ms for want of audio", gap.span.length().as_millis()))
        }
        // What stood in for a voice that was late makes no click, and breaks one word's mark.
        Holds::Clean => match (report.clicks.first(), report.unintelligible.get(run.gaps_filled(None))) {
            (Some(click), _) => breach(click.at, format!("a click of {} steps", click.size)),
            (None, Some(span)) => {
                breach(span.start, format!("{} ms of speech without a word", span.length().as_millis()))
            }
            (None, None) => None,
        },
        Holds::KeepsPace => {
            let judged = pace::judge(run);
            if !judged.is_enough() {
                let what = format!(
                    "of {} sentences {} were heard whole: nothing is known of the pace",
                    judged.asked, judged.whole
                );
                return breach(run.over.0, what);
            }
            let off = judged.off?;
            let what = format!(
                "{:?} took {} ms from its first word to its last, and was made in {}",
                off.text,
                off.heard.as_millis(),
                off.made.as_millis()
            );
            breach(off.at, what)
        }
        Holds::GoesOnUnprompted => {
            let unheard: Vec<&str> = run
                .responses()
                .filter(|response| !response.interrupted && response.heard != response.text)
                .map(|response| response.text.as_str())
                .collect();
            let first = unheard.first()?;
            breach(run.over.0, format!("of an answer that nobody interrupted not all was heard: {first:?}"))
        }
        // the invariants of every call
        Holds::SilentWithin(_) | Holds::TranscriptIsTheEar => None,
        Holds::AgentGoesOn
        | Holds::CallerIsGivenWay
        | Holds::OneTurnEach
        | Holds::RecordingIsTheCall
        | Holds::RecordingIsSaved
        | Holds::EachIsRecorded { .. }
        | Holds::NothingOutlives { .. }
        | Holds::EveryWordOnce
        | Holds::KeysArrive
        | Holds::SilenceAtMost(_)
        | Holds::Passes(_) => {
            let (at, what) = crate::figures::promised::broken(run, holds)?;
            breach(at, what)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::made_up::made_up;
    use super::*;
    use crate::many::Many;
    use crate::run::Alive;

    #[test]
    fn a_gap_counts_where_the_report_is_about_gaps() {
        let mut run = made_up().says_with_stall("one two three", Duration::from_millis(60)).run();
        assert_eq!(check(&run), [], "a seed's call");
        run.case.holds = vec![Holds::NoStarvedGap(Duration::from_millis(20))];
        assert_eq!(check(&run).len(), 1);
        run.case.holds = vec![Holds::NoStarvedGap(Duration::from_millis(60))];
        assert_eq!(check(&run), []);
    }

    #[test]
    fn what_is_promised_of_many_calls_is_broken_by_one_that_goes_astray() {
        let mut run = made_up().says("one").run();
        run.case.holds = vec![Holds::NothingOutlives { calls: 20 }];
        let mut many =
            Many { calls: 20, before: Alive::default(), after: Alive::default(), astray: 0, recordings: Vec::new() };
        run.many = Some(many.clone());
        assert_eq!(check(&run), []);
        many.astray = 1;
        run.many = Some(many);
        assert_eq!(check(&run).len(), 1);
    }

    #[test]
    fn a_recording_that_is_missing_is_a_breach() {
        let mut run = made_up().says("one").run();
        for holds in [Holds::RecordingIsTheCall, Holds::RecordingIsSaved, Holds::EachIsRecorded { calls: 2 }] {
            run.case.holds = vec![holds];
            assert_eq!(check(&run).len(), 1, "{holds:?}");
        }
    }
}
