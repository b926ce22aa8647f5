//! Talks in the browser: a conversation without a call session (R5), with the end and the timeline of a call.

use serde_json::json;
use tandem_domain::ids::{BusinessId, ConversationId, LifeId};
use tandem_domain::port::store::{CallLog, ConversationStore, LifeStore, RowKey};
use tandem_domain::record::{BROWSER, CallStarted, EndReason, Record};
use uuid::Uuid;

use crate::database::Database;
use crate::records::Call;

const FIRST: BusinessId = BusinessId::FIRST;

/// A talk: its conversation has the call's own id.
fn talk() -> Call {
    let call = Call::new(FIRST);
    Call { conversation: ConversationId(call.call.0), ..call }
}

fn started(talk: Call) -> Record {
    let (call_sid, stream_sid) = (String::new(), String::new());
    let provider = BROWSER.to_owned();
    Record::Started(CallStarted { call_sid, stream_sid, provider, from: None, to: None, ..talk.started() })
}

pub async fn a_talk_is_a_conversation_without_a_call(db: Database) {
    let talk = talk();
    let records = [
        started(talk),
        Record::AgentResponse(talk.response(1, None, "Hello.", 0.1)),
        Record::UserTurn(talk.turn(1, "in Delhi", 2.0)),
        Record::Event(talk.event(2_500, "tool_call", json!({ "detail": "show_map" }))),
        Record::Ended(talk.ended(EndReason::Completed, 9.9)),
    ];
    db.store.write(records.to_vec()).await.unwrap();
    db.store.write(records.to_vec()).await.unwrap(); // as after an outage
    assert_eq!(db.store.call(FIRST, RowKey::Uuid(talk.call.0)).await.unwrap(), None);
    let kept = db.store.conversation(FIRST, RowKey::Uuid(talk.conversation.0)).await.unwrap().unwrap();
    assert_eq!((kept.call_session_id, kept.ended_reason.as_deref()), (None, Some("completed")));
    assert_eq!(kept.metadata, json!({ "channel": "browser", "parameters": { "lead": "7" } }));
    assert_eq!(db.store.transcript(FIRST, kept.id).await.unwrap().len(), 2);
    let events = db.store.talk_events(FIRST, kept.id).await.unwrap();
    let kinds: Vec<(i64, &str)> = events.iter().map(|event| (event.t_ms, event.kind.as_str())).collect();
    assert_eq!(kinds, [(2_500, "tool_call"), (9_900, "ended")]);
    assert!(db.store.talk_events(BusinessId(FIRST.0 + 1), kept.id).await.unwrap().is_empty(), "another business");
}

pub async fn a_talk_that_a_dead_process_left_open_is_closed(db: Database) {
    let (talk, life) = (talk(), LifeId(Uuid::now_v7()));
    db.store.beat(life).await.unwrap();
    db.store.living(life).write(vec![started(talk)]).await.unwrap();
    assert_eq!(db.store.bury(life).await, Ok(1));
    let kept = db.store.conversation(FIRST, RowKey::Uuid(talk.conversation.0)).await.unwrap().unwrap();
    assert_eq!((kept.status.as_str(), kept.ended_reason.as_deref()), ("ended", Some("server_restarted")));
}
