//! The figures of the fault table's rows (`tandem_peers::universe::fault_rows::Pass`), measured in one run.
//!
//! Place: asked by [`super::promised`]. A figure that nothing showed is missed as well: a model that was not given up says nothing about when
//! models are.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tandem_codecs::click::clicks;
use tandem_codecs::{Level, SampleRate, g711};
use tandem_peers::universe::fault_rows::Pass;

use crate::Run;
use crate::check::dead_air;
use crate::exchange::Overheard;

/// A frame of the caller's that is quieter is like many others: whether it arrived cannot be told.
const QUIET_DBFS: f32 = -50.0;
const FRAME: usize = 160;
/// A frame lies no further behind the one before it than in the mouth, and this: half a second, in samples.
const ASTRAY: usize = 4_000;
/// Words by which a sentence is told from another.
const FIRST_WORDS: usize = 3;
/// What an instant may be off: the far clock's drift on the timeline.
const INSTANT: Duration = Duration::from_millis(1);

/// When and how a figure was missed.
pub(super) fn missed(run: &Run, pass: Pass) -> Option<(Duration, String)> {
    let worst = match pass {
        Pass::DeadAir(most) => longest(dead_air::ours(run), most),
        Pass::Filler(most) => longest(fillers(run), most),
        Pass::GivenUp(most) => longest(given_up(run), most),
        Pass::ModelStopped(most) => longest(stopped(run), most),
        Pass::TakenOver(most) => longest(taken_over(run), most),
        Pass::Sentence(most) => longest(sentences(run), most),
        Pass::TornAMinute(most) => compare(Some(torn(run)), most, "in a minute"),
        Pass::Lead(most) => longest([run.playback.greatest_lead], most),
        Pass::AnswerChars(most) => compare(answers(run).max(), most, "characters"),
        Pass::CallerClicks(most) => compare(caller_clicks(run), most, "clicks"),
        Pass::AudioLost { per_mille } => compare(lost_per_mille(run), per_mille as usize, "of a thousand frames lost"),
    };
    worst.map(|what| (run.over.0, format!("{pass:?}: {what}")))
}

fn longest(measured: impl IntoIterator<Item = Duration>, most: Duration) -> Option<String> {
    compare(measured.into_iter().map(|length| length.as_millis() as usize).max(), most.as_millis() as usize, "ms")
}

fn compare(measured: Option<usize>, most: usize, unit: &str) -> Option<String> {
    match measured {
        None => Some("nothing of the kind happened".to_owned()),
        Some(measured) => (measured > most).then(|| format!("{measured} {unit}")),
    }
}

/// When the brain was asked for an answer to the caller.
fn asked(run: &Run) -> Vec<Duration> {
    let asked = run.overheard.iter().filter(|(_, what)| matches!(what, Overheard::Asked { .. }));
    asked.map(|(at, _)| *at).collect()
}

/// Of each event of that kind, when it was by the tape's clock.
fn noted<'run>(run: &'run Run, kind: &'run str) -> impl Iterator<Item = Duration> + 'run {
    run.events(kind).map(|(since, _)| run.met() + since)
}

/// From a question to the first filler behind it.
fn fillers(run: &Run) -> Vec<Duration> {
    let asked = asked(run);
    let mut next = asked.iter().skip(1).copied().chain([Duration::MAX]);
    let first = asked.iter().filter_map(|&asked| {
        let next = next.next()?;
        noted(run, "filler").find(|at| (asked..next).contains(at)).map(|at| at - asked)
    });
    first.collect()
}

/// From a question to the end of our patience with it.
fn given_up(run: &Run) -> Vec<Duration> {
    let asked = asked(run);
    noted(run, "brain_failed").filter_map(|at| Some(at - *asked.iter().rfind(|asked| **asked <= at)?)).collect()
}

/// From an interruption to the end of the stream that the model was answering on.
fn stopped(run: &Run) -> Vec<Duration> {
    let over = |number: usize| {
        let end = run.overheard.iter().find(|(_, what)| *what == Overheard::Over("llm", number));
        end.map_or(run.over.0, |(at, _)| *at)
    };
    let streams = run.overheard.iter().filter_map(|(at, what)| match what {
        Overheard::Opened("llm", number) => Some((*at, over(*number))),
        _ => None,
    });
    let streams: Vec<(Duration, Duration)> = streams.collect();
    let under_way = |at: Duration| streams.iter().filter(move |(from, to)| *from < at && at <= *to + INSTANT);
    noted(run, "barge_in").flat_map(|at| under_way(at).map(move |(_, to)| to.saturating_sub(at))).collect()
}

