//! Clicks in speech: a hard cut has one, a ramped cut and a crossfade have none, and speech left alone has none.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use tandem_codecs::click::clicks;
use tandem_codecs::noise::Noise;
use tandem_codecs::{Level, SampleRate, resample_all, wav};

/// 5 ms.
const RAMP: usize = 40;
const RATE: SampleRate = SampleRate::HZ_8000;

fn voices() -> [Vec<i16>; 2] {
    let files: [&[u8]; 2] = [include_bytes!("fixtures/apartment.wav"), include_bytes!("fixtures/fifty_lakh.wav")];
    files.map(|file| wav::read(file).unwrap().samples.to_vec())
}

/// Places in a voice where the wave stands far from zero: a cut there is a step as high as the voice is loud.
fn places(speech: &[i16]) -> Vec<usize> {
    (800..speech.len() - 800)
        .step_by(97)
        .filter(|&place| {
            let level = Level::of(&speech[place - 80..place + 80]);
            let rms = f64::from(level.peak) / 3.0;
            level.rms_dbfs > -30.0 && [place - 1, place].iter().all(|&at| f64::from(speech[at].abs()) > rms)
        })
        .collect()
}

/// The voice up to `place`, faded over `ramp` samples from there, and the room's noise behind it.
fn cut(speech: &[i16], place: usize, ramp: usize) -> Vec<i16> {
    let room = Noise::new(5, -60.0).take(1_600);
    let faded = (0..1_600).map(|n| {
        let left = 1.0 - ((n + 1) as f64 / (ramp + 1) as f64).min(1.0);
        (f64::from(speech.get(place + n).copied().unwrap_or(0)) * left).round() as i16
    });
    speech[place - 800..place].iter().copied().chain(faded.zip(room).map(|(a, b)| a.saturating_add(b))).collect()
}

/// One click or none within 2 ms of the cut, counted over all places and voices: found, looked at.
fn found(ramp: usize) -> (usize, usize) {
    let (mut found, mut looked) = (0, 0);
    for speech in voices() {
        for place in places(&speech) {
            let end = 800 + ramp;
            found += usize::from(
                clicks(&cut(&speech, place, ramp), RATE).iter().any(|&at| at + 16 >= 800 && at <= end + 16),
            );
            looked += 1;
        }
    }
    (found, looked)
}

#[test]
fn hard_cuts_click_and_ramped_ones_do_not() {
    let ((hard, cuts), (ramped, _)) = (found(0), found(RAMP));
    println!("{hard} of {cuts} hard cuts click, {ramped} of the ramped");
    assert!(cuts >= 50, "{cuts}");
    assert!(hard * 4 >= cuts, "{hard} of {cuts}");
    assert_eq!(ramped, 0);
}

#[test]
fn speech_itself_does_not_click() {
    for speech in voices() {
        assert_eq!(clicks(&speech, RATE), [0_usize; 0]);
        for rate in [SampleRate::HZ_16000, SampleRate::HZ_24000, SampleRate::HZ_48000] {
            assert_eq!(clicks(&resample_all(&speech, RATE, rate), rate), [0_usize; 0], "{rate}");
        }
    }
}

#[test]
fn a_lost_frame_clicks_and_a_crossfaded_splice_does_not() {
    let mut hard_clicks = 0;
    for speech in voices() {
        for place in places(&speech).into_iter().filter(|place| place + 1_600 < speech.len()) {
            let (before, after) = (&speech[place - 800..place], &speech[place + 400..place + 1_200]);
            let hard = [before, after].concat();
            let soft: Vec<i16> = (0..RAMP)
                .map(|n| {
                    let share = (n + 1) as f64 / (RAMP + 1) as f64;
                    let (from, to) = (f64::from(speech[place + n]), f64::from(after[n]));
                    (from * (1.0 - share) + to * share).round() as i16
                })
                .collect();
            let soft = [before, &soft, &after[RAMP..]].concat();
            hard_clicks += clicks(&hard, RATE).len();
            assert_eq!(clicks(&soft, RATE), [0_usize; 0], "cut at {place}");
        }
    }
    assert!(hard_clicks >= 10, "{hard_clicks}");
}

#[test]
fn the_neighbourhood_has_the_same_length_at_every_rate() {
    // An equal tick 11 ms away is another click; one 9 ms away is company.
    for rate in [SampleRate::HZ_8000, SampleRate::HZ_16000, SampleRate::HZ_48000] {
        for (apart, expected) in [(11, 2), (9, 0)] {
            let mut samples = vec![0; rate.samples_in(Duration::from_millis(100))];
            let first = samples.len() / 2;
            samples[first] = 9_000;
            samples[first + rate.samples_in(Duration::from_millis(apart))] = 9_000;
            assert_eq!(clicks(&samples, rate).len(), expected, "{apart} ms at {rate}");
        }
    }
}
