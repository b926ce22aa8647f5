//! The switch's side of Whisper: a fixed set of inference processes behind one bounded queue.
//!
//! Place: shared by all calls of a process through [`super::whisper_stt`]; the other side is [`super::whisper_worker`].
//! Not here: which stretch of a call is transcribed, and what becomes of the text.
//!
//! - A child that crashes, hangs for [`WhisperConfig::limit`] or answers nonsense is killed and replaced; its job is tried once more on a
//!   fresh child. A job that fails twice is given up. Other jobs never notice.
//! - Dropping the future of [`WhisperPool::transcribe`] frees its place at once while it waits. Running inference is finished and forgotten.
//! - Children live in their own process group, so that Ctrl-C reaches the switch alone; they end when their stdin does.

mod child;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tandem_codecs::{Pcm, SampleRate, resample_all};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::Instant;

use self::child::Child;
pub use self::child::Fault;
use super::whisper_wire::{MAX_SAMPLES, Outcome};

/// How to run the recogniser.
#[derive(Debug, Clone)]
pub struct WhisperConfig {
    /// Command line of a worker process. The model's path and the number of threads are appended.
    pub worker: Vec<OsString>,
    /// The model's file.
    pub model: PathBuf,
    /// Worker processes. Each holds a copy of the model's working memory, about 120 MB.
    pub workers: usize,
    /// Cores that one inference uses.
    pub threads_per_worker: usize,
    /// Jobs that may wait while all workers are taken.
    pub queue: usize,
    /// The longest that one inference, or the start of a worker, may take.
    pub limit: Duration,
}

impl WhisperConfig {
    /// The defaults: as many workers of one thread as there are cores, and a queue for eight jobs a worker.
    pub fn new(worker: Vec<OsString>, model: PathBuf) -> Self {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        Self { worker, model, workers, threads_per_worker: 1, queue: 8 * workers, limit: Duration::from_secs(10) }
    }
}

/// What was heard.
#[derive(Debug, Clone, PartialEq)]
pub struct Transcript {
    /// The words; empty if there were none.
    pub text: String,
    /// 0 to 1.
    pub confidence: f32,
    /// From the request to the answer, waiting included.
    pub took: Duration,
}

/// The set of inference processes. Clones share it.
#[derive(Clone)]
pub struct WhisperPool {
    shared: Arc<Shared>,
}

struct Shared {
    config: WhisperConfig,
    /// One permit for each job that is running or waiting.
    places: Arc<Semaphore>,
    /// One permit for each worker; first come, first served.
    workers: Arc<Semaphore>,
    /// One preview at a time, whoever asks.
    previews: Arc<Semaphore>,
    /// Children that wait for a job. Never more than `workers`; fewer if some are yet to be started.
    idle: Mutex<Vec<Child>>,
}

impl WhisperPool {
    /// A pool that starts its processes when they are first needed, or in [`warm`](Self::warm).
    pub fn new(config: WhisperConfig) -> Self {
        let config = WhisperConfig { workers: config.workers.max(1), ..config };
        let places = Arc::new(Semaphore::new(config.workers + config.queue));
        let workers = Arc::new(Semaphore::new(config.workers));
        let previews = Arc::new(Semaphore::new(1));
        Self { shared: Arc::new(Shared { config, places, workers, previews, idle: Mutex::default() }) }
    }

    /// Starts every worker and runs one inference on each, so that the first caller does not pay for it.
    pub async fn warm(&self) -> Result<(), WhisperError> {
        // A quiet buzz: silence would not reach the model.
        let buzz: Arc<[i16]> = (0..16_000).map(|n| (n % 80) * 10).collect();
        let runs = (0..self.shared.config.workers).map(|_| self.run(buzz.to_vec(), String::new()));
        futures_util::future::try_join_all(runs).await.map(drop)
    }

    /// Transcribes `speech` (any rate; only its last 30 s), with the words of `prompt` expected.
    pub async fn transcribe(&self, speech: &Pcm, prompt: &str) -> Result<Transcript, WhisperError> {
        self.run(newest(speech), prompt.to_owned()).await
    }

    /// As [`transcribe`](Self::transcribe), for words that nobody waits for: at once `None` unless a worker is idle, and another one besides
    /// for the next who does wait. So a pool of one gives no previews.
    pub async fn preview(&self, speech: &Pcm, prompt: &str) -> Option<Result<Transcript, WhisperError>> {
        let started = now();
        let preview = Arc::clone(&self.shared.previews).try_acquire_owned().ok()?;
        let place = Arc::clone(&self.shared.places).try_acquire_owned().ok()?;
        let worker = Arc::clone(&self.shared.workers).try_acquire_many_owned(2).ok()?.split(1)?; // the other one goes back
        let permits = vec![preview, place, worker];
        Some(self.start(newest(speech), prompt.to_owned(), permits, started).await)
    }

