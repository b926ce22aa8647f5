//! Brings the calls' records to the store, in order, off the media path, through a database that hangs and a process that is killed.
//!
//! ```text
//! calls ──┬──► spool, in memory ──► writer ──► database        (batches, one transaction each)
//!         └──► journal, a file ◄── keeper                      (a copy of what waits; read at the next start)
//! ```
//!
//! A call hands a record over and goes on: it is in the spool, its copy in the `journal`, and from then on survives the process. The writer takes
//! from the spool, oldest first; a database that does not answer is asked again, with the records kept; one that refuses a batch gets its
//! records one by one, so that a bad row costs only itself. The keeper forgets in the journal what the database has, and writes there what the
//! disk did not take at first.
//!
//! The spool is bounded ([`spool::MOST_RECORDS`], [`spool::MOST_BYTES`]). When it is full the newest record is lost, with a counter: what waits
//! is never given up for what comes. A call whose first record is lost is lost whole, because the store refuses rows that hang on nothing.
//!
//! Not here: whose calls were open when a process died (the store knows), and when lives begin and end (the wiring does).

use std::sync::Arc;
use std::time::Duration;

use tandem_domain::port::store::{CallLog, StoreError};
use tandem_domain::record::Record;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::sleep;
use tracing::{error, warn};

use crate::metrics::RECORDS_LOST;
use crate::steps;

mod journal;
mod life;
mod line;
mod spool;

pub use journal::Journal;
pub use life::{Abandoned, begin};
use spool::{Full, Spool};
pub use spool::{MOST_BYTES, MOST_RECORDS, SpoolView};

/// Records in one transaction.
const BATCH: usize = 256;
/// Pause before a database that did not answer is asked again; doubles up to the ceiling.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// Pause before a disk that took no journal is tried again.
const DISK_RETRY: Duration = Duration::from_secs(1);

/// Hands records to the writer. Cheap to clone.
#[derive(Clone)]
pub struct Scribe(Arc<Desk>);

/// What all clones of a scribe share; the last one that goes closes the spool.
struct Desk {
    spool: Arc<Spool>,
    journal: Option<Arc<Journal>>,
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.spool.close();
    }
}

/// A look at the records that wait. Cheap to clone; holds nothing open.
#[derive(Clone)]
pub struct SpoolWatch(Arc<Spool>);

impl SpoolWatch {
    /// How things are now.
    pub fn view(&self) -> SpoolView {
        self.0.view()
    }
}

impl Scribe {
    /// Starts the writer. It ends when the last `Scribe` is dropped and everything is written. Without a journal, what waits dies with the process.
    pub fn start(log: Arc<dyn CallLog>, journal: Option<Journal>) -> (Self, JoinHandle<()>) {
        let (spool, journal) = (Arc::new(Spool::default()), journal.map(Arc::new));
        let (kept, written) = (keep(Arc::clone(&spool), journal.clone()), write_all(log, Arc::clone(&spool)));
        let work = async move {
            tokio::join!(kept, written);
        };
        (Self(Arc::new(Desk { spool, journal })), tokio::spawn(work))
    }

    /// Queues a record. Never waits for the database.
    pub fn write(&self, record: Record) {
        let Desk { spool, journal } = self.0.as_ref();
        let text = line::encode(&record);
        match spool.admit(text.len()) {
            Ok(()) => {
                let place = spool.push(record, text.len());
                if let Some(journal) = journal {
                    journal.append(journal::Line { place, text });
                }
            }
            Err(full) => {
                lost("spool_full");
                if let Full::First = full {
                    error!("records are lost from now on: too many wait for the database");
                }
            }
        }
    }

    /// A look at the records that wait.
    pub fn watch(&self) -> SpoolWatch {
        SpoolWatch(Arc::clone(&self.0.spool))
    }
}

/// Keeps the journal in step with the database until everything is written; then nothing is left to a successor.
async fn keep(spool: Arc<Spool>, journal: Option<Arc<Journal>>) {
    let Some(journal) = journal else { return };
    while !spool.is_over() {
        let behind = journal.pending() > 0;
        tokio::select! {
            biased;
            () = spool.less() => {}
            () = journal.behind() => {}
            () = sleep(DISK_RETRY), if behind => {}
        }
        let (tidied, written) = (Arc::clone(&journal), spool.written());
        if let Err(error) = spawn_blocking(move || tidied.tidy(written)).await {
            error!(%error, "the keeper of the journal stumbled");
        }
        spool.set_unjournalled(journal.pending());
    }
    let _ = spawn_blocking(move || journal.close()).await; // says itself what went wrong
}

/// Brings the spool's records to the database until it is closed and empty.
async fn write_all(log: Arc<dyn CallLog>, spool: Arc<Spool>) {
    let mut pause = RETRY.0;
    // Records that are written one by one, for they were refused together.
    let mut apart = 0_usize;
    while let Some(batch) = spool.front(if apart > 0 { 1 } else { BATCH }).await {
        let (count, ended) = (batch.len(), steps::endings(&batch));
        match log.write(batch).await {
            Ok(()) => ended.iter().for_each(steps::persisted),
            Err(StoreError::Unavailable(reason)) => {
                warn!(%reason, "database does not answer, records are kept");
                spool.refused(reason);
                sleep(pause).await;
                pause = (pause * 2).min(RETRY.1);
                continue;
            }
            Err(error) if count > 1 => {
                warn!(%error, records = count, "batch refused, writing its records one by one");
                apart = count;
                continue;
            }
            Err(error) => refused(&error),
        }
        spool.done(count);
        apart = apart.saturating_sub(count);
        pause = RETRY.0;
    }
}

/// Writes what a life has left, at once; gives up at a database that does not answer.
pub async fn replay(log: &dyn CallLog, records: &[Record]) -> Result<(), StoreError> {
    for batch in records.chunks(BATCH) {
        match log.write(batch.to_vec()).await {
            Ok(()) => continue,
            Err(error @ StoreError::Unavailable(_)) => return Err(error),
            Err(error) => warn!(%error, records = batch.len(), "batch refused, writing its records one by one"),
        }
        for record in batch {
            match log.write(vec![record.clone()]).await {
                Ok(()) => {}
                Err(error @ StoreError::Unavailable(_)) => return Err(error),
                Err(error) => refused(&error),
            }
        }
    }
    Ok(())
}

fn refused(error: &StoreError) {
    lost("refused");
    error!(%error, "record lost: the database refused it");
}

fn lost(reason: &'static str) {
    metrics::counter!(RECORDS_LOST, "reason" => reason).increment(1);
}

#[cfg(test)]
mod tests;
