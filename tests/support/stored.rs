//! Calls as the switch would have left them, for tests of what is read.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;
use tandem_domain::ids::{BusinessId, CallId, ConversationId, TurnId, UtteranceId};
use tandem_domain::port::store::CallLog;
use tandem_domain::record::{
    AgentResponse, CallEnded, CallStarted, Direction, EndReason, Progress, Record, TimelineEvent, UserTurn,
};
use uuid::Uuid;

use crate::support::{Answer, Program};

/// Asserts the shape that every error has.
pub fn assert_problem(answer: &Answer, status: u16, kind: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let body = answer.json();
    assert_eq!(body["type"], format!("urn:tandem:problem:{kind}"));
    assert_eq!(body["status"], status);
    assert!(body["title"].as_str().is_some_and(|text| !text.is_empty()));
    assert!(body["detail"].as_str().is_some_and(|text| !text.is_empty()));
    assert!(body["errors"].is_array());
}

/// An instant of the calls: seconds after they began.
pub fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_770_000_000 + second, 0).unwrap()
}

/// A call that was answered, asked for a flat in Delhi and ended; as the switch would have written it.
pub async fn store_call(program: &Program, number: i64) -> (CallId, String) {
    let (call, conversation) = (CallId(Uuid::now_v7()), ConversationId(Uuid::now_v7()));
    let business = BusinessId::FIRST;
    let call_sid = format!("CA{number:032}");
    let extracted = [("location", json!("Delhi")), ("budget", json!(6_000_000))];
    let records = vec![
        Record::Started(CallStarted {
            call,
            conversation,
            business,
            agent: None,
            agent_version: None,
            call_sid: call_sid.clone(),
            stream_sid: format!("MZ{number:032}"),
            provider: "twilio".to_owned(),
            direction: Direction::Inbound,
            from: Some("+911234567890".to_owned()),
            to: None,
            parameters: Default::default(),
            at: at(0),
        }),
        Record::AgentResponse(AgentResponse {
            conversation,
            business,
            utterance: UtteranceId(1),
            turn: None,
            text: "Hello, how can I help you?".to_owned(),
            heard: "Hello, how can".to_owned(),
            interrupted: true,
            llm_provider: "rules".to_owned(),
            tts_provider: "fake".to_owned(),
            voice: String::new(),
            language: "en".to_owned(),
            latency: None,
            stages: Vec::new(),
            at: at(1),
        }),
        Record::UserTurn(UserTurn {
            conversation,
            business,
            turn: TurnId(1),
            text: "a flat in Delhi".to_owned(),
            language: Some("en".to_owned()),
            stt_provider: "fake".to_owned(),
            confidence: Some(0.5),
            at: at(2),
        }),
        Record::Progress(Progress {
            conversation,
            business,
            revision: 1,
            stage: "collecting".to_owned(),
            extracted: extracted.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        }),
        Record::Event(TimelineEvent {
            call,
            business,
            index: 2,
            since_start: Duration::from_millis(1500),
            kind: "interruption",
            data: json!({}),
        }),
        Record::Ended(CallEnded {
            call,
            business,
            reason: EndReason::CallerHangup,
            detail: String::new(),
            duration: Duration::from_secs(9),
            outcome: None,
            at: at(9),
        }),
    ];
    program.running.store.write(records).await.unwrap();
    (call, call_sid)
}
