//! Sample rates, and a block of PCM that can be handed around for the price of a reference count.
//!
//! Place: the vocabulary of this crate; every other module speaks in these types.
//! Mono only: a call is two mono directions, and the one stereo thing we have, the recording, is
//! made by [`crate::wav::write_stereo`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// Samples per second of one channel, 4,000 to 192,000.
///
/// The range is what keeps a hostile WAV header from ordering a resampler of gigabytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SampleRate(u32);

impl SampleRate {
    /// Telephony: G.711 and every carrier's default.
    pub const HZ_8000: Self = Self(8_000);
    /// Wideband telephony; what speech recognisers and neural voice detectors are trained on.
    pub const HZ_16000: Self = Self(16_000);
    /// Half the CD rate: many synthesis voices.
    pub const HZ_22050: Self = Self(22_050);
    /// What hosted synthesis and speech-to-speech models usually send.
    pub const HZ_24000: Self = Self(24_000);
    /// The CD rate: uploaded audio.
    pub const HZ_44100: Self = Self(44_100);
    /// WebRTC and Opus.
    pub const HZ_48000: Self = Self(48_000);

    /// The slowest rate accepted.
    pub const MIN: Self = Self(4_000);
    /// The fastest rate accepted.
    pub const MAX: Self = Self(192_000);

    /// Checks a rate that came from outside, in samples per second.
    pub const fn new(hz: u32) -> Result<Self, RateError> {
        if hz < Self::MIN.0 || hz > Self::MAX.0 {
            return Err(RateError { hz });
        }
        Ok(Self(hz))
    }

    /// Samples per second.
    pub const fn hz(self) -> u32 {
        self.0
    }

    /// How many samples last `duration`, rounded to the nearest.
    ///
    /// Exact for every packet time in use: 20 ms at 22,050 Hz is 441.
    pub fn samples_in(self, duration: Duration) -> usize {
        let scaled = duration.as_nanos() * u128::from(self.0);
        usize::try_from((scaled + NANOS_PER_SECOND / 2) / NANOS_PER_SECOND).unwrap_or(usize::MAX)
    }

    /// How long `samples` last, rounded to the nearest nanosecond.
    ///
    /// The inverse of [`samples_in`](Self::samples_in): a count survives the way there and back.
    pub fn duration_of(self, samples: u64) -> Duration {
        let hz = u128::from(self.0);
        let nanos = (u128::from(samples) * NANOS_PER_SECOND + hz / 2) / hz;
        let seconds = u64::try_from(nanos / NANOS_PER_SECOND).unwrap_or(u64::MAX);
        // A remainder of division by 10^9 always fits.
        Duration::new(seconds, (nanos % NANOS_PER_SECOND) as u32)
    }
}

impl TryFrom<u32> for SampleRate {
    type Error = RateError;

    fn try_from(hz: u32) -> Result<Self, RateError> {
        Self::new(hz)
    }
}

impl fmt::Display for SampleRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} Hz", self.0)
    }
}

/// A sample rate outside of what any telephone or voice uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sample rate of {hz} Hz is not within 4000 to 192000")]
pub struct RateError {
    /// The refused rate, in samples per second.
    pub hz: u32,
}

/// A block of mono 16-bit PCM of any length. Cloning shares the samples.
#[derive(Clone, PartialEq, Eq)]
pub struct Pcm {
    /// Samples per second.
    pub rate: SampleRate,
    /// The samples, oldest first.
    pub samples: Arc<[i16]>,
}

impl Pcm {
    /// Takes samples of one channel at `rate`.
    pub fn new(rate: SampleRate, samples: impl Into<Arc<[i16]>>) -> Self {
        Self { rate, samples: samples.into() }
    }

    /// How long it plays.
    pub fn duration(&self) -> Duration {
        self.rate.duration_of(self.samples.len() as u64)
    }

    /// True when there is not one sample.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }
}

/// Says how much audio there is; a log line must never hold the audio.
impl fmt::Debug for Pcm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pcm({} samples at {})", self.samples.len(), self.rate)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn packet_times_are_exact() {
        let ms = Duration::from_millis;
        assert_eq!(SampleRate::HZ_8000.samples_in(ms(20)), 160);
        assert_eq!(SampleRate::HZ_22050.samples_in(ms(20)), 441);
        assert_eq!(SampleRate::HZ_48000.samples_in(ms(10)), 480);
        assert_eq!(SampleRate::HZ_8000.duration_of(1_600), ms(200));
    }

    #[test]
    fn rates_out_of_range_are_refused() {
        assert_eq!(SampleRate::new(0), Err(RateError { hz: 0 }));
        assert_eq!(SampleRate::new(3_999), Err(RateError { hz: 3_999 }));
        assert_eq!(SampleRate::new(8_000), Ok(SampleRate::HZ_8000));
        assert_eq!(
            SampleRate::new(192_001).unwrap_err().to_string(),
            "sample rate of 192001 Hz is not within 4000 to 192000"
        );
    }

    #[test]
    fn extremes_do_not_overflow() {
        assert_eq!(SampleRate::MAX.samples_in(Duration::MAX), usize::MAX);
        assert!(SampleRate::MIN.duration_of(u64::MAX) > Duration::from_secs(1 << 50));
    }

    #[test]
    fn clones_share_their_samples() {
        let pcm = Pcm::new(SampleRate::HZ_8000, vec![1, 2, 3, 4]);
        assert!(Arc::ptr_eq(&pcm.samples, &pcm.clone().samples));
        assert_eq!(pcm.duration(), Duration::from_micros(500));
        assert_eq!(format!("{pcm:?}"), "Pcm(4 samples at 8000 Hz)");
    }

    proptest! {
        #[test]
        fn a_count_survives_the_way_through_time(hz in 4_000u32..=192_000, samples in 0u64..1 << 40) {
            let rate = SampleRate::new(hz).unwrap();
            prop_assert_eq!(rate.samples_in(rate.duration_of(samples)) as u64, samples);
        }
    }
}
