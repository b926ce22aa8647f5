//! `tandem serve` as operations meets it: a process that says where it is, and stops when it is told to.
#![cfg(feature = "local-speech")]
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use futures_util::SinkExt;
use rustix::process::Signal;
use serde_json::Value;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

#[path = "support/served.rs"]
mod served;
mod support;

use served::Served;

/// Longest wait for anything.
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn sigterm_without_calls_ends_at_once_with_0() {
    let folder = tempfile::tempdir().unwrap();
    let mut served = Served::start(folder.path(), &[]).await;
    assert_eq!(served.status("/readyz").await, 200);
    served.signal(Signal::TERM);
    assert_eq!(served.exit().await.code(), Some(0));
}

#[tokio::test]
async fn sigterm_lets_a_call_go_on_and_a_second_one_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut served = Served::start(folder.path(), &[]).await;
    let media = format!("{}/media", served.url.replace("http://", "ws://"));
    let (mut call, _) = tokio_tungstenite::connect_async(&media).await.unwrap();
    for text in [
        r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#,
        r#"{"event":"start","sequenceNumber":"1","streamSid":"MZ0123456789abcdef0123456789abcdef","start":{"streamSid":"MZ0123456789abcdef0123456789abcdef","accountSid":"AC0123456789abcdef0123456789abcdef","callSid":"CA0123456789abcdef0123456789abcdef","tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},"customParameters":{}}}"#,
    ] {
        call.send(Message::text(text)).await.unwrap();
    }
    let sessions = async {
        let url = format!("{}/debug/sessions", served.url);
        while served.client.get(&url).send().await.unwrap().json::<Value>().await.unwrap()["items"]
            == serde_json::json!([])
        {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, sessions).await.expect("the call is up");

    served.signal(Signal::TERM);
    let draining = async {
        while served.status("/readyz").await != 503 {
            tokio::task::yield_now().await
        }
    };
    timeout(LIMIT, draining).await.expect("not ready while draining");
    assert_eq!(served.status("/healthz").await, 200);
    match tokio_tungstenite::connect_async(&media).await {
        Err(SocketError::Http(response)) => assert_eq!(response.status(), 503),
        other => panic!("a new call was taken: {other:?}"),
    }
    assert!(served.process.try_wait().unwrap().is_none(), "the call goes on");

    served.signal(Signal::TERM);
    assert_eq!(served.exit().await.code(), Some(0));
}
