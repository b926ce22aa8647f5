//! Speech vendors behind the ports of `domain`, without a model and without a network: for load and for faults.
//!
//! [`FakeTts`] speaks with [`crate::voice`], [`FakeStt`] hears what that voice said; between them every word can be followed
//! through the switch. Both take time by `tokio::time`, so a paused runtime runs them at once. What goes wrong, and when, is a
//! [`FaultPlan`].

mod plan;
mod stt;
mod tts;

pub use plan::{Fault, FaultPlan};
pub use stt::{FakeStt, FakeSttConfig};
pub use tts::{FakeTts, FakeTtsConfig};
