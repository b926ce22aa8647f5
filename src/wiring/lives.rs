//! The life of this process among others on the same database: it cleans up after those that ended without a word, and gives signs of its own.
//!
//! ```text
//! start:  a folder of the spool whose lock is free ─► its records are written, its life's calls are closed, the folder goes
//! then:   every BEAT a sign; lives without one for SILENCE (other machines', or of folders that are gone) have their calls closed
//! end:    nothing waits any more ─► the life is forgotten
//! ```

use std::path::Path;
use std::time::Duration;

use tandem_actors::metrics as meter;
use tandem_actors::scribe::{self, Abandoned, Journal};
use tandem_domain::ids::LifeId;
use tandem_domain::port::store::{LifeStore, StoreError};
use tandem_domain::record::EndReason;
use tandem_store::Store;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::BootError;

/// Folder of the spool in the data folder.
const SPOOL: &str = "spool";
/// Time between two signs of life: by so much, at most, a closed call may seem shorter than it was.
const BEAT: Duration = Duration::from_secs(5);
/// A life without a sign for so long is over.
const SILENCE: Duration = Duration::from_secs(20);
/// Signs in a row that a process must have given before it judges others: when a database comes back, all are silent at first.
const SIGNS_BEFORE_JUDGING: u32 = (SILENCE.as_secs() / BEAT.as_secs()) as u32;

/// Cleans up after dead lives of this data folder, and begins our own.
pub(super) async fn begin(data_dir: &Path, store: &Store, life: LifeId) -> Result<Journal, BootError> {
    let folder = data_dir.join(SPOOL);
    let failed = |source| BootError::Spool { folder: folder.display().to_string(), source };
    let spool = folder.clone();
    let (journal, abandoned) = blocking(move || scribe::begin(&spool, life)).await.map_err(failed)?;
    for left in abandoned {
        let (dead, left, records, damaged) =
            blocking(move || left.records().map(|(records, damaged)| (left.life(), left, records, damaged)))
                .await
                .map_err(failed)?;
        scribe::replay(&store.living(dead), &records).await?;
        let closed = store.bury(dead).await?;
        if damaged == 0 {
            blocking(move || Abandoned::remove(left)).await.map_err(failed)?;
        } else {
            // Torn by a crash, or written by a newer version: not ours to throw away.
            let aside = blocking(move || Abandoned::set_aside(left)).await.map_err(failed)?;
            warn!(%dead, damaged, kept = %aside.display(), "some records of a process that did not end in order cannot be read");
        }
        recovered(&EndReason::ServerRestarted, closed);
        metrics::counter!(meter::RECORDS_RECOVERED).increment(records.len() as u64);
        info!(%dead, records = records.len(), damaged, calls = closed, "cleaned up after a process that did not end in order");
    }
    store.beat(life).await?;
    Ok(journal)
}

/// Gives signs of life until `stop`, and buries those who give none.
pub(super) async fn beat(store: Store, life: LifeId, stop: CancellationToken) {
    let signs = async {
        let mut given = 0_u32;
        loop {
            sleep(BEAT).await;
            match sign(&store, life, given >= SIGNS_BEFORE_JUDGING).await {
                Ok(()) => given += 1,
                Err(error) => {
                    warn!(%error, "no sign of life given");
                    given = 0;
                }
            }
        }
    };
    stop.run_until_cancelled(signs).await;
}

async fn sign(store: &Store, life: LifeId, judge: bool) -> Result<(), StoreError> {
    store.beat(life).await?;
    if judge {
        let closed = store.bury_silent(SILENCE).await?;
        if closed > 0 {
            warn!(calls = closed, "closed calls of a process that gives no sign of life");
        }
        recovered(&EndReason::ServerLost, closed);
    }
    Ok(())
}

/// Ends our life in order. Calls that are open all the same lost their last record.
pub(super) async fn end(store: &Store, life: LifeId) {
    match store.bury(life).await {
        Ok(closed) => recovered(&EndReason::ServerRestarted, closed),
        Err(error) => warn!(%error, "our life is not ended in the database: another process will"),
    }
}

fn recovered(reason: &EndReason, calls: u32) {
    if calls > 0 {
        metrics::counter!(meter::CALLS_RECOVERED, "reason" => reason.as_str()).increment(u64::from(calls));
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> std::io::Result<T> + Send + 'static) -> std::io::Result<T> {
    spawn_blocking(work).await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
}
