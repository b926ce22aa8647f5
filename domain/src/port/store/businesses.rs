//! A business itself, for who edits it. Who makes one, and who sees more than their own, is the command line's
//! (`tandem_access::port::BusinessRegister`).

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{Change, StoreFuture};
use crate::ids::BusinessId;

/// A business as it is shown and edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Business {
    /// Row number.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub id: BusinessId,
    /// Public id.
    pub uuid: Uuid,
    /// What it is called; no two have one name, whatever the case.
    pub name: String,
    /// Where its days begin, by its name in the tz database; `null` for the server's zone. The same as in its limits.
    pub time_zone: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Counts every change, those of its limits too.
    #[serde(skip)]
    pub revision: i64,
}

/// What became of a change of a business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptBusiness {
    /// It is kept.
    Done(Business),
    /// Another business has the name.
    NameTaken,
    /// It is not what was seen, or is gone: read it again.
    Raced,
}

/// A business, for who edits it.
pub trait BusinessBook: Send + Sync {
    /// As it is; `None` if there is no such business.
    fn business(&self, business: BusinessId) -> StoreFuture<'_, Option<Business>>;

    /// Another name or zone, if it is still of the revision that `wanted` was made from.
    fn set_business(&self, wanted: Business, change: Change) -> StoreFuture<'_, KeptBusiness>;
}
