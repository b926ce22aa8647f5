//! What a business may have and what it has had, as the limits of calls need it ([`crate::admission`]).

use chrono::NaiveDate;
use serde::Serialize;

use super::{Change, StoreFuture};
use crate::admission::Caps;
use crate::ids::{AgentId, BusinessId};
use crate::zone::Zone;

/// What a business may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BusinessLimits {
    /// Its calls.
    pub caps: Caps,
    /// Where its days begin; `None` for the server's zone (`TIMEZONE`).
    pub zone: Option<Zone>,
}

/// The limits of calls, as a switch asks for them.
pub trait LimitStore: Send + Sync {
    /// What a business may have; nothing limits one that is not there.
    fn business_limits(&self, business: BusinessId) -> StoreFuture<'_, BusinessLimits>;

    /// Calls that were let in on a day of that business by other lives than the one that asks, by agent. So what the asking process has let in
    /// itself, and may not have written yet, is never counted twice.
    fn admitted_elsewhere(&self, business: BusinessId, day: NaiveDate) -> StoreFuture<'_, Vec<(AgentId, u32)>>;
}

/// A store in which nobody has limits: for switches that have none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unlimited;

impl LimitStore for Unlimited {
    fn business_limits(&self, _: BusinessId) -> StoreFuture<'_, BusinessLimits> {
        Box::pin(std::future::ready(Ok(BusinessLimits::default())))
    }

    fn admitted_elsewhere(&self, _: BusinessId, _: NaiveDate) -> StoreFuture<'_, Vec<(AgentId, u32)>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

/// The limits of a business as they are edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoredLimits {
    /// Calls at once, of all agents together; -1 for as many as the server takes.
    pub concurrent_call_limit: i64,
    /// Calls of one day, of all agents together; -1 for no limit.
    pub daily_call_limit: i64,
    /// Where days begin, by its name in the tz database; `null` for the server's zone.
    pub time_zone: Option<String>,
    /// Counts every change.
    #[serde(skip)]
    pub revision: i64,
}

/// What became of a change of limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptLimits {
    /// They are kept.
    Done(StoredLimits),
    /// They are not what was seen: read them again.
    Raced,
}

/// The limits of a business, for who edits them.
pub trait LimitBook: Send + Sync {
    /// As they are; `None` if there is no such business.
    fn limits(&self, business: BusinessId) -> StoreFuture<'_, Option<StoredLimits>>;

    /// Others, if they are still of the revision that `wanted` was made from.
    fn set_limits(&self, business: BusinessId, wanted: StoredLimits, change: Change) -> StoreFuture<'_, KeptLimits>;
}
