use chrono::{DateTime, TimeDelta, Utc};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use tandem_access::account::{SessionId, UserId};
use tandem_access::api_key::{self, ApiKey};
use tandem_access::audit::{Action, Changes, Origin, Record, Resource, Who};
use tandem_access::port::{AccessStore, NewKey, NewPassword, NewUser, Peopled, Profile, Proof, RecordFilter};
use tandem_access::role::{Capability, ChangeRefusal, Role};
use tandem_access::session::{IDLE_LIFE, Session};
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::RowKey;
use uuid::Uuid;

use crate::book::several;
use crate::database::Database;

const OURS: BusinessId = BusinessId::FIRST;

fn now() -> DateTime<Utc> {
    // Nanoseconds, which no engine keeps.
    DateTime::from_timestamp(1_800_000_000, 123_456_789).unwrap()
}

pub fn record(business: BusinessId, action: Action, id: &str, at: DateTime<Utc>) -> Record {
    Record {
        at,
        business,
        who: Who::Cli { account: None },
        from: Origin::default(),
        action,
        resource: Resource { kind: "user".to_owned(), id: id.to_owned() },
        changes: Changes::default(),
    }
}

fn new(business: BusinessId, email: &str, role: Role) -> NewUser {
    NewUser {
        uuid: Uuid::now_v7(),
        business,
        email: email.parse().unwrap(),
        name: "Asha".to_owned(),
        role,
        password_hash: "$argon2id$…".to_owned(),
        at: now(),
    }
}

pub async fn add(db: &Database, business: BusinessId, email: &str, role: Role) -> Profile {
    db.store.installation(Uuid::now_v7()).await.unwrap();
    let record = record(business, Action::Created, email, now());
    let made = db.store.add_user(new(business, email, role), Role::Owner, record).await.unwrap();
    assert!(matches!(made, Peopled::Done(_)), "{made:?}");
    profile(db, business, email).await.unwrap()
}

async fn profile(db: &Database, business: BusinessId, email: &str) -> Option<Profile> {
    db.store.user(business, RowKey::Name(email.to_owned())).await.unwrap()
}

async fn change(db: &Database, seen: &Profile, edit: impl FnOnce(&mut Profile)) -> Peopled<()> {
    let mut next = Profile { updated_at: seen.updated_at + TimeDelta::seconds(1), ..seen.clone() };
    edit(&mut next);
    let record = record(seen.user.business, Action::Updated, seen.email.as_str(), now());
    db.store.change_user(seen.clone(), next, None, Role::Owner, record).await.unwrap()
}

/// Whether somebody gets in by the password that they had at first.
async fn log_in(db: &Database, session: Session) -> bool {
    let proof = Proof { hash: "$argon2id$…".to_owned(), rehashed: None };
    let record = record(OURS, Action::LoggedIn, "x", session.began_at);
    db.store.begin_session(session, proof, record).await.unwrap()
}

pub async fn begin(db: &Database, user: UserId, at: DateTime<Utc>) -> SessionId {
    let session = Session::begin(SessionId(Uuid::new_v4()), user, at);
    assert!(log_in(db, session.clone()).await);
    session.id
}

pub async fn a_user_is_found_by_number_uuid_and_address_in_their_own_business(db: Database) {
    let asha = add(&db, OURS, "asha@example.test", Role::Owner).await;
    let theirs = db.add_business().await;
    for key in [RowKey::Number(asha.user.id.0), RowKey::Uuid(asha.uuid), RowKey::Name("ASHA@example.test".to_owned())] {
        assert_eq!(db.store.user(OURS, key.clone()).await.unwrap().as_ref(), Some(&asha));
        assert_eq!(db.store.user(theirs, key).await.unwrap(), None);
    }
    assert_eq!((asha.name.as_str(), asha.user.role, asha.user.disabled_at), ("Asha", Role::Owner, None));
    for email in ["b@example.test", "c@example.test"] {
        add(&db, OURS, email, Role::Viewer).await;
    }
    let page = db.store.users(OURS, None, 2).await.unwrap();
    let rest = db.store.users(OURS, page.last().map(|user| user.user.id.0), 2).await.unwrap();
    let emails: Vec<&str> = page.iter().chain(&rest).map(|user| user.email.as_str()).collect();
    assert_eq!(emails, ["asha@example.test", "b@example.test", "c@example.test"]);
    assert!(db.store.users(theirs, None, 10).await.unwrap().is_empty());
}

