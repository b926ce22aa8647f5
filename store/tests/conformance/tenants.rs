use chrono::{DateTime, Utc};
use serde_json::json;
use tandem_access::account::SessionId;
use tandem_access::audit::Action;
use tandem_access::port::{AccessStore, NewPassword, NewUser, Peopled, Profile, Proof, RecordFilter};
use tandem_access::role::Role;
use tandem_access::session::Session;
use tandem_domain::agent_version::{Draft, Version, VersionNumber};
use tandem_domain::ids::{AgentId, BusinessId, ConversationId};
use tandem_domain::phone_number::NumberSettings;
use tandem_domain::port::store::{
    AgentBook, AgentRecord, AgentStore, CallLog, CallerHistory, ConversationStore, Kept, KeptLimits, KeptNumber,
    LimitBook, LimitStore, Listing, NumberBook, NumberRoutes, RowKey, StoreError,
};
use tandem_domain::record::{BROWSER, EndReason, Record};
use uuid::Uuid;

use crate::access::key;
use crate::book::{by, create, done, edit};
use crate::database::Database;
use crate::limits::{day, usage};
use crate::numbers;
use crate::people::{add, record};
use crate::records::Call;

const OURS: BusinessId = BusinessId::FIRST;

pub async fn reading_sees_only_its_own_business(db: Database) {
    let theirs = db.add_business().await;
    let (agent, agent_uuid) = db.add_agent(theirs, "concierge").await.unwrap();
    let call = Call::new(theirs);
    db.store.write(call.whole()).await.unwrap();
    let session = db.store.call(theirs, RowKey::Uuid(call.call.0)).await.unwrap().unwrap();
    let conversation = session.conversation_id.unwrap();
    assert_eq!(db.store.transcript(theirs, conversation).await.unwrap().len(), 3);
    assert_eq!(db.store.events(theirs, session.id).await.unwrap().len(), 1);

    for key in [RowKey::Number(agent), RowKey::Uuid(agent_uuid), RowKey::Name("concierge".into())] {
        assert_eq!(db.store.agent(OURS, key).await.unwrap(), None);
    }
    let call_keys = || [RowKey::Uuid(call.call.0), RowKey::Name(session.call_sid.clone())];
    for key in [RowKey::Number(session.id)].into_iter().chain(call_keys()) {
        assert_eq!(db.store.call(OURS, key).await.unwrap(), None);
    }
    for key in [RowKey::Number(conversation), RowKey::Uuid(call.conversation.0)].into_iter().chain(call_keys()) {
        assert_eq!(db.store.conversation(OURS, key).await.unwrap(), None);
    }
    assert_eq!(db.store.conversations(OURS, Listing::newest(10)).await.unwrap(), []);
    assert_eq!(db.store.transcript(OURS, conversation).await.unwrap(), []);
    assert_eq!(db.store.events(OURS, session.id).await.unwrap(), []);
}

