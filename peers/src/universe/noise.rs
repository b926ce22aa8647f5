//! Sounds that are not the caller's words: what a street, a crowd, the mains or a bad line add, and what people do besides talking.
//!
//! Everything that lasts is a loop of a few seconds, made once a process at a level of one and mixed in at the level asked for, so that a
//! call costs a multiplication a sample. Nothing reaches above 2.75 kHz, where the watermark of [`crate::voice`] has its room: what
//! noise does to a recogniser is drawn at measured rates ([`crate::vendor::RecognitionErrors`]); what it does to detectors of speech
//! is real.

use std::f32::consts::TAU;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::dice::Dice;
use crate::voice::{RATE_HZ, Talker, below_the_watermark};

/// Level of the callers' speech in dBFS, to which a signal-to-noise ratio relates.
pub const SPEECH_DBFS: f32 = -21.0;
/// Length of a loop: long enough that its beat is no rhythm.
const LOOP_SAMPLES: usize = 8 * RATE_HZ as usize;
/// Speakers of a babble: fewer would be voices, more would be a hiss.
const CROWD: u64 = 6;

/// What goes on behind the caller for the whole call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Noise {
    /// Traffic: low, and swelling as cars pass.
    Street,
    /// Many people talking at once.
    Babble,
    /// The mains, 50 Hz and what a bad rectifier makes of it.
    Hum,
    /// An even hiss.
    White,
}

impl Noise {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Street, Self::Babble, Self::Hum, Self::White];

    /// The loop, with a root mean square of 1.
    fn samples(self) -> &'static [f32] {
        static LOOPS: LazyLock<[Vec<f32>; 4]> = LazyLock::new(|| Noise::ALL.map(Noise::record));
        &LOOPS[self as usize]
    }

    fn record(self) -> Vec<f32> {
        let mut dice = Dice::stream(1, "noise loop");
        let mut white = || (dice.unit() * 2.0 - 1.0) as f32;
        let raw: Vec<f32> = match self {
            Self::White => (0..LOOP_SAMPLES).map(|_| white()).collect(),
            Self::Street => {
                let mut rumble = 0.0;
                (0..LOOP_SAMPLES)
                    .map(|at| {
                        // one pole at 200 Hz, and three cars in a loop
                        rumble += 0.145 * (white() - rumble);
                        let passing = 0.5 - 0.5 * cosine(3.0 * at as f32 / LOOP_SAMPLES as f32);
                        rumble * (0.4 + passing) + 0.02 * white()
                    })
                    .collect()
            }
            Self::Hum => (0..LOOP_SAMPLES)
                .map(|at| {
                    let cycles = at as f32 * 50.0 / RATE_HZ as f32;
                    [(1.0, 1.0), (3.0, 0.6), (5.0, 0.4), (7.0, 0.25)]
                        .iter()
                        .map(|(harmonic, share)| share * cosine(harmonic * cycles))
                        .sum()
                })
                .collect(),
            Self::Babble => {
                let mut crowd = vec![0.0; LOOP_SAMPLES];
                for speaker in 0..CROWD {
                    let voice = Talker::numbered(7 * speaker + 3).murmur(CROWD_TALK[speaker as usize]);
                    // each begins elsewhere in the loop, and repeats himself until it is full
                    let from = speaker as usize * LOOP_SAMPLES / CROWD as usize;
                    for at in 0..LOOP_SAMPLES {
                        crowd[(from + at) % LOOP_SAMPLES] += f32::from(voice[at % voice.len()]);
                    }
                }
                crowd
            }
        };
        at_level_one(below_the_watermark(&raw))
    }
}

const CROWD_TALK: [&str; CROWD as usize] = [
    "and then she told me that they would not come before the evening after all",
    "two of the large ones please and one without sugar",
    "have you seen the match yesterday it was over in the first hour",
    "the next train leaves from the other platform at a quarter past",
    "I have been waiting here since half past nine this morning",
    "no the blue one the one that hangs in the window over there",
];

/// A noise at a level below the caller's speech, from somewhere in its loop.
#[derive(Debug, Clone)]
pub struct Background {
    samples: &'static [f32],
    gain: f32,
    at: usize,
}

