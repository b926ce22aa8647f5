//! Voice activity: is this frame speech, and where does speech start and end.
//!
//! Place: called by the ingress pump for every 20 ms frame of the caller; the `vad` actor owns the
//! engine and swaps it after a panic. Two steps, so that engines can be changed without touching
//! timing: a [`Detector`] judges one frame, a [`SpeechGate`] turns judgements into events.
//! Not here: end of turn. A pause is not the end of a thought; `domain::endpointing` decides that.
//!
//! ```text
//! frames     . . . S S S S S . S S S . . . . . . . . . . .      S: the detector says speech
//! events           ^ started      ^ ended, told 200 ms after it
//! ```
//!
//! All engines take 8 kHz frames of [`FRAME_SAMPLES`]; wideband legs are resampled down first, as
//! everything a telephone voice needs lies below 4 kHz.
//!
//! | engine | how | cost of a frame | use |
//! |--------|-----|----------------:|-----|
//! | [`NeuralDetector`] | a small recurrent network and WebRTC's detector must agree | 9.5 µs, 1.1 µs where the latter hears nothing | default |
//! | [`GateDetector`] | WebRTC's Gaussian mixtures alone | 1.0 µs | quiet lines, very many calls |
//! | [`EnergyDetector`] | louder than the recent minimum | 0.07 µs | the fall-back: no foreign code, cannot fail |
//!
//! Costs by `cargo bench -p tandem-codecs` on one core of a server; 9.5 µs are 0.05 % of it for a call.
//!
//! Share of frames called speech, printed and held to bounds by `codecs/tests/vad.rs`. "Voiced" are
//! the frames within 30 dB of the loudest of a synthetic sentence. Synthetic voices are clean and
//! even: the figures check the wiring and rank the engines, they promise nothing about people.
//!
//! | heard | neural | webrtc | energy |
//! |-------|-------:|-------:|-------:|
//! | speech, voiced frames | 99 % | 100 % | 100 % |
//! | speech, pauses (hangover included) | 18 % | 24 % | 4 % |
//! | the same through mu-law, voiced | 98 % | 100 % | 100 % |
//! | in noise of -45 dBFS, voiced | 97 % | 100 % | 98 % |
//! | in noise of -45 dBFS, pauses | 13 % | 17 % | 20 % |
//! | in noise of -30 dBFS, voiced | 97 % | 99 % | 71 % |
//! | in noise of -30 dBFS, pauses | 25 % | 93 % | 20 % |
//! | white noise of -60 dBFS | 0 % | 1 % | 0 % |
//! | white noise of -30 dBFS | 0 % | 75 % | 33 % |
//! | tone of 440 Hz, -19 dBFS | 5 % | 100 % | 33 % |
//! | digital silence | 0 % | 0 % | 0 % |
//!
//! Borders of the same sentences on a quiet telephone line, in ms after the first or last voiced frame,
//! with the default [`SpeechGate`]:
//!
//! | | neural | webrtc | energy |
//! |---|---:|---:|---:|
//! | `SpeechStarted`: its position / when told | 20 / 80 | -20 to 0 / 40 to 60 | 0 / 60 |
//! | `SpeechEnded`: its position / when told | 60 to 100 / 260 to 300 | 100 to 120 / 300 to 320 | 0 / 200 |
//!
//! More sounds, other engines, speech in noise: `docs/detectors.md`.
//!
//! Known weakness: the steady two-tone dial tone of North America (350 and 440 Hz) is speech to the
//! neural and WebRTC engines alike. Call progress is for a tone detector, not for this module.

mod energy;
mod gate;
mod gated;
mod neural;
mod speech;

pub use energy::{EnergyConfig, EnergyDetector};
pub use gate::{GateDetector, GateMode};
pub use gated::{Gated, Network, NeuralConfig};
pub use neural::{Earshot, NeuralDetector};
pub use speech::{SpeechGate, SpeechGateConfig, VadEvent};

use crate::frame::SampleRate;

/// The rate that every detector hears.
pub const FRAME_RATE: SampleRate = SampleRate::HZ_8000;
/// Samples in the frame that every detector judges: 20 ms at [`FRAME_RATE`].
pub const FRAME_SAMPLES: usize = 160;

/// Judges frames of one caller, in order.
pub trait Detector: Send {
    /// Whether there is speech in the next frame of [`FRAME_SAMPLES`] samples at 8 kHz.
    ///
    /// Frames of another length must not be sent; an engine that cannot use one says `false`.
    fn push(&mut self, frame_20ms: &[i16]) -> bool;

    /// Forgets the caller: the next frame is the first of another stream.
    fn reset(&mut self);

    /// A short name for logs and metrics.
    fn name(&self) -> &'static str;
}
