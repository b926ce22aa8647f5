//! Changes the rate of a stream, without audible images or aliases.
//!
//! Place: between the far end's rate and everyone else's: 8 kHz telephony up to 16 kHz for speech
//! recognition and the neural detector, synthesis at 22.05 or 24 kHz down to 8 kHz.
//! Not here: clock drift. A ratio is fixed when the resampler is made.
//!
//! A windowed sinc evaluated only where an output sample falls: for a ratio of up/down in lowest
//! terms there are `up` sets of weights, one for each position between two input samples, used in
//! turn. Sixteen zero crossings on each side are 2 ms at 8 kHz, the price in delay.
//!
//! ```text
//! input 8 kHz    |       |       |       |       output k stands at time k·down/up of the input,
//! output 16 kHz  |   |   |   |   |   |   |       so nothing moves in time
//!                0   1   0   1   0   1   0       which set of weights
//! ```
//!
//! Output is never shifted: the first output sample belongs to the instant of the first input
//! sample. The delay shows as output that is *held back* until the input after it is known, so the
//! first call to [`process`](Resampler::process) returns [`delay`](Resampler::delay) less than its
//! share, and [`flush`](Resampler::flush) returns the rest. Cut frames with [`crate::Framer`].
//!
//! Measured by `codecs/tests/resample.rs` (sines of 0.9 full scale, least-squares fit, 16-bit in and
//! out), which fails when a figure falls behind:
//!
//! | from, to kHz | least SNR, 0.2 to 0.85 Nyquist | worst alias, from 1.15 Nyquist | gain at 0.85 Nyquist | delay |
//! |---|---|---|---|---|
//! | 8, 16 | 83.9 dB | - | -0.10 dB | 2.0 ms |
//! | 16, 8 | 91.8 dB | -88.3 dB | -0.10 dB | 2.0 ms |
//! | 8, 24 | 85.1 dB | - | -0.10 dB | 2.0 ms |
//! | 24, 8 | 91.8 dB | -89.4 dB | -0.10 dB | 2.0 ms |
//! | 22.05, 8 | 93.8 dB | -88.1 dB | -0.10 dB | 2.2 ms |
//! | 22.05, 16 | 92.5 dB | -86.5 dB | -0.10 dB | 1.1 ms |
//! | 44.1, 8 | 94.6 dB | -102.4 dB | -0.10 dB | 2.1 ms |
//! | 48, 8 | 95.4 dB | -90.8 dB | -0.10 dB | 2.0 ms |
//! | 8, 48 | 86.6 dB | - | -0.10 dB | 2.0 ms |
//!
//! Nyquist is half of the lower rate. In speech, "0.85" is 3.4 kHz at 8 kHz.

use std::f64::consts::PI;
use std::sync::Arc;
use std::time::Duration;

use crate::frame::SampleRate;

/// Zero crossings of the sinc on each side of its middle. More is sharper, slower and later.
const ZERO_CROSSINGS: usize = 16;
/// Where the filter is half way down, as a share of the lower rate's Nyquist frequency. With this
/// window the stop band begins at 1.15: 4.6 kHz for 8 kHz audio, where telephony carries nothing.
const CUTOFF: f64 = 0.975;
/// Kaiser's shape parameter: about -88 dB of side lobes.
const KAISER_BETA: f64 = 8.7;
/// Weights of a set come in multiples of this, so that the inner loop has no remainder.
const LANES: usize = 8;

/// Converts one stream. Feed it chunks of any size: their borders leave no trace in the output.
///
/// Making one computes a table: microseconds for simple ratios, half a millisecond for 22.05 to 8 kHz.
/// A clone shares it, so code that starts many streams of one ratio keeps a fresh one and clones it.
#[derive(Clone, Debug)]
pub struct Resampler {
    from: SampleRate,
    to: SampleRate,
    /// `None` when both rates are the same: samples pass untouched and at once.
    kernel: Option<Arc<Kernel>>,
    /// Input that some output still needs, oldest first.
    history: Vec<f32>,
    /// Where in `history` the next output's weights begin; may lie past its end.
    window: usize,
    /// Which set of weights comes next.
    phase: usize,
    /// Input and output samples since the last flush.
    taken: u64,
    given: u64,
}

impl Resampler {
    /// Prepares the conversion of a stream at `from` into one at `to`.
    ///
    /// The table holds at most 62 kB for rates of audio equipment; two rates with no common divisor
    /// cost up to 25 MB.
    pub fn new(from: SampleRate, to: SampleRate) -> Self {
        let kernel = (from != to).then(|| Arc::new(Kernel::new(from, to)));
        let mut fresh = Self { from, to, kernel, history: Vec::new(), window: 0, phase: 0, taken: 0, given: 0 };
        fresh.reset();
        fresh
    }

