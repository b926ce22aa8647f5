//! What the resampler does to a signal: noise, aliases, gain, position in time, and chunk borders.
//!
//! `cargo test -p tandem-codecs --test resample -- --nocapture` prints the figures of the module doc.

use std::f64::consts::TAU;
use std::time::Duration;

use proptest::prelude::*;
use tandem_codecs::noise::Noise;
use tandem_codecs::tone::Sine;
use tandem_codecs::{Resampler, SampleRate, resample_all};

const RATES: [SampleRate; 6] = [
    SampleRate::HZ_8000,
    SampleRate::HZ_16000,
    SampleRate::HZ_22050,
    SampleRate::HZ_24000,
    SampleRate::HZ_44100,
    SampleRate::HZ_48000,
];

/// 0.9 of full scale.
const PEAK: i16 = 29_491;

/// A sine found in a signal by least squares, and what is left without it.
struct Fit {
    amplitude: f64,
    residual_rms: f64,
    /// Radians ahead of a sine that starts at the first sample.
    phase: f64,
}

impl Fit {
    fn snr_db(&self) -> f64 {
        20.0 * (self.amplitude / 2f64.sqrt() / self.residual_rms).log10()
    }
}

/// Fits `a·sin + b·cos` of a known frequency, `cycles` a sample, by the normal equations.
fn fit(samples: &[i16], cycles: f64, first_index: usize) -> Fit {
    let (mut ss, mut sc, mut cc, mut ys, mut yc) = (0.0, 0.0, 0.0, 0.0, 0.0);
    let basis = |i: usize| (TAU * cycles * (i + first_index) as f64).sin_cos();
    for (i, &y) in samples.iter().enumerate() {
        let (s, c) = basis(i);
        let y = f64::from(y);
        (ss, sc, cc) = (ss + s * s, sc + s * c, cc + c * c);
        (ys, yc) = (ys + y * s, yc + y * c);
    }
    let determinant = ss * cc - sc * sc;
    let (a, b) = ((ys * cc - yc * sc) / determinant, (yc * ss - ys * sc) / determinant);
    let squares: f64 = samples
        .iter()
        .enumerate()
        .map(|(i, &y)| {
            let (s, c) = basis(i);
            (f64::from(y) - a * s - b * c).powi(2)
        })
        .sum();
    Fit { amplitude: a.hypot(b), residual_rms: (squares / samples.len() as f64).sqrt(), phase: b.atan2(a) }
}

/// Half a second of a sine through 20 ms chunks, without the borders where it starts and stops.
fn through(from: SampleRate, to: SampleRate, hz: f64) -> (Vec<i16>, usize) {
    let input: Vec<i16> = Sine::new(from, hz, PEAK).take(from.hz() as usize / 2).collect();
    let (mut resampler, mut out) = (Resampler::new(from, to), Vec::new());
    for chunk in input.chunks(from.samples_in(Duration::from_millis(20))) {
        resampler.process(chunk, &mut out);
    }
    resampler.flush(&mut out);
    let border = to.hz() as usize / 50;
    (out[border..out.len() - border].to_vec(), border)
}

fn passed(from: SampleRate, to: SampleRate, hz: f64) -> Fit {
    let (out, first) = through(from, to, hz);
    fit(&out, hz / f64::from(to.hz()), first)
}

/// 0.2 to 0.85 of the lower Nyquist frequency.
fn pass_band(from: SampleRate, to: SampleRate) -> impl Iterator<Item = f64> {
    let nyquist = f64::from(from.min(to).hz()) / 2.0;
    (0..=26).map(move |i| nyquist * (0.2 + 0.025 * f64::from(i)))
}

fn min_snr_db(from: SampleRate, to: SampleRate) -> f64 {
    pass_band(from, to).map(|hz| passed(from, to, hz).snr_db()).fold(f64::MAX, f64::min)
}

/// The loudest remainder of a tone that the output cannot hold, 1.15 of its Nyquist frequency and
/// up, relative to the tone.
fn worst_alias_db(from: SampleRate, to: SampleRate) -> f64 {
    let (nyquist, top) = (f64::from(to.hz()) / 2.0, f64::from(from.hz()) / 2.0 * 0.99);
    let lowest = nyquist * 1.15;
    (0..=40)
        .map(|i| {
            let (out, _) = through(from, to, lowest + (top - lowest) * f64::from(i) / 40.0);
            let squares: f64 = out.iter().map(|&s| f64::from(s).powi(2)).sum();
            let rms = (squares / out.len() as f64).sqrt();
            20.0 * (rms / (f64::from(PEAK) / 2f64.sqrt())).log10()
        })
        .fold(f64::MIN, f64::max)
}

