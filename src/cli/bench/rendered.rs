//! A voice that makes each sentence once: the fake one, which would render it anew for every call.
//!
//! Place: in the measured switch, under the meter. What vendors cost is no part of the figures, but rendering a sentence takes the thread of the
//! calls for a millisecond or two, and that is in everybody's pacing. A hosted voice works elsewhere, and a local one on threads of its own.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use futures_util::{FutureExt, StreamExt, stream};
use tandem_domain::port::EventStream;
use tandem_domain::port::tts::{Tts, TtsChunk, TtsError, TtsSpec};

/// Sentences that are kept: more than a playbook has. Others are rendered whenever they are said.
const KEPT: usize = 256;

/// A sentence at a rate.
type Key = (String, u32);

/// `vendor`, asked once for each sentence. For one voice, whose chunks are there at once.
pub(super) struct Rendered<V> {
    vendor: V,
    sentences: Mutex<HashMap<Key, Vec<TtsChunk>>>,
}

impl<V> Rendered<V> {
    pub(super) fn of(vendor: V) -> Self {
        Self { vendor, sentences: Mutex::default() }
    }
}

impl<V: Tts> Tts for Rendered<V> {
    fn name(&self) -> &'static str {
        self.vendor.name()
    }

    fn speak(&self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError> {
        let mut sentences = self.sentences.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (spec.text.clone(), spec.rate_hz);
        if let Some(chunks) = sentences.get(&key) {
            return stream::iter(chunks.clone().into_iter().map(Ok)).boxed();
        }
        let chunks: Option<Result<Vec<_>, _>> =
            self.vendor.speak(spec.clone()).collect::<Vec<_>>().now_or_never().map(|all| all.into_iter().collect());
        match chunks {
            Some(Ok(chunks)) => {
                if sentences.len() < KEPT {
                    sentences.insert(key, chunks.clone());
                }
                stream::iter(chunks.into_iter().map(Ok)).boxed()
            }
            Some(Err(_)) | None => self.vendor.speak(spec), // it fails, or takes its time: nothing to keep
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use tandem_peers::vendor::{FakeTts, FakeTtsConfig};

    use super::*;

    struct Counted(FakeTts, AtomicU32);

    impl Tts for Counted {
        fn name(&self) -> &'static str {
            self.0.name()
        }
        fn speak(&self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.speak(spec)
        }
    }

    async fn samples(voice: &impl Tts, text: &str, rate_hz: u32) -> Vec<i16> {
        let chunks = voice.speak(TtsSpec { text: text.to_owned(), rate_hz, ..TtsSpec::default() });
        chunks.collect::<Vec<_>>().await.into_iter().flat_map(|chunk| chunk.unwrap().samples.to_vec()).collect()
    }

    #[tokio::test]
    async fn a_sentence_sounds_as_it_did_and_is_made_once_for_each_rate() {
        let voice = Rendered::of(Counted(FakeTts::default(), AtomicU32::new(0)));
        let expected = samples(&FakeTts::default(), "Which city?", 8_000).await;
        assert!(!expected.is_empty());
        for _ in 0..3 {
            assert_eq!(samples(&voice, "Which city?", 8_000).await, expected);
        }
        assert!(samples(&voice, "Which city?", 16_000).await.len() > expected.len());
        assert_eq!(voice.vendor.1.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_voice_that_takes_its_time_is_asked_each_time() {
        let slow = FakeTtsConfig { first_chunk: Duration::from_millis(200).into(), ..FakeTtsConfig::default() };
        let voice = Rendered::of(Counted(FakeTts::new(slow), AtomicU32::new(0)));
        let expected = samples(&FakeTts::default(), "Which city?", 8_000).await;
        for _ in 0..2 {
            assert_eq!(samples(&voice, "Which city?", 8_000).await, expected);
        }
        assert!(voice.sentences.lock().unwrap().is_empty());
    }
}
