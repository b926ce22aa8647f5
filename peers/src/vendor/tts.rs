//! A synthesiser that speaks with the voice of [`crate::voice`], and tells where each word begins.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use tandem_codecs::noise::Noise;
use tandem_codecs::{SampleRate, resample_all};
use tandem_domain::port::EventStream;
use tandem_domain::port::tts::{KnownVoice, Tts, TtsChunk, TtsError, TtsSpec, WordStart};
use tokio::time::sleep;

use super::latency::Latency;
use super::plan::{Fault, FaultPlan};
use crate::voice::{RATE_HZ, Talker};

const NAME: &str = "fake";
/// Level of [`Fault::Garbage`]: well above speech.
const GARBAGE_DBFS: f32 = -12.0;
/// Least time from chunk to chunk of [`Fault::Endless`]: far faster than anybody listens, and yet it takes time.
const ENDLESS_INTERVAL: Duration = Duration::from_millis(1);

/// How the synthesiser behaves.
#[derive(Debug, Clone)]
pub struct FakeTtsConfig {
    /// Whose voice.
    pub talker: Talker,
    /// From the request to the first chunk.
    pub first_chunk: Latency,
    /// From one chunk to the next.
    pub chunk_interval: Duration,
    /// Audio in one chunk; the last may hold less.
    pub chunk: Duration,
    /// Which sentences go wrong. [`Fault::Error`] and [`Fault::Drop`] come after half of the chunks, [`Fault::DropMidway`] within the
    /// middle word; [`Fault::Garbage`] is loud noise of the sentence's length; [`Fault::Endless`] says the sentence again and again.
    pub faults: FaultPlan,
    /// Its audio has this rate, whatever was asked for and whatever it says.
    pub made_at_hz: Option<u32>,
    /// Says its sentence again and again until it has so many bytes, and gives them in one chunk.
    pub flood_bytes: Option<usize>,
    /// Seed of the latencies.
    pub seed: u64,
}

