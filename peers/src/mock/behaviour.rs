//! How one vendor behaves on the wire.

use std::time::Duration;

use crate::vendor::{Fault, FaultPlan, Latency};

/// Latency and faults of one vendor. Clones count requests together.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// Until the first of its answer.
    pub latency: Latency,
    /// Which requests go wrong.
    pub faults: FaultPlan,
    /// Which connections go wrong before there is any answer: refused with status 503, never answered, or dropped.
    pub doors: FaultPlan,
    /// Draws of the latency differ by it.
    pub seed: u64,
}

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// Until the first of the answer.
    pub delay: Duration,
    /// How it goes wrong, if it does.
    pub fault: Option<Fault>,
}

/// What becomes of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// It is answered after that time.
    Open(Duration),
    /// Status 503.
    Refused,
    /// Nobody answers.
    Silent,
    /// It is closed without a word.
    Dropped,
}

impl Behaviour {
    /// One that always takes as long, and never fails.
    pub fn steady(latency: impl Into<Latency>) -> Self {
        Self { latency: latency.into(), ..Self::default() }
    }

    /// The next request's fate.
    pub fn next(&self) -> Fate {
        let request = self.faults.request();
        let latency = self.latency.of_request(self.seed, u64::from(request.number));
        match request.fault {
            Some(Fault::Slow(more)) => Fate { delay: latency + more, fault: None },
            fault => Fate { delay: latency, fault },
        }
    }

    /// The next connection's fate.
    pub fn door(&self) -> Door {
        match self.doors.next() {
            None => Door::Open(Duration::ZERO),
            Some(Fault::Slow(late)) => Door::Open(late),
            Some(Fault::Silent | Fault::Endless) => Door::Silent,
            Some(Fault::Error | Fault::Garbage) => Door::Refused,
            Some(Fault::Drop | Fault::DropMidway) => Door::Dropped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_answer_is_an_answer() {
        let slow = Fault::Slow(Duration::from_secs(1));
        let behaviour = Behaviour {
            faults: FaultPlan::times(slow, 1, 1),
            doors: FaultPlan::times(Fault::Silent, 0, 1),
            ..Behaviour::steady(Duration::from_millis(100))
        };
        let fates: Vec<u128> = (0..3).map(|_| behaviour.clone().next().delay.as_millis()).collect();
        assert_eq!(fates, [100, 1_100, 100]);
        assert_eq!((behaviour.door(), behaviour.door()), (Door::Silent, Door::Open(Duration::ZERO)));
    }
}