pub async fn writing_reaches_only_its_own_business(db: Database) {
    let theirs = db.add_business().await;
    let call = Call::new(theirs);
    db.store.write(vec![Record::Started(call.started())]).await.unwrap();
    let before = db.store.conversations(theirs, Listing::newest(10)).await.unwrap();

    let as_ours = Call { business: OURS, ..call };
    let own = Call::new(OURS);
    let stolen_conversation = Call { conversation: call.conversation, ..own };
    let mut foreign_agent = own.started();
    foreign_agent.agent = Some(AgentId(db.add_agent(theirs, "concierge").await.unwrap().0));
    let attempts = [
        Record::Started(as_ours.started()),
        Record::Started(stolen_conversation.started()),
        Record::Started(foreign_agent),
        Record::UserTurn(as_ours.turn(1, "hello", 1.0)),
        Record::AgentResponse(as_ours.response(1, None, "hello", 1.0)),
        Record::Progress(as_ours.progress("collecting", "Delhi")),
        Record::Event(as_ours.event(1, "dtmf", json!({}))),
        Record::Ended(as_ours.ended(EndReason::Completed, 1.0)),
    ];
    for attempt in attempts {
        let answer = db.store.write(vec![attempt.clone()]).await;
        assert!(matches!(answer, Err(StoreError::Refused(_))), "{attempt:?}: {answer:?}");
    }
    assert_eq!(db.rows().await, 2);
    assert_eq!(db.store.conversations(theirs, Listing::newest(10)).await.unwrap(), before);
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// Every row of every table that a business owns, as text: what nobody changed is equal.
async fn everything(db: &Database) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for table in [
        "agents",
        "agent_versions",
        "agent_saves",
        "phone_numbers",
        "users",
        "sessions",
        "api_keys",
        "audit_log",
        "call_usage",
        "call_sessions",
        "conversations",
        "user_turns",
        "agent_responses",
        "call_events",
        "talk_events",
    ] {
        rows.push(db.texts(&format!("SELECT CAST(id AS TEXT) FROM {table} ORDER BY id")).await);
    }
    rows.push(db.texts("SELECT name FROM agents ORDER BY id").await);
    rows.push(db.texts("SELECT CAST(revision AS TEXT) FROM agents ORDER BY id").await);
    rows.push(db.texts("SELECT CAST(revision AS TEXT) FROM phone_numbers ORDER BY id").await);
    rows.push(
        db.texts(
            "SELECT name || role || password_hash || COALESCE(CAST(disabled_at AS TEXT), '') FROM users ORDER BY id",
        )
        .await,
    );
    rows.push(db.texts("SELECT CAST(id AS TEXT) FROM sessions WHERE revoked_at IS NULL ORDER BY id").await);
    rows.push(db.texts("SELECT CAST(id AS TEXT) FROM api_keys WHERE revoked_at IS NULL ORDER BY id").await);
    rows
}

/// Agents, their versions and drafts, numbers and limits, asked for and changed by a business that they are not of.
pub async fn no_agent_number_or_limit_of_another_business_is_seen_or_changed(db: Database) {
    let theirs = db.add_business().await;
    let asha = done(create(&db, theirs, json!({"name": "Asha"})).await);
    let asha = done(edit(&db, &asha, json!({"call_timeout": 40})).await);
    let KeptNumber::Done(number) = numbers::add(&db, theirs, "+918047112233", Some(asha.identity.id)).await else {
        panic!("not added")
    };
    db.store.write(vec![Record::Admitted(usage(theirs, asha.identity.id, day(15)))]).await.unwrap();
    let before = everything(&db).await;

    for key in [RowKey::Number(asha.identity.id.0), RowKey::Uuid(asha.identity.uuid), RowKey::parse("asha")] {
        assert_eq!(db.store.agent(OURS, key.clone()).await.unwrap(), None);
        assert_eq!(db.store.agent_record(OURS, key).await.unwrap(), None);
    }
    assert!(db.store.agents(OURS, None, 100).await.unwrap().iter().all(|agent| agent.identity.business == OURS));
    let stolen =
        AgentRecord { identity: tandem_domain::agent::Identity { business: OURS, ..asha.identity }, ..asha.clone() };
    assert_eq!(db.store.versions(stolen.identity, None, 10).await.unwrap(), []);
    assert_eq!(db.store.version(stolen.identity, VersionNumber(1)).await.unwrap(), None);
    assert_eq!(edit(&db, &stolen, json!({"eagerness": "low"})).await, Kept::Raced);
    let draft = Draft { based_on: VersionNumber(2), settings: asha.settings.clone() };
    assert_eq!(db.store.save_draft(stolen.clone(), Some(draft), by(OURS)).await.unwrap(), Kept::Raced);
    assert_eq!(db.store.delete_agent(stolen, by(OURS)).await.unwrap(), Kept::Raced);
    let same_id =
        db.store.create_agent(OURS, asha.identity.uuid, Version::first(asha.settings.clone()), by(OURS)).await;
    assert!(matches!(same_id, Err(StoreError::Refused(_))), "{same_id:?}");

    for key in [RowKey::Number(number.id), RowKey::Uuid(number.uuid), RowKey::Name("+918047112233".into())] {
        assert_eq!(db.store.number(OURS, key).await.unwrap(), None);
    }
    assert_eq!(db.store.route(OURS, numbers::number("+918047112233")).await.unwrap(), None);
    for agent in [None, Some(asha.identity.id)] {
        assert_eq!(db.store.numbers(OURS, agent, None, 10).await.unwrap(), []);
    }
    assert_eq!(numbers::add(&db, OURS, "+918047112234", Some(asha.identity.id)).await, KeptNumber::NoAgent);
    let off = || NumberSettings { active: false, ..NumberSettings::default() };
    assert_eq!(db.store.change_number(OURS, (*number).clone(), off(), by(OURS)).await.unwrap(), KeptNumber::Raced);
    assert_eq!(db.store.remove_number(OURS, (*number).clone(), by(OURS)).await.unwrap(), KeptNumber::Raced);

    let seen = db.store.limits(OURS).await.unwrap().unwrap();
    let wanted = tandem_domain::port::store::StoredLimits { concurrent_call_limit: 1, ..seen };
    assert!(matches!(db.store.set_limits(OURS, wanted, by(OURS)).await.unwrap(), KeptLimits::Done(_)));
    assert_eq!(db.store.business_limits(theirs).await.unwrap().caps.at_once, None);
    assert_eq!(db.store.admitted_elsewhere(OURS, day(15)).await.unwrap(), []);

    let mut after = everything(&db).await;
    after[7].pop(); // the record of our own limits
    assert_eq!(after, before);
}

