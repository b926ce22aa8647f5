use chrono::{DateTime, Utc};
use tandem_domain::ids::{AgentId, BusinessId};
use tandem_domain::number::Number;
use tandem_domain::phone_number::NumberSettings;
use tandem_domain::port::store::{
    AuditEntry, Change, KeptNumber, NumberBook, NumberRoutes, PhoneNumber, Route, RowKey,
};
use uuid::Uuid;

use crate::book::several;
use crate::database::Database;

const OURS: BusinessId = BusinessId::FIRST;
const DESK: AgentId = AgentId(1);

fn by(business: BusinessId) -> Change {
    let at: DateTime<Utc> = DateTime::from_timestamp(1_800_000_000, 123_456_789).unwrap();
    let audit = AuditEntry {
        at,
        business,
        action: "created".to_owned(),
        resource_kind: "phone_number".to_owned(),
        resource_id: "1".to_owned(),
        record: "{}".to_owned(),
    };
    Change { by: "user:17".to_owned(), at, audit }
}

pub fn number(text: &str) -> Number {
    Number::read(text, None).unwrap()
}

pub fn answered_by(agent: Option<AgentId>) -> NumberSettings {
    NumberSettings { agent, ..NumberSettings::default() }
}

fn done(kept: KeptNumber) -> PhoneNumber {
    match kept {
        KeptNumber::Done(number) => *number,
        other => panic!("{other:?}"),
    }
}

pub async fn add(db: &Database, business: BusinessId, text: &str, agent: Option<AgentId>) -> KeptNumber {
    db.store.add_number(business, Uuid::now_v7(), number(text), answered_by(agent), by(business)).await.unwrap()
}

async fn audited(db: &Database) -> i64 {
    db.number("SELECT count(*) FROM audit_log").await
}

pub async fn of_many_rows_of_one_number_at_once_one_is_made(db: Database) {
    let stores = several(&db).await;
    let attempts: Vec<_> = (0..16)
        .map(|attempt| {
            let store = stores[attempt % stores.len()].clone();
            let (number, settings) = (number("+918047112233"), answered_by(Some(DESK)));
            tokio::spawn(async move { store.add_number(OURS, Uuid::now_v7(), number, settings, by(OURS)).await })
        })
        .collect();
    let mut made = 0;
    for attempt in attempts {
        match attempt.await.unwrap().unwrap() {
            KeptNumber::Done(_) => made += 1,
            other => assert_eq!(other, KeptNumber::Taken),
        }
    }
    assert_eq!((made, audited(&db).await), (1, 1));
}

pub async fn a_number_reads_back_and_leads_to_its_agent(db: Database) {
    let added = done(add(&db, OURS, "+918047112233", Some(DESK)).await);
    assert_eq!((added.kind.as_str(), added.active, added.agent_name.as_deref()), ("main", true, Some("front-desk")));
    for key in [RowKey::Number(added.id), RowKey::Uuid(added.uuid), RowKey::Name("+918047112233".into())] {
        assert_eq!(db.store.number(OURS, key).await.unwrap().as_ref(), Some(&added));
    }
    let route = async |text| db.store.route(OURS, number(text)).await.unwrap();
    assert_eq!(route("+918047112233").await, Some(Route { active: true, agent: Some(DESK) }));
    assert_eq!(route("+918047112234").await, None);
    assert_eq!(add(&db, OURS, "+918047112233", None).await, KeptNumber::Taken);

    let off = NumberSettings { kind: "support".into(), active: false, agent: None };
    let changed = done(db.store.change_number(OURS, added.clone(), off.clone(), by(OURS)).await.unwrap());
    assert_eq!(
        (changed.kind.as_str(), changed.active, changed.agent_id, changed.revision),
        ("support", false, None, 1)
    );
    assert_eq!(route("+918047112233").await, Some(Route { active: false, agent: None }));
    assert_eq!(db.store.change_number(OURS, added.clone(), off, by(OURS)).await.unwrap(), KeptNumber::Raced);
    assert_eq!(db.store.remove_number(OURS, added, by(OURS)).await.unwrap(), KeptNumber::Raced);
    done(db.store.remove_number(OURS, changed, by(OURS)).await.unwrap());
    assert_eq!(route("+918047112233").await, None);
    assert_eq!(audited(&db).await, 3, "a record for each change that was kept");
    done(add(&db, OURS, "+918047112233", None).await);
}

