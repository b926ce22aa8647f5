//! Brings the calls' records to the store, in order, off the media path, through a database that hangs and a process that is killed.
//!
//! ```text
//! calls ──► queue ──► keeper ──┬──► spool ──► writer ──► database        (batches, one transaction each)
//!            never waits       └──► journal, a file                      (a copy of what waits; read at the next start)
//! ```
//!
//! A call hands a record over and goes on. The keeper puts it into the spool and its copy into the [`journal`], within a hand-over between
//! threads; from then on it survives the process. The writer takes from the spool, oldest first; a database that does not answer is asked
//! again, with the records kept; one that refuses a batch gets its records one by one, so that a bad row costs only itself.
//!
//! The spool is bounded ([`spool::MOST_RECORDS`], [`spool::MOST_BYTES`]). When it is full the newest record is lost, with a counter: what is kept
//! then is the unbroken beginning of every call, and no row that hangs on one that is missing.
//!
//! Not here: whose calls were open when a process died (the store knows), and when lives begin and end (the wiring does).

use std::sync::Arc;
use std::time::Duration;

use tandem_domain::port::store::{CallLog, StoreError};
use tandem_domain::record::Record;
use tokio::sync::mpsc;
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
pub struct Scribe {
    /// The record, and its line where there is a journal to write it to.
    queue: mpsc::Sender<(Record, Vec<u8>)>,
    spool: Arc<Spool>,
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
        let (sender, receiver) = mpsc::channel(MOST_RECORDS);
        let spool = Arc::new(Spool::default());
        let (kept, written) = (keep(receiver, Arc::clone(&spool), journal), write_all(log, Arc::clone(&spool)));
        let work = async move {
            // Written to the end: the spool is empty, and so is what a successor would have to do.
            if let (Some(journal), ()) = tokio::join!(kept, written) {
                let _ = spawn_blocking(move || journal.close()).await; // says itself what went wrong
            }
        };
        (Self { queue: sender, spool }, tokio::spawn(work))
    }

    /// Queues a record. Never waits.
    pub fn write(&self, record: Record) {
        let line = line::encode(&record);
        let size = line.len();
        match self.spool.admit(size) {
            // The queue holds as many as the spool admits, so it is never full; closed, it has lost its keeper.
            Ok(()) if self.queue.try_send((record, line)).is_err() => {
                lost("no_keeper");
                error!("record lost: its keeper is gone");
            }
            Ok(()) => {}
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
        SpoolWatch(Arc::clone(&self.spool))
    }
}

/// Fills the spool and keeps the journal; returns it in the end.
async fn keep(
    mut queue: mpsc::Receiver<(Record, Vec<u8>)>,
    spool: Arc<Spool>,
    mut journal: Option<Journal>,
) -> Option<Journal> {
    let mut fresh = Vec::with_capacity(BATCH);
    let mut open = true;
    while open {
        let behind = journal.as_ref().is_some_and(|journal| journal.pending() > 0);
        tokio::select! {
            biased;
            count = queue.recv_many(&mut fresh, BATCH) => open = count > 0,
            () = spool.less(), if journal.is_some() => {}
            () = sleep(DISK_RETRY), if behind => {}
        }
        // The spool first: a disk that hangs keeps nothing from the database.
        let (records, texts): (Vec<_>, Vec<_>) =
            fresh.drain(..).map(|(record, text)| ((record, text.len()), text)).unzip();
        let first = spool.push(records);
        let Some(mut held) = journal.take() else { continue };
        let lines = (first..).zip(texts).map(|(place, text)| journal::Line { place, text }).collect();
        let written = spool.written();
        let kept = spawn_blocking(move || {
            held.keep(lines, written);
            held
        });
        match kept.await {
            Ok(held) => {
                spool.set_unjournalled(held.pending());
                journal = Some(held);
            }
            Err(error) => error!(%error, "the journal is lost: records wait in memory alone"),
        }
    }
    spool.close();
    journal
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