impl Background {
    /// `snr_db` below the speech of callers; the seed says where in the loop it begins.
    pub fn new(noise: Noise, snr_db: f32, seed: u64) -> Self {
        let at = Dice::stream(seed, "noise start").within(0..LOOP_SAMPLES as u64) as usize;
        Self { samples: noise.samples(), gain: amplitude(SPEECH_DBFS - snr_db), at }
    }

    /// Adds the next stretch to `frame`.
    pub fn add(&mut self, frame: &mut [i16]) {
        for sample in frame {
            let noise = self.samples[self.at] * self.gain;
            *sample = sample.saturating_add(noise as i16);
            self.at = (self.at + 1) % LOOP_SAMPLES;
        }
    }
}

/// One cough, or two: 300 to 700 ms, as loud as speech and a little more.
pub fn cough(seed: u64) -> Vec<i16> {
    let mut dice = Dice::stream(seed, "cough");
    let mut out = Vec::new();
    for _ in 0..=dice.within(0..2) {
        let length = dice.within(1_800..2_800) as usize;
        let mut throat = 0.0_f32;
        let burst = (0..length).map(|at| {
            // a burst of air that dies away, coloured by an open throat at 500 to 900 Hz
            let decay = libm::expf(-4.0 * at as f32 / length as f32);
            let onset = (at as f32 / 60.0).min(1.0);
            throat += 0.4 * ((dice.unit() * 2.0 - 1.0) as f32 - throat);
            throat * onset * decay * (1.0 + 0.6 * cosine(700.0 * at as f32 / RATE_HZ as f32))
        });
        let burst: Vec<f32> = burst.collect();
        out.extend(burst);
        out.extend(std::iter::repeat_n(0.0, 480));
    }
    to_level(&out, SPEECH_DBFS + 2.0)
}

/// A breath into the telephone: 700 ms, 24 dB under speech.
pub fn breath(seed: u64) -> Vec<i16> {
    let mut dice = Dice::stream(seed, "breath");
    let length = 5_600;
    let mut air = 0.0_f32;
    let breath: Vec<f32> = (0..length)
        .map(|at| {
            air += 0.5 * ((dice.unit() * 2.0 - 1.0) as f32 - air);
            air * (0.5 - 0.5 * cosine(at as f32 / length as f32))
        })
        .collect();
    to_level(&breath, SPEECH_DBFS - 24.0)
}

/// Somebody types: two seconds of keys, each a click of 6 ms about 14 dB under speech.
pub fn keyboard(seed: u64) -> Vec<i16> {
    let mut dice = Dice::stream(seed, "keyboard");
    let mut out = vec![0.0_f32; 2 * RATE_HZ as usize];
    let mut at = dice.within(0..800) as usize;
    while at + 48 < out.len() {
        for offset in 0..48 {
            out[at + offset] += (dice.unit() * 2.0 - 1.0) as f32 * libm::expf(-(offset as f32) / 12.0);
        }
        at += dice.within(700..2_400) as usize;
    }
    let peak = out.iter().fold(1e-9_f32, |peak, sample| peak.max(sample.abs()));
    let gain = 3.0 * amplitude(SPEECH_DBFS - 14.0) / peak;
    below_the_watermark(&out).into_iter().map(|sample| (sample * gain) as i16).collect()
}

/// Keys as the network sends them in band: 100 ms each with 60 ms between (ITU-T Q.23 and Q.24), -10 dBFS a tone.
/// What is no key is left out.
pub fn dtmf(keys: &str) -> Vec<i16> {
    const ROWS_HZ: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
    const COLUMNS_HZ: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
    const PAD: [&str; 4] = ["123A", "456B", "789C", "*0#D"];
    let peak = amplitude(-10.0) * std::f32::consts::SQRT_2;
    let mut out = Vec::new();
    for key in keys.chars() {
        let place = PAD.iter().enumerate().find_map(|(row, keys)| Some((row, keys.find(key)?)));
        let Some((row, column)) = place else { continue };
        out.extend((0..800).map(|at| {
            let tone = |hz: f32| cosine(hz * at as f32 / RATE_HZ as f32 - 0.25);
            (peak * (tone(ROWS_HZ[row]) + tone(COLUMNS_HZ[column]))) as i16
        }));
        out.extend(std::iter::repeat_n(0, 480));
    }
    out
}

