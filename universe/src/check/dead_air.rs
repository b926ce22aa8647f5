//! Nobody listens to nothing for longer than design.md section 12 item 4 allows.
//!
//! Silence is what lies between two sounds of either side. What it may last depends on whose turn it is:
//!
//! | silence | may last |
//! |---|---|
//! | within an utterance, or before the first one | 2 s; 2.8 s with a model that is slow or fails |
//! | after the caller, once the recogniser had words | 2.8 s (a slow model and a slow voice at once) from then, or from the silence that ends a turn (`endpoint` of the timeline) |
//! | after the caller, while the recogniser was asked and does not answer | 4 s from the silence that ends a turn |
//! | while the room around the caller is speech to the detector | that long: it holds the floor, a known weakness |
//! | after the agent, or after a sound that was no turn | a rung of the silence ladder, and as long for its prompt as for an opening |
//! | after a key that the caller typed in a silence of theirs | the same, from the key on |
//!
//! A silence that ends a turn is believed up to [`LONGEST`], whatever the timeline says.

use std::time::Duration;

use tandem_domain::endpointing::LONGEST;
use tandem_domain::record::{Record, TimelineEvent};
use tandem_peers::vendor::Latency;

use super::order::places;
use super::said_again;
use super::{Breach, Invariant};
use crate::exchange::Overheard;
use crate::{Over, Run};

/// Failing vendors, slow ones among them.
const VENDORS: Duration = Duration::from_secs(2);
/// Two of them at once: the filler for a slow model comes after 1.2 s, and voices may take 1.5 s together to begin it.
const ANSWER: Duration = Duration::from_millis(2_800);
/// Where the silence of a half-open recogniser must first be noticed.
const HALF_OPEN: Duration = Duration::from_secs(4);
/// A caller's sound and the end that the switch saw of it are no further apart.
const ONE_SOUND: Duration = Duration::from_secs(1);
/// Silence that ends speech for the detector.
const HANGOVER: Duration = Duration::from_millis(200);
/// How late the detector may be about the end of speech (`tandem_codecs::vad`).
const DETECTOR: Duration = Duration::from_millis(100);
/// Who asks for a moment is given so many rungs (`tandem_domain::silence`).
const RUNGS_OF_A_MOMENT: u32 = 3;
/// Speech above this is a turn, whatever was understood of it.
const TURN: Duration = Duration::from_millis(1_500);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Nobody,
    Agent,
    Caller,
}

/// A silence: after whom, from when to when.
#[derive(Debug, Clone, Copy)]
struct Silence {
    after: Who,
    /// When the sound before it began.
    sound: Duration,
    from: Duration,
    to: Duration,
    /// Who breaks it.
    before: Who,
}

/// Silences that last too long.
pub fn check(run: &Run) -> Vec<Breach> {
    if let Over::Violation(_) = run.over.1 {
        return Vec::new(); // the line was cut there
    }
    silences(run)
        .into_iter()
        .filter_map(|silence| {
            let (until, why) = limit(run, silence);
            (silence.to > until).then(|| Breach {
                invariant: Invariant::DeadAir,
                at: silence.from,
                what: format!(
                    "{:.2} s of silence {why}; {:.2} s are allowed",
                    (silence.to - silence.from).as_secs_f64(),
                    until.saturating_sub(silence.from).as_secs_f64()
                ),
            })
        })
        .collect()
}

/// The longest silence that somebody else than the caller is to blame for: for the summary.
pub fn longest(run: &Run) -> Duration {
    silences(run).iter().map(|silence| silence.to - silence.from).max().unwrap_or_default()
}

/// The silences that are ours alone: before the first word, within an utterance, and from the silence that ended a turn to our next sound. Who says
/// nothing at all to a turn that was taken for whole has one as well, until the caller speaks again or has gone.
pub(crate) fn ours(run: &Run) -> Vec<Duration> {
    let is_asked = |silence: &Silence| {
        let during = |at: &Duration| (silence.from..silence.to).contains(at);
        run.overheard.iter().any(|(at, what)| during(at) && matches!(what, Overheard::Asked { .. }))
    };
    let is_ours = |silence: &&Silence| match silence.after {
        Who::Nobody => true,
        Who::Agent => silence.before == Who::Agent,
        Who::Caller => silence.before == Who::Agent || is_asked(silence),
    };
    let length = |silence: &Silence| match silence.after {
        Who::Nobody => Some(silence.to - silence.from),
        Who::Agent => is_within_utterance(run, *silence).then(|| silence.to - silence.from),
        Who::Caller => Some((silence.to - silence.from).saturating_sub(waited(run, *silence))),
    };
    let all = silences(run);
    all.iter().filter(is_ours).filter_map(length).collect()
}

