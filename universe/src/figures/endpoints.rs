//! When the caller's goes were taken for whole: how long after their last sound, and whether a pause in a dictated number was taken for the end.

use std::time::Duration;

use tandem_peers::universe::dictation::Dictated;
use tandem_peers::universe::scenario::{Cue, Meaning};

use super::commits::commits;
use crate::Run;

/// A turn that is committed so soon after a go began is the one before it.
const OF_THE_LAST: Duration = Duration::from_millis(400);

/// A go of the caller, as the switch took it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// When the go began.
    pub(super) at: Duration,
    /// What was read out, if it was.
    pub(super) dictated: Option<Dictated>,
    /// A turn was committed before the last sound.
    pub(super) cut_off: bool,
    /// From the last sound to the commit; `None` for a go that became no turn, or several.
    pub(super) delay: Option<Duration>,
}

/// Of all goes that are for the agent to answer.
pub(super) fn endpoints(run: &Run) -> Vec<Endpoint> {
    let cues: Vec<Option<&Cue>> = run.case.scenario.goes().collect();
    let commits = commits(run);
    let mut found = Vec::new();
    for (index, (go, cue)) in run.goes.iter().zip(cues).enumerate() {
        let (dictated, meaning) = match cue {
            Some(Cue::Dictated(dictation)) => (Some(dictation.what), Meaning::Answer),
            Some(cue) => (None, cue.meaning().unwrap_or(Meaning::Cough)),
            None => continue,
        };
        if matches!(meaning, Meaning::Backchannel | Meaning::Assent | Meaning::Cough) || go.ended >= run.over.0 {
            continue;
        }
        let until = run.goes.get(index + 1).map_or(run.over.0, |next| next.began);
        let first = commits.iter().copied().find(|at| (go.began + OF_THE_LAST..until).contains(at));
        let cut_off = first.is_some_and(|at| at < go.ended);
        let delay = first.filter(|_| !cut_off).map(|at| at - go.ended);
        found.push(Endpoint { at: go.began, dictated, cut_off, delay });
    }
    found
}
