use serde_json::json;
use tandem_domain::caller::KnownCaller;
use tandem_domain::ids::BusinessId;
use tandem_domain::playbook::Decision;
use tandem_domain::port::store::{CallLog, CallerHistory};
use tandem_domain::record::{Direction, EndReason, Record};

use crate::database::Database;
use crate::records::{Call, at};

const OURS: BusinessId = BusinessId::FIRST;
const NUMBER: &str = "+919876543210";

/// Keeps a call with [`NUMBER`] that left `extracted` behind.
async fn keep(
    db: &Database,
    business: BusinessId,
    direction: Direction,
    seconds: f64,
    extracted: serde_json::Value,
) -> Call {
    let call = Call::new(business);
    let mut started = call.started();
    let ours = Some("+911140000002".to_owned());
    (started.from, started.to) = match direction {
        Direction::Inbound => (Some(NUMBER.to_owned()), ours),
        Direction::Outbound => (ours, Some(NUMBER.to_owned())),
    };
    (started.direction, started.at) = (direction, at(seconds));
    let mut progress = call.progress("collecting", "Delhi");
    progress.extracted = extracted.as_object().unwrap().clone();
    db.store.write(vec![Record::Started(started), Record::Progress(progress)]).await.unwrap();
    call
}

pub async fn a_returning_caller_is_known_by_the_newest_name(db: Database) {
    assert_eq!(db.store.known_caller(OURS, NUMBER).await.unwrap(), None);
    keep(&db, OURS, Direction::Inbound, 0.0, json!({"name": "Rohit"})).await;
    keep(&db, OURS, Direction::Inbound, 60.0, json!({"name": "Rahul Sharma", "language": "hi"})).await;
    keep(&db, OURS, Direction::Inbound, 120.0, json!({"name": "  ", "budget": 5})).await;
    let known = db.store.known_caller(OURS, NUMBER).await.unwrap();
    let expected = KnownCaller {
        name: Some("Rahul Sharma".into()),
        last_call_at: at(120.0),
        language: Some("hi".into()),
        last_outcome: None,
    };
    assert_eq!(known, Some(expected));
}

pub async fn a_caller_without_a_name_has_called_all_the_same(db: Database) {
    keep(&db, OURS, Direction::Inbound, 0.0, json!({"name": 7})).await;
    db.execute("UPDATE conversations SET detected_language = 'en'").await.unwrap();
    let known = db.store.known_caller(OURS, NUMBER).await.unwrap();
    assert_eq!(
        known,
        Some(KnownCaller { name: None, last_call_at: at(0.0), language: Some("en".into()), last_outcome: None })
    );
}

pub async fn a_number_that_we_dialled_is_known_too(db: Database) {
    keep(&db, OURS, Direction::Outbound, 0.0, json!({"caller_name": "राहुल"})).await;
    assert_eq!(db.store.known_caller(OURS, NUMBER).await.unwrap().unwrap().name.as_deref(), Some("राहुल"));
    // Our own number is nobody's name, whichever side it stands on.
    assert_eq!(db.store.known_caller(OURS, "+911140000002").await.unwrap(), None);
}

pub async fn the_outcome_is_that_of_the_last_call(db: Database) {
    let outcome = async || db.store.known_caller(OURS, NUMBER).await.unwrap().unwrap().last_outcome;
    let first = keep(&db, OURS, Direction::Inbound, 0.0, json!({"name": "Rahul"})).await;
    assert_eq!(outcome().await, None, "it has not ended");
    let ended = |call: Call, decision| {
        let mut ended = call.ended(EndReason::Completed, 9.9);
        ended.outcome = decision;
        vec![Record::Ended(ended)]
    };
    db.store.write(ended(first, Some(Decision::NeedMoreInfo))).await.unwrap();
    assert_eq!(outcome().await.as_deref(), Some("NEED_MORE_INFO"));
    let second = keep(&db, OURS, Direction::Outbound, 60.0, json!({})).await;
    db.store.write(ended(second, Some(Decision::HandoverToHuman))).await.unwrap();
    assert_eq!(outcome().await.as_deref(), Some("HANDOVER_TO_HUMAN"));
    // One that decided nothing: the date of one call and the outcome of another would be told as one.
    let third = keep(&db, OURS, Direction::Inbound, 120.0, json!({})).await;
    db.store.write(ended(third, None)).await.unwrap();
    let known = db.store.known_caller(OURS, NUMBER).await.unwrap().unwrap();
    assert_eq!((known.last_outcome, known.last_call_at, known.name.as_deref()), (None, at(120.0), Some("Rahul")));
}

pub async fn callers_of_another_business_are_strangers(db: Database) {
    let theirs = db.add_business().await;
    keep(&db, theirs, Direction::Inbound, 0.0, json!({"name": "Rahul"})).await;
    assert_eq!(db.store.known_caller(OURS, NUMBER).await.unwrap(), None);
    assert!(db.store.known_caller(theirs, NUMBER).await.unwrap().is_some());
    for number in ["", "+91987654321", "+919876543210\0", "%", "' OR 1=1 --"] {
        assert_eq!(db.store.known_caller(theirs, number).await.unwrap(), None, "{number:?}");
    }
}
