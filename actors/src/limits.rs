//! The limits of calls: a place for each call, by business and by agent (api-inventory R13).
//!
//! Place:   beside the switchboard, which holds a call's [`Permit`] for as long as the call runs: one that dies gives it back all the same.
//! Hears:   the switch, for each call that comes in; whoever dials asks the same question before it rings.    Tells: nobody.
//! Failure: a database that does not answer keeps no caller waiting for long: what was last known holds, and where nothing is known, who calls us
//! is let in. See [`admission`](tandem_domain::admission) for the rule, and its `Places` for why no race exceeds it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

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
/// How long a database that did not answer is not asked again: each caller would wait for it.
const REST: Duration = Duration::from_secs(5);
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
    /// When the database last did not answer.
    away_since: Mutex<Option<Instant>>,
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

/// A call's place, given back when this is dropped. A call may have several, of one place: of whoever dialled it, and of its socket.
pub struct Permit {
    limits: Limits,
    usage: Usage,
    again: bool,
}

impl Permit {
    /// The call begins: its day has had it. The record of that, if it is news: a call is one however many permits it has and however often it
    /// comes back.
    pub fn begin(&self) -> Option<Usage> {
        let begun = lock(&self.limits.0.places).begin(self.usage.call);
        if !begun || self.again {
            return None;
        }
        if self.usage.overflow {
            metrics::counter!(meter::CALLS_OVERFLOWED).increment(1);
        }
        Some(self.usage.clone())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        lock(&self.limits.0.places).leave(self.usage.call);
    }
}

impl Limits {
    /// No place is taken.
    pub fn new(store: Arc<dyn LimitStore>, zone: Zone) -> Self {
        Self(Arc::new(Inner {
            store,
            zone,
            places: Mutex::default(),
            known: Mutex::default(),
            away_since: Mutex::default(),
        }))
    }

    /// A place for a call, if every level has room.
    pub async fn admit(&self, asking: Asking<'_>) -> Result<Permit, Denied> {
        let Asking { call, agent, kind, again } = asking;
        let Inner { places, .. } = &*self.0;
        let house = self.business_limits(agent.business).await;
        let at = clock::utc();
        let day = house.and_then(|limits| limits.zone).unwrap_or(self.0.zone).day(at);
        self.read_day(agent.business, day).await;
        let ask = Ask {
            call,
            business: agent.business,
            agent: agent.id,
            kind,
            again,
            business_caps: house.map(|limits| limits.caps),
            terms: agent.terms,
            day,
        };
        let admitted = lock(places).take(&ask)?;
        let usage = Usage {
            call,
            business: agent.business,
            agent: agent.id,
            direction: kind.into(),
            day,
            overflow: admitted.overflow,
            at,
        };
        Ok(Permit { limits: self.clone(), usage, again })
    }

    /// Places that are taken.
    pub fn taken(&self) -> usize {
        lock(&self.0.places).taken()
    }

    /// What a business may have, as it is or as it last was; `None` where that was never known.
    async fn business_limits(&self, business: BusinessId) -> Option<BusinessLimits> {
        let Inner { store, known, .. } = &*self.0;
        match self.answer(store.business_limits(business)).await {
            Some(limits) => {
                let mut known = lock(known);
                if known.len() < MOST_KNOWN || known.contains_key(&business) {
                    known.insert(business, limits);
                }
                Some(limits)
            }
            None => lock(known).get(&business).copied(),
        }
    }

    /// Reads what other processes let in on that day, if that is due.
    async fn read_day(&self, business: BusinessId, day: NaiveDate) {
        let Inner { store, places, .. } = &*self.0;
        if !lock(places).should_read(business, day, clock::now()) {
            return;
        }
        if let Some(calls) = self.answer(store.admitted_elsewhere(business, day)).await {
            lock(places).learn(business, day, calls.into_iter().collect(), clock::now());
        }
    }

    /// An answer of the database, if it gives one in time; it is not asked while it rests.
    async fn answer<T>(&self, asked: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
        let away_since = &self.0.away_since;
        let rests = |since: Instant| clock::now().saturating_duration_since(since) < REST;
        if lock(away_since).is_some_and(rests) {
            return None;
        }
        let answer = timeout(PATIENCE, asked)
            .await
            .unwrap_or_else(|_| Err(StoreError::Unavailable(format!("no answer within {} ms", PATIENCE.as_millis()))));
        let mut away_since = lock(away_since);
        match answer {
            Ok(answer) => {
                *away_since = None;
                Some(answer)
            }
            Err(error) => {
                warn!(%error, "limits of calls are taken as they were last known");
                if let StoreError::Unavailable(_) = error {
                    *away_since = Some(clock::now());
                }
                None
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
