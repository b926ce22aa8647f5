//! What listens to callers, in the whole program: the detector and the judge of turns that settings name. Needs their models
//! (`tandem models install --vad silero --end-of-turn smart-turn`), the recogniser's and flite, and fails without them.
#![cfg(feature = "local-speech")]
#![allow(clippy::unwrap_used, missing_docs)]

use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

mod support;

async fn refusal(setting: (&str, &str)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("models").display().to_string();
    let refused = support::boot_in(folder, &[setting, ("MODELS_DIR", models.as_str())], support::fakes()).await;
    refused.err().unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_model_an_engine_refuses_and_names_the_remedy() {
    let detector = refusal(("VAD_ENGINE", "silero")).await;
    assert!(detector.contains("run `tandem models install --vad silero`"), "{detector}");
    let judge = refusal(("END_OF_TURN_MODEL", "smart-turn")).await;
    assert!(judge.contains("run `tandem models install --end-of-turn smart-turn`"), "{judge}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_detector_starts_by_its_name() {
    for engine in ["earshot", "silero", "webrtc"] {
        let folder = tempfile::tempdir().unwrap();
        let settings = [("VAD_ENGINE", engine), ("END_OF_TURN_MODEL", "smart-turn")];
        let program = support::boot_in(folder, &settings, support::fakes()).await.unwrap();
        program.running.shutdown().await;
    }
}

/// Real speech both ways, in real time.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_is_heard_through_silero() {
    let folder = tempfile::tempdir().unwrap();
    let called = Command::new(env!("CARGO_BIN_EXE_tandem"))
        // A port on which nobody listens: the command starts a switch of its own.
        .args(["simulate", "--json", "--port", "1", "--data-dir", "data"])
        .args(["--set", "VAD_ENGINE=silero", "--set", "END_OF_TURN_MODEL=smart-turn"])
        .args(["--say", "I want an apartment in Delhi", "--say", "sixty lakh rupees"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    assert!(called.status.success(), "{}", String::from_utf8_lossy(&called.stderr));
    let report: Value = serde_json::from_slice(&called.stdout).unwrap();
    assert_eq!(report["ended_reason"], "completed", "{report:#}");
    let heard: String =
        report["turns"].as_array().unwrap().iter().filter_map(|turn| turn["heard_as"].as_str()).collect();
    assert!(heard.contains("Delhi"), "{report:#}");
}
