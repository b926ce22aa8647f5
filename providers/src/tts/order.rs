//! Several voices in an order: the first that can speaks, and who follows goes on where it stopped.
//!
//! Place: `port::tts`, around voices that can be missing, busy or broken; the last is one that hardly ever is.
//!
//! ```text
//! begin:   first ─ late or refused ─► second ─ late or refused ─► … ─► last (waited for by whoever asked)
//!          └ its share of the patience ┘ what is left of two shares ┘
//! later:   "Your order | ships | to|day" ✗        whole words alone go out: "today" had begun, and is held back
//!          the next voice says "today"            no word is lost, and none is said twice
//! ```
//!
//! - A voice that failed rests, by what it said: a second wait with every sentence is worse than another voice. After its rest one sentence
//!   tries it, and the others still pass it by until that one has begun.
//! - Where a voice tells when its words begin, the sentence is cut exactly. Where it does not, the place is estimated by the pace of speech and
//!   rounded down to the word: to hear one twice is better than not at all.
//! - A word whose end is not known is held back until the next begins, while there is sound before it in the ear. The first word of all waits
//!   60 ms at most: the caller waits for it.
//!
//! Not here: the same voice again. Its adapter knows better whether that can help.

mod held;
mod rest;

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tandem_domain::port::EventStream;
use tandem_domain::port::tts::{KnownVoice, Tts, TtsChunk, TtsError, TtsSpec};
use tokio::time::{Instant, timeout_at};

use self::held::Held;
use self::rest::Rest;

/// How long the first sound may wait for its word to end.
const HOLD: Duration = Duration::from_millis(60);

/// When a voice has failed.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest that all voices but the last may take to begin, together. Each has the same share, and what those before it have left.
    pub patience: Duration,
    /// The longest silence within a sentence.
    pub stall: Duration,
    /// How long a voice is left alone after a failure that may pass by itself.
    pub rest: Duration,
    /// How long after one that needs a person: a wrong key, no quota.
    pub long_rest: Duration,
}

impl Default for Limits {
    /// Together within the 2 s of dead air that promises.md P7 allows.
    fn default() -> Self {
        Self {
            patience: Duration::from_millis(1_500),
            stall: Duration::from_millis(1_200),
            rest: Duration::from_secs(10),
            long_rest: Duration::from_secs(600),
        }
    }
}

/// Voices in their order. It goes by the name of the first. Clones share the rests.
#[derive(Clone)]
pub struct Order {
    shared: Arc<Shared>,
}

struct Shared {
    voices: Vec<(Arc<dyn Tts>, Rest)>,
    limits: Limits,
}

impl Order {
    /// `first`, and behind it the others.
    pub fn new(first: Arc<dyn Tts>, others: impl IntoIterator<Item = Arc<dyn Tts>>, limits: Limits) -> Self {
        let voices = std::iter::once(first).chain(others).map(|voice| (voice, Rest::default())).collect();
        Self { shared: Arc::new(Shared { voices, limits }) }
    }
}

impl Tts for Order {
    fn name(&self) -> &'static str {
        self.shared.voices[0].0.name()
    }

    /// Of the first: it is the one that speaks, as a rule.
    fn voices(&self) -> Vec<KnownVoice<'_>> {
        self.shared.voices[0].0.voices()
    }

    fn speak(&self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError> {
        let sentence = Sentence {
            order: Arc::clone(&self.shared),
            spec,
            began: now(),
            next: 0,
            voice: None,
            held: Held::default(),
            ended: false,
        };
        Box::pin(stream::unfold(sentence, |mut sentence| async {
            let item = sentence.next().await?;
            Some((item, sentence))
        }))
    }
}

/// A sentence on its way.
struct Sentence {
    order: Arc<Shared>,
    /// As it was asked for.
    spec: TtsSpec,
    began: Instant,
    /// Who speaks if the voice in hand fails.
    next: usize,
    voice: Option<Speaking>,
    /// What was said, and what is not handed on yet.
    held: Held,
    ended: bool,
}

