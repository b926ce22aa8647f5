//! The switch that is measured, from outside: a process of its own that answers questions on its standard streams.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::{CliError, Usage};

/// The process that is measured.
pub(super) struct MeasuredSwitch {
    child: Child,
    stdin: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    port: u16,
}

impl MeasuredSwitch {
    pub(super) async fn start(folder: &std::path::Path) -> Result<Self, CliError> {
        let program = std::env::current_exe().map_err(CliError::BenchSwitch)?;
        let mut child = Command::new(program)
            .args([
                "bench",
                "--serve",
                "--port",
                "0",
                "--log-level",
                "warn",
                "--set",
                "MAX_CONCURRENT_CALLS=10000",
                "--set",
                "MEDIA_MAX_MUTE_PER_ADDRESS=100000", // attackers and callers have one address
                "--data-dir",
            ])
            .arg(folder)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(CliError::BenchSwitch)?;
        let missing = || CliError::BenchSwitch(std::io::Error::other("the switch has no standard streams"));
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let answers = BufReader::new(child.stdout.take().ok_or_else(missing)?).lines();
        let mut switch = Self { child, stdin, answers, port: 0 };
        switch.port = switch.answer().await?;
        Ok(switch)
    }

    pub(super) fn media_url(&self) -> String {
        format!("ws://127.0.0.1:{}/media", self.port)
    }

    pub(super) async fn usage(&mut self) -> Result<Usage, CliError> {
        self.ask("usage").await
    }

    pub(super) async fn ask<T: serde::de::DeserializeOwned>(&mut self, question: &str) -> Result<T, CliError> {
        self.stdin.write_all(format!("{question}\n").as_bytes()).await.map_err(CliError::BenchSwitch)?;
        self.answer().await
    }

    /// The next line of the switch, which is JSON.
    async fn answer<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, CliError> {
        let line = self.answers.next_line().await.map_err(CliError::BenchSwitch)?;
        let line = line.ok_or_else(|| CliError::BenchSwitch(std::io::ErrorKind::UnexpectedEof.into()))?;
        serde_json::from_str(&line).map_err(|error| CliError::BenchSwitch(error.into()))
    }

    pub(super) async fn stop(self) {
        let Self { mut child, stdin, .. } = self;
        drop(stdin); // the end of its input is its sign to stop
        if tokio::time::timeout(Duration::from_secs(10), child.wait()).await.is_err() {
            let _ = child.kill().await; // it ended meanwhile
        }
    }
}
