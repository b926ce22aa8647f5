//! How one vendor behaves on the wire.

use std::time::Duration;

use crate::vendor::{Fault, FaultPlan};

/// Latency and faults of one vendor.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// Until the first of its answer.
    pub latency: Duration,
    /// Which requests go wrong.
    pub faults: FaultPlan,
}

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// Until the first of the answer.
    pub delay: Duration,
    /// How it goes wrong, if it does.
    pub fault: Option<Fault>,
}

impl Behaviour {
    /// The next request's fate.
    pub fn next(&self) -> Fate {
        match self.faults.next() {
            Some(Fault::Slow(more)) => Fate { delay: self.latency + more, fault: None },
            fault => Fate { delay: self.latency, fault },
        }
    }
}
