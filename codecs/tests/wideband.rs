//! G.722 and Opus: what is left of a tone and of speech, what a hostile far end may send, what losses cost.
//!
//! `cargo test -p tandem-codecs --all-features --test wideband -- --nocapture` prints the figures of docs/codecs.md.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use proptest::prelude::*;
use tandem_codecs::tone::sine;
use tandem_codecs::{SampleRate, g722, resample_all, wav};

const RATE: SampleRate = SampleRate::HZ_16000;

fn speech() -> Vec<i16> {
    let speech = wav::read(include_bytes!("fixtures/apartment.wav").as_slice()).unwrap();
    resample_all(&speech.samples, speech.rate, RATE)
}

/// Signal to error in dB at the delay, of those up to `most` samples, that fits best; and the delay.
fn best_snr(sent: &[i16], got: &[i16], most: usize) -> (f64, usize) {
    let at = |delay: usize| {
        let pairs = sent.iter().zip(&got[delay..]).skip(800);
        let (signal, error) = pairs.fold((1.0, 1.0), |(signal, error), (a, b)| {
            let (a, b) = (f64::from(*a), f64::from(*b));
            (signal + a * a, error + (a - b) * (a - b))
        });
        10.0 * f64::log10(signal / error)
    };
    (0..most).map(|delay| (at(delay), delay)).max_by(|a, b| a.0.total_cmp(&b.0)).unwrap()
}

fn through_g722(samples: &[i16], chunk: usize) -> Vec<i16> {
    let (mut encoder, mut decoder) = (g722::Encoder::new(), g722::Decoder::new());
    let (mut wire, mut out) = (Vec::new(), Vec::new());
    for chunk in samples.chunks(chunk) {
        wire.clear();
        encoder.encode(chunk, &mut wire);
        decoder.decode(&wire, &mut out);
    }
    out
}

#[test]
fn g722_keeps_a_tone_at_45_db_and_speech_at_20() {
    let tone = sine(RATE, 1_000.0, 16_000, Duration::from_secs(1)).samples;
    let (tone_db, _) = best_snr(&tone, &through_g722(&tone, 320), 40);
    let (speech_db, delay) = best_snr(&speech(), &through_g722(&speech(), 320), 40);
    println!("G.722: tone {tone_db:.1} dB, speech {speech_db:.1} dB, delay {delay} samples");
    assert!(tone_db > 45.0 && speech_db > 20.0, "tone {tone_db}, speech {speech_db}");
    assert_eq!(delay, 22);
}

