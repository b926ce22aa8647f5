//! Piper: a natural voice on rten, for those who choose it. No key; a model to fetch; a few times as fast as speech on one core.
//!
//! Place: `port::tts`, behind [`Clauses`](super::clauses::Clauses), which asks for one clause at a time, and in front of a
//! [`Order`](crate::tts::order::Order) with flite. Shared by all calls of a process.
//! Not here: word timings. The network knows how long each sound lasts and does not tell.
//!
//! ```text
//! text ─► speakable ─► espeak-ng (process) ─► ids ─► queue ─► thread of the pool: rten ─► rate asked for, even level ─► one chunk
//! ```
//!
//! The same words sound a little different each time that they are made; they are kept, so that they are made once.

mod phonemes;
mod voice;

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use rten::ThreadPool;
use tandem_codecs::{SampleRate, resample_all};
use tandem_domain::port::EventStream;
use tandem_domain::port::tts::{Tts, TtsChunk, TtsError, TtsSpec};
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use self::voice::Voice;
use super::pool::{self, Pool, Wanted};
use super::shape;
use super::speakable::speakable;
use super::spoken::Spoken;

const NAME: &str = "piper";
/// How willing the threads are to wait for others, from 0 to 19: audio in real time comes first.
const NICENESS: i32 = 3;

/// How to run the voice.
#[derive(Debug, Clone)]
pub struct PiperConfig {
    /// The voice's weights; its settings lie beside them, with `.json` appended.
    pub voice: PathBuf,
    /// The program espeak-ng, searched in `PATH` unless it has a slash.
    pub espeak: PathBuf,
    /// Texts that are made at the same time, each on one core.
    pub workers: usize,
    /// Texts that may wait while all workers are taken.
    pub queue: usize,
    /// The longest that espeak-ng may take for a text.
    pub limit: Duration,
    /// About how many bytes of finished audio are kept.
    pub cache_bytes: u64,
}

impl PiperConfig {
    /// The defaults: as many workers as there are cores, and a queue for four texts a worker, about two seconds.
    pub fn new(voice: PathBuf) -> Self {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            voice,
            espeak: PathBuf::from("espeak-ng"),
            workers,
            queue: 4 * workers,
            limit: Duration::from_secs(2),
            cache_bytes: 32 << 20,
        }
    }
}

/// The voice. Clones share everything.
#[derive(Clone)]
pub struct Piper {
    shared: Arc<Shared>,
}

struct Shared {
    config: PiperConfig,
    voice: Arc<Voice>,
    pool: Pool<Order, Sound>,
    /// One permit for each text that is made or waits.
    places: Semaphore,
    spoken: Spoken,
}

/// What a thread of the pool makes: samples at the rate asked for.
type Sound = Arc<[i16]>;

/// What a thread of the pool is asked for.
struct Order {
    runs: Vec<Vec<i32>>,
    rate: SampleRate,
}

impl Piper {
    /// Loads the voice and says a word on each thread, so that no caller pays for the first time.
    pub async fn start(config: PiperConfig) -> Result<Self, TtsError> {
        let workers = config.workers.max(1);
        check(&config.espeak).await?;
        let path = config.voice.clone();
        let voice = tokio::task::spawn_blocking(move || Voice::load(&path)).await;
        let voice = voice.map_err(|_| failed("cannot load the voice"))?.map_err(|error| TtsError::Unavailable {
            vendor: NAME,
            remedy: format!("{error}; run `make models VOICE=natural`"),
        })?;
        let voice = Arc::new(voice);
        let (places, spoken) = (Semaphore::new(workers + config.queue), Spoken::new(config.cache_bytes));
        let pool = Pool::start(NAME, workers, workers + config.queue, || worker(Arc::clone(&voice))).map_err(failed)?;
        let piper = Self { shared: Arc::new(Shared { config, voice, pool, places, spoken }) };
        let word = || piper.shared.synthesise("Hello.", SampleRate::HZ_8000);
        futures_util::future::try_join_all((0..workers).map(|_| word())).await?;
        Ok(piper)
    }
}

impl Tts for Piper {
    fn name(&self) -> &'static str {
        NAME
    }

    /// One chunk with the whole text; none if it has no sound.
    fn speak(&self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError> {
        let shared = Arc::clone(&self.shared);
        let text = async move { shared.speak(&spec).await.transpose() };
        Box::pin(stream::once(text).filter_map(async |chunk| chunk))
    }
}

impl Shared {
    async fn speak(&self, spec: &TtsSpec) -> Result<Option<TtsChunk>, TtsError> {
        let text = speakable(&spec.text);
        if text.is_empty() {
            return Ok(None);
        }
        let rate = SampleRate::new(spec.rate_hz).map_err(failed)?;
        let make = self.synthesise(&text, rate);
        let samples = self.spoken.get_or_make((NAME, spec.rate_hz, text.clone()), make).await?;
        Ok((!samples.is_empty()).then(|| TtsChunk { samples, words: Vec::new() }))
    }

    async fn synthesise(&self, text: &str, rate: SampleRate) -> Result<Arc<[i16]>, TtsError> {
        let _place = self.places.try_acquire().map_err(|_| failed(pool::Fault::Busy))?;
        let sounds = phonemes::phonemes(&self.config.espeak, self.voice.espeak_voice(), text);
        let sounds =
            timeout(self.config.limit, sounds).await.map_err(|_| failed("espeak-ng gave no answer in time"))?;
        let sounds = sounds.map_err(|error| cannot_run(&error))?;
        let runs = self.voice.runs(&sounds);
        if runs.is_empty() {
            return Ok(Arc::from([]));
        }
        self.pool.run(Order { runs, rate }).await.map_err(failed)
    }
}

/// What one thread of the pool does.
fn worker(voice: Arc<Voice>) -> impl FnMut(Order, &Wanted<'_, Sound>) -> Result<Sound, String> + Send + 'static {
    // One thread for each: a run that borrowed the others' would be no faster, all of them being busy.
    let threads = Arc::new(ThreadPool::with_num_threads(1));
    threads.run(|| {
        let _ = rustix::process::setpriority_process(None, NICENESS); // of this thread; where that is refused, it is as before
    });
    move |order, wanted| {
        let mut speech = Vec::new();
        for ids in &order.runs {
            if !wanted.still() {
                return Err("nobody waits for it".to_owned());
            }
            let pcm = voice.speak(ids, &threads).map_err(|error| error.to_string())?;
            speech.extend(resample_all(&pcm.samples, pcm.rate, order.rate));
        }
        let shaped = shape::shape(&speech, order.rate.hz());
        if shaped.is_empty() { Err("silence".to_owned()) } else { Ok(Arc::from(shaped)) }
    }
}

/// Whether espeak-ng can be run here.
async fn check(program: &Path) -> Result<(), TtsError> {
    let run = Command::new(program).arg("--version").stdin(Stdio::null()).output().await;
    run.map(drop).map_err(|error| cannot_run(&error))
}

fn cannot_run(error: &io::Error) -> TtsError {
    match error.kind() {
        io::ErrorKind::NotFound => TtsError::Unavailable {
            vendor: NAME,
            remedy: "run `make models VOICE=natural` or `apt-get install espeak-ng`".to_owned(),
        },
        _ => failed(error),
    }
}

fn failed(detail: impl ToString) -> TtsError {
    TtsError::Failed { vendor: NAME, detail: detail.to_string() }
}
