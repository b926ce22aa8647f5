//! One inference process: started, asked, killed.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::WhisperConfig;
use crate::local::whisper_wire::{self as wire, Outcome, READY, Reply, Request};

/// A running worker that has loaded its model and owes no answer.
pub(super) struct Child {
    process: tokio::process::Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    last_id: u64,
}

/// How a process failed us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It could not be started, or ended before its model was loaded.
    #[error("the process does not start")]
    Start,
    /// It ended in the middle of a job.
    #[error("the process crashed")]
    Crashed,
    /// It did not answer in time.
    #[error("the process hung")]
    Hung,
    /// It said something that is no answer.
    #[error("the process answered nonsense")]
    Garbled,
}

impl Fault {
    /// Value of the metric's `reason`.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Crashed => "crashed",
            Self::Hung => "hung",
            Self::Garbled => "garbled",
        }
    }
}

impl Child {
    /// Starts a worker and waits until its model is loaded.
    pub(super) async fn start(config: &WhisperConfig) -> Result<Self, Fault> {
        let (program, arguments) = config.worker.split_first().ok_or(Fault::Start)?;
        let mut process = Command::new(program)
            .args(arguments)
            .arg(&config.model)
            .arg(config.threads_per_worker.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .inspect_err(|error| tracing::error!(%error, ?program, "cannot start an inference process"))
            .map_err(|_| Fault::Start)?;
        let (stdin, stdout) = process.stdin.take().zip(process.stdout.take()).ok_or(Fault::Start)?;
        let mut child = Self { process, stdin, stdout, last_id: READY };
        match timeout(config.limit, child.reply()).await {
            Ok(Ok(Reply { id: READY, took, .. })) => {
                tracing::debug!(?took, "inference process ready");
                Ok(child)
            }
            Ok(_) | Err(_) => {
                child.kill().await;
                Err(Fault::Start)
            }
        }
    }

    /// Runs one job. After an `Err` the child is of no more use.
    pub(super) async fn ask(&mut self, samples: &[i16], prompt: &str, limit: Duration) -> Result<Outcome, Fault> {
        self.last_id += 1;
        let frame = Request { id: self.last_id, prompt: prompt.to_owned(), samples: samples.to_vec() }.encode();
        let exchange = async {
            self.stdin.write_all(&frame).await.map_err(|_| Fault::Crashed)?;
            self.reply().await
        };
        let reply = timeout(limit, exchange).await.map_err(|_| Fault::Hung)??;
        if reply.id == self.last_id { Ok(reply.outcome) } else { Err(Fault::Garbled) }
    }

    async fn reply(&mut self) -> Result<Reply, Fault> {
        let mut header = [0; 4];
        self.stdout.read_exact(&mut header).await.map_err(|_| Fault::Crashed)?;
        let mut body = vec![0; wire::body_length(header).map_err(|_| Fault::Garbled)?];
        self.stdout.read_exact(&mut body).await.map_err(|_| Fault::Crashed)?;
        Reply::decode(&body).map_err(|_| Fault::Garbled)
    }

    /// Ends the process at once and waits until it is gone.
    pub(super) async fn kill(mut self) {
        let _ = self.process.kill().await; // an error means that it is gone already
    }
}