impl Default for FakeTtsConfig {
    fn default() -> Self {
        Self {
            talker: Talker::default(),
            first_chunk: Latency::ZERO,
            chunk_interval: Duration::ZERO,
            chunk: Duration::from_millis(100),
            faults: FaultPlan::none(),
            made_at_hz: None,
            flood_bytes: None,
            seed: 0,
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
        let made_at = self.config.made_at_hz.and_then(|hz| SampleRate::new(hz).ok()).unwrap_or(rate);
        let samples = resample_all(&spoken.samples, SampleRate::HZ_8000, made_at);
        if let Some(bytes) = self.config.flood_bytes {
            let samples: Arc<[i16]> = samples.into_iter().cycle().take(bytes / size_of::<i16>()).collect();
            return vec![TtsChunk { samples, words: words.collect() }];
        }
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

    fn voices(&self) -> Vec<KnownVoice<'_>> {
        vec![KnownVoice { id: NAME, name: "Fake", accent: "of no place" }]
    }

    fn speak(&self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError> {
        let Ok(rate) = SampleRate::new(spec.rate_hz) else {
            let remedy = format!("ask for an audio rate, not {} Hz", spec.rate_hz);
            return stream::iter([Err(TtsError::Unavailable { vendor: NAME, remedy })]).boxed();
        };
        let mut chunks = self.chunks(&spec, rate);
        let request = self.config.faults.request();
        let mut first = self.config.first_chunk.of_request(self.config.seed, u64::from(request.number));
        let mut error = None;
        match request.fault {
            None => {}
            Some(Fault::Slow(delay)) => first += delay,
            Some(Fault::Silent) => return stream::pending().boxed(),
            Some(Fault::Drop) => chunks.truncate(chunks.len() / 2),
            Some(Fault::DropMidway) => cut_midway(&mut chunks),
            Some(Fault::Error) => {
                chunks.truncate(chunks.len() / 2);
                error = Some(Err(TtsError::Failed { vendor: NAME, detail: "failed as planned".to_owned() }));
            }
            Some(Fault::Garbage) => {
                let mut noise = Noise::new(self.config.seed, GARBAGE_DBFS);
                for chunk in &mut chunks {
                    let samples = noise.by_ref().take(chunk.samples.len()).collect();
                    *chunk = TtsChunk { samples, words: Vec::new() };
                }
            }
            Some(Fault::Endless) if chunks.is_empty() => return stream::pending().boxed(),
            Some(Fault::Endless) => {
                let again = stream::iter(chunks.into_iter().cycle());
                return paced(again.map(Ok), first, self.config.chunk_interval.max(ENDLESS_INTERVAL));
            }
        }
        let items = chunks.into_iter().map(Ok).chain(error);
        paced(stream::iter(items), first, self.config.chunk_interval)
    }
}

/// Ends the speech in the middle of its middle word.
fn cut_midway(chunks: &mut Vec<TtsChunk>) {
    let starts: Vec<u64> = chunks.iter().flat_map(|chunk| chunk.words.iter().map(|word| word.sample)).collect();
    let total: u64 = chunks.iter().map(|chunk| chunk.samples.len() as u64).sum();
    let middle = starts.len() / 2;
    let Some(&from) = starts.get(middle) else { return chunks.clear() };
    let to = starts.get(middle + 1).copied().unwrap_or(total);
    let mut left = ((from + to) / 2) as usize;
    chunks.retain_mut(|chunk| {
        let kept = left.min(chunk.samples.len());
        left -= kept;
        if kept < chunk.samples.len() {
            chunk.samples = Arc::from(&chunk.samples[..kept]);
        }
        kept > 0
    });
}

/// The items in their time.
fn paced(
    items: impl Stream<Item = Result<TtsChunk, TtsError>> + Send + 'static,
    first: Duration,
    interval: Duration,
) -> EventStream<TtsChunk, TtsError> {
    items
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
            first_chunk: Duration::from_millis(200).into(),
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

    #[tokio::test(start_paused = true)]
    async fn a_voice_may_break_off_within_a_word_babble_or_never_end() {
        let with = |fault| FakeTts::new(FakeTtsConfig { faults: FaultPlan::always(fault), ..FakeTtsConfig::default() });
        let samples = |chunks: Vec<Result<TtsChunk, TtsError>>| -> Vec<i16> {
            chunks.into_iter().flat_map(|chunk| chunk.unwrap().samples.to_vec()).collect()
        };
        let spoken = Talker::default().speak(TEXT);

        let broken = samples(collect(&with(Fault::DropMidway), 8_000).await);
        let city = &spoken.words[1].samples;
        assert!(city.start < broken.len() && broken.len() < city.end + 480, "{city:?} {}", broken.len());
        assert_eq!(broken, spoken.samples[..broken.len()]);
        let mut listener = Listener::new();
        assert_eq!(transcript(&[listener.push(&broken), listener.finish()].concat()), "Which");

        let babble = samples(collect(&with(Fault::Garbage), 8_000).await);
        assert_eq!(babble.len(), spoken.samples.len());
        assert_eq!(Listener::new().push(&babble), []);

        let endless: Vec<_> = with(Fault::Endless).speak(spec(8_000)).take(1_000).collect().await;
        assert_eq!(endless.len(), 1_000, "100 s of audio, and it would go on");
    }

    #[tokio::test(start_paused = true)]
    async fn a_seed_gives_each_sentence_its_latency() {
        let first_chunk = Latency::percentiles_ms(150, 300);
        let waits = async |seed| {
            let tts = FakeTts::new(FakeTtsConfig { first_chunk, seed, ..FakeTtsConfig::default() });
            let mut waits = Vec::new();
            for _ in 0..5 {
                let began = clock::now();
                collect(&tts, 8_000).await;
                waits.push(began.elapsed());
            }
            waits
        };
        assert_eq!(waits(1).await, waits(1).await);
        assert_ne!(waits(1).await, waits(2).await);
    }
}
