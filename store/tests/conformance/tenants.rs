use serde_json::json;
use tandem_domain::ids::{AgentId, BusinessId};
use tandem_domain::port::store::{AgentStore, CallLog, ConversationStore, Listing, RowKey, StoreError};
use tandem_domain::record::{EndReason, Record};

use crate::database::Database;
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

pub async fn the_schema_itself_keeps_businesses_apart(db: Database) {
    let theirs = db.add_business().await.0;
    let call = Call::new(OURS);
    db.store.write(call.whole()).await.unwrap();
    for table in ["conversations", "user_turns", "agent_responses", "call_events"] {
        let moved = db.execute(&format!("UPDATE {table} SET business_id = {theirs}")).await;
        assert!(moved.is_err(), "{table}");
    }
}
