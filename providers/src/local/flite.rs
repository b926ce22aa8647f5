//! flite: a small synthesiser from Debian, run as one process a sentence. No key, no model to fetch, 70 times as fast as speech.
//!
//! Place: the default voice, and the last fallback behind every vendor.
//! Not here: word timings. flite prints when each sound ends but not to which word it belongs.
//!
//! - The text goes in by stdin, so that it shows in no process list, and is never an argument or seen by a shell.
//! - The audio comes out through a file: flite writes its header last, which a pipe cannot do. It sees a sentence at a time, all or nothing.
//! - An unknown voice makes flite speak its worst one (8 kHz, robotic) without a word, so names are checked here.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tandem_codecs::{SampleRate, resample_all, wav};
use tandem_domain::port::EventStream;
use tandem_domain::port::tts::{KnownVoice, Tts, TtsChunk, TtsError, TtsSpec};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::shape;
use super::speakable::speakable;
use super::spoken::Spoken;

const NAME: &str = "flite";
/// Voices that Debian's flite is built with: two men, a woman, and a Scotsman. `kal` is left out: 8 kHz and hard to follow.
pub const VOICES: [&str; 4] = ["rms", "slt", "awb", "kal16"];

/// How to run flite.
#[derive(Debug, Clone)]
pub struct FliteConfig {
    /// The program, searched in `PATH` unless it has a slash.
    pub program: PathBuf,
    /// Voice where the agent names none that flite has; one of [`VOICES`].
    pub voice: String,
    /// Processes at once. A sentence takes 60 ms of one core.
    pub concurrency: usize,
    /// The longest that a sentence may take, waiting for its turn not included.
    pub limit: Duration,
    /// About how many bytes of finished sentences are kept.
    pub cache_bytes: u64,
}

impl Default for FliteConfig {
    fn default() -> Self {
        Self {
            program: PathBuf::from("flite"),
            voice: "rms".to_owned(),
            concurrency: 2,
            limit: Duration::from_secs(5),
            cache_bytes: 32 << 20,
        }
    }
}

/// The voice. Clones share the cache and the limit on processes.
#[derive(Clone)]
pub struct Flite {
    shared: Arc<Shared>,
}

struct Shared {
    config: FliteConfig,
    running: Semaphore,
    spoken: Spoken,
}

impl Flite {
    /// Nothing is started yet.
    pub fn new(config: FliteConfig) -> Self {
        let spoken = Spoken::new(config.cache_bytes);
        Self { shared: Arc::new(Shared { running: Semaphore::new(config.concurrency.max(1)), spoken, config }) }
    }

    /// Whether flite can be run here, in a sentence that names the remedy if not.
    pub async fn probe(&self) -> Result<(), TtsError> {
        let program = &self.shared.config.program;
        match Command::new(program).arg("--version").stdin(Stdio::null()).output().await {
            Ok(_) => Ok(()), // flite answers --version with exit code 1
            Err(error) => Err(cannot_start(&error)),
        }
    }
}

impl Tts for Flite {
    fn name(&self) -> &'static str {
        NAME
    }

    fn voices(&self) -> Vec<KnownVoice<'_>> {
        let default = self.shared.voice("");
        let mut voices = VOICES.map(|id| match id {
            "slt" => KnownVoice { id, name: "a woman", accent: "American English" },
            "awb" => KnownVoice { id, name: "a Scotsman", accent: "Scottish English" },
            "kal16" => KnownVoice { id, name: "a man, thinner", accent: "American English" },
            _ => KnownVoice { id, name: "a man", accent: "American English" },
        });
        voices.sort_by_key(|voice| voice.id != default);
        voices.to_vec()
    }

    /// One chunk with the whole sentence; none if the text has no words.
    fn speak(&self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError> {
        let shared = Arc::clone(&self.shared);
        let sentence = async move { shared.speak(&spec).await.transpose() };
        Box::pin(stream::once(sentence).filter_map(async |chunk| chunk))
    }
}

impl Shared {
    async fn speak(&self, spec: &TtsSpec) -> Result<Option<TtsChunk>, TtsError> {
        let text = speakable(&spec.text);
        if text.is_empty() {
            return Ok(None);
        }
        let voice = self.voice(&spec.voice);
        let make = self.synthesise(voice, &text, spec.rate_hz);
        let samples = self.spoken.get_or_make((voice, spec.rate_hz, text.clone()), make).await?;
        Ok(Some(TtsChunk { samples, words: Vec::new() }))
    }

    /// The voice asked for if flite has it, else the default: agents made for another vendor carry that vendor's voice.
    fn voice(&self, asked: &str) -> &'static str {
        let find = |name: &str| VOICES.into_iter().find(|voice| *voice == name);
        find(asked).or_else(|| find(&self.config.voice)).unwrap_or(VOICES[0])
    }

    async fn synthesise(&self, voice: &str, text: &str, rate_hz: u32) -> Result<Arc<[i16]>, TtsError> {
        let rate = SampleRate::new(rate_hz).map_err(|error| failed(error.to_string()))?;
        let _turn = self.running.acquire().await.expect("the semaphore is never closed");
        let mut name = tempfile::Builder::new();
        name.prefix("tandem-").suffix(".wav");
        // In memory where there is such a folder: a full disk must not silence the voice.
        let file = name.tempfile_in("/dev/shm").or_else(|_| name.tempfile()).map_err(io_failed)?;
        let run = self.run(voice, text, &file);
        timeout(self.config.limit, run).await.map_err(|_| failed("no answer in time".to_owned()))??;
        // Reading and resampling a long sentence takes milliseconds: not on a thread that others wait for.
        let shaped = tokio::task::spawn_blocking(move || {
            let pcm = wav::read(file.as_file()).map_err(|error| failed(error.to_string()))?;
            let shaped = shape::shape(&resample_all(&pcm.samples, pcm.rate, rate), rate.hz());
            if shaped.is_empty() { Err(failed("silence".to_owned())) } else { Ok(Arc::from(shaped)) }
        });
        shaped.await.unwrap_or_else(|_| Err(failed("cannot read the audio".to_owned())))
    }

    /// Runs flite until `file` is written. Dropping the future kills the process.
    async fn run(&self, voice: &str, text: &str, file: &NamedTempFile) -> Result<(), TtsError> {
        let mut process = Command::new(&self.config.program)
            .args(["-voice", voice, "-f", "-", "-o"])
            .arg(file.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0) // Ctrl-C is for the switch: it drains, and calls still have to be answered
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| cannot_start(&error))?;
        let mut stdin = process.stdin.take().expect("stdin is piped");
        stdin.write_all(format!("{text}\n").as_bytes()).await.map_err(io_failed)?;
        drop(stdin);
        let status = process.wait().await.map_err(io_failed)?;
        if status.success() { Ok(()) } else { Err(failed(status.to_string())) }
    }
}

fn cannot_start(error: &io::Error) -> TtsError {
    match error.kind() {
        io::ErrorKind::NotFound => {
            TtsError::Unavailable { vendor: NAME, remedy: "run `make setup` or `apt-get install flite`".to_owned() }
        }
        _ => failed(error.to_string()),
    }
}

fn io_failed(error: io::Error) -> TtsError {
    failed(error.to_string())
}

fn failed(detail: String) -> TtsError {
    TtsError::Failed { vendor: NAME, detail }
}