/// The voice in hand.
struct Speaking {
    at: usize,
    chunks: EventStream<TtsChunk, TtsError>,
    /// Whether it has given anything.
    begun: bool,
    /// When its first audio is late.
    late: Instant,
}

impl Sentence {
    async fn next(&mut self) -> Option<Result<TtsChunk, TtsError>> {
        while !self.ended {
            let voices = self.order.voices.len();
            if self.voice.is_none() {
                self.voice = Some(self.take_turn());
            }
            let Some(voice) = &mut self.voice else { break };
            let last = voice.at + 1 == voices;
            let limits = self.order.limits;
            let held_until = self.held.waits_since().map(|since| since + HOLD);
            let late = match (voice.begun, last) {
                (false, true) => None,
                (false, false) => Some(voice.late),
                (true, true) => None,
                (true, false) => Some(now() + limits.stall),
            };
            let due = [late, held_until].into_iter().flatten().min();
            let chunk = match due {
                Some(due) => timeout_at(due, voice.chunks.next()).await,
                None => Ok(voice.chunks.next().await),
            };
            match chunk {
                Ok(Some(Ok(chunk))) => {
                    if !std::mem::replace(&mut voice.begun, true) {
                        self.order.voices[voice.at].1.wake();
                    }
                    if let Some(chunk) = self.held.push(chunk, now()) {
                        return Some(Ok(chunk));
                    }
                }
                Ok(None) => {
                    self.ended = true;
                    return self.held.finish().map(Ok);
                }
                Ok(Some(Err(error))) => {
                    if let Some(error) = self.fail(error) {
                        return Some(Err(error));
                    }
                }
                Err(_) if held_until == due => {
                    if let Some(chunk) = self.held.release() {
                        return Some(Ok(chunk));
                    }
                }
                Err(_) => {
                    let vendor = self.order.voices[voice.at].0.name();
                    let error = TtsError::Failed { vendor, detail: "no audio in time".to_owned() };
                    if let Some(error) = self.fail(error) {
                        return Some(Err(error));
                    }
                }
            }
        }
        None
    }

    /// The next voice that does not rest, asked for what is still to be said.
    fn take_turn(&mut self) -> Speaking {
        let Shared { voices, limits } = &*self.order;
        let last = voices.len() - 1;
        let now = now();
        let at = (self.next.min(last)..last).find(|at| voices[*at].1.may_speak(now, limits.patience)).unwrap_or(last);
        self.next = at + 1;
        let (first, chosen) = (voices[0].0.name(), voices[at].0.name());
        if at > 0 {
            metrics::counter!("tandem_provider_fallbacks_total", "stage" => "tts", "from" => first, "to" => chosen)
                .increment(1);
        }
        let rest = self.held.rest_of(&self.spec.text, self.spec.rate_hz);
        let spec = TtsSpec { text: self.spec.text[rest..].to_owned(), ..self.spec.clone() };
        let share = limits.patience / u32::try_from(last.max(1)).unwrap_or(u32::MAX);
        // In the middle of a sentence the time begins anew: sound is still on its way to the ear.
        let late = if self.held.said() > 0 { now + share } else { self.began + share * (at as u32 + 1) };
        self.held.begins(rest);
        Speaking { at, chunks: voices[at].0.speak(spec), begun: false, late }
    }

    /// The voice in hand failed: the next one speaks. The error, if there is none.
    fn fail(&mut self, error: TtsError) -> Option<TtsError> {
        let Shared { voices, limits } = &*self.order;
        let at = self.voice.take()?.at;
        let Some((next, _)) = voices.get(at + 1) else {
            self.ended = true;
            return Some(error);
        };
        tracing::warn!(%error, from = voices[at].0.name(), to = next.name(), "another voice takes over");
        voices[at].1.begin(now(), &error, limits);
        None
    }
}

#[expect(clippy::disallowed_methods, reason = "a vendor's rest is no part of a call's decisions")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests;
