//! The switch that is measured, from outside: a process of its own that answers questions on its standard streams.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::pin::Cores;
use super::vendors::Mock;
use super::{Args, BenchError, CliError, Usage};

/// The process that is measured.
pub(super) struct MeasuredSwitch {
    child: Child,
    stdin: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    port: u16,
    vendor_wait_ms: f64,
}

impl MeasuredSwitch {
    /// Starts a switch as `args` want it that keeps its rows in `folder`, on a core of its own if there are `cores`, with fakes in its own process unless there is
    /// a `mock`.
    pub(super) async fn start(
        args: &Args,
        folder: &Path,
        cores: Option<&Cores>,
        mock: Option<&Mock>,
    ) -> Result<Self, CliError> {
        let program = std::env::current_exe().map_err(BenchError::Switch)?;
        let mut command = Command::new(program);
        command
            .args(["bench", "--serve", "--vendors", if mock.is_some() { "mock" } else { "fake" }])
            .args(["--port", "0", "--log-level", "warn", "--set", "MAX_CONCURRENT_CALLS=10000"])
            .args(["--set", "MEDIA_MAX_MUTE_PER_ADDRESS=100000"]) // attackers and callers have one address
            .args(args.of_switch())
            .arg("--data-dir")
            .arg(folder)
            .envs(mock.map(Mock::environment).unwrap_or_default())
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .kill_on_drop(true);
        let spawned = match cores {
            Some(cores) => cores.on_switch(|| command.spawn()),
            None => command.spawn(),
        };
        let mut child = spawned.map_err(BenchError::Switch)?;
        let missing = || BenchError::Switch(std::io::Error::other("the switch has no standard streams"));
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let answers = BufReader::new(child.stdout.take().ok_or_else(missing)?).lines();
        let vendor_wait_ms = mock.map_or(0.0, Mock::wait_ms);
        let mut switch = Self { child, stdin, answers, port: 0, vendor_wait_ms };
        switch.port = switch.answer().await?;
        Ok(switch)
    }

    /// How long its vendors take for a turn because they were told to, in ms.
    pub(super) fn vendor_wait_ms(&self) -> f64 {
        self.vendor_wait_ms
    }

    pub(super) fn media_url(&self) -> String {
        format!("ws://127.0.0.1:{}/media", self.port)
    }

    pub(super) fn echo_url(&self) -> String {
        format!("ws://127.0.0.1:{}/echo", self.port)
    }

    pub(super) async fn usage(&mut self) -> Result<Usage, CliError> {
        self.ask("usage").await
    }

    pub(super) async fn ask<T: serde::de::DeserializeOwned>(&mut self, question: &str) -> Result<T, CliError> {
        self.stdin.write_all(format!("{question}\n").as_bytes()).await.map_err(BenchError::Switch)?;
        self.answer().await
    }

    /// The next line of the switch, which is JSON.
    async fn answer<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, CliError> {
        let line = self.answers.next_line().await.map_err(BenchError::Switch)?;
        let line = line.ok_or_else(|| BenchError::Switch(std::io::ErrorKind::UnexpectedEof.into()))?;
        Ok(serde_json::from_str(&line).map_err(|error| BenchError::Switch(error.into()))?)
    }

    pub(super) async fn stop(self) {
        let Self { mut child, stdin, .. } = self;
        drop(stdin); // the end of its input is its sign to stop
        if tokio::time::timeout(Duration::from_secs(10), child.wait()).await.is_err() {
            let _ = child.kill().await; // it ended meanwhile
        }
    }
}
