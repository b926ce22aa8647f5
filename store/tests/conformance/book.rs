use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tandem_domain::agent_settings::{AgentChange, AgentSettings, Scope};
use tandem_domain::agent_version::{Origin, Version, VersionNumber};
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{
    AgentBook, AgentRecord, AgentStore, AuditEntry, CallLog, Change, ConversationStore, Kept, MOST_VERSIONS, RowKey,
    StoreError,
};
use tandem_store::{Options, Store};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::database::Database;
use crate::records::Call;

const OURS: BusinessId = BusinessId::FIRST;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 123_456_789).unwrap() + TimeDelta::seconds(seconds)
}

pub fn by(business: BusinessId) -> Change {
    let audit = AuditEntry {
        at: at(0),
        business,
        action: "updated".to_owned(),
        resource_kind: "agent".to_owned(),
        resource_id: "1".to_owned(),
        record: "{}".to_owned(),
    };
    Change { by: "user:17".to_owned(), at: at(60), audit }
}

pub fn change(document: Value) -> AgentChange {
    AgentChange::read(&document, Scope::default()).unwrap()
}

pub fn done(kept: Kept) -> AgentRecord {
    match kept {
        Kept::Done(record) => *record,
        other => panic!("{other:?}"),
    }
}

pub async fn create(db: &Database, business: BusinessId, document: Value) -> Kept {
    let settings = AgentSettings::default().with(&change(document));
    db.store.create_agent(business, Uuid::now_v7(), Version::first(settings), by(business)).await.unwrap()
}

fn live(record: &AgentRecord) -> Version {
    Version { number: record.live, origin: Origin::Edited, settings: record.settings.clone() }
}

pub async fn edit(db: &Database, seen: &AgentRecord, document: Value) -> Kept {
    let next = live(seen).edited(&change(document)).unwrap();
    db.store.save_agent(seen.clone(), next, by(seen.identity.business)).await.unwrap()
}

async fn audited(db: &Database) -> i64 {
    db.number("SELECT count(*) FROM audit_log").await
}

/// A value of every kind that a column has.
fn much() -> Value {
    json!({
        "name": "Asha", "system_prompt": "You are Asha.\nBe kind.", "language": "hi-IN", "sales_script_text": "Namaste!",
        "business_info": {"company_name": "Acme", "flats": 12, "price": 1.5, "open": true, "days": ["Mon", "Tue"]},
        "eagerness": 0.625, "call_timeout": 45, "similarity": 0.3, "auto_answer_inbound": false, "asr_keywords": "Gurugram, lakh",
        "caller_id_number": "+918047112233", "guardrails": ["no_pii"], "client_events": {"audio": false},
        "languages": [{"language_code": "hi", "voice_id": "asha"}], "post_call_webhook_url": "https://example.com/hook",
        "retention_days": -1, "soft_timeout_seconds": -1, "max_call_duration": 300, "ambience_type": "office",
    })
}

pub async fn an_agent_reads_back_as_it_was_made(db: Database) {
    let made = done(create(&db, OURS, much()).await);
    assert_eq!(made.settings, AgentSettings::default().with(&change(much())));
    assert_eq!((made.live, made.draft.as_ref(), made.revision), (VersionNumber(1), None, 0));
    for key in [RowKey::Number(made.identity.id.0), RowKey::Uuid(made.identity.uuid), RowKey::Name("ASHA".into())] {
        assert_eq!(db.store.agent_record(OURS, key).await.unwrap().as_ref(), Some(&made));
    }
    let agent = db.store.agent(OURS, RowKey::parse("asha")).await.unwrap().unwrap();
    assert_eq!((agent.language.as_str(), agent.timing.max_duration.as_secs()), ("hi-IN", 300));
    let nothing = done(create(&db, OURS, json!({"name": "Plain"})).await);
    assert_eq!(nothing.settings.stored().len(), 1, "who chose nothing has nothing but a name");
}

