//! `tandem serve` as operations meets it: a process that says where it is, and stops when it is told to.
#![cfg(feature = "local-speech")]
#![allow(clippy::unwrap_used, missing_docs)]

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use futures_util::SinkExt;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

mod support;

/// Longest wait for anything: the start loads a model.
const LIMIT: Duration = Duration::from_secs(60);

struct Served {
    process: Child,
    url: String,
    client: reqwest::Client,
    _folder: TempDir,
}

impl Served {
    async fn start(settings: &[&str]) -> Self {
        support::install_tls_provider();
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_tandem"))
            .args(["serve", "--json", "--port", "0", "--log-level", "warn"])
            .args(settings)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = timeout(LIMIT, lines.next_line()).await.unwrap().unwrap();
        let line = line.expect("no start: if the speech model is absent, run `make models`");
        let started: Value = serde_json::from_str(&line).unwrap();
        let url = started["url"].as_str().unwrap().replace("localhost", "127.0.0.1");
        assert!(started["url"].as_str().unwrap().starts_with("http://localhost:"));
        assert_eq!(started["engines"]["stt"], "whisper");
        Self { process, url, client: reqwest::Client::builder().no_proxy().build().unwrap(), _folder: folder }
    }

    async fn status(&self, path: &str) -> u16 {
        self.client.get(format!("{}{path}", self.url)).send().await.unwrap().status().as_u16()
    }

    fn signal(&self, signal: Signal) {
        let id = self.process.id().expect("still running").try_into().unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    async fn exit(&mut self) -> ExitStatus {
        timeout(LIMIT, self.process.wait()).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn sigterm_without_calls_ends_at_once_with_0() {
    let mut served = Served::start(&[]).await;
    assert_eq!(served.status("/readyz").await, 200);
    served.signal(Signal::TERM);
    assert_eq!(served.exit().await.code(), Some(0));
}

#[tokio::test]
async fn sigterm_lets_a_call_go_on_and_a_second_one_ends_it() {
    let mut served = Served::start(&[]).await;
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
