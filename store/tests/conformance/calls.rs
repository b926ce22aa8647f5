use std::time::Duration;

use serde_json::json;
use tandem_domain::agent_version::VersionNumber;
use tandem_domain::ids::{AgentId, BusinessId};
use tandem_domain::port::store::{
    CallLog, CallSession, Conversation, ConversationStore, RowKey, StoredEvent, TranscriptLine,
};
use tandem_domain::record::{Direction, EndReason, Progress, Record, TimelineEvent};
use tandem_domain::transcript::Role;
use tandem_store::Store;

use crate::database::Database;
use crate::records::{Call, at};

const FIRST: BusinessId = BusinessId::FIRST;

/// All that can be read about a call.
async fn read(store: &Store, call: Call) -> (Conversation, CallSession, Vec<TranscriptLine>, Vec<StoredEvent>) {
    let conversation = store.conversation(call.business, RowKey::Uuid(call.conversation.0)).await.unwrap().unwrap();
    let session = store.call(call.business, RowKey::Uuid(call.call.0)).await.unwrap().unwrap();
    let lines = store.transcript(call.business, conversation.id).await.unwrap();
    let events = store.events(call.business, session.id).await.unwrap();
    (conversation, session, lines, events)
}

async fn spoken(store: &Store, call: Call) -> Vec<String> {
    read(store, call).await.2.into_iter().map(|line| line.text).collect()
}

pub async fn a_call_reads_back_as_it_was_written(db: Database) {
    let call = Call::new(FIRST);
    let mut started = call.started();
    (started.agent, started.direction) = (Some(AgentId(1)), Direction::Outbound);
    started.agent_version = Some(VersionNumber(7));
    let mut turn = call.turn(1, "sixty lakh rupees", 3.0);
    turn.language = Some("en-IN".into());
    let mut response = call.response(1, Some(1), "Sixty lakh rupees, and where?", 4.5);
    response.heard = "Sixty lakh".into();
    response.interrupted = true;
    response.latency = Some(Duration::from_micros(640_900));
    response.stages = vec![
        ("stt", Duration::from_millis(400)),
        ("tts", Duration::from_millis(60)),
        ("stt", Duration::from_millis(5)),
    ];
    let mut ended = call.ended(EndReason::PartFailed("stt"), 9.9);
    ended.detail = "failed four times".into();
    db.store
        .write(vec![
            Record::Started(started.clone()),
            Record::UserTurn(turn),
            Record::AgentResponse(response),
            Record::Progress(call.progress("collecting", "Delhi")),
            Record::Event(call.event(4_700, "interruption", json!({ "heard": 2 }))),
            Record::Ended(ended),
        ])
        .await
        .unwrap();

    let (conversation, session, lines, events) = read(&db.store, call).await;
    let expected = Conversation {
        id: conversation.id,
        uuid: call.conversation.0,
        call_session_id: Some(session.id),
        agent_name: Some("front-desk".into()),
        agent_version: Some(7),
        status: "ended".into(),
        direction: "outbound".into(),
        detected_language: Some("en-IN".into()),
        stage: "collecting".into(),
        final_outcome: Some("THANK_YOU_RESPONSE".into()),
        lead_qualified: None,
        extracted_data: json!({ "location": "Delhi", "budget": 6_000_000 }),
        ended_reason: Some("part_failed".into()),
        started_at: at(0.0),
        ended_at: Some(at(9.9)),
        metadata: json!({ "channel": "phone", "provider": "twilio" }),
    };
    assert_eq!(conversation, expected);
    let expected = CallSession {
        id: session.id,
        uuid: call.call.0,
        call_sid: started.call_sid,
        conversation_id: Some(conversation.id),
        agent_id: Some(1),
        agent_version: Some(7),
        provider: "twilio".into(),
        direction: "outbound".into(),
        from_number: started.from,
        to_number: started.to,
        status: "failed".into(),
        ended_reason: Some("part_failed".into()),
        duration_seconds: Some(9),
        recording_url: None,
        answered_at: Some(at(0.0)),
        ended_at: Some(at(9.9)),
        created_at: at(0.0),
    };
    assert_eq!(session, expected);
    let user = TranscriptLine {
        role: Role::User,
        text: "sixty lakh rupees".into(),
        intended_text: None,
        interrupted: false,
        language: Some("en-IN".into()),
        confidence: Some(0.9),
        latency_ms: None,
        stages: None,
        created_at: at(3.0),
    };
    let agent = TranscriptLine {
        role: Role::Agent,
        text: "Sixty lakh".into(),
        intended_text: Some("Sixty lakh rupees, and where?".into()),
        interrupted: true,
        language: Some("en".into()),
        confidence: None,
        latency_ms: Some(640),
        stages: Some(json!({ "stt": 405, "tts": 60 })),
        created_at: at(4.5),
    };
    assert_eq!(lines, [user, agent]);
    let event = StoredEvent { t_ms: 4_700, kind: "interruption".into(), data: json!({ "heard": 2 }) };
    assert_eq!(events, [event]);
    assert_eq!(db.texts("SELECT ended_detail FROM call_sessions").await, ["failed four times"]);
    let answered =
        "SELECT count(*) FROM agent_responses r JOIN user_turns t ON t.id = r.user_turn_id WHERE t.order_index = 1";
    assert_eq!(db.number(answered).await, 1);
}

