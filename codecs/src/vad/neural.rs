//! The default detector: a small recurrent network decides, WebRTC's detector must agree.
//!
//! The network is earshot: pure Rust, weights in the binary, 8 kB of state. How it is asked, and when
//! it may sleep, is [`Gated`]'s.
//!
//! ```text
//! 8 kHz ─► resample to 16 kHz ─► mirror ─► 256 samples (16 ms) ─► network ─► score
//! ```
//!
//! **The mirror.** The network learned from wideband sound, and a telephone's upper band is empty
//! once upsampled. It then takes any loud noise for a voice: 98 % of white noise at -30 dBFS, against
//! 3 % when the same noise is made at 16 kHz. So we fold a tenth (-20 dB) of the lower band into the upper:
//! noise looks like noise again, voices keep their shape. The tests hold both halves of this claim.
//!
//! 16 ms do not divide 20: a frame brings one network step, every fourth or so two, and up to 17 ms
//! of it are judged with the next (15 waiting for a full step, 2 in the resampler).

use super::gated::{Gated, Network, NeuralConfig};
use super::{FRAME_RATE, FRAME_SAMPLES};
use crate::frame::SampleRate;
use crate::framer::Framer;
use crate::resample::Resampler;

/// What the network was trained on.
const NETWORK_RATE: SampleRate = SampleRate::HZ_16000;
/// One step of the network: 16 ms.
const NETWORK_SAMPLES: usize = 256;

/// What is folded into the upper band, as a divisor of the amplitude: -20 dB.
const MIRROR_DIVISOR: i16 = 10;

/// The default engine.
pub type NeuralDetector = Gated<Earshot>;

/// earshot's network, hearing a telephone.
pub struct Earshot {
    upsample: Resampler,
    /// Between the resampler and the network; kept to spare an allocation a frame.
    wideband: Vec<i16>,
    steps: Framer,
    network: Box<earshot::Detector>,
}

impl Default for Earshot {
    fn default() -> Self {
        Self {
            upsample: Resampler::new(FRAME_RATE, NETWORK_RATE),
            wideband: Vec::new(),
            steps: Framer::new(NETWORK_SAMPLES),
            network: earshot::Detector::default_boxed(),
        }
    }
}

impl Network for Earshot {
    /// Half a second. The judgements are then those of a network that heard everything, but for one frame
    /// in a hundred; see the tests.
    const BACKLOG: usize = 25 * FRAME_SAMPLES;

    fn hear(&mut self, samples: &[i16]) -> Option<f32> {
        self.wideband.clear();
        self.upsample.process(samples, &mut self.wideband);
        mirror(&mut self.wideband);
        self.steps.push(&self.wideband);
        let mut best = None;
        while let Some(step) = self.steps.next_frame() {
            let score = self.network.predict_i16(step);
            best = Some(best.map_or(score, |b: f32| b.max(score)));
        }
        best
    }

    fn reset(&mut self) {
        self.upsample.reset();
        self.steps.clear();
        self.network.reset();
    }

    fn name(&self) -> &'static str {
        "neural"
    }
}

impl Gated<Earshot> {
    /// A detector that has heard nothing yet.
    pub fn new(config: NeuralConfig) -> Self {
        Self::with(Earshot::default(), config)
    }
}

impl Default for Gated<Earshot> {
    fn default() -> Self {
        Self::new(NeuralConfig::default())
    }
}

