//! The real natural voice: needs it (`make models VOICE=natural`), espeak-ng, and the recogniser's model, and fails without them.

#![cfg(feature = "local-speech")]
#![allow(clippy::unwrap_used)]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tandem_codecs::{Level, Pcm, SampleRate, g711};
use tandem_domain::port::EventStream;
use tandem_domain::port::tts::{Tts, TtsChunk, TtsError, TtsSpec};
use tandem_providers::local::clauses::Clauses;
use tandem_providers::local::flite::{Flite, FliteConfig};
use tandem_providers::local::models;
use tandem_providers::local::piper::{Piper, PiperConfig};
use tandem_providers::tts::order::{Limits, Order};
use tempfile::TempDir;

/// Not a test of its own: the recogniser's process.
#[test]
fn worker() {
    support::be_worker();
}

fn config() -> PiperConfig {
    let voice = models::require_voice(&models::models_dir()).unwrap_or_else(|error| panic!("{error}"));
    PiperConfig { workers: 1, ..PiperConfig::new(voice) }
}

async fn piper() -> Piper {
    Piper::start(config()).await.unwrap_or_else(|error| panic!("{error}"))
}

fn spec(text: &str) -> TtsSpec {
    TtsSpec { text: text.into(), voice: String::new(), language: "en".into(), rate_hz: 8_000 }
}

async fn sound(voice: &dyn Tts, text: &str) -> Vec<i16> {
    let chunks: Vec<_> = voice.speak(spec(text)).collect().await;
    chunks.into_iter().flat_map(|chunk| chunk.unwrap_or_else(|error| panic!("{error}")).samples.to_vec()).collect()
}

/// The samples as they arrive by telephone.
fn by_telephone(samples: &[i16]) -> Pcm {
    let (mut coded, mut heard) = (Vec::new(), Vec::new());
    g711::encode_ulaw(samples, &mut coded);
    g711::decode_ulaw(&coded, &mut heard);
    Pcm::new(SampleRate::HZ_8000, heard)
}

/// Sentences as a front desk says them, numbers as words.
const SENTENCES: [&str; 8] = [
    "Good morning, how may I help you?",
    "I want an apartment in Delhi.",
    "Which part of the city would you like to live in?",
    "You are looking for an apartment in Delhi.",
    "Your appointment is on Monday afternoon, and the doctor will call you in the morning.",
    "Is there anything you would like to change?",
    "I did not understand that, could you please say it again?",
    "Thank you for calling, we will call you back soon. Goodbye.",
];

#[tokio::test]
async fn the_recogniser_hears_what_the_voice_says() {
    let voice = Clauses::new(Arc::new(piper().await));
    let recogniser = support::pool();
    let (mut wrong, mut all) = (0, 0);
    for text in SENTENCES {
        let samples = sound(&voice, text).await;
        let seconds = samples.len() as f32 / 8_000.0;
        // Speech has 12 to 20 characters a second.
        let pace = text.len() as f32 / seconds;
        assert!((8.0..26.0).contains(&pace), "{text}: {seconds} s");
        let level = Level::of(&samples);
        assert!((-26.0..=-18.0).contains(&level.rms_dbfs) && level.peak < 30_000, "{text}: {level:?}");
        let heard = recogniser.transcribe(&by_telephone(&samples), "").await.unwrap();
        let errors = strsim::generic_levenshtein(&words(&heard.text), &words(text));
        println!("{errors} wrong: {}", heard.text);
        (wrong, all) = (wrong + errors, all + words(text).len());
    }
    // The voice is a little different each time, and so is what the small recogniser makes of it.
    assert!(10 * wrong <= all, "{wrong} of {all} words are wrong");
}

fn words(text: &str) -> Vec<String> {
    let plain = text.to_lowercase();
    plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Writes down when the voice is asked for a text and when its audio is there.
struct Witness {
    voice: Piper,
    events: Arc<Mutex<Vec<String>>>,
}

impl Tts for Witness {
    fn name(&self) -> &'static str {
        self.voice.name()
    }

    fn speak(&self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError> {
        let (asked, made) = (Arc::clone(&self.events), Arc::clone(&self.events));
        let text = spec.text.clone();
        let chunks = self.voice.speak(spec);
        let begin = stream::once(async move {
            asked.lock().unwrap().push(format!("synthesises {text}"));
            chunks.inspect(move |_| made.lock().unwrap().push(format!("has {text}")))
        });
        Box::pin(begin.flatten())
    }
}

#[tokio::test]
async fn the_first_sentence_is_heard_before_the_second_is_made() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let voice = Clauses::new(Arc::new(Witness { voice: piper().await, events: Arc::clone(&events) }));
    let mut chunks = voice.speak(spec("Good morning. How may I help you?"));
    while let Some(chunk) = chunks.next().await {
        let samples = chunk.unwrap().samples.len();
        assert!(samples > 4_000, "{samples}");
        events.lock().unwrap().push("caller hears".to_owned());
    }
    assert_eq!(
        *events.lock().unwrap(),
        [
            "synthesises Good morning.",
            "has Good morning.",
            "caller hears",
            "synthesises How may I help you?",
            "has How may I help you?",
            "caller hears",
        ]
    );
}