/// From a recogniser's failure, or from the question that it leaves open, to the beginning of the next one.
fn taken_over(run: &Run) -> Vec<Duration> {
    let (mut since, mut taken) = (None, Vec::new());
    for (at, what) in &run.recognisers {
        match what {
            Overheard::Finalize { .. } => since = since.or(Some(*at)),
            Overheard::Final { .. } => since = None,
            Overheard::Failed(_) => since = Some(*at),
            Overheard::Over(..) => since = since.or(Some(*at)), // one that is given up had failed before
            Overheard::Opened(..) => taken.extend(since.take().map(|since| *at - since)),
            Overheard::Speak(..) | Overheard::Met | Overheard::Asked { .. } => {}
        }
    }
    taken
}

/// Of each stretch of the agent's sound: from one sentence's first words to the next one's, and from there to the end of it. Of a stretch in which no
/// sentence's words can be told, as of a voice at the wrong rate: how long the sentences are that were asked for until its end, one with another.
fn sentences(run: &Run) -> Vec<Duration> {
    let heard: Vec<&str> = run.heard.iter().map(|word| word.text.as_str()).collect();
    let (mut from, mut begins, mut asked) = (0, Vec::new(), Vec::new());
    for (at, what) in &run.overheard {
        let Overheard::Speak(text, _) = what else { continue };
        asked.push(*at);
        let first: Vec<&str> = text.split_whitespace().take(FIRST_WORDS).collect();
        let place = heard[from..].windows(first.len().max(1)).position(|window| window == first);
        if let Some(place) = place.map(|place| from + place) {
            begins.push(run.tape.at(run.heard[place].start));
            from = place + 1;
        }
    }
    let mut before = Duration::ZERO;
    let sounds = run.tape.agent_sounds().into_iter().flat_map(|(from, to)| {
        let within: Vec<Duration> = begins.iter().copied().filter(|at| (from..to).contains(at)).collect();
        let sentences = asked.iter().filter(|at| (before..to).contains(*at)).count();
        before = to;
        if within.is_empty() {
            return vec![(to - from) / sentences.max(1) as u32];
        }
        let edges: Vec<Duration> = [from].into_iter().chain(within).chain([to]).collect();
        edges.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>()
    });
    sounds.collect()
}

/// Clicks in the ear, and stretches of speech in which no word can be told: in the worst minute.
fn torn(run: &Run) -> usize {
    let report = run.tape.report();
    let mut of_minute: BTreeMap<u64, usize> = BTreeMap::new();
    let places = report.clicks.iter().map(|click| click.at).chain(report.unintelligible.iter().map(|span| span.start));
    places.for_each(|at| *of_minute.entry(at.as_secs() / 60).or_default() += 1);
    of_minute.into_values().max().unwrap_or_default()
}

/// Clicks on the caller's side of the recording that were not in what the telephone sent: a lost frame that is silent has edges of its own.
fn caller_clicks(run: &Run) -> Option<usize> {
    let recording = run.recording.as_ref().filter(|recording| !recording.left.is_empty())?;
    let count = |samples: &[i16]| clicks(samples, SampleRate::HZ_8000).len();
    Some(count(&recording.left).saturating_sub(count(&run.tape.mouth)))
}

/// Of each answer that was cut off at its length, its characters.
fn answers(run: &Run) -> impl Iterator<Item = usize> {
    let cut_off = run.events("answer_cut_off").next().is_some();
    run.responses().filter(move |_| cut_off).map(|response| response.text.chars().count())
}

