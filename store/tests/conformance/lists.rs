use tandem_domain::ids::{AgentId, BusinessId};
use tandem_domain::port::store::{CallLog, ConversationStore, Listing, RowKey};
use tandem_domain::record::{EndReason, Record};
use uuid::Uuid;

use crate::database::Database;
use crate::records::{Call, at};

const FIRST: BusinessId = BusinessId::FIRST;

/// A call that began so many seconds after the others.
fn begun(call: Call, seconds: f64, agent: Option<i64>) -> Record {
    let mut started = call.started();
    (started.at, started.agent) = (at(seconds), agent.map(AgentId));
    Record::Started(started)
}

async fn calls(db: &Database, listing: Listing) -> Vec<Uuid> {
    db.store.calls(FIRST, listing).await.unwrap().into_iter().map(|call| call.uuid).collect()
}

async fn conversations(db: &Database, listing: Listing) -> Vec<Uuid> {
    db.store.conversations(FIRST, listing).await.unwrap().into_iter().map(|row| row.uuid).collect()
}

fn uuids(calls: &[Call], of: impl Fn(&Call) -> Uuid) -> Vec<Uuid> {
    calls.iter().map(of).collect()
}

pub async fn calls_are_paged_newest_first_while_others_arrive(db: Database) {
    let early: Vec<Call> = (0..5).map(|_| Call::new(FIRST)).collect();
    db.store.write(early.iter().map(|call| Record::Started(call.started())).collect()).await.unwrap();
    let (mut seen, mut last) = (vec![], None);
    loop {
        let page = db.store.calls(FIRST, Listing::newest(2).after_row(last)).await.unwrap();
        let Some(row) = page.last() else { break };
        assert!(page.len() <= 2);
        last = Some(row.id);
        seen.extend(page.into_iter().map(|call| call.uuid));
        db.store.write(vec![Record::Started(Call::new(FIRST).started())]).await.unwrap(); // belongs on no later page
    }
    assert_eq!(seen, early.iter().rev().map(|call| call.call.0).collect::<Vec<_>>());
    assert_eq!(calls(&db, Listing::newest(0)).await.len(), 1); // at least one
}

pub async fn lists_are_filtered_by_agent_status_and_time(db: Database) {
    let (agent, uuid) = db.add_agent(FIRST, "Concierge").await.unwrap();
    let [early, theirs, ended] = [(); 3].map(|()| Call::new(FIRST));
    let records = vec![
        begun(early, 0.0, None),
        begun(theirs, 10.0, Some(agent)),
        begun(ended, 20.0, None),
        Record::Ended(ended.ended(EndReason::Completed, 21.0)),
    ];
    db.store.write(records).await.unwrap();
    let all = || Listing::newest(10);
    let cases = [
        (all(), vec![ended, theirs, early]),
        (Listing { agent: Some(RowKey::parse("CONCIERGE")), ..all() }, vec![theirs]),
        (Listing { agent: Some(RowKey::Number(agent)), ..all() }, vec![theirs]),
        (Listing { agent: Some(RowKey::Uuid(uuid)), ..all() }, vec![theirs]),
        (Listing { agent: Some(RowKey::parse("nobody\0")), ..all() }, vec![]),
        (Listing { status: Some("a\0b".into()), ..all() }, vec![]),
        (Listing { from: Some(at(10.0)), ..all() }, vec![ended, theirs]),
        (Listing { until: Some(at(10.0)), ..all() }, vec![early]),
        (Listing { from: Some(at(0.5)), until: Some(at(20.0)), ..all() }, vec![theirs]),
        (Listing { limit: 1, from: Some(at(0.5)), ..all() }, vec![ended]),
    ];
    for (listing, expected) in cases {
        assert_eq!(calls(&db, listing.clone()).await, uuids(&expected, |call| call.call.0), "{listing:?}");
        assert_eq!(
            conversations(&db, listing.clone()).await,
            uuids(&expected, |call| call.conversation.0),
            "{listing:?}"
        );
    }
    // The two lists have words of their own for a state.
    let state = |word: &str| Listing { status: Some(word.into()), ..all() };
    assert_eq!(calls(&db, state("completed")).await, [ended.call.0]);
    assert_eq!(conversations(&db, state("ended")).await, [ended.conversation.0]);
    assert_eq!(conversations(&db, state("active")).await, uuids(&[theirs, early], |call| call.conversation.0));
}

