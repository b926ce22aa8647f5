//! Keys in noise, off their frequency, short, faint and lopsided, against the limits of ITU-T Q.24; and speech, which presses none.

#![allow(clippy::unwrap_used)]

use std::f64::consts::TAU;
use std::time::Duration;

use proptest::prelude::*;
use tandem_codecs::dtmf::{DtmfDetector, DtmfEvent, Key, dtmf};
use tandem_codecs::noise::Noise;
use tandem_codecs::{SampleRate, g711, wav};

const RATE: SampleRate = SampleRate::HZ_8000;
const ALL: &str = "0123456789ABCD*#";

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn silence(duration: Duration) -> Vec<i16> {
    vec![0; RATE.samples_in(duration)]
}

/// Two tones of these frequencies and peaks, with hard edges.
fn tones(low: (f64, f64), high: (f64, f64), duration: Duration) -> Vec<i16> {
    let wave = |(hz, peak): (f64, f64), n: usize| (TAU * hz * n as f64 / f64::from(RATE.hz())).sin() * peak;
    (0..RATE.samples_in(duration)).map(|n| (wave(low, n) + wave(high, n)).round() as i16).collect()
}

fn events(samples: &[i16]) -> Vec<DtmfEvent> {
    let (mut detector, mut events) = (DtmfDetector::new(RATE), Vec::new());
    for chunk in samples.chunks(160) {
        detector.push(chunk, &mut events);
    }
    events
}

fn pressed(samples: &[i16]) -> String {
    events(samples)
        .iter()
        .filter_map(|event| match event {
            DtmfEvent::Pressed { key, .. } => Some(key.as_char()),
            DtmfEvent::Released { .. } => None,
        })
        .collect()
}

fn around(samples: Vec<i16>) -> Vec<i16> {
    [silence(ms(53)), samples, silence(ms(101))].concat()
}

#[test]
fn every_key_is_heard_once_with_its_place() {
    for key in ALL.chars().map(|character| Key::new(character).unwrap()) {
        let heard = events(&around(dtmf(RATE, key, 8_000, ms(100)).samples.to_vec()));
        let [DtmfEvent::Pressed { key: down, at: from }, DtmfEvent::Released { key: up, at: to }] = heard[..] else {
            panic!("{key}: {heard:?}")
        };
        assert_eq!((down, up), (key, key));
        assert!(from.abs_diff(53 * 8) <= 80 && to.abs_diff(153 * 8) <= 80, "{key}: {from} to {to}");
    }
    assert_eq!((Key::new('a'), Key::new('x'), Key::new('E')), (Key::new('A'), None, None));
}

#[test]
fn a_row_of_keys_at_the_fastest_allowed_pace() {
    for offset in 0..80 {
        let mut samples = vec![0; offset];
        for key in "18005550199#99*".chars() {
            samples.extend(dtmf(RATE, Key::new(key).unwrap(), 6_000, ms(44)).samples.iter());
            samples.extend(silence(ms(40)));
        }
        samples.extend(silence(ms(60)));
        assert_eq!(pressed(&samples), "18005550199#99*", "shifted by {offset} samples");
    }
}

#[test]
fn short_tones_are_ignored_and_short_dropouts_bridged() {
    for offset in 0..80 {
        let blip = [vec![0; offset], tones((770.0, 6e3), (1_336.0, 6e3), ms(23)), silence(ms(100))].concat();
        assert_eq!(pressed(&blip), "", "shifted by {offset} samples");
        let mut broken = tones((770.0, 6e3), (1_336.0, 6e3), ms(150));
        broken[400 + offset..][..160].fill(0);
        assert_eq!(pressed(&around(broken)), "5", "20 ms lost at {offset}");
    }
}

#[test]
fn detuned_tones_are_heard_to_1_5_percent_and_not_from_3_5() {
    for (row, low) in [697.0, 770.0, 852.0, 941.0].into_iter().enumerate() {
        for (column, high) in [1_209.0, 1_336.0, 1_477.0, 1_633.0].into_iter().enumerate() {
            let key = ["123A", "456B", "789C", "*0#D"][row].chars().nth(column).unwrap().to_string();
            for sign in [-1.0, 1.0] {
                let tuned = |by: f64| tones((low * (1.0 + sign * by), 4e3), (high * (1.0 - sign * by), 4e3), ms(60));
                assert_eq!(pressed(&around(tuned(0.015))), key, "{low} and {high}");
                assert_eq!(pressed(&around(tuned(0.035))), "", "{low} and {high}");
                let one = |by: f64| tones((low, 4e3), (high * (1.0 + sign * by), 4e3), ms(60));
                assert_eq!(pressed(&around(one(0.04))), "", "{low} and {high}");
            }
        }
    }
}

