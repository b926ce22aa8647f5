//! Prints how long a call is held up by a record: until it is in the spool and its copy in the journal.
//!
//! `cargo run --release -p tandem-actors --example journal_lag`

#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use tandem_actors::scribe::{self, Scribe};
use tandem_domain::ids::{BusinessId, CallId, LifeId};
use tandem_domain::port::store::{CallLog, StoreFuture};
use tandem_domain::record::{Record, TimelineEvent};
use uuid::Uuid;

const RECORDS: u32 = 2_000;
/// As 200 busy calls make them.
const PACE: Duration = Duration::from_millis(5);

/// A database that hangs.
struct Hangs;

impl CallLog for Hangs {
    fn write(&self, _: Vec<Record>) -> StoreFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let life = LifeId(Uuid::now_v7());
    let (journal, _) = scribe::begin(folder.path(), life)?;
    let (scribe, _writer) = Scribe::start(Arc::new(Hangs), Some(journal));
    let mut lags = Vec::new();
    for index in 0..RECORDS {
        let event = TimelineEvent {
            call: CallId(life.0),
            business: BusinessId::FIRST,
            index,
            since_start: PACE * index,
            kind: "dtmf",
            data: serde_json::json!({ "detail": "5" }),
        };
        let began = Instant::now();
        scribe.write(Record::Event(event));
        lags.push(began.elapsed());
        tokio::time::sleep(PACE).await;
    }
    lags.sort();
    let at = |percent: usize| lags[(lags.len() - 1) * percent / 100];
    println!("{RECORDS} records: p50 {:.0?}, p99 {:.0?}, worst {:.0?}", at(50), at(99), at(100));
    Ok(())
}
