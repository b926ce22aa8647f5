//! How well turns are taken, as figures with what they are out of: the other half of a verdict, beside the invariants, which are yes or no.
//!
//! | figure | counts | out of |
//! |---|---|---|
//! | interruptions honoured | the agent stopped and did not come back to it | answers, commands, corrections, questions over its speech |
//! | false barge-ins | the agent's utterance was not heard to its end because of it | backchannels and coughs over its speech |
//! | endpointing | caller's last sound to the commit of the turn | goes that became one turn |
//! | cut off | a turn was committed before the last sound, and what the agent was heard to say next was to that | values read out in groups that were asked for |
//! | cut off unasked | the same | values read out that were not asked for: another was, or the question was not heard |
//! | asked for | the question of the value was the last that the caller had heard | all values read out |
//! | taken back | a turn was committed before the last sound, and taken up again unheard | all values read out |
//! | resumed at the right word | no word lost, at most one said again | utterances that were held and went on |
//! | transcript is the ear | no breach of that invariant | calls |
//!
//! Place: after [`crate::run()`], pure. What was said over what is told by the ear, sample by sample, and what it meant by the scenario; the
//! switch's own opinion of its rulings is not asked. All speech here is synthetic.
//!
//! Left out: what nobody can judge. A goodbye is not interrupted; an utterance whose sound a vendor broke has no end; "yes" into a question that
//! has begun is an answer or is none. Interruptions whose beginning the switch's detector cannot tell from a loud room are counted apart.

mod commits;
mod endpoints;
mod overlaps;
mod passed;
pub(crate) mod promised;
mod questions;
mod resumes;
mod spoken;
mod targets;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use tandem_peers::universe::dictation::Dictated;

use crate::Run;
use crate::check::{Breach, Invariant, barge_in};
use endpoints::Early;
use spoken::Spoken;

pub use targets::{ENOUGH_CALLS, Target};

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Share {
    /// Of these.
    pub count: usize,
    /// Out of these.
    pub of: usize,
}

impl Share {
    /// One more, and whether it counts.
    pub fn add(&mut self, counts: bool) {
        self.count += usize::from(counts);
        self.of += 1;
    }

    /// In percent; `None` out of none.
    pub fn percent(self) -> Option<f64> {
        (self.of > 0).then(|| 100.0 * self.count as f64 / self.of as f64)
    }

    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.of += other.of;
    }
}

/// Turn-taking in one call, or in many.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Figures {
    /// Caller's first sound to the ear's silence, of each interruption.
    pub barge_ins: Vec<Duration>,
    /// Interruptions that were honoured.
    pub honoured: Share,
    /// The same of those whose beginning the detector cannot tell from the room.
    pub honoured_untold: Share,
    /// Backchannels and coughs that ended the agent's speech.
    pub false_barge_ins: Share,
    /// Utterances that were cut though the caller said nothing.
    pub unprovoked: usize,
    /// Caller's last sound to the commit of the turn.
    pub endpointing: Vec<Duration>,
    /// The same of what was read out in groups.
    pub endpointing_dictated: Vec<Duration>,
    /// What was asked for, read out in groups and cut off.
    pub cut_off: BTreeMap<Dictated, Share>,
    /// The same of what was not asked for.
    pub cut_off_unasked: Share,
    /// Of all that was read out: what had been asked for.
    pub asked_for: Share,
    /// Of all that was read out: taken for whole in a pause, and taken up again before the agent was heard.
    pub taken_back: Share,
    /// Held utterances that went on at the right word.
    pub resumed: Share,
    /// Calls whose record is what was heard.
    pub transcripts: Share,
}

impl Figures {
    /// Of one call, and of what did not hold in it.
    pub fn of(run: &Run, breaches: &[Breach]) -> Self {
        let spoken = Spoken::of(run);
        let mut figures = Self {
            barge_ins: run.goes.iter().filter_map(|go| barge_in::took(run, go)).collect(),
            unprovoked: overlaps::unprovoked(run, &spoken).len(),
            ..Self::default()
        };
        for overlap in overlaps::overlaps(run, &spoken) {
            match (overlap.real, overlap.told) {
                (true, true) => figures.honoured.add(overlap.stopped),
                (true, false) => figures.honoured_untold.add(overlap.stopped),
                (false, _) => figures.false_barge_ins.add(overlap.stopped),
            }
        }
        for endpoint in endpoints::endpoints(run) {
            match endpoint.dictated {
                Some(what) => {
                    let share = match endpoint.asked {
                        true => figures.cut_off.entry(what).or_default(),
                        false => &mut figures.cut_off_unasked,
                    };
                    share.add(endpoint.early == Some(Early::CutOff));
                    figures.asked_for.add(endpoint.asked);
                    figures.taken_back.add(endpoint.early == Some(Early::TakenBack));
                    figures.endpointing_dictated.extend(endpoint.delay);
                }
                None => figures.endpointing.extend(endpoint.delay),
            }
        }
        for (_, right) in resumes::resumes(&spoken) {
            figures.resumed.add(right);
        }
        figures.transcripts.add(!breaches.iter().any(|breach| breach.invariant == Invariant::Ear));
        figures
    }