/// Adds the lower half of the spectrum, turned around and 20 dB down, to the upper half.
///
/// Changing the sign of every second sample turns a spectrum around, so the sum is a little more of
/// the even samples and a little less of the odd. The resampler always returns pairs of them, hence
/// even and odd mean the same in every call.
fn mirror(wideband: &mut [i16]) {
    for pair in wideband.as_chunks_mut::<2>().0 {
        pair[0] = pair[0].saturating_add(pair[0] / MIRROR_DIVISOR);
        pair[1] -= pair[1] / MIRROR_DIVISOR;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;
    use crate::tone;
    use crate::vad::Detector;

    const BACKLOG: usize = Earshot::BACKLOG;

    #[test]
    fn every_frame_is_scored_from_the_first() {
        let samples: Vec<i16> = Noise::new(1, -20.0).take(FRAME_SAMPLES * 50).collect();
        let mut network = Earshot::default();
        for frame in samples.chunks(FRAME_SAMPLES) {
            assert!(network.hear(frame).is_some_and(|score| (0.0..=1.0).contains(&score)));
            assert!(network.steps.remainder().len() < NETWORK_SAMPLES);
        }
    }

    /// Sentences with silence before each that is longer than the backlog.
    fn talk(noise_dbfs: f32) -> Vec<i16> {
        let files: [&[u8]; 3] = [
            include_bytes!("../../tests/fixtures/apartment.wav"),
            include_bytes!("../../tests/fixtures/fifty_lakh.wav"),
            include_bytes!("../../tests/fixtures/yes.wav"),
        ];
        let mut talk = Vec::new();
        for file in files {
            talk.resize(talk.len() + 3 * BACKLOG, 0);
            talk.extend_from_slice(&crate::wav::read(file).expect("the fixture is a wav file").samples);
        }
        talk.into_iter().zip(Noise::new(7, noise_dbfs)).map(|(sample, noise)| sample.saturating_add(noise)).collect()
    }

    #[test]
    fn a_network_that_slept_judges_as_one_that_heard_everything() {
        for noise_dbfs in [-90.0, -60.0, -45.0, -30.0] {
            let mut sleeper = NeuralDetector::default();
            let mut awake = NeuralDetector::default();
            awake.backlog = usize::MAX;
            let talk = talk(noise_dbfs);
            let differ = |frame: &&[i16]| sleeper.push(frame) != awake.push(frame);
            let differences = talk.chunks_exact(FRAME_SAMPLES).filter(differ).count();
            let frames = talk.len() / FRAME_SAMPLES;
            println!("noise of {noise_dbfs} dBFS: {differences} of {frames} frames differ");
            assert!(differences * 100 <= frames, "noise of {noise_dbfs} dBFS: {differences} of {frames} frames");
        }
    }

    #[test]
    fn the_network_sleeps_while_the_gate_is_shut_and_its_backlog_is_bounded() {
        let mut detector = NeuralDetector::default();
        for _ in 0..1_000 {
            assert!(!detector.push(&[0; FRAME_SAMPLES]));
        }
        assert_eq!((detector.unheard.len(), detector.score()), (BACKLOG, 0.0));
        assert!(detector.network.steps.remainder().is_empty(), "it has heard nothing");
    }

    fn scores(detector: &mut NeuralDetector) -> Vec<f32> {
        let samples: Vec<i16> = Noise::new(1, -20.0).take(FRAME_SAMPLES * 50).collect();
        let judge = |frame: &[i16]| {
            detector.push(frame);
            detector.score()
        };
        samples.chunks(FRAME_SAMPLES).map(judge).collect()
    }

    #[test]
    fn reset_makes_it_like_new() {
        let mut detector = NeuralDetector::default();
        let first = scores(&mut detector);
        detector.reset();
        assert_eq!(scores(&mut detector), first);
    }

    #[test]
    fn the_mirror_folds_a_tenth_around_4_khz_across_frames() {
        let low: Vec<i16> = tone::Sine::new(FRAME_RATE, 1_000.0, 10_000).take(1_600).collect();
        let mut network = Earshot::default();
        let mut heard = Vec::new();
        for frame in low.chunks(FRAME_SAMPLES) {
            network.hear(frame);
            heard.extend_from_slice(&network.wideband);
        }
        let power = |hz| tone::power_dbfs(&heard[320..2_880], NETWORK_RATE, hz);
        assert!((power(1_000.0) - power(7_000.0) - 20.0).abs() < 0.1);
        assert!(power(5_000.0) < -70.0);
    }

    /// Per cent of network steps above its author's threshold.
    fn called_voice(wideband: &[i16]) -> usize {
        let mut network = earshot::Detector::default();
        let steps = wideband.chunks_exact(NETWORK_SAMPLES);
        let total = steps.len();
        100 * steps.filter(|step| network.predict_i16(step) >= 0.5).count() / total
    }

    #[test]
    fn upsampled_noise_is_a_voice_to_the_network_until_it_is_mirrored() {
        let narrow: Vec<i16> = Noise::new(1, -30.0).take(80_000).collect();
        let native: Vec<i16> = Noise::new(1, -30.0).take(160_000).collect();
        let mut upsampled = crate::resample_all(&narrow, FRAME_RATE, NETWORK_RATE);
        let plain = called_voice(&upsampled);
        mirror(&mut upsampled);
        assert!(called_voice(&native) <= 5);
        // Should this ever fail, the network has learned telephony and the mirror can go.
        assert!(plain >= 90, "{plain}");
        assert_eq!(called_voice(&upsampled), 0);
    }

    #[test]
    fn odd_lengths_are_survived() {
        let mut detector = NeuralDetector::default();
        for len in [0, 1, 159, 161, 1_000] {
            assert!(!detector.push(&vec![0; len]));
        }
    }
}
