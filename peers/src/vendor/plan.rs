//! Which requests go wrong, and how. The same plans rule the vendors behind the ports and the servers on real wires.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How a request goes wrong. What a *word* and what *unusable* is, the kind of vendor says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The answer comes that much later.
    Slow(#[serde(with = "crate::millis")] Duration),
    /// No answer comes, and the stream stays open.
    Silent,
    /// The stream ends with an error.
    Error,
    /// The stream ends between two words, as a connection that is closed.
    Drop,
    /// The stream ends in the middle of a word, a sentence or a message.
    DropMidway,
    /// The answer is well-formed and makes no sense: other words, loud noise, markup instead of a sentence.
    Garbage,
    /// The answer never ends. The vendor keeps no bound; its client must.
    Endless,
}

/// A stretch of bad requests in a vendor's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spell {
    /// How they go wrong.
    pub fault: Fault,
    /// Requests since the beginning of the vendor's life that come before the spell.
    pub after: u32,
    /// How many go wrong; `u32::MAX` for the rest of its life.
    pub times: u32,
}

/// Good requests with spells of bad ones. Where two spells overlap, the one named first rules.
///
/// Requests are counted over the vendor's life and over all calls; clones count together.
#[derive(Debug, Clone, Default)]
pub struct FaultPlan {
    spells: Arc<[Spell]>,
    requests: Arc<AtomicU32>,
}

/// One request of a vendor, as its plan sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Requests before it in the vendor's life.
    pub number: u32,
    /// How it goes wrong.
    pub fault: Option<Fault>,
}

impl FaultPlan {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::default()
    }

    /// Every request goes wrong.
    pub fn always(fault: Fault) -> Self {
        Self::times(fault, 0, u32::MAX)
    }

    /// `times` requests go wrong, after the first `after` went well.
    pub fn times(fault: Fault, after: u32, times: u32) -> Self {
        Self::spells([Spell { fault, after, times }])
    }

    /// Requests go wrong in these spells.
    pub fn spells(spells: impl IntoIterator<Item = Spell>) -> Self {
        Self { spells: spells.into_iter().collect(), requests: Arc::default() }
    }

    /// Counts a request and tells its fate.
    pub fn request(&self) -> Request {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let rules = |spell: &&Spell| (spell.after..spell.after.saturating_add(spell.times)).contains(&number);
        Request { number, fault: self.spells.iter().find(rules).map(|spell| spell.fault) }
    }

    /// [`Self::request`] for those who draw nothing by its number.
    #[allow(clippy::should_implement_trait, reason = "a plan is no iterator: it has no end and clones share it")]
    pub fn next(&self) -> Option<Fault> {
        self.request().fault
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
        assert_eq!(plan.request(), Request { number: 4, fault: None });
        assert_eq!(FaultPlan::none().next(), None);
        assert_eq!(FaultPlan::always(Fault::Drop).next(), Some(Fault::Drop));
    }

    #[test]
    fn the_first_of_two_overlapping_spells_rules() {
        let spell = |fault, after, times| Spell { fault, after, times };
        let plan = FaultPlan::spells([spell(Fault::Silent, 1, 1), spell(Fault::Error, 0, 3)]);
        let fates: Vec<Option<Fault>> = (0..4).map(|_| plan.next()).collect();
        assert_eq!(fates, [Some(Fault::Error), Some(Fault::Silent), Some(Fault::Error), None]);
    }
}
