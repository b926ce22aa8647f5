//! A call's records, ready to write.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;
use tandem_domain::ids::{BusinessId, CallId, ConversationId, TurnId, UtteranceId};
use tandem_domain::playbook::Decision;
use tandem_domain::record::{
    AgentResponse, CallEnded, CallStarted, Direction, EndReason, Progress, Record, TimelineEvent, UserTurn,
};
use uuid::Uuid;

/// An instant of the test calls: seconds after they began.
pub fn at(seconds: f64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_750_000_000_123_456 + (seconds * 1e6) as i64).unwrap()
}

/// The ids of one call; makes its records.
#[derive(Clone, Copy)]
pub struct Call {
    pub business: BusinessId,
    pub call: CallId,
    pub conversation: ConversationId,
}

impl Call {
    pub fn new(business: BusinessId) -> Self {
        Self { business, call: CallId(Uuid::now_v7()), conversation: ConversationId(Uuid::now_v7()) }
    }

    pub fn started(self) -> CallStarted {
        CallStarted {
            call: self.call,
            conversation: self.conversation,
            business: self.business,
            agent: None,
            agent_version: None,
            call_sid: format!("CA{}", self.call.0.simple()),
            stream_sid: "MZ1".into(),
            provider: "twilio".into(),
            direction: Direction::Inbound,
            from: Some("+911140000001".into()),
            to: Some("+911140000002".into()),
            parameters: BTreeMap::from([("lead".into(), "7".into())]),
            at: at(0.0),
        }
    }

    pub fn turn(self, index: u32, text: &str, seconds: f64) -> UserTurn {
        UserTurn {
            conversation: self.conversation,
            business: self.business,
            turn: TurnId(index),
            text: text.into(),
            language: None,
            stt_provider: "whisper".into(),
            confidence: Some(0.9),
            at: at(seconds),
        }
    }

    pub fn response(self, index: u32, answers: Option<u32>, text: &str, seconds: f64) -> AgentResponse {
        AgentResponse {
            conversation: self.conversation,
            business: self.business,
            utterance: UtteranceId(index),
            turn: answers.map(TurnId),
            text: text.into(),
            heard: text.into(),
            interrupted: false,
            llm_provider: "rules".into(),
            tts_provider: "flite".into(),
            voice: "rms".into(),
            language: "en".into(),
            latency: None,
            stages: vec![],
            at: at(seconds),
        }
    }

    pub fn progress(self, stage: &str, city: &str) -> Progress {
        let extracted = json!({ "location": city, "budget": 6_000_000 }).as_object().unwrap().clone();
        let (conversation, business) = (self.conversation, self.business);
        Progress { conversation, business, revision: 1, stage: stage.into(), extracted }
    }

    pub fn event(self, ms: u64, kind: &'static str, data: serde_json::Value) -> TimelineEvent {
        let (call, business, since_start) = (self.call, self.business, Duration::from_millis(ms));
        TimelineEvent { call, business, index: ms as u32, since_start, kind, data }
    }

    pub fn ended(self, reason: EndReason, seconds: f64) -> CallEnded {
        CallEnded {
            call: self.call,
            business: self.business,
            reason,
            detail: String::new(),
            duration: Duration::from_secs_f64(seconds),
            outcome: Some(Decision::ThankYouResponse),
            at: at(seconds),
        }
    }

    /// A short call with every kind of record.
    pub fn whole(self) -> Vec<Record> {
        vec![
            Record::Started(self.started()),
            Record::AgentResponse(self.response(1, None, "Hello, how can I help?", 0.1)),
            Record::UserTurn(self.turn(1, "I want an apartment in Delhi", 2.0)),
            Record::Progress(self.progress("collecting", "Delhi")),
            Record::Event(self.event(4_000, "dtmf", json!({ "digit": "5" }))),
            Record::AgentResponse(self.response(2, Some(1), "An apartment in Delhi.", 4.5)),
            Record::Ended(self.ended(EndReason::Completed, 9.9)),
        ]
    }
}