pub async fn turns_come_in_spoken_order_with_their_answers(db: Database) {
    let (call, neighbour) = (Call::new(FIRST), Call::new(FIRST));
    db.store.write(neighbour.whole()).await.unwrap();
    let mut records =
        vec![Record::Started(call.started()), Record::AgentResponse(call.response(1, None, "Hello", 0.1))];
    for turn in 1..=5 {
        records.push(Record::UserTurn(call.turn(turn, &format!("turn {turn}"), f64::from(turn) * 10.0)));
    }
    records.push(Record::AgentResponse(call.response(2, Some(2), "Yes", 21.0)));
    records.push(Record::AgentResponse(call.response(3, Some(2), "that is", 23.0)));
    records.push(Record::AgentResponse(call.response(4, Some(5), "Goodbye", 51.0)));
    db.store.write(records).await.unwrap();
    let id = db.store.conversation(FIRST, RowKey::Uuid(call.call.0)).await.unwrap().unwrap().id;

    let (mut seen, mut after) = (vec![], None);
    loop {
        let page = db.store.turns(FIRST, id, after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 2);
        after = Some(last.order_index);
        seen.extend(page);
    }
    let words: Vec<_> = seen
        .iter()
        .map(|turn| {
            let answers: Vec<_> = turn.agent_responses.iter().map(|answer| answer.response_text.as_str()).collect();
            (turn.order_index, turn.transcript.as_str(), answers)
        })
        .collect();
    let expected = [(1, "turn 1", vec![]), (2, "turn 2", vec!["Yes", "that is"]), (3, "turn 3", vec![])];
    assert_eq!(words[..3], expected);
    assert_eq!(words[3..], [(4, "turn 4", vec![]), (5, "turn 5", vec!["Goodbye"])]);
    assert_eq!((seen[0].conversation_id, seen[0].stt_confidence, seen[0].created_at), (id, Some(0.9), at(10.0)));
    let answer = &seen[4].agent_responses[0];
    assert_eq!(
        (answer.voice_id.as_str(), answer.language.as_deref(), answer.created_at),
        ("rms", Some("en"), at(51.0))
    );
    assert_eq!(db.store.turns(FIRST, id, None, 0).await.unwrap().len(), 1); // at least one
}

pub async fn a_turn_is_found_by_number_and_uuid_in_its_own_conversation(db: Database) {
    let (call, neighbour) = (Call::new(FIRST), Call::new(FIRST));
    db.store.write([call.whole(), neighbour.whole()].concat()).await.unwrap();
    let conversation = |call: Call| db.store.conversation(FIRST, RowKey::Uuid(call.call.0));
    let (own, other) =
        (conversation(call).await.unwrap().unwrap().id, conversation(neighbour).await.unwrap().unwrap().id);
    let turn = db.store.turns(FIRST, own, None, 10).await.unwrap().pop().unwrap();
    assert_eq!(turn.agent_responses.len(), 1);
    for key in [RowKey::Number(turn.id), RowKey::Uuid(turn.uuid)] {
        assert_eq!(db.store.turn(FIRST, own, key.clone()).await.unwrap().as_ref(), Some(&turn));
        assert_eq!(db.store.turn(FIRST, other, key).await.unwrap(), None);
    }
    for key in ["0", "first", "\0", "01941f29-7c00-7000-8000-0000000000ff"] {
        assert_eq!(db.store.turn(FIRST, own, RowKey::parse(key)).await.unwrap(), None, "{key:?}");
    }
}

pub async fn lists_show_no_other_business(db: Database) {
    let theirs = db.add_business().await;
    let call = Call::new(theirs);
    db.store.write(call.whole()).await.unwrap();
    let conversation = db.store.conversation(theirs, RowKey::Uuid(call.call.0)).await.unwrap().unwrap().id;
    let turn = db.store.turns(theirs, conversation, None, 10).await.unwrap().pop().unwrap();
    assert_eq!(db.store.calls(theirs, Listing::newest(10)).await.unwrap().len(), 1);

    assert_eq!(db.store.calls(FIRST, Listing::newest(10)).await.unwrap(), []);
    assert_eq!(db.store.conversations(FIRST, Listing::newest(10)).await.unwrap(), []);
    assert_eq!(db.store.turns(FIRST, conversation, None, 10).await.unwrap(), []);
    assert_eq!(db.store.turn(FIRST, conversation, RowKey::Number(turn.id)).await.unwrap(), None);
}
