//! Suppression of noise by a small recurrent network (RNNoise, by the crate nnnoiseless): fans, traffic, babble behind the voice.
//!
//! Place: opt-in, on caller audio before detector and recogniser; the feature `denoise`. It hurts recognition of clean speech a little and costs
//! more than all else a call does, so it is off unless asked for. Not here: echo, which telephones and browsers take away themselves.
//!
//! The network hears 48 kHz in frames of 10 ms, so audio goes up and comes down again. A sample in is a sample out; what comes out is
//! [`Denoiser::DELAY`] and the network's own 10 ms late.

use std::collections::VecDeque;
use std::time::Duration;

use nnnoiseless::DenoiseState;

use crate::frame::SampleRate;
use crate::framer::Framer;
use crate::resample::Resampler;

/// Cleans one stream.
pub struct Denoiser {
    up: Resampler,
    framer: Framer<i16>,
    network: Box<DenoiseState<'static>>,
    down: Resampler,
    wide: Vec<i16>,
    narrow: Vec<i16>,
    /// Cleaned and not yet given. Begins with the delay's silence, so that it is never empty.
    ready: VecDeque<i16>,
}

impl Denoiser {
    /// What a frame and both resamplers hold back.
    pub const DELAY: Duration = Duration::from_millis(15);

    /// For audio of this rate, from 8 kHz up.
    pub fn new(rate: SampleRate) -> Self {
        Self {
            up: Resampler::new(rate, SampleRate::HZ_48000),
            framer: Framer::new(DenoiseState::FRAME_SIZE),
            network: DenoiseState::new(),
            down: Resampler::new(SampleRate::HZ_48000, rate),
            wide: Vec::new(),
            narrow: Vec::new(),
            ready: vec![0; rate.samples_in(Self::DELAY)].into(),
        }
    }

    /// Cleans the next samples where they are: the beginning of the stream is silence of [`DELAY`](Self::DELAY).
    pub fn process(&mut self, samples: &mut [i16]) {
        self.wide.clear();
        self.up.process(samples, &mut self.wide);
        self.framer.push(&self.wide);
        while let Some(frame) = self.framer.next_frame() {
            let mut noisy = [0.0; DenoiseState::FRAME_SIZE];
            noisy.iter_mut().zip(frame).for_each(|(to, from)| *to = f32::from(*from));
            let mut clean = [0.0; DenoiseState::FRAME_SIZE];
            self.network.process_frame(&mut clean, &noisy);
            let clean = clean.map(|sample| sample.round() as i16); // a float cast saturates
            self.narrow.clear();
            self.down.process(&clean, &mut self.narrow);
            self.ready.extend(&self.narrow);
        }
        for sample in samples {
            *sample = self.ready.pop_front().unwrap_or(0); // never empty: the delay covers what is held back
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::level::Level;
    use crate::noise::Noise;
    use crate::wav;

    fn noisy_speech(noise_dbfs: f32) -> (Vec<i16>, Vec<i16>) {
        let speech = wav::read(include_bytes!("../tests/fixtures/apartment.wav").as_slice()).unwrap().samples;
        let clean: Vec<i16> = [vec![0; 16_000], speech.to_vec(), vec![0; 16_000]].concat();
        let noisy = clean.iter().zip(Noise::new(6, noise_dbfs)).map(|(a, b)| a.saturating_add(b)).collect();
        (clean, noisy)
    }

    fn cleaned(samples: &[i16], chunk: usize) -> Vec<i16> {
        let (mut denoiser, mut out) = (Denoiser::new(SampleRate::HZ_8000), samples.to_vec());
        out.chunks_mut(chunk).for_each(|frame| denoiser.process(frame));
        out
    }

    #[test]
    fn noise_goes_and_speech_stays() {
        let (clean, noisy) = noisy_speech(-35.0);
        let out = cleaned(&noisy, 160);
        let room = |samples: &[i16]| Level::of(&samples[8_000..16_000]).rms_dbfs;
        let voice = |samples: &[i16]| Level::of(&samples[20_000..30_000]).rms_dbfs;
        println!(
            "room {:.1} to {:.1} dBFS, voice {:.1} to {:.1}",
            room(&noisy),
            room(&out),
            voice(&noisy),
            voice(&out)
        );
        assert!(room(&out) < room(&noisy) - 10.0, "{} to {}", room(&noisy), room(&out));
        assert!((voice(&out) - voice(&clean)).abs() < 3.0, "{} to {}", voice(&clean), voice(&out));
    }

    #[test]
    fn a_sample_in_is_a_sample_out_in_any_chunks() {
        let (_, noisy) = noisy_speech(-40.0);
        let whole = cleaned(&noisy, 160);
        for chunk in [1, 7, 80, 333, 4_000] {
            assert!(cleaned(&noisy, chunk) == whole, "in chunks of {chunk}");
        }
        assert_eq!(whole[..120], [0; 120]);
    }
}
