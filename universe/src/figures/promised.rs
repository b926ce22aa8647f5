//! What a named call promises besides the invariants, judged by what the figures are made of.
//!
//! Place: asked by [`crate::check::glitch`]. A promise that had nothing to show itself by is broken, too: a call that was to be interrupted, and
//! was not, says nothing about interruptions.

use std::time::Duration;

use tandem_domain::record::{RECORDING_SAVED, Record};
use tandem_peers::caller::Step;
use tandem_peers::universe::public_bugs::Holds;
use tandem_peers::universe::scenario::Cue;
use tandem_peers::voice::{Heard, Listener};

use super::overlaps::{Overlap, overlaps};
use super::spoken::Spoken;
use crate::Run;
use crate::check::dead_air;
use crate::recorder::Recording;

/// A recording's frame.
const FRAME: usize = 160;
/// Words of a recording lie where they were heard, but for the ways to the far end and what a buffer holds there.
const APART: Duration = Duration::from_millis(300);
/// Of a channel's words, so many have to be told, in percent: what a stall tears is noise.
const TOLD: usize = 80;

/// When and how a promise was broken.
pub(crate) fn broken(run: &Run, holds: Holds) -> Option<(Duration, String)> {
    match holds {
        Holds::AgentGoesOn => each_overlap(run, "the agent did not go on", |overlap| !overlap.real, |one| !one.stopped),
        Holds::CallerIsGivenWay => {
            each_overlap(run, "the agent did not stop", |overlap| overlap.real, |one| one.stopped)
        }
        Holds::OneTurnEach => torn(run),
        Holds::RecordingIsTheCall => misplaced(run, run.recording.as_ref()),
        Holds::RecordingIsSaved => unsaved(run),
        Holds::EachIsRecorded { calls } => unrecorded(run, calls as usize),
        Holds::NothingOutlives { .. } => {
            let many = run.many.as_ref().filter(|many| many.astray > 0)?;
            Some((
                run.over.0,
                format!(
                    "{} of {} calls like this one were not answered, or did not end by themselves",
                    many.astray, many.calls
                ),
            ))
        }
        Holds::EveryWordOnce => {
            let said: Vec<String> = run.case.scenario.said().collect();
            let (said, heard) = (said.join(" "), turns(run).join(" "));
            (said != heard).then(|| (run.over.0, format!("the caller said {said:?}, on record is {heard:?}")))
        }
        Holds::KeysArrive => {
            let (pressed, arrived) = (pressed(run), arrived(run));
            (pressed != arrived).then(|| (run.over.0, format!("the keys {pressed:?} arrived as {arrived:?}")))
        }
        Holds::SilenceAtMost(most) => {
            let longest = dead_air::longest(run);
            let what = || format!("{} ms of silence, {} at most", longest.as_millis(), most.as_millis());
            (longest > most).then(|| (run.over.0, what()))
        }
        Holds::Passes(pass) => super::passed::missed(run, pass),
        Holds::SilentWithin(_)
        | Holds::NoStarvedGap(_)
        | Holds::Clean
        | Holds::GoesOnUnprompted
        | Holds::KeepsPace
        | Holds::TranscriptIsTheEar => None,
    }
}

fn each_overlap(
    run: &Run,
    what: &str,
    concerned: impl Fn(&Overlap) -> bool,
    holds: impl Fn(&Overlap) -> bool,
) -> Option<(Duration, String)> {
    let overlaps: Vec<Overlap> = overlaps(run, &Spoken::of(run)).into_iter().filter(concerned).collect();
    match overlaps.iter().find(|overlap| !holds(overlap)) {
        Some(overlap) => Some((overlap.at, format!("{what} ({:?})", overlap.meaning))),
        None if overlaps.is_empty() => Some((run.over.0, "nobody spoke over the agent".to_owned())),
        None => None,
    }
}

fn turns(run: &Run) -> Vec<&str> {
    let texts = run.records.iter().filter_map(|record| match record {
        Record::UserTurn(turn) => Some(turn.text.as_str()),
        _ => None,
    });
    texts.collect()
}

