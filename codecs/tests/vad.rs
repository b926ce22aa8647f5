//! The detectors on synthetic speech, noise, and tones.
//!
//! `cargo test -p tandem-codecs --test vad -- --nocapture` prints the table of the module doc.

#![allow(clippy::unwrap_used)]

use std::ops::RangeInclusive;
use std::time::Duration;

use tandem_codecs::noise::Noise;
use tandem_codecs::tone::sine;
use tandem_codecs::vad::{EnergyDetector, FRAME_RATE, FRAME_SAMPLES, GateDetector, NeuralDetector};
use tandem_codecs::{Detector, Level, MediaFormat, SpeechGate, VadEvent, wav};

const SECOND: usize = 8_000;

fn fixture(file: &[u8]) -> Vec<i16> {
    let pcm = wav::read(file).expect("the fixture is a wav file");
    assert_eq!(pcm.rate, FRAME_RATE);
    pcm.samples.to_vec()
}

fn sentences() -> [Vec<i16>; 3] {
    [
        fixture(include_bytes!("fixtures/apartment.wav")),
        fixture(include_bytes!("fixtures/fifty_lakh.wav")),
        fixture(include_bytes!("fixtures/yes.wav")),
    ]
}

/// The three sentences with a second of digital silence around each.
fn talk() -> Vec<i16> {
    let silence = vec![0; SECOND];
    let [first, second, third] = sentences();
    [&silence, &first, &silence, &second, &silence, &third, &silence].map(|s| s.as_slice()).concat()
}

fn noise(seconds: usize, dbfs: f32) -> Vec<i16> {
    Noise::new(11, dbfs).take(seconds * SECOND).collect()
}

fn with_noise(clean: &[i16], dbfs: f32) -> Vec<i16> {
    clean.iter().zip(Noise::new(12, dbfs)).map(|(&s, n)| s.saturating_add(n)).collect()
}

/// What a telephone leaves of it.
fn through_ulaw(samples: &[i16]) -> Vec<i16> {
    let (mut wire, mut back) = (Vec::new(), Vec::new());
    MediaFormat::PCMU_8K.encode(samples, &mut wire);
    MediaFormat::PCMU_8K.decode(&wire, &mut back).expect("one byte is one sample");
    back
}

/// Which frames of clean speech are voiced: within 30 dB of the loudest.
fn voiced(clean: &[i16]) -> Vec<bool> {
    let levels: Vec<f32> = clean.chunks_exact(FRAME_SAMPLES).map(|frame| Level::of(frame).rms_dbfs).collect();
    let loudest = levels.iter().copied().fold(f32::MIN, f32::max);
    levels.into_iter().map(|level| level >= loudest - 30.0).collect()
}

fn judged(detector: &mut dyn Detector, samples: &[i16]) -> Vec<bool> {
    samples.chunks_exact(FRAME_SAMPLES).map(|frame| detector.push(frame)).collect()
}

/// Per cent of the frames where `counted` that were called speech.
fn flagged(judgements: &[bool], counted: &[bool]) -> f64 {
    let hits: Vec<bool> = judgements.iter().zip(counted).filter_map(|(&j, &c)| c.then_some(j)).collect();
    100.0 * hits.iter().filter(|&&hit| hit).count() as f64 / hits.len() as f64
}

fn engines() -> [Box<dyn Detector>; 3] {
    [Box::new(NeuralDetector::default()), Box::new(GateDetector::default()), Box::new(EnergyDetector::default())]
}

/// One line of the table: what is heard, which of its frames count, and the shares in per cent that
/// are accepted from each of [`engines`].
struct Row<'a> {
    heard: &'a str,
    samples: Vec<i16>,
    counted: &'a [bool],
    accepted: [RangeInclusive<f64>; 3],
}

