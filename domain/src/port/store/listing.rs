//! Which rows of a list, and how many.

use chrono::{DateTime, Utc};

use super::RowKey;

/// A stretch of a list, newest first.
///
/// It goes on from the last row seen and not from a count of rows, so that rows which arrive meanwhile neither repeat nor hide another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Row number of the last one seen; `None` begins with the newest.
    pub before: Option<i64>,
    /// Most rows; 0 counts as 1.
    pub limit: u32,
    /// Those of this agent alone. An agent that the business does not have has none.
    pub agent: Option<RowKey>,
    /// Those in this state alone, in the stored spelling.
    pub status: Option<String>,
    /// Those that began then or later.
    pub from: Option<DateTime<Utc>>,
    /// Those that began before.
    pub until: Option<DateTime<Utc>>,
}

impl Listing {
    /// The newest rows, whatever they are.
    pub fn newest(limit: u32) -> Self {
        Self { limit, ..Self::default() }
    }

    /// The rows that follow row `last`.
    #[must_use]
    pub fn after_row(self, last: Option<i64>) -> Self {
        Self { before: last, ..self }
    }
}
