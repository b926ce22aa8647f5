//! The natural voice in the whole program: needs it (`make models VOICE=natural`) and espeak-ng, and fails without them.
#![cfg(feature = "local-speech")]
#![allow(clippy::unwrap_used, missing_docs)]

use std::process::Stdio;

use serde_json::Value;
use tandem::Vendors;
use tandem_peers::wer::word_errors;
use tokio::process::Command;

mod support;

#[tokio::test(flavor = "multi_thread")]
async fn the_setting_chooses_it() {
    for (setting, engine) in [("flite", "flite"), ("piper", "piper")] {
        let vendors = Vendors { tts: None, ..support::fakes() };
        let folder = tempfile::tempdir().unwrap();
        let program = support::boot_in(folder, &[("TTS_PROVIDER", setting)], vendors).await.unwrap();
        assert_eq!(program.running.engines.tts, engine);
        program.running.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_files_it_refuses_and_names_the_remedy() {
    let vendors = Vendors { tts: None, ..support::fakes() };
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("models").display().to_string();
    let settings = [("TTS_PROVIDER", "piper"), ("MODELS_DIR", models.as_str())];
    let refused = support::boot_in(folder, &settings, vendors).await.err().unwrap();
    let mut words = refused.to_string();
    let mut cause = std::error::Error::source(&refused);
    while let Some(error) = cause {
        words += &format!(": {error}");
        cause = error.source();
    }
    assert!(words.contains("run `make models VOICE=natural`"), "{words}");
}

/// Real speech both ways, in real time. What a machine that is busy with other things has no time for, flite says: also without a gap.
#[tokio::test(flavor = "multi_thread")]
async fn the_front_desk_speaks_with_it_without_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let called = Command::new(env!("CARGO_BIN_EXE_tandem"))
        // A port on which nobody listens: the command starts a switch of its own.
        .args(["simulate", "--json", "--port", "1", "--data-dir", "data", "--set", "TTS_PROVIDER=piper"])
        .args(["--say", "I want an apartment in Delhi", "--say", "sixty lakh rupees"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let talk = String::from_utf8_lossy(&called.stderr);
    assert!(called.status.success(), "{talk}");
    let report: Value = serde_json::from_slice(&called.stdout).unwrap();
    assert_eq!(report["ended_reason"], "completed", "{report:#}");
    assert_eq!(report["audio"]["underruns"], 0, "{report:#}");
    let turns = report["turns"].as_array().unwrap();
    let all = |key: &str| turns.iter().map(|turn| turn[key].as_str().unwrap()).collect::<Vec<_>>().join(" ");
    // The ear is the recogniser too, and takes "an apartment" for "and apartment" now and then.
    let heard = word_errors(&all("agent_text"), &all("agent_heard_text"));
    assert!(heard.words > 30 && heard.rate() <= 0.15, "{heard:?} {report:#}");
}