pub async fn an_edit_is_the_next_version_and_the_next_call_meets_it(db: Database) {
    let one = done(create(&db, OURS, much()).await);
    let two = done(edit(&db, &one, json!({"sales_script_text": "Good day!", "call_timeout": null})).await);
    assert_eq!((two.live, two.revision), (VersionNumber(2), 1));
    assert_eq!(
        two.settings,
        one.settings.with(&change(json!({"sales_script_text": "Good day!", "call_timeout": null})))
    );
    let agent = db.store.agent(OURS, RowKey::parse("asha")).await.unwrap().unwrap();
    assert_eq!(agent.script.first_line(), Some("Good day!"));

    let history = db.store.versions(one.identity, None, 10).await.unwrap();
    let told: Vec<_> = history.iter().map(|kept| (kept.version.number.0, kept.version.origin)).collect();
    assert_eq!(told, [(2, Origin::Edited), (1, Origin::Created)]);
    assert_eq!((&history[1].version.settings, &history[0].version.settings), (&one.settings, &two.settings));
    assert_eq!(history[0].changed_by, "user:17");
    let back = live(&two).rolled_back(&history[1].version).unwrap();
    let three = done(db.store.save_agent(two, back, by(OURS)).await.unwrap());
    assert_eq!((three.live, &three.settings), (VersionNumber(3), &one.settings));
    let newest = db.store.version(one.identity, VersionNumber(3)).await.unwrap().unwrap();
    assert_eq!(newest.version.origin, Origin::RolledBack { to: VersionNumber(1) });
    assert_eq!(db.store.version(one.identity, VersionNumber(4)).await.unwrap(), None);
    assert_eq!(audited(&db).await, 3, "a record for each change");
}

pub async fn of_two_editors_at_once_the_second_is_told(db: Database) {
    let seen = done(create(&db, OURS, much()).await);
    let attempts: Vec<_> = (0..5)
        .map(|number| {
            let (store, seen) = (db.store.clone(), seen.clone());
            let next = live(&seen).edited(&change(json!({ "call_timeout": 100 + number }))).unwrap();
            tokio::spawn(async move { store.save_agent(seen, next, by(OURS)).await })
        })
        .collect();
    let mut kept = 0;
    for attempt in attempts {
        match attempt.await.unwrap().unwrap() {
            Kept::Done(_) => kept += 1,
            other => assert_eq!(other, Kept::Raced),
        }
    }
    assert_eq!((kept, audited(&db).await), (1, 2), "what is not kept is not recorded");
    let record = db.store.agent_record(OURS, RowKey::parse("asha")).await.unwrap().unwrap();
    assert_eq!(record.live, VersionNumber(2));
    assert_eq!(db.store.save_draft(seen, None, by(OURS)).await.unwrap(), Kept::Raced);
}

pub async fn a_draft_is_met_by_nobody_until_it_is_published(db: Database) {
    let one = done(create(&db, OURS, much()).await);
    let draft = live(&one).draft().edited(&change(json!({"sales_script_text": "Hello!"})));
    let written = done(db.store.save_draft(one.clone(), Some(draft.clone()), by(OURS)).await.unwrap());
    assert_eq!((written.draft.as_ref(), written.live, written.revision), (Some(&draft), VersionNumber(1), 1));
    assert_eq!(written.updated_at, one.updated_at, "it is no change of the agent");
    let line = async || db.store.agent(OURS, RowKey::parse("asha")).await.unwrap().unwrap().script.sales_script;
    assert_eq!(line().await, "Namaste!");
    let next = live(&written).published(draft).unwrap();
    let published = done(db.store.save_agent(written, next, by(OURS)).await.unwrap());
    assert_eq!((published.draft, published.live), (None, VersionNumber(2)));
    assert_eq!(line().await, "Hello!");
    assert_eq!(db.store.versions(one.identity, None, 1).await.unwrap()[0].version.origin, Origin::Published);
}

