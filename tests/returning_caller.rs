//! A caller who gave their name yesterday is greeted by it today: by number, from the stored calls, through the whole program.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tandem_actors::clock;
use tandem_domain::ids::{BusinessId, CallId, ConversationId};
use tandem_domain::playbook::Decision;
use tandem_domain::port::store::CallLog;
use tandem_domain::record::{CallEnded, CallStarted, Direction, EndReason, Progress, Record};
use tandem_peers::carrier::twilio::{TwilioIds, TwilioPeer};
use tokio_tungstenite::tungstenite::Message;

mod support;

use support::{Program, answer, boot_with_fakes, transcript};

const NUMBER: &str = "+919876543210";
const LIMIT: Duration = Duration::from_secs(20);

/// Leaves an earlier call behind, in which somebody with [`NUMBER`] gave `name`, and which ended with this decision.
async fn called_before(program: &Program, name: &str, outcome: Option<Decision>) {
    let (call, conversation) = (CallId(uuid::Uuid::now_v7()), ConversationId(uuid::Uuid::now_v7()));
    let business = BusinessId::FIRST;
    let started = CallStarted {
        call,
        conversation,
        business,
        agent: None,
        agent_version: None,
        call_sid: "CA-yesterday".into(),
        stream_sid: String::new(),
        provider: "twilio".into(),
        direction: Direction::Inbound,
        from: Some(NUMBER.into()),
        to: None,
        parameters: BTreeMap::new(),
        at: clock::utc(),
    };
    let extracted = json!({ "name": name }).as_object().unwrap().clone();
    let progress = Progress { conversation, business, revision: 1, stage: "collecting".into(), extracted };
    let ended = CallEnded {
        call,
        business,
        reason: EndReason::Completed,
        detail: String::new(),
        duration: Duration::from_secs(9),
        outcome,
        at: clock::utc(),
    };
    let records = vec![Record::Started(started), Record::Progress(progress), Record::Ended(ended)];
    program.running.store.write(records).await.unwrap();
}

/// Calls from `from`, waits for the agent's voice, and hangs up; returns what the agent meant to say.
async fn greeting(program: &Program, number: u128, from: &str) -> String {
    let ids = TwilioIds::numbered(number);
    let call_sid = ids.call_sid.clone();
    let parameters = BTreeMap::from([("from".to_owned(), from.to_owned())]);
    let (mut socket, _) = tokio_tungstenite::connect_async(program.socket_url("/media")).await.unwrap();
    for text in TwilioPeer::new(ids, parameters).open(clock::now()) {
        socket.send(Message::text(text)).await.unwrap();
    }
    let voice = async {
        while let Some(message) = socket.next().await {
            if message.unwrap().to_text().unwrap_or_default().contains("\"media\"") {
                return;
            }
        }
        panic!("the agent said nothing");
    };
    tokio::time::timeout(LIMIT, voice).await.expect("the agent speaks");
    socket.close(None).await.unwrap();
    let lines = transcript(program, &call_sid).await;
    let first = &lines[0];
    first.get("intended_text").unwrap_or(&first["text"]).as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_returning_caller_is_greeted_by_name() {
    let program = boot_with_fakes().await;
    let usual = "Hello, this is Tandem's front desk.";
    assert!(greeting(&program, 1, NUMBER).await.starts_with(usual), "a stranger yet");
    called_before(&program, "Rahul", None).await;
    let said = greeting(&program, 2, NUMBER).await;
    assert!(said.starts_with("Hello Rahul, welcome back to Tandem's front desk."), "{said}");
    assert!(greeting(&program, 3, "+919876500000").await.starts_with(usual), "somebody else");
    assert!(greeting(&program, 4, "anonymous").await.starts_with(usual), "nobody at all");
    program.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_may_say_how_the_last_call_ended() {
    let program = boot_with_fakes().await;
    let line = json!({"first_message_inbound": "Welcome {{name}}, last time it was {last_outcome}."});
    assert_eq!(answer(program.request("PATCH", "/api/agents/front-desk").json(&line)).await.status, 200);
    assert!(
        greeting(&program, 1, NUMBER).await.starts_with("Welcome. "),
        "a clause about what nobody knows is left out"
    );
    called_before(&program, "Rahul", Some(Decision::HandoverToHuman)).await;
    let said = greeting(&program, 2, NUMBER).await;
    assert!(said.starts_with("Welcome Rahul, last time it was HANDOVER_TO_HUMAN."), "{said}");
    program.running.shutdown().await;
}