    async fn run(&self, samples: Vec<i16>, prompt: String) -> Result<Transcript, WhisperError> {
        let started = now();
        let place = Arc::clone(&self.shared.places).try_acquire_owned().map_err(|_| WhisperError::Busy)?;
        let waiting = Waiting::start();
        let worker = Arc::clone(&self.shared.workers).acquire_owned().await;
        let worker = worker.expect("the semaphore is never closed");
        drop(waiting);
        self.start(samples, prompt, vec![worker, place], started).await
    }

    async fn start(
        &self,
        samples: Vec<i16>,
        prompt: String,
        permits: Vec<OwnedSemaphorePermit>,
        started: Instant,
    ) -> Result<Transcript, WhisperError> {
        let (reply, answer) = oneshot::channel();
        // A task of its own: a caller who hangs up must not leave a child in the middle of a frame.
        let job = Job { samples, prompt, reply, _permits: permits };
        tokio::spawn(job.run(Arc::clone(&self.shared)));
        let outcome = answer.await.unwrap_or(Err(WhisperError::Failed { fault: Fault::Crashed }))?;
        match outcome {
            Outcome::Heard { text, confidence } => Ok(Transcript { text, confidence, took: started.elapsed() }),
            Outcome::Refused { why } => Err(WhisperError::Refused { why }),
        }
    }
}

/// The last half minute of `speech`, at the model's rate.
fn newest(speech: &Pcm) -> Vec<i16> {
    let newest = speech.rate.samples_in(Duration::from_secs(30)).min(speech.samples.len());
    let newest = &speech.samples[speech.samples.len() - newest..];
    let mut samples = resample_all(newest, speech.rate, SampleRate::HZ_16000);
    samples.truncate(MAX_SAMPLES);
    samples
}

#[expect(clippy::disallowed_methods, reason = "measures an inference; decides nothing")]
fn now() -> Instant {
    Instant::now()
}

/// Counts a waiting job in the metric for as long as it lives.
struct Waiting;

impl Waiting {
    fn start() -> Self {
        metrics::gauge!("tandem_inference_queue_depth").increment(1.0);
        Self
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        metrics::gauge!("tandem_inference_queue_depth").decrement(1.0);
    }
}

struct Job {
    samples: Vec<i16>,
    prompt: String,
    reply: oneshot::Sender<Result<Outcome, WhisperError>>,
    _permits: Vec<OwnedSemaphorePermit>,
}

impl Job {
    async fn run(self, shared: Arc<Shared>) {
        let started = now();
        let mut idle = shared.take();
        let result = match attempt(&mut idle, &shared.config, &self.samples, &self.prompt).await {
            Err(first) => {
                tracing::warn!(%first, "inference process failed, trying once more");
                attempt(&mut idle, &shared.config, &self.samples, &self.prompt).await
            }
            outcome => outcome,
        };
        metrics::histogram!("tandem_inference_seconds").record(started.elapsed().as_secs_f64());
        let _ = self.reply.send(result.map_err(|fault| WhisperError::Failed { fault })); // the caller may have gone
        shared.give_back(idle);
    }
}

/// Runs a job on the child at hand, or a new one. Afterwards `idle` holds a child only if it can be used again.
async fn attempt(
    idle: &mut Option<Child>,
    config: &WhisperConfig,
    samples: &[i16],
    prompt: &str,
) -> Result<Outcome, Fault> {
    let mut child = match idle.take() {
        Some(child) => child,
        None => Child::start(config).await.inspect_err(|fault| count_restart(*fault))?,
    };
    match child.ask(samples, prompt, config.limit).await {
        Ok(outcome) => {
            *idle = Some(child);
            Ok(outcome)
        }
        Err(fault) => {
            count_restart(fault);
            child.kill().await;
            Err(fault)
        }
    }
}

fn count_restart(fault: Fault) {
    metrics::counter!("tandem_inference_restarts_total", "reason" => fault.label()).increment(1);
}

impl Shared {
    fn take(&self) -> Option<Child> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn give_back(&self, child: Option<Child>) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).extend(child);
    }
}

/// Why nothing was transcribed.
#[derive(Debug, thiserror::Error)]
pub enum WhisperError {
    /// All workers are taken and the queue is full.
    #[error("speech recognition is busy")]
    Busy,
    /// Two processes in a row failed on this job.
    #[error("speech recognition failed twice: {fault}")]
    Failed {
        /// How the second one failed.
        fault: Fault,
    },
    /// The engine said no to this audio.
    #[error("speech recognition refused: {why}")]
    Refused {
        /// What it said.
        why: String,
    },
}