    /// How much of the end of its input the resampler holds back: 2 ms between 8 and 16 kHz.
    pub fn delay(&self) -> Duration {
        let samples = self.kernel.as_ref().map_or(0, |k| k.reach);
        self.from.duration_of(samples as u64)
    }

    /// Takes the next samples of the stream and appends to `out` all output that they decide.
    pub fn process(&mut self, input: &[i16], out: &mut Vec<i16>) {
        let Some(kernel) = self.kernel.as_deref() else {
            out.extend_from_slice(input);
            return;
        };
        self.taken += input.len() as u64;
        self.history.extend(input.iter().map(|&s| f32::from(s)));
        while let Some(samples) = self.history.get(self.window..).and_then(|rest| rest.get(..kernel.taps())) {
            out.push(to_i16(dot(samples, kernel.weights(self.phase))));
            self.given += 1;
            // One step of `down / up`, without a division for each sample.
            (self.window, self.phase) = (self.window + kernel.step, self.phase + kernel.step_phase);
            if self.phase >= kernel.up {
                (self.window, self.phase) = (self.window + 1, self.phase - kernel.up);
            }
        }
        let spent = self.window.min(self.history.len());
        self.history.drain(..spent);
        self.window -= spent;
    }

    /// Ends the stream: appends what was held back, as if silence followed, and starts afresh.
    ///
    /// The stream's whole output is then `round(input · to / from)` samples.
    pub fn flush(&mut self, out: &mut Vec<i16>) {
        if let Some(kernel) = self.kernel.clone() {
            let due = kernel.output_len(self.taken) - self.given;
            let end = out.len() + usize::try_from(due).unwrap_or(usize::MAX);
            self.process(&vec![0; kernel.reach], out);
            // The zeros may have decided samples past the end as well.
            out.truncate(end);
        }
        self.reset();
    }

    /// Drops the stream: what was held back is lost, and the next sample is the first of another.
    pub fn reset(&mut self) {
        // Silence before the first sample, so that the first output has a full window.
        let before = self.kernel.as_ref().map_or(0, |k| k.reach - 1);
        self.history.clear();
        self.history.resize(before, 0.0);
        (self.window, self.phase, self.taken, self.given) = (0, 0, 0, 0);
    }

    /// The input's rate.
    pub fn from(&self) -> SampleRate {
        self.from
    }

    /// The output's rate.
    pub fn to(&self) -> SampleRate {
        self.to
    }
}

/// Converts a whole recording; the result has `round(len · to / from)` samples and no delay.
///
/// Equal, to the bit, to streaming the same samples in any chunks.
pub fn resample_all(samples: &[i16], from: SampleRate, to: SampleRate) -> Vec<i16> {
    let mut out = Vec::new();
    let mut resampler = Resampler::new(from, to);
    resampler.process(samples, &mut out);
    resampler.flush(&mut out);
    out
}

/// The weights of one ratio.
#[derive(Debug)]
struct Kernel {
    /// Ratio of the rates in lowest terms: output over input is `up / down`.
    up: usize,
    down: usize,
    /// `down / up` and its remainder: how far the window and the phase move for one output.
    step: usize,
    step_phase: usize,
    /// Input samples needed after an output's instant; one less than this before it.
    reach: usize,
    /// `up` sets of `2 · reach` weights.
    weights: Box<[f32]>,
}

impl Kernel {
    fn new(from: SampleRate, to: SampleRate) -> Self {
        let divisor = greatest_common_divisor(from.hz(), to.hz());
        let (up, down) = ((to.hz() / divisor) as usize, (from.hz() / divisor) as usize);
        // Going down the filter is stretched: it must end at the output's Nyquist frequency.
        let stretch = (down as f64 / up as f64).max(1.0);
        let half_width = ZERO_CROSSINGS as f64 * stretch;
        let reach = (half_width.ceil() as usize).next_multiple_of(LANES / 2);
        let cutoff = CUTOFF / stretch;
        let window_top = bessel_i0(KAISER_BETA);

        let mut weights = Vec::with_capacity(up * 2 * reach);
        for phase in 0..up {
            let instant = (reach - 1) as f64 + phase as f64 / up as f64;
            let set: Vec<f64> = (0..2 * reach)
                .map(|tap| {
                    let distance = tap as f64 - instant;
                    sinc(cutoff * distance) * kaiser(distance / half_width) / window_top
                })
                .collect();
            // Every set passes a constant unchanged, so silence with an offset gets no hum.
            let sum: f64 = set.iter().sum();
            weights.extend(set.iter().map(|w| (w / sum) as f32));
        }
        Self { up, down, step: down / up, step_phase: down % up, reach, weights: weights.into() }
    }

