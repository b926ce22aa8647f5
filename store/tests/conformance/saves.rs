//! What listeners still have to hear of saved agents, and who tells them.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tandem_domain::ids::{BusinessId, LifeId};
use tandem_domain::port::store::{AgentBook, AgentOutbox, Delivery, Kept, LifeStore, MOST_VERSIONS, Settled};
use uuid::Uuid;

use crate::book::{by, create, done, edit};
use crate::database::Database;

const OURS: BusinessId = BusinessId::FIRST;
const VOICE: &str = "voice";
const BOTH: [&str; 2] = [VOICE, "hume"];

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

async fn life(db: &Database) -> LifeId {
    let life = LifeId(Uuid::now_v7());
    db.store.beat(life).await.unwrap();
    life
}

async fn claim(db: &Database, listener: &'static str, life: LifeId) -> Vec<Delivery> {
    db.store.claim(listener, life, now(), 10).await.unwrap()
}

/// Names and versions.
fn told(deliveries: &[Delivery]) -> Vec<(String, u32)> {
    deliveries.iter().map(|delivery| (delivery.agent.settings.name(), delivery.agent.version.0)).collect()
}

fn taken() -> Settled {
    Settled::Taken { at: now() }
}

async fn saves(db: &Database) -> i64 {
    db.number("SELECT count(*) FROM agent_saves").await
}

pub async fn a_version_that_becomes_live_is_to_be_told(db: Database) {
    let life = life(&db).await;
    assert_eq!(claim(&db, VOICE, life).await, []);
    let asha = done(create(&db, OURS, json!({"name": "Asha", "sales_script_text": "Namaste!"})).await);
    let claimed = claim(&db, VOICE, life).await;
    assert_eq!(told(&claimed), [("Asha".to_owned(), 1)]);
    let (agent, failures) = (&claimed[0].agent, claimed[0].failures);
    assert_eq!((agent.identity, &agent.settings, failures), (asha.identity, &asha.settings, 0));
    db.store.settle(claimed[0].save, VOICE, taken()).await.unwrap();

    // What is not kept is not told, and a draft is met by nobody.
    assert_eq!(create(&db, OURS, json!({"name": "ASHA"})).await, Kept::NameTaken);
    let two = done(edit(&db, &asha, json!({"sales_script_text": "Good day!"})).await);
    assert_eq!(edit(&db, &asha, json!({"sales_script_text": "Hello!"})).await, Kept::Raced);
    done(db.store.save_draft(two.clone(), None, by(OURS)).await.unwrap());
    let claimed = claim(&db, VOICE, life).await;
    assert_eq!((told(&claimed), saves(&db).await), (vec![("Asha".to_owned(), 2)], 2));
    assert_eq!(claimed[0].agent.settings, two.settings);
    assert_ne!(claimed[0].agent.key, Uuid::nil());
}

pub async fn an_agents_versions_are_told_one_after_the_other(db: Database) {
    let (theirs, life) = (db.add_business().await, life(&db).await);
    let one = done(create(&db, OURS, json!({"name": "Asha"})).await);
    let two = done(edit(&db, &one, json!({"call_timeout": 40})).await);
    done(edit(&db, &two, json!({"call_timeout": 50})).await);
    done(create(&db, theirs, json!({"name": "Ravi"})).await);
    let first = claim(&db, VOICE, life).await;
    assert_eq!(
        told(&first),
        [("Asha".to_owned(), 1), ("Ravi".to_owned(), 1)],
        "of every business, and of each agent one"
    );
    assert_eq!(claim(&db, VOICE, life).await, first, "what a life did not settle it claims again, under the same keys");
    let mut keys = vec![first[0].agent.key, first[1].agent.key];
    for delivery in &first {
        db.store.settle(delivery.save, VOICE, taken()).await.unwrap();
    }
    for version in [2, 3] {
        let next = claim(&db, VOICE, life).await;
        assert_eq!(told(&next), [("Asha".to_owned(), version)]);
        keys.push(next[0].agent.key);
        db.store.settle(next[0].save, VOICE, taken()).await.unwrap();
    }
    assert_eq!(claim(&db, VOICE, life).await, []);
    assert_eq!(told(&claim(&db, "hume", life).await)[0], ("Asha".to_owned(), 1), "each listener has its own place");
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 4, "a key is of one version");
}

