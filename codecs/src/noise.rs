//! White noise at a stated level, the same for the same seed.
//!
//! Place: line noise for the callers of `peers`, and the background in tests of detectors.
//! Not for keys or ids: the generator is SplitMix64, which is even but easily foretold.

use crate::level::dbfs_to_rms;

/// An endless stream of white noise, uniform in amplitude.
#[derive(Clone, Debug)]
pub struct Noise {
    state: u64,
    /// Greatest magnitude, in 16-bit steps.
    peak: f64,
}

impl Noise {
    /// Noise with a root mean square of `rms_dbfs`. Above -4.77 the peaks would not fit and the
    /// level stays at that.
    pub fn new(seed: u64, rms_dbfs: f32) -> Self {
        // A uniform distribution's peak is √3 times its root mean square.
        let peak = (dbfs_to_rms(rms_dbfs) * 3f64.sqrt()).min(f64::from(i16::MAX));
        Self { state: seed, peak }
    }
}

impl Iterator for Noise {
    type Item = i16;

    fn next(&mut self) -> Option<i16> {
        // Constants of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let unit = (z ^ (z >> 31)) as f64 / u64::MAX as f64;
        Some(((unit * 2.0 - 1.0) * self.peak).round() as i16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::Level;

    #[test]
    fn the_level_is_as_asked() {
        for dbfs in [-60.0f32, -30.0, -10.0] {
            let samples: Vec<i16> = Noise::new(7, dbfs).take(80_000).collect();
            assert!((Level::of(&samples).rms_dbfs - dbfs).abs() < 0.1, "{dbfs}");
        }
    }

    #[test]
    fn a_seed_is_a_recording() {
        let take = |seed| Noise::new(seed, -20.0).take(100).collect::<Vec<_>>();
        assert_eq!(take(1), take(1));
        assert_ne!(take(1), take(2));
    }
}
