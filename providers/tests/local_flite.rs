//! flite as a process: what it says, how it fails.

#![cfg(feature = "local-speech")]
#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::StreamExt;
use tandem_codecs::Level;
use tandem_domain::port::tts::{Tts, TtsChunk, TtsError, TtsSpec};
use tandem_providers::local::flite::{Flite, FliteConfig, VOICES};
use tempfile::TempDir;

async fn speak(flite: &Flite, voice: &str, text: &str) -> Vec<Result<TtsChunk, TtsError>> {
    let spec = TtsSpec { text: text.into(), voice: voice.into(), language: "en".into(), rate_hz: 8_000 };
    flite.speak(spec).collect().await
}

async fn sound(flite: &Flite, voice: &str, text: &str) -> Vec<i16> {
    let chunks = speak(flite, voice, text).await;
    chunks.into_iter().flat_map(|chunk| chunk.unwrap_or_else(|error| panic!("{error}")).samples.to_vec()).collect()
}

/// A program that stands in for flite.
fn stand_in(folder: &TempDir, script: &str) -> PathBuf {
    let path = folder.path().join("flite");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn with_program(program: impl AsRef<Path>) -> Flite {
    let program = program.as_ref().to_owned();
    Flite::new(FliteConfig { program, limit: Duration::from_millis(500), ..FliteConfig::default() })
}

#[tokio::test]
async fn every_voice_speaks_at_telephone_level() {
    let flite = Flite::new(FliteConfig::default());
    flite.probe().await.unwrap();
    let mut seen = Vec::new();
    for voice in VOICES {
        let samples = sound(&flite, voice, "Good morning. How may I help you?").await;
        let level = Level::of(&samples);
        assert!((-26.0..=-18.0).contains(&level.rms_dbfs) && level.peak < 30_000, "{voice}: {level:?}");
        assert!((8_000..40_000).contains(&samples.len()), "{voice}: {} samples", samples.len());
        assert!(!seen.contains(&samples), "{voice} is another voice");
        seen.push(samples);
    }
    assert_eq!(sound(&flite, "a vendor's voice id", "Good morning. How may I help you?").await, seen[0]);
}

#[tokio::test]
async fn text_is_never_an_option_or_a_file() {
    let flite = Flite::new(FliteConfig::default());
    for text in ["-voice kal hello", "/etc/passwd", "$(touch /tmp/x); `id`", "play"] {
        assert!(sound(&flite, "", text).await.len() > 2_000, "{text:?}");
    }
    assert!(speak(&flite, "", " <break/> ** ").await.is_empty());
}

#[tokio::test]
async fn a_sentence_is_synthesised_once() {
    let folder = tempfile::tempdir().unwrap();
    let count = folder.path().join("runs");
    let script = format!("echo >> {}; exec flite \"$@\"", count.display());
    let flite = with_program(stand_in(&folder, &script));
    let first = sound(&flite, "rms", "Hello there.").await;
    assert_eq!(sound(&flite, "rms", "  Hello <b>there</b>.").await, first);
    assert_ne!(sound(&flite, "slt", "Hello there.").await, first);
    assert_eq!(std::fs::read_to_string(count).unwrap().lines().count(), 2);
}

#[tokio::test]
async fn a_missing_program_names_the_package() {
    let flite = with_program("/nonexistent/flite");
    let chunks = speak(&flite, "", "Hello.").await;
    let [Err(error @ TtsError::Unavailable { .. })] = &chunks[..] else { panic!("{chunks:?}") };
    assert!(error.to_string().contains("apt-get install flite"), "{error}");
    assert!(flite.probe().await.is_err());
}

#[tokio::test]
async fn a_program_that_hangs_fails_or_says_nothing_is_an_error() {
    for script in ["exec sleep 600", "exit 3", "cat > /dev/null", "echo no wav > \"$6\""] {
        let folder = tempfile::tempdir().unwrap();
        let chunks = speak(&with_program(stand_in(&folder, script)), "", "Hello.").await;
        assert!(matches!(&chunks[..], [Err(TtsError::Failed { .. })]), "{script}: {chunks:?}");
    }
}
