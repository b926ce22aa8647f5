//! Writes the calls' records to the store, in order, off the media path.
//!
//! One task a process behind a bounded queue. A call never waits for it: a full queue loses the record with a counter and a log line. A database
//! that does not answer is asked again, with the records kept; one that refuses a batch gets its records one by one, so that a bad row costs
//! only itself.

use std::sync::Arc;
use std::time::Duration;

use tandem_domain::port::store::{CallLog, StoreError};
use tandem_domain::record::Record;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::{error, warn};

use crate::journal;
use crate::metrics::{RECORDS_LOST, RECORDS_WAITING};

/// Records that may wait: a minute of 500 busy calls.
const QUEUE: usize = 16_384;
/// Records in one transaction.
const BATCH: usize = 256;
/// Pause before a database that did not answer is asked again; doubles up to the ceiling.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Hands records to the writer. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Scribe(mpsc::Sender<Record>);

impl Scribe {
    /// Starts the writer. It ends when the last `Scribe` is dropped and everything is written.
    pub fn start(log: Arc<dyn CallLog>) -> (Self, JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Self(sender), tokio::spawn(write_all(log, receiver)))
    }

    /// Queues a record. Never waits.
    pub fn write(&self, record: Record) {
        if self.0.try_send(record).is_err() {
            metrics::counter!(RECORDS_LOST, "reason" => "queue_full").increment(1);
            error!("record lost: the queue to the database is full");
        }
    }
}

async fn write_all(log: Arc<dyn CallLog>, mut queue: mpsc::Receiver<Record>) {
    let mut batch = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        metrics::gauge!(RECORDS_WAITING).set((queue.len() + batch.len()) as f64);
        write_batch(log.as_ref(), std::mem::take(&mut batch)).await;
        metrics::gauge!(RECORDS_WAITING).set(queue.len() as f64);
    }
}

async fn write_batch(log: &dyn CallLog, batch: Vec<Record>) {
    let Err(error) = write_patiently(log, &batch).await else { return journal::persisted(&batch) };
    if batch.len() == 1 {
        return lost(&error);
    }
    warn!(%error, records = batch.len(), "batch refused, writing its records one by one");
    for record in batch {
        match write_patiently(log, std::slice::from_ref(&record)).await {
            Ok(()) => journal::persisted(&[record]),
            Err(error) => lost(&error),
        }
    }
}

/// Writes, asking again for as long as the database does not answer. An error is a refusal.
async fn write_patiently(log: &dyn CallLog, records: &[Record]) -> Result<(), StoreError> {
    let mut pause = RETRY.0;
    loop {
        match log.write(records.to_vec()).await {
            Err(StoreError::Unavailable(reason)) => {
                warn!(%reason, "database does not answer, records are kept");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(RETRY.1);
            }
            outcome => return outcome,
        }
    }
}

fn lost(error: &StoreError) {
    metrics::counter!(RECORDS_LOST, "reason" => "refused").increment(1);
    error!(%error, "record lost: the database refused it");
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tandem_domain::ids::{BusinessId, CallId};
    use tandem_domain::port::store::StoreFuture;
    use tandem_domain::record::TimelineEvent;

    use super::*;

    /// Fails as planned, then stores; refuses events of the kind `bad` always.
    #[derive(Default)]
    struct Moody {
        outages: Mutex<u32>,
        stored: Mutex<Vec<Record>>,
    }

    impl CallLog for Moody {
        fn write(&self, records: Vec<Record>) -> StoreFuture<'_, ()> {
            Box::pin(async move {
                let mut outages = self.outages.lock().unwrap();
                if *outages > 0 {
                    *outages -= 1;
                    return Err(StoreError::Unavailable("planned".into()));
                }
                if records.iter().any(|record| matches!(record, Record::Event(event) if event.kind == "bad")) {
                    return Err(StoreError::Refused("planned".into()));
                }
                self.stored.lock().unwrap().extend(records);
                Ok(())
            })
        }
    }

    fn event(kind: &'static str, ms: u64) -> Record {
        Record::Event(TimelineEvent {
            call: CallId(uuid::Uuid::nil()),
            business: BusinessId::FIRST,
            since_start: Duration::from_millis(ms),
            kind,
            data: serde_json::Value::Null,
        })
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_delays_records_and_a_bad_one_costs_only_itself() {
        let log = Arc::new(Moody { outages: Mutex::new(12), ..Default::default() });
        let (scribe, writer) = Scribe::start(log.clone());
        for ms in 0..600 {
            scribe.write(event(if ms == 300 { "bad" } else { "dtmf" }, ms));
        }
        drop(scribe);
        writer.await.unwrap();
        let stored = log.stored.lock().unwrap();
        let times: Vec<u64> =
            stored
                .iter()
                .map(|record| {
                    if let Record::Event(event) = record {
                        event.since_start.as_millis() as u64
                    } else {
                        unreachable!()
                    }
                })
                .collect();
        assert_eq!(times, (0..600).filter(|ms| *ms != 300).collect::<Vec<_>>());
    }
}
