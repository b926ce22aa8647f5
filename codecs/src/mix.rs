//! One sound under another: gains that move without a step, a limit without a corner, and a bed that is looped under a voice.
//!
//! Place: the last step before a stream is encoded. Not here: what the bed sounds like ([`crate::ambience`]), and when it plays.
//!
//! ```text
//! voice ───────────────────────────┐
//! bed ─► level (starts, ends) ─► duck ─► + ─► limit ─► out
//! ```

use std::sync::Arc;
use std::time::Duration;

use crate::frame::SampleRate;

/// A bed that begins rises over this, and one that ends falls.
const RISE: Duration = Duration::from_millis(40);
/// A bed gives way, and comes back, over this.
const DUCK: Duration = Duration::from_millis(100);
/// A bed that gives way is quieter by 9 dB.
const DUCKED: f32 = 0.355;
/// Full volume over the least: 18 dB.
const RANGE_DB: f32 = 18.0;
/// Sums above this are bent, so that nothing is cut off square: 1.4 dB under full scale.
const KNEE: f32 = 28_000.0;

/// A gain on its way to another, a sample at a time.
#[derive(Clone, Copy, Debug)]
pub struct Gain {
    now: f32,
    target: f32,
    step: f32,
}

impl Gain {
    /// One that stands still.
    pub fn new(gain: f32) -> Self {
        Self { now: gain, target: gain, step: 0.0 }
    }

    /// Moves to `target` within `samples`, from wherever it is.
    pub fn to(&mut self, target: f32, samples: usize) {
        (self.target, self.step) = (target, (target - self.now) / samples.max(1) as f32);
    }

    /// Whether it stands still.
    pub fn is_still(&self) -> bool {
        self.now == self.target
    }

    /// For the next sample.
    pub fn advance(&mut self) -> f32 {
        let left = self.target - self.now;
        self.now = if left.abs() <= self.step.abs() { self.target } else { self.now + self.step };
        self.now
    }
}

/// A sample of a sum: as it is up to -1.4 dBFS, bent above, never beyond full scale.
pub fn limited(sum: f32) -> i16 {
    let size = sum.abs();
    if size <= KNEE {
        return sum.round() as i16;
    }
    let room = f32::from(i16::MAX) - KNEE;
    (KNEE + room * ((size - KNEE) / room).tanh()).copysign(sum).round() as i16
}

/// The gain of a volume from 0 to 1: silence at 0, then 18 dB up to the sound as it is at 1. Ears count in decibels, so should a slider.
pub fn volume_gain(volume: f32) -> f32 {
    if volume.is_nan() || volume <= 0.0 {
        return 0.0;
    }
    10f32.powf((volume.min(1.0) - 1.0) * RANGE_DB / 20.0)
}

/// A sound that goes round under others. The sound is shared; what is its own is a place in it and two gains.
#[derive(Clone, Debug)]
pub struct Bed {
    round: Arc<[i16]>,
    place: usize,
    level: Gain,
    duck: Gain,
    gain: f32,
    rise: usize,
    ducking: usize,
}

impl Bed {
    /// `round` at `volume` (0 to 1, see [`volume_gain`]), beginning at a place that `seed` chooses, with a rise.
    pub fn new(rate: SampleRate, round: Arc<[i16]>, volume: f32, seed: u64) -> Self {
        let place = if round.is_empty() { 0 } else { (seed % round.len() as u64) as usize };
        let mut bed = Self {
            round,
            place,
            level: Gain::new(0.0),
            duck: Gain::new(1.0),
            gain: volume_gain(volume),
            rise: rate.samples_in(RISE),
            ducking: rate.samples_in(DUCK),
        };
        bed.rise();
        bed
    }

    /// Begins again from silence: what had been sent of it is gone.
    pub fn rise(&mut self) {
        self.level = Gain::new(0.0);
        self.level.to(self.gain, self.rise);
    }

    /// Ends, with a fall.
    pub fn fall(&mut self) {
        self.gain = 0.0;
        self.level.to(0.0, self.rise);
    }

    /// Whether it has ended, and nothing more is heard of it.
    pub fn is_over(&self) -> bool {
        self.gain == 0.0 && self.level.is_still()
    }

    /// Gives way to somebody who speaks, or comes back.
    pub fn duck(&mut self, ducked: bool) {
        self.duck.to(if ducked { DUCKED } else { 1.0 }, self.ducking);
    }

