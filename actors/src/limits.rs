//! The limits of calls: a place for each call, by business and by agent (api-inventory R13).
//!
//! Place:   beside the switchboard, which holds a call's [`Permit`] for as long as the call runs: one that dies gives it back all the same.
//! Hears:   the switch, for each call that comes in; whoever dials asks the same question before it rings.    Tells: nobody.
//! Failure: a database that does not answer keeps no caller waiting for long: what was last known holds, and where nothing is known, who calls us
//! is let in. See [`admission`](tandem_domain::admission) for the rule, and its `Places` for why no race exceeds it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::NaiveDate;
use tandem_domain::admission::{Ask, Denied, Kind, Places};
use tandem_domain::agent::Agent;
use tandem_domain::ids::{BusinessId, CallId};
use tandem_domain::port::store::{BusinessLimits, LimitStore, StoreError};
use tandem_domain::record::Usage;
use tandem_domain::zone::Zone;
use tokio::time::timeout;
use tracing::warn;

use crate::{clock, metrics as meter};

/// How long a call waits for news of its limits. Nothing is heard meanwhile.
const PATIENCE: Duration = Duration::from_millis(500);
/// Businesses whose limits are kept as they last were.
const MOST_KNOWN: usize = 10_000;

/// All places of a switch. Cheap to clone.
#[derive(Clone)]
pub struct Limits(Arc<Inner>);

struct Inner {
    store: Arc<dyn LimitStore>,
    /// Where the days of businesses without a zone of their own begin.
    zone: Zone,
    places: Mutex<Places>,
    known: Mutex<BTreeMap<BusinessId, BusinessLimits>>,
}

/// A call that asks for a place.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// Which.
    pub call: CallId,
    /// Who would take it.
    pub agent: &'a Agent,
    /// What kind of call it is.
    pub kind: Kind,
    /// Its line broke and it has come back.
    pub again: bool,
}

/// A call's place, given back when this is dropped.
pub struct Permit {
    limits: Limits,
    usage: Usage,
    again: bool,
    begun: bool,
}

impl Permit {
    /// The call runs: its day has had it. The record of that; none of a call that has come back, whose day had it already.
    pub fn begun(&mut self) -> Option<Usage> {
        self.begun = true;
        (!self.again).then(|| self.usage.clone())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut places = lock(&self.limits.0.places);
        if self.begun {
            places.free(self.usage.call);
        } else {
            places.withdraw(self.usage.call);
        }
    }
}

impl Limits {
    /// No place is taken.
    pub fn new(store: Arc<dyn LimitStore>, zone: Zone) -> Self {
        Self(Arc::new(Inner { store, zone, places: Mutex::default(), known: Mutex::default() }))
    }

    /// A place for a call, if every level has room.
    pub async fn admit(&self, asking: Asking<'_>) -> Result<Permit, Denied> {
        let Asking { call, agent, kind, again } = asking;
        let Inner { places, .. } = &*self.0;
        let house = self.house(agent.business).await;
        let at = clock::utc();
        let day = house.zone.unwrap_or(self.0.zone).day(at);
        self.read_day(agent.business, day).await;
        let ask = Ask {
            call,
            business: agent.business,
            agent: agent.id,
            kind,
            again,
            house: house.caps,
            terms: agent.terms,
            day,
        };
        let admitted = lock(places).take(&ask)?;
        if admitted.overflow {
            metrics::counter!(meter::CALLS_OVERFLOWED).increment(1);
        }
        let usage = Usage {
            call,
            business: agent.business,
            agent: agent.id,
            direction: kind.into(),
            day,
            overflow: admitted.overflow,
            at,
        };
        Ok(Permit { limits: self.clone(), usage, again, begun: false })
    }

    /// Places that are taken.
    pub fn taken(&self) -> usize {
        lock(&self.0.places).taken()
    }

    /// What a business may have, as it is or as it last was.
    async fn house(&self, business: BusinessId) -> BusinessLimits {
        let Inner { store, known, .. } = &*self.0;
        match answer(store.business_limits(business)).await {
            Ok(limits) => {
                let mut known = lock(known);
                if known.len() < MOST_KNOWN || known.contains_key(&business) {
                    known.insert(business, limits);
                }
                limits
            }
            Err(error) => {
                warn!(%error, business = business.0, "the limits of a business are taken as they last were");
                lock(known).get(&business).copied().unwrap_or_default()
            }
        }
    }

    /// Reads what other processes let in on that day, if that is due.
    async fn read_day(&self, business: BusinessId, day: NaiveDate) {
        let Inner { store, places, .. } = &*self.0;
        if !lock(places).should_read(business, day, clock::now()) {
            return;
        }
        match answer(store.admitted_elsewhere(business, day)).await {
            Ok(calls) => lock(places).learn(business, day, calls.into_iter().collect(), clock::now()),
            Err(error) => warn!(%error, business = business.0, "how many calls a day has had is not read"),
        }
    }
}

async fn answer<T>(asked: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(PATIENCE, asked)
        .await
        .unwrap_or_else(|_| Err(StoreError::Unavailable(format!("no answer within {} ms", PATIENCE.as_millis()))))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