/// Until when the silence may last, and what it is.
fn limit(run: &Run, silence: Silence) -> (Duration, &'static str) {
    let timing = &run.case.timing;
    let (up, down) = run.ways;
    let ways = up + down + run.case.chunk();
    let brain = &run.case.scenario.vendors.brain;
    let modelled = brain.first_sentence != Latency::ZERO || !brain.faults.is_empty();
    let vendors = if modelled { ANSWER } else { VENDORS };
    let rungs = if has_a_moment(run, silence) { RUNGS_OF_A_MOMENT } else { 1 };
    let rung = Timing::rung() * rungs + vendors + ways;
    let floor = floor(run, silence);
    match silence.after {
        Who::Nobody => (silence.from + vendors + ways, "before the first word"),
        Who::Agent if silence.before == Who::Agent && is_within_utterance(run, silence) => {
            (silence.from + vendors, "within an utterance")
        }
        _ if floor.is_some_and(|settled| settled >= silence.to) => (silence.to, "while a sound holds the floor"),
        Who::Agent => (floor.unwrap_or(silence.from).max(typed(run, silence)) + rung, "after the agent"),
        Who::Caller => {
            let endpoint = silence.from + DETECTOR + waited(run, silence).max(timing.endpoint_silence) + ways;
            let since = |from: Duration, what: &dyn Fn(&Overheard) -> bool| {
                let during = run.overheard.iter().filter(|(at, _)| (from..silence.to).contains(at));
                during.rev().find(|(_, overheard)| what(overheard)).map(|(at, _)| *at)
            };
            // Asked about this sound: in a loud room the sound before it may be one with it, and have been settled long ago.
            let of_it = |what: &Overheard| matches!(what, Overheard::Finalize { ended, .. } if *ended + ONE_SOUND >= silence.from);
            let asked = since(silence.sound, &of_it);
            let answered = |words| asked.and_then(|asked| since(asked, &|what| *what == Overheard::Final { words }));
            let (words, nothing) = (answered(true), answered(false));
            match (asked, words, nothing) {
                _ if floor.is_some() => (floor.unwrap_or_default() + rung, "after a sound behind the caller's words"),
                (_, Some(at), _) => (endpoint.max(at) + ANSWER, "after words of the caller"),
                (Some(_), None, None) => (endpoint + HALF_OPEN, "after the caller, without a word of the recogniser"),
                (Some(_), None, Some(at)) if told(run, silence) > TURN => {
                    (endpoint.max(at) + ANSWER, "after a turn that was not understood")
                }
                (_, None, Some(at)) => (endpoint.max(at) + rung, "after a sound that was no turn"),
                (None, None, None) => (endpoint + rung, "after a caller whom the detector did not hear"),
            }
        }
    }
}

/// Whether the caller asked for a moment and has said nothing since.
fn has_a_moment(run: &Run, silence: Silence) -> bool {
    let Some(given) = run.events("skip_turn").map(|(since, _)| run.met() + since).rfind(|at| *at < silence.to) else {
        return false;
    };
    let asked = |(at, what): &(Duration, Overheard)| {
        matches!(what, Overheard::Asked { .. }) && (given..silence.to).contains(at)
    };
    !run.overheard.iter().any(asked)
}

/// When the caller typed the last key within the silence: keys make no sound, and the ladder begins anew with each.
fn typed(run: &Run, silence: Silence) -> Duration {
    let within = run.goes.iter().filter(|go| !go.is_sound() && (silence.from..silence.to).contains(&go.began));
    within.map(|go| go.ended.min(silence.to)).max().unwrap_or_default()
}

