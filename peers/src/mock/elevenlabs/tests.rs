#![allow(clippy::unwrap_used)]
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tandem_codecs::g711;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::mock::{Mock, MockConfig};
use crate::voice::{Listener, transcript};

const LIMIT: Duration = Duration::from_secs(10);

struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    /// A socket of the mock, with the key in the query.
    async fn open(mock: &Mock, path: &str, query: &str) -> Self {
        let url = mock.base_url().replace("http", "ws");
        let url = format!("{url}/v1/text-to-speech/v/{path}?output_format=ulaw_8000&authorization=key{query}");
        Self(tokio_tungstenite::connect_async(url).await.unwrap().0)
    }

    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The next frame; the code of its close as a number.
    async fn next(&mut self) -> Value {
        let message = timeout(LIMIT, self.0.next()).await.expect("a frame in time").unwrap().unwrap();
        match message {
            Message::Close(frame) => frame.map_or(Value::Null, |frame| u16::from(frame.code).into()),
            message => serde_json::from_str(message.to_text().unwrap()).unwrap(),
        }
    }

    /// Frames up to the last one of a context, or of the socket.
    async fn speech(&mut self) -> Vec<Value> {
        let mut frames = Vec::new();
        loop {
            let frame = self.next().await;
            if frame["isFinal"] == true {
                return frames;
            }
            frames.push(frame);
        }
    }
}

fn heard(frames: &[Value]) -> String {
    let mut samples = Vec::new();
    for frame in frames {
        g711::decode_ulaw(&STANDARD.decode(frame["audio"].as_str().unwrap()).unwrap(), &mut samples);
    }
    let mut ear = Listener::new();
    let words = ear.push(&samples);
    transcript(&[words, ear.finish()].concat())
}