#[test]
fn shares_of_the_module_doc_hold() {
    let clean = talk();
    let voiced = voiced(&clean);
    let pauses: Vec<bool> = voiced.iter().map(|v| !v).collect();
    let tone = sine(FRAME_RATE, 440.0, 5_000, Duration::from_secs(6)).samples.to_vec();
    let all = [true; 6 * SECOND / FRAME_SAMPLES];
    let row = |heard, samples, counted, accepted| Row { heard, samples, counted, accepted };
    let rows = [
        row("speech, voiced frames", clean.clone(), &voiced[..], [95.0..=100.0, 97.0..=100.0, 97.0..=100.0]),
        row("speech, pauses", clean.clone(), &pauses, [0.0..=22.0, 0.0..=28.0, 0.0..=8.0]),
        row(
            "the same through mu-law, voiced",
            through_ulaw(&clean),
            &voiced,
            [95.0..=100.0, 97.0..=100.0, 97.0..=100.0],
        ),
        row(
            "in noise of -45 dBFS, voiced",
            with_noise(&clean, -45.0),
            &voiced,
            [93.0..=100.0, 97.0..=100.0, 94.0..=100.0],
        ),
        row("in noise of -45 dBFS, pauses", with_noise(&clean, -45.0), &pauses, [0.0..=18.0, 0.0..=22.0, 0.0..=25.0]),
        row(
            "in noise of -30 dBFS, voiced",
            with_noise(&clean, -30.0),
            &voiced,
            [93.0..=100.0, 95.0..=100.0, 60.0..=100.0],
        ),
        row("in noise of -30 dBFS, pauses", with_noise(&clean, -30.0), &pauses, [0.0..=30.0, 80.0..=100.0, 0.0..=25.0]),
        row("white noise of -60 dBFS", noise(6, -60.0), &all, [0.0..=2.0, 0.0..=3.0, 0.0..=0.0]),
        row("white noise of -30 dBFS", noise(6, -30.0), &all, [0.0..=3.0, 60.0..=100.0, 0.0..=35.0]),
        row("tone of 440 Hz, -19 dBFS", tone, &all, [0.0..=10.0, 95.0..=100.0, 0.0..=35.0]),
        row("digital silence", vec![0; 6 * SECOND], &all, [0.0..=0.0, 0.0..=0.0, 0.0..=0.0]),
    ];
    println!("| heard | neural | webrtc | energy |");
    for Row { heard, samples, counted, accepted } in rows {
        let shares = engines().map(|mut e| flagged(&judged(e.as_mut(), &samples), counted));
        println!("| {heard} | {:.0} % | {:.0} % | {:.0} % |", shares[0], shares[1], shares[2]);
        for ((share, accepted), engine) in shares.iter().zip(accepted).zip(engines()) {
            let name = engine.name();
            assert!(accepted.contains(share), "{heard}: {name} flags {share} %");
        }
    }
}

/// A border of speech, on the sample clock, and the position of the stream when it was told.
struct Told {
    event: VadEvent,
    told_at: u64,
}

fn events(detector: &mut dyn Detector, samples: &[i16]) -> Vec<Told> {
    let mut gate = SpeechGate::default();
    let mut events = Vec::new();
    for (frame, speech) in (0u64..).zip(judged(detector, samples)) {
        let start = frame * FRAME_SAMPLES as u64;
        let told_at = start + FRAME_SAMPLES as u64;
        events.extend(gate.push(speech, start).map(|event| Told { event, told_at }));
    }
    events
}

const fn ms(samples: i64) -> i64 {
    samples / 8
}

/// Each sentence, said alone on a quiet line and through mu-law, starts once near its first voiced
/// frame; its last end is near its last.
#[test]
fn borders_of_speech_are_found_in_time() {
    println!("| engine | start found after, told after, end found after, told after |");
    for mut engine in engines() {
        for sentence in sentences() {
            let silence = vec![0; SECOND];
            let clean = [&silence[..], &sentence, &silence].concat();
            let voiced = voiced(&clean);
            let border = |frame: Option<usize>| frame.map(|f| (f * FRAME_SAMPLES) as i64).unwrap();
            let first = border(voiced.iter().position(|&v| v));
            let last = border(voiced.iter().rposition(|&v| v).map(|f| f + 1));

            engine.reset();
            let mut events = events(engine.as_mut(), &through_ulaw(&with_noise(&clean, -65.0)));
            // WebRTC's detector takes the first frames of a stream for speech.
            events.retain(|told| told.told_at > SECOND as u64 / 2);
            let (Some(start), Some(end)) = (events.first(), events.last()) else {
                panic!("{} heard nothing", engine.name());
            };
            let (
                &Told { event: VadEvent::SpeechStarted { at_sample: started }, told_at: start_told },
                &Told { event: VadEvent::SpeechEnded { at_sample: ended }, told_at: end_told },
            ) = (start, end)
            else {
                panic!("{} does not begin with a start and end with an end", engine.name());
            };
            let after = |at: u64, border: i64| ms(at as i64 - border);
            let figures = [after(started, first), after(start_told, first), after(ended, last), after(end_told, last)];
            println!("| {} | {figures:?} ms |", engine.name());
            assert!((-40..=40).contains(&figures[0]), "{}: {figures:?}", engine.name());
            assert!(figures[1] <= 100, "{}: {figures:?}", engine.name());
            assert!((-40..=180).contains(&figures[2]), "{}: {figures:?}", engine.name());
            assert!(figures[3] <= 380, "{}: {figures:?}", engine.name());
        }
    }
}