/// The longest silence that the switch waited for on purpose, by its timeline: for the rest of a number, after words that go on.
fn waited(run: &Run, silence: Silence) -> Duration {
    let of_it =
        |event: &&TimelineEvent| event.kind == "endpoint" && (silence.from..=silence.to).contains(&event.since_start);
    let millis = |event: &TimelineEvent| event.data["detail"].as_str()?.split(' ').nth(1)?.parse().ok();
    let events =
        run.records.iter().filter_map(|record| if let Record::Event(event) = record { Some(event) } else { None });
    let longest = events.filter(of_it).filter_map(millis).max();
    longest.map_or(Duration::ZERO, |millis| Duration::from_millis(millis).min(LONGEST))
}

/// When the last turn was settled that a sound opened within the silence, or went on with, if one did: the room may be speech to the detector, and
/// a turn that is open holds the floor. [`Duration::MAX`] if it never was.
fn floor(run: &Run, silence: Silence) -> Option<Duration> {
    let (up, _) = run.ways;
    let within = silence.from + DETECTOR + up + HANGOVER;
    let opened = |what: &Overheard| matches!(what, Overheard::Finalize { began, ended } if *ended > within && *began < silence.to);
    let (asked, _) = run.overheard.iter().rfind(|(_, what)| opened(what))?;
    let answered = |(at, what): &&(Duration, Overheard)| at >= asked && matches!(what, Overheard::Final { .. });
    Some(run.overheard.iter().find(answered).map_or(Duration::MAX, |(at, _)| *at))
}

/// The longest turn that the switch made of the sound before the silence.
fn told(run: &Run, silence: Silence) -> Duration {
    let during = run.overheard.iter().filter(|(at, _)| (silence.sound..silence.to).contains(at));
    let length = during.filter_map(|(_, what)| match what {
        Overheard::Finalize { began, ended } => Some(ended.saturating_sub(*began)),
        _ => None,
    });
    length.max().unwrap_or_default()
}

/// Whether the words on both sides of the silence are of one utterance.
fn is_within_utterance(run: &Run, silence: Silence) -> bool {
    let meant: Vec<(&str, usize)> = run
        .responses()
        .enumerate()
        .flat_map(|(index, response)| response.text.split_whitespace().map(move |word| (word, index)))
        .collect();
    let words = said_again::once(run);
    let heard: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let texts: Vec<&str> = meant.iter().map(|(word, _)| *word).collect();
    let utterance = |index: usize, places: &[Option<usize>]| places[index].map(|place| meant[place].1);
    let places = places(&heard, &texts);
    let before = words.iter().rposition(|word| run.tape.at(word.start) < silence.from);
    let after = words.iter().position(|word| run.tape.at(word.start) >= silence.from);
    match (before, after) {
        (Some(before), Some(after)) => {
            let (before, after) = (utterance(before, &places), utterance(after, &places));
            before.is_some() && before == after
        }
        _ => false,
    }
}

/// All silences, in order.
fn silences(run: &Run) -> Vec<Silence> {
    let mut sounds: Vec<(Duration, Duration, Who)> =
        run.tape.agent_sounds().into_iter().map(|(from, to)| (from, to, Who::Agent)).collect();
    sounds.extend(run.goes.iter().filter(|go| go.is_sound()).map(|go| (go.began, go.ended, Who::Caller)));
    sounds.extend(run.floor.iter().map(|&(from, to)| (from, to, Who::Caller)));
    sounds.sort();
    let mut out = Vec::new();
    let mut last = (Duration::ZERO, Duration::ZERO, Who::Nobody);
    for sound in sounds {
        if sound.0 > last.1 {
            out.push(Silence { after: last.2, sound: last.0, from: last.1, to: sound.0, before: sound.2 });
        }
        if sound.1 > last.1 {
            last = sound;
        }
    }
    if run.over.0 > last.1 {
        out.push(Silence { after: last.2, sound: last.0, from: last.1, to: run.over.0, before: Who::Nobody });
    }
    out
}

/// The timing that the design promises, whatever a case has set.
struct Timing;

impl Timing {
    fn rung() -> Duration {
        tandem_domain::agent::Timing::default().turn_after_silence
    }
}

#[cfg(test)]
mod tests {
    use super::super::made_up::made_up;
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_answer_in_time_and_a_rung_of_the_ladder_are_fine() {
        let run = made_up()
            .says("one")
            .pause(seconds(8))
            .says("two")
            .caller(seconds(2), true)
            .pause(seconds(2))
            .says("three")
            .run();
        assert_eq!(check(&run), []);
    }

