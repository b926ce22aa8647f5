//! Speech or not: owns the detector that the ingress pump calls.
//!
//! Place:   switchboard > call > **vad**
//! Hears:   `call`: the engine panicked, or shall degrade.    Tells: nobody; the pump reads the slot.
//! Failure: an engine that panics is swapped at once for the simplest one, and by us for a fresh one of its kind. The slot belongs to the call,
//!          so the actor's own death changes nothing.
//!
//! The pump calls the engine directly, because messages at frame rate cost more than the detection (design.md section 3).

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tandem_codecs::vad::{Detector, EnergyDetector, GateDetector, NeuralDetector};
use tracing::error;

/// Makes the detectors of calls: which engine decides what is speech. Cheap to clone.
#[derive(Clone)]
pub struct VadEngine {
    name: &'static str,
    make: Arc<dyn Fn() -> Box<dyn Detector> + Send + Sync>,
}

impl VadEngine {
    /// An engine called `name`, of which `make` makes one for each call, and another one where that panicked. `make` must not block: it is
    /// asked on a call's way.
    pub fn of(name: &'static str, make: impl Fn() -> Box<dyn Detector> + Send + Sync + 'static) -> Self {
        Self { name, make: Arc::new(make) }
    }

    /// WebRTC's gate and the network that is built in must agree.
    pub fn earshot() -> Self {
        Self::of("earshot", || Box::new(NeuralDetector::default()))
    }

    /// WebRTC's detector alone.
    pub fn webrtc() -> Self {
        Self::of("webrtc", || Box::new(GateDetector::default()))
    }

    /// Energy over the noise floor: no foreign code. What stands in where another engine panics.
    pub fn energy() -> Self {
        Self::of("energy", || Box::new(EnergyDetector::default()))
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    fn build(&self) -> Box<dyn Detector> {
        (self.make)()
    }
}

impl Default for VadEngine {
    fn default() -> Self {
        Self::earshot()
    }
}

impl fmt::Debug for VadEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VadEngine").field(&self.name).finish()
    }
}

/// Engines are told apart by their names.
impl PartialEq for VadEngine {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// The place that holds the running engine; shared by the actor and the pump.
#[derive(Clone)]
pub struct Slot {
    engine: VadEngine,
    running: Arc<Mutex<Box<dyn Detector>>>,
}

/// The engine panicked on a frame.
#[derive(Debug, PartialEq, Eq)]
pub struct Panicked;

impl Slot {
    /// A slot with a fresh engine.
    pub fn new(engine: VadEngine) -> Self {
        let running = Arc::new(Mutex::new(engine.build()));
        Self { engine, running }
    }

    /// Whether the frame (20 ms at 8 kHz) is speech.
    pub fn detect(&self, frame: &[i16]) -> Result<bool, Panicked> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // The broken engine is never used again, so its inside is nobody's business.
        catch_unwind(AssertUnwindSafe(|| running.push(frame))).map_err(|_| {
            *running = VadEngine::energy().build();
            Panicked
        })
    }

    /// A fresh engine of the kind that the call began with.
    fn renew(&self) {
        self.replace(&self.engine);
    }

    fn replace(&self, engine: &VadEngine) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = engine.build();
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
                slot.renew();
                Err("speech detector panicked".into()) // counted by the call, which degrades after the third
            }
            VadMsg::Degrade => {
                slot.replace(&VadEngine::energy());
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
        let slot = Slot::new(VadEngine::of("bomb", || Box::new(Bomb)));
        assert_eq!(slot.detect(&[0; 160]), Err(Panicked), "told once");
        assert_eq!(slot.detect(&[0; 160]), Ok(false));
        slot.renew();
        assert_eq!(slot.detect(&[0; 160]), Err(Panicked), "one of its kind again");
        slot.replace(&VadEngine::energy());
        assert_eq!(slot.detect(&[0; 160]), Ok(false), "and none once it was given up");
    }
}
