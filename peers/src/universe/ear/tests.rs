#![allow(clippy::unwrap_used)]
use super::*;
use crate::voice::{Spoken, Talker};

const TEXT: &str = "An apartment in Delhi. What is your budget?";

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What is left in a carrier's queue is played; `None` is an empty queue.
fn listen(line: &[Option<i16>]) -> EarReport {
    let mut ear = FakeEar::recording();
    for (index, chunk) in line.chunks(FRAME_SAMPLES).enumerate() {
        let mut samples = [0; FRAME_SAMPLES];
        let agent = chunk.iter().take_while(|sample| sample.is_some()).count();
        for (sample, heard) in samples.iter_mut().zip(chunk) {
            *sample = heard.unwrap_or_default();
        }
        ear.push(&HeardFrame { at: FRAME * index as u32, samples, agent_samples: agent });
    }
    assert!(ear.audio().unwrap().len() >= line.len());
    ear.finish()
}

fn spoken() -> Spoken {
    Talker::default().speak(TEXT)
}

fn audio(samples: &[i16]) -> Vec<Option<i16>> {
    samples.iter().map(|&sample| Some(sample)).collect()
}

fn nothing(frames: usize) -> Vec<Option<i16>> {
    vec![None; frames * FRAME_SAMPLES]
}

/// Ends a stretch of audio with its frame.
fn whole_frames(mut line: Vec<Option<i16>>) -> Vec<Option<i16>> {
    line.resize(line.len().next_multiple_of(FRAME_SAMPLES), None);
    line
}

#[test]
fn clean_speech_is_words_without_a_fault() {
    let line = [nothing(5), whole_frames(audio(&spoken().samples)), nothing(20)].concat();
    let report = listen(&line);
    assert_eq!(report.transcript(), TEXT);
    assert_eq!(report.speaking.len(), 1, "{:?}", report.speaking);
    assert!(report.speaking[0].start >= ms(100));
    assert!(report.is_clear() && report.clicks.is_empty() && report.cuts.is_empty(), "{report:?}");
    assert_eq!(report.starved_within(ms(300)).count(), 0, "{:?}", report.gaps);
    assert_eq!(report.listened, FRAME * (line.len() / FRAME_SAMPLES) as u32);
}

#[test]
fn no_talker_makes_a_click() {
    for number in 0..64 {
        let report = listen(&audio(&Talker::numbered(number).speak(TEXT).samples));
        assert!(report.greatest_step < 18_000, "voice {number}: {}", report.greatest_step);
    }
}

#[test]
fn a_starved_queue_is_a_gap_and_an_edge() {
    let speech = spoken().samples;
    let cut = 20 * FRAME_SAMPLES;
    let line = [audio(&speech[..cut]), nothing(4), audio(&speech[cut..])].concat();
    let report = listen(&line);
    let gaps: Vec<&Gap> = report.starved_within(ms(200)).collect();
    assert_eq!(gaps.len(), 1, "{:?}", report.gaps);
    assert!((ms(78)..ms(100)).contains(&gaps[0].span.length()), "{gaps:?}");
    assert_eq!(report.speaking.len(), 1, "80 ms are no end of speech");
    assert!(report.cuts.len() <= 2);
}

#[test]
fn a_clear_cuts_a_word_and_is_no_mixture() {
    let speech = spoken();
    let word = speech.words[5].samples.clone();
    let line = [audio(&speech.samples[..word.start + word.len() / 2]), nothing(40)].concat();
    let report = listen(&line);
    assert_eq!(report.transcript(), "An apartment in Delhi. What");
    assert!(report.is_clear(), "{report:?}");
    assert_eq!(report.silent_after(ms(500)).unwrap() + ms(500), report.speaking[0].end);
    assert_eq!(report.silent_after(report.listened), Some(Duration::ZERO));
}

#[test]
fn two_voices_at_once_are_unintelligible() {
    let (one, other) = (spoken().samples, Talker::numbered(9).speak("Where should it be? Which city or area?").samples);
    let mixed: Vec<i16> =
        one.iter().zip(other.iter().chain(std::iter::repeat(&0))).map(|(a, b)| a.saturating_add(*b)).collect();
    let report = listen(&audio(&mixed));
    assert!(!report.is_clear(), "{report:?}");
}

#[test]
fn a_step_is_a_click() {
    let mut speech = spoken().samples;
    let quiet = speech.iter().position(|sample| sample.unsigned_abs() < 100).unwrap();
    speech[quiet + 400] = 30_000;
    let report = listen(&audio(&speech));
    assert!(!report.clicks.is_empty() && report.greatest_step >= CLICK_STEP, "{}", report.greatest_step);
}

#[test]
fn silences_are_measured() {
    let speech = whole_frames(audio(&spoken().samples));
    let line = [nothing(50), speech.clone(), nothing(100), speech, nothing(150)].concat();
    let report = listen(&line);
    let all = Span { start: Duration::ZERO, end: report.listened };
    let last = report.listened - report.speaking[1].end;
    assert!((ms(3_000)..ms(3_100)).contains(&last), "{last:?}");
    assert_eq!(report.longest_silence(all), last);
    let before = Span { start: Duration::ZERO, end: report.speaking[1].start };
    assert!((ms(2_000)..ms(2_100)).contains(&report.longest_silence(before)));
    assert_eq!(report.gaps.iter().filter(|gap| gap.span.length() > ms(1_000)).count(), 1);
}

#[test]
fn frames_that_were_left_out_are_silence() {
    let mut ear = FakeEar::new();
    ear.push(&HeardFrame { at: ms(200), samples: [3_000; FRAME_SAMPLES], agent_samples: FRAME_SAMPLES });
    assert!(ear.is_spoken_to() && ear.audio().is_none());
    let report = ear.finish();
    assert_eq!((report.listened, report.speaking[0].start), (ms(220), ms(200)));
}