#[test]
fn g722_has_a_byte_for_two_samples_and_chunks_leave_no_trace() {
    let speech = speech();
    let whole = through_g722(&speech, speech.len());
    assert_eq!(whole.len(), speech.len() / 2 * 2);
    for chunk in [1, 7, 320, 321, 480] {
        assert!(through_g722(&speech, chunk) == whole, "in chunks of {chunk}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn g722_takes_anything(
        samples in prop::collection::vec(prop_oneof![any::<i16>(), Just(i16::MIN), Just(i16::MAX)], 0..2_000),
        bytes in prop::collection::vec(any::<u8>(), 0..2_000),
    ) {
        prop_assert_eq!(through_g722(&samples, 320).len(), samples.len() / 2 * 2);
        let mut out = Vec::new();
        g722::Decoder::new().decode(&bytes, &mut out);
        prop_assert_eq!(out.len(), bytes.len() * 2);
    }
}

#[cfg(feature = "opus")]
mod opus {
    use tandem_codecs::opus::{Decoder, Encoder, OpusError, Settings};

    use super::*;

    const FRAME: usize = 320;

    fn packets(samples: &[i16], settings: Settings) -> Vec<Vec<u8>> {
        let mut encoder = Encoder::new(RATE, settings).unwrap();
        let packet = |frame: &[i16]| {
            let mut packet = Vec::new();
            encoder.encode(frame, &mut packet).unwrap();
            packet
        };
        samples.chunks_exact(FRAME).map(packet).collect()
    }

    enum Remedy {
        Silence,
        Conceal,
        Recover,
    }

    /// Every eighth packet is lost.
    fn with_losses(packets: &[Vec<u8>], remedy: &Remedy) -> Vec<i16> {
        let (mut decoder, mut out) = (Decoder::new(RATE).unwrap(), Vec::new());
        for (number, packet) in packets.iter().enumerate() {
            match (number % 8 == 7, remedy, packets.get(number + 1)) {
                (false, _, _) => decoder.decode(packet, &mut out).unwrap(),
                (true, Remedy::Silence, _) => out.extend([0; FRAME]),
                (true, Remedy::Recover, Some(after)) => decoder.recover(after, FRAME, &mut out).unwrap(),
                (true, _, _) => decoder.conceal(FRAME, &mut out).unwrap(),
            }
        }
        out
    }

    /// Mean difference of the levels of 5 ms blocks, in dB, over the frames that were lost: a codec of speech does not keep waveforms.
    fn level_error(good: &[i16], got: &[i16]) -> f64 {
        let level = |block: &[i16]| {
            let power: f64 = block.iter().map(|sample| f64::from(*sample).powi(2)).sum();
            10.0 * (power / block.len() as f64 + 100.0).log10()
        };
        let frames = good.chunks_exact(FRAME).zip(got.chunks_exact(FRAME)).skip(7).step_by(8);
        let blocks: Vec<f64> = frames
            .flat_map(|(a, b)| a.chunks(80).zip(b.chunks(80)).map(|(a, b)| (level(a) - level(b)).abs()))
            .collect();
        blocks.iter().sum::<f64>() / blocks.len() as f64
    }

    #[test]
    fn speech_comes_through_at_its_length_and_bitrate() {
        let speech = speech();
        for complexity in [3, 4, 5] {
            let settings = Settings { complexity, expected_loss_percent: 0, ..Settings::default() };
            let sent = packets(&speech, settings);
            let bytes: usize = sent.iter().map(Vec::len).sum();
            let bits = bytes as f64 * 8.0 / (sent.len() as f64 * 0.02);
            assert!((12_000.0..30_000.0).contains(&bits), "{bits} bit/s at complexity {complexity}");
            let mut decoder = Decoder::new(RATE).unwrap();
            let mut out = Vec::new();
            sent.iter().for_each(|packet| decoder.decode(packet, &mut out).unwrap());
            assert_eq!(out.len(), sent.len() * FRAME);
            let (db, delay) = best_snr(&speech[..out.len() - 400], &out, 400);
            println!("Opus {complexity}: {bits:.0} bit/s, {db:.1} dB, delay {delay} samples");
            assert!(db > 5.0, "{db} dB at complexity {complexity}");
        }
    }

    #[test]
    fn a_copy_in_the_next_packet_beats_concealment_and_that_beats_silence() {
        let sent = packets(&speech(), Settings { expected_loss_percent: 20, ..Settings::default() });
        let (mut decoder, mut good) = (Decoder::new(RATE).unwrap(), Vec::new());
        sent.iter().for_each(|packet| decoder.decode(packet, &mut good).unwrap());
        let [silence, concealed, recovered] = [Remedy::Silence, Remedy::Conceal, Remedy::Recover]
            .map(|remedy| level_error(&good, &with_losses(&sent, &remedy)));
        println!("level off by {silence:.1} dB with silence, {concealed:.1} concealed, {recovered:.1} recovered");
        assert!(recovered < concealed && concealed < silence);
    }

    #[test]
    fn wrong_rates_and_lengths_are_said() {
        let refused = Encoder::new(SampleRate::HZ_44100, Settings::default()).err().unwrap();
        assert_eq!(refused.to_string(), "opus has no 44100 Hz; resample to 8, 12, 16, 24 or 48 kHz");
        let mut encoder = Encoder::new(RATE, Settings::default()).unwrap();
        let (mut out, refused) = (Vec::new(), encoder.encode(&[0; 321], &mut Vec::new()));
        assert!(matches!(refused, Err(OpusError::FrameLength { samples: 321, .. })));
        assert!(Decoder::new(RATE).unwrap().decode(&[], &mut out).is_err());
        assert_eq!(out, []);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_packet_is_taken_or_refused(packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..20)) {
            let mut decoder = Decoder::new(RATE).unwrap();
            let mut out = Vec::new();
            for packet in &packets {
                let before = out.len();
                let taken = decoder.decode(packet, &mut out);
                prop_assert!(out.len() - before <= 1_920);
                prop_assert!(taken.is_ok() || out.len() == before);
            }
        }
    }
}
