//! Which requests go wrong, and how.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How a request goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The answer comes that much later.
    Slow(Duration),
    /// No answer comes, and the stream stays open.
    Silent,
    /// The stream ends with an error.
    Error,
    /// The stream ends without a word, as a connection that is closed.
    Drop,
}

/// A row of good requests, then a row of bad ones, then good ones for ever.
///
/// Requests are counted over the vendor's life and over all calls; clones count together.
#[derive(Debug, Clone, Default)]
pub struct FaultPlan {
    fault: Option<Fault>,
    after: u32,
    times: u32,
    requests: Arc<AtomicU32>,
}

impl FaultPlan {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::default()
    }

    /// Every request goes wrong.
    pub fn always(fault: Fault) -> Self {
        Self { fault: Some(fault), after: 0, times: u32::MAX, requests: Arc::default() }
    }

    /// `times` requests go wrong, after the first `after` went well.
    pub fn times(fault: Fault, after: u32, times: u32) -> Self {
        Self { fault: Some(fault), after, times, requests: Arc::default() }
    }

    /// Counts a request and tells its fate.
    pub(crate) fn next(&self) -> Option<Fault> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let bad = self.after..self.after.saturating_add(self.times);
        self.fault.filter(|_| bad.contains(&number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_in_their_place() {
        let plan = FaultPlan::times(Fault::Error, 2, 1);
        let other = plan.clone();
        assert_eq!([plan.next(), other.next(), plan.next(), other.next()], [None, None, Some(Fault::Error), None]);
        assert_eq!(FaultPlan::none().next(), None);
        assert_eq!(FaultPlan::always(Fault::Drop).next(), Some(Fault::Drop));
    }
}
