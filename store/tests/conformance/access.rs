use chrono::{DateTime, TimeDelta, Utc};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use tandem_access::account::{Email, SessionId, UserId};
use tandem_access::api_key::{self, ApiKey, KeyId};
use tandem_access::audit::{Action, Changes, Origin, Record, Resource, Who};
use tandem_access::port::{AccessStore, NewKey, NewUser, Proof};
use tandem_access::role::{Capability, Role};
use tandem_access::session::{Rotation, Session};
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::StoreError;
use uuid::Uuid;

use crate::database::Database;

const OURS: BusinessId = BusinessId::FIRST;

fn now() -> DateTime<Utc> {
    // Nanoseconds, which no engine keeps: what is written and what is read back must still agree.
    DateTime::from_timestamp(1_800_000_000, 123_456_789).unwrap()
}

fn record(business: BusinessId, action: Action, kind: &str, id: &str) -> Record {
    Record {
        at: now(),
        business,
        who: Who::SetupLink,
        from: Origin::default(),
        action,
        resource: Resource { kind: kind.to_owned(), id: id.to_owned() },
        changes: Changes::default(),
    }
}

fn email(text: &str) -> Email {
    text.parse().unwrap()
}

fn owner(address: &str) -> NewUser {
    NewUser {
        uuid: Uuid::now_v7(),
        business: OURS,
        email: email(address),
        name: "Asha".to_owned(),
        role: Role::Owner,
        password_hash: "$argon2id$…".to_owned(),
        at: now(),
    }
}

/// A database with an owner, who is user 1.
async fn set_up(db: &Database) -> UserId {
    db.store.installation(Uuid::now_v7()).await.unwrap();
    let record = record(OURS, Action::SetUp, "user", "asha");
    db.store.make_first_owner(owner("asha@example.test"), record).await.unwrap().unwrap()
}

/// That the owner's password is right.
fn proof(rehashed: Option<&str>) -> Proof {
    Proof { hash: "$argon2id$…".to_owned(), rehashed: rehashed.map(str::to_owned) }
}

async fn begin(db: &Database, user: UserId) -> Session {
    let session = Session::begin(SessionId(Uuid::new_v4()), user, now());
    let record = record(OURS, Action::LoggedIn, "session", "1");
    assert!(db.store.begin_session(session.clone(), proof(None), record).await.unwrap());
    session
}

pub async fn key(db: &Database, business: BusinessId, seed: u64) -> KeyId {
    let minted = api_key::mint(&mut ChaCha20Rng::seed_from_u64(seed));
    let key = ApiKey {
        id: minted.id,
        business,
        hash: minted.hash,
        scopes: [Capability::ReadCalls, Capability::Dial].into(),
        expires_at: Some(now() + TimeDelta::days(1)),
        revoked_at: None,
        last_used_at: None,
    };
    let new = NewKey { key, name: "CRM".to_owned(), created_by: None, at: now() };
    db.store.keep_key(new, record(business, Action::Created, "api_key", minted.id.as_str())).await.unwrap();
    minted.id
}

pub async fn an_installation_keeps_its_first_name(db: Database) {
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    let made = db.store.installation(first).await.unwrap();
    assert_eq!((made.id, made.administrator_since), (first, None));
    assert_eq!(db.store.installation(second).await.unwrap(), made);
}

pub async fn of_many_first_owners_one_is_made(db: Database) {
    db.store.installation(Uuid::now_v7()).await.unwrap();
    let attempts = (0..5).map(|number| {
        let store = db.store.clone();
        tokio::spawn(async move {
            let record = record(OURS, Action::SetUp, "user", "first");
            store.make_first_owner(owner(&format!("owner{number}@example.test")), record).await
        })
    });
    let attempts: Vec<_> = attempts.collect();
    let mut made = 0;
    for attempt in attempts {
        made += usize::from(attempt.await.unwrap().unwrap().is_some());
    }
    assert_eq!(made, 1);
    assert_eq!(db.number("SELECT count(*) FROM users").await, 1);
    assert_eq!(
        db.store.records(OURS, None, 10).await.unwrap().len(),
        1,
        "no owner without a record, and no record without"
    );
    assert!(db.store.installation(Uuid::nil()).await.unwrap().administrator_since.is_some());
}

