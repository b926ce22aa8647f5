//! `kill -9`, again and again: what a caller could know of is on record, no call stays open, and the database is sound.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use tandem_actors::clock;
use tandem_peers::carrier::twilio::{TwilioIds, TwilioPeer};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

#[path = "support/killable.rs"]
mod killable;
mod support;
#[path = "support/witness.rs"]
mod witness;

use killable::Killable;
use witness::{call, compare, on_record};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Somewhere in the range: when a process is killed is nobody's choice.
fn moment(from: Duration, to: Duration) -> Duration {
    let share = f64::from(uuid::Uuid::new_v4().as_fields().0) / f64::from(u32::MAX);
    from + (to - from).mul_f64(share)
}

fn sqlite(data: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(data.join("tandem.db"))
}

#[tokio::test]
async fn a_turn_that_its_caller_heard_answered_survives_a_kill() {
    const ROUNDS: u32 = 4;
    const CALLS: u32 = 16;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut known = 0;
    let mut restarted = 0;
    for round in 0..ROUNDS {
        let switch = Killable::start(&data, &["ENDPOINT_SILENCE_MS=200"]).await;
        let mut lock = sqlite(&data).connect().await.unwrap();
        if round % 2 == 1 {
            // Nothing reaches the database: all that survives is in the journal.
            sqlx::query("BEGIN IMMEDIATE").execute(&mut lock).await.unwrap();
        }
        let mut calls = JoinSet::new();
        for number in 0..CALLS {
            let url = switch.media_url();
            calls.spawn(async move {
                sleep(ms(150) * number).await;
                call(url, round * CALLS + number).await
            });
        }
        sleep(moment(ms(4_500), ms(11_000))).await;
        switch.kill().await;
        let died = clock::utc();
        lock.close().await.unwrap();

        let reports: Vec<_> = calls.join_all().await.into_iter().flatten().collect();
        let again = Killable::start(&data, &[]).await;
        for report in reports {
            let record = on_record(&again, &report.call_sid).await;
            let (conversation, lines) = record.unwrap_or_else(|| (Value::Null, Vec::new()));
            known += compare(&report, &lines);
            if conversation.is_null() {
                continue; // killed in the first moment of the call
            }
            assert_eq!(conversation["status"], "ended", "{conversation}");
            let time = |key: &str| conversation[key].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
            assert!(time("started_at") <= time("ended_at") && time("ended_at") <= died, "{conversation}");
            restarted += usize::from(conversation["ended_reason"] == "server_restarted");
        }
        again.end().await;
    }
    assert!(known >= 10, "the callers knew of {known} turns: too few to prove anything");
    assert!(restarted >= 10, "{restarted} calls were cut by a kill: too few to prove anything");
}

/// Calls without end or sense, so that the database is always being written to.
async fn noise(url: String, number: u32) {
    for round in 0.. {
        let mut peer = TwilioPeer::new(TwilioIds::numbered(u128::from(number) * 10_000 + round), BTreeMap::new());
        let Ok((mut socket, _)) = tokio_tungstenite::connect_async(&url).await else { return };
        for text in peer.open(clock::now()) {
            if socket.send(Message::text(text)).await.is_err() {
                return;
            }
        }
        // The greeting has begun: the call is on record, or about to be.
        if !matches!(socket.next().await, Some(Ok(_))) {
            return;
        }
        let stop = peer.stop(clock::now());
        let _ = socket.send(Message::text(stop)).await; // killed meanwhile
    }
}

async fn calls(db: &mut SqliteConnection) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM call_sessions").fetch_one(db).await.unwrap()
}

#[tokio::test]
async fn a_database_is_sound_after_each_of_a_hundred_kills() {
    const KILLS: u32 = 100;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = sqlite(&data);
    let began = clock::now();
    let mut rows = 0;
    for number in 0..KILLS {
        let switch = Killable::start(&data, &[]).await;
        let mut callers = JoinSet::new();
        let mut db = file.clone().connect().await.unwrap();
        let open: i64 = sqlx::query_scalar("SELECT count(*) FROM call_sessions WHERE ended_at IS NULL")
            .fetch_one(&mut db)
            .await
            .unwrap();
        assert_eq!(open, 0, "after {number} kills, before any call, one is open");
        for caller in 0..6 {
            callers.spawn(noise(switch.media_url(), number * 6 + caller));
        }
        // Every other kill comes while calls are being written, however slow the machine is.
        while number % 2 == 1 && calls(&mut db).await == rows {
            sleep(ms(5)).await;
        }
        sleep(moment(ms(20), ms(200))).await;
        let committed = calls(&mut db).await;
        db.close().await.unwrap(); // nobody else holds the file: the next to open it repairs it
        switch.kill().await;
        callers.join_all().await;

        let mut db = file.clone().connect().await.unwrap();
        let check: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut db).await.unwrap();
        assert_eq!(check, ["ok"], "after kill {number}");
        let broken: Vec<String> =
            sqlx::query_scalar("SELECT \"table\" FROM pragma_foreign_key_check").fetch_all(&mut db).await.unwrap();
        assert!(broken.is_empty(), "after kill {number}: {broken:?}");
        let after = calls(&mut db).await;
        assert!(after >= committed && committed >= rows, "kill {number}: {rows}, {committed}, {after} calls");
        rows = after;
        db.close().await.unwrap();
    }
    eprintln!("{KILLS} kills, {rows} calls, {:?}", began.elapsed());
    assert!(rows >= i64::from(KILLS / 2), "{rows} calls: the kills met no writing");
}
