//! What smart-turn hears: Whisper's log-mel picture of eight seconds at 16 kHz, 80 bands by 800 steps of 10 ms.
//!
//! As Whisper's own, with two differences: the window is eight seconds and not thirty, and the sound is brought to zero mean and unit
//! variance first, padding included. Source: pipecat-ai 1.14.0, `_whisper_features.py`, after Hugging Face's `WhisperFeatureExtractor`;
//! the model's answers are compared with that code's in the tests.

use std::f64::consts::TAU;
use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use crate::local::ggml::mel::{self, BINS, MELS};

/// Sample rate of what is heard, Hz.
pub(super) const RATE_HZ: u32 = 16_000;
/// Samples of the window: 8 s.
pub(super) const SAMPLES: usize = 128_000;
/// Steps of the picture.
pub(super) const STEPS: usize = SAMPLES / HOP;

/// Points of a transform: 25 ms.
const POINTS: usize = 400;
/// Samples between transforms: 10 ms.
const HOP: usize = 160;
/// What a variance is never below.
const LEAST_VARIANCE: f64 = 1e-7;
/// Power that counts as none.
const LEAST_POWER: f64 = 1e-10;
/// Decades below the loudest point that are told apart.
const DECADES: f64 = 8.0;

/// Paints the picture.
pub(super) struct Features {
    fft: Arc<dyn Fft<f64>>,
    /// Hann's, periodic.
    window: Vec<f64>,
    bank: Vec<Band>,
}

/// One triangle of the filter bank, without its zeros.
struct Band {
    first: usize,
    weights: Vec<f64>,
}

impl Features {
    pub(super) fn new() -> Self {
        let window = (0..POINTS).map(|i| 0.5 - 0.5 * (TAU * i as f64 / POINTS as f64).cos()).collect();
        let band = |weights: &[f32]| {
            let first = weights.iter().position(|weight| *weight > 0.0).unwrap_or(0);
            let last = weights.iter().rposition(|weight| *weight > 0.0).map_or(first, |last| last + 1);
            Band { first, weights: weights[first..last].iter().map(|weight| f64::from(*weight)).collect() }
        };
        let bank = mel::filters().chunks(BINS).map(band).collect();
        Self { fft: FftPlanner::new().plan_fft_forward(POINTS), window, bank }
    }

    /// The picture of the last [`SAMPLES`] of `sound` at [`RATE_HZ`], with silence before it where there are fewer. Band by band:
    /// `MELS × STEPS`.
    pub(super) fn of(&self, sound: &[i16]) -> Vec<f32> {
        let last = &sound[sound.len().saturating_sub(SAMPLES)..];
        let mut heard = vec![0.0; SAMPLES - last.len()];
        heard.extend(last.iter().map(|sample| f64::from(*sample) / 32_768.0));
        normalise(&mut heard);
        let mut picture = vec![0.0; MELS * STEPS];
        let mut points = vec![Complex::default(); POINTS];
        let mut scratch = vec![Complex::default(); self.fft.get_inplace_scratch_len()];
        for step in 0..STEPS {
            for (i, (point, window)) in points.iter_mut().zip(&self.window).enumerate() {
                *point = Complex::new(mirrored(&heard, step * HOP + i) * window, 0.0);
            }
            self.fft.process_with_scratch(&mut points, &mut scratch);
            for (mel, Band { first, weights }) in self.bank.iter().enumerate() {
                let bins = points[*first..].iter().zip(weights);
                let power: f64 = bins.map(|(bin, weight)| bin.norm_sqr() * weight).sum();
                picture[mel * STEPS + step] = power.max(LEAST_POWER).log10();
            }
        }
        let loudest = picture.iter().copied().fold(f64::MIN, f64::max);
        picture.into_iter().map(|value| ((value.max(loudest - DECADES) + 4.0) / 4.0) as f32).collect()
    }
}

