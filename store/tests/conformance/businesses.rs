use chrono::{DateTime, Utc};
use serde_json::json;
use tandem_access::audit::Action;
use tandem_access::port::{AccessStore, BusinessRegister, Founded, NewBusiness, NewUser};
use tandem_access::role::Role;
use tandem_domain::business::BusinessChange;
use tandem_domain::business_limits::LimitsChange;
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{
    AuditEntry, Business, BusinessBook, Change, KeptBusiness, KeptLimits, LimitBook, RowKey,
};
use uuid::Uuid;

use crate::database::Database;
use crate::people::{add, record};

const OURS: BusinessId = BusinessId::FIRST;

fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 123_456_000).unwrap()
}

fn new(name: &str) -> NewBusiness {
    let zone = Some("Asia/Kolkata".parse().unwrap());
    NewBusiness { uuid: Uuid::now_v7(), name: name.parse().unwrap(), zone, at: at() }
}

async fn found(db: &Database, business: NewBusiness, owner: &str) -> Founded {
    let records = ["business", "owner"].map(|id| record(OURS, Action::Created, id, at())).to_vec();
    let owner = NewUser {
        uuid: Uuid::now_v7(),
        business: OURS,
        email: owner.parse().unwrap(),
        name: "Bela".to_owned(),
        role: Role::Owner,
        password_hash: "$argon2id$…".to_owned(),
        at: at(),
    };
    db.store.add_business(business, owner, records).await.unwrap()
}

async fn set(db: &Database, seen: Business, document: serde_json::Value) -> KeptBusiness {
    let audit = AuditEntry::from(&record(seen.id, Action::Updated, "business", at()));
    let wanted = BusinessChange::read(&document).unwrap().on(seen);
    db.store.set_business(wanted, Change { by: "user:17".to_owned(), at: at(), audit }).await.unwrap()
}

async fn own(db: &Database) -> Business {
    db.store.business(OURS).await.unwrap().unwrap()
}

pub async fn a_business_is_made_with_its_owner_and_found_by_number_uuid_and_name(db: Database) {
    add(&db, OURS, "asha@example.test", Role::Owner).await;
    let acme = new("Ähre & Co");
    let uuid = acme.uuid;
    let Founded::Done(id) = found(&db, acme, "bela@example.test").await else { panic!("nobody has this name") };
    assert_ne!(id, OURS);
    let made = db.store.business(id).await.unwrap().unwrap();
    assert_eq!((made.uuid, made.name.as_str(), made.time_zone.as_deref()), (uuid, "Ähre & Co", Some("Asia/Kolkata")));
    assert_eq!((made.created_at, made.revision), (at(), 0));
    for key in [RowKey::Number(id.0), RowKey::Uuid(uuid), RowKey::Name("ÄHRE & co".to_owned())] {
        assert_eq!(db.store.find_business(key.clone()).await.unwrap().as_ref(), Some(&made), "{key:?}");
    }
    assert_eq!(db.store.find_business(RowKey::Name("default".to_owned())).await.unwrap(), Some(own(&db).await));
    assert_eq!(db.store.find_business(RowKey::Number(4711)).await.unwrap(), None);
    assert_eq!(db.store.businesses(None, 10).await.unwrap(), [own(&db).await, made.clone()]);
    assert_eq!(db.store.businesses(Some(OURS), 10).await.unwrap(), [made]);

    // Its owner and the records of it are its own, and not of the business that they were made with.
    let owners = db.store.users(id, None, 10).await.unwrap();
    assert_eq!((owners.len(), owners[0].email.as_str(), owners[0].user.role), (1, "bela@example.test", Role::Owner));
    let told: Vec<_> = db.store.records(id, None, 10).await.unwrap().into_iter().map(|(_, record)| record).collect();
    assert_eq!(told.iter().map(|record| record.resource.id.as_str()).collect::<Vec<_>>(), ["owner", "business"]);
    assert!(told.iter().all(|record| record.business == id), "{told:?}");
    assert_eq!(db.store.records(OURS, None, 10).await.unwrap().len(), 1);
}