    /// Goes on under `samples`.
    pub fn mix(&mut self, samples: &mut [i16]) {
        if self.round.is_empty() {
            return;
        }
        if self.level.is_still() && self.duck.is_still() {
            let gain = self.level.now * self.duck.now;
            self.add(samples, || gain);
        } else {
            let (mut level, mut duck) = (self.level, self.duck);
            self.add(samples, || level.advance() * duck.advance());
            (self.level, self.duck) = (level, duck);
        }
    }

    fn add(&mut self, mut samples: &mut [i16], mut gain: impl FnMut() -> f32) {
        while !samples.is_empty() {
            let run = samples.len().min(self.round.len() - self.place);
            let (now, later) = samples.split_at_mut(run);
            for (sample, bed) in now.iter_mut().zip(&self.round[self.place..]) {
                *sample = limited(f32::from(*sample) + f32::from(*bed) * gain());
            }
            self.place = (self.place + run) % self.round.len();
            samples = later;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::Level;

    const RATE: SampleRate = SampleRate::HZ_8000;

    fn bed(volume: f32) -> Bed {
        Bed::new(RATE, vec![1_000; 700].into(), volume, 3)
    }

    fn alone(bed: &mut Bed, samples: usize) -> Vec<i16> {
        let mut out = vec![0; samples];
        bed.mix(&mut out);
        out
    }

    #[test]
    fn a_bed_rises_and_then_stands() {
        let out = alone(&mut bed(1.0), 1_000);
        assert!(out[0] < 10 && out[..320].is_sorted() && out[320..].iter().all(|&sample| sample == 1_000));
    }

    #[test]
    fn a_bed_that_ends_falls() {
        let mut bed = bed(1.0);
        alone(&mut bed, 400);
        bed.fall();
        assert!(!bed.is_over());
        let out = alone(&mut bed, 400);
        assert!(out[0] > 990 && out.is_sorted_by(|a, b| a >= b) && out[320] == 0 && bed.is_over());
    }

    #[test]
    fn who_speaks_has_nine_decibels_more_room() {
        let mut bed = bed(1.0);
        alone(&mut bed, 800);
        bed.duck(true);
        let down = alone(&mut bed, 1_600);
        assert!(down.windows(2).all(|pair| pair[0] - pair[1] <= 1), "no step");
        assert_eq!(down[1_599], 355);
        bed.duck(false);
        assert_eq!(alone(&mut bed, 1_600)[1_599], 1_000);
    }

    #[test]
    fn volume_is_in_decibels() {
        assert_eq!((volume_gain(1.0), volume_gain(7.0)), (1.0, 1.0));
        assert_eq!((volume_gain(0.0), volume_gain(-1.0), volume_gain(f32::NAN)), (0.0, 0.0, 0.0));
        assert!((20.0 * volume_gain(0.5).log10() + 9.0).abs() < 1e-3);
    }

    #[test]
    fn a_sum_is_never_cut_off_square() {
        assert_eq!((limited(27_999.4), limited(-12.6)), (27_999, -13));
        let sums: Vec<i16> = (0..70).map(|n| limited(n as f32 * 1_000.0)).collect();
        assert!(sums.is_sorted() && sums[32] < i16::MAX && sums[69] == i16::MAX);
        assert_eq!(limited(-70_000.0), -i16::MAX);
    }

    #[test]
    fn the_place_in_the_round_is_the_seeds_and_it_goes_round() {
        let round: Arc<[i16]> = (0..500).collect();
        let play =
            |seed| alone(&mut Bed { level: Gain::new(1.0), ..Bed::new(RATE, Arc::clone(&round), 1.0, seed) }, 600);
        assert_eq!((play(20)[0], play(520)[0], play(20)[480]), (20, 20, 0));
        assert_eq!(alone(&mut Bed::new(RATE, Vec::new().into(), 1.0, 9), 4), [0; 4], "no sound is no bed");
    }

    #[test]
    fn a_voice_over_a_bed_is_the_voice() {
        let mut voice = vec![10_000; 1_600];
        bed(0.5).mix(&mut voice);
        assert!((Level::of(&voice[800..]).rms_dbfs - Level::of(&[10_355; 800]).rms_dbfs).abs() < 0.01);
    }
}
