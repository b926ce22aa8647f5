//! Who closes which calls when a process has died, and what it says of their end.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tandem_domain::ids::{BusinessId, LifeId};
use tandem_domain::port::store::{CallLog, CallSession, ConversationStore, LifeStore, RowKey};
use tandem_domain::record::{CallStarted, EndReason, Progress, Record};
use uuid::Uuid;

use crate::database::{Database, Raw};
use crate::records::{Call, at};

const FIRST: BusinessId = BusinessId::FIRST;
const SILENCE: Duration = Duration::from_secs(20);

fn life() -> LifeId {
    LifeId(Uuid::now_v7())
}

/// A life that has given its last sign so many seconds ago.
async fn silent(db: &Database, seconds: u32) -> LifeId {
    let life = life();
    db.store.beat(life).await.unwrap();
    let (uuid, ago) = (life.0.simple(), seconds);
    db.execute(&match &db.raw {
        Raw::Sqlite(..) => {
            format!("UPDATE lives SET seen_at = strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '-{ago} seconds') WHERE uuid = X'{uuid}'")
        }
        Raw::Postgres(..) => format!("UPDATE lives SET seen_at = now() - interval '{ago} s' WHERE uuid = '{uuid}'"),
    })
    .await
    .unwrap();
    life
}

/// When the only life gave its last sign.
async fn last_beat(db: &Database) -> DateTime<Utc> {
    let sql = match &db.raw {
        Raw::Sqlite(..) => "SELECT seen_at FROM lives",
        Raw::Postgres(..) => {
            r#"SELECT to_char(seen_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') FROM lives"#
        }
    };
    db.texts(sql).await[0].parse().unwrap()
}

async fn session(db: &Database, call: Call) -> CallSession {
    db.store.call(call.business, RowKey::Uuid(call.call.0)).await.unwrap().unwrap()
}

fn reason(session: &CallSession) -> Option<&str> {
    session.ended_reason.as_deref()
}

pub async fn the_calls_of_a_dead_life_are_closed_and_no_others(db: Database) {
    let (dead, alive) = (life(), life());
    let theirs = db.add_business().await;
    let (open, other_business, ended, of_another, of_none) =
        (Call::new(FIRST), Call::new(theirs), Call::new(FIRST), Call::new(FIRST), Call::new(FIRST));
    db.store.beat(dead).await.unwrap();
    db.store.beat(alive).await.unwrap();
    let log = db.store.living(dead);
    log.write(vec![Record::Started(open.started()), Record::Progress(open.progress("collecting", "Delhi"))])
        .await
        .unwrap();
    log.write(vec![Record::Started(other_business.started())]).await.unwrap();
    log.write(ended.whole()).await.unwrap();
    db.store.living(alive).write(vec![Record::Started(of_another.started())]).await.unwrap();
    db.store.write(vec![Record::Started(of_none.started())]).await.unwrap();

    assert_eq!(db.store.bury(dead).await, Ok(2));
    assert_eq!(db.store.bury(dead).await, Ok(0));
    assert_eq!(db.store.bury(life()).await, Ok(0), "a life that nobody knows has left nothing");
    for call in [open, other_business] {
        let session = session(&db, call).await;
        assert_eq!((session.status.as_str(), reason(&session)), ("failed", Some("server_restarted")));
    }
    let conversation = db.store.conversation(FIRST, RowKey::Uuid(open.conversation.0)).await.unwrap().unwrap();
    assert_eq!((conversation.status.as_str(), conversation.stage.as_str()), ("ended", "collecting"));
    assert_eq!(conversation.ended_reason.as_deref(), Some("server_restarted"));
    assert_eq!(conversation.extracted_data["location"], "Delhi");
    assert_eq!(reason(&session(&db, ended).await), Some("completed"));
    for call in [of_another, of_none] {
        assert_eq!(session(&db, call).await.ended_at, None);
    }
    assert_eq!(db.number("SELECT count(*) FROM lives").await, 1);
}

