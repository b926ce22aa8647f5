//! What is forgotten in the background, though nobody asks: sessions that are over, and calls that were let in on days long gone.
//!
//! A log-in leaves a row; who logs in each morning leaves hundreds a year. An ended one is kept for a day, in which somebody may ask why they
//! were logged out, and its record of changes for ever. A call that was let in leaves one beside its own, which counts for its day's limits.

use std::time::Duration;

use chrono::TimeDelta;
use tandem_access::port::AccessStore as _;
use tandem_actors::clock;
use tandem_domain::port::store::StoreFuture;
use tandem_store::Store;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// Between two sweeps; the first one is made at start.
const EVERY: Duration = Duration::from_secs(60 * 60);
/// How long an ended session is kept.
const KEPT: TimeDelta = TimeDelta::days(1);
/// How long a call that was let in is kept beside its own row: more than any two places differ in what day it is.
const USAGE_KEPT: TimeDelta = TimeDelta::days(7);
/// Rows of one transaction: nobody who logs in waits for long.
const AT_ONCE: u32 = 500;

/// Forgets until `stop`.
pub(super) async fn forgetting(store: Store, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        batches("ended sessions", &stop, || store.forget_sessions(clock::utc() - KEPT, AT_ONCE)).await;
        let day = || (clock::utc() - USAGE_KEPT).date_naive();
        batches("calls of days long gone", &stop, || store.forget_usage(day(), AT_ONCE)).await;
    }
}

/// One batch after the other, until one is not full.
async fn batches<'a>(what: &'static str, stop: &CancellationToken, batch: impl Fn() -> StoreFuture<'a, u64>) {
    loop {
        match batch().await {
            Ok(forgotten) if forgotten >= u64::from(AT_ONCE) && !stop.is_cancelled() => {}
            Ok(forgotten) => return debug!(what, forgotten, "forgotten"),
            Err(error) => return warn!(what, %error, "not forgotten"),
        }
    }
}
