//! Everything that goes into the caller's telephone besides the caller: the place, another person, and our own voice coming back.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_codecs::SampleRate;

use super::cast::{Cast, CastError, Voice};
use super::noise::{self, Background, Noise};
use crate::caller::FRAME_SAMPLES;
use crate::dice::Dice;

/// What surrounds a caller. Nothing, by default.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Surroundings {
    /// What goes on all the time.
    pub background: Option<BackgroundPlan>,
    /// Somebody else in the room.
    pub second_speaker: Option<SecondSpeaker>,
    /// Our own voice, back from the caller's telephone.
    pub echo: Option<Echo>,
    /// Short sounds: mean time from one to the next.
    pub breaths: Option<Every>,
    /// The same, of typing.
    pub typing: Option<Every>,
}

/// A noise and how far it is under the caller's speech.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackgroundPlan {
    /// Which.
    pub noise: Noise,
    /// Speech level less noise level, in dB.
    pub snr_db: f32,
}

/// A person behind the caller who talks to somebody else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecondSpeaker {
    /// Whose voice.
    pub voice: Voice,
    /// How far under the caller's speech, in dB.
    pub under_db: f32,
    /// What they say; nobody is to understand it.
    pub text: String,
    /// Mean time from the end of one go to the next.
    pub every: Every,
}

/// The mean of an exponential wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Every(#[serde(with = "crate::millis")] pub Duration);

/// What the caller's telephone lets through from its loudspeaker to its microphone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Echo {
    /// There and back.
    #[serde(with = "crate::millis")]
    pub delay: Duration,
    /// How far under what is played, in dB. A handset has 40 and more, a loudspeaker in a car 15 to 25.
    pub under_db: f32,
}

/// The surroundings of one call under way.
#[derive(Debug)]
pub struct Room {
    background: Option<Background>,
    sounds: Vec<Recurring>,
    echo: Option<Loopback>,
}

impl Surroundings {
    /// The room, drawn by `seed`; renders the second speaker.
    pub fn room(&self, cast: &Cast, seed: u64) -> Result<Room, CastError> {
        let mut sounds = Vec::new();
        if let Some(second) = &self.second_speaker {
            let voice = attenuated(&cast.murmur(second.voice, &second.text)?, second.under_db);
            sounds.push(Recurring::new(voice, second.every, Dice::stream(seed, "second speaker")));
        }
        if let Some(every) = self.breaths {
            sounds.push(Recurring::new(noise::breath(seed).into(), every, Dice::stream(seed, "breaths")));
        }
        if let Some(every) = self.typing {
            sounds.push(Recurring::new(noise::keyboard(seed).into(), every, Dice::stream(seed, "typing")));
        }
        Ok(Room {
            background: self.background.map(|plan| Background::new(plan.noise, plan.snr_db, seed)),
            sounds,
            echo: self.echo.map(Loopback::new),
        })
    }
}

impl Room {
    /// Adds the room to 20 ms of the caller's voice, during which `played` came out of the telephone.
    pub fn add(&mut self, frame: &mut [i16; FRAME_SAMPLES], played: &[i16; FRAME_SAMPLES]) {
        if let Some(background) = &mut self.background {
            background.add(frame);
        }
        for sound in &mut self.sounds {
            sound.add(frame);
        }
        if let Some(echo) = &mut self.echo {
            echo.add(frame, played);
        }
    }
}

/// A sound that comes again and again.
#[derive(Debug)]
struct Recurring {
    samples: Arc<[i16]>,
    every: Duration,
    dice: Dice,
    /// Samples until it begins again.
    silence: usize,
    /// Next of its samples.
    at: usize,
}

impl Recurring {
    fn new(samples: Arc<[i16]>, every: Every, mut dice: Dice) -> Self {
        let silence = wait(every.0, &mut dice);
        Self { samples, every: every.0, dice, silence, at: 0 }
    }