/// A dictation that is not one turn.
fn torn(run: &Run) -> Option<(Duration, String)> {
    let turns = turns(run);
    let dictated = run.case.scenario.goes().filter_map(|cue| match cue {
        Some(Cue::Dictated(dictation)) => Some(dictation.text()),
        _ => None,
    });
    let torn = dictated.into_iter().find(|text| !turns.contains(&text.as_str()))?;
    Some((run.over.0, format!("{torn:?} was read out, the turns are {turns:?}")))
}

fn pressed(run: &Run) -> String {
    let keys = run.case.scenario.caller.script.iter().filter_map(|step| match step {
        Step::Dtmf(keys) | Step::Say(Cue::Keys(keys)) => Some(keys.as_str()),
        _ => None,
    });
    keys.collect()
}

fn arrived(run: &Run) -> String {
    let keys = run.records.iter().filter_map(|record| match record {
        Record::Event(event) if event.kind == "dtmf" => event.data.get("detail")?.as_str(),
        _ => None,
    });
    keys.collect()
}

/// A recording of another length, or with words in other places.
fn misplaced(run: &Run, recording: Option<&Recording>) -> Option<(Duration, String)> {
    let Some(Recording { left, right, call }) = recording else {
        return Some((run.over.0, "there is no recording".to_owned()));
    };
    let length = run.tape.mouth.len();
    let (up, down) = run.ways;
    let behind = run.tape.ear.len().abs_diff(right.len());
    // the call on record begins when its stream does, one way up after the telephone
    let most = FRAME
        + [up, down].iter().map(|way| way.as_millis() as usize * 8).sum::<usize>()
        + APART.as_millis() as usize * 8;
    if left.len() != right.len() || (left.len() as u64).abs_diff(*call) > FRAME as u64 || behind > most {
        let what =
            format!("{} samples left and {} right of a call of {call}, {length} on the line", left.len(), right.len());
        return Some((run.over.0, what));
    }
    let sides = [("caller", words(&run.tape.mouth), words(left)), ("agent", run.heard.clone(), words(right))];
    sides.into_iter().find_map(|(side, said, recorded)| {
        let what = apart(run, &said, &recorded)?;
        Some((run.over.0, format!("of the {side}'s side {what}")))
    })
}

/// The file of the switch's own recorder is not the call, or not told of as it is.
fn unsaved(run: &Run) -> Option<(Duration, String)> {
    let Some(saved) = &run.saved else {
        return Some((run.over.0, "there is no recording in the folder".to_owned()));
    };
    let told = run.records.iter().filter_map(|record| match record {
        Record::Event(event) if event.kind == RECORDING_SAVED => Some(&event.data["sha256"]),
        _ => None,
    });
    let told: Vec<_> = told.collect();
    if told != [saved.sha256.as_str()] {
        return Some((run.over.0, format!("the file's digest is {}, the record tells of {told:?}", saved.sha256)));
    }
    misplaced(run, Some(&saved.recording))
}

/// Of many calls like this one, some have no recording, or one that is not the call.
fn unrecorded(run: &Run, calls: usize) -> Option<(Duration, String)> {
    let recordings = run.many.as_ref().map(|many| many.recordings.as_slice()).unwrap_or_default();
    if recordings.len() != calls {
        return Some((run.over.0, format!("{} of {calls} calls were recorded", recordings.len())));
    }
    recordings.iter().find_map(|recording| misplaced(run, Some(recording)))
}

fn words(samples: &[i16]) -> Vec<Heard> {
    let mut listener = Listener::new();
    let mut words = listener.push(samples);
    words.extend(listener.finish());
    words
}

fn apart(run: &Run, said: &[Heard], recorded: &[Heard]) -> Option<String> {
    let (up, down) = run.ways;
    let most = up + down + APART;
    let near = |word: &&Heard| {
        let same = recorded.iter().filter(|other| other.text == word.text);
        same.map(|other| run.tape.at(other.start.abs_diff(word.start))).min().is_some_and(|apart| apart <= most)
    };
    let told = said.iter().filter(near).count();
    (told * 100 < said.len() * TOLD).then(|| format!("{told} of {} words lie where they were said", said.len()))
}