pub async fn the_first_user_is_an_owner_and_closes_the_interface(db: Database) {
    db.store.installation(Uuid::now_v7()).await.unwrap();
    let made = async |email: &str, role: Role, asker: Role| {
        let record = record(OURS, Action::Created, email, now());
        db.store.add_user(new(OURS, email, role), asker, record).await.unwrap()
    };
    let refused = made("v@example.test", Role::Viewer, Role::Owner).await;
    assert_eq!(refused, Peopled::Refused(ChangeRefusal::FirstIsOwner));
    assert_eq!(db.store.installation(Uuid::nil()).await.unwrap().administrator_since, None);
    assert!(matches!(made("asha@example.test", Role::Owner, Role::Owner).await, Peopled::Done(_)));
    assert!(db.store.installation(Uuid::nil()).await.unwrap().administrator_since.is_some());
    assert_eq!(made(" ASHA@example.test", Role::Viewer, Role::Owner).await, Peopled::Taken);
    let above = made("o@example.test", Role::Owner, Role::Admin).await;
    assert_eq!(above, Peopled::Refused(ChangeRefusal::AboveOwn));
    assert_eq!(db.number("SELECT count(*) FROM users").await, 1);
    assert_eq!(db.number("SELECT count(*) FROM audit_log").await, 1, "what was refused is no change");
}

/// An address is everybody's, so that two businesses that add it at once do not wait for each other's row.
pub async fn of_many_accounts_of_one_address_at_once_one_is_made(db: Database) {
    db.store.installation(Uuid::now_v7()).await.unwrap();
    let stores = several(&db).await;
    let mut businesses = vec![OURS];
    for _ in 0..7 {
        businesses.push(db.add_business().await);
    }
    let attempts: Vec<_> = (0..16)
        .map(|number| {
            let business = businesses[number % businesses.len()];
            let store = stores[number % stores.len()].clone();
            let email = ["asha@example.test", "ASHA@example.test"][number % 2];
            let record = record(business, Action::Created, email, now());
            tokio::spawn(async move { store.add_user(new(business, email, Role::Owner), Role::Owner, record).await })
        })
        .collect();
    let mut made = 0;
    for attempt in attempts {
        match attempt.await.unwrap().unwrap() {
            Peopled::Done(_) => made += 1,
            other => assert_eq!(other, Peopled::Taken),
        }
    }
    assert_eq!((made, db.number("SELECT count(*) FROM users").await), (1, 1));
}

pub async fn an_owner_is_not_made_where_the_interface_would_not_know(db: Database) {
    let record = record(OURS, Action::Created, "x", now());
    let made = db.store.add_user(new(OURS, "asha@example.test", Role::Owner), Role::Owner, record).await;
    assert!(made.is_err(), "there is no row that could say that there is an administrator");
    assert_eq!(db.number("SELECT count(*) FROM users").await, 0);
}

pub async fn of_two_owners_who_remove_each_other_one_stays(db: Database) {
    let one = add(&db, OURS, "one@example.test", Role::Owner).await;
    let other = add(&db, OURS, "other@example.test", Role::Owner).await;
    let attempts: Vec<_> = [one, other]
        .into_iter()
        .map(|seen| {
            let store = db.store.clone();
            let record = record(OURS, Action::Deleted, seen.email.as_str(), now());
            tokio::spawn(async move { store.remove_user(seen, Role::Owner, record).await })
        })
        .collect();
    let mut outcomes = Vec::new();
    for attempt in attempts {
        outcomes.push(attempt.await.unwrap().unwrap());
    }
    outcomes.sort_by_key(|outcome| matches!(outcome, Peopled::Refused(_)));
    assert_eq!(outcomes, [Peopled::Done(()), Peopled::Refused(ChangeRefusal::LastOwner)]);
    assert_eq!(db.number("SELECT count(*) FROM users WHERE role = 'owner'").await, 1);
}

pub async fn one_who_is_disabled_is_no_owner_that_a_business_keeps(db: Database) {
    let one = add(&db, OURS, "one@example.test", Role::Owner).await;
    let other = add(&db, OURS, "other@example.test", Role::Owner).await;
    let session = begin(&db, other.user.id, now()).await;
    assert_eq!(change(&db, &other, |next| next.user.disabled_at = Some(now())).await, Peopled::Done(()));
    assert!(db.store.session(session).await.unwrap().unwrap().0.revoked_at.is_some(), "logged out");
    let last = Peopled::Refused(ChangeRefusal::LastOwner);
    assert_eq!(change(&db, &one, |next| next.user.role = Role::Viewer).await, last);
    let other = profile(&db, OURS, "other@example.test").await.unwrap();
    assert!(other.user.disabled_at.is_some());
    assert_eq!(change(&db, &other, |next| next.user.role = Role::Viewer).await, Peopled::Done(()), "one active stays");
}

