//! The main job on real speech: a caller speaks, is recognised, answered and read back, and the conversation is in the database.
#![cfg(feature = "local-speech")]
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tandem_peers::wer::word_errors;
use tempfile::TempDir;
use tokio::process::Command;

mod support;

const SAYS: [&str; 4] = ["--say", "I want an apartment in Delhi", "--say", "sixty lakh rupees"];

/// Calls the front desk from the command line, by way of `wrapper` if there is one; returns what is printed.
async fn simulate(wrapper: &[&str], folder: &Path) -> Value {
    let program = [wrapper, &[env!("CARGO_BIN_EXE_tandem")]].concat();
    let called = Command::new(program[0])
        .args(&program[1..])
        // A port on which nobody listens: the command starts a switch of its own.
        .args(["simulate", "--carrier", "twilio", "--json", "--port", "1", "--data-dir", "data"])
        .args(SAYS)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap_or_else(|error| panic!("{program:?}: {error}"));
    let talk = String::from_utf8_lossy(&called.stderr);
    assert!(called.status.success(), "{program:?} failed: {talk}");
    serde_json::from_slice(&called.stdout).unwrap_or_else(|error| panic!("{error}: {talk}"))
}

/// The report of a call in which both lines were understood and read back.
fn assert_understood(report: &Value) {
    assert_eq!(report["ended_reason"], "completed", "{report:#}");
    let turns = report["turns"].as_array().unwrap();
    let agent = |turn: usize| turns[turn]["agent_text"].as_str().unwrap().to_lowercase();
    assert!(agent(1).contains("apartment") && agent(1).contains("delhi"), "{report:#}");
    assert!(agent(2).contains("sixty lakh"), "{report:#}");
    for turn in &turns[1..] {
        let (said, heard) = (turn["caller_said"].as_str().unwrap(), turn["heard_as"].as_str().unwrap());
        assert_eq!(word_errors(said, heard).errors(), 0, "{said:?} heard as {heard:?}");
        let stages: f64 = turn["stages"].as_object().unwrap().values().map(|stage| stage.as_f64().unwrap()).sum();
        assert!(stages > 0.0, "{report:#}");
    }
    assert_eq!(report["audio"]["underruns"], 0, "{report:#}");
}

/// What the API says of the call when a switch is started on the same folder.
async fn assert_kept(folder: TempDir, report: &Value) {
    let program = support::boot_in(folder, &[], support::fakes()).await.unwrap();
    let call = report["call_id"].as_str().unwrap();
    let conversation = program.get(&format!("/api/conversations/{call}")).await.json();
    let kept = &conversation["extracted_data"];
    assert_eq!(kept["property_type"], "apartment", "{conversation:#}");
    assert_eq!(kept["location"], "Delhi", "{conversation:#}");
    assert_eq!(kept["budget"], 6_000_000, "{conversation:#}");
    assert_eq!(conversation["status"], "ended");
    assert_eq!(conversation["final_outcome"], "THANK_YOU_RESPONSE");
    let transcript = program.get(&format!("/api/conversations/{call}/transcript")).await.json();
    let roles: Vec<&str> = transcript.as_array().unwrap().iter().map(|line| line["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["agent", "user", "agent", "user", "agent", "agent"], "{transcript:#}");
    program.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_speaks_with_the_front_desk_and_the_conversation_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let report = simulate(&[], folder.path()).await;
    assert_understood(&report);
    assert_kept(folder, &report).await;
}

/// No key, no account, and no network at all: not even a loopback interface that is up.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_call_runs_without_any_network() {
    let folder = tempfile::tempdir().unwrap();
    // Root needs no user namespace of its own, and could not have one in a chroot.
    let wrapper: &[&str] = if rustix::process::geteuid().is_root() {
        &["unshare", "--net"]
    } else {
        &["unshare", "--map-root-user", "--net"]
    };
    let report = simulate(wrapper, folder.path()).await;
    assert_understood(&report);
    assert_kept(folder, &report).await;
}
