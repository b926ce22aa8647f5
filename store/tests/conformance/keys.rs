use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{CallLog, ConversationStore, Listing, RowKey};
use tandem_domain::record::Record;

use crate::database::Database;
use crate::records::Call;

const FIRST: BusinessId = BusinessId::FIRST;

pub async fn a_call_is_found_by_number_uuid_and_carrier_id(db: Database) {
    let (call, neighbour) = (Call::new(FIRST), Call::new(FIRST));
    let mut nameless = neighbour.started();
    nameless.call_sid.clear();
    db.store.write(vec![Record::Started(nameless), Record::Started(call.started())]).await.unwrap();

    let session = db.store.call(FIRST, RowKey::Name(call.started().call_sid)).await.unwrap().unwrap();
    assert_eq!(session.uuid, call.call.0);
    for key in [RowKey::Number(session.id), RowKey::Uuid(call.call.0)] {
        assert_eq!(db.store.call(FIRST, key).await.unwrap().as_ref(), Some(&session));
    }

    let id = session.conversation_id.unwrap();
    let by_call = [RowKey::Uuid(call.call.0), RowKey::Name(call.started().call_sid)];
    for key in [RowKey::Number(id), RowKey::Uuid(call.conversation.0)].into_iter().chain(by_call) {
        let conversation = db.store.conversation(FIRST, key).await.unwrap().unwrap();
        assert_eq!((conversation.id, conversation.uuid), (id, call.conversation.0));
    }

    for key in ["", "CA-nobody", "4711", "-1", "01941f29-7c00-7000-8000-0000000000ff", "\0"] {
        assert_eq!(db.store.call(FIRST, RowKey::parse(key)).await.unwrap(), None, "{key:?}");
        assert_eq!(db.store.conversation(FIRST, RowKey::parse(key)).await.unwrap(), None, "{key:?}");
    }
}

pub async fn carrier_ids_that_are_uuids_are_found_in_either_spelling(db: Database) {
    for sid in ["63f61863-4a51-4f6b-86e1-46edebcf9356", "c5797dcbaaeed7678c4062a4a3ed2f8a"] {
        let call = Call::new(FIRST);
        let mut started = call.started();
        started.call_sid = sid.into();
        db.store.write(vec![Record::Started(started)]).await.unwrap();

        assert!(matches!(RowKey::parse(sid), RowKey::Uuid(_)));
        assert_eq!(db.store.call(FIRST, RowKey::parse(sid)).await.unwrap().unwrap().uuid, call.call.0);
        let conversation = db.store.conversation(FIRST, RowKey::parse(sid)).await.unwrap().unwrap();
        assert_eq!(conversation.uuid, call.conversation.0);
    }
}

pub async fn the_newest_of_two_calls_with_one_carrier_id_answers(db: Database) {
    let calls = [Call::new(FIRST), Call::new(FIRST)];
    for call in calls {
        let mut started = call.started();
        started.call_sid = "CA-reconnected".into();
        db.store.write(vec![Record::Started(started)]).await.unwrap();
    }
    let key = || RowKey::parse("CA-reconnected");
    assert_eq!(db.store.call(FIRST, key()).await.unwrap().unwrap().uuid, calls[1].call.0);
    assert_eq!(db.store.conversation(FIRST, key()).await.unwrap().unwrap().uuid, calls[1].conversation.0);
}

pub async fn conversations_are_paged_newest_first(db: Database) {
    let calls: Vec<Call> = (0..7).map(|_| Call::new(FIRST)).collect();
    db.store.write(calls.iter().map(|call| Record::Started(call.started())).collect()).await.unwrap();

    let (mut seen, mut before) = (vec![], None);
    loop {
        let page = db.store.conversations(FIRST, Listing::newest(3).after_row(before)).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 3);
        before = Some(last.id);
        seen.extend(page.into_iter().map(|conversation| conversation.uuid));
    }
    let newest_first: Vec<_> = calls.iter().rev().map(|call| call.conversation.0).collect();
    assert_eq!(seen, newest_first);
    assert_eq!(db.store.conversations(FIRST, Listing::newest(0)).await.unwrap().len(), 1); // at least one
    assert_eq!(db.store.conversations(FIRST, Listing::newest(u32::MAX)).await.unwrap().len(), 7);
}
