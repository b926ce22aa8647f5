//! The log file of a server: a whole call in the words that operators watch for, and nothing of what was said in it.
#![cfg(feature = "local-speech")]
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

/// Longest wait for anything: the start loads a model.
const LIMIT: Duration = Duration::from_secs(90);

/// The lines of a log file, each a JSON object.
fn lines(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"))).collect()
}

#[tokio::test]
async fn a_call_leaves_its_steps_in_the_log_and_none_of_its_words() {
    let folder = tempfile::tempdir().unwrap();
    let tandem = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
        command.current_dir(folder.path()).stdin(Stdio::null()).kill_on_drop(true);
        command
    };
    let mut server = tandem()
        .args(["serve", "--json", "--port", "0", "--set", "LOG_DIR=logs"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut started = BufReader::new(server.stdout.take().unwrap()).lines();
    let line = timeout(LIMIT, started.next_line()).await.unwrap().unwrap();
    let line = line.expect("no start: if the speech model is absent, run `make models`");
    let url = serde_json::from_str::<Value>(&line).unwrap()["media_url"].as_str().unwrap().to_owned();

    let mut call = tandem();
    call.args(["simulate", "--url", &url, "--json"]);
    call.args(["--say", "I want an apartment in Delhi", "--say", "sixty lakh rupees"]);
    let called = timeout(LIMIT, call.output()).await.unwrap().unwrap();
    assert!(called.status.success(), "{}", String::from_utf8_lossy(&called.stderr));
    let pid = Pid::from_raw(server.id().unwrap().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    assert!(timeout(LIMIT, server.wait()).await.unwrap().unwrap().success());

    let lines = lines(&folder.path().join("logs/server.log"));
    let messages: Vec<&str> = lines.iter().map(|line| line["msg"].as_str().unwrap()).collect();
    let mut place = 0;
    for step in [
        "WebSocket connection established",
        "WebSocket event received",
        "call started",
        "Playbook response generated",
        "Flite audio synthesized",
        "Whisper transcription",
        "Session persisted to database",
    ] {
        let found = messages[place..].iter().position(|message| *message == step);
        place += found.unwrap_or_else(|| panic!("no {step:?} after line {place} of {messages:#?}"));
    }
    let call = lines.iter().find(|line| line["msg"] == "call started").unwrap()["call_id"].clone();
    for line in lines.iter().filter(|line| line["msg"].as_str().unwrap().ends_with(" transcription")) {
        assert_eq!(line["call_id"], call);
        assert!(line["characters"].as_u64().unwrap() > 0, "{line}");
    }
    let text = lines.iter().map(Value::to_string).collect::<String>().to_lowercase();
    for word in ["delhi", "apartment", "lakh"] {
        assert!(!text.contains(word), "the log tells {word:?}");
    }
}