pub async fn a_business_is_made_whole_or_not_at_all(db: Database) {
    db.store.installation(Uuid::now_v7()).await.unwrap();
    assert_eq!(found(&db, new("Acme"), "bela@example.test").await, Founded::NoAdministrator);
    add(&db, OURS, "asha@example.test", Role::Owner).await;
    assert_eq!(found(&db, new("Acme"), "asha@example.test").await, Founded::AddressTaken);
    assert_eq!(found(&db, new("dEFAULT"), "bela@example.test").await, Founded::NameTaken);
    assert_eq!(db.number("SELECT count(*) FROM businesses").await, 1);
    assert_eq!(db.number("SELECT count(*) FROM users").await, 1);
    assert_eq!(db.number("SELECT count(*) FROM audit_log").await, 1);
    assert!(matches!(found(&db, new("Acme"), "bela@example.test").await, Founded::Done(_)));
}

pub async fn a_name_is_one_businesses_whatever_its_case(db: Database) {
    add(&db, OURS, "asha@example.test", Role::Owner).await;
    assert!(matches!(found(&db, new("Ähre"), "bela@example.test").await, Founded::Done(_)));
    assert_eq!(found(&db, new("äHRE"), "cara@example.test").await, Founded::NameTaken);
    assert_eq!(set(&db, own(&db).await, json!({"name": "ÄHRE"})).await, KeptBusiness::NameTaken);
    assert_eq!((own(&db).await.name.as_str(), own(&db).await.revision), ("Default", 0));
    // Its own name in another case is another name of its own.
    assert!(matches!(set(&db, own(&db).await, json!({"name": "DEFAULT"})).await, KeptBusiness::Done(_)));
    assert_eq!(own(&db).await.name, "DEFAULT");
    assert_eq!(db.number("SELECT count(*) FROM audit_log WHERE business_id = 1 AND action = 'updated'").await, 1);
}

pub async fn of_two_editors_of_a_business_the_second_is_told(db: Database) {
    let seen = own(&db).await;
    let KeptBusiness::Done(kept) = set(&db, seen.clone(), json!({"name": "Acme"})).await else { panic!("it is free") };
    assert_eq!((kept.name.as_str(), kept.revision, kept.created_at), ("Acme", 1, seen.created_at));
    assert_eq!(set(&db, seen.clone(), json!({"name": "Acme Homes"})).await, KeptBusiness::Raced);
    assert_eq!(own(&db).await, kept);
    assert_eq!(db.number("SELECT count(*) FROM audit_log").await, 1, "what is not kept is not recorded");
    let gone = Business { id: BusinessId(4711), ..kept };
    assert_eq!(set(&db, gone, json!({"name": "Nobody"})).await, KeptBusiness::Raced);
    assert_eq!(db.store.business(BusinessId(4711)).await.unwrap(), None);
}

pub async fn the_zone_of_a_business_is_that_of_its_limits(db: Database) {
    let limits = db.store.limits(OURS).await.unwrap().unwrap();
    let KeptBusiness::Done(kept) = set(&db, own(&db).await, json!({"time_zone": "Asia/Kolkata"})).await else {
        panic!("nobody else was there")
    };
    let read = db.store.limits(OURS).await.unwrap().unwrap();
    assert_eq!((read.time_zone, read.revision), (kept.time_zone, 1));
    // Who edits the one is told of the other.
    let wanted = LimitsChange::read(&json!({"time_zone": "Europe/London"})).unwrap().on(limits);
    let audit = AuditEntry::from(&record(OURS, Action::Updated, "limits", at()));
    let change = Change { by: "user:17".to_owned(), at: at(), audit };
    assert_eq!(db.store.set_limits(OURS, wanted, change).await.unwrap(), KeptLimits::Raced);
}
