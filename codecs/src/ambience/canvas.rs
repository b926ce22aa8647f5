//! A round of sound that things are laid on: its end is its beginning.
//!
//! What is laid over the end goes on at the beginning. Filters and echoes run round twice and only the second round is kept, so they too know
//! no end.

use std::f32::consts::TAU;

use super::{LENGTH, LEVEL_DBFS, RATE};
use crate::level::dbfs_to_rms;

/// Samples a second.
pub(super) const HZ: f32 = 8_000.0;
/// Nothing rises further above the mean: 18 dB.
const CREST: f32 = 8.0;

/// Even numbers that anybody can foretell: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 0 to 1.
    pub(super) fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u32 << 24) as f32
    }

    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    pub(super) fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[(self.unit() * of.len() as f32) as usize % of.len()]
    }

    /// White noise, -1 to 1.
    pub(super) fn noise(&mut self) -> f32 {
        self.between(-1.0, 1.0)
    }
}

/// The round.
pub(super) struct Canvas {
    samples: Vec<f32>,
}

impl Canvas {
    pub(super) fn new() -> Self {
        Self { samples: vec![0.0; RATE.samples_in(LENGTH)] }
    }

    /// A round of white noise.
    pub(super) fn noise(dice: &mut Dice) -> Self {
        let mut canvas = Self::new();
        canvas.samples.iter_mut().for_each(|sample| *sample = dice.noise());
        canvas
    }

    /// Its length in seconds.
    pub(super) fn seconds(&self) -> f32 {
        self.samples.len() as f32 / HZ
    }

    /// Lays a sound down from `at` seconds on.
    pub(super) fn lay(&mut self, at: f32, sound: &[f32], gain: f32) {
        let (first, round) = ((at * HZ) as usize, self.samples.len());
        for (n, sample) in sound.iter().enumerate() {
            self.samples[(first + n) % round] += sample * gain;
        }
    }

    /// Lays another round over this one, brought to the mean loudness `rms` first.
    pub(super) fn lay_round(&mut self, other: &Self, rms: f32) {
        let gain = rms / other.rms();
        self.samples.iter_mut().zip(&other.samples).for_each(|(mine, other)| *mine += other * gain);
    }

    /// Takes away what is above `hz`, 6 dB an octave.
    pub(super) fn lower(mut self, hz: f32) -> Self {
        let share = 1.0 - (-TAU * hz / HZ).exp();
        let mut state = 0.0;
        self.twice(|sample, _| {
            state += (sample - state) * share;
            state
        });
        self
    }

    /// Takes away what is below `hz`, 6 dB an octave.
    pub(super) fn higher(mut self, hz: f32) -> Self {
        let share = 1.0 - (-TAU * hz / HZ).exp();
        let mut state = 0.0;
        self.twice(|sample, _| {
            state += (sample - state) * share;
            sample - state
        });
        self
    }

    /// Swells and ebbs: `depth` of the loudness (0 to 1), so many times a round.
    pub(super) fn swell(mut self, times: u32, depth: f32) -> Self {
        let step = TAU * times as f32 / self.samples.len() as f32;
        for (n, sample) in self.samples.iter_mut().enumerate() {
            *sample *= 1.0 - depth * 0.5 * (1.0 + (n as f32 * step).cos());
        }
        self
    }

    /// Puts it in a room: four echoes of lengths that have nothing in common (Schroeder, 1962), each coming back `feedback` as loud.
    pub(super) fn room(mut self, feedback: f32, wet: f32) -> Self {
        let dry = self.samples.clone();
        let mut echoes: Vec<Vec<f32>> = [241, 293, 353, 409].map(|length| vec![0.0; length]).into();
        self.twice(|sample, n| {
            let mut sum = 0.0;
            for echo in &mut echoes {
                let place = n % echo.len();
                let heard = echo[place];
                echo[place] = sample + heard * feedback;
                sum += heard;
            }
            sum / 4.0
        });
        self.samples.iter_mut().zip(&dry).for_each(|(wet_sample, dry)| *wet_sample = *wet_sample * wet + dry);
        self
    }

    /// Runs a filter round twice and keeps the second round.
    fn twice(&mut self, mut filter: impl FnMut(f32, usize) -> f32) {
        for (n, sample) in self.samples.iter().enumerate() {
            filter(*sample, n);
        }
        let round = self.samples.len();
        for (n, sample) in self.samples.iter_mut().enumerate() {
            *sample = filter(*sample, round + n);
        }
    }

    fn rms(&self) -> f32 {
        let squares: f64 = self.samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
        (squares / self.samples.len() as f64).sqrt().max(1e-9) as f32
    }

    /// As it is played: at [`LEVEL_DBFS`], with bent peaks.
    pub(super) fn finish(mut self) -> Vec<i16> {
        let wanted = dbfs_to_rms(LEVEL_DBFS) as f32;
        // Bending takes some loudness away, so it is done before the last look at the level.
        for _ in 0..2 {
            let (gain, most) = (wanted / self.rms(), wanted * CREST);
            self.samples.iter_mut().for_each(|sample| *sample = most * (*sample * gain / most).tanh());
        }
        let gain = wanted / self.rms();
        self.samples.into_iter().map(|sample| (sample * gain).round() as i16).collect()
    }
}