#[tokio::test]
async fn whatever_is_written_it_speaks_or_says_nothing() {
    let piper = piper().await;
    for text in [
        "-v hi hello",
        "/etc/passwd",
        "$(touch /tmp/x); `id`",
        "namaste \u{926}\u{941}\u{928}\u{93f}\u{92f}\u{93e}",
        "5",
    ] {
        assert!(sound(&piper, text).await.len() > 2_000, "{text:?}");
    }
    for text in ["", " <break/> ** ", "...", "?!"] {
        assert!(sound(&piper, text).await.is_empty(), "{text:?}");
    }
    // Far more sounds than one run takes, without a space to cut at.
    let digits = sound(&piper, &"9876543210".repeat(10)).await;
    assert!(digits.len() > 8 * 8_000, "{}", digits.len());
}

#[tokio::test]
async fn the_same_words_are_made_once() {
    let piper = piper().await;
    let first = sound(&piper, "Hello there.").await;
    assert_eq!(sound(&piper, "  Hello <b>there</b>.").await, first, "the voice varies, what is kept does not");
}

/// A program that stands in for espeak-ng; what it says of its version is always the same.
fn stand_in(folder: &TempDir, script: &str) -> PathBuf {
    let path = folder.path().join("espeak-ng");
    std::fs::write(&path, format!("#!/bin/sh\n[ \"$1\" = --version ] && exit 0\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[tokio::test]
async fn what_is_missing_is_named_with_its_remedy() {
    let missing = PiperConfig { espeak: "/nonexistent/espeak-ng".into(), ..config() };
    let error = Piper::start(missing).await.err().unwrap().to_string();
    assert!(error.contains("apt-get install espeak-ng"), "{error}");
    let error = Piper::start(PiperConfig::new("/nonexistent/voice.onnx".into())).await.err().unwrap().to_string();
    assert!(error.contains("/nonexistent/voice.onnx.json") && error.contains("make models VOICE=natural"), "{error}");
}

#[tokio::test]
async fn a_voice_that_breaks_in_a_call_is_replaced_by_flite_within_the_sentence() {
    let folder = tempfile::tempdir().unwrap();
    // It knows how to say the one clause, and the word that is said when it starts.
    let script =
        "text=$(cat); case $text in Hello|Good*) printf '%s' \"$text\" | exec espeak-ng \"$@\";; *) exit 3;; esac";
    let espeak = stand_in(&folder, script);
    let piper: Arc<dyn Tts> = Arc::new(Piper::start(PiperConfig { espeak, ..config() }).await.unwrap());
    let chunks: Vec<_> = piper.speak(spec("How may I help you?")).collect().await;
    assert!(matches!(&chunks[..], [Err(TtsError::Failed { vendor: "piper", .. })]), "{chunks:?}");

    let flite: Arc<dyn Tts> = Arc::new(Flite::new(FliteConfig::default()));
    let limits = Limits { patience: Duration::from_secs(60), rest: Duration::ZERO, ..Limits::default() };
    let both = Clauses::new(Arc::new(Order::new(Arc::clone(&piper), [Arc::clone(&flite)], limits)));
    let good_morning = sound(&*piper, "Good morning.").await;
    let how_may_i = sound(&*flite, "How may I help you?").await;
    assert_eq!(sound(&both, "Good morning. How may I help you?").await, [good_morning, how_may_i].concat());
}

#[tokio::test]
async fn a_hanging_espeak_is_an_error_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let script = "text=$(cat); case $text in Hello) printf 'h\\n\\n';; *) exec sleep 600;; esac";
    let config = PiperConfig { espeak: stand_in(&folder, script), limit: Duration::from_millis(300), ..config() };
    let piper = Piper::start(config).await.unwrap();
    let chunks: Vec<_> = piper.speak(spec("How may I help you?")).collect().await;
    let [Err(TtsError::Failed { detail, .. })] = &chunks[..] else { panic!("{chunks:?}") };
    assert!(detail.contains("espeak-ng gave no answer"), "{detail}");
}
