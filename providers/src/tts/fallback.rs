//! One voice, and another that takes over where the first does not speak.
//!
//! Place: `port::tts`, around a voice that can be missing, busy or broken; the second is one that hardly ever is. Chains by nesting.
//! After a failure the first voice rests: a machine that is too busy for it must not pay the wait with every clause, nor change the voice back
//! and forth within an answer.
//! Not here: a sentence that fails after some of it was heard. A second voice cannot know where to go on, so the error is passed on, and the
//! sentence is said again by whoever is responsible; in front of [`Clauses`](crate::local::clauses) that never is more than a clause.

use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tandem_domain::port::EventStream;
use tandem_domain::port::tts::{Tts, TtsChunk, TtsError, TtsSpec};
use tokio::time::{Instant, timeout};

/// When a voice has failed.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest that it may take to begin.
    pub patience: Duration,
    /// How long it is left alone afterwards.
    pub rest: Duration,
}

/// A voice with another behind it. It goes by the name of the first. Clones share the first one's rest.
#[derive(Clone)]
pub struct Fallback {
    first: Arc<dyn Tts>,
    second: Arc<dyn Tts>,
    limits: Limits,
    /// Until when the first voice rests.
    rests: Arc<Mutex<Option<Instant>>>,
}

impl Fallback {
    /// `second` speaks what `first` refuses, or has not begun in time, and for a while after that.
    pub fn new(first: Arc<dyn Tts>, second: Arc<dyn Tts>, limits: Limits) -> Self {
        Self { first, second, limits, rests: Arc::default() }
    }

    /// The stream of whichever voice begins.
    async fn begin(self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError> {
        let (from, to) = (self.first.name(), self.second.name());
        if !self.rests() {
            let mut chunks = self.first.speak(spec.clone());
            let error = match timeout(self.limits.patience, chunks.next()).await {
                Ok(Some(Ok(chunk))) => return Box::pin(stream::once(ready(Ok(chunk))).chain(chunks)),
                Ok(None) => return chunks, // no words: there is nothing for the second voice to say either
                Ok(Some(Err(error))) => error,
                Err(_) => TtsError::Failed { vendor: from, detail: "no audio in time".to_owned() },
            };
            tracing::warn!(%error, from, to, "another voice takes over");
            *self.rests.lock().unwrap_or_else(PoisonError::into_inner) = Some(now() + self.limits.rest);
        }
        metrics::counter!("tandem_provider_fallbacks_total", "stage" => "tts", "from" => from, "to" => to).increment(1);
        self.second.speak(spec)
    }

    fn rests(&self) -> bool {
        self.rests.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| now() < until)
    }
}

#[expect(clippy::disallowed_methods, reason = "a vendor's rest is no part of a call's decisions")]
fn now() -> Instant {
    Instant::now()
}

impl Tts for Fallback {
    fn name(&self) -> &'static str {
        self.first.name()
    }

    fn speak(&self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError> {
        Box::pin(stream::once(self.clone().begin(spec)).flatten())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LIMITS: Limits = Limits { patience: Duration::from_millis(1_500), rest: Duration::from_secs(10) };

    /// A step of a voice.
    enum Act {
        Chunk,
        Fail,
        Hang,
    }

    /// Name, the one sample of its chunks, steps.
    struct Scripted(&'static str, i16, &'static [Act]);

    impl Tts for Scripted {
        fn name(&self) -> &'static str {
            self.0
        }

        fn speak(&self, _: TtsSpec) -> EventStream<TtsChunk, TtsError> {
            let Self(vendor, number, acts) = *self;
            Box::pin(stream::iter(acts).then(move |act| async move {
                match act {
                    Act::Chunk => Ok(TtsChunk { samples: Arc::from([number]), words: Vec::new() }),
                    Act::Fail => Err(TtsError::Failed { vendor, detail: "on purpose".to_owned() }),
                    Act::Hang => std::future::pending().await,
                }
            }))
        }
    }

    fn voice(first: &'static [Act]) -> Fallback {
        let two = Scripted("two", 2, &[Act::Chunk, Act::Chunk]);
        Fallback::new(Arc::new(Scripted("one", 1, first)), Arc::new(two), LIMITS)
    }

    async fn heard(voice: &Fallback) -> (Vec<i16>, Option<TtsError>) {
        let chunks: Vec<_> = voice.speak(TtsSpec::default()).collect().await;
        let error = chunks.iter().find_map(|chunk| chunk.as_ref().err().cloned());
        (chunks.into_iter().flatten().flat_map(|chunk| chunk.samples.to_vec()).collect(), error)
    }

    #[tokio::test(start_paused = true)]
    async fn the_second_voice_says_what_the_first_has_not_begun() {
        use Act::{Chunk, Fail, Hang};
        assert_eq!(voice(&[Chunk]).name(), "one");
        assert_eq!(heard(&voice(&[Chunk, Chunk, Chunk])).await, (vec![1, 1, 1], None));
        assert_eq!(heard(&voice(&[Fail])).await, (vec![2, 2], None));
        assert_eq!(heard(&voice(&[])).await, (vec![], None), "nothing to say is no failure");
        let hangs = voice(&[Hang]);
        let in_time = timeout(LIMITS.patience + Duration::from_millis(1), heard(&hangs)).await;
        assert_eq!(in_time.unwrap(), (vec![2, 2], None));
    }

    #[tokio::test(start_paused = true)]
    async fn who_failed_rests_and_is_asked_again() {
        let voice = voice(&[Act::Hang]);
        heard(&voice).await;
        let at_once = Duration::from_millis(1);
        assert_eq!(timeout(at_once, heard(&voice)).await.unwrap(), (vec![2, 2], None), "nobody waits for it");
        tokio::time::advance(LIMITS.rest).await;
        timeout(at_once, heard(&voice)).await.expect_err("it is asked, and hangs again");
    }

    #[tokio::test]
    async fn a_failure_after_some_audio_is_passed_on() {
        let (samples, error) = heard(&voice(&[Act::Chunk, Act::Fail])).await;
        assert_eq!(samples, [1]);
        assert!(matches!(error, Some(TtsError::Failed { vendor: "one", .. })));
    }
}
