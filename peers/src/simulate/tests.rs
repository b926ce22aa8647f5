//! The driver against a switch of twenty lines, over loopback.

#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tandem_codecs::g711;
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval};

use super::*;
use crate::carrier::twilio::TwilioIds;
use crate::vendor::{FakeStt, FakeTts};
use crate::voice::{Listener, Talker};

const LIMIT: Duration = Duration::from_secs(20);

fn config(url: String, script: Vec<Step<Line>>) -> SimulateConfig {
    SimulateConfig {
        url,
        unix_socket: None,
        carrier: Carrier::Twilio(TwilioIds::numbered(7)),
        custom_parameters: BTreeMap::new(),
        script,
        manners: Manners { quiet: Duration::from_millis(300), ..Manners::default() },
        renderer: Arc::new(FakeTts::default()),
        voice: String::new(),
        language: "en".to_owned(),
        recogniser: Some(Arc::new(FakeStt::default())),
        record_to: None,
        limit: LIMIT,
    }
}

fn say(text: &str) -> Step<Line> {
    Step::Say(Line::Text(text.to_owned()))
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/media", listener.local_addr().unwrap());
    (listener, url)
}

type Server = WebSocketStream<TcpStream>;

async fn next(socket: &mut Server) -> Option<Value> {
    match socket.next().await?.ok()? {
        Message::Text(text) => Some(serde_json::from_str(&text).unwrap()),
        _ => None,
    }
}

/// Accepts, and reads up to `start`; returns the socket and the stream's name.
async fn accept(listener: &TcpListener) -> (Server, Value) {
    let (stream, _) = listener.accept().await.unwrap();
    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
    assert_eq!(next(&mut socket).await.unwrap()["event"], "connected");
    let start = next(&mut socket).await.unwrap();
    (socket, start["streamSid"].clone())
}

/// Says `text` in frames of 20 ms, and a mark behind it.
async fn utter(socket: &mut Server, sid: &Value, text: &str) {
    let mut clock = interval(Duration::from_millis(20));
    clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for frame in Talker::new(200.0).speak(text).samples.chunks(160) {
        clock.tick().await;
        let mut bytes = Vec::new();
        g711::encode_ulaw(frame, &mut bytes);
        let media = json!({"event":"media","streamSid":sid,"media":{"payload":STANDARD.encode(bytes)}});
        socket.send(Message::text(media.to_string())).await.unwrap();
    }
    let mark = json!({"event":"mark","streamSid":sid,"mark":{"name":text}});
    socket.send(Message::text(mark.to_string())).await.unwrap();
}

/// Greets, answers the second word it hears, says goodbye at the mark of the answer.
async fn switch(listener: TcpListener) -> Vec<String> {
    let (mut socket, sid) = accept(&listener).await;
    utter(&mut socket, &sid, "Which city?").await;
    let (mut ear, mut words) = (Listener::new(), Vec::new());
    while let Some(message) = next(&mut socket).await {
        if message["event"] == "mark" && message["mark"]["name"] == "Thank you." {
            break;
        }
        let Some(payload) = message["media"]["payload"].as_str() else { continue };
        let mut samples = Vec::new();
        g711::decode_ulaw(&STANDARD.decode(payload).unwrap(), &mut samples);
        let heard = ear.push(&samples);
        words.extend(heard.into_iter().map(|word| word.text));
        if words.len() == 2 && message["event"] == "media" && ear.position() % 1_600 == 0 {
            words.push("answered".to_owned());
            utter(&mut socket, &sid, "Thank you.").await;
        }
    }
    socket.close(None).await.unwrap();
    words
}

#[tokio::test]
async fn a_call_is_made_heard_and_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, url) = listener().await;
    let path = folder.path().join("call.wav");
    let config = SimulateConfig { record_to: Some(path.clone()), ..config(url, vec![say("in Delhi")]) };
    let (report, words) = tokio::join!(run(config), switch(listener));
    let report = report.unwrap();

    assert_eq!(words, ["in", "Delhi", "answered"]);
    assert_eq!(report.ended_by, EndedBy::Switch);
    let [opening, turn] = report.turns.as_slice() else { panic!("{report:?}") };
    assert_eq!((opening.said.as_str(), opening.heard.as_str()), ("", "Which city?"));
    assert_eq!((turn.said.as_str(), turn.heard.as_str()), ("in Delhi", "Thank you."));
    assert!(turn.latency.unwrap() < Duration::from_secs(1), "{turn:?}");
    assert!(report.playback.received > Duration::from_millis(500), "{report:?}");

    assert_eq!(report.recording.as_deref(), Some(path.as_path()));
    let recording = tandem_codecs::wav::read(std::fs::File::open(&path).unwrap()).unwrap();
    assert!(recording.duration() >= turn.ended.unwrap());
}

#[tokio::test]
async fn a_violation_ends_the_call_and_is_named() {
    let (listener, url) = listener().await;
    let bent = async {
        let (mut socket, sid) = accept(&listener).await;
        let clear = json!({"event":"clear","streamSid":sid,"reason":"barge-in"});
        socket.send(Message::text(clear.to_string())).await.unwrap();
        while next(&mut socket).await.is_some() {}
    };
    let (outcome, ()) = tokio::join!(run(config(url, vec![say("hello")])), bent);
    let Err(SimulateError::Violation { source, .. }) = outcome else { panic!("{outcome:?}") };
    assert!(source.to_string().contains("unknown field `reason`"), "{source}");
}

#[tokio::test]
async fn a_caller_who_hangs_up_says_stop() {
    let (listener, url) = listener().await;
    let patient = async {
        let (mut socket, _) = accept(&listener).await;
        let mut last = Value::Null;
        while let Some(message) = next(&mut socket).await {
            last = message;
        }
        last["event"].clone()
    };
    let (outcome, last) = tokio::join!(run(config(url, vec![Step::HangUp])), patient);
    assert_eq!(outcome.unwrap().ended_by, EndedBy::Caller);
    assert_eq!(last, "stop");
}

#[tokio::test]
async fn the_limit_ends_a_call_that_nobody_ends() {
    let (listener, url) = listener().await;
    let mute = async {
        let (mut socket, _) = accept(&listener).await;
        while next(&mut socket).await.is_some() {}
    };
    let config = SimulateConfig { limit: Duration::from_millis(300), ..config(url, vec![say("hello")]) };
    let (outcome, ()) = tokio::join!(run(config), mute);
    let report = outcome.unwrap();
    assert_eq!(report.ended_by, EndedBy::Limit);
    assert!((15..=16).contains(&(report.sent.as_millis() / 20)), "{report:?}");
}

#[tokio::test]
async fn nobody_there_is_an_error_that_names_the_url() {
    let (listener, url) = listener().await;
    drop(listener);
    let error = run(config(url.clone(), Vec::new())).await.unwrap_err();
    assert!(matches!(&error, SimulateError::Connect { .. }) && error.to_string().contains(&url), "{error}");
}
