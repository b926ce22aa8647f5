//! The fall-back detector: speech is what stands out of the quietest moments of late.
//!
//! Works with one voice on a quiet line and is honest about the rest: music, and noise that starts
//! suddenly, count as speech until they have lasted for the length of the memory.
//!
//! The floor is the minimum over the last two seconds, kept as ten minima of 200 ms, so that it falls
//! at once, and rises only when nothing quieter has been heard for that long: a talker pauses within
//! two seconds, a fan does not. After the idea of minimum statistics (Martin, IEEE Transactions on
//! Speech and Audio Processing 9(5), 2001), without its spectrum.

use super::Detector;
use crate::level::Level;

/// Frames that share one minimum.
const FRAMES_PER_BLOCK: u32 = 10;
/// Minima remembered.
const BLOCKS: usize = 10;

/// Settings of the [`EnergyDetector`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EnergyConfig {
    /// How far above the floor speech begins, in dB. Default 9.
    pub margin_db: f32,
    /// Nothing quieter is speech, in dBFS. Default -48: mu-law idle noise lies below.
    pub quietest_speech_dbfs: f32,
    /// The floor before anything was heard, in dBFS, and the highest it may rise to: whatever is
    /// louder than this and the margin is always speech. Defaults -60 and -25.
    pub first_floor_dbfs: f32,
    /// See [`first_floor_dbfs`](Self::first_floor_dbfs).
    pub highest_floor_dbfs: f32,
}

impl Default for EnergyConfig {
    fn default() -> Self {
        Self { margin_db: 9.0, quietest_speech_dbfs: -48.0, first_floor_dbfs: -60.0, highest_floor_dbfs: -25.0 }
    }
}

/// Compares each frame's level with an adaptive noise floor.
#[derive(Clone, Debug)]
pub struct EnergyDetector {
    config: EnergyConfig,
    /// Lowest level of each past block, in dBFS, overwritten in turn.
    minima: [f32; BLOCKS],
    oldest: usize,
    /// The block being filled.
    current: f32,
    frames_in_current: u32,
}

impl EnergyDetector {
    /// A detector that has heard nothing yet.
    pub fn new(config: EnergyConfig) -> Self {
        Self { config, minima: [config.first_floor_dbfs; BLOCKS], oldest: 0, current: f32::MAX, frames_in_current: 0 }
    }

    /// What counts as silence now, in dBFS.
    pub fn floor_dbfs(&self) -> f32 {
        let lowest = self.minima.iter().copied().fold(self.current, f32::min);
        lowest.min(self.config.highest_floor_dbfs)
    }

    fn remember(&mut self, level_dbfs: f32) {
        self.current = self.current.min(level_dbfs);
        self.frames_in_current += 1;
        if self.frames_in_current == FRAMES_PER_BLOCK {
            self.minima[self.oldest] = self.current;
            self.oldest = (self.oldest + 1) % BLOCKS;
            (self.current, self.frames_in_current) = (f32::MAX, 0);
        }
    }
}

impl Default for EnergyDetector {
    fn default() -> Self {
        Self::new(EnergyConfig::default())
    }
}

impl Detector for EnergyDetector {
    fn push(&mut self, frame_20ms: &[i16]) -> bool {
        let level = Level::of(frame_20ms).rms_dbfs;
        self.remember(level);
        level >= self.config.quietest_speech_dbfs && level >= self.floor_dbfs() + self.config.margin_db
    }

    fn reset(&mut self) {
        *self = Self::new(self.config);
    }

    fn name(&self) -> &'static str {
        "energy"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;
    use crate::vad::FRAME_SAMPLES;

    fn frame(seed: u64, dbfs: f32) -> Vec<i16> {
        Noise::new(seed, dbfs).take(FRAME_SAMPLES).collect()
    }

    fn flagged(detector: &mut EnergyDetector, frames: u64, dbfs: f32) -> u64 {
        (0..frames).filter(|&seed| detector.push(&frame(seed, dbfs))).count() as u64
    }

    #[test]
    fn silence_is_never_speech() {
        let mut detector = EnergyDetector::default();
        assert!((0..500).all(|_| !detector.push(&[0; FRAME_SAMPLES])));
        assert!(!detector.push(&[]));
    }

    #[test]
    fn a_steady_noise_is_learned_within_its_memory() {
        let mut detector = EnergyDetector::default();
        let before = flagged(&mut detector, 110, -35.0);
        assert!((90..=110).contains(&before), "{before}");
        assert_eq!(flagged(&mut detector, 200, -35.0), 0);
        assert!((detector.floor_dbfs() + 36.0).abs() < 2.0, "{}", detector.floor_dbfs());
    }

    #[test]
    fn speech_over_learned_noise_is_heard_at_once_and_silence_is_relearned_at_once() {
        let mut detector = EnergyDetector::default();
        flagged(&mut detector, 300, -35.0);
        assert!(detector.push(&frame(1, -20.0)));
        detector.push(&frame(2, -70.0));
        assert!(detector.push(&frame(3, -35.0)));
    }

    #[test]
    fn a_loud_voice_without_pauses_stays_speech() {
        let mut detector = EnergyDetector::default();
        assert_eq!(flagged(&mut detector, 500, -14.0), 500);
    }

    #[test]
    fn reset_forgets_the_noise() {
        let mut detector = EnergyDetector::default();
        flagged(&mut detector, 300, -35.0);
        detector.reset();
        assert!(detector.push(&frame(1, -35.0)));
    }
}