pub async fn a_change_is_made_to_the_user_that_was_seen(db: Database) {
    add(&db, OURS, "one@example.test", Role::Owner).await;
    let seen = add(&db, OURS, "b@example.test", Role::Viewer).await;
    assert_eq!(change(&db, &seen, |next| next.name = "Bela".to_owned()).await, Peopled::Done(()));
    assert_eq!(change(&db, &seen, |next| next.user.role = Role::Admin).await, Peopled::Raced);
    let read = profile(&db, OURS, "b@example.test").await.unwrap();
    assert_eq!((read.name.as_str(), read.user.role), ("Bela", Role::Viewer));
    let removed = db.store.remove_user(seen.clone(), Role::Owner, record(OURS, Action::Deleted, "b", now())).await;
    assert_eq!(removed.unwrap(), Peopled::Raced);
    let theirs = db.add_business().await;
    let mut foreign = read.clone();
    foreign.user.business = theirs;
    let outcome = change(&db, &foreign, |next| next.user.role = Role::Viewer).await;
    assert!(matches!(outcome, Peopled::Raced | Peopled::Refused(_)), "{outcome:?}");
    assert_eq!(profile(&db, OURS, "b@example.test").await.unwrap(), read);
}

pub async fn another_password_leaves_the_session_that_begins_with_it(db: Database) {
    let asha = add(&db, OURS, "asha@example.test", Role::Owner).await;
    let before = begin(&db, asha.user.id, now()).await;
    let at = now() + TimeDelta::hours(1);
    let session = Session::begin(SessionId(Uuid::new_v4()), asha.user.id, at);
    let password = || NewPassword { hash: "$argon2id$new".to_owned(), at, session: Some(session.clone()) };
    let record = || record(OURS, Action::Updated, "asha", at);
    assert!(db.store.change_password(asha.clone(), password(), record()).await.unwrap());
    assert!(!db.store.change_password(asha.clone(), password(), record()).await.unwrap(), "it is another one by now");
    let account = db.store.account(asha.email.clone()).await.unwrap().unwrap();
    assert_eq!(account.password_hash, "$argon2id$new");
    let (old, user) = db.store.session(before).await.unwrap().unwrap();
    assert!(old.revoked_at.is_some() && old.may_go_on(&user, at).is_err());
    let (new, user) = db.store.session(session.id).await.unwrap().unwrap();
    assert_eq!(new.may_go_on(&user, at), Ok(()));
    let late = Session::begin(SessionId(Uuid::new_v4()), asha.user.id, at + TimeDelta::seconds(1));
    assert!(!log_in(&db, late.clone()).await, "by the old password, found right before the change");
    assert_eq!(db.store.session(late.id).await.unwrap(), None);
}

pub async fn nobody_who_was_disabled_meanwhile_gets_in(db: Database) {
    add(&db, OURS, "asha@example.test", Role::Owner).await;
    let binu = add(&db, OURS, "binu@example.test", Role::Viewer).await;
    change(&db, &binu, |next| next.user.disabled_at = Some(now())).await;
    assert!(!log_in(&db, Session::begin(SessionId(Uuid::new_v4()), binu.user.id, now())).await);
}

pub async fn a_deleted_user_takes_their_log_ins_along_and_leaves_their_record(db: Database) {
    add(&db, OURS, "one@example.test", Role::Owner).await;
    let seen = add(&db, OURS, "b@example.test", Role::Admin).await;
    let session = begin(&db, seen.user.id, now()).await;
    let minted = api_key::mint(&mut ChaCha20Rng::seed_from_u64(1));
    let (id, hash, scopes) = (minted.id, minted.hash, [Capability::ReadCalls].into());
    let key = ApiKey { id, business: OURS, hash, scopes, expires_at: None, revoked_at: None, last_used_at: None };
    let new = NewKey { key, name: "CRM".to_owned(), created_by: Some(seen.user.id), at: now() };
    db.store.keep_key(new, record(OURS, Action::Created, "CRM", now())).await.unwrap();
    let removed = db.store.remove_user(seen.clone(), Role::Owner, record(OURS, Action::Deleted, "b", now())).await;
    assert_eq!(removed.unwrap(), Peopled::Done(()));
    assert_eq!(profile(&db, OURS, "b@example.test").await, None);
    assert_eq!(db.store.session(session).await.unwrap(), None);
    let kept = db.store.kept_key(OURS, id).await.unwrap().unwrap();
    assert_eq!(kept.created_by, Some(seen.uuid), "what they may have kept is found by who made it");
    assert_eq!(db.store.account(seen.email).await.unwrap(), None);
    let again = add(&db, OURS, "b@example.test", Role::Viewer).await;
    assert!(again.user.id > seen.user.id, "a number is given once: records name it");
}

