//! The program as a process: exit codes, what goes to stdout and what to stderr, and errors that name the remedy.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// `tandem` in an empty folder with an empty environment.
fn tandem(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tandem")).args(arguments).current_dir(folder).env_clear().output().unwrap()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn help_is_a_result_with_examples() {
    let folder = folder();
    let help = tandem(folder.path(), &["--help"]);
    assert!(help.status.success());
    assert!(stdout(&help).contains("Examples:") && stdout(&help).contains("tandem simulate --say"));
    assert!(!stdout(&help).contains("stt-worker"), "not for people");
    for command in ["simulate", "talk", "replay", "doctor", "mock", "models", "config", "serve", "migrate"] {
        assert!(tandem(folder.path(), &[command, "--help"]).status.success(), "{command}");
    }
}

#[test]
fn a_mock_that_cannot_be_is_told_with_what_would_be() {
    let folder = folder();
    let quiet = tandem(folder.path(), &["mock", "--stt-fault", "quiet"]);
    assert_eq!(quiet.status.code(), Some(2));
    assert!(stderr(&quiet).contains("choose slow=MS, silent"), "{}", stderr(&quiet));
    let log = tandem(folder.path(), &["mock", "--log", "no/such/folder/wire.jsonl"]);
    assert_eq!(log.status.code(), Some(1));
    assert!(stderr(&log).contains("no/such/folder/wire.jsonl"), "{}", stderr(&log));
}

#[test]
fn what_cannot_be_understood_ends_with_2() {
    let wrong = tandem(folder().path(), &["srve"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(wrong.stdout.is_empty());
    assert!(stderr(&wrong).contains("serve"), "{}", stderr(&wrong));
}

#[test]
fn config_check_tells_all_problems_and_fails() {
    let folder = folder();
    std::fs::write(folder.path().join("tandem.toml"), "prot = 1\nhost = \"x y\"\n").unwrap();
    let checked = tandem(folder.path(), &["config", "check"]);
    assert_eq!(checked.status.code(), Some(1));
    assert!(checked.stdout.is_empty());
    assert!(stderr(&checked).contains("did you mean port?") && stderr(&checked).contains("HOST"));

    let checked = tandem(folder.path(), &["config", "check", "--json"]);
    assert_eq!(checked.status.code(), Some(1));
    let result: Value = serde_json::from_str(stdout(&checked)).unwrap();
    assert_eq!(result["ok"], false);
    assert_eq!(result["problems"].as_array().unwrap().len(), 2);
}

#[test]
fn config_check_reads_the_playbooks() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("pb")).unwrap();
    std::fs::write(folder.path().join("pb/x.toml"), "name = 7\n").unwrap();
    let checked = tandem(folder.path(), &["config", "check", "--playbooks-dir", "pb"]);
    assert_eq!(checked.status.code(), Some(1));
    assert!(stderr(&checked).contains("pb/x.toml"), "{}", stderr(&checked));
}

#[test]
fn config_print_masks_secrets_and_names_sources() {
    let folder = folder();
    std::fs::write(folder.path().join(".env"), "TWILIO_AUTH_TOKEN=hunter2\nPORT=8123\n").unwrap();
    let printed = tandem(folder.path(), &["config", "print", "--set", "drain_timeout=5"]);
    assert!(printed.status.success(), "{}", stderr(&printed));
    let text = stdout(&printed);
    assert!(!text.contains("hunter2"));
    let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(line("PORT").contains("8123") && line("PORT").contains(".env line 2"));
    assert!(line("DRAIN_TIMEOUT").ends_with("flag"));
    assert!(line("TWILIO_AUTH_TOKEN").contains("********") && line("TWILIO_AUTH_TOKEN").contains("to come"));

    let json = tandem(folder.path(), &["--json", "config", "print"]);
    let settings: Value = serde_json::from_str(stdout(&json)).unwrap();
    let port = settings.as_array().unwrap().iter().find(|setting| setting["name"] == "PORT").unwrap().clone();
    assert_eq!(port["value"], "8123");
    assert_eq!(port["source"]["kind"], "dot_env");
}

#[test]
fn migrate_makes_the_database_and_can_be_run_again() {
    let folder = folder();
    for _ in 0..2 {
        let migrated = tandem(folder.path(), &["migrate", "--json"]);
        assert!(migrated.status.success(), "{}", stderr(&migrated));
        assert_eq!(serde_json::from_str::<Value>(stdout(&migrated)).unwrap()["engine"], "sqlite");
    }
    assert!(folder.path().join("data/tandem.db").exists());
}

#[cfg(feature = "local-speech")]
#[test]
fn without_its_model_it_refuses_in_one_sentence_that_names_the_remedy() {
    let folder = folder();
    let path = std::env::var("PATH").unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
        command.args(arguments).current_dir(folder.path()).env_clear().env("PATH", &path).env("MODELS_DIR", "models");
        command.output().unwrap()
    };
    for arguments in [&["--port", "0"][..], &["models", "path"], &["simulate", "--say", "hello"]] {
        let refused = run(arguments);
        assert_eq!(refused.status.code(), Some(1), "{arguments:?}");
        assert!(stderr(&refused).contains("make models"), "{}", stderr(&refused));
        assert!(refused.stdout.is_empty());
    }
    let listed = run(&["models", "list", "--json"]);
    let models: Value = serde_json::from_str(stdout(&listed)).unwrap();
    assert!(models.as_array().unwrap().iter().all(|model| model["installed"] == false));
    let voice = models.as_array().unwrap().iter().find(|model| model["name"] == "piper-joe").unwrap();
    assert!(voice["licence_note"].as_str().unwrap().contains("GPL"), "{voice:#}");
}