pub async fn numbers_are_paged_oldest_first_and_found_by_agent(db: Database) {
    for (text, agent) in [("+918047112233", Some(DESK)), ("+918047112234", None), ("+918047112235", Some(DESK))] {
        done(add(&db, OURS, text, agent).await);
    }
    let page = async |agent, after, limit| {
        let rows = db.store.numbers(OURS, agent, after, limit).await.unwrap();
        rows.iter().map(|row| row.number.as_str().trim_start_matches("+91804711").to_owned()).collect::<Vec<_>>()
    };
    let first = db.store.numbers(OURS, None, None, 1).await.unwrap();
    assert_eq!(page(None, None, 2).await, ["2233", "2234"]);
    assert_eq!(page(None, Some(first[0].id), 5).await, ["2234", "2235"]);
    assert_eq!(page(Some(DESK), None, 5).await, ["2233", "2235"]);
}

pub async fn a_number_has_agents_of_its_own_business_alone(db: Database) {
    let theirs = db.add_business().await;
    let (concierge, _) = db.add_agent(theirs, "concierge").await.unwrap();
    assert_eq!(add(&db, OURS, "+918047112233", Some(AgentId(concierge))).await, KeptNumber::NoAgent);
    let ours = done(add(&db, OURS, "+918047112233", Some(DESK)).await);
    let stolen = answered_by(Some(AgentId(concierge)));
    assert_eq!(db.store.change_number(OURS, ours.clone(), stolen, by(OURS)).await.unwrap(), KeptNumber::NoAgent);
    // The same number in another business is another row.
    let same = done(add(&db, theirs, "+918047112233", Some(AgentId(concierge))).await);
    assert_eq!(db.store.route(theirs, number("+918047112233")).await.unwrap().unwrap().agent, Some(AgentId(concierge)));
    for key in [RowKey::Number(same.id), RowKey::Uuid(same.uuid)] {
        assert_eq!(db.store.number(OURS, key).await.unwrap(), None);
    }
    let as_ours = db.store.change_number(OURS, same.clone(), answered_by(None), by(OURS)).await.unwrap();
    assert_eq!(as_ours, KeptNumber::Raced, "it is not there");
    assert_eq!(db.store.remove_number(OURS, same.clone(), by(OURS)).await.unwrap(), KeptNumber::Raced);
    assert_eq!(db.store.numbers(theirs, None, None, 9).await.unwrap(), [same]);
    assert_eq!(audited(&db).await, 2);
}

pub async fn a_number_whose_agent_is_deleted_has_none(db: Database) {
    let (id, _) = db.add_agent(OURS, "asha").await.unwrap();
    let added = done(add(&db, OURS, "+918047112233", Some(AgentId(id))).await);
    db.execute(&format!("UPDATE agents SET deleted_at = created_at WHERE id = {id}")).await.unwrap();
    assert_eq!(db.store.number(OURS, RowKey::Number(added.id)).await.unwrap().unwrap().agent_id, None);
    assert_eq!(db.store.route(OURS, number("+918047112233")).await.unwrap(), Some(Route { active: true, agent: None }));
    assert_eq!(add(&db, OURS, "+918047112234", Some(AgentId(id))).await, KeptNumber::NoAgent);
}

pub async fn numbers_that_were_written_by_hand_are_checked(db: Database) {
    for wrong in ["918047112233", "+0123456", "+91 80 4711", "+", "+1234567890123456"] {
        let sql = "INSERT INTO phone_numbers (uuid, business_id, number, created_at, updated_at) \
            SELECT uuid, id, '?', created_at, updated_at FROM businesses";
        assert!(db.execute(&sql.replace('?', wrong)).await.is_err(), "{wrong}");
    }
}
