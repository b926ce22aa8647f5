//! What became of the agent's speech when the caller spoke into it: judged by the ear alone, and by what the caller meant.
//!
//! ```text
//! agent  ─── one two three ───┐ (held) ┌── three four five            kept: all of it was heard in the end
//! caller                   mm-hmm
//! agent  ─── one two three ───┐                                       stopped
//! caller                  wait wait
//! ```

use std::time::Duration;

use tandem_domain::record::AgentResponse;
use tandem_peers::universe::scenario::Meaning;

use super::spoken::{Asked, Spoken};
use crate::Run;
use crate::check::barge_in;
use crate::run::Go;

/// Agent speech that is over by then was not spoken over: an interruption needs 200 ms of speech.
const TOO_LATE: Duration = Duration::from_millis(200);
/// A word that has begun is played to its end.
const WORD: Duration = Duration::from_millis(500);
/// Whoever hangs up so soon has not waited for what becomes of it.
const HUNG_UP: Duration = Duration::from_secs(2);

/// Caller's sound within the agent's speech, and what became of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overlap {
    /// When it began.
    pub(super) at: Duration,
    /// What it means.
    pub(super) meaning: Meaning,
    /// The caller wants the floor.
    pub(super) real: bool,
    /// The agent's utterance was not heard to its end because of it.
    pub(super) stopped: bool,
    /// The switch's detector can tell its beginning from the room.
    pub(super) told: bool,
}

/// All that can be judged.
pub(super) fn overlaps(run: &Run, spoken: &Spoken) -> Vec<Overlap> {
    let cues = run.case.scenario.goes().map(|cue| cue.and_then(|cue| cue.meaning()));
    run.goes.iter().zip(cues).filter_map(|(go, meaning)| overlap(run, spoken, go, meaning?)).collect()
}

fn overlap(run: &Run, spoken: &Spoken, go: &Go, meaning: Meaning) -> Option<Overlap> {
    if !go.over_agent || go.began + HUNG_UP > run.over.0 || run.goodbye_from().is_some_and(|bye| go.ended > bye) {
        return None;
    }
    let utterance = spoken.under_way(go.began).filter(|utterance| !spoken.is_doubtful(*utterance))?;
    let completed = spoken.completed(utterance);
    if completed.is_some_and(|end| end < go.began + TOO_LATE) {
        return None;
    }
    let real = match (meaning, spoken.asked(utterance, go.began)) {
        (Meaning::Assent, Asked::PartOfOne) => return None,
        (meaning, asked) => meaning.wants_the_floor(asked == Asked::Question),
    };
    let told = barge_in::is_told(run, go);
    if !real {
        // what was cut after it had gone on was cut by something else
        let went_on = spoken.of_utterance(utterance).any(|word| word.from > go.ended + WORD);
        let blamed = completed.is_none() && !went_on && ender(run, spoken, utterance) == Some(go);
        return Some(Overlap { at: go.began, meaning, real, stopped: blamed, told });
    }
    let due = go.ended.max(go.began + barge_in::budget(run));
    if completed.is_some_and(|end| end < go.began + barge_in::budget(run)) {
        return None; // over before it could be stopped
    }
    let goes_on = spoken.of_utterance(utterance).any(|word| word.from > due + WORD);
    Some(Overlap { at: go.began, meaning, real, stopped: completed.is_none() && !goes_on, told })
}

/// The last go into the utterance: the one that ended it, if it was ended.
fn ender<'run>(run: &'run Run, spoken: &Spoken, utterance: usize) -> Option<&'run Go> {
    let end = spoken.of_utterance(utterance).next_back()?.to;
    run.goes.iter().rfind(|go| go.over_agent && go.began <= end + WORD)
}

/// Utterances that were cut while the caller said nothing: by the room, by another speaker, by our own echo. When they ended.
///
/// A voice that the room held stands still; a caller who begins to speak before it is heard again has taken the floor, and rightly has it:
///
/// ```text
/// agent  ─── one two ┐ (held)                           ┌── new
/// room           ~~~~~~~
/// caller                   I want a flat                provoked; without it, not
/// ```
pub(super) fn unprovoked(run: &Run, spoken: &Spoken) -> Vec<Duration> {
    let sounds = run.tape.agent_sounds();
    let cut = |(utterance, response): (usize, &AgentResponse)| {
        if !response.interrupted || spoken.is_doubtful(utterance) || spoken.completed(utterance).is_some() {
            return None;
        }
        let end = spoken.of_utterance(utterance).next_back()?.to;
        let again = sounds.iter().map(|(from, _)| *from).find(|from| *from > end).unwrap_or(run.over.0);
        let by_the_caller = run.goes.iter().any(|go| go.began <= again.max(end + WORD) && go.ended + WORD >= end);
        (!by_the_caller && end + HUNG_UP < run.over.0).then_some(end)
    };
    run.responses().enumerate().filter_map(cut).collect()
}
