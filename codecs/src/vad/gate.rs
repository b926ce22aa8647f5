//! WebRTC's voice detector: Gaussian mixtures over six bands, fixed point, about a microsecond a
//! frame.
//!
//! It reacts within one frame and holds on for a few, which makes it a good gate and a trigger-happy
//! judge: it takes steady noise of -30 dBFS for voice, tones as well, and often the first frames of a
//! stream, before it has learned the line.
//! The C code (libfvad) comes with the `webrtc-vad` crate; this file is all that names it.

use webrtc_vad::{SampleRate, Vad, VadMode};

use super::{Detector, FRAME_SAMPLES};

/// How eager the detector is. Each step calls less noise speech, and misses more speech.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GateMode {
    /// Misses least.
    Quality,
    /// Between the first and the third.
    LowBitrate,
    /// The usual choice for a detector that judges alone.
    #[default]
    Aggressive,
    /// Called speech only when sure.
    VeryAggressive,
}

impl GateMode {
    fn native(self) -> VadMode {
        match self {
            Self::Quality => VadMode::Quality,
            Self::LowBitrate => VadMode::LowBitrate,
            Self::Aggressive => VadMode::Aggressive,
            Self::VeryAggressive => VadMode::VeryAggressive,
        }
    }
}

/// The native detector, which may be moved between threads.
struct Native(Vad);

// SAFETY: `Vad` is `!Send` only because it holds a raw pointer. It is the sole owner of the block
// behind it: allocated in its constructor, freed in its `Drop`, handed out by no method, not `Clone`.
// The C code (libfvad as shipped in webrtc-vad 0.4.0, read for this) keeps all state in that block:
// its only statics are `const` tables, it uses no thread-local storage, and no lock or thread.
// So at any time one thread can reach the state, and which one does not matter. `Sync` is not
// claimed.
#[expect(unsafe_code, reason = "a raw pointer hides that the state may change threads")]
unsafe impl Send for Native {}

/// WebRTC's detector on its own.
pub struct GateDetector {
    native: Native,
    mode: GateMode,
}

impl GateDetector {
    /// A detector that has heard nothing yet.
    pub fn new(mode: GateMode) -> Self {
        Self { native: Native(fresh(mode)), mode }
    }
}

fn fresh(mode: GateMode) -> Vad {
    Vad::new_with_rate_and_mode(SampleRate::Rate8kHz, mode.native())
}

impl Default for GateDetector {
    fn default() -> Self {
        Self::new(GateMode::default())
    }
}

impl Detector for GateDetector {
    fn push(&mut self, frame_20ms: &[i16]) -> bool {
        // Other lengths never reach C: the crate takes the address of the first sample unasked.
        frame_20ms.len() == FRAME_SAMPLES && self.native.0.is_voice_segment(frame_20ms).unwrap_or(false)
    }

    fn reset(&mut self) {
        // The crate's own reset also sets the mode back to `Quality`.
        self.native = Native(fresh(self.mode));
    }

    fn name(&self) -> &'static str {
        "webrtc"
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::noise::Noise;

    fn judgements(detector: &mut GateDetector, seed: u64) -> Vec<bool> {
        let samples: Vec<i16> = Noise::new(seed, -35.0).take(FRAME_SAMPLES * 100).collect();
        samples.chunks(FRAME_SAMPLES).map(|frame| detector.push(frame)).collect()
    }

    #[test]
    fn frames_of_another_length_are_not_speech() {
        let mut detector = GateDetector::default();
        for len in [0, 1, 80, 159, 161, 320] {
            assert!(!detector.push(&vec![i16::MAX; len]), "{len}");
        }
    }

    #[test]
    fn reset_forgets_the_noise_and_keeps_the_mode() {
        for mode in [GateMode::Quality, GateMode::VeryAggressive] {
            let mut detector = GateDetector::new(mode);
            let first = judgements(&mut detector, 1);
            detector.reset();
            assert_eq!(judgements(&mut detector, 1), first, "{mode:?}");
        }
    }

    #[test]
    fn judges_the_same_on_whichever_thread() {
        let (mut here, mut there) = (GateDetector::default(), GateDetector::default());
        let first_half = judgements(&mut there, 1);
        let (first, second) = (judgements(&mut here, 1), judgements(&mut here, 2));
        let moved = std::thread::spawn(move || judgements(&mut there, 2)).join().unwrap();
        assert_eq!((first_half, moved), (first, second));
    }
}