pub async fn an_account_is_found_by_its_address(db: Database) {
    let id = set_up(&db).await;
    let account = db.store.account(email(" ASHA@example.test")).await.unwrap().unwrap();
    assert_eq!((account.user.id, account.user.business, account.user.role), (id, OURS, Role::Owner));
    assert_eq!((account.name.as_str(), account.password_hash.as_str()), ("Asha", "$argon2id$…"));
    assert_eq!(account.user.disabled_at, None);
    assert_eq!(db.store.account(email("nobody@example.test")).await.unwrap(), None);
    let again = db.execute(
        "INSERT INTO users (uuid, business_id, identifier, role, password_hash, password_changed_at, created_at, updated_at) \
         SELECT uuid, business_id, identifier, role, password_hash, password_changed_at, created_at, updated_at FROM users",
    );
    assert!(again.await.is_err(), "one person has one account");
}

pub async fn a_session_reads_back_and_may_go_on(db: Database) {
    let user = set_up(&db).await;
    let session = begin(&db, user).await;
    let (read, owner) = db.store.session(session.id).await.unwrap().unwrap();
    assert_eq!((read.id, read.user, read.generation, read.revoked_at), (session.id, user, 0, None));
    // The password was set in the same instant, and that does not end it: both are cut off alike.
    assert_eq!(read.may_go_on(&owner, now()), Ok(()));
    assert_eq!(db.store.session(SessionId(Uuid::new_v4())).await.unwrap(), None);
}

pub async fn a_log_in_may_renew_the_hash(db: Database) {
    let user = set_up(&db).await;
    let session = Session::begin(SessionId(Uuid::new_v4()), user, now());
    let record = record(OURS, Action::LoggedIn, "session", "1");
    let begun = || db.store.begin_session(session.clone(), proof(Some("$argon2id$new")), record.clone());
    assert!(begun().await.unwrap());
    let account = db.store.account(email("asha@example.test")).await.unwrap().unwrap();
    assert_eq!(account.password_hash, "$argon2id$new");
    assert!(!begun().await.unwrap(), "it is another password by now, as far as anybody knows");
}

pub async fn a_session_belongs_to_its_users_business(db: Database) {
    let user = set_up(&db).await;
    let theirs = db.add_business().await;
    let session = Session::begin(SessionId(Uuid::new_v4()), user, now());
    let answer = db.store.begin_session(session, proof(None), record(theirs, Action::LoggedIn, "session", "1")).await;
    assert!(matches!(answer, Err(StoreError::Refused(_))), "{answer:?}");
    let session = begin(&db, user).await;
    let foreign = record(theirs, Action::Revoked, "session", "1");
    assert!(!db.store.end_session(session.id, foreign).await.unwrap());
    assert_eq!(db.store.session(session.id).await.unwrap().unwrap().0.revoked_at, None);
}

pub async fn of_two_refreshes_at_once_one_wins(db: Database) {
    let user = set_up(&db).await;
    let session = begin(&db, user).await;
    let attempts: Vec<_> = (0..5)
        .map(|_| {
            let (store, id) = (db.store.clone(), session.id);
            tokio::spawn(async move { store.rotate(id, Rotation { generation: 1 }, now()).await })
        })
        .collect();
    let mut won = 0;
    for attempt in attempts {
        won += usize::from(attempt.await.unwrap().unwrap());
    }
    assert_eq!(won, 1);
    assert_eq!(db.store.session(session.id).await.unwrap().unwrap().0.generation, 1);
}

pub async fn an_ended_session_is_not_refreshed(db: Database) {
    let user = set_up(&db).await;
    let session = begin(&db, user).await;
    let ended = || record(OURS, Action::Revoked, "session", "1");
    assert!(db.store.end_session(session.id, ended()).await.unwrap());
    assert!(!db.store.end_session(session.id, ended()).await.unwrap(), "it ends once, and is recorded once");
    assert!(!db.store.rotate(session.id, Rotation { generation: 1 }, now()).await.unwrap());
    assert!(db.store.session(session.id).await.unwrap().unwrap().0.revoked_at.is_some());
    assert_eq!(db.store.records(OURS, None, 10).await.unwrap().len(), 3);
}

