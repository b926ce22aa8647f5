//! What an engine makes of a sound: seconds of false speech, speech that it missed, how late it tells a start and an end.

use serde::Serialize;
use tandem_codecs::vad::{Detector, FRAME_SAMPLES, SpeechGate, VadEvent};
use tandem_codecs::{MediaFormat, Pcm};

use crate::speech::{Utterance, voiced};

/// Silence before and behind a sentence: 3 s, longer than any engine's memory of noise.
const AROUND: usize = 24_000;

/// What a telephone leaves of it.
pub(crate) fn by_telephone(samples: &[i16]) -> Vec<i16> {
    let (mut wire, mut heard) = (Vec::new(), Vec::new());
    MediaFormat::PCMU_8K.encode(samples, &mut wire);
    MediaFormat::PCMU_8K.decode(&wire, &mut heard).expect("one byte is one sample");
    heard
}

/// A stretch that the gate called speech, and when it was told, in samples.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    from: u64,
    from_told: u64,
    to: u64,
    to_told: u64,
}

fn stretches(detector: &mut dyn Detector, heard: &[i16]) -> Vec<Stretch> {
    detector.reset();
    let mut gate = SpeechGate::default();
    let mut found: Vec<Stretch> = Vec::new();
    let mut told = 0;
    for frame in heard.chunks_exact(FRAME_SAMPLES) {
        let start = told;
        told += FRAME_SAMPLES as u64;
        match gate.push(detector.push(frame), start) {
            Some(VadEvent::SpeechStarted { at_sample }) => {
                found.push(Stretch { from: at_sample, from_told: told, to: u64::MAX, to_told: u64::MAX });
            }
            Some(VadEvent::SpeechEnded { at_sample }) => {
                if let Some(last) = found.last_mut() {
                    (last.to, last.to_told) = (at_sample, told);
                }
            }
            None => {}
        }
    }
    if let (Some(last), true) = (found.last_mut(), gate.is_speaking()) {
        (last.to, last.to_told) = (told, told);
    }
    found
}

/// Seconds in each minute of a sound without speech that were called speech.
pub(crate) fn false_seconds(detector: &mut dyn Detector, sound: &[i16]) -> f64 {
    let heard = by_telephone(sound);
    let false_samples: u64 = stretches(detector, &heard).iter().map(|s| s.to - s.from).sum();
    60.0 * false_samples as f64 / heard.len() as f64
}

/// What became of sentences.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Heard {
    /// Voiced frames that lie in no stretch of speech, of 100.
    pub(crate) missed_percent: f64,
    /// Sentences whose start was told at all, of 100. Those during which speech was going on already, for the noise, are not among them.
    pub(crate) started_percent: f64,
    /// Milliseconds from the first voiced sample to when the start was told: median and 95 of 100.
    pub(crate) onset_ms: Option<[i64; 2]>,
    /// Milliseconds from the last voiced sample to when the end was told.
    pub(crate) offset_ms: Option<[i64; 2]>,
}

/// `utterances`, `gain_db` louder than -20 dBFS, in a noise that `room` makes for a length.
pub(crate) fn heard(
    detector: &mut dyn Detector,
    utterances: &[Utterance],
    gain_db: f32,
    room: impl Fn(usize) -> Vec<i16>,
) -> Heard {
    let (mut voiced_frames, mut missed, mut starts) = (0_u32, 0_u32, 0_u32);
    let (mut onsets, mut offsets) = (Vec::new(), Vec::new());
    let gain = 10f32.powf(gain_db / 20.0);
    for utterance in utterances {
        let loud = utterance.samples.iter().map(|sample| (f32::from(*sample) * gain) as i16);
        let clean: Vec<i16> =
            std::iter::repeat_n(0, AROUND).chain(loud).chain(std::iter::repeat_n(0, AROUND)).collect();
        let mixed: Vec<i16> = clean.iter().zip(room(clean.len())).map(|(s, n)| s.saturating_add(n)).collect();
        let found = stretches(detector, &by_telephone(&mixed));
        let voiced = voiced(&clean);
        for frame in voiced.iter().enumerate().filter_map(|(i, v)| v.then_some((i * FRAME_SAMPLES) as u64)) {
            voiced_frames += 1;
            missed += u32::from(!found.iter().any(|s| s.from <= frame && frame < s.to));
        }
        let first = voiced.iter().position(|v| *v).map_or(0, |f| f * FRAME_SAMPLES) as u64;
        let last = voiced.iter().rposition(|v| *v).map_or(0, |f| (f + 1) * FRAME_SAMPLES) as u64;
        let ms = |samples: i64| samples / 8;
        if let Some(start) = found.iter().find(|s| s.from + 1_600 >= first && s.from < last) {
            starts += 1;
            onsets.push(ms(start.from_told as i64 - first as i64));
        }
        // The end that counts is the last within the sentence or after it; one that never came is as late as the stream.
        if let Some(end) = found.iter().rfind(|s| s.from < last && s.to + 4_000 >= last) {
            offsets.push(ms(end.to_told as i64 - last as i64));
        }
    }
    let percent = |part: u32, of: u32| 100.0 * f64::from(part) / f64::from(of.max(1));
    Heard {
        missed_percent: percent(missed, voiced_frames),
        started_percent: percent(starts, utterances.len() as u32),
        onset_ms: quantiles(onsets),
        offset_ms: quantiles(offsets),
    }
}

/// Median and 95 of 100.
pub(crate) fn quantiles(mut values: Vec<i64>) -> Option<[i64; 2]> {
    values.sort_unstable();
    let at = |share: usize| values.get((values.len() * share / 100).min(values.len().saturating_sub(1))).copied();
    Some([at(50)?, at(95)?])
}

/// A recording of the line for measuring costs: sentences with as much silence between.
pub(crate) fn conversation(utterances: &[Utterance]) -> Pcm {
    let mut samples = Vec::new();
    for utterance in utterances {
        samples.extend(std::iter::repeat_n(0, utterance.samples.len()));
        samples.extend_from_slice(&utterance.samples);
    }
    Pcm::new(tandem_codecs::SampleRate::HZ_8000, by_telephone(&samples))
}