/// Cosine by cycles; `libm`'s, which is the same on every machine.
fn cosine(cycles: f32) -> f32 {
    libm::cosf(TAU * (cycles - libm::floorf(cycles)))
}

/// dBFS to a root mean square in 16-bit steps.
fn amplitude(dbfs: f32) -> f32 {
    32_768.0 * libm::exp10f(dbfs / 20.0)
}

fn at_level_one(mut sound: Vec<f32>) -> Vec<f32> {
    let power = sound.iter().map(|sample| sample * sample).sum::<f32>() / sound.len().max(1) as f32;
    let gain = 1.0 / libm::sqrtf(power).max(1e-9);
    sound.iter_mut().for_each(|sample| *sample *= gain);
    sound
}

fn to_level(sound: &[f32], dbfs: f32) -> Vec<i16> {
    let gain = amplitude(dbfs);
    at_level_one(below_the_watermark(sound)).into_iter().map(|sample| (sample * gain) as i16).collect()
}

#[cfg(test)]
mod tests {
    use tandem_codecs::tone::power_dbfs;
    use tandem_codecs::{Level, SampleRate};

    use super::*;
    use crate::voice::{Listener, transcript};

    fn of(noise: Noise, snr_db: f32, seed: u64, samples: usize) -> Vec<i16> {
        let mut out = vec![0; samples];
        let mut background = Background::new(noise, snr_db, seed);
        out.chunks_mut(160).for_each(|frame| background.add(frame));
        out
    }

    #[test]
    fn backgrounds_are_at_their_level_and_repeat_by_seed() {
        for noise in Noise::ALL {
            for snr_db in [5.0, 20.0] {
                let level = Level::of(&of(noise, snr_db, 1, LOOP_SAMPLES)).rms_dbfs;
                assert!((level - (SPEECH_DBFS - snr_db)).abs() < 1.0, "{noise:?} at {snr_db}: {level}");
            }
            assert_eq!(of(noise, 10.0, 3, 4_000), of(noise, 10.0, 3, 4_000));
            assert_ne!(of(noise, 10.0, 3, 4_000), of(noise, 10.0, 4, 4_000), "{noise:?}");
        }
    }

    #[test]
    fn words_come_through_every_noise() {
        let said = "I want a flat in Delhi for sixty lakh";
        for noise in Noise::ALL {
            let mut line = crate::voice::speak(said);
            line.resize(line.len() + 800, 0);
            Background::new(noise, 5.0, 2).add(&mut line);
            let mut listener = Listener::new();
            let heard = [listener.push(&line), listener.finish()].concat();
            assert_eq!(transcript(&heard), said, "{noise:?}");
        }
    }

    #[test]
    fn sounds_of_people_have_no_words_and_their_own_length() {
        for seed in 0..20 {
            let (cough, breath, keys) = (cough(seed), breath(seed), keyboard(seed));
            assert!((2_200..6_600).contains(&cough.len()), "{}", cough.len());
            assert!(Level::of(&cough).rms_dbfs > SPEECH_DBFS, "a cough is loud");
            assert!(Level::of(&breath).rms_dbfs < SPEECH_DBFS - 20.0, "a breath is not");
            assert!((-60.0..-30.0).contains(&Level::of(&keys).rms_dbfs), "{:?}", Level::of(&keys));
            for sound in [cough, breath, keys] {
                assert_eq!(Listener::new().push(&sound), []);
            }
        }
        assert_ne!(cough(1), cough(2));
    }

    #[test]
    fn keys_are_two_tones_each() {
        let tones = dtmf("5x#");
        assert_eq!(tones.len(), 2 * (800 + 480), "x is no key");
        let level = |from: usize, hz| power_dbfs(&tones[from..from + 800], SampleRate::HZ_8000, hz);
        for (from, present, absent) in [(0, [770.0, 1_336.0], 852.0), (1_280, [941.0, 1_477.0], 697.0)] {
            for hz in present {
                assert!((level(from, hz) + 10.0).abs() < 0.5, "{hz} Hz: {}", level(from, hz));
            }
            assert!(level(from, absent) < -30.0);
        }
    }
}
