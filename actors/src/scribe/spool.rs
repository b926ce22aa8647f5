//! The records between the calls and the database: bounded, in order, counted.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tandem_domain::record::Record;
use tokio::sync::Notify;

use crate::clock;
use crate::metrics::{RECORDS_UNJOURNALLED, RECORDS_WAITING, SPOOL_BYTES};

/// Records that may wait (promises.md D1). At 200 busy calls, the better part of a minute without a database.
pub const MOST_RECORDS: usize = 10_000;
/// Bytes that they may have, as JSON.
pub const MOST_BYTES: usize = 64 * 1024 * 1024;
/// A database that takes longer for one batch counts as not answering.
const SLOW: Duration = Duration::from_secs(2);

/// How the spool is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolView {
    /// Records that wait for the database.
    pub waiting: usize,
    /// Their size as JSON.
    pub bytes: usize,
    /// Those of them that a crash would lose, where there is a journal at all.
    pub unjournalled: usize,
    /// Why they wait longer than they should, and for how long; `None` while all is well.
    pub stuck: Option<(String, Duration)>,
}

/// Shared by all that write, the keeper of the journal and the writer to the database.
#[derive(Default)]
pub(super) struct Spool {
    waiting: AtomicUsize,
    bytes: AtomicUsize,
    unjournalled: AtomicUsize,
    full: AtomicBool,
    queue: Mutex<Queue>,
    /// There is something to write, or there never will be again.
    more: Notify,
    /// Something was written.
    less: Notify,
}

#[derive(Default)]
struct Queue {
    /// Each with its size.
    records: VecDeque<(Record, usize)>,
    /// Records that left the queue, which is the place of the last of them.
    written: u64,
    closed: bool,
    /// Since when the front of the queue is tried.
    trying: Option<Instant>,
    refusal: Option<String>,
}

/// What became of a record that came to a full spool.
pub(super) enum Full {
    /// The first since there was room.
    First,
    /// One of many.
    Again,
}

impl Spool {
    /// Makes room for a record of this size.
    pub(super) fn admit(&self, size: usize) -> Result<(), Full> {
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = self.bytes.fetch_add(size, Ordering::Relaxed) + size;
        if waiting <= MOST_RECORDS && bytes <= MOST_BYTES {
            self.full.store(false, Ordering::Relaxed);
            return Ok(());
        }
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(size, Ordering::Relaxed);
        Err(if self.full.swap(true, Ordering::Relaxed) { Full::Again } else { Full::First })
    }

    /// Queues an admitted record with its size; returns its place, counted from 1.
    pub(super) fn push(&self, record: Record, size: usize) -> u64 {
        let mut queue = self.queue();
        queue.records.push_back((record, size));
        let place = queue.written + queue.records.len() as u64;
        drop(queue);
        self.gauge();
        self.more.notify_one();
        place
    }

    /// The oldest records, at most so many, as soon as there are any; they stay until they are [`Self::done`]. `None` after the last one.
    pub(super) async fn front(&self, most: usize) -> Option<Vec<Record>> {
        loop {
            let more = self.more.notified();
            {
                let mut queue = self.queue();
                if !queue.records.is_empty() {
                    queue.trying.get_or_insert_with(clock::now);
                    return Some(queue.records.iter().take(most).map(|(record, _)| record.clone()).collect());
                }
                if queue.closed {
                    return None;
                }
            }
            more.await;
        }
    }

    /// The oldest `count` records are settled.
    pub(super) fn done(&self, count: usize) {
        let mut queue = self.queue();
        let bytes: usize = queue.records.drain(..count).map(|(_, size)| size).sum();
        queue.written += count as u64;
        (queue.trying, queue.refusal) = (None, None);
        drop(queue);
        self.waiting.fetch_sub(count, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.gauge();
        self.less.notify_one();
    }

    /// The database did not take the oldest records.
    pub(super) fn refused(&self, why: String) {
        self.queue().refusal = Some(why);
    }

    /// Nothing more will come.
    pub(super) fn close(&self) {
        self.queue().closed = true;
        self.more.notify_one();
        self.less.notify_one();
    }

    /// Whether nothing more will come and nothing waits.
    pub(super) fn is_over(&self) -> bool {
        let queue = self.queue();
        queue.closed && queue.records.is_empty()
    }

    /// Waits until something was written since the last call, or the spool is closed.
    pub(super) async fn less(&self) {
        self.less.notified().await;
    }

    /// Place of the last record that is settled.
    pub(super) fn written(&self) -> u64 {
        self.queue().written
    }

    /// How many records have no copy on disk.
    pub(super) fn set_unjournalled(&self, count: usize) {
        self.unjournalled.store(count, Ordering::Relaxed);
        metrics::gauge!(RECORDS_UNJOURNALLED).set(count as f64);
    }

    pub(super) fn view(&self) -> SpoolView {
        let now = clock::now();
        let queue = self.queue();
        let since = queue.trying.map(|since| now.saturating_duration_since(since));
        let stuck = match (since, &queue.refusal) {
            (Some(since), Some(why)) => Some((why.clone(), since)),
            (Some(since), None) if since > SLOW => Some(("the database does not answer".to_owned(), since)),
            _ => None,
        };
        drop(queue);
        SpoolView {
            waiting: self.waiting.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            unjournalled: self.unjournalled.load(Ordering::Relaxed),
            stuck,
        }
    }

    fn gauge(&self) {
        metrics::gauge!(RECORDS_WAITING).set(self.waiting.load(Ordering::Relaxed) as f64);
        metrics::gauge!(SPOOL_BYTES).set(self.bytes.load(Ordering::Relaxed) as f64);
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