    fn taps(&self) -> usize {
        2 * self.reach
    }

    fn weights(&self, phase: usize) -> &[f32] {
        &self.weights[phase * self.taps()..][..self.taps()]
    }

    /// `input · up / down`, rounded to the nearest, halves up.
    fn output_len(&self, input: u64) -> u64 {
        let (up, down) = (self.up as u128, self.down as u128);
        let rounded = (2 * u128::from(input) * up + down) / (2 * down);
        u64::try_from(rounded).unwrap_or(u64::MAX)
    }
}

/// Sum of products in a fixed order: independent lanes, which the compiler may keep in one register.
fn dot(samples: &[f32], weights: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    for (s, w) in samples.as_chunks::<LANES>().0.iter().zip(weights.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            lanes[lane] += s[lane] * w[lane];
        }
    }
    lanes.iter().sum()
}

/// Nearest sample, clipped: a float cast saturates. By hand, because `f32::round` is a library call
/// on processors without the instruction.
fn to_i16(value: f32) -> i16 {
    (value + 0.5f32.copysign(value)) as i16
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// Kaiser's window at `x`, -1 to 1, times `I0(KAISER_BETA)`; zero outside.
fn kaiser(x: f64) -> f64 {
    match 1.0 - x * x {
        inside if inside > 0.0 => bessel_i0(KAISER_BETA * inside.sqrt()),
        _ => 0.0,
    }
}

/// Modified Bessel function of the first kind and order zero, by its power series, which for the
/// arguments here (up to 9) is exact to a double within some 30 terms.
fn bessel_i0(x: f64) -> f64 {
    let quarter_square = x * x / 4.0;
    let (mut sum, mut term) = (1.0, 1.0);
    let mut k = 1.0;
    while term > sum * f64::EPSILON {
        term *= quarter_square / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rates_pass_untouched_and_at_once() {
        let mut resampler = Resampler::new(SampleRate::HZ_8000, SampleRate::HZ_8000);
        let mut out = Vec::new();
        resampler.process(&[1, -2, i16::MIN], &mut out);
        assert_eq!(out, [1, -2, i16::MIN]);
        assert_eq!(resampler.delay(), Duration::ZERO);
        resampler.flush(&mut out);
        assert_eq!(out.len(), 3);
    }

    #[test]
    fn delay_is_two_milliseconds_between_8_and_16_khz() {
        let (low, high) = (SampleRate::HZ_8000, SampleRate::HZ_16000);
        assert_eq!(Resampler::new(low, high).delay(), Duration::from_millis(2));
        assert_eq!(Resampler::new(high, low).delay(), Duration::from_millis(2));
    }

    #[test]
    fn the_first_frame_is_short_by_the_delay_and_the_rest_are_whole() {
        let mut resampler = Resampler::new(SampleRate::HZ_8000, SampleRate::HZ_16000);
        let counts = [0; 3].map(|_: i32| {
            let mut out = Vec::new();
            resampler.process(&[0; 160], &mut out);
            out.len()
        });
        assert_eq!(counts, [288, 320, 320]);
    }

    #[test]
    fn a_constant_stays_constant_even_at_the_rails() {
        for value in [i16::MAX, i16::MIN, 1_000] {
            let out = resample_all(&[value; 2_000], SampleRate::HZ_22050, SampleRate::HZ_8000);
            let middle = &out[200..out.len() - 200];
            assert!(middle.iter().all(|&s| s == value), "{value}");
        }
    }

    #[test]
    fn a_flushed_resampler_is_like_a_new_one() {
        let input: Vec<i16> = crate::noise::Noise::new(3, -12.0).take(500).collect();
        let mut resampler = Resampler::new(SampleRate::HZ_24000, SampleRate::HZ_8000);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        resampler.process(&input, &mut first);
        resampler.flush(&mut first);
        resampler.process(&input, &mut second);
        resampler.flush(&mut second);
        assert_eq!(first, second);
    }

    #[test]
    fn bessel_matches_the_handbook() {
        // Abramowitz and Stegun, table 9.8: e^-x I0(x).
        for (x, scaled) in [(0.0, 1.0), (1.0, 0.465_759_6), (5.0, 0.183_540_8), (8.0, 0.143_431_8)] {
            assert!((bessel_i0(x) * (-x).exp() - scaled).abs() < 1e-7, "{x}");
        }
    }
}
