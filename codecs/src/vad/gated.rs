//! A network behind an energy gate: WebRTC's detector must agree with what a network says.
//!
//! Place: the shell of every neural engine. The network knows voices from noise and music, and is slow
//! to let go; WebRTC's detector knows loud from quiet and lets go at once. Either alone is wrong
//! too often; see the table of [`crate::vad`]. Which network is the type's argument: [`Earshot`] here,
//! others outside this crate, as they bring a runtime along.
//!
//! A network carries state from one frame to the next: with holes in its past it would misjudge the
//! onset, which is what barge-in waits for. But what it says matters only while the gate is open, and
//! it costs ten times the gate and more. So frames wait while the gate is shut, up to the network's
//! [`BACKLOG`](Network::BACKLOG), and the network catches up on them when it opens. No frame is heard
//! twice, so this never costs more, and in a conversation, where one listens half of the time, it
//! costs half.
//!
//! ```text
//! 20 ms at 8 kHz ──► gate ────────────────────────────► and ──► speech
//!        └─► wait for it ─► network (its own steps) ─────┘
//! ```
//!
//! [`Earshot`]: super::Earshot

use std::collections::VecDeque;

use super::gate::{GateDetector, GateMode};
use super::{Detector, FRAME_SAMPLES};

/// Judges a stream in steps of its own length.
pub trait Network: Send {
    /// What the network hears of the time before the gate opened, in samples at
    /// [`FRAME_RATE`](super::FRAME_RATE), a multiple of [`FRAME_SAMPLES`]. It is caught up on at once, so
    /// it is also what a frame may cost at the worst.
    const BACKLOG: usize;

    /// Hears the next samples at [`FRAME_RATE`](super::FRAME_RATE). The highest score, 0 to 1, of the
    /// steps that they complete; `None` if they complete none.
    fn hear(&mut self, samples: &[i16]) -> Option<f32>;

    /// Forgets what it heard.
    fn reset(&mut self);

    /// The engine's name, for logs and metrics.
    fn name(&self) -> &'static str;
}

/// Settings of a [`Gated`] network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NeuralConfig {
    /// Network score from which a frame is speech, 0 to 1. The default of 0.4 is
    /// [`Earshot`](super::Earshot)'s: its author advises 0.5 for wideband sound; here that tells some
    /// starts 40 ms later and gains little.
    pub threshold: f32,
    /// How eager the gate is. Default [`GateMode::Aggressive`]: a milder one finds a little
    /// more of quiet speech, and notices the end of all speech 20 to 40 ms later.
    pub gate: GateMode,
}

impl Default for NeuralConfig {
    fn default() -> Self {
        Self { threshold: 0.4, gate: GateMode::Aggressive }
    }
}

/// A network behind an energy gate.
pub struct Gated<N> {
    pub(super) network: N,
    config: NeuralConfig,
    gate: GateDetector,
    /// What the network has not heard yet, oldest first.
    pub(super) unheard: VecDeque<i16>,
    pub(super) backlog: usize,
    score: f32,
}

impl<N: Network> Gated<N> {
    /// A detector that has heard nothing yet.
    pub fn with(network: N, config: NeuralConfig) -> Self {
        Self {
            network,
            config,
            gate: GateDetector::new(config.gate),
            unheard: VecDeque::with_capacity(N::BACKLOG + FRAME_SAMPLES),
            backlog: N::BACKLOG,
            score: 0.0,
        }
    }

    /// The network's score of the last frame at which the gate was open, 0 to 1.
    pub fn score(&self) -> f32 {
        self.score
    }

    fn catch_up(&mut self) {
        for frame in self.unheard.make_contiguous().chunks(FRAME_SAMPLES) {
            // A frame that completes no step is judged as the one before it.
            self.score = self.network.hear(frame).unwrap_or(self.score);
        }
        self.unheard.clear();
    }
}

impl<N: Network> Detector for Gated<N> {
    fn push(&mut self, frame_20ms: &[i16]) -> bool {
        self.unheard.extend(frame_20ms);
        if !self.gate.push(frame_20ms) {
            let too_old = self.unheard.len().saturating_sub(self.backlog);
            self.unheard.drain(..too_old);
            return false;
        }
        self.catch_up();
        self.score >= self.config.threshold
    }

    fn reset(&mut self) {
        self.gate.reset();
        self.unheard.clear();
        self.network.reset();
        self.score = 0.0;
    }

    fn name(&self) -> &'static str {
        self.network.name()
    }
}