fn normalise(heard: &mut [f64]) {
    let count = heard.len() as f64;
    let mean = heard.iter().sum::<f64>() / count;
    let variance = heard.iter().map(|sample| (sample - mean).powi(2)).sum::<f64>() / count;
    let scale = 1.0 / (variance + LEAST_VARIANCE).sqrt();
    heard.iter_mut().for_each(|sample| *sample = (*sample - mean) * scale);
}

/// The sample at `position` of a sound that is turned around at both ends for half a transform.
fn mirrored(heard: &[f64], position: usize) -> f64 {
    const HALF: usize = POINTS / 2;
    match position.checked_sub(HALF) {
        None => heard[HALF - position],
        Some(inside) if inside < heard.len() => heard[inside],
        Some(beyond) => heard[2 * (heard.len() - 1) - beyond],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points of the picture that the package's own code makes of a sentence whose rate was doubled by the mean of neighbours.
    #[test]
    fn the_picture_is_the_packages_own() {
        let file = &include_bytes!("../../../../codecs/tests/fixtures/apartment.wav")[..];
        let narrow = tandem_codecs::wav::read(file).expect("the fixture is a wav file").samples;
        let next = narrow.iter().skip(1).chain(narrow.last());
        let wide: Vec<i16> =
            narrow.iter().zip(next).flat_map(|(&a, &b)| [a, ((i32::from(a) + i32::from(b)) >> 1) as i16]).collect();
        let picture = Features::new().of(&wide);
        for (mel, step, expected) in [
            (0, 0, 0.875_08),
            (0, 520, 0.873_82),
            (5, 530, -0.126_76),
            (10, 600, 1.364_54),
            (20, 555, 0.858_35),
            (26, 640, 0.966_38),
            (40, 700, 1.000_40),
            (60, 580, 0.478_22),
            (79, 799, -0.126_76),
        ] {
            let point = picture[mel * STEPS + step];
            assert!((point - expected).abs() < 1e-4, "band {mel}, step {step}: {point} is not {expected}");
        }
        let mean = picture.iter().map(|point| f64::from(*point)).sum::<f64>() / picture.len() as f64;
        assert!((mean - 0.108_685).abs() < 1e-5, "{mean}");
    }

    #[test]
    fn both_ends_are_mirrors() {
        let ramp: Vec<f64> = (0..SAMPLES).map(|i| i as f64).collect();
        assert_eq!([0, 199, 200, 201].map(|at| mirrored(&ramp, at)), [200.0, 1.0, 0.0, 1.0]);
        let end = SAMPLES + 200;
        let last = SAMPLES as f64 - 1.0;
        assert_eq!([end - 1, end, end + 1].map(|at| mirrored(&ramp, at)), [last, last - 1.0, last - 2.0]);
    }

    #[test]
    fn a_tone_is_a_line_at_its_height_and_the_loudest_point_is_the_scales() {
        let features = Features::new();
        let tone: Vec<i16> =
            (0..SAMPLES).map(|i| (8_000.0 * (TAU * 1_000.0 * i as f64 / f64::from(RATE_HZ)).sin()) as i16).collect();
        let picture = features.of(&tone);
        let at = |mel: usize| picture[mel * STEPS + STEPS / 2];
        let loudest = (0..MELS).max_by(|a, b| at(*a).total_cmp(&at(*b)));
        // 1 kHz is mel 15 of 45.2; filters stand 45.2 / 81 apart, the first centred on one such step.
        assert_eq!(loudest, Some(26));
        let (low, high) = picture.iter().fold((f32::MAX, f32::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
        assert!((high - low - 2.0).abs() < 1e-4, "eight decades are two units: {low} to {high}");
    }

    #[test]
    fn what_is_short_stands_at_the_end_and_what_is_long_is_its_end() {
        let features = Features::new();
        let click = |length: usize| {
            let mut sound = vec![0; length];
            sound[length - 1_600] = 20_000;
            features.of(&sound)
        };
        assert_eq!(click(3_200), click(SAMPLES), "silence is put before it");
        assert_eq!(click(SAMPLES + 5_000), click(SAMPLES));
        assert_eq!(features.of(&[]).len(), MELS * STEPS, "nothing is silence");
    }
}