/// Of the frames in which the caller was more than quiet, those that the switch's recording does not hold, to the sample and in their order; but for as
/// many as the line lost of them, and no less than none.
fn lost_per_mille(run: &Run) -> Option<usize> {
    let recording = run.recording.as_ref()?;
    let mut held: HashMap<&[i16], Vec<usize>> = HashMap::new();
    for (place, window) in recording.left.windows(FRAME).enumerate() {
        held.entry(window).or_default().push(place);
    }
    let lost: HashMap<usize, &[i16]> = run.tape.lost.iter().map(|(index, frame)| (*index, &frame[..])).collect();
    let mut by_the_line = 0;
    // the last that was found: in the mouth, and behind it in the recording
    let (mut found, mut judged, mut missing): (Option<(usize, usize)>, usize, usize) = (None, 0, 0);
    for (index, sent) in run.tape.mouth.chunks_exact(FRAME).enumerate() {
        let frame = lost.get(&index).copied().unwrap_or(sent);
        if Level::of(frame).rms_dbfs <= QUIET_DBFS {
            continue;
        }
        judged += 1;
        by_the_line += usize::from(lost.contains_key(&index));
        let (mut coded, mut as_ulaw) = (Vec::new(), Vec::new());
        g711::encode_ulaw(frame, &mut coded);
        g711::decode_ulaw(&coded, &mut as_ulaw);
        let (from, to) = match found {
            Some((mouth, behind)) => (behind, behind + (index - mouth) * FRAME + ASTRAY),
            None => (0, usize::MAX),
        };
        let next = |frame: &[i16]| {
            let places = held.get(frame)?;
            places.get(places.partition_point(|place| *place < from)).copied().filter(|place| *place < to)
        };
        match next(frame).into_iter().chain(next(&as_ulaw)).min() {
            Some(place) => found = Some((index, place + FRAME)),
            None => missing += 1,
        }
    }
    (judged > 0).then(|| (missing.saturating_sub(by_the_line) * 1_000).div_ceil(judged))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::made_up::made_up;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_late_filler_misses_its_figure_and_so_does_none() {
        let run = |filler| {
            let mut run = made_up().says("one").noted("filler", ms(filler)).run();
            run.overheard.push((ms(1_000), Overheard::Asked { text: "so".into() }));
            missed(&run, Pass::Filler(ms(1_250)))
        };
        assert_eq!(run(2_200), None);
        assert!(run(2_300).is_some_and(|(_, what)| what.ends_with("1300 ms")));
        assert!(missed(&made_up().says("one").run(), Pass::Filler(ms(1_250))).is_some());
    }

    #[test]
    fn a_model_that_talks_on_misses_its_figure() {
        let run = |over| {
            let mut run = made_up().says("one").noted("barge_in", ms(2_000)).run();
            let opened = |at, number| (ms(at), Overheard::Opened("llm", number));
            let ended = |at, number| (ms(at), Overheard::Over("llm", number));
            // one that was begun early, and outlived by the one before it
            run.overheard = vec![opened(500, 0), opened(600, 1), ended(700, 1), ended(over, 0)];
            missed(&run, Pass::ModelStopped(ms(200))).map(|(_, what)| what)
        };
        assert_eq!(run(2_150), None);
        assert!(run(2_500).is_some_and(|what| what.ends_with("500 ms")));
        assert!(run(1_000).is_some_and(|what| what.contains("nothing of the kind")), "it had ended before");
    }

    #[test]
    fn a_recogniser_is_followed_from_its_failure_or_its_open_question() {
        let begun = |at| (ms(at), Overheard::Opened("stt", 0));
        let asked = |at| (ms(at), Overheard::Finalize { began: ms(0), ended: ms(0) });
        let run = |notes: &[(Duration, Overheard)], most| {
            let mut run = made_up().says("one").run();
            run.recognisers = notes.to_vec();
            missed(&run, Pass::TakenOver(ms(most))).is_none()
        };
        let silent = [begun(0), asked(1_000), begun(3_500)];
        assert_eq!((run(&silent, 2_500), run(&silent, 2_400)), (true, false));
        let dropped = [begun(0), asked(1_000), (ms(1_200), Overheard::Failed("stt")), begun(1_300)];
        assert_eq!((run(&dropped, 100), run(&dropped, 90)), (true, false));
        let given_up = [begun(0), asked(1_000), (ms(3_500), Overheard::Over("stt", 0)), begun(3_500)];
        assert_eq!((run(&given_up, 2_500), run(&given_up, 2_400)), (true, false), "it had been silent before");
        assert!(!run(&[begun(0)], 100), "nobody took over");
    }

    #[test]
    fn a_sentence_without_end_misses_its_figure() {
        let run = |words: usize| {
            let mut run = made_up().says(&vec!["word"; words].join(" ")).run();
            run.overheard = vec![(Duration::ZERO, Overheard::Speak("word".into(), None))];
            missed(&run, Pass::Sentence(ms(30_100))).is_none()
        };
        assert_eq!((run(29), run(33)), (true, false));
    }

    #[test]
    fn a_short_sentence_does_not_make_up_for_a_long_one() {
        let long = vec!["word"; 50].join(" ");
        let mut run = made_up().says(&format!("{long} and so")).run();
        run.overheard = [&long, "and so", "prepared and never said"]
            .map(|text| (Duration::ZERO, Overheard::Speak(text.to_owned(), None)))
            .to_vec();
        assert!(missed(&run, Pass::Sentence(ms(30_100))).is_some_and(|(_, what)| what.ends_with("50000 ms")));
    }

    /// Frames of noise, each its own.
    fn noise(frames: usize) -> Vec<i16> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as i16 / 4
        };
        (0..frames * FRAME).map(|_| next()).collect()
    }

    #[test]
    fn a_frame_is_kept_once_and_in_its_place_and_what_the_line_lost_is_lost() {
        let mouth = noise(100);
        let lost = |left: Vec<i16>, lost: &[usize]| {
            let mut run = made_up().says("one").run();
            run.tape.mouth = mouth.clone();
            for &index in lost {
                let frame = &mut run.tape.mouth[index * FRAME..][..FRAME];
                run.tape.lost.push((index, frame.to_vec()));
                frame.fill(0);
            }
            run.recording = Some(crate::recorder::Recording { right: left.clone(), call: left.len() as u64, left });
            lost_per_mille(&run)
        };
        assert_eq!(lost(mouth.clone(), &[]), Some(0));
        assert_eq!(lost([&mouth[..50 * FRAME], &mouth[55 * FRAME..]].concat(), &[]), Some(50));
        let swapped = [
            &mouth[..10 * FRAME],
            &mouth[11 * FRAME..12 * FRAME],
            &mouth[10 * FRAME..11 * FRAME],
            &mouth[12 * FRAME..],
        ];
        assert_eq!(lost(swapped.concat(), &[]), Some(10), "one of two that changed places");
        let mut silenced = mouth.clone();
        silenced[20 * FRAME..22 * FRAME].fill(0);
        assert_eq!(lost(silenced.clone(), &[20, 21]), Some(0), "by the line");
        silenced[60 * FRAME..61 * FRAME].fill(0);
        assert_eq!(lost(silenced, &[20, 21]), Some(10), "and one by the switch");
    }

    #[test]
    fn a_click_on_the_callers_side_misses_its_figure() {
        let tone: Vec<i16> = (0..8_000).map(|n| ((f64::from(n) * 0.1).sin() * 3_000.0) as i16).collect();
        let run = |left: Vec<i16>| {
            let mut run = made_up().says("one").run();
            run.tape.mouth = tone.clone();
            run.recording = Some(crate::recorder::Recording { right: left.clone(), call: left.len() as u64, left });
            missed(&run, Pass::CallerClicks(0)).is_none()
        };
        let mut torn = tone.clone();
        torn[4_000..4_160].fill(8_000);
        assert_eq!((run(tone.clone()), run(torn), run(Vec::new())), (true, false, false));
    }

    /// Two bad minutes are not made good by quiet ones.
    #[test]
    fn clicks_are_counted_by_the_minute() {
        let mut run = made_up().says("one").pause(Duration::from_secs(130)).says("two").run();
        let quiet = missed(&run, Pass::TornAMinute(0));
        for n in 0..4 {
            run.tape.ear[125 * 8_000 + n * 800] = 25_000;
        }
        let clicks = run.tape.report().clicks.len();
        assert!(quiet.is_none() && clicks > 0, "{quiet:?}, {clicks}");
        assert!(missed(&run, Pass::TornAMinute(clicks - 1)).is_some());
        assert!(missed(&run, Pass::TornAMinute(clicks)).is_none());
    }
}
