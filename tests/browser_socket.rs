//! The browser's socket, from outside: what a page sees, what it may send, who may open it, and what is kept of a talk.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{Conversation, ConversationStore, Listing};
use tandem_peers::caller::{Line, Manners, Rendered, Step};
use tandem_peers::carrier::Carrier;
use tandem_peers::carrier::browser::Wishes;
use tandem_peers::carrier::twilio::TwilioIds;
use tandem_peers::simulate::{self, EndedBy, SimulateConfig, SimulationReport, hostile_to_browser};
use tandem_peers::vendor::{FakeStt, FakeTts};
use tandem_peers::voice::Talker;

mod support;

use support::{Program, boot_with_fakes, boot_with_settings};

const LIMIT: Duration = Duration::from_secs(10);
const CONVERSATION: &str = "/v1/convai/conversation?agent_id=front-desk&source=js_sdk&version=1.25.0";

/// A page without sound.
struct Page {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    subprotocol: Option<String>,
    closed: Option<CloseFrame>,
}

impl Page {
    async fn open(program: &Program, path: &str, headers: &[(&'static str, &str)]) -> Result<Self, Error> {
        let mut request = program.socket_url(path).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (socket, response) = tokio_tungstenite::connect_async(request).await?;
        let subprotocol =
            response.headers().get("sec-websocket-protocol").map(|name| name.to_str().unwrap().to_owned());
        Ok(Self { socket, subprotocol, closed: None })
    }

    /// A page whose talk has begun; returns the id of its conversation.
    async fn talking(program: &Program, client_data: Value) -> (Self, String) {
        let mut page = Self::open(program, CONVERSATION, &[]).await.unwrap();
        page.send(client_data).await;
        let metadata = page.next().await.unwrap();
        assert_eq!(metadata["type"], "conversation_initiation_metadata", "before anything else");
        let id = metadata["conversation_initiation_metadata_event"]["conversation_id"].as_str().unwrap().to_owned();
        (page, id)
    }

    async fn send(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The next event; pings are answered on the way. `None` when the switch has closed.
    async fn next(&mut self) -> Option<Value> {
        loop {
            let message = tokio::time::timeout(LIMIT, self.socket.next()).await.expect("an event in time")?;
            match message.unwrap() {
                Message::Text(text) => {
                    let event: Value = serde_json::from_str(&text).unwrap();
                    if event["type"] != "ping" {
                        return Some(event);
                    }
                    self.send(json!({"type": "pong", "event_id": event["ping_event"]["event_id"]})).await;
                }
                Message::Close(frame) => self.closed = frame,
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    /// Reads up to the next event of this type, and returns it.
    async fn until(&mut self, kind: &str) -> Value {
        loop {
            let event = self.next().await.unwrap_or_else(|| panic!("closed before {kind}: {:?}", self.closed));
            if event["type"] == kind {
                return event;
            }
        }
    }

    /// Reads to the end; returns the close frame.
    async fn closed(&mut self) -> CloseFrame {
        while self.next().await.is_some() {}
        self.closed.clone().expect("a close frame with a code")
    }
}

fn client_data() -> Value {
    json!({"type": "conversation_initiation_client_data", "source_info": {"source": "js_sdk", "version": "1.25.0"}})
}

fn text_only() -> Value {
    json!({"type": "conversation_initiation_client_data", "conversation_config_override": {
        "agent": {}, "tts": {}, "conversation": {"text_only": true}}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typed_talk_reaches_its_goal_and_is_kept_as_a_conversation_alone() {
    let program = boot_with_fakes().await;
    let (mut page, id) = Page::talking(&program, text_only()).await;
    assert_eq!(page.until("agent_response").await["agent_response_event"]["event_id"], 1_000);
    page.send(json!({"type": "user_message", "text": "I want an apartment in Delhi"})).await;
    let said = page.until("user_transcript").await;
    assert_eq!(
        said["user_transcription_event"],
        json!({"user_transcript": "I want an apartment in Delhi", "event_id": 999})
    );
    let answer = page.until("agent_response").await["agent_response_event"].clone();
    assert!(answer["agent_response"].as_str().unwrap().contains("Delhi"), "{answer}");
    assert_eq!(answer["event_id"], 2_000);
    page.send(json!({"type": "user_message", "text": "sixty lakh rupees"})).await;
    let mut kinds = Vec::new();
    while let Some(event) = page.next().await {
        kinds.push(event["type"].as_str().unwrap().to_owned());
    }
    assert!(!kinds.iter().any(|kind| kind == "audio"), "a page that reads is sent no audio");
    assert_eq!(kinds.last().map(String::as_str), Some("conversation_ended"));
    assert_eq!(page.closed.map(|frame| u16::from(frame.code)), Some(1000));

    let transcript = support::transcript(&program, &id).await;
    let lines: Vec<&str> = transcript.as_array().unwrap().iter().map(|line| line["role"].as_str().unwrap()).collect();
    assert_eq!(lines[..4], ["agent", "user", "agent", "user"], "{transcript:#}");
    let kept = program.get(&format!("/api/conversations/{id}")).await.json();
    assert_eq!((&kept["call_session_id"], &kept["call"]), (&Value::Null, &Value::Null), "{kept:#}");
    assert_eq!(kept["metadata"]["channel"], "browser");
    assert_eq!(kept["ended_reason"], "completed");
    assert_eq!(kept["extracted_data"]["budget"], 6_000_000);
    let export = program.get(&format!("/exports/calls/{id}")).await.json();
    assert_eq!((&export["call"], &export["conversation"]["uuid"]), (&Value::Null, &json!(id)));
    assert_eq!(export["events"].as_array().unwrap().last().unwrap()["kind"], "ended", "{export:#}");
    program.running.shutdown().await;
}

/// One scripted call, from both sides.
async fn call(program: &Program, path: &str, carrier: Carrier, script: Vec<Step<Line>>) -> SimulationReport {
    let peer = simulate::run(SimulateConfig {
        url: program.socket_url(path),
        unix_socket: None,
        carrier,
        custom_parameters: BTreeMap::new(),
        script,
        manners: Manners::default(),
        renderer: Arc::new(FakeTts::default()),
        voice: String::new(),
        language: "en".into(),
        recogniser: Some(Arc::new(FakeStt::default())),
        record_to: None,
        limit: Duration::from_secs(120),
    })
    .await
    .unwrap();
    assert_eq!(peer.ended_by, EndedBy::Switch);
    let transcript = support::transcript(program, &peer.call_sid).await;
    let conversation = program.get(&format!("/api/conversations/{}", peer.call_sid)).await.json();
    simulate::merge(&peer, &conversation, &transcript)
}

fn line(text: &str) -> Line {
    Line::Audio(Rendered { text: text.into(), samples: Talker::numbered(3).speak(text).samples.into() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_talk_in_the_browser_has_the_transcript_of_a_telephone_call() {
    let program = boot_with_fakes().await;
    let script = || {
        let after = Duration::from_millis(1_500);
        let interrupt = Step::Interrupt { after, say: line("I want a villa in Pune") };
        vec![interrupt, Step::Say(line("one crore")), Step::Say(line("no thank you"))]
    };
    let wishes = Wishes { agent: Some("front-desk".into()), ..Wishes::default() };
    let (browser, twilio) = tokio::join!(
        call(&program, "/v1/convai/conversation", Carrier::Browser(wishes), script()),
        call(&program, "/media", Carrier::Twilio(TwilioIds::numbered(77)), script()),
    );
    let words = |report: &SimulationReport| -> Vec<(String, String)> {
        // What was heard of the greeting hangs on the millisecond of the interruption.
        report.turns[1..].iter().map(|turn| (turn.heard_as.clone(), turn.agent_text.clone())).collect()
    };
    assert_eq!(words(&browser), words(&twilio));
    assert!(browser.turns[0].interrupted && twilio.turns[0].interrupted);
    assert_eq!(
        (browser.ended_reason.as_deref(), twilio.ended_reason.as_deref()),
        (Some("completed"), Some("completed"))
    );
    program.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_subprotocol_is_answered_where_it_is_offered() {
    let program = boot_with_fakes().await;
    for (path, offered, answered) in [
        (CONVERSATION, Some("convai"), Some("convai")),
        (CONVERSATION, Some("convai, bearer.secret"), Some("convai")),
        (CONVERSATION, None, None),
        ("/v1/convai/conversation/?agent=front-desk", Some("convai"), Some("convai")),
        ("/ws/talk/front-desk", None, None),
        ("/ws/talk/Front-Desk/", None, None),
    ] {
        let header = offered.map(|name| ("sec-websocket-protocol", name));
        let mut page = Page::open(&program, path, header.as_slice()).await.unwrap();
        assert_eq!(page.subprotocol.as_deref(), answered, "{path}");
        page.send(client_data()).await;
        assert_eq!(page.next().await.unwrap()["type"], "conversation_initiation_metadata", "{path}");
    }
    let plain = program.get(CONVERSATION).await;
    assert_eq!(plain.status, 426);
    program.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_not_there_is_told_in_the_close_frame() {
    let program = boot_with_fakes().await;
    for path in ["/v1/convai/conversation?agent_id=nobody", "/ws/talk/4711"] {
        let mut page = Page::open(&program, path, &[]).await.unwrap();
        page.send(client_data()).await;
        let frame = page.closed().await;
        assert_eq!(
            (u16::from(frame.code), frame.reason.as_str()),
            (1008, "no agent of that name: check agent_id"),
            "{path}"
        );
    }
    program.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_may_not_talk_unless_it_is_named() {
    let program = boot_with_settings(&[("ALLOWED_ORIGINS", "https://www.example.test")]).await.unwrap();
    let own = program.base();
    for origin in [own.as_str(), "http://localhost:3000", "https://www.example.test"] {
        assert!(Page::open(&program, CONVERSATION, &[("origin", origin)]).await.is_ok(), "{origin}");
    }
    for headers in [
        vec![("origin", "https://evil.example.test")],
        vec![("origin", "null")],
        vec![("host", "evil.example.test"), ("origin", "http://evil.example.test")], // a name that points here
        vec![("x-forwarded-for", "203.0.113.9")],
    ] {
        match Page::open(&program, CONVERSATION, &headers).await {
            Err(Error::Http(answer)) => assert_eq!(answer.status(), 403, "{headers:?}"),
            Err(other) => panic!("{headers:?}: {other}"),
            Ok(_) => panic!("{headers:?} was let in"),
        }
    }
    program.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_beyond_this_machine_does_not_talk_with_strangers() {
    let program = boot_with_settings(&[("HOST", "0.0.0.0")]).await.unwrap();
    match Page::open(&program, CONVERSATION, &[]).await {
        Err(Error::Http(answer)) => assert_eq!(answer.status(), 403),
        other => panic!("{:?}", other.map(|page| page.subprotocol)),
    }
    program.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_page_wishes_for_is_kept_with_the_talk() {
    let program = boot_with_fakes().await;
    let mut wishes = client_data();
    wishes["conversation_config_override"] = json!({"agent": {"prompt": {"prompt": "be a pirate"}, "language": "en"}});
    wishes["dynamic_variables"] = json!({"name": "Asha"});
    let (mut page, id) = Page::talking(&program, wishes).await;
    page.until("agent_response").await;
    page.send(json!({"type": "contextual_update", "text": "looks at page 2"})).await;
    page.socket.close(None).await.unwrap();
    support::transcript(&program, &id).await;
    let export = program.get(&format!("/exports/calls/{id}")).await.json();
    assert_eq!(export["conversation"]["metadata"]["parameters"]["variable.name"], "Asha", "{export:#}");
    assert_eq!(export["conversation"]["ended_reason"], "caller_hangup");
    let kinds: Vec<&str> =
        export["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"override_refused") && kinds.contains(&"context"), "{kinds:?}");
    program.running.shutdown().await;
}

/// The newest conversation, once it has ended.
async fn newest(program: &Program, after: i64) -> Conversation {
    let look = async {
        loop {
            let rows = program.running.store.conversations(BusinessId::FIRST, Listing::newest(1)).await.unwrap();
            if let Some(row) = rows.into_iter().find(|row| row.id > after && row.ended_at.is_some()) {
                return row;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, look).await.expect("a record of the talk")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_offender_ends_its_own_talk_with_its_reason() {
    let program = boot_with_fakes().await;
    let (mut wrong, mut last) = (Vec::new(), 0);
    for session in hostile_to_browser() {
        let (name, mut page) = (session.name, Page::open(&program, CONVERSATION, &[]).await.unwrap());
        for message in session.messages {
            if page.socket.send(message).await.is_err() {
                break; // closed on us already: that is what we came for
            }
        }
        let closed = async { while let Some(Ok(_)) = page.socket.next().await {} };
        tokio::time::timeout(LIMIT, closed).await.unwrap_or_else(|_| panic!("{name}: not closed"));
        let talk = newest(&program, last).await;
        last = talk.id;
        let reason = talk.ended_reason.unwrap_or_default();
        if !session.reasons.contains(&reason.as_str()) {
            wrong.push(format!("{name}: ended by {reason:?}, not {:?}", session.reasons));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(program.running.switch.sessions().await.is_empty(), "every offender's talk is gone");
    let metrics = program.get("/metrics").await.body;
    for reason in ["malformed_message", "message_flood", "bad_base64", "unknown_event", "duplicate_start"] {
        let sample = format!("tandem_media_breaches_total{{carrier=\"browser\",reason=\"{reason}\"}}");
        assert!(metrics.contains(&sample), "no metric {sample}");
    }
    program.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_breach_is_told_in_the_close_frame() {
    let program = boot_with_fakes().await;
    let (mut page, _) = Page::talking(&program, client_data()).await;
    page.send(json!({"type": "video"})).await;
    let frame = page.closed().await;
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1008, "unknown_event: unknown event \"video\""));
    program.running.shutdown().await;
}
