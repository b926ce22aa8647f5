//! One voice, and another that takes over where the first does not speak.
//!
//! Place: `port::tts`, around a voice that can be missing, busy or broken; the second is one that hardly ever is. Chains by nesting.
//! Not here: a sentence that fails after some of it was heard. A second voice cannot know where to go on, so the error is passed on, and the
//! sentence is said again by whoever is responsible; in front of [`Clauses`](crate::local::clauses) that never is more than a clause.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tandem_domain::port::EventStream;
use tandem_domain::port::tts::{Tts, TtsChunk, TtsError, TtsSpec};
use tokio::time::timeout;

/// A voice with another behind it. It goes by the name of the first.
#[derive(Clone)]
pub struct Fallback {
    first: Arc<dyn Tts>,
    second: Arc<dyn Tts>,
    patience: Duration,
}

impl Fallback {
    /// `second` speaks what `first` refuses, or has not begun within `patience`.
    pub fn new(first: Arc<dyn Tts>, second: Arc<dyn Tts>, patience: Duration) -> Self {
        Self { first, second, patience }
    }

    /// The stream of whichever voice begins.
    async fn begin(self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError> {
        let mut chunks = self.first.speak(spec.clone());
        let error = match timeout(self.patience, chunks.next()).await {
            Ok(Some(Ok(chunk))) => return Box::pin(stream::once(ready(Ok(chunk))).chain(chunks)),
            Ok(None) => return chunks, // no words: there is nothing for the second voice to say either
            Ok(Some(Err(error))) => error,
            Err(_) => TtsError::Failed { vendor: self.first.name(), detail: "no audio in time".to_owned() },
        };
        drop(chunks); // cancels the synthesis
        let (from, to) = (self.first.name(), self.second.name());
        tracing::warn!(%error, from, to, "another voice takes over");
        metrics::counter!("tandem_provider_fallbacks_total", "stage" => "tts", "from" => from, "to" => to).increment(1);
        self.second.speak(spec)
    }
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

    const PATIENCE: Duration = Duration::from_millis(1_500);

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

    async fn heard(first: &'static [Act]) -> (Vec<i16>, Option<TtsError>) {
        let voice = Fallback::new(
            Arc::new(Scripted("one", 1, first)),
            Arc::new(Scripted("two", 2, &[Act::Chunk, Act::Chunk])),
            PATIENCE,
        );
        assert_eq!(voice.name(), "one");
        let chunks: Vec<_> = voice.speak(TtsSpec::default()).collect().await;
        let error = chunks.iter().find_map(|chunk| chunk.as_ref().err().cloned());
        (chunks.into_iter().flatten().flat_map(|chunk| chunk.samples.to_vec()).collect(), error)
    }

    #[tokio::test(start_paused = true)]
    async fn the_second_voice_says_what_the_first_has_not_begun() {
        use Act::{Chunk, Fail, Hang};
        assert_eq!(heard(&[Chunk, Chunk, Chunk]).await, (vec![1, 1, 1], None));
        assert_eq!(heard(&[Fail]).await, (vec![2, 2], None));
        assert_eq!(heard(&[]).await, (vec![], None), "nothing to say is no failure");
        let in_time = timeout(PATIENCE + Duration::from_millis(1), heard(&[Hang])).await;
        assert_eq!(in_time.unwrap(), (vec![2, 2], None));
    }

    #[tokio::test]
    async fn a_failure_after_some_audio_is_passed_on() {
        let (samples, error) = heard(&[Act::Chunk, Act::Fail]).await;
        assert_eq!(samples, [1]);
        assert!(matches!(error, Some(TtsError::Failed { vendor: "one", .. })));
    }
}
