//! Speech or not: owns the detector that the ingress pump calls.
//!
//! Place:   switchboard > call > **vad**
//! Hears:   `call`: the engine panicked, or shall degrade.    Tells: nobody; the pump reads the slot.
//! Failure: an engine that panics is swapped at once for the simplest one, and by us for a fresh one of its kind. The slot belongs to the call,
//!          so the actor's own death changes nothing.
//!
//! The pump calls the engine directly, because messages at frame rate cost more than the detection (design.md section 3).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tandem_codecs::vad::{Detector, EnergyConfig, EnergyDetector, NeuralConfig, NeuralDetector};
use tracing::error;

/// Which engine detects speech.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Engine {
    /// WebRTC's gate and a neural network must agree.
    #[default]
    Neural,
    /// Energy over the noise floor: no foreign code.
    Energy,
}

impl Engine {
    fn build(self) -> Box<dyn Detector> {
        match self {
            Self::Neural => Box::new(NeuralDetector::new(NeuralConfig::default())),
            Self::Energy => Box::new(EnergyDetector::new(EnergyConfig::default())),
        }
    }
}

/// The place that holds the running engine; shared by the actor and the pump.
#[derive(Clone)]
pub struct Slot(Arc<Mutex<Box<dyn Detector>>>);

/// The engine panicked on a frame.
#[derive(Debug, PartialEq, Eq)]
pub struct Panicked;

impl Slot {
    /// A slot with a fresh engine.
    pub fn new(engine: Engine) -> Self {
        Self(Arc::new(Mutex::new(engine.build())))
    }

    /// Whether the frame (20 ms at 8 kHz) is speech.
    pub fn detect(&self, frame: &[i16]) -> Result<bool, Panicked> {
        let mut engine = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The broken engine is never used again, so its inside is nobody's business.
        catch_unwind(AssertUnwindSafe(|| engine.push(frame))).map_err(|_| {
            *engine = Engine::Energy.build();
            Panicked
        })
    }

    fn replace(&self, engine: Engine) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = engine.build();
    }
}

/// What the actor hears.
#[derive(Debug)]
pub enum VadMsg {
    /// The engine panicked on the last frame.
    EnginePanicked,
    /// Use the simplest engine from now on.
    Degrade,
}

/// The actor.
pub struct Vad;

impl Actor for Vad {
    type Msg = VadMsg;
    type State = Slot;
    type Arguments = Slot;

    async fn pre_start(&self, _: ActorRef<VadMsg>, slot: Slot) -> Result<Slot, ActorProcessingErr> {
        Ok(slot)
    }

    async fn handle(&self, _: ActorRef<VadMsg>, msg: VadMsg, slot: &mut Slot) -> Result<(), ActorProcessingErr> {
        match msg {
            VadMsg::EnginePanicked => {
                error!("speech detector panicked");
                slot.replace(Engine::Neural);
                Err("speech detector panicked".into()) // counted by the call, which degrades after the third
            }
            VadMsg::Degrade => {
                slot.replace(Engine::Energy);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bomb;
    impl Detector for Bomb {
        fn push(&mut self, _: &[i16]) -> bool {
            panic!("planned")
        }
        fn reset(&mut self) {}
        fn name(&self) -> &'static str {
            "bomb"
        }
    }

    #[test]
    fn a_panicking_engine_is_contained_and_replaced() {
        let slot = Slot(Arc::new(Mutex::new(Box::new(Bomb))));
        assert_eq!(slot.detect(&[0; 160]), Err(Panicked), "told once");
        assert_eq!(slot.detect(&[0; 160]), Ok(false));
    }
}