#[test]
fn twist_level_and_single_tones() {
    let db = |db: f64| 10f64.powf(db / 20.0);
    let at = |low_dbfs: f64, twist: f64| {
        let peak = db(low_dbfs + 3.01) * 32_768.0;
        pressed(&around(tones((852.0, peak), (1_477.0, peak * db(twist)), ms(60))))
    };
    for level in [-6.5, -12.0, -20.0, -28.0] {
        for twist in [-8.0, -4.0, 0.0, 4.0, 8.0] {
            if level + twist < -3.5 - 3.0 && level + twist > -33.0 {
                assert_eq!(at(level, twist), "9", "{level} dBFS, twist {twist}");
            }
        }
        assert_eq!((at(level - 12.0, 12.0).as_str(), at(level, -12.0).as_str()), ("", ""), "{level} dBFS");
    }
    assert_eq!(at(-42.0, 0.0), "");
    for hz in [697.0, 852.0, 1_209.0, 1_477.0, 440.0, 1_000.0, 2_100.0] {
        assert_eq!(pressed(&around(tones((hz, 8e3), (0.0, 0.0), ms(400)))), "", "{hz} Hz alone");
    }
    let dial = tones((350.0, 6e3), (440.0, 6e3), ms(1_000));
    let busy = tones((480.0, 6e3), (620.0, 6e3), ms(1_000));
    assert_eq!(pressed(&[dial, busy].concat()), "");
}

#[test]
fn keys_in_noise_and_through_mu_law_are_heard() {
    let number = "0123456789ABCD*#";
    let mut lost = 0;
    for seed in 0..20 {
        let mut samples = silence(ms(37));
        for key in number.chars() {
            samples.extend(dtmf(RATE, Key::new(key).unwrap(), 3_000, ms(60)).samples.iter());
            samples.extend(silence(ms(60)));
        }
        // 3000 at the peak of each tone is -20.8 dBFS together; the noise is 18 dB below.
        let noise = Noise::new(seed, -38.8).take(samples.len());
        let noisy: Vec<i16> = samples.iter().zip(noise).map(|(a, b)| a.saturating_add(b)).collect();
        let (mut wire, mut heard) = (Vec::new(), Vec::new());
        g711::encode_ulaw(&noisy, &mut wire);
        g711::decode_ulaw(&wire, &mut heard);
        lost += usize::from(pressed(&heard) != number);
    }
    assert_eq!(lost, 0, "of 20 rows of 16 keys");
}

#[test]
fn speech_presses_no_keys() {
    let files: [&[u8]; 3] = [
        include_bytes!("fixtures/apartment.wav"),
        include_bytes!("fixtures/fifty_lakh.wav"),
        include_bytes!("fixtures/yes.wav"),
    ];
    for file in files {
        let speech = wav::read(file).unwrap().samples;
        for offset in 0..80 {
            assert_eq!(pressed(&speech[offset..]), "");
        }
    }
}

proptest! {
    #[test]
    fn chunks_of_any_size_make_no_difference(sizes in prop::collection::vec(1usize..700, 1..60), seed in 0u64..1_000) {
        let mut samples: Vec<i16> = Noise::new(seed, -30.0).take(500).collect();
        for key in "159D".chars() {
            samples.extend(dtmf(RATE, Key::new(key).unwrap(), 9_000, ms(55)).samples.iter());
            samples.extend(silence(ms(55)));
        }
        let whole = {
            let (mut detector, mut events) = (DtmfDetector::new(RATE), Vec::new());
            detector.push(&samples, &mut events);
            events
        };
        let (mut detector, mut events, mut rest) = (DtmfDetector::new(RATE), Vec::new(), samples.as_slice());
        for size in sizes.into_iter().cycle() {
            if rest.is_empty() { break }
            let (chunk, later) = rest.split_at(size.min(rest.len()));
            detector.push(chunk, &mut events);
            rest = later;
        }
        prop_assert_eq!(events, whole);
    }

    #[test]
    fn any_samples_are_taken(samples in prop::collection::vec(any::<i16>(), 0..4_000)) {
        for event in events(&samples) {
            let (DtmfEvent::Pressed { at, .. } | DtmfEvent::Released { at, .. }) = event;
            prop_assert!(at <= samples.len() as u64);
        }
    }
}