pub async fn a_name_is_one_agents_whatever_its_case(db: Database) {
    let asha = done(create(&db, OURS, json!({"name": "Asha"})).await);
    let ravi = done(create(&db, OURS, json!({"name": "Ravi"})).await);
    assert_eq!(create(&db, OURS, json!({"name": "ASHA"})).await, Kept::NameTaken);
    assert_eq!(edit(&db, &ravi, json!({"name": "asha"})).await, Kept::NameTaken);
    assert_eq!(done(edit(&db, &asha, json!({"name": "ASHA"})).await).settings.name(), "ASHA");
    let theirs = db.add_business().await;
    done(create(&db, theirs, json!({"name": "Asha"})).await);
}

/// All at once, by several processes: who comes late is told, whoever looked first.
pub async fn of_many_agents_of_one_name_at_once_one_is_made(db: Database) {
    let stores = several(&db).await;
    let spellings = ["Asha", "ASHA", "asha", "aSHA"];
    let attempts: Vec<_> = (0..16)
        .map(|number| {
            let settings = AgentSettings::default().with(&change(json!({"name": spellings[number % 4]})));
            let store = stores[number % stores.len()].clone();
            tokio::spawn(
                async move { store.create_agent(OURS, Uuid::now_v7(), Version::first(settings), by(OURS)).await },
            )
        })
        .collect();
    assert_eq!(outcomes(attempts).await, (1, 15));
    let mut others = Vec::new();
    for number in 0..8 {
        others.push(done(create(&db, OURS, json!({ "name": format!("agent {number}") })).await));
    }
    let attempts: Vec<_> = others
        .into_iter()
        .enumerate()
        .map(|(number, seen)| {
            let next = live(&seen).edited(&change(json!({ "name": (["Ravi", "RAVI"][number % 2]) }))).unwrap();
            let store = stores[number % stores.len()].clone();
            tokio::spawn(async move { store.save_agent(seen, next, by(OURS)).await })
        })
        .collect();
    assert_eq!(outcomes(attempts).await, (1, 7));
    assert_eq!(db.number("SELECT count(*) FROM agents WHERE name_key IN ('asha', 'ravi')").await, 2);
}

/// Stores as of several processes.
pub async fn several(db: &Database) -> Vec<Store> {
    let mut stores = Vec::new();
    for _ in 0..4 {
        let wait = Duration::from_secs(60);
        stores.push(db.reopened(Options { connection_wait: wait, answer_wait: wait, ..Options::default() }).await);
    }
    stores
}

/// How many were made, and how many were told that the name is taken.
async fn outcomes(attempts: Vec<JoinHandle<Result<Kept, StoreError>>>) -> (usize, usize) {
    let (mut made, mut taken) = (0, 0);
    for attempt in attempts {
        match attempt.await.unwrap().unwrap() {
            Kept::Done(_) => made += 1,
            other => {
                assert_eq!(other, Kept::NameTaken);
                taken += 1;
            }
        }
    }
    (made, taken)
}

pub async fn a_deleted_agent_is_gone_and_its_calls_are_not(db: Database) {
    let asha = done(create(&db, OURS, json!({"name": "Asha"})).await);
    let call = Call::new(OURS);
    let mut started = call.started();
    started.agent = Some(asha.identity.id);
    db.store.write(vec![tandem_domain::record::Record::Started(started)]).await.unwrap();
    done(db.store.delete_agent(asha.clone(), by(OURS)).await.unwrap());
    assert_eq!(db.store.delete_agent(asha.clone(), by(OURS)).await.unwrap(), Kept::Raced);
    for key in [RowKey::Number(asha.identity.id.0), RowKey::Uuid(asha.identity.uuid), RowKey::parse("asha")] {
        assert_eq!(db.store.agent(OURS, key.clone()).await.unwrap(), None);
        assert_eq!(db.store.agent_record(OURS, key).await.unwrap(), None);
    }
    let conversation = db.store.conversation(OURS, RowKey::Uuid(call.conversation.0)).await.unwrap().unwrap();
    assert_eq!(conversation.agent_name.as_deref(), Some("Asha"));
    assert_eq!(db.number("SELECT count(*) FROM agent_config WHERE name = 'Asha'").await, 0);
    done(create(&db, OURS, json!({"name": "Asha"})).await);
}

