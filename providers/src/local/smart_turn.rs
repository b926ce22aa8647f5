//! smart-turn on rten: whether a turn sounds finished, by its melody and pace. No key; a model of 9 MB to fetch; off unless it is chosen.
//!
//! Place: `port::end_of_turn`, shared by all calls of a process. Runs on a few threads of its own behind a bounded queue, never on one that
//! carries audio: an answer takes a tenth of a second of a core.
//! Not here: the words, which the model does not know, and what follows from its answer.
//!
//! ```text
//! last 8 s ─► queue ─► thread of the pool: 16 kHz ─► log-mel 80 × 800 ─► rten ─► 0 to 1
//! ```
//!
//! In: `input_features`. Out: `logits`, which is a probability already. The model learned from wideband speech of 23 languages; what it
//! makes of telephone speech is in `docs/detectors.md`. Weights: pipecat-ai's, version 3.2, eight bits.

mod features;

use std::path::PathBuf;
use std::sync::Arc;

use rten::{Model, NodeId, RunOptions, ThreadPool, Value};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use tandem_codecs::{SampleRate, resample_all};
use tandem_domain::port::end_of_turn::{EndOfTurn, EndOfTurnError, Judgement, TurnAudio, WINDOW};

use self::features::{Features, RATE_HZ, STEPS};
use super::ggml::mel::MELS;
use super::pool::{Fault, Pool, Wanted};

const NAME: &str = "smart-turn";
/// How willing the threads are to wait for others, from 0 to 19: audio in real time comes first.
const NICENESS: i32 = 3;

/// How to run the model.
#[derive(Debug, Clone)]
pub struct SmartTurnConfig {
    /// Its file.
    pub model: PathBuf,
    /// Turns that are judged at the same time, each on one core.
    pub workers: usize,
    /// Turns that may wait while all workers are taken.
    pub queue: usize,
}

impl SmartTurnConfig {
    /// The defaults: as many workers as there are cores, and a queue for two turns a worker: who waits longer than two others has no use
    /// for the answer.
    pub fn new(model: PathBuf) -> Self {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        Self { model, workers, queue: 2 * workers }
    }
}

/// The model, running. Clones share everything.
#[derive(Clone)]
pub struct SmartTurn {
    pool: Arc<Pool<TurnAudio, f32>>,
}

impl SmartTurn {
    /// Loads the model and judges silence on each thread, so that a file of another kind is refused here and no caller pays for the first time.
    pub async fn start(config: SmartTurnConfig) -> Result<Self, EndOfTurnError> {
        let path = config.model.clone();
        let network = tokio::task::spawn_blocking(move || Network::load(&path)).await;
        let unavailable = |error: String| EndOfTurnError::Unavailable {
            engine: NAME,
            remedy: format!("{error}; run `tandem models install --end-of-turn smart-turn`"),
        };
        let network = network.map_err(|_| failed("cannot load the model"))?.map_err(unavailable)?;
        let network = Arc::new(network);
        let workers = config.workers.max(1);
        let pool =
            Pool::start(NAME, workers, workers + config.queue, || worker(Arc::clone(&network))).map_err(failed)?;
        let smart_turn = Self { pool: Arc::new(pool) };
        let silence = TurnAudio { rate_hz: RATE_HZ, samples: Arc::from([]) };
        futures_util::future::try_join_all((0..workers).map(|_| smart_turn.judge(silence.clone()))).await?;
        Ok(smart_turn)
    }
}

impl EndOfTurn for SmartTurn {
    fn name(&self) -> &'static str {
        NAME
    }

    fn judge(&self, audio: TurnAudio) -> Judgement<'_> {
        Box::pin(async move {
            self.pool.run(audio).await.map_err(|fault| match fault {
                Fault::Busy => EndOfTurnError::Busy { engine: NAME },
                Fault::Crashed | Fault::Failed(_) => failed(fault),
            })
        })
    }
}

/// What one thread of the pool does.
fn worker(network: Arc<Network>) -> impl FnMut(TurnAudio, &Wanted<'_, f32>) -> Result<f32, String> + Send + 'static {
    // One thread for each: a run that borrowed the others' would be no faster, all of them being busy.
    let threads = Arc::new(ThreadPool::with_num_threads(1));
    threads.run(|| {
        let _ = rustix::process::setpriority_process(None, NICENESS); // of this thread; where that is refused, it is as before
    });
    let features = Features::new();
    move |audio, wanted| {
        let heard = wideband(&audio)?;
        let picture = features.of(&heard);
        if !wanted.still() {
            return Err("nobody waits for it".to_owned());
        }
        network.judge(picture, &threads)
    }
}

/// The end of the turn at the model's rate.
fn wideband(audio: &TurnAudio) -> Result<Vec<i16>, String> {
    let rate = SampleRate::new(audio.rate_hz).map_err(|error| error.to_string())?;
    let most = rate.samples_in(WINDOW);
    let last = &audio.samples[audio.samples.len().saturating_sub(most)..];
    Ok(resample_all(last, rate, SampleRate::HZ_16000))
}

struct Network {
    model: Model,
    input: NodeId,
    output: NodeId,
}

impl Network {
    fn load(path: &std::path::Path) -> Result<Self, String> {
        let wrong = |error: &dyn std::fmt::Display| format!("{} is not the model: {error}", path.display());
        let model = Model::load_file(path).map_err(|error| wrong(&error))?;
        let node = |name| model.node_id(name).map_err(|error| wrong(&error));
        let (input, output) = (node("input_features")?, node("logits")?);
        Ok(Self { model, input, output })
    }

    fn judge(&self, picture: Vec<f32>, threads: &Arc<ThreadPool>) -> Result<f32, String> {
        let inputs = vec![(self.input, NdTensor::from_data([1, MELS, STEPS], picture).into())];
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(threads)));
        let [output]: [Value; 1] =
            self.model.run_n(inputs, [self.output], Some(options)).map_err(|error| error.to_string())?;
        let output: NdTensor<f32, 2> = output.try_into().map_err(|_| "no probability".to_owned())?;
        let probability = output.iter().next().copied();
        probability.filter(|p| (0.0..=1.0).contains(p)).ok_or_else(|| "no probability".to_owned())
    }
}

fn failed(detail: impl ToString) -> EndOfTurnError {
    EndOfTurnError::Failed { engine: NAME, detail: detail.to_string() }
}