fn gain_db(from: SampleRate, to: SampleRate, hz: f64) -> f64 {
    20.0 * (passed(from, to, hz).amplitude / f64::from(PEAK)).log10()
}

#[test]
fn figures_of_the_module_doc_hold() {
    println!("ratio            min SNR dB   worst alias dB   gain at 0.75 / 0.85 Nyquist dB   delay");
    let rows = RATES.into_iter().flat_map(|from| RATES.map(|to| (from, to))).filter(|(from, to)| from != to);
    for (from, to) in rows {
        let nyquist = f64::from(from.min(to).hz()) / 2.0;
        let snr = min_snr_db(from, to);
        // 48 to 44.1 kHz has nothing above 1.15 of the output's Nyquist frequency.
        let folds = f64::from(from.hz()) > 1.2 * f64::from(to.hz());
        let alias = folds.then(|| worst_alias_db(from, to));
        let alias_text = alias.map_or("-".to_owned(), |db| format!("{db:.1}"));
        let (low, high) = (gain_db(from, to, nyquist * 0.75), gain_db(from, to, nyquist * 0.85));
        let delay = Resampler::new(from, to).delay();
        println!("{from:>8} {to:>8} {snr:9.1} {alias_text:>12} {low:14.2} / {high:.2} {delay:?}");
        assert!(snr >= 80.0, "{from} to {to}: noise at {snr} dB");
        assert!(alias.is_none_or(|db| db <= -80.0), "{from} to {to}: alias at {alias_text} dB");
        assert!(low > -0.15 && high > -0.8, "{from} to {to}: gain {low} and {high} dB");
        assert!(delay <= Duration::from_micros(2_200), "{from} to {to}: delay {delay:?}");
    }
}

#[test]
fn every_pair_of_rates_passes_speech_frequencies_cleanly() {
    for from in RATES {
        for to in RATES.into_iter().filter(|&to| to != from) {
            for hz in [300.0, 1_000.0, 3_000.0] {
                let fit = passed(from, to, hz);
                assert!(fit.snr_db() > 80.0, "{from} to {to}, {hz} Hz: {} dB", fit.snr_db());
                let gain = 20.0 * (fit.amplitude / f64::from(PEAK)).log10();
                assert!(gain.abs() < 0.15, "{from} to {to}, {hz} Hz: {gain} dB");
            }
        }
    }
}

#[test]
fn nothing_moves_in_time() {
    for from in RATES {
        for to in RATES {
            let hz = 700.0;
            let seconds = passed(from, to, hz).phase / (TAU * hz);
            assert!(seconds.abs() < 1e-6, "{from} to {to}: {seconds} s");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn chunks_leave_no_trace_and_the_length_is_exact(
        from in proptest::sample::select(&RATES[..]),
        to in proptest::sample::select(&RATES[..]),
        len in 0usize..3_000,
        cuts in proptest::collection::vec(0usize..700, 0..12),
        seed: u64,
    ) {
        let input: Vec<i16> = Noise::new(seed, -8.0).take(len).collect();
        let whole = resample_all(&input, from, to);
        let exact = len as f64 * f64::from(to.hz()) / f64::from(from.hz());
        prop_assert_eq!(whole.len(), (exact + 0.5).floor() as usize);

        let (mut resampler, mut streamed, mut rest) = (Resampler::new(from, to), Vec::new(), &input[..]);
        for cut in cuts {
            let (chunk, later) = rest.split_at(cut.min(rest.len()));
            resampler.process(chunk, &mut streamed);
            rest = later;
        }
        resampler.process(rest, &mut streamed);
        resampler.flush(&mut streamed);
        prop_assert_eq!(streamed, whole);
    }
}

#[test]
fn odd_rates_work_too() {
    let rate = |hz| SampleRate::new(hz).expect("within range");
    for (from, to) in [(11_025, 8_000), (8_001, 8_000), (4_000, 192_000), (192_000, 4_000)] {
        let out = resample_all(&[1_000; 777], rate(from), rate(to));
        let exact = 777.0 * f64::from(to) / f64::from(from);
        assert_eq!(out.len(), (exact + 0.5).floor() as usize, "{from} to {to}");
    }
}
