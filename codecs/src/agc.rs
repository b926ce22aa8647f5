//! Automatic gain: a faint caller becomes louder and a shouting one quieter, slowly, and nothing clips.
//!
//! Place: opt-in, on caller audio before detector and recogniser. Not here: compression within a word, loudness by ear (ITU-R BS.1770).
//!
//! ```text
//! level of speech, 400 ms ──► gain wanted ──► moves by 6 dB a second at most, up by 3 ──► limiter ──► out
//!       in pauses: held                                                              no peak over -1.4 dBFS
//! ```
//!
//! In pauses the gain stands still, so the room does not swell up between sentences ("pumping"): a pause is what is 18 dB under the speech so
//! far, or under [`LEAST_SPEECH_DBFS`]. The gain changes along a line within each block of 10 ms, so it does not click.

use std::time::Duration;

use dasp::ring_buffer::Fixed;
use dasp::rms::Rms;

use crate::frame::SampleRate;
use crate::level::power_to_dbfs;

/// Speech is brought to this.
pub const TARGET_DBFS: f32 = -20.0;
/// What is quieter is no speech.
pub const LEAST_SPEECH_DBFS: f32 = -48.0;
/// Gain at most, and at least, in dB.
pub const MOST_GAIN_DB: f32 = 18.0;
/// See [`MOST_GAIN_DB`].
pub const LEAST_GAIN_DB: f32 = -12.0;

const BLOCK: Duration = Duration::from_millis(10);
/// The level is measured over so much.
const FOLLOWED: Duration = Duration::from_millis(400);
/// Speech is not quieter than its loudest of late by more.
const PAUSE_DB: f32 = 18.0;
/// The loudest of late is forgotten by so much a second of sound.
const FORGET_DB_A_SECOND: f32 = 1.5;
/// Greatest change of the gain in dB a second.
const UP_DB_A_SECOND: f32 = 3.0;
const DOWN_DB_A_SECOND: f32 = 6.0;
/// Changes that nobody hears are not made.
const DEAD_BAND_DB: f32 = 1.5;
/// Peaks above are held down at once, and let up again over [`RELEASE`].
const CEILING: f32 = 0.85 * 32_767.0;
const RELEASE: Duration = Duration::from_millis(200);

/// Levels one stream.
#[derive(Clone, Debug)]
pub struct Agc {
    block: usize,
    rms: Rms<f32, Vec<f32>>,
    /// Samples of the block that is being measured.
    count: usize,
    loudest: f32,
    gain_db: f32,
    /// Factor now, and what it moves by with each sample.
    gain: f32,
    slope: f32,
    /// The limiter's factor, at most 1, and what it recovers by with each sample.
    limit: f32,
    release: f32,
}

impl Agc {
    /// For audio of this rate.
    pub fn new(rate: SampleRate) -> Self {
        let followed = rate.samples_in(FOLLOWED).max(1);
        Self {
            block: rate.samples_in(BLOCK).max(1),
            rms: Rms::new(Fixed::from(vec![0.0; followed])),
            count: 0,
            loudest: LEAST_SPEECH_DBFS,
            gain_db: 0.0,
            gain: 1.0,
            slope: 0.0,
            limit: 1.0,
            release: 1.0 / rate.samples_in(RELEASE).max(1) as f32,
        }
    }

    /// Levels the next samples where they are. Nothing is delayed.
    pub fn process(&mut self, samples: &mut [i16]) {
        for sample in samples {
            let heard = f32::from(*sample);
            let squared = self.rms.next_squared(heard);
            self.gain += self.slope;
            *sample = self.limited(heard * self.gain);
            self.count += 1;
            if self.count == self.block {
                self.count = 0;
                self.steer(power_to_dbfs(f64::from(squared)));
            }
        }
    }

    /// Gain now, in dB.
    pub fn gain_db(&self) -> f32 {
        self.gain_db
    }

    /// A block has ended: where the gain goes in the next.
    fn steer(&mut self, level: f32) {
        let a_block = BLOCK.as_secs_f32();
        self.gain = 10f32.powf(self.gain_db / 20.0);
        self.loudest = level.max(self.loudest);
        if level >= LEAST_SPEECH_DBFS && level >= self.loudest - PAUSE_DB {
            self.loudest = level.max(self.loudest - FORGET_DB_A_SECOND * a_block);
            let wanted = (TARGET_DBFS - level).clamp(LEAST_GAIN_DB, MOST_GAIN_DB);
            if (wanted - self.gain_db).abs() > DEAD_BAND_DB {
                let change = wanted - self.gain_db;
                self.gain_db += change.clamp(-DOWN_DB_A_SECOND * a_block, UP_DB_A_SECOND * a_block);
            }
        }
        self.slope = (10f32.powf(self.gain_db / 20.0) - self.gain) / self.block as f32;
    }

