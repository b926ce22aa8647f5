//! `tandem serve` as a process, on a free port.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Longest wait for anything: the start loads a model.
const LIMIT: Duration = Duration::from_secs(60);

pub struct Served {
    pub process: Child,
    /// By number: `localhost` would be looked up first.
    pub url: String,
    pub client: reqwest::Client,
}

impl Served {
    /// In a folder, with further flags.
    pub async fn start(folder: &Path, flags: &[&str]) -> Self {
        super::support::install_tls_provider();
        let mut process = Command::new(env!("CARGO_BIN_EXE_tandem"))
            .args(["serve", "--json", "--port", "0", "--log-level", "warn"])
            .args(flags)
            .current_dir(folder)
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
        Self { process, url, client: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    pub async fn status(&self, path: &str) -> u16 {
        self.client.get(format!("{}{path}", self.url)).send().await.unwrap().status().as_u16()
    }

    pub fn signal(&self, signal: Signal) {
        let id = self.process.id().expect("still running").try_into().unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    pub async fn exit(&mut self) -> ExitStatus {
        timeout(LIMIT, self.process.wait()).await.unwrap().unwrap()
    }
}
