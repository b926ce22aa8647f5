//! The callers of a measurement: many cheap ones, on threads of their own.
//!
//! ```text
//!  workers: a thread each, with its own runtime
//!  └─ seat: one caller after another on one socket each (seat)
//!       ├─ caller    what is said next, when an answer came            pure
//!       ├─ playback  what is heard of what arrived, 20 ms by 20 ms     pure
//!       ├─ wire      Twilio's messages, with ready payloads            pure
//!       └─ tally     what is counted; one for each worker and group
//! ```
//!
//! They are not the strict carriers of `tandem_peers`, which `tandem simulate` and the tests use: a caller there costs as much as a call of the
//! switch, and would be what is measured. Here lines are rendered, compressed and encoded once for all; of the agent's audio only the
//! loudness is looked at. Nothing is forgiven all the same: a message that cannot be read ends its call as failed.

mod caller;
mod clock;
mod echo;
mod lines;
mod pace;
mod playback;
mod seat;
mod tally;
mod wire;
mod workers;

use std::time::Duration;

pub(super) use clock::now;
pub(super) use lines::Lines;
pub(super) use seat::Manner;
pub(super) use tally::{Tally, percentile_ms};
pub(super) use workers::{Group, Workers};

/// Length of one frame of either direction.
const FRAME: Duration = Duration::from_millis(20);
/// Samples, and bytes, of one frame: mu-law at 8 kHz.
const FRAME_SAMPLES: usize = 160;
