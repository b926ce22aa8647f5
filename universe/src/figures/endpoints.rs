//! When the caller's goes were taken for whole: how long after their last sound, and whether a pause in a dictated number was taken for the end.
//!
//! ```text
//! caller  nine eight ──── one two ────            caller  nine eight ──── one two ────
//! commit              ▲                           commit              ▲     (taken back)
//! agent                ── I have                  agent                                   What is your …
//!                      cut off: the caller hears it                   taken back: nobody noticed
//!
//! caller  nine eight ──── one two ────
//! commit              ▲
//! agent                               I have nine eight: cut off, for nobody has taken the turn up again
//! ```
//!
//! What is heard answers the last commit before it.

use std::time::Duration;

use tandem_peers::universe::dictation::Dictated;
use tandem_peers::universe::scenario::{Cue, Meaning};

use super::commits::commits;
use super::questions::Questions;
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
    /// It was the answer to the question that the caller had heard last.
    pub(super) asked: bool,
    /// What became of a turn that was committed before the last sound.
    pub(super) early: Option<Early>,
    /// From the last sound to the commit; `None` for a go that became no turn, or several.
    pub(super) delay: Option<Duration>,
}

/// What the caller noticed of a turn that was committed before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Early {
    /// The agent began to speak while they read out, or behind it, to what it had by then.
    CutOff,
    /// Nothing: it was taken up again before the agent was heard, or the agent was not heard.
    TakenBack,
}

/// Of all goes that are for the agent to answer.
pub(super) fn endpoints(run: &Run) -> Vec<Endpoint> {
    let cues: Vec<Option<&Cue>> = run.case.scenario.goes().collect();
    let commits = commits(run);
    let questions = Questions::of(run);
    let sounds = run.tape.agent_sounds();
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
        let early = first.filter(|at| *at < go.ended).map(|committed| {
            let heard = sounds.iter().map(|(heard, _)| *heard).find(|heard| (committed..until).contains(heard));
            let anew = |heard: Duration| commits.iter().any(|at| *at > committed && *at <= heard);
            match heard {
                Some(heard) if heard < go.ended || !anew(heard) => Early::CutOff,
                _ => Early::TakenBack,
            }
        });
        let delay = first.filter(|_| early.is_none()).map(|at| at - go.ended);
        let asked = dictated.is_some() && questions.asked(go.began) == dictated;
        found.push(Endpoint { at: go.began, dictated, asked, early, delay });
    }
    found
}
