//! The browser's socket, from outside: what a page sees, what it may send, who may open it, and what is kept of a talk.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

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
    assert_eq!(page.until("agent_response").await["agent_response_event"]["event_id"], 2);
    page.send(json!({"type": "user_message", "text": "I want an apartment in Delhi"})).await;
    let said = page.until("user_transcript").await;
    assert_eq!(
        said["user_transcription_event"],
        json!({"user_transcript": "I want an apartment in Delhi", "event_id": 1})
    );
    let answer = page.until("agent_response").await["agent_response_event"].clone();
    assert!(answer["agent_response"].as_str().unwrap().contains("Delhi"), "{answer}");
    assert_eq!(answer["event_id"], 4);
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
