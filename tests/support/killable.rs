//! A switch with fake vendors in a process of its own, which can be killed, stopped and started again on what it has left.
//!
//! It is the one that `tandem bench` measures: the whole program, but for the vendors.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Longest wait for a start or an answer, on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(30);

pub struct Killable {
    pub process: Child,
    pub port: u16,
    client: reqwest::Client,
}

impl Killable {
    pub async fn start(data: &Path, settings: &[&str]) -> Self {
        Self::start_with(data, settings, &[]).await
    }

    /// As [`Self::start`], with further flags of `bench --serve`.
    pub async fn start_with(data: &Path, settings: &[&str], flags: &[&str]) -> Self {
        super::support::install_tls_provider();
        // A limit of file sizes is told by a signal that would end the process; a full disk is not.
        let mut process = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"])
            .arg(env!("CARGO_BIN_EXE_tandem"))
            .args(["bench", "--serve", "--port", "0", "--set", "MAX_CONCURRENT_CALLS=200", "--data-dir"])
            .arg(data)
            .args(settings.iter().flat_map(|setting| ["--set", setting]))
            .args(flags)
            .current_dir(data.parent().unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = timeout(LIMIT, lines.next_line()).await.expect("a start in time").unwrap();
        let port = line.expect("the switch starts").parse().unwrap();
        Self { process, port, client: reqwest::Client::builder().no_proxy().timeout(LIMIT).build().unwrap() }
    }

    pub fn media_url(&self) -> String {
        format!("ws://127.0.0.1:{}/media", self.port)
    }

    /// An answer, and its status.
    pub async fn get(&self, path: &str) -> (u16, String) {
        let answer = self.client.get(format!("http://127.0.0.1:{}{path}", self.port)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Sends JSON, and returns the status.
    pub async fn send(&self, method: &str, path: &str, body: &Value) -> u16 {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let sent = self.client.request(method.parse().unwrap(), url).json(body).send().await;
        sent.unwrap().status().as_u16()
    }

    pub async fn json(&self, path: &str) -> Option<Value> {
        let (status, body) = self.get(path).await;
        (status == 200).then(|| serde_json::from_str(&body).unwrap())
    }

    /// The value of a metric without labels.
    pub async fn metric(&self, name: &str) -> f64 {
        let (_, text) = self.get("/metrics").await;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    /// `kill -9`.
    pub async fn kill(mut self) {
        self.process.kill().await.unwrap();
    }

    /// Asks it to end, and waits for that.
    pub async fn end(mut self) {
        drop(self.process.stdin.take());
        let status = timeout(LIMIT, self.process.wait()).await.expect("an end in time").unwrap();
        assert!(status.success(), "{status}");
    }
}
