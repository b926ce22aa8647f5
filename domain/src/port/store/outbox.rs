//! What listeners still have to hear of saved agents ([`crate::port::agent_saved`]).
//!
//! A delivery is claimed by a life ([`super::LifeStore`]), and a claim holds as long as that life does: of two processes that look at once one
//! gets it, and what a dead one was at is free again as soon as its life is buried. So nothing here runs out by itself, and no delivery is made
//! twice but for a process that dies in the middle of one.

use chrono::{DateTime, Utc};

use super::StoreFuture;
use crate::ids::LifeId;
use crate::port::agent_saved::SavedAgent;

/// One version that one listener is to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Row number of the save.
    pub save: i64,
    /// What to tell.
    pub agent: SavedAgent,
    /// Attempts that failed.
    pub failures: u32,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// The listener has it: it is never told again.
    Taken {
        /// Since when.
        at: DateTime<Utc>,
    },
    /// The listener will never have it: it is not told again either.
    Refused {
        /// Since when that is known.
        at: DateTime<Utc>,
        /// Why.
        why: String,
    },
    /// It failed and is told again.
    NotYet {
        /// Not before.
        due: DateTime<Utc>,
        /// Attempts that failed, with this one.
        failures: u32,
        /// What happened.
        trouble: String,
    },
}

/// Saved agents that listeners have not heard of. Not bound to a business: a process serves all of them.
pub trait AgentOutbox: Send + Sync {
    /// Claims for `life` what `listener` is to be told at `now`, oldest first: of each agent its oldest version that the listener has not settled,
    /// unless that is claimed by another life that lives, or is not due. What `life` claimed earlier and did not settle is claimed anew, so
    /// one life has one deliverer.
    fn claim(
        &self,
        listener: &'static str,
        life: LifeId,
        now: DateTime<Utc>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<Delivery>>;

    /// Lets a claimed delivery go. The save itself stays: who else listens, a process with other settings may know.
    fn settle(&self, save: i64, listener: &'static str, settled: Settled) -> StoreFuture<'_, ()>;

    /// Forgets the saves of before `done` that `listeners` have settled and that nobody else has begun to tell; and those of before `all`, whoever
    /// has not heard of them.
    fn sweep<'a>(
        &'a self,
        listeners: &'a [&'static str],
        done: DateTime<Utc>,
        all: DateTime<Utc>,
    ) -> StoreFuture<'a, ()>;
}