/// People, their sessions and keys, and what was recorded of them.
pub async fn no_account_key_or_record_of_another_business_is_seen_or_changed(db: Database) {
    add(&db, OURS, "ours@example.test", Role::Owner).await;
    let theirs = db.add_business().await;
    let asha = add(&db, theirs, "asha@example.test", Role::Owner).await;
    let bela = add(&db, theirs, "bela@example.test", Role::Viewer).await;
    let session = Session::begin(SessionId(Uuid::new_v4()), asha.user.id, now());
    let proof = || Proof { hash: "$argon2id$…".to_owned(), rehashed: None };
    db.store.begin_session(session.clone(), proof(), record(theirs, Action::LoggedIn, "x", now())).await.unwrap();
    let crm = key(&db, theirs, 7).await;
    let before = everything(&db).await;
    let ours = |action| record(OURS, action, "x", now());

    for key in [RowKey::Number(asha.user.id.0), RowKey::Uuid(asha.uuid), RowKey::Name("asha@example.test".into())] {
        assert_eq!(db.store.user(OURS, key).await.unwrap(), None);
    }
    assert_eq!(db.store.users(OURS, None, 100).await.unwrap().len(), 1);
    for seen in [asha, bela] {
        let stolen = Profile { user: tandem_access::account::User { business: OURS, ..seen.user }, ..seen };
        let next = Profile { name: "Mallory".to_owned(), updated_at: now(), ..stolen.clone() };
        let password = || NewPassword { hash: "$argon2id$stolen".to_owned(), at: now(), session: None };
        let changed = db.store.change_user(stolen.clone(), next, Some(password()), Role::Owner, ours(Action::Updated));
        assert_ne!(changed.await.unwrap(), Peopled::Done(()));
        assert!(!db.store.change_password(stolen.clone(), password(), ours(Action::Updated)).await.unwrap());
        let removed = db.store.remove_user(stolen, Role::Owner, ours(Action::Deleted)).await.unwrap();
        assert_ne!(removed, Peopled::Done(()));
    }
    let again = NewUser {
        uuid: Uuid::now_v7(),
        business: OURS,
        email: "asha@example.test".parse().unwrap(),
        name: String::new(),
        role: Role::Viewer,
        password_hash: String::new(),
        at: now(),
    };
    assert_eq!(db.store.add_user(again, Role::Owner, ours(Action::Created)).await.unwrap(), Peopled::Taken);
    assert!(!db.store.end_session(session.id, ours(Action::LoggedOut)).await.unwrap());
    let another = Session { id: SessionId(Uuid::new_v4()), ..session };
    let stolen = Proof { rehashed: Some("$argon2id$stolen".to_owned()), ..proof() };
    assert!(db.store.begin_session(another, stolen, ours(Action::LoggedIn)).await.is_err());

    assert_eq!(db.store.keys(OURS, None, 10).await.unwrap(), []);
    assert_eq!(db.store.kept_key(OURS, crm).await.unwrap(), None);
    assert!(!db.store.revoke_key(OURS, crm, ours(Action::Revoked)).await.unwrap());
    let records = db.store.records_like(OURS, RecordFilter::default(), None, 100).await.unwrap();
    assert!(records.len() == 1 && records.iter().all(|(_, record)| record.business == OURS), "{records:?}");

    assert_eq!(everything(&db).await, before);
}

