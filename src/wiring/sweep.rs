//! What is forgotten in the background, though nobody asks: sessions that are over.
//!
//! A log-in leaves a row; who logs in each morning leaves hundreds a year. An ended one is kept for a day, in which somebody may ask why they
//! were logged out, and its record of changes for ever.

use std::time::Duration;

use chrono::TimeDelta;
use tandem_access::port::AccessStore as _;
use tandem_actors::clock;
use tandem_store::Store;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// Between two sweeps; the first one is made at start.
const EVERY: Duration = Duration::from_secs(60 * 60);
/// How long an ended session is kept.
const KEPT: TimeDelta = TimeDelta::days(1);
/// Rows of one transaction: nobody who logs in waits for long.
const AT_ONCE: u32 = 500;

/// Forgets ended sessions until `stop`.
pub(super) async fn sessions(store: Store, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        loop {
            match store.forget_sessions(clock::utc() - KEPT, AT_ONCE).await {
                Ok(forgotten) if forgotten >= u64::from(AT_ONCE) && !stop.is_cancelled() => {}
                Ok(forgotten) => {
                    debug!(forgotten, "ended sessions forgotten");
                    break;
                }
                Err(error) => {
                    warn!(%error, "ended sessions not forgotten");
                    break;
                }
            }
        }
    }
}
