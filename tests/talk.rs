//! `tandem talk` on real speech, by a switch of its own: given lines, typed lines, and mistakes that name their remedy.
#![cfg(feature = "local-speech")]
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

mod support;

/// Longest talk.
const LIMIT: Duration = Duration::from_secs(120);

/// `tandem talk` in a folder, with `typed` on its stdin.
async fn talk(folder: &Path, arguments: &[&str], typed: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    // A port on which nobody listens: the command starts a switch of its own.
    command.args(["talk", "--port", "1", "--data-dir", "data"]).args(arguments).current_dir(folder);
    let mut process =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut stdin = process.stdin.take().unwrap();
    // A command that refuses at once does not read.
    let _ = stdin.write_all(typed.as_bytes()).await;
    drop(stdin);
    timeout(LIMIT, process.wait_with_output()).await.expect("the talk ends").unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test]
async fn given_lines_are_spoken_shown_as_they_happen_and_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let said = ["--say", "I want an apartment in Delhi", "--record", "talk.wav"];
    let text = stdout(&talk(folder.path(), &said, "").await).to_lowercase();
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    assert!(lines[0].starts_with("agent "), "the opening comes first: {text}");
    let caller = lines.iter().position(|line| line.starts_with("caller ")).unwrap();
    assert!(lines[caller].contains("delhi"), "{text}");
    assert!(lines[caller + 1].starts_with("agent ") && lines[caller + 1].contains("[after "), "{text}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("caller ")).count(), 1, "no line is told twice: {text}");
    assert!(text.contains("caller_hangup") && text.contains("recorded in talk.wav"), "{text}");
    let wav = hound::WavReader::open(folder.path().join("talk.wav")).unwrap();
    assert!(wav.spec().channels == 2 && wav.duration() / wav.spec().sample_rate >= 4);
}

#[tokio::test]
async fn typed_lines_are_spoken_into_the_call_and_the_end_of_input_hangs_up() {
    let folder = tempfile::tempdir().unwrap();
    let told = talk(folder.path(), &["--json"], "I want an apartment in Delhi\n\nsixty lakh rupees\n").await;
    let report: Value = serde_json::from_str(&stdout(&told)).unwrap();
    let turns = report["turns"].as_array().unwrap();
    let said: Vec<&str> =
        turns.iter().filter_map(|turn| turn["caller_said"].as_str()).filter(|said| !said.is_empty()).collect();
    assert_eq!(said, ["I want an apartment in Delhi", "sixty lakh rupees"]);
    let answer = |turn: usize| turns[turn]["agent_text"].as_str().unwrap().to_lowercase();
    assert!(answer(1).contains("delhi") && answer(2).contains("sixty lakh"), "{report:#}");
    assert!(turns[1]["agent_heard_text"].as_str().is_some_and(|heard| !heard.is_empty()), "{report:#}");
}

#[tokio::test]
async fn mistakes_name_their_remedy() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, words) in [
        (&["--agent", "nobody", "--say", "hello"][..], "check --agent"),
        (&["--url", "ws://127.0.0.1:1/media", "--say", "hello"], "tandem serve"),
        (&["--url", "127.0.0.1:8000", "--say", "hello"], "ws://host:port/media"),
        (&["--wav", "absent.wav"], "absent.wav"),
    ] {
        let refused = talk(folder.path(), arguments, "").await;
        let stderr = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{arguments:?}: {stderr}");
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_with_an_administrator_is_talked_to_with_a_key_and_says_so_without() {
    let folder = tempfile::tempdir().unwrap();
    let run = async |arguments: &[&str], typed: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
        command.args(arguments).current_dir(folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let _ = process.stdin.take().unwrap().write_all(typed.as_bytes()).await;
        timeout(LIMIT, process.wait_with_output()).await.expect("it ends").unwrap()
    };
    let added =
        run(&["user", "add", "asha@example.test", "--role", "owner"], "violet tractor under seven moons\n").await;
    stdout(&added);
    let made = run(&["key", "make", "cli", "--scope", "talks:start", "--scope", "calls:read", "--json"], "").await;
    let key: Value = serde_json::from_str(&stdout(&made)).unwrap();
    let key = key["key"].as_str().unwrap();

    // A switch of the command's own, on the same folder, opens to the command and to nobody else.
    let own = talk(folder.path(), &["--say", "I want an apartment in Delhi", "--json"], "").await;
    let report: Value = serde_json::from_str(&stdout(&own)).unwrap();
    assert_eq!(report["ended_reason"], "caller_hangup", "{report:#}");

    let program = support::boot_in(folder, &[], support::fakes()).await.unwrap();
    let at = program.folder.path();
    let url = program.base();
    for command in ["talk", "simulate"] {
        let mut refused = Command::new(env!("CARGO_BIN_EXE_tandem"));
        let refused = refused.args([command, "--url", &url, "--say", "hello"]).current_dir(at).output();
        let refused = timeout(LIMIT, refused).await.unwrap().unwrap();
        let told = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{told}");
        for remedy in ["MEDIA_SECRET", "tandem key make", "--api-key", "SWITCH_API_KEY"] {
            assert!(told.contains(remedy), "{command}: {told}");
        }
    }
    let talked = talk(at, &["--url", &url, "--say", "hello", "--api-key", key], "").await;
    assert!(stdout(&talked).contains("caller_hangup"), "{talked:?}");
    let page = format!("{url}/v1/convai/conversation");
    let mut simulated = Command::new(env!("CARGO_BIN_EXE_tandem"));
    simulated.args(["simulate", "--carrier", "browser", "--url", &page, "--say", "hello", "--limit", "20"]);
    let simulated = simulated.current_dir(at).env("SWITCH_API_KEY", key).output();
    let told = timeout(LIMIT, simulated).await.unwrap().unwrap();
    let (told, error) = (String::from_utf8(told.stdout).unwrap(), String::from_utf8(told.stderr).unwrap());
    assert!(told.contains("agent  "), "the switch's own record was read: {told} {error}");
    program.running.shutdown().await;
}