    #[test]
    fn a_ladder_that_does_not_come_is_a_breach() {
        let run = made_up().says("one").pause(seconds(18)).says("two").run();
        assert!(check(&run)[0].what.contains("after the agent"));
    }

    #[test]
    fn keys_are_a_sign_of_life_until_the_last_one() {
        let mut run = made_up().says("one").pause(seconds(13)).says("two").run();
        assert_eq!(check(&run).len(), 1);
        let mut typed = |ended| {
            let said = "0123".to_owned();
            let go =
                crate::run::Go { said, began: seconds(2), ended: seconds(ended), over_agent: false, spoken: false };
            run.goes = vec![go];
            check(&run).len()
        };
        assert_eq!((typed(6), typed(3)), (0, 1));
    }

    #[test]
    fn who_asked_for_a_moment_has_three_rungs() {
        let run = |pause| {
            made_up()
                .says("take your time")
                .noted("skip_turn", seconds(1))
                .pause(seconds(pause))
                .says("still there")
                .run()
        };
        assert_eq!((check(&run(22)).len(), check(&run(26)).len()), (0, 1));
        let mut gone = run(22);
        gone.overheard.push((seconds(2), Overheard::Asked { text: "so".into() }));
        assert_eq!(check(&gone).len(), 1, "the moment ends with the next words");
    }

    #[test]
    fn a_silence_that_ends_a_turn_is_believed_up_to_the_longest() {
        let run = |pause| {
            let made_up = made_up().says("one").caller(seconds(2), true);
            let said = Record::Event(TimelineEvent {
                call: tandem_domain::ids::CallId(uuid::Uuid::nil()),
                business: tandem_domain::ids::BusinessId::FIRST,
                index: 1,
                since_start: seconds(4),
                kind: "endpoint",
                data: serde_json::json!({ "detail": "spelling 9000 ms" }),
            });
            let mut run = made_up.pause(pause).says("two").run();
            run.records.insert(1, said);
            check(&run).len()
        };
        assert_eq!((run(LONGEST + ANSWER), run(LONGEST + ANSWER + seconds(1))), (0, 1));
    }

    #[test]
    fn a_room_that_is_speech_to_the_detector_holds_the_floor() {
        let mut run = made_up().says("one").pause(seconds(18)).says("two").run();
        let settled = |at| {
            vec![(at, Overheard::Finalize { began: seconds(4), ended: at }), (at, Overheard::Final { words: false })]
        };
        run.overheard = settled(seconds(14));
        assert_eq!(check(&run), [], "the ladder began anew behind it");
        run.overheard = settled(seconds(6));
        assert!(check(&run)[0].what.contains("after the agent"), "and was late all the same");
        run.overheard = settled(seconds(30));
        assert_eq!(check(&run), [], "it lasted until somebody spoke");
    }

    #[test]
    fn an_agent_that_does_not_answer_at_all_is_silent_and_one_that_is_not_asked_is_not() {
        let mut run = made_up().says("one").caller(seconds(2), true).pause(seconds(4)).caller(seconds(2), true).run();
        assert!(ours(&run).is_empty(), "nobody asked for an answer");
        run.overheard.push((seconds(4), Overheard::Asked { text: "so".into() }));
        assert_eq!(ours(&run), [seconds(4)], "until the caller speaks again");
        run.goes.pop();
        assert_eq!(ours(&run), [seconds(6)], "or has gone");
    }

    #[test]
    fn an_answer_that_does_not_come_is_a_breach() {
        let run = made_up().says("one").caller(seconds(2), true).pause(seconds(4)).says("two").run();
        assert!(check(&run)[0].what.contains("after words"));
    }

    #[test]
    fn a_recogniser_that_does_not_answer_has_four_seconds() {
        let within =
            made_up().says("one").caller(seconds(2), false).pause(Duration::from_millis(4_400)).says("two").run();
        assert_eq!(check(&within), []);
        let beyond =
            made_up().says("one").caller(seconds(2), false).pause(Duration::from_millis(5_200)).says("two").run();
        assert!(check(&beyond)[0].what.contains("without a word"));
    }

    #[test]
    fn an_utterance_that_stalls_is_a_breach() {
        let run = made_up().says_with_stall("one two three four", seconds(3)).run();
        assert!(check(&run)[0].what.contains("within an utterance"));
    }
}
