//! Silero VAD on rten: a speech detector for those who choose it over the one that is built in. No key; a model of 2 MB to fetch.
//!
//! Place: handed to calls as a [`Detector`], behind the same energy gate as the default engine ([`Gated`]); called by the ingress pump.
//! Shared by all calls of a process: the weights are there once, a call has the network's state (1 kB) and its own backlog.
//! Not here: which engine a call has, and what becomes of one that panics. Both are the call's.
//!
//! In: `input`, 32 samples of the step before and the 256 of this one (32 ms at 8 kHz), from -1 to 1; `state`, 2 × 128 numbers; `sr`, 8,000.
//! Out: `output`, the score; `stateN`. Source: silero-vad 6.2, `utils_vad.py`, `OnnxWrapper`; scores compared with its own runtime in the tests.
//!
//! 32 ms do not divide 20: three frames in eight complete no step and are judged as the one before. So a start is told up to 12 ms later
//! than by an engine that judges each frame.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rten::{Model, NodeId, RunOptions, ThreadPool, Value};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use tandem_codecs::Framer;
use tandem_codecs::vad::{Detector, FRAME_RATE, FRAME_SAMPLES, GateMode, Gated, Network, NeuralConfig};

const NAME: &str = "silero";
/// New samples of one step: 32 ms.
const STEP: usize = 256;
/// Samples of the step before that the network hears again.
const CONTEXT: usize = 32;
/// Numbers that the network remembers.
const STATE: usize = 2 * 128;

/// Score from which a frame is speech. Its authors' default.
const THRESHOLD: f32 = 0.5;

/// The model, loaded; makes a detector for each call.
#[derive(Clone)]
pub struct Silero {
    shared: Arc<Shared>,
}

struct Shared {
    model: Model,
    inputs: [NodeId; 3],
    outputs: [NodeId; 2],
    /// Each of one thread: a step is too short to be split. As many as there are cores, given to calls in turn.
    threads: Vec<Arc<ThreadPool>>,
    next: AtomicUsize,
}

impl Silero {
    /// Reads the model and lets it judge silence once, so that a file of another kind is refused here and not within a call.
    pub fn load(path: &Path) -> Result<Self, SileroError> {
        let wrong = |error: String| SileroError::Network { path: path.to_owned(), error };
        let model = Model::load_file(path).map_err(|error| wrong(error.to_string()))?;
        let node = |name| model.node_id(name).map_err(|error| wrong(error.to_string()));
        let inputs = [node("input")?, node("state")?, node("sr")?];
        let outputs = [node("output")?, node("stateN")?];
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = (0..cores).map(|_| Arc::new(ThreadPool::with_num_threads(1))).collect();
        let silero = Self { shared: Arc::new(Shared { model, inputs, outputs, threads, next: AtomicUsize::new(0) }) };
        silero.network().step(&[0; STEP]).map_err(wrong)?;
        Ok(silero)
    }

    /// A detector that has heard nothing yet.
    pub fn detector(&self) -> Box<dyn Detector> {
        let config = NeuralConfig { threshold: THRESHOLD, gate: GateMode::Aggressive };
        Box::new(Gated::with(self.network(), config))
    }

    /// The network alone, without the gate: for measuring.
    pub fn network(&self) -> SileroNetwork {
        let turn = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let threads = Arc::clone(&self.shared.threads[turn % self.shared.threads.len()]);
        SileroNetwork {
            shared: Arc::clone(&self.shared),
            threads,
            state: vec![0.0; STATE],
            heard: vec![0.0; CONTEXT],
            steps: Framer::new(STEP),
        }
    }
}

/// One call's side of the network.
pub struct SileroNetwork {
    shared: Arc<Shared>,
    threads: Arc<ThreadPool>,
    state: Vec<f32>,
    /// The last [`CONTEXT`] samples.
    heard: Vec<f32>,
    steps: Framer,
}

impl SileroNetwork {
    fn step(&mut self, samples: &[i16]) -> Result<f32, String> {
        let Shared { model, inputs: [input, state, rate], outputs, .. } = &*self.shared;
        let mut sound = std::mem::take(&mut self.heard);
        sound.extend(samples.iter().map(|sample| f32::from(*sample) / 32_768.0));
        self.heard.extend_from_slice(&sound[sound.len() - CONTEXT..]);
        let remembered = std::mem::take(&mut self.state);
        let inputs = vec![
            (*input, NdTensor::from_data([1, sound.len()], sound).into()),
            (*state, NdTensor::from_data([2, 1, STATE / 2], remembered).into()),
            (*rate, NdTensor::from_data([], vec![FRAME_RATE.hz() as i32]).into()),
        ];
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.threads)));
        let [score, state]: [Value; 2] =
            model.run_n(inputs, *outputs, Some(options)).map_err(|error| error.to_string())?;
        let state: NdTensor<f32, 3> = state.try_into().map_err(|_| "no state".to_owned())?;
        self.state = state.to_vec();
        if self.state.len() != STATE {
            return Err(format!("{} numbers of state, not {STATE}", self.state.len()));
        }
        let score: NdTensor<f32, 2> = score.try_into().map_err(|_| "no score".to_owned())?;
        score.iter().next().copied().ok_or_else(|| "an empty score".to_owned())
    }
}

impl Network for SileroNetwork {
    /// A quarter of a second, eight steps: more of the past changes no judgement in a hundred; see the tests.
    const BACKLOG: usize = 13 * FRAME_SAMPLES;

    fn hear(&mut self, samples: &[i16]) -> Option<f32> {
        self.steps.push(samples);
        let mut best = None;
        while let Some(step) = self.steps.next_frame().map(<[i16]>::to_vec) {
            let score = self.step(&step).expect("it ran on the same shapes when it was loaded");
            best = Some(best.map_or(score, |b: f32| b.max(score)));
        }
        best
    }

    fn reset(&mut self) {
        self.state = vec![0.0; STATE];
        self.heard = vec![0.0; CONTEXT];
        self.steps.clear();
    }

    fn name(&self) -> &'static str {
        NAME
    }
}

/// Why the model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SileroError {
    /// The file is not this network.
    #[error("{path} is not the Silero model ({error}): run `tandem models install --vad silero`", path = .path.display())]
    Network {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: String,
    },
}