pub async fn sessions_that_are_long_over_are_forgotten(db: Database) {
    let asha = add(&db, OURS, "asha@example.test", Role::Owner).await;
    let at = now() + IDLE_LIFE;
    let idle = begin(&db, asha.user.id, now() - TimeDelta::seconds(1)).await;
    let (ended, live) = (begin(&db, asha.user.id, at).await, begin(&db, asha.user.id, at).await);
    db.store.end_session(ended, record(OURS, Action::LoggedOut, "x", at)).await.unwrap();
    assert_eq!(db.store.forget_sessions(at, 10).await.unwrap(), 1);
    assert_eq!(db.store.session(idle).await.unwrap(), None);
    assert_eq!(db.store.forget_sessions(at + TimeDelta::seconds(1), 10).await.unwrap(), 1);
    assert_eq!(db.store.session(ended).await.unwrap(), None);
    assert!(db.store.session(live).await.unwrap().is_some());
    for _ in 0..3 {
        begin(&db, asha.user.id, now()).await;
    }
    assert_eq!(
        db.store.forget_sessions(at + TimeDelta::days(1), 2).await.unwrap(),
        2,
        "no more at once than asked for"
    );
}

pub async fn records_are_found_by_what_was_done_to_what_and_when(db: Database) {
    let theirs = db.add_business().await;
    let later = now() + TimeDelta::hours(1);
    for (business, action, id, at) in [
        (OURS, Action::Created, "1", now()),
        (OURS, Action::Updated, "1", later),
        (OURS, Action::Created, "2", later),
        (theirs, Action::Created, "1", now()),
    ] {
        db.store.record(record(business, action, id, at)).await.unwrap();
    }
    let found = async |filter: RecordFilter| -> Vec<(Action, String)> {
        let records = db.store.records_like(OURS, filter, None, 10).await.unwrap();
        records.into_iter().map(|(_, record)| (record.action, record.resource.id)).collect()
    };
    let some = |text: &str| Some(text.to_owned());
    let (first, second) = ((Action::Created, "1".to_owned()), (Action::Created, "2".to_owned()));
    let created = RecordFilter { action: some("created"), ..RecordFilter::default() };
    assert_eq!(found(created.clone()).await, [second.clone(), first.clone()]);
    assert_eq!(
        found(RecordFilter { id: some("2"), kind: some("user"), ..RecordFilter::default() }).await,
        std::slice::from_ref(&second)
    );
    assert_eq!(found(RecordFilter { until: Some(later), ..created.clone() }).await, [first]);
    assert_eq!(found(RecordFilter { from: Some(later), ..created }).await, [second]);
    assert!(found(RecordFilter { kind: some("agent"), ..RecordFilter::default() }).await.is_empty());
    assert_eq!(found(RecordFilter::default()).await.len(), 3);
}

pub async fn log_ins_of_before_are_read_back_from_the_record(db: Database) {
    let asha = add(&db, OURS, "asha@example.test", Role::Owner).await;
    let address = Some([192, 0, 2, 1].into());
    let noted = |action: Action, who: Who, id: String, second: i64| Record {
        who,
        from: Origin::new(address, None, None),
        ..record(OURS, action, &id, now() + TimeDelta::seconds(second))
    };
    let user = Who::User { id: asha.user.id };
    for record in [
        noted(Action::LogInRefused, Who::Unknown, asha.uuid.to_string(), 1),
        noted(Action::LogInRefused, user.clone(), asha.uuid.to_string(), 2),
        noted(Action::LoggedIn, user.clone(), Uuid::new_v4().to_string(), 3),
        noted(Action::LoggedOut, user, Uuid::new_v4().to_string(), 4),
        noted(Action::LogInRefused, Who::Unknown, Uuid::new_v4().to_string(), 5),
    ] {
        db.store.record(record).await.unwrap();
    }
    let after_many = noted(Action::LogInRefused, Who::Unknown, asha.uuid.to_string(), -60);
    let after_many = Record { changes: Changes::after_unrecorded(70), ..after_many };
    db.store.record(after_many).await.unwrap();
    let newest = db.store.log_ins_since(now() - TimeDelta::seconds(60), 1).await.unwrap();
    assert_eq!(newest[0].unrecorded, 70, "those that have no record of their own are told by the next");
    let told = async |since: i64, limit: u32| -> Vec<(bool, i64)> {
        let past = db.store.log_ins_since(now() + TimeDelta::seconds(since), limit).await.unwrap();
        assert!(past.iter().all(|past| past.email == asha.email && Some(past.address) == address));
        past.iter().map(|past| (past.right, (past.at - now()).num_seconds())).collect()
    };
    assert_eq!(told(0, 10).await, [(false, 1), (false, 2), (true, 3)], "oldest first; nobody's is nobody's");
    assert_eq!(told(2, 10).await, [(false, 2), (true, 3)]);
    assert_eq!(told(0, 2).await, [(true, 3)], "the newest ones");
}