/// An answer to a request of HTTP/1.0, which comes without chunks: status and body.
async fn post(mock: &Mock, path: &str, key: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(mock.base_url().trim_start_matches("http://")).await.unwrap();
    let head =
        format!("POST {path} HTTP/1.0\r\nhost: mock\r\nxi-api-key: {key}\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all((head + body).as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(LIMIT, stream.read_to_end(&mut answer)).await.expect("an answer in time").unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

#[tokio::test]
async fn a_context_is_made_when_it_is_flushed_and_ends_when_it_is_closed() {
    let mock = Mock::start(MockConfig::default()).await.unwrap();
    let mut client = Client::open(&mock, "multi-stream-input", "").await;
    client.say(json!({"text": " ", "context_id": "a"})).await;
    client.say(json!({"text": "Hello ", "context_id": "a"})).await;
    client.say(json!({"text": "", "context_id": "a"})).await;
    client.say(json!({"text": " ", "context_id": "b"})).await;
    client.say(json!({"text": "Another ", "context_id": "b", "flush": true})).await;
    client.say(json!({"context_id": "b", "close_context": true})).await;
    let other = client.speech().await;
    assert!(other.iter().all(|frame| frame["contextId"] == "b"), "what was not flushed is not made: {other:?}");
    client.say(json!({"text": "there. ", "context_id": "a"})).await;
    client.say(json!({"context_id": "a", "flush": true})).await;
    client.say(json!({"context_id": "a", "close_context": true})).await;
    let frames = client.speech().await;
    assert_eq!(heard(&frames), "Hello there.");
    let mut said = String::new();
    for frame in &frames {
        assert_eq!(frame["isFinal"], Value::Null);
        let Some(chars) = frame["alignment"]["chars"].as_array() else { continue }; // the last word's end
        said.extend(chars.iter().map(|c| c.as_str().unwrap()));
        let times = frame["alignment"]["charStartTimesMs"].as_array().unwrap();
        assert!(times.iter().all(|ms| ms.as_u64().unwrap() < 300), "counted from its own audio: {times:?}");
        assert_eq!(times.len(), frame["alignment"]["charDurationsMs"].as_array().unwrap().len());
    }
    assert_eq!(said, " Hello there. ");
}

#[tokio::test]
async fn a_sixth_context_closes_the_socket() {
    let mock = Mock::start(MockConfig::default()).await.unwrap();
    let mut client = Client::open(&mock, "multi-stream-input", "").await;
    for context in ["a", "b", "c", "d", "e", "f"] {
        client.say(json!({"text": " ", "context_id": context})).await;
    }
    let refused = client.next().await;
    assert_eq!((&refused["error"], &refused["code"]), (&json!("max_active_conversations"), &json!(1008)));
    assert_eq!(client.next().await, 1008);
    // Closed ones do not count once their last frame is out.
    let mut client = Client::open(&mock, "multi-stream-input", "").await;
    for context in 0..12 {
        client.say(json!({"text": " ", "context_id": context.to_string()})).await;
        client.say(json!({"context_id": context.to_string(), "close_context": true})).await;
        assert_eq!(client.speech().await, Vec::<Value>::new());
    }
}

#[tokio::test]
async fn silence_ends_a_context_and_a_socket_of_one_text() {
    let mock = Mock::start(MockConfig::default()).await.unwrap();
    let mut many = Client::open(&mock, "multi-stream-input", "&inactivity_timeout=1").await;
    many.say(json!({"text": " ", "context_id": "a"})).await;
    let told = many.next().await;
    assert_eq!((&told["error"], &told["contextId"]), (&json!("input_timeout_exceeded"), &json!("a")));
    let mut one = Client::open(&mock, "stream-input", "&inactivity_timeout=1").await;
    one.say(json!({"text": " "})).await;
    assert_eq!(one.next().await["error"], "input_timeout_exceeded");
    assert_eq!(one.next().await, 1008);
}

#[tokio::test]
async fn one_text_is_made_by_its_schedule_and_at_its_end() {
    let mock = Mock::start(MockConfig::default()).await.unwrap();
    let mut client = Client::open(&mock, "stream-input", "").await;
    client.say(json!({"text": " ", "generation_config": {"chunk_length_schedule": [50]}})).await;
    let long = "This is long enough to be made before the end comes. ";
    client.say(json!({"text": long})).await;
    let first = client.next().await;
    assert_eq!(first["isFinal"], Value::Null, "not the end: {first}");
    client.say(json!({"text": "Short. "})).await;
    client.say(json!({"text": ""})).await;
    let rest = client.speech().await;
    assert_eq!(heard(&[vec![first], rest].concat()), format!("{long}Short."));
    assert_eq!(client.next().await, 1000);
}

#[tokio::test]
async fn http_streams_audio_times_and_refusals() {
    let mock = Mock::start(MockConfig { key: Some("right".to_owned()), ..MockConfig::default() }).await.unwrap();
    let path = "/v1/text-to-speech/v/stream/with-timestamps?output_format=ulaw_8000";
    let (status, lines) = post(&mock, path, "right", r#"{"text": "Hello there."}"#).await;
    assert_eq!(status, 200);
    let pieces: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let chars = pieces.iter().flat_map(|piece| piece["alignment"]["characters"].as_array().unwrap());
    assert_eq!(chars.map(|c| c.as_str().unwrap()).collect::<String>(), "Hello there.");
    let refusal = async |mock: &Mock, path: &str, key: &str, body: &str| {
        let (status, body) = post(mock, path, key, body).await;
        (status, serde_json::from_str::<Value>(&body).unwrap()["detail"].clone())
    };
    let stream = "/v1/text-to-speech/v/stream?output_format=ulaw_8000";
    let (status, detail) = refusal(&mock, stream, "wrong", "{}").await;
    assert_eq!((status, &detail["status"]), (401, &json!("invalid_api_key")));
    let (status, detail) = refusal(&mock, stream, "right", "{}").await;
    assert_eq!((status, &detail[0]["loc"]), (422, &json!(["body", "text"])));
    let open = Mock::start(MockConfig::default()).await.unwrap();
    let (status, detail) = refusal(&open, stream, "exhausted", "{}").await;
    assert_eq!((status, &detail["status"]), (401, &json!("quota_exceeded")), "quota is no 402 here");
    assert_eq!(refusal(&open, stream, "crowded", "{}").await.0, 429);
    let missing = stream.replace("/v/", "/missing/");
    assert_eq!(refusal(&open, &missing, "key", "{}").await.1["status"], "voice_not_found");
}