pub async fn a_call_without_agent_or_carrier_id_is_kept(db: Database) {
    let call = Call::new(FIRST);
    let mut started = call.started();
    (started.call_sid, started.from, started.to) = (String::new(), None, None);
    let mut ended = call.ended(EndReason::NoAgent, 0.2);
    ended.outcome = None;
    db.store.write(vec![Record::Started(started), Record::Ended(ended)]).await.unwrap();

    let (conversation, session, lines, events) = read(&db.store, call).await;
    assert_eq!((conversation.agent_name, conversation.final_outcome), (None, None));
    assert_eq!((conversation.stage.as_str(), conversation.extracted_data), ("intro", json!({})));
    assert_eq!((session.call_sid.as_str(), session.agent_id, session.from_number), ("", None, None));
    assert_eq!((session.status.as_str(), session.duration_seconds), ("failed", Some(0)));
    assert!(lines.is_empty() && events.is_empty());
}

pub async fn lines_stand_in_the_order_they_were_spoken(db: Database) {
    let call = Call::new(FIRST);
    // The caller breaks in at 5.0 on utterance 2; its record is written at its end, after the turn's own.
    let records = vec![
        Record::Started(call.started()),
        Record::AgentResponse(call.response(1, None, "Hello", 0.0)),
        Record::UserTurn(call.turn(1, "an apartment", 2.0)),
        Record::UserTurn(call.turn(2, "no, a house", 5.0)),
        Record::AgentResponse(call.response(2, Some(1), "An apartm", 4.999_999)),
        Record::AgentResponse(call.response(3, Some(2), "A house", 7.0)),
        Record::AgentResponse(call.response(4, None, "Are you there?", 15.5)),
        Record::UserTurn(call.turn(3, "yes", 16.0)),
    ];
    db.store.write(records).await.unwrap();
    let expected = ["Hello", "an apartment", "An apartm", "no, a house", "A house", "Are you there?", "yes"];
    assert_eq!(spoken(&db.store, call).await, expected);
}

pub async fn a_reply_follows_its_turn_where_the_clock_cannot_tell(db: Database) {
    let call = Call::new(FIRST);
    let records = vec![
        Record::Started(call.started()),
        Record::AgentResponse(call.response(1, None, "Hello", 1.0)),
        Record::UserTurn(call.turn(1, "one", 1.0)),
        Record::UserTurn(call.turn(2, "two", 1.0)),
        Record::AgentResponse(call.response(2, Some(1), "first", 1.0)),
        Record::AgentResponse(call.response(3, Some(1), "first again", 1.0)),
        Record::AgentResponse(call.response(4, Some(2), "second", 1.0)),
    ];
    db.store.write(records).await.unwrap();
    assert_eq!(spoken(&db.store, call).await, ["Hello", "one", "first", "first again", "two", "second"]);
}

