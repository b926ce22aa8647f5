//! The figures of the fault table's rows (`tandem_peers::universe::fault_rows::Pass`), measured in one run.
//!
//! Place: asked by [`super::promised`]. A figure that nothing showed is missed as well: a model that was not given up says nothing about when
//! models are.

use std::collections::HashSet;
use std::time::Duration;

use tandem_codecs::{Level, g711};
use tandem_peers::universe::fault_rows::Pass;

use crate::Run;
use crate::check::dead_air;
use crate::exchange::Overheard;

/// A frame of the caller's that is quieter is like many others: whether it arrived cannot be told.
const QUIET_DBFS: f32 = -50.0;
const FRAME: usize = 160;
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
        Pass::TornAMinute(most) => compare(Some(torn(run)), most * minutes(run), "in all"),
        Pass::Lead(most) => longest([run.playback.greatest_lead], most),
        Pass::AnswerChars(most) => compare(answers(run).max(), most, "characters"),
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
    let times = |of: Overheard| run.overheard.iter().filter(move |(_, what)| *what == of).map(|(at, _)| *at);
    let streams: Vec<_> = times(Overheard::Opened("llm")).zip(times(Overheard::Over("llm"))).collect();
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
            Overheard::Failed(_) | Overheard::Over(_) => since = Some(*at),
            Overheard::Opened(_) => taken.extend(since.take().map(|since| *at - since)),
            Overheard::Speak(..) | Overheard::Met | Overheard::Asked { .. } => {}
        }
    }
    taken
}

/// Of each stretch of the agent's sound, how long its sentences are, one with another.
fn sentences(run: &Run) -> Vec<Duration> {
    let asked: Vec<Duration> = run
        .overheard
        .iter()
        .filter(|(_, what)| matches!(what, Overheard::Speak(text, _) if !text.trim().is_empty()))
        .map(|(at, _)| *at)
        .collect();
    let mut before = Duration::ZERO;
    let sounds = run.tape.agent_sounds().into_iter().map(|(from, to)| {
        let sentences = asked.iter().filter(|at| (before..to).contains(*at)).count();
        before = to;
        (to - from) / sentences.max(1) as u32
    });
    sounds.collect()
}

/// Clicks in the ear, and stretches of speech in which no word can be told.
fn torn(run: &Run) -> usize {
    let report = run.tape.report();
    report.clicks.len() + report.unintelligible.len()
}

/// Minutes of the run, of which the last may be short.
fn minutes(run: &Run) -> usize {
    run.over.0.as_secs().div_ceil(60) as usize
}

/// Of each answer that was cut off at its length, its characters.
fn answers(run: &Run) -> impl Iterator<Item = usize> {
    let cut_off = run.events("answer_cut_off").next().is_some();
    run.responses().filter(move |_| cut_off).map(|response| response.text.chars().count())
}

/// Of the frames in which the telephone sent more than quiet, those that the switch's recording does not hold, to the sample.
fn lost_per_mille(run: &Run) -> Option<usize> {
    let recording = run.recording.as_ref()?;
    let held: HashSet<&[i16]> = recording.left.windows(FRAME).collect();
    let mut frames = Vec::new();
    for frame in run.tape.mouth.chunks_exact(FRAME).filter(|frame| Level::of(frame).rms_dbfs > QUIET_DBFS) {
        let (mut coded, mut sent) = (Vec::new(), Vec::new());
        g711::encode_ulaw(frame, &mut coded);
        g711::decode_ulaw(&coded, &mut sent);
        frames.push(held.contains(frame) || held.contains(&sent[..])); // linear, or as µ-law
    }
    let lost = frames.iter().filter(|held| !**held).count();
    (!frames.is_empty()).then(|| (lost * 1_000).div_ceil(frames.len()))
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
            run.overheard = vec![(ms(500), Overheard::Opened("llm")), (ms(over), Overheard::Over("llm"))];
            missed(&run, Pass::ModelStopped(ms(200))).map(|(_, what)| what)
        };
        assert_eq!(run(2_150), None);
        assert!(run(2_500).is_some_and(|what| what.ends_with("500 ms")));
        assert!(run(1_000).is_some_and(|what| what.contains("nothing of the kind")), "it had ended before");
    }

    #[test]
    fn a_recogniser_is_followed_from_its_failure_or_its_open_question() {
        let begun = |at| (ms(at), Overheard::Opened("stt"));
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
}