    /// Down to the ceiling. The first crest of a shout gets a flat top below full scale, the next ones keep their shape.
    fn limited(&mut self, sample: f32) -> i16 {
        self.limit = (self.limit + self.release).min(1.0).min(CEILING / sample.abs().max(1.0));
        (sample * self.limit).round() as i16
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::level::Level;
    use crate::noise::Noise;
    use crate::wav;

    const RATE: SampleRate = SampleRate::HZ_8000;

    /// Sentences with pauses, at a gain in dB over their own level, over a room of -65 dBFS.
    fn talk(gain_db: f32, seconds: usize) -> Vec<i16> {
        let speech = wav::read(include_bytes!("../tests/fixtures/apartment.wav").as_slice()).unwrap().samples;
        let gain = 10f32.powf(gain_db / 20.0);
        let sentence = speech.iter().copied().chain([0; 8_000]).map(|sample| (f32::from(sample) * gain) as i16);
        let sentences: Vec<i16> = sentence.collect::<Vec<_>>().into_iter().cycle().take(seconds * 8_000).collect();
        sentences.iter().zip(Noise::new(2, -65.0)).map(|(a, b)| a.saturating_add(b)).collect()
    }

    fn levelled(samples: &[i16]) -> Vec<i16> {
        let (mut agc, mut out) = (Agc::new(RATE), samples.to_vec());
        out.chunks_mut(160).for_each(|frame| agc.process(frame));
        out
    }

    /// Level of the parts that are speech.
    fn loud(samples: &[i16]) -> f32 {
        let blocks = samples.chunks(800).map(Level::of).map(|level| level.rms_dbfs);
        let mut levels: Vec<f32> = blocks.collect();
        levels.sort_by(f32::total_cmp);
        levels[levels.len() * 7 / 10]
    }

    #[test]
    fn faint_and_loud_callers_come_nearer_to_each_other() {
        let faint = levelled(&talk(-20.0, 40));
        let loud_one = levelled(&talk(4.0, 40));
        let (faint, loud_one) = (loud(&faint[200_000..]), loud(&loud_one[200_000..]));
        assert!((loud_one - faint).abs() < 8.0, "24 dB apart became {faint} and {loud_one}");
        assert!((-26.0..-14.0).contains(&faint) && (-26.0..-14.0).contains(&loud_one), "{faint}, {loud_one}");
    }

    #[test]
    fn the_gain_stands_still_in_a_pause() {
        let mut agc = Agc::new(RATE);
        let mut speech = talk(-15.0, 20);
        agc.process(&mut speech);
        let before = agc.gain_db();
        let mut room: Vec<i16> = Noise::new(4, -65.0).take(10 * 8_000).collect();
        let quiet = Level::of(&room).rms_dbfs;
        agc.process(&mut room);
        // The first 400 ms of a pause are still measured with the end of the speech.
        assert!((agc.gain_db() - before).abs() < 1.5, "from {before} to {}", agc.gain_db());
        let lifted = Level::of(&room[8_000..]).rms_dbfs - quiet;
        assert!((lifted - agc.gain_db()).abs() < 0.5, "no more than the gain: {lifted}");
    }

    #[test]
    fn the_gain_moves_slower_than_speech() {
        let mut agc = Agc::new(RATE);
        let mut last = 0.0f32;
        for frame in talk(-20.0, 30).chunks_mut(160) {
            agc.process(frame);
            let moved = agc.gain_db() - last;
            assert!((-0.13..=0.07).contains(&moved), "{moved} dB in 20 ms");
            last = agc.gain_db();
        }
    }

    #[test]
    fn a_sudden_shout_is_held_down_and_keeps_its_shape() {
        let mut agc = Agc::new(RATE);
        agc.process(&mut talk(-20.0, 20));
        let gain = agc.gain_db();
        assert!(gain > 6.0, "{gain}");
        let mut shout = crate::tone::sine(RATE, 300.0, 30_000, Duration::from_millis(200)).samples.to_vec();
        for (n, sample) in shout.iter_mut().take(80).enumerate() {
            *sample = (f32::from(*sample) * n as f32 / 80.0) as i16; // no throat is faster
        }
        agc.process(&mut shout);
        assert!(shout.iter().all(|sample| f32::from(sample.abs()) <= CEILING + 1.0));
        let flat = shout[80..].windows(4).filter(|four| four.iter().all(|sample| *sample == four[0])).count();
        assert_eq!(flat, 0, "flat tops behind the first crests");
        assert_eq!(crate::click::clicks(&shout, RATE), []);
    }

    #[test]
    fn a_caller_of_the_right_level_is_left_alone() {
        let level = loud(&talk(0.0, 20));
        let right = talk(TARGET_DBFS - level, 20);
        let mut agc = Agc::new(RATE);
        agc.process(&mut right.clone());
        assert!(agc.gain_db().abs() < 4.0, "{}", agc.gain_db());
    }
}