pub async fn the_timeline_is_oldest_first(db: Database) {
    let call = Call::new(FIRST);
    let digit = |index, ms, digit: &str| {
        Record::Event(TimelineEvent { index, ..call.event(ms, "dtmf", json!({ "digit": digit })) })
    };
    let presses = [digit(1, 900, "3"), digit(2, 100, "1"), digit(3, 100, "2"), digit(4, u64::MAX, "4")];
    let records = [vec![Record::Started(call.started())], presses.to_vec()].concat();
    db.store.write(records).await.unwrap();
    let events = read(&db.store, call).await.3;
    let digits: Vec<_> = events.iter().map(|event| (event.t_ms, event.data["digit"].as_str().unwrap())).collect();
    assert_eq!(digits, [(100, "1"), (100, "2"), (900, "3"), (i64::MAX, "4")]);
}

pub async fn applying_records_again_changes_nothing(db: Database) {
    let call = Call::new(FIRST);
    db.store.write(call.whole()).await.unwrap();
    let (once, rows) = (read(&db.store, call).await, db.rows().await);
    let stamps = "SELECT count(DISTINCT updated_at) FROM conversations";

    db.store.write(call.whole()).await.unwrap();
    for record in call.whole() {
        db.store.write(vec![record]).await.unwrap();
    }
    db.store.write([call.whole(), call.whole()].concat()).await.unwrap();
    db.store.write(vec![]).await.unwrap();

    assert_eq!(read(&db.store, call).await, once);
    assert_eq!((db.rows().await, db.number(stamps).await), (rows, 1));
}

pub async fn a_call_ends_once(db: Database) {
    let call = Call::new(FIRST);
    db.store.write(vec![Record::Started(call.started())]).await.unwrap();
    db.store.write(vec![Record::Ended(call.ended(EndReason::CallerHangup, 5.0))]).await.unwrap();
    db.store.write(vec![Record::Ended(call.ended(EndReason::CallCrashed, 6.0))]).await.unwrap();
    let (conversation, session, ..) = read(&db.store, call).await;
    assert_eq!((session.status.as_str(), session.ended_reason.as_deref()), ("completed", Some("caller_hangup")));
    assert_eq!((session.ended_at, conversation.ended_at), (Some(at(5.0)), Some(at(5.0))));
    assert_eq!(conversation.ended_reason.as_deref(), Some("caller_hangup"));
}

pub async fn progress_stops_at_the_end(db: Database) {
    let call = Call::new(FIRST);
    let progress = |revision, stage, city| Record::Progress(Progress { revision, ..call.progress(stage, city) });
    db.store.write(vec![Record::Started(call.started()), progress(1, "collecting", "Delhi")]).await.unwrap();
    db.store.write(vec![progress(2, "completed", "Pune")]).await.unwrap();
    assert_eq!(read(&db.store, call).await.0.extracted_data["location"], "Pune");

    db.store.write(vec![Record::Ended(call.ended(EndReason::Completed, 5.0))]).await.unwrap();
    db.store.write(vec![progress(3, "collecting", "Delhi")]).await.unwrap();
    let conversation = read(&db.store, call).await.0;
    assert_eq!((conversation.stage.as_str(), &conversation.extracted_data["location"]), ("completed", &json!("Pune")));
}

pub async fn an_older_progress_does_not_win(db: Database) {
    let call = Call::new(FIRST);
    let progress = |revision, city| Record::Progress(Progress { revision, ..call.progress("collecting", city) });
    db.store.write(vec![Record::Started(call.started()), progress(2, "Delhi"), progress(7, "Pune")]).await.unwrap();
    for revision in [2, 7, 1] {
        db.store.write(vec![progress(revision, "Delhi")]).await.unwrap();
        assert_eq!(read(&db.store, call).await.0.extracted_data["location"], "Pune");
    }
    db.store.write(vec![progress(8, "Delhi")]).await.unwrap();
    assert_eq!(read(&db.store, call).await.0.extracted_data["location"], "Delhi");
}