    /// Of all of them together.
    pub fn sum<'a>(each: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut sum = Self::default();
        for one in each {
            sum.barge_ins.extend(&one.barge_ins);
            sum.endpointing.extend(&one.endpointing);
            sum.endpointing_dictated.extend(&one.endpointing_dictated);
            sum.honoured.merge(one.honoured);
            sum.honoured_untold.merge(one.honoured_untold);
            sum.false_barge_ins.merge(one.false_barge_ins);
            sum.resumed.merge(one.resumed);
            sum.transcripts.merge(one.transcripts);
            sum.cut_off_unasked.merge(one.cut_off_unasked);
            sum.asked_for.merge(one.asked_for);
            sum.taken_back.merge(one.taken_back);
            sum.unprovoked += one.unprovoked;
            for (what, share) in &one.cut_off {
                sum.cut_off.entry(*what).or_default().merge(*share);
            }
        }
        sum
    }

    /// As one JSON object: times in ms, shares with their percentage and their target.
    pub fn to_json(&self) -> serde_json::Value {
        let shares: serde_json::Map<String, serde_json::Value> = self
            .shares()
            .map(|(name, share, target)| (name.replace([' ', '-'], "_"), targets::json(share, target)))
            .collect();
        serde_json::json!({
            "barge_in_ms": times(&self.barge_ins),
            "endpointing_ms": times(&self.endpointing),
            "endpointing_dictated_ms": times(&self.endpointing_dictated),
            "cut_without_a_word_of_the_caller": self.unprovoked,
            "shares": shares,
        })
    }

    /// For people: one figure a line, with what it is out of and its target.
    pub fn lines(&self) -> Vec<String> {
        let time = |name: &str, times: &[Duration]| {
            let (p50, p95) = (percentile(times, 50).as_millis(), percentile(times, 95).as_millis());
            format!("{name:34} p50 {p50} ms, p95 {p95} ms, of {}", times.len())
        };
        let mut lines = vec![
            time("barge-in, speech to silence", &self.barge_ins),
            time("endpointing", &self.endpointing),
            time("endpointing, dictated", &self.endpointing_dictated),
        ];
        lines.extend(self.shares().map(|(name, share, target)| targets::line(&name, share, target)));
        lines.push(format!("{:34} {}", "cut without a word of the caller", self.unprovoked));
        lines
    }

    /// Targets that are missed.
    pub fn missed(&self) -> Vec<String> {
        let missed = self.shares().filter(|(_, share, target)| target.is_some_and(|target| !target.is_met(*share)));
        missed.map(|(name, share, target)| targets::line(&name, share, target)).collect()
    }

    fn shares(&self) -> impl Iterator<Item = (String, Share, Option<Target>)> {
        let fixed = [
            ("interruptions honoured", self.honoured, Some(Target::AtLeast(99.0))),
            ("the same, lost in a loud room", self.honoured_untold, None),
            ("backchannels, coughs that end it", self.false_barge_ins, Some(Target::AtMost(3.0))),
            ("resumed at the right word", self.resumed, None),
            ("transcript is the ear", self.transcripts, Some(Target::AtLeast(100.0))),
        ];
        let cut_off = self.cut_off.iter().map(|(what, share)| {
            let target = (*what == Dictated::Phone).then_some(Target::AtMost(1.0));
            (format!("{} cut off", what.name()), *share, target)
        });
        // Or the lines above would be of the few whose question the ear could tell.
        let asked_for = Target::AtLeast(50.0);
        let others = [
            ("values cut off, not asked for", self.cut_off_unasked, None),
            ("values that were asked for", self.asked_for, Some(asked_for)),
            ("values taken for whole, unheard", self.taken_back, None),
        ];
        let others = others.map(|(name, share, target)| (name.to_owned(), share, target));
        fixed.into_iter().map(|(name, share, target)| (name.to_owned(), share, target)).chain(cut_off).chain(others)
    }
}

/// What the figures of this run are made of, with its place on the tape: for people who look at one call.
pub fn notes(run: &Run) -> Vec<(Duration, String)> {
    let spoken = Spoken::of(run);
    let overlaps = overlaps::overlaps(run, &spoken).into_iter().map(|overlap| {
        let (meaning, stopped) = (overlap.meaning, if overlap.stopped { "stopped" } else { "went on" });
        let wanted = if overlap.real { "the floor" } else { "nothing" };
        let lost = if overlap.real && !overlap.told { ", lost in a loud room," } else { "" };
        (overlap.at, format!("an overlap ({meaning:?}){lost} that wants {wanted}: the agent {stopped}"))
    });
    let cut = overlaps::unprovoked(run, &spoken).into_iter();
    let cut = cut.map(|at| (at, "the agent was cut without a word of the caller".to_owned()));
    let resumed = resumes::resumes(&spoken).into_iter();
    let resumed =
        resumed.map(|(at, right)| (at, format!("resumed at {} word", if right { "the right" } else { "another" })));
    let torn = endpoints::endpoints(run).into_iter().filter_map(|endpoint| {
        let what = endpoint.dictated.map_or("a go that is", |what| what.name());
        let unasked = if endpoint.dictated.is_some() && !endpoint.asked { ", not asked for," } else { "" };
        let became = match endpoint.early? {
            Early::CutOff => "cut off: the agent is heard, and has not its end",
            Early::TakenBack => "taken back: a turn is committed before its end, and nobody hears it",
        };
        Some((endpoint.at, format!("{what}{unasked} {became}")))
    });
    overlaps.chain(cut).chain(resumed).chain(torn).collect()
}

/// The time that `percent` of them do not exceed; zero of none.
pub fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times.get(times.len() * percent / 100).copied().unwrap_or_default()
}

fn times(times: &[Duration]) -> serde_json::Value {
    let [p50, p95] = [50, 95].map(|percent| percentile(times, percent).as_millis());
    serde_json::json!({"p50": p50, "p95": p95, "of": times.len()})
}

#[cfg(test)]
mod tests;