    fn add(&mut self, frame: &mut [i16]) {
        for sample in frame {
            if self.silence > 0 {
                self.silence -= 1;
                continue;
            }
            *sample = sample.saturating_add(self.samples.get(self.at).copied().unwrap_or_default());
            self.at += 1;
            if self.at >= self.samples.len() {
                self.at = 0;
                self.silence = wait(self.every, &mut self.dice);
            }
        }
    }
}

/// At least a frame, so that a sound is never endless.
fn wait(mean: Duration, dice: &mut Dice) -> usize {
    SampleRate::HZ_8000.samples_in(dice.exponential(mean)).max(FRAME_SAMPLES)
}

/// Our voice on its way back.
#[derive(Debug)]
struct Loopback {
    under_way: VecDeque<i16>,
    gain: f32,
}

impl Loopback {
    fn new(echo: Echo) -> Self {
        let under_way = VecDeque::from(vec![0; SampleRate::HZ_8000.samples_in(echo.delay)]);
        Self { under_way, gain: gain(echo.under_db) }
    }

    fn add(&mut self, frame: &mut [i16], played: &[i16]) {
        self.under_way.extend(played);
        for (sample, echo) in frame.iter_mut().zip(self.under_way.drain(..played.len())) {
            *sample = sample.saturating_add((f32::from(echo) * self.gain) as i16);
        }
    }
}

fn attenuated(samples: &[i16], under_db: f32) -> Arc<[i16]> {
    let gain = gain(under_db);
    samples.iter().map(|&sample| (f32::from(sample) * gain) as i16).collect()
}

fn gain(under_db: f32) -> f32 {
    libm::exp10f(-under_db / 20.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tandem_codecs::Level;

    use super::*;

    const SILENCE: [i16; FRAME_SAMPLES] = [0; FRAME_SAMPLES];

    fn listen(surroundings: &Surroundings, seed: u64, frames: usize, played: &[i16; FRAME_SAMPLES]) -> Vec<i16> {
        let mut room = surroundings.room(&Cast::without_flite(), seed).unwrap();
        let mut out = Vec::new();
        for _ in 0..frames {
            let mut frame = SILENCE;
            room.add(&mut frame, played);
            out.extend(frame);
        }
        out
    }

    #[test]
    fn an_empty_room_is_silent() {
        assert!(listen(&Surroundings::default(), 1, 100, &[1_000; FRAME_SAMPLES]).iter().all(|&sample| sample == 0));
    }

    #[test]
    fn an_echo_comes_late_and_weaker() {
        let echo = Some(Echo { delay: Duration::from_millis(120), under_db: 20.0 });
        let heard = listen(&Surroundings { echo, ..Surroundings::default() }, 1, 10, &[1_000; FRAME_SAMPLES]);
        assert!(heard[..960].iter().all(|&sample| sample == 0));
        assert!(heard[960..].iter().all(|&sample| (99..=100).contains(&sample)));
    }

    #[test]
    fn a_second_speaker_comes_and_goes_by_seed() {
        let second = SecondSpeaker {
            voice: Voice::Formant(9),
            under_db: 12.0,
            text: "has anybody fed the cat".to_owned(),
            every: Every(Duration::from_secs(4)),
        };
        let plan = Surroundings { second_speaker: Some(second), ..Surroundings::default() };
        let heard = listen(&plan, 5, 3_000, &SILENCE);
        assert_eq!(heard, listen(&plan, 5, 3_000, &SILENCE));
        assert_ne!(heard, listen(&plan, 6, 3_000, &SILENCE));
        let spoken: Vec<&[i16]> = heard.chunks(160).filter(|frame| Level::of(frame).rms_dbfs > -50.0).collect();
        assert!((300..2_400).contains(&spoken.len()), "some of a minute: {} frames", spoken.len());
        let loudness = Level::of(&spoken.concat()).rms_dbfs;
        assert!((loudness - (noise::SPEECH_DBFS - 12.0)).abs() < 3.0, "{loudness}");
    }
}