pub async fn a_key_reads_back_until_it_is_revoked(db: Database) {
    set_up(&db).await;
    let theirs = db.add_business().await;
    let (ours, foreign) = (key(&db, OURS, 1).await, key(&db, theirs, 2).await);
    let read = db.store.key(ours).await.unwrap().unwrap();
    assert_eq!((read.business, read.scopes.len(), read.revoked_at, read.last_used_at), (OURS, 2, None, None));
    db.store.note_use(ours, now() + TimeDelta::hours(1)).await.unwrap();
    db.store.note_use(ours, now()).await.unwrap();
    let used = db.store.key(ours).await.unwrap().unwrap().last_used_at.unwrap();
    assert!(used > now(), "an older use does not win");

    let revoked = |id: KeyId| record(OURS, Action::Revoked, "api_key", id.as_str());
    assert!(!db.store.revoke_key(OURS, foreign, revoked(foreign)).await.unwrap(), "another business's");
    assert!(db.store.revoke_key(OURS, ours, revoked(ours)).await.unwrap());
    assert!(!db.store.revoke_key(OURS, ours, revoked(ours)).await.unwrap());
    assert!(db.store.key(ours).await.unwrap().unwrap().revoked_at.is_some());
    assert_eq!(db.store.key(foreign).await.unwrap().unwrap().revoked_at, None);
    let listed = db.store.keys(OURS, None, 10).await.unwrap();
    assert_eq!(listed.iter().map(|kept| (kept.key.id, kept.name.as_str())).collect::<Vec<_>>(), [(ours, "CRM")]);
    assert!(db.store.keys(OURS, Some(listed[0].row), 10).await.unwrap().is_empty());
}

/// `docs/data.md` tells how to take old records out; what it tells works, and leaves the log as closed as it was.
pub async fn the_audit_log_is_pruned_as_the_docs_tell(db: Database) {
    const DOCS: &str = include_str!("../../../docs/data.md");
    let recipe = DOCS.split("```sql").skip(1).filter_map(|block| block.split("```").next());
    let recipe: Vec<&str> = recipe.collect();
    let [postgres, sqlite] = recipe.as_slice() else { panic!("{recipe:?}") };
    let old = Record {
        at: DateTime::from_timestamp(1_000_000_000, 0).unwrap(),
        ..record(OURS, Action::Created, "agent", "1")
    };
    let new = record(OURS, Action::Updated, "agent", "1");
    for record in [old, new.clone()] {
        db.store.record(record).await.unwrap();
    }
    db.execute(if db.store.engine() == "postgres" { postgres } else { sqlite }).await.unwrap();
    let kept: Vec<Record> = db.store.records(OURS, None, 10).await.unwrap().into_iter().map(|(_, kept)| kept).collect();
    assert_eq!(kept, [new]);
    assert!(db.execute("DELETE FROM audit_log").await.is_err(), "closed again");
}

pub async fn the_audit_log_is_read_by_its_business_and_never_changed(db: Database) {
    set_up(&db).await;
    let theirs = db.add_business().await;
    for (business, id) in [(OURS, "1"), (theirs, "2"), (OURS, "3")] {
        db.store.record(record(business, Action::LogInRefused, "user", id)).await.unwrap();
    }
    let ids = |records: Vec<(i64, Record)>| -> Vec<String> {
        records.into_iter().map(|(_, record)| record.resource.id).collect()
    };
    let newest = db.store.records(OURS, None, 2).await.unwrap();
    let before = newest.last().unwrap().0;
    assert_eq!(newest[0].1, record(OURS, Action::LogInRefused, "user", "3"), "it reads back as it was written");
    assert_eq!(ids(newest), ["3", "1"]);
    assert_eq!(ids(db.store.records(OURS, Some(before), 10).await.unwrap()), ["asha"]);
    assert_eq!(ids(db.store.records(theirs, None, 10).await.unwrap()), ["2"]);
    for change in ["UPDATE audit_log SET action = 'nothing'", "DELETE FROM audit_log"] {
        assert!(db.execute(change).await.is_err(), "{change}");
    }
    assert_eq!(db.number("SELECT count(*) FROM audit_log").await, 4);
}
