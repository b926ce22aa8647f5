//! Vendors behind the ports of `domain`, without a model and without a network: for load and for faults.
//!
//! [`FakeTts`] speaks with [`crate::voice`], [`FakeStt`] hears what that voice said; between them every word can be followed
//! through the switch. [`FakeBrain`] lets the answers of another brain come as a model's would. All take time by `tokio::time`, so a paused runtime runs them at once. What goes wrong, and when, is a
//! [`FaultPlan`]; how long things take, a [`Latency`].

mod babble;
mod brain;
mod latency;
mod plan;
mod recognition;
mod stt;
mod tts;

pub use brain::{FakeBrain, FakeBrainConfig, FakeBrains};
pub use latency::Latency;
pub use plan::{Fault, FaultPlan, Request, Spell};
pub use recognition::RecognitionErrors;
pub use stt::{FakeStt, FakeSttConfig};
pub use tts::{FakeTts, FakeTtsConfig};
