//! The inference process: loads Whisper once, then answers requests until its stdin ends.
//!
//! Place: the hidden `stt-worker` subcommand; [`super::whisper`] starts, feeds and replaces such processes.
//! Not here: more than one request at a time, retries, limits on time. A crash in native code ends this process and nothing else.
//!
//! Settings, each with what breaks otherwise. Figures are word error rates over 20 telephone sentences in four voices of flite (`rms`, `slt`,
//! `awb`, `kal16`), mu-law coded, with their vocabulary as prompt: 4, 5, 4 and 4 % as set here. They rank the settings and come from a trial
//! whose program is not kept; what holds over the real socket, `make wer` prints.
//!
//! | setting                                               | why                                                                            |
//! |-------------------------------------------------------|--------------------------------------------------------------------------------|
//! | audio context of the utterance's length, at least 512 | the whole 30 s cost three times as much and hear no better                     |
//! | 5 hypotheses (beam)                                   | the greedy decoder: 4, 5, 9, 9 %, in three quarters of the time                |
//! | hardly any reward for length                          | by whisper.cpp's default the beam prefers loops: of "one crore", six times     |
//! | at most 6 tokens a second + 8, loops cut (`tidy`)     | with a short context it may still say a sentence over and over                 |
//! | 300 ms of silence on both sides                       | a sentence at the very edge loses a word, and `slt` 12 % of them               |
//! | no timestamps                                         | with them a third more errors                                                  |
//! | no second try at a higher temperature                 | bounded time, and no difference in the words                                   |
//! | no context from the request before                    | the one before was another caller                                              |

mod tidy;

use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use whisper_rs::{FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperState};

use super::whisper_wire::{self as wire, Outcome, RATE_HZ, Reply, Request, WireError};

/// Encoder positions a second: one per 20 ms.
const POSITIONS_PER_SECOND: f32 = 50.0;
/// The model's whole window, 30 s.
const ALL_POSITIONS: f32 = 1_500.0;
/// Below this the decoder loses its place.
const LEAST_POSITIONS: f32 = 512.0;
/// whisper.cpp refuses audio under a second; what is missing is filled with silence.
const LEAST_SAMPLES: usize = (RATE_HZ + RATE_HZ / 10) as usize;
/// Silence added on both sides: a sentence that begins or ends with the audio loses its first or last word.
const MARGIN_SAMPLES: usize = (RATE_HZ * 3 / 10) as usize;
/// What [`super::whisper_stt`] adds before and after the speech.
const ROLLS: Duration = Duration::from_millis(500);
/// Hypotheses kept while decoding.
const BEAM: i32 = 5;
/// Exponent by which a hypothesis' length is forgiven. Near 0, a longer one must be as probable as a whole, not word by word.
const LENGTH_PENALTY: f32 = 0.1;
/// Quieter than any speech on a telephone line. Whisper hears "you" in silence, so silence is not shown to it.
const SILENCE_DBFS: f32 = -65.0;

/// Runs the worker: says that it is ready, then answers until `stdin` ends, which is how the parent ends it.
///
/// `threads` is how many cores one inference may use.
pub fn run_worker(model: &Path, threads: usize, stdin: impl Read, stdout: impl Write) -> Result<(), WorkerError> {
    let (mut stdin, mut stdout) = (stdin, stdout);
    let started = now();
    whisper_rs::install_logging_hooks(); // without a log backend, this silences them
    let engine = Engine::load(model, threads)?;
    send(&mut stdout, &Reply::ready(started.elapsed()))?;
    while let Some(request) = receive(&mut stdin)? {
        let started = now();
        let outcome = engine.hear(&request).unwrap_or_else(|error| Outcome::Refused { why: error.to_string() });
        send(&mut stdout, &Reply { id: request.id, outcome, took: started.elapsed() })?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "measures an inference; decides nothing")]
fn now() -> Instant {
    Instant::now()
}

/// The next request; `None` when the parent has closed the pipe between two of them.
fn receive(stdin: &mut impl Read) -> Result<Option<Request>, WorkerError> {
    let mut header = [0; 4];
    match stdin.read_exact(&mut header) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let mut body = vec![0; wire::body_length(header)?];
    stdin.read_exact(&mut body)?;
    Ok(Some(Request::decode(&body)?))
}

fn send(stdout: &mut impl Write, reply: &Reply) -> Result<(), WorkerError> {
    stdout.write_all(&reply.encode())?;
    Ok(stdout.flush()?)
}

struct Engine {
    context: WhisperContext,
    threads: i32,
}

impl Engine {
    fn load(model: &Path, threads: usize) -> Result<Self, WorkerError> {
        let mut parameters = WhisperContextParameters::default();
        parameters.use_gpu(false);
        let context = WhisperContext::new_with_params(model, parameters)?;
        Ok(Self { context, threads: i32::try_from(threads.max(1)).unwrap_or(1) })
    }

