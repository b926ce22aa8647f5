//! One frequency: making it, and finding how much of it there is.
//!
//! Place: test signals for both sides of a call (each plays its own tone and must hear the other's),
//! and the measure under keypad and answering-machine tones. Not a spectrum: for many frequencies at
//! once a transform is cheaper.

use std::f64::consts::TAU;
use std::time::Duration;

use dasp::signal::{self, Signal};

use crate::frame::{Pcm, SampleRate};
use crate::level::power_to_dbfs;

/// An endless sine, starting at zero and rising.
pub struct Sine {
    phase: signal::Sine<signal::ConstHz>,
    peak: f64,
}

impl Sine {
    /// `hz` cycles a second with a greatest magnitude of `peak` 16-bit steps.
    pub fn new(rate: SampleRate, hz: f64, peak: i16) -> Self {
        let phase = signal::rate(f64::from(rate.hz())).const_hz(hz).sine();
        Self { phase, peak: f64::from(peak) }
    }
}

impl Iterator for Sine {
    type Item = i16;

    fn next(&mut self) -> Option<i16> {
        // Rounded here because dasp's own conversion to `i16` cuts towards zero, which adds harmonics.
        Some((self.phase.next() * self.peak).round() as i16)
    }
}

/// `duration` of a sine; see [`Sine::new`].
pub fn sine(rate: SampleRate, hz: f64, peak: i16, duration: Duration) -> Pcm {
    let samples: Vec<i16> = Sine::new(rate, hz, peak).take(rate.samples_in(duration)).collect();
    Pcm::new(rate, samples)
}

/// How much of `samples` is a tone of `hz`, on the scale of [`crate::level`]: a pure sine reads the
/// same here and there.
///
/// The width of the ear is the rate over the count of samples: 20 ms hear ±50 Hz. Tones further
/// away still leak in at about -13 dB and falling, as no window is applied.
/// Method: Goertzel, "An Algorithm for the Evaluation of Finite Trigonometric Series", 1958.
pub fn power_dbfs(samples: &[i16], rate: SampleRate, hz: f64) -> f32 {
    let coefficient = 2.0 * (TAU * hz / f64::from(rate.hz())).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for &sample in samples {
        (last, before) = (f64::from(sample) + coefficient * last - before, last);
    }
    let squared_magnitude = last * last + before * before - coefficient * last * before;
    // The bin of a sine of amplitude A over N samples is A·N/2, its mean square A²/2.
    let count = samples.len().max(1) as f64;
    power_to_dbfs(2.0 * squared_magnitude / (count * count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::{Level, SILENCE_DBFS};

    const TWO_TENTHS: Duration = Duration::from_millis(200);

    #[test]
    fn a_tone_reads_its_own_level() {
        let pcm = sine(SampleRate::HZ_8000, 440.0, 10_000, TWO_TENTHS);
        let measured = power_dbfs(&pcm.samples, pcm.rate, 440.0);
        assert!((measured - Level::of(&pcm.samples).rms_dbfs).abs() < 0.1, "{measured}");
    }

    #[test]
    fn another_tone_is_not_heard() {
        let pcm = sine(SampleRate::HZ_16000, 1_000.0, 10_000, TWO_TENTHS);
        let (own, other) = (power_dbfs(&pcm.samples, pcm.rate, 1_000.0), power_dbfs(&pcm.samples, pcm.rate, 700.0));
        assert!(own - other > 50.0, "{own} against {other}");
    }

    #[test]
    fn a_sine_starts_at_zero_and_keeps_its_peak() {
        let pcm = sine(SampleRate::HZ_8000, 1_000.0, 12_345, TWO_TENTHS);
        assert_eq!(pcm.samples.len(), 1_600);
        assert_eq!((pcm.samples[0], pcm.samples[2], pcm.samples[6]), (0, 12_345, -12_345));
    }

    #[test]
    fn silence_and_nothing_read_the_floor() {
        assert_eq!(power_dbfs(&[], SampleRate::HZ_8000, 440.0), SILENCE_DBFS);
        assert_eq!(power_dbfs(&[0; 160], SampleRate::HZ_8000, 440.0), SILENCE_DBFS);
    }
}
