//! Who holds which place: the calls that run, and those that a day has had.
//!
//! ```text
//!            take           begin            leave, by the last who holds it
//!  (nothing) ────► held ────────► begun ─────────────────────────► (nothing); the day keeps it
//!                   │  leave, by the last who holds it
//!                   └────────────────────────────────────────────► (nothing); the day forgets it: it never began
//! ```
//!
//! One value holds all counts and every step is whole, so of two calls that ask at once the second sees the first, and no limit is exceeded by a
//! race. A call has one place however often it asks: a dial takes it before it rings, its socket holds it too, and it is free when both have left.
//!
//! A day's count is in two parts: what this process admitted, counted here, and what others did (those before a restart among them), read from
//! the store, which counts every process but the one that asks. So reading again corrects and never counts twice, whatever of our own is still on
//! its way to the database. What several processes admit within ten seconds of each other they do not see of each other.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::NaiveDate;

use super::{Admitted, Ask, Count, Counts, Denied, admit};
use crate::ids::{AgentId, BusinessId, CallId};

/// How old the others' part of a day's count may be.
pub(super) const READ_EVERY: Duration = Duration::from_secs(10);
/// Days of a business that are counted: today, and the one before or after it, should a clock be set or a zone be changed.
const MOST_DAYS: usize = 2;

/// Calls of a business, in all and by agent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    all: u32,
    agents: BTreeMap<AgentId, u32>,
}

impl Tally {
    fn add(&mut self, agent: AgentId) {
        self.all = self.all.saturating_add(1);
        let one = self.agents.entry(agent).or_default();
        *one = one.saturating_add(1);
    }

    /// Takes one back that was added.
    fn take(&mut self, agent: AgentId) {
        self.all = self.all.saturating_sub(1);
        if let Some(one) = self.agents.get_mut(&agent) {
            *one = one.saturating_sub(1);
            if *one == 0 {
                self.agents.remove(&agent);
            }
        }
    }

    fn of(&self, agent: AgentId) -> u32 {
        self.agents.get(&agent).copied().unwrap_or_default()
    }
}

impl FromIterator<(AgentId, u32)> for Tally {
    fn from_iter<T: IntoIterator<Item = (AgentId, u32)>>(calls: T) -> Self {
        let agents: BTreeMap<AgentId, u32> = calls.into_iter().collect();
        Self { all: agents.values().fold(0, |all, calls| all.saturating_add(*calls)), agents }
    }
}

/// A place that is taken.
#[derive(Debug, Clone, Copy)]
struct Held {
    business: BusinessId,
    agent: AgentId,
    /// The day that counted it; none where the call came back.
    day: Option<NaiveDate>,
    admitted: Admitted,
    /// How often it was taken and not left.
    holders: u32,
    /// The call began.
    begun: bool,
}

#[derive(Debug, Default)]
struct Day {
    ours: Tally,
    /// What others admitted, and when that was read.
    others: Option<(Tally, Instant)>,
}

#[derive(Debug, Default)]
struct House {
    live: Tally,
    days: BTreeMap<NaiveDate, Day>,
}

/// All places that are taken in this process.
#[derive(Debug, Default)]
pub struct Places {
    held: BTreeMap<CallId, Held>,
    houses: BTreeMap<BusinessId, House>,
}

impl Places {
    /// A place for a call, if every level has room.
    pub fn take(&mut self, ask: &Ask) -> Result<Admitted, Denied> {
        if let Some(held) = self.held.get_mut(&ask.call) {
            held.holders = held.holders.saturating_add(1);
            return Ok(held.admitted);
        }
        let house = self.houses.entry(ask.business).or_default();
        let admitted = admit(ask, &house.counts(ask.agent, ask.day))?;
        house.live.add(ask.agent);
        let day = (!ask.again).then_some(ask.day);
        if let Some(day) = day {
            house.day(day).ours.add(ask.agent);
        }
        let held = Held { business: ask.business, agent: ask.agent, day, admitted, holders: 1, begun: false };
        self.held.insert(ask.call, held);
        Ok(admitted)
    }

    /// The call has begun: its day has had it. Whether this is news.
    pub fn begin(&mut self, call: CallId) -> bool {
        self.held.get_mut(&call).is_some_and(|held| !std::mem::replace(&mut held.begun, true))
    }

    /// Gives back what one [`Self::take`] took. A call that has no place changes nothing.
    pub fn leave(&mut self, call: CallId) {
        let Some(held) = self.held.get_mut(&call) else { return };
        held.holders -= 1; // taken at least once more than left, or it were not here
        if held.holders > 0 {
            return;
        }
        let Held { business, agent, day, begun, .. } = *held;
        self.held.remove(&call);
        let Some(house) = self.houses.get_mut(&business) else { return };
        house.live.take(agent);
        if let Some(day) = day.filter(|_| !begun)
            && let Some(day) = house.days.get_mut(&day)
        {
            day.ours.take(agent);
        }
    }

    /// Whether what others admitted on that day should be read.
    pub fn should_read(&self, business: BusinessId, day: NaiveDate, now: Instant) -> bool {
        let day = self.houses.get(&business).and_then(|house| house.days.get(&day));
        let read = day.and_then(|day| day.others.as_ref()).map(|(_, at)| *at);
        read.is_none_or(|at| now.saturating_duration_since(at) >= READ_EVERY)
    }

    /// What others admitted on that day, as it was read.
    pub fn learn(&mut self, business: BusinessId, day: NaiveDate, others: Tally, now: Instant) {
        self.houses.entry(business).or_default().day(day).others = Some((others, now));
    }

    /// Calls of an agent and its business, now and on that day.
    pub fn counts(&self, business: BusinessId, agent: AgentId, day: NaiveDate) -> Counts {
        self.houses.get(&business).map(|house| house.counts(agent, day)).unwrap_or_default()
    }

    /// Places that are taken.
    pub fn taken(&self) -> usize {
        self.held.len()
    }
}

impl House {
    fn counts(&self, agent: AgentId, day: NaiveDate) -> Counts {
        let day = self.days.get(&day);
        let today = |of: &dyn Fn(&Tally) -> u32| {
            let ours = day.map(|day| of(&day.ours)).unwrap_or_default();
            let others = day.and_then(|day| day.others.as_ref()).map(|(others, _)| of(others)).unwrap_or_default();
            ours.saturating_add(others)
        };
        Counts {
            business: Count { live: self.live.all, today: today(&|tally| tally.all) },
            agent: Count { live: self.live.of(agent), today: today(&|tally| tally.of(agent)) },
            day_known: day.is_some_and(|day| day.others.is_some()),
        }
    }

    /// The counts of a day, which may be new: the one farthest from it is forgotten then.
    fn day(&mut self, day: NaiveDate) -> &mut Day {
        if !self.days.contains_key(&day) && self.days.len() == MOST_DAYS {
            let distance = |other: &NaiveDate| (*other - day).num_days().abs();
            if let Some(farthest) = self.days.keys().copied().max_by_key(distance) {
                self.days.remove(&farthest);
            }
        }
        self.days.entry(day).or_default()
    }
}
