//! Prints how many rows a second the store writes in batches, on the database given (default: a new SQLite file in a temporary folder).
//!
//! `cargo run --release -p tandem-store --example write_rate -- [batch size] [database address]`

#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::time::{Duration, Instant};

use tandem_domain::ids::{BusinessId, CallId, ConversationId, TurnId, UtteranceId};
use tandem_domain::port::store::CallLog;
use tandem_domain::record::{AgentResponse, CallStarted, Direction, Record, UserTurn};
use tandem_store::{Location, Options, Store};
use uuid::Uuid;

/// How long it writes.
const LENGTH: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let size: usize = arguments.next().map_or(Ok(256), |size| size.parse())?;
    let folder = tempfile::tempdir()?;
    let location = Location::from_settings(arguments.next().as_deref(), folder.path())?;
    let store = Store::open(&location, Options::default()).await?;
    store.migrate().await?;

    let (begin, mut rows, mut times) = (Instant::now(), 0, vec![]);
    while begin.elapsed() < LENGTH {
        let batch = batch(size);
        let start = Instant::now();
        store.write(batch).await?;
        times.push(start.elapsed());
        rows += size;
    }
    let rate = rows as f64 / times.iter().sum::<Duration>().as_secs_f64();
    times.sort();
    let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
    println!(
        "{} rows/s in batches of {size} on {}: median {median:.1?} a batch, worst {worst:.1?}",
        rate as u64,
        store.engine()
    );
    store.close().await;
    Ok(())
}

/// One call's start, then turns and responses by turns. A start is one record and two rows, so rows are a little undercounted.
fn batch(size: usize) -> Vec<Record> {
    let (business, now) = (BusinessId::FIRST, chrono::Utc::now());
    let (call, conversation) = (CallId(Uuid::now_v7()), ConversationId(Uuid::now_v7()));
    let started = CallStarted {
        call,
        conversation,
        business,
        agent: None,
        agent_version: None,
        call_sid: call.to_string(),
        stream_sid: String::new(),
        provider: "twilio".into(),
        direction: Direction::Inbound,
        from: None,
        to: None,
        parameters: [].into(),
        at: now,
    };
    let spoken = (2..=size as u32).map(|index| {
        let text = "I am looking for an apartment in Delhi for sixty lakh rupees".to_owned();
        if index % 2 == 0 {
            Record::UserTurn(UserTurn {
                conversation,
                business,
                turn: TurnId(index / 2),
                text,
                language: Some("en".into()),
                stt_provider: "whisper".into(),
                confidence: Some(0.9),
                at: now,
            })
        } else {
            Record::AgentResponse(AgentResponse {
                conversation,
                business,
                utterance: UtteranceId(index / 2),
                turn: Some(TurnId(index / 2)),
                heard: text.clone(),
                text,
                interrupted: false,
                llm_provider: "rules".into(),
                tts_provider: "flite".into(),
                voice: "rms".into(),
                language: "en".into(),
                latency: Some(Duration::from_millis(800)),
                stages: vec![("endpointing", Duration::from_millis(500)), ("stt", Duration::from_millis(300))],
                at: now,
            })
        }
    });
    std::iter::once(Record::Started(started)).chain(spoken).collect()
}
