//! The real recogniser, in a child process: needs the model (`make models`) and flite, and fails without them.

#![cfg(feature = "local-speech")]
#![allow(clippy::unwrap_used)]

mod support;

use futures_util::StreamExt;
use tandem_codecs::{Pcm, SampleRate, g711};
use tandem_domain::port::tts::{Tts, TtsSpec};
use tandem_providers::local::flite::{Flite, FliteConfig};

use support::pool;

/// Not a test of its own: the child process.
#[test]
fn worker() {
    support::be_worker();
}

/// The sentence as it arrives by telephone.
async fn telephone(text: &str) -> Pcm {
    let spec = TtsSpec { text: text.into(), voice: "rms".into(), language: "en".into(), rate_hz: 8_000 };
    let chunks: Vec<_> = Flite::new(FliteConfig::default()).speak(spec).collect().await;
    let (mut coded, mut samples) = (Vec::new(), Vec::new());
    for chunk in chunks {
        g711::encode_ulaw(&chunk.unwrap_or_else(|error| panic!("{error}")).samples, &mut coded);
    }
    g711::decode_ulaw(&coded, &mut samples);
    Pcm::new(SampleRate::HZ_8000, samples)
}

#[tokio::test]
async fn a_sentence_is_recognised_and_the_same_every_time() {
    let pool = pool();
    pool.warm().await.unwrap();
    let speech = telephone("I want an apartment in Delhi.").await;
    let first = pool.transcribe(&speech, "Delhi, Mumbai, lakh, crore.").await.unwrap();
    assert_eq!(first.text, "I want an apartment in Delhi.");
    assert!((0.5..=1.0).contains(&first.confidence), "{first:?}");
    pool.transcribe(&telephone("Sixty lakh rupees.").await, "").await.unwrap();
    let again = pool.transcribe(&speech, "Delhi, Mumbai, lakh, crore.").await.unwrap();
    assert_eq!((again.text, again.confidence), (first.text, first.confidence));
}

#[tokio::test]
async fn silence_and_short_audio_are_no_words_and_no_error() {
    let pool = pool();
    for samples in [0, 1, 400, 8_000] {
        let heard = pool.transcribe(&Pcm::new(SampleRate::HZ_8000, vec![0i16; samples]), "").await.unwrap();
        assert_eq!(heard.text, "", "{samples} samples");
    }
    let click: Vec<i16> = (0..160).map(|n| if n % 2 == 0 { 3_000 } else { -3_000 }).collect();
    pool.transcribe(&Pcm::new(SampleRate::HZ_8000, click), "").await.unwrap();
}
