//! Whisper as the call's recogniser: remembers the audio, and transcribes a turn when it is told that the turn is over.
//!
//! Place: `port::stt` for one call; all calls share one [`WhisperPool`].
//! Partials are previews of the open turn, about one a second, where somebody looks: Whisper reads whole utterances, so each costs as much as
//! a final. They run only on a pool with a worker to spare, and a final drops the one that is under way.
//!
//! ```text
//! audio ──► window (30 s) ──┐
//! Finalize{from, to} ───────┴─► from - 300 ms .. to + 200 ms ──► pool ──► Final (covers the whole turn)
//! Finalize again, same or later turn: the running one is dropped
//! Speaking{from} ─► every second of audio: from .. now ──► pool, if it is idle ──► Partial
//! ```

mod preview;
mod prompt;
mod window;

use std::pin::Pin;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tandem_codecs::{Pcm, SampleRate};
use tandem_domain::ids::TurnId;
use tandem_domain::port::EventStream;
use tandem_domain::port::stt::{Covers, Stt, SttError, SttEvent, SttInput, SttInputStream, SttSpec};

use self::preview::Previews;
use self::window::Window;
use super::whisper::{Transcript, WhisperError, WhisperPool};

const NAME: &str = "whisper";
/// Audio kept for each call: Whisper hears no more at once.
const MEMORY: Duration = Duration::from_secs(30);
/// Heard before the turn's beginning, because a detector of speech is late by a consonant.
const PRE_ROLL: Duration = Duration::from_millis(300);
/// Heard after the turn's end where it has come already: the last consonant is quieter than the detector's threshold.
const POST_ROLL: Duration = Duration::from_millis(200);

/// The recogniser.
#[derive(Clone)]
pub struct WhisperStt {
    pool: WhisperPool,
}

impl WhisperStt {
    /// A recogniser on `pool`.
    pub fn new(pool: WhisperPool) -> Self {
        Self { pool }
    }
}

impl Stt for WhisperStt {
    fn name(&self) -> &'static str {
        NAME
    }

    fn transcribe(&self, spec: SttSpec, audio: SttInputStream) -> EventStream<SttEvent, SttError> {
        let rate = match SampleRate::new(spec.rate_hz) {
            Ok(rate) => rate,
            Err(error) => {
                let refused = SttError::Failed { vendor: NAME, detail: error.to_string() };
                return Box::pin(stream::iter([Err(refused)]));
            }
        };
        let listener = Listener {
            pool: self.pool.clone(),
            rate,
            keywords: spec.keywords,
            window: Window::new(rate.samples_in(MEMORY)),
            audio: Some(audio),
            running: None,
            previews: Previews::new(rate, spec.partials),
            preview: None,
        };
        Box::pin(stream::unfold(Some(listener), |listener| async {
            let mut listener = listener?;
            match listener.next().await? {
                Ok(event) => Some((Ok(event), Some(listener))),
                Err(error) => Some((Err(error), None)), // an error ends the stream
            }
        }))
    }
}

/// What is being answered: the turn, and how far it was asked for.
#[derive(Debug, Clone, Copy)]
struct Question {
    turn: TurnId,
    to: u64,
}

type Running = Pin<Box<dyn Future<Output = Result<Transcript, WhisperError>> + Send>>;

type Preview = Pin<Box<dyn Future<Output = Option<String>> + Send>>;

/// One call's stream.
struct Listener {
    pool: WhisperPool,
    rate: SampleRate,
    keywords: Vec<String>,
    window: Window,
    /// `None` after its end.
    audio: Option<SttInputStream>,
    /// The transcription under way; replaced, and thereby dropped, by the next.
    running: Option<(Question, Running)>,
    /// When a preview is due.
    previews: Previews,
    /// The preview under way; never while a transcription is.
    preview: Option<Preview>,
}

impl Listener {
    /// The next event; `None` when the audio has ended and nothing is under way.
    async fn next(&mut self) -> Option<Result<SttEvent, SttError>> {
        loop {
            let input = match (&mut self.audio, &mut self.running) {
                (None, None) => return None,
                (Some(audio), None) => match &mut self.preview {
                    None => audio.next().await,
                    Some(job) => tokio::select! {
                        biased; // a final comes before a partial
                        input = audio.next() => input,
                        words = job => {
                            self.preview = None;
                            match words {
                                Some(text) => return Some(Ok(SttEvent::Partial { text })),
                                None => continue,
                            }
                        }
                    },
                },
                (None, Some((question, job))) => {
                    let event = settle(*question, job.await);
                    self.running = None;
                    return Some(event);
                }
                (Some(audio), Some((question, job))) => tokio::select! {
                    biased; // what supersedes a result comes before it
                    input = audio.next() => input,
                    result = job => {
                        let event = settle(*question, result);
                        self.running = None;
                        return Some(event);
                    }
                },
            };
            match input {
                Some(SttInput::Audio { start, samples }) => {
                    self.window.push(start, &samples);
                    self.look(start + samples.len() as u64);
                }
                Some(SttInput::Speaking { from }) => self.previews.speaking(from),
                Some(SttInput::Finalize { turn, from, to, hints }) => {
                    self.previews.paused();
                    self.preview = None;
                    let speech = self.speech(from, to);
                    let prompt = prompt::prompt(&hints, &self.keywords);
                    let pool = self.pool.clone();
                    self.running =
                        Some((Question { turn, to }, Box::pin(async move { pool.transcribe(&speech, &prompt).await })));
                }
                None => self.audio = None,
            }
        }
    }

    /// Previews the open turn, if it is time to. `position`: after the newest sample.
    fn look(&mut self, position: u64) {
        if self.preview.is_some() || self.running.is_some() {
            return;
        }
        let Some(from) = self.previews.due(position) else { return };
        let (speech, prompt, pool) =
            (self.speech(from, position), prompt::prompt(&[], &self.keywords), self.pool.clone());
        self.preview = Some(Box::pin(async move {
            // A preview that fails, or for which there is no room, is one partial less.
            let transcript = pool.preview(&speech, &prompt).await?.ok()?;
            Some(transcript.text).filter(|text| !text.is_empty())
        }));
    }

    fn speech(&self, from: u64, to: u64) -> Pcm {
        let samples_in = |duration| self.rate.samples_in(duration) as u64;
        let (from, to) = (from.saturating_sub(samples_in(PRE_ROLL)), to.saturating_add(samples_in(POST_ROLL)));
        Pcm::new(self.rate, self.window.range(from, to))
    }
}

fn settle(Question { turn, to }: Question, result: Result<Transcript, WhisperError>) -> Result<SttEvent, SttError> {
    match result {
        Ok(Transcript { text, confidence, took: _ }) => {
            let confidence = Some(confidence).filter(|_| !text.is_empty());
            Ok(SttEvent::Final { turn, to, text, confidence, covers: Covers::WholeTurn })
        }
        Err(WhisperError::Busy) => Err(SttError::Busy { vendor: NAME }),
        Err(error @ (WhisperError::Failed { .. } | WhisperError::Refused { .. })) => {
            Err(SttError::Failed { vendor: NAME, detail: error.to_string() })
        }
    }
}
