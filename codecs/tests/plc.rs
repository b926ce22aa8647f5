//! Gaps in tones, noise and speech: how near the filling comes, whether it clicks, what is left after a while.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use proptest::prelude::*;
use tandem_codecs::noise::Noise;
use tandem_codecs::plc::Concealer;
use tandem_codecs::tone::sine;
use tandem_codecs::{Level, SampleRate, wav};

const RATE: SampleRate = SampleRate::HZ_8000;
const FRAME: usize = 160;

fn speech() -> Vec<i16> {
    wav::read(include_bytes!("fixtures/apartment.wav").as_slice()).unwrap().samples.to_vec()
}

/// The stream with the frames for which `lost` holds concealed, or filled with zeros.
fn with_losses(samples: &[i16], conceal: bool, mut lost: impl FnMut(usize) -> bool) -> Vec<i16> {
    let mut concealer = Concealer::new(RATE);
    let mut out = Vec::new();
    for (number, frame) in samples.chunks_exact(FRAME).enumerate() {
        let mut frame = frame.to_vec();
        match (lost(number), conceal) {
            (true, true) => concealer.conceal(&mut frame),
            (true, false) => frame.fill(0),
            (false, true) => concealer.good(&mut frame),
            (false, false) => {}
        }
        out.extend(frame);
    }
    out
}

/// Signal to error in dB over the frames that were lost.
fn snr_of_lost(original: &[i16], got: &[i16], lost: impl Fn(usize) -> bool) -> f64 {
    let (mut signal, mut error) = (1.0, 1.0);
    for (number, (a, b)) in original.chunks_exact(FRAME).zip(got.chunks_exact(FRAME)).enumerate() {
        for (a, b) in a.iter().zip(b).filter(|_| lost(number)) {
            signal += f64::from(*a).powi(2);
            error += (f64::from(*a) - f64::from(*b)).powi(2);
        }
    }
    10.0 * (signal / error).log10()
}

/// The greatest step between two samples, less what the slope before and after it explains: a click.
fn sharpest_corner(samples: &[i16]) -> i32 {
    samples.windows(3).map(|w| (i32::from(w[2]) - 2 * i32::from(w[1]) + i32::from(w[0])).abs()).max().unwrap_or(0)
}

#[test]
fn a_steady_tone_goes_on_through_a_gap_of_20_ms() {
    for hz in [100.0, 173.0, 250.0, 391.0] {
        let tone = sine(RATE, hz, 8_000, Duration::from_millis(400)).samples;
        let lost = |number| number == 10;
        let filled = with_losses(&tone, true, lost);
        let snr = snr_of_lost(&tone, &filled, lost);
        assert!(snr > 9.0, "{hz} Hz: {snr:.1} dB");
    }
}

#[test]
fn one_frame_in_twenty_of_speech_is_nearer_than_silence_and_does_not_click() {
    let speech = speech();
    let mut worst = 0.0f64;
    for offset in 0..20 {
        let lost = |number: usize| number % 20 == offset;
        let (filled, silent) = (with_losses(&speech, true, lost), with_losses(&speech, false, lost));
        worst = worst.max(f64::from(sharpest_corner(&filled)) / f64::from(sharpest_corner(&speech)));
        assert!(
            sharpest_corner(&filled) < sharpest_corner(&silent) || sharpest_corner(&silent) <= sharpest_corner(&speech)
        );
    }
    println!("sharpest corner {worst:.2} times that of the speech itself");
    assert!(worst <= 1.0, "a click: {worst:.2} times the sharpest corner of the speech");
}

#[test]
fn a_long_gap_fades_into_the_room() {
    let room: Vec<i16> = Noise::new(3, -55.0).take(8_000).collect();
    let mut speech: Vec<i16> = sine(RATE, 200.0, 9_000, Duration::from_millis(500)).samples.to_vec();
    speech.iter_mut().zip(Noise::new(4, -55.0)).for_each(|(sample, noise)| *sample = sample.saturating_add(noise));
    let stream = [room, speech, vec![0; 4_000]].concat();
    let voice_ends = 12_000 / FRAME;
    let filled = with_losses(&stream, true, |number| number >= voice_ends);
    let gap = &filled[12_000..];
    let level = |from_ms: usize, to_ms: usize| Level::of(&gap[from_ms * 8..to_ms * 8]).rms_dbfs;
    assert!(level(0, 10) > -16.0, "carried on at full loudness: {}", level(0, 10));
    assert!(level(40, 60) < level(0, 10) - 6.0, "fading: {}", level(40, 60));
    for from in [80, 200, 400] {
        let left = level(from, from + 60);
        assert!((left + 55.0).abs() < 4.0, "the room's own noise from {from} ms: {left}");
    }
}

#[test]
fn a_gap_at_the_very_beginning_is_silence() {
    let mut concealer = Concealer::new(RATE);
    let mut frame = [1; FRAME];
    concealer.conceal(&mut frame);
    assert_eq!(frame, [0; FRAME]);
    assert!(concealer.is_concealing());
}

#[test]
fn without_a_gap_nothing_is_touched() {
    let speech = speech();
    let whole = speech.len() / FRAME * FRAME;
    assert_eq!(with_losses(&speech, true, |_| false), speech[..whole]);
}

#[test]
fn comfort_noise_is_never_loud_and_never_a_voice() {
    // Only a loud tone was ever heard: it is not taken for the room.
    let tone = sine(RATE, 300.0, 12_000, Duration::from_millis(400)).samples;
    let stream = [tone.to_vec(), vec![0; 8_000]].concat();
    let filled = with_losses(&stream, true, |number| number >= 20);
    let left = Level::of(&filled[3_200 + 800..]).rms_dbfs;
    assert!(left < -44.0, "{left}");
}

proptest! {
    #[test]
    fn any_stream_with_any_losses_is_taken(
        frames in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<i16>(), 0..400)), 0..40),
        rate in prop::sample::select(vec![SampleRate::HZ_8000, SampleRate::HZ_16000, SampleRate::HZ_48000]),
    ) {
        let mut concealer = Concealer::new(rate);
        for (lost, mut samples) in frames {
            if lost { concealer.conceal(&mut samples) } else { concealer.good(&mut samples) }
            prop_assert_eq!(concealer.is_concealing(), lost || (concealer.is_concealing() && samples.is_empty()));
        }
    }
}