pub async fn a_claim_holds_as_long_as_its_life(db: Database) {
    let (one, other) = (life(&db).await, life(&db).await);
    let asha = done(create(&db, OURS, json!({"name": "Asha"})).await);
    done(edit(&db, &asha, json!({"call_timeout": 40})).await);
    let claimed = claim(&db, VOICE, one).await;
    assert_eq!((claimed.len(), claim(&db, VOICE, other).await), (1, vec![]), "neither this version nor the next");
    db.store.bury(one).await.unwrap();
    assert_eq!(claim(&db, VOICE, other).await, claimed, "the same, under the same key");
}

pub async fn of_many_that_claim_at_once_one_gets_it(db: Database) {
    done(create(&db, OURS, json!({"name": "Asha"})).await);
    let mut attempts = Vec::new();
    for _ in 0..6 {
        let (store, life) = (db.store.clone(), life(&db).await);
        attempts.push(tokio::spawn(async move { store.claim(VOICE, life, now(), 10).await.unwrap().len() }));
    }
    let mut claimed = 0;
    for attempt in attempts {
        claimed += attempt.await.unwrap();
    }
    assert_eq!(claimed, 1);
}

pub async fn what_failed_is_told_later_and_before_what_follows(db: Database) {
    let life = life(&db).await;
    let asha = done(create(&db, OURS, json!({"name": "Asha"})).await);
    done(edit(&db, &asha, json!({"call_timeout": 40})).await);
    let save = claim(&db, VOICE, life).await[0].save;
    let due = now() + TimeDelta::milliseconds(1_500);
    let failed = Settled::NotYet { due, failures: 3, trouble: "busy\0".to_owned() };
    db.store.settle(save, VOICE, failed).await.unwrap();
    assert_eq!(claim(&db, VOICE, life).await, []);
    assert_eq!(told(&claim(&db, "hume", life).await), [("Asha".to_owned(), 1)], "that is the trouble of one listener");
    let again = db.store.claim(VOICE, life, due, 10).await.unwrap();
    assert_eq!((told(&again), again[0].failures), (vec![("Asha".to_owned(), 1)], 3));
    let refused = Settled::Refused { at: due, why: "no such voice".to_owned() };
    db.store.settle(save, VOICE, refused).await.unwrap();
    assert_eq!(told(&claim(&db, VOICE, life).await), [("Asha".to_owned(), 2)]);
}

pub async fn a_save_is_kept_until_every_listener_has_settled_it(db: Database) {
    let life = life(&db).await;
    let saved = by(OURS).at;
    let (before, after) = (saved - TimeDelta::seconds(1), saved + TimeDelta::seconds(1));
    let sweep = async |listeners: &'static [&'static str], done, all| {
        db.store.sweep(listeners, done, all).await.unwrap();
        saves(&db).await
    };
    done(create(&db, OURS, json!({"name": "Asha"})).await);
    let save = claim(&db, VOICE, life).await[0].save;
    assert_eq!(sweep(&[VOICE], after, before).await, 1, "it is being told");
    db.store.settle(save, VOICE, taken()).await.unwrap();
    assert_eq!(sweep(&BOTH, after, before).await, 1, "one has not heard of it");
    claim(&db, "hume", life).await;
    assert_eq!(sweep(&[VOICE], after, before).await, 1, "who is told by another process counts");
    db.store.settle(save, "hume", taken()).await.unwrap();
    assert_eq!(sweep(&BOTH, before, before).await, 1, "it is too young");
    assert_eq!(sweep(&BOTH, after, before).await, 0);
    assert_eq!(db.number("SELECT count(*) FROM agent_save_deliveries").await, 0);

    // Where nobody listens nothing is kept, and what is very old is kept for nobody.
    done(create(&db, OURS, json!({"name": "Ravi"})).await);
    assert_eq!(sweep(&[], after, before).await, 0);
    done(create(&db, OURS, json!({"name": "Meera"})).await);
    claim(&db, VOICE, life).await;
    assert_eq!(sweep(&BOTH, after, after).await, 0);
}

pub async fn nobody_hears_of_what_is_gone(db: Database) {
    let life = life(&db).await;
    let gone = done(create(&db, OURS, json!({"name": "Ravi"})).await);
    done(db.store.delete_agent(gone, by(OURS)).await.unwrap());
    assert_eq!(claim(&db, VOICE, life).await, []);
    let mut asha = done(create(&db, OURS, json!({"name": "Asha"})).await);
    for number in 0..MOST_VERSIONS + 3 {
        asha = done(edit(&db, &asha, json!({ "call_timeout": 5 + number })).await);
    }
    // A vendor that is away for so long hears of the versions that are left: what waits for it has an end.
    assert_eq!(saves(&db).await, i64::from(MOST_VERSIONS));
    assert_eq!(told(&claim(&db, VOICE, life).await), [("Asha".to_owned(), 5)]);
}
