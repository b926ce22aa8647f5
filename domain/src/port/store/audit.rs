//! The record of a change as its row, written in the transaction that makes the change.

use chrono::{DateTime, Utc};

use crate::ids::BusinessId;

/// One row of the audit log. What stands in it, with its secrets masked and its sizes bounded, is the business of whoever knows who asks: the
/// crate `access`, whose record becomes one of these. It stands here for ports whose changes are not about access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: DateTime<Utc>,
    /// Whose row was changed.
    pub business: BusinessId,
    /// What was done, in one word.
    pub action: String,
    /// To what kind of thing.
    pub resource_kind: String,
    /// To which.
    pub resource_id: String,
    /// All of it, as canonical JSON.
    pub record: String,
}