pub async fn an_edit_by_hand_is_kept_and_found_in_the_history(db: Database) {
    let seen = done(create(&db, OURS, much()).await);
    db.execute("UPDATE agents SET call_timeout = 99 WHERE name = 'Asha'").await.unwrap();
    // One who has not seen it changes something else, and does not undo it.
    let two = done(edit(&db, &seen, json!({"eagerness": "high"})).await);
    assert_eq!(two.settings, seen.settings.with(&change(json!({"eagerness": "high", "call_timeout": 99}))));
    // One who has seen one leaves it in the history.
    db.execute("UPDATE agents SET call_timeout = 77 WHERE name = 'Asha'").await.unwrap();
    let seen = db.store.agent_record(OURS, RowKey::parse("asha")).await.unwrap().unwrap();
    done(edit(&db, &seen, json!({"eagerness": "low"})).await);
    let kept = db.store.version(seen.identity, VersionNumber(2)).await.unwrap().unwrap();
    assert_eq!(kept.version.settings, seen.settings);
}

pub async fn old_versions_are_forgotten(db: Database) {
    let mut record = done(create(&db, OURS, json!({"name": "Asha"})).await);
    for number in 0..MOST_VERSIONS + 3 {
        record = done(edit(&db, &record, json!({ "call_timeout": 5 + number })).await);
    }
    assert_eq!(db.number("SELECT count(*) FROM agent_versions").await, i64::from(MOST_VERSIONS));
    assert_eq!(db.store.version(record.identity, VersionNumber(4)).await.unwrap(), None);
    assert!(db.store.version(record.identity, VersionNumber(5)).await.unwrap().is_some());
}

pub async fn agents_that_were_never_changed_have_their_live_version(db: Database) {
    let record = db.store.agent_record(OURS, RowKey::parse("assistant")).await.unwrap().unwrap();
    let history = db.store.versions(record.identity, None, 10).await.unwrap();
    assert_eq!((history.len(), &history[0].version.settings), (1, &record.settings));
    assert_eq!(db.store.version(record.identity, VersionNumber(1)).await.unwrap().unwrap(), history[0]);
    assert_eq!(db.store.versions(record.identity, Some(VersionNumber(1)), 10).await.unwrap(), []);
    let listed = db.store.agents(OURS, None, 2).await.unwrap();
    let rest = db.store.agents(OURS, Some(listed[1].identity.id), 10).await.unwrap();
    let names: Vec<String> = listed.iter().chain(&rest).map(|record| record.settings.name()).collect();
    assert_eq!(names, ["front-desk", "logistics", "assistant"]);
}

pub async fn agents_of_another_business_are_not_found_and_not_changed(db: Database) {
    let theirs = db.add_business().await;
    let asha = done(create(&db, theirs, much()).await);
    for key in [RowKey::Number(asha.identity.id.0), RowKey::Uuid(asha.identity.uuid), RowKey::parse("asha")] {
        assert_eq!(db.store.agent_record(OURS, key).await.unwrap(), None);
    }
    assert!(db.store.agents(OURS, None, 10).await.unwrap().iter().all(|record| record.identity.business == OURS));
    let mut stolen = asha.clone();
    stolen.identity.business = OURS;
    assert_eq!(edit(&db, &stolen, json!({"eagerness": "low"})).await, Kept::Raced);
    assert_eq!(db.store.save_draft(stolen.clone(), None, by(OURS)).await.unwrap(), Kept::Raced);
    assert_eq!(db.store.delete_agent(stolen.clone(), by(OURS)).await.unwrap(), Kept::Raced);
    assert_eq!(db.store.versions(stolen.identity, None, 10).await.unwrap(), []);
    assert_eq!(db.store.agent_record(theirs, RowKey::parse("asha")).await.unwrap(), Some(asha));
}