pub async fn two_events_that_say_the_same_are_two(db: Database) {
    let call = Call::new(FIRST);
    let press = |index| Record::Event(TimelineEvent { index, ..call.event(100, "dtmf", json!({ "digit": "5" })) });
    db.store.write(vec![Record::Started(call.started()), press(1), press(2), press(1)]).await.unwrap();
    assert_eq!(read(&db.store, call).await.3.len(), 2);
}

pub async fn any_text_survives_but_nul(db: Database) {
    let call = Call::new(FIRST);
    let odd = "दिल्ली \u{202E}मुंबई\u{1F3E0} 'quoted\"; DROP TABLE agents; -- $1 ? \\ \r\n\t \u{10FFFF}";
    let nul = "before\0after";
    let mut started = call.started();
    (started.from, started.to) = (Some(nul.into()), Some(odd.into()));
    started.parameters = [(nul.to_owned(), nul.to_owned()), (odd.to_owned(), odd.to_owned())].into();
    let records = vec![
        Record::Started(started),
        Record::UserTurn(call.turn(1, odd, 1.0)),
        Record::AgentResponse(call.response(1, Some(1), nul, 2.0)),
        Record::Progress(call.progress(odd, nul)),
        Record::Event(call.event(1, "dtmf", json!({ nul: [nul, odd] }))),
    ];
    db.store.write(records).await.unwrap();

    let (conversation, session, lines, events) = read(&db.store, call).await;
    let replaced = "before\u{FFFD}after";
    assert_eq!((session.from_number.as_deref(), session.to_number.as_deref()), (Some(replaced), Some(odd)));
    assert_eq!(lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), [odd, replaced]);
    assert_eq!((conversation.stage.as_str(), &conversation.extracted_data["location"]), (odd, &json!(replaced)));
    assert_eq!(events[0].data, json!({ replaced: [replaced, odd] }));
}

pub async fn many_writers_lose_nothing(db: Database) {
    let other = db
        .reopened(tandem_store::Options {
            connection_wait: Duration::from_secs(60),
            answer_wait: Duration::from_secs(60),
            ..Default::default()
        })
        .await;
    let shared = Call::new(FIRST); // written by all at once
    let writers: Vec<_> = (0..16)
        .map(|writer| {
            let store = if writer % 2 == 0 { db.store.clone() } else { other.clone() };
            tokio::spawn(async move {
                for _ in 0..5 {
                    store.write([shared.whole(), Call::new(FIRST).whole()].concat()).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    // A call is a session, a conversation, a turn, two responses and an event.
    assert_eq!(db.rows().await, (16 * 5 + 1) * 6);
    assert_eq!(spoken(&db.store, shared).await.len(), 3);
}

pub async fn a_recording_that_is_saved_has_an_address(db: Database) {
    let (call, other) = (Call::new(FIRST), Call::new(FIRST));
    let saved = json!({ "path": "x.wav", "sha256": "00", "seconds": 9.5, "bytes": 304_044 });
    let mut record = call.event(9_900, "recording_saved", saved.clone());
    record.index = u32::MAX;
    let records = [
        Record::Started(call.started()),
        Record::Started(other.started()),
        Record::Ended(call.ended(EndReason::Completed, 9.9)),
        Record::Event(record),
    ];
    db.store.write(records.to_vec()).await.unwrap();
    db.store.write(records.to_vec()).await.unwrap(); // as after an outage
    let (_, session, _, events) = read(&db.store, call).await;
    assert_eq!(session.recording_url, Some(format!("/api/calls/{}/recording", call.call)));
    assert_eq!(events, [StoredEvent { t_ms: 9_900, kind: "recording_saved".into(), data: saved }]);
    assert_eq!(read(&db.store, other).await.1.recording_url, None);
}