pub async fn a_call_ends_at_the_last_sign_of_life(db: Database) {
    // The test calls began long ago and their life has no heartbeat: their own rows are the last sign.
    let dead = life();
    let [silent, spoke, answered, pressed] = [(); 4].map(|()| Call::new(FIRST));
    let records = vec![
        Record::Started(silent.started()),
        Record::Started(spoke.started()),
        Record::UserTurn(spoke.turn(1, "hello", 12.0)),
        Record::Started(answered.started()),
        Record::UserTurn(answered.turn(1, "hello", 2.0)),
        Record::AgentResponse(answered.response(1, Some(1), "hello", 3.5)),
        Record::Started(pressed.started()),
        Record::Event(pressed.event(7_250, "dtmf", json!({}))),
    ];
    db.store.living(dead).write(records).await.unwrap();
    assert_eq!(db.store.bury(dead).await, Ok(4));
    for (call, ms) in [(silent, 0), (spoke, 12_000), (answered, 3_500), (pressed, 7_250)] {
        let session = session(&db, call).await;
        assert_eq!(session.ended_at, Some(at(0.0) + TimeDelta::milliseconds(ms)));
        assert_eq!(session.duration_seconds, Some(ms / 1_000));
    }
}

pub async fn a_heartbeat_is_a_sign_of_life_of_every_open_call(db: Database) {
    let dead = silent(&db, 3).await;
    let call = Call::new(FIRST);
    let began = last_beat(&db).await - TimeDelta::seconds(90);
    let started = CallStarted { at: began, ..call.started() };
    db.store.living(dead).write(vec![Record::Started(started)]).await.unwrap();
    assert_eq!(db.store.bury(dead).await, Ok(1));
    assert_eq!(session(&db, call).await.duration_seconds, Some(90));
}

pub async fn a_silent_life_is_buried_and_one_that_beats_is_not(db: Database) {
    let (lost, slow, alive) = (silent(&db, 30).await, silent(&db, 10).await, life());
    db.store.beat(alive).await.unwrap();
    let calls = [lost, slow, alive].map(|life| (life, Call::new(FIRST)));
    for (life, call) in calls {
        db.store.living(life).write(vec![Record::Started(call.started())]).await.unwrap();
    }
    db.store.beat(alive).await.unwrap();
    assert_eq!(db.store.bury_silent(SILENCE).await, Ok(1));
    assert_eq!(db.store.bury_silent(SILENCE).await, Ok(0));
    let lost = session(&db, calls[0].1).await;
    assert_eq!((lost.status.as_str(), reason(&lost)), ("failed", Some("server_lost")));
    for (_, call) in &calls[1..] {
        assert_eq!(session(&db, *call).await.ended_at, None);
    }
}

pub async fn a_life_that_was_presumed_dead_has_the_last_word(db: Database) {
    let cut_off = silent(&db, 30).await;
    let (call, log) = (Call::new(FIRST), db.store.living(cut_off));
    log.write(vec![Record::Started(call.started()), Record::Progress(call.progress("collecting", "Delhi"))])
        .await
        .unwrap();
    assert_eq!(db.store.bury_silent(SILENCE).await, Ok(1));

    log.beat(cut_off).await.unwrap();
    let progress = Progress { revision: 2, ..call.progress("completed", "Pune") };
    log.write(vec![Record::UserTurn(call.turn(1, "Pune", 4.0)), Record::Progress(progress)]).await.unwrap();
    log.write(vec![Record::Ended(call.ended(EndReason::Completed, 9.9))]).await.unwrap();
    let session = session(&db, call).await;
    assert_eq!((session.status.as_str(), reason(&session)), ("completed", Some("completed")));
    assert_eq!(session.duration_seconds, Some(9));
    let conversation = db.store.conversation(FIRST, RowKey::Uuid(call.conversation.0)).await.unwrap().unwrap();
    assert_eq!((conversation.stage.as_str(), &conversation.extracted_data["location"]), ("completed", &json!("Pune")));
    assert_eq!(conversation.ended_reason.as_deref(), Some("completed"));
    assert_eq!(db.store.bury(cut_off).await, Ok(0));
}

pub async fn an_open_call_of_no_known_life_is_closed_when_it_is_older_than_any_call(db: Database) {
    let (old, unknown, recent) = (Call::new(FIRST), Call::new(FIRST), Call::new(FIRST));
    db.store.write(vec![Record::Started(old.started())]).await.unwrap();
    db.store.living(life()).write(vec![Record::Started(unknown.started())]).await.unwrap();
    let beating = life();
    db.store.beat(beating).await.unwrap();
    let now = last_beat(&db).await;
    db.store
        .write(vec![Record::Started(CallStarted { at: now - TimeDelta::hours(3), ..recent.started() })])
        .await
        .unwrap();

    assert_eq!(db.store.bury_silent(SILENCE).await, Ok(2));
    for call in [old, unknown] {
        assert_eq!(reason(&session(&db, call).await), Some("server_lost"));
    }
    assert_eq!(session(&db, recent).await.ended_at, None);
}