/// What is left of calls, beyond [`reading_sees_only_its_own_business`]: lists by agent, turns, the timeline of a talk, and who called.
pub async fn no_turn_or_caller_of_another_business_is_seen(db: Database) {
    let theirs = db.add_business().await;
    let (agent, uuid) = db.add_agent(theirs, "concierge").await.unwrap();
    let call = Call::new(theirs);
    let mut started = call.started();
    started.agent = Some(AgentId(agent));
    let mut whole = call.whole();
    whole[0] = Record::Started(started);
    db.store.write(whole).await.unwrap();
    let talk = Call::new(theirs);
    let talk = Call { conversation: ConversationId(talk.call.0), ..talk };
    let (mut begun, sid) = (talk.started(), String::new());
    (begun.call_sid, begun.stream_sid, begun.provider) = (sid.clone(), sid, BROWSER.to_owned());
    let event = Record::Event(talk.event(2_500, "tool_call", json!({})));
    db.store.write(vec![Record::Started(begun), event]).await.unwrap();

    let conversation = db.store.conversation(theirs, RowKey::Uuid(call.conversation.0)).await.unwrap().unwrap().id;
    let turns = db.store.turns(theirs, conversation, None, 10).await.unwrap();
    assert!(!turns.is_empty());
    assert_eq!(db.store.turns(OURS, conversation, None, 10).await.unwrap(), []);
    for key in [RowKey::Number(turns[0].id), RowKey::Uuid(turns[0].uuid)] {
        assert!(db.store.turn(theirs, conversation, key.clone()).await.unwrap().is_some());
        assert_eq!(db.store.turn(OURS, conversation, key).await.unwrap(), None);
    }
    let talk = db.store.conversation(theirs, RowKey::Uuid(talk.conversation.0)).await.unwrap().unwrap().id;
    assert_eq!(db.store.talk_events(theirs, talk).await.unwrap().len(), 1);
    assert_eq!(db.store.talk_events(OURS, talk).await.unwrap(), []);
    for key in [RowKey::Number(agent), RowKey::Uuid(uuid), RowKey::parse("concierge")] {
        let listing = || Listing { agent: Some(key.clone()), ..Listing::newest(10) };
        assert_eq!(db.store.calls(theirs, listing()).await.unwrap().len(), 1);
        assert_eq!(db.store.calls(OURS, listing()).await.unwrap(), []);
        assert_eq!(db.store.conversations(OURS, listing()).await.unwrap(), []);
    }
    assert!(db.store.known_caller(theirs, "+911140000001").await.unwrap().is_some());
    assert_eq!(db.store.known_caller(OURS, "+911140000001").await.unwrap(), None);
}

pub async fn the_schema_itself_keeps_businesses_apart(db: Database) {
    let theirs = db.add_business().await.0;
    let call = Call::new(OURS);
    db.store.write(call.whole()).await.unwrap();
    for table in ["conversations", "user_turns", "agent_responses", "call_events"] {
        let moved = db.execute(&format!("UPDATE {table} SET business_id = {theirs}")).await;
        assert!(moved.is_err(), "{table}");
    }
}
