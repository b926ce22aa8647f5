//! A synthesiser that speaks with the voice of [`crate::voice`], and tells where each word begins.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tandem_codecs::{SampleRate, resample_all};
use tandem_domain::port::EventStream;
use tandem_domain::port::tts::{Tts, TtsChunk, TtsError, TtsSpec, WordStart};
use tokio::time::sleep;

use super::plan::{Fault, FaultPlan};
use crate::voice::{RATE_HZ, Talker};

const NAME: &str = "fake";

/// How the synthesiser behaves.
#[derive(Debug, Clone)]
pub struct FakeTtsConfig {
    /// Whose voice.
    pub talker: Talker,
    /// From the request to the first chunk.
    pub first_chunk: Duration,
    /// From one chunk to the next.
    pub chunk_interval: Duration,
    /// Audio in one chunk; the last may hold less.
    pub chunk: Duration,
    /// Which sentences go wrong. [`Fault::Error`] and [`Fault::Drop`] come after half of the chunks.
    pub faults: FaultPlan,
}

impl Default for FakeTtsConfig {
    fn default() -> Self {
        Self {
            talker: Talker::default(),
            first_chunk: Duration::ZERO,
            chunk_interval: Duration::ZERO,
            chunk: Duration::from_millis(100),
            faults: FaultPlan::none(),
        }
    }
}

/// The synthesiser; clones share the fault plan.
#[derive(Debug, Clone, Default)]
pub struct FakeTts {
    config: FakeTtsConfig,
}

impl FakeTts {
    /// A synthesiser that behaves so.
    pub fn new(config: FakeTtsConfig) -> Self {
        Self { config }
    }

    /// The sentence in chunks; each holds the words that begin in it.
    fn chunks(&self, spec: &TtsSpec, rate: SampleRate) -> Vec<TtsChunk> {
        let spoken = self.config.talker.speak(&spec.text);
        let scale = |sample: usize| sample as u64 * u64::from(rate.hz()) / u64::from(RATE_HZ);
        let mut words =
            spoken.words.iter().map(|word| WordStart { byte: word.byte, sample: scale(word.samples.start) }).peekable();
        let samples = resample_all(&spoken.samples, SampleRate::HZ_8000, rate);
        let mut end = 0;
        samples
            .chunks(rate.samples_in(self.config.chunk).max(1))
            .map(|chunk| {
                end += chunk.len() as u64;
                let words = std::iter::from_fn(|| words.next_if(|word| word.sample < end)).collect();
                TtsChunk { samples: Arc::from(chunk), words }
            })
            .collect()
    }
}

impl Tts for FakeTts {
    fn name(&self) -> &'static str {
        NAME
    }

    fn speak(&self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError> {
        let Ok(rate) = SampleRate::new(spec.rate_hz) else {
            let remedy = format!("ask for an audio rate, not {} Hz", spec.rate_hz);
            return stream::iter([Err(TtsError::Unavailable { vendor: NAME, remedy })]).boxed();
        };
        let mut items: Vec<Result<TtsChunk, TtsError>> = self.chunks(&spec, rate).into_iter().map(Ok).collect();
        let mut first = self.config.first_chunk;
        match self.config.faults.next() {
            None => {}
            Some(Fault::Slow(delay)) => first += delay,
            Some(Fault::Silent) => return stream::pending().boxed(),
            Some(Fault::Drop) => items.truncate(items.len() / 2),
            Some(Fault::Error) => {
                items.truncate(items.len() / 2);
                items.push(Err(TtsError::Failed { vendor: NAME, detail: "failed as planned".to_owned() }));
            }
        }
        let interval = self.config.chunk_interval;
        stream::iter(items)
            .enumerate()
            .then(move |(index, item)| async move {
                let wait = if index == 0 { first } else { interval };
                if !wait.is_zero() {
                    sleep(wait).await;
                }
                item
            })
            .boxed()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::clock;
    use crate::voice::{Listener, transcript};

    const TEXT: &str = "Which city, please?";

    fn spec(rate_hz: u32) -> TtsSpec {
        TtsSpec { text: TEXT.to_owned(), rate_hz, ..TtsSpec::default() }
    }

    async fn collect(tts: &FakeTts, rate_hz: u32) -> Vec<Result<TtsChunk, TtsError>> {
        tts.speak(spec(rate_hz)).collect().await
    }

    #[tokio::test]
    async fn words_are_told_where_they_begin() {
        let chunks: Vec<TtsChunk> = collect(&FakeTts::default(), 8_000).await.into_iter().map(Result::unwrap).collect();
        let words: Vec<WordStart> = chunks.iter().flat_map(|chunk| chunk.words.clone()).collect();
        let spoken = Talker::default().speak(TEXT);
        assert_eq!(words.iter().map(|word| word.byte).collect::<Vec<_>>(), [0, 6, 12]);
        assert_eq!(
            words.iter().map(|word| word.sample as usize).collect::<Vec<_>>(),
            spoken.words.iter().map(|word| word.samples.start).collect::<Vec<_>>()
        );
        assert_eq!(chunks.iter().flat_map(|chunk| chunk.samples.to_vec()).collect::<Vec<_>>(), spoken.samples);
    }

    #[tokio::test]
    async fn the_words_survive_another_rate() {
        let chunks = collect(&FakeTts::default(), 16_000).await;
        let samples: Vec<i16> = chunks.into_iter().flat_map(|chunk| chunk.unwrap().samples.to_vec()).collect();
        let line = resample_all(&samples, SampleRate::HZ_16000, SampleRate::HZ_8000);
        let mut listener = Listener::new();
        assert_eq!(transcript(&listener.push(&line)), TEXT);
    }

    #[tokio::test(start_paused = true)]
    async fn chunks_come_at_their_time() {
        let config = FakeTtsConfig {
            first_chunk: Duration::from_millis(200),
            chunk_interval: Duration::from_millis(10),
            ..FakeTtsConfig::default()
        };
        let began = clock::now();
        let chunks = collect(&FakeTts::new(config), 8_000).await.len() as u128;
        assert_eq!(began.elapsed().as_millis(), 200 + 10 * (chunks - 1));
    }

    #[tokio::test(start_paused = true)]
    async fn faults_come_as_planned() {
        let with = |faults| FakeTts::new(FakeTtsConfig { faults, ..FakeTtsConfig::default() });
        let whole = collect(&with(FaultPlan::none()), 8_000).await.len();
        let failing = with(FaultPlan::times(Fault::Error, 0, 1));
        let failed = collect(&failing, 8_000).await;
        assert_eq!(failed.len(), whole / 2 + 1);
        assert!(matches!(failed.last(), Some(Err(TtsError::Failed { .. }))));
        assert_eq!(collect(&failing, 8_000).await.len(), whole, "the restart goes well");
        assert_eq!(collect(&with(FaultPlan::always(Fault::Drop)), 8_000).await.len(), whole / 2);
        let began = clock::now();
        collect(&with(FaultPlan::always(Fault::Slow(Duration::from_secs(3)))), 8_000).await;
        assert_eq!(began.elapsed().as_secs(), 3);
        let silent = with(FaultPlan::always(Fault::Silent));
        let limit = Duration::from_secs(60);
        assert!(tokio::time::timeout(limit, collect(&silent, 8_000)).await.is_err());
    }
}
