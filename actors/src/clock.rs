//! The one place where the switch reads time.
//!
//! Deadlines run on tokio's clock, so that whole calls run under paused time; records carry the wall clock.

#![allow(clippy::disallowed_methods)]

use std::time::Instant;

use chrono::{DateTime, Utc};

/// Now, on the monotonic clock that timers use.
pub fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Now, for people and records.
pub fn utc() -> DateTime<Utc> {
    Utc::now()
}