    fn hear(&self, request: &Request) -> Result<Outcome, whisper_rs::WhisperError> {
        if tandem_codecs::Level::of(&request.samples).rms_dbfs < SILENCE_DBFS {
            return Ok(Outcome::Heard { text: String::new(), confidence: 0.0 });
        }
        let mut audio = vec![0.0; MARGIN_SAMPLES];
        audio.extend(request.samples.iter().map(|s| f32::from(*s) / 32_768.0));
        audio.resize((audio.len() + MARGIN_SAMPLES).max(LEAST_SAMPLES), 0.0);
        let prompt = self.prompt_tokens(&request.prompt);
        // A state of its own for each request: nothing of one caller can reach another, and the decoder's random numbers start anew, so
        // that the same audio always gives the same words. It costs less than can be measured.
        let mut state = self.context.create_state()?;
        state.full(parameters(audio.len(), self.threads, &prompt), &audio)?;
        Ok(self.transcript(&state, request.samples.len()))
    }

    /// The prompt as tokens: whisper-rs would leak a prompt that is given as text.
    fn prompt_tokens(&self, prompt: &str) -> Vec<i32> {
        let prompt: String = prompt.chars().filter(|c| !c.is_control()).collect();
        if prompt.trim().is_empty() {
            return Vec::new();
        }
        // A prompt that does not fit is a hint less, not a failure.
        self.context.tokenize(&format!(" {}", prompt.trim()), wire::MAX_PROMPT_BYTES).unwrap_or_default()
    }

    fn transcript(&self, state: &WhisperState, samples: usize) -> Outcome {
        let (mut bytes, mut log_sum, mut words) = (Vec::new(), 0.0f64, 0u32);
        let end_of_text = self.context.token_eot();
        for segment in state.as_iter() {
            bytes.extend(segment.to_bytes().unwrap_or_default());
            let tokens = (0..segment.n_tokens()).filter_map(|n| segment.get_token(n));
            for token in tokens.filter(|token| token.token_id() < end_of_text) {
                log_sum += f64::from(token.token_probability().max(f32::MIN_POSITIVE)).ln();
                words += 1;
            }
        }
        // The token limit can cut a character of several bytes in two.
        let speech = Duration::from_secs_f64(samples as f64 / f64::from(RATE_HZ)).saturating_sub(ROLLS);
        let text = tidy::tidy(&String::from_utf8_lossy(&bytes), speech);
        let confidence = if text.is_empty() { 0.0 } else { (log_sum / f64::from(words.max(1))).exp() as f32 };
        Outcome::Heard { text, confidence: confidence.clamp(0.0, 1.0) }
    }
}

fn parameters(samples: usize, threads: i32, prompt: &[i32]) -> FullParams<'static, '_> {
    let seconds = samples as f32 / RATE_HZ as f32;
    let positions = (POSITIONS_PER_SECOND * seconds + 64.0).clamp(LEAST_POSITIONS, ALL_POSITIONS);
    let mut parameters = FullParams::new(SamplingStrategy::BeamSearch { beam_size: BEAM, patience: -1.0 });
    parameters.set_n_threads(threads);
    parameters.set_language(Some("en"));
    parameters.set_no_context(true);
    parameters.set_tokens(prompt);
    parameters.set_single_segment(true);
    parameters.set_no_timestamps(true);
    parameters.set_audio_ctx(positions as i32);
    parameters.set_max_tokens((6.0 * seconds) as i32 + 8);
    parameters.set_length_penalty(LENGTH_PENALTY);
    parameters.set_temperature_inc(0.0);
    parameters.set_suppress_blank(true);
    parameters.set_suppress_nst(true);
    parameters.set_print_special(false);
    parameters.set_print_progress(false);
    parameters.set_print_realtime(false);
    parameters.set_print_timestamps(false);
    parameters
}

/// Why a worker ended before its stdin did.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The model does not load.
    #[error("cannot load the speech model")]
    Model(#[from] whisper_rs::WhisperError),
    /// The parent sent something else than a request.
    #[error("cannot understand the parent")]
    Wire(#[from] WireError),
    /// A pipe broke.
    #[error("lost the parent")]
    Pipe(#[from] io::Error),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_pipe_that_ends_between_requests_ends_the_worker_politely() {
        assert!(receive(&mut [].as_slice()).unwrap().is_none());
        let frame = Request { id: 7, prompt: String::new(), samples: vec![1, 2] }.encode();
        assert_eq!(receive(&mut frame.as_slice()).unwrap().unwrap().id, 7);
        assert!(receive(&mut &frame[..frame.len() - 1]).is_err());
    }

    #[test]
    fn a_missing_model_is_an_error_before_anything_is_said() {
        let mut said = Vec::new();
        let error = run_worker(Path::new("/nonexistent/model.bin"), 1, io::empty(), &mut said).unwrap_err();
        assert!(matches!(error, WorkerError::Model(_)), "{error}");
        assert!(said.is_empty());
    }
}
