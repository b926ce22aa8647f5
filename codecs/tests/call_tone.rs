//! Tones of networks and machines through noise and µ-law, near misses, and speech, which makes none.

#![allow(clippy::unwrap_used)]

use std::f64::consts::TAU;
use std::time::Duration;

use proptest::prelude::*;
use tandem_codecs::call_tone::{Heard, ToneDetector, common};
use tandem_codecs::noise::Noise;
use tandem_codecs::{SampleRate, g711, resample_all, wav};

const RATE: SampleRate = SampleRate::HZ_8000;

/// Frequencies of equal loudness over quiet noise, through µ-law: on, off, and so on, in ms.
fn signal(hz: &[f64], rhythm: &[u64]) -> Vec<i16> {
    let mut samples = vec![0.0; 800];
    for (place, ms) in rhythm.iter().enumerate() {
        let count = RATE.samples_in(Duration::from_millis(*ms));
        let peak = if place % 2 == 0 { 6_000.0 / hz.len() as f64 } else { 0.0 };
        samples
            .extend((0..count).map(|n| hz.iter().map(|hz| (TAU * hz * n as f64 / 8_000.0).sin() * peak).sum::<f64>()));
    }
    samples.extend([0.0; 1_600]);
    let noisy: Vec<i16> =
        samples.iter().zip(Noise::new(3, -40.0)).map(|(a, b)| (*a as i16).saturating_add(b)).collect();
    let (mut wire, mut heard) = (Vec::new(), Vec::new());
    g711::encode_ulaw(&noisy, &mut wire);
    g711::decode_ulaw(&wire, &mut heard);
    heard
}

fn listen(samples: &[i16]) -> Vec<Heard> {
    let (mut detector, mut heard) = (ToneDetector::new(RATE, common()), Vec::new());
    samples.chunks(160).for_each(|chunk| detector.push(chunk, &mut heard));
    heard
}

fn names(samples: &[i16]) -> Vec<&'static str> {
    listen(samples).iter().map(|heard| heard.name).collect()
}

#[test]
fn each_tone_is_heard_by_its_rhythm() {
    assert_eq!(names(&signal(&[400.0], &[750, 750, 750, 750])), ["busy"]);
    assert_eq!(names(&signal(&[480.0, 620.0], &[500, 500, 500, 500])), ["busy"]);
    assert_eq!(names(&signal(&[400.0], &[250, 250, 250, 250, 250])), ["congestion"]);
    assert_eq!(names(&signal(&[480.0, 620.0], &[250, 250, 250, 250, 250])), ["congestion"]);
    assert_eq!(names(&signal(&[440.0, 480.0], &[2_000, 4_000])), ["ringback"]);
    assert_eq!(names(&signal(&[1_100.0], &[500])), ["fax calling"]);
    assert_eq!(names(&signal(&[2_100.0], &[1_500])), ["fax answering"]);
}

#[test]
fn a_beep_is_heard_at_any_pitch_at_its_end() {
    for hz in [650.0, 853.0, 1_000.0, 1_400.0, 1_750.0, 2_000.0] {
        let heard = listen(&signal(&[hz], &[300]));
        assert!(heard.len() == 1 && heard[0].name == "beep", "{hz} Hz: {heard:?}");
        assert!(heard[0].at.abs_diff(800 + 2_400) <= 480, "{hz} Hz: {heard:?}");
    }
}

#[test]
fn near_misses_are_nothing() {
    assert_eq!(names(&signal(&[400.0], &[750])), [""; 0], "once is no rhythm");
    assert_eq!(names(&signal(&[400.0], &[3_000])), [""; 0], "a dialling tone");
    assert_eq!(names(&signal(&[450.0], &[750, 750, 750, 750])), [""; 0]);
    assert_eq!(names(&signal(&[1_000.0], &[60])), [""; 0], "a pip");
    assert_eq!(names(&signal(&[1_000.0, 1_300.0], &[300])), [""; 0], "a chord");
    assert_eq!(names(&signal(&[697.0, 1_209.0], &[300])), [""; 0], "a key");
    let noise: Vec<i16> = Noise::new(1, -20.0).take(80_000).collect();
    assert_eq!(names(&noise), [""; 0]);
}

#[test]
fn speech_makes_no_tone() {
    let files: [&[u8]; 3] = [
        include_bytes!("fixtures/apartment.wav"),
        include_bytes!("fixtures/fifty_lakh.wav"),
        include_bytes!("fixtures/yes.wav"),
    ];
    for file in files {
        let speech = wav::read(file).unwrap().samples;
        for offset in 0..160 {
            assert_eq!(listen(&speech[offset..]), []);
        }
    }
}

#[test]
fn wider_legs_hear_the_same() {
    let wide = resample_all(&signal(&[480.0, 620.0], &[500, 500, 500, 500]), RATE, SampleRate::HZ_16000);
    let (mut detector, mut heard) = (ToneDetector::new(SampleRate::HZ_16000, common()), Vec::new());
    detector.push(&wide, &mut heard);
    assert_eq!(heard.iter().map(|heard| heard.name).collect::<Vec<_>>(), ["busy"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn chunks_of_any_size_make_no_difference(sizes in prop::collection::vec(1_usize..700, 1..40)) {
        let samples = signal(&[400.0], &[750, 750, 750]);
        let (mut detector, mut heard, mut rest) = (ToneDetector::new(RATE, common()), Vec::new(), samples.as_slice());
        for size in sizes.into_iter().cycle() {
            if rest.is_empty() { break }
            let (chunk, later) = rest.split_at(size.min(rest.len()));
            detector.push(chunk, &mut heard);
            rest = later;
        }
        prop_assert_eq!(heard, listen(&samples));
    }
}
