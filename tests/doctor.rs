//! `tandem doctor` and `config check`: each fault that would keep calls from being answered is found, with its remedy.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

struct Machine {
    folder: TempDir,
    settings: Vec<String>,
}

impl Machine {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), settings: vec!["PORT=0".to_owned()] }
    }

    fn set(mut self, setting: impl Into<String>) -> Self {
        self.settings.push(setting.into());
        self
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
        command.current_dir(self.folder.path()).args(arguments);
        // This machine's own settings are not looked at, its models and programs are.
        command.env_clear().envs(
            ["PATH", "HOME", "XDG_CACHE_HOME", "TANDEM_MODELS_DIR"]
                .into_iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?))),
        );
        for setting in &self.settings {
            command.args(["--set", setting]);
        }
        command.output().unwrap()
    }

    /// The JSON, with whether the exit code fits it.
    fn diagnosis(&self) -> Value {
        let output = self.run(&["doctor", "--json"]);
        let found: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        assert_eq!(output.status.code(), Some(if found["ok"] == true { 0 } else { 1 }), "{found:#}");
        for check in found["checks"].as_array().unwrap() {
            assert_eq!(check["remedy"].is_null(), check["verdict"] == "ok", "{check:#}");
        }
        found
    }

    /// Verdict and text of one check.
    fn check(&self, name: &str) -> (String, String) {
        let found = self.diagnosis();
        let check = found["checks"].as_array().unwrap().iter().find(|check| check["check"] == name);
        let check = check.unwrap_or_else(|| panic!("no {name:?} in {found:#}"));
        let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
        (text("verdict"), format!("{} {}", text("detail"), text("remedy")))
    }

    fn assert(&self, name: &str, verdict: &str, words: &str) {
        let (found, text) = self.check(name);
        assert!(found == verdict && text.contains(words), "{name}: {found}, {text}");
    }
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn a_fresh_machine_is_well_and_stays_untouched() {
    let machine = Machine::new();
    let found = machine.diagnosis();
    let verdict = |name: &str| {
        let checks = found["checks"].as_array().unwrap().iter();
        checks.filter(|check| check["check"] == name).map(|check| check["verdict"].clone()).collect::<Vec<_>>()
    };
    for name in ["settings", "playbooks", "base url", "data folder", "database", "default agent", "port", "clock"] {
        assert_eq!(verdict(name), ["ok"], "{name} of {found:#}");
    }
    for name in ["disk space", "open files"] {
        assert_eq!(verdict(name).len(), 1, "{name} of {found:#}");
    }
    assert!(is_empty(machine.folder.path()), "something was made");
}

#[test]
fn people_get_columns_without_colour_and_talk_on_stderr() {
    let machine = Machine::new().set("DEFAULT_AGENT=nobody");
    let output = machine.run(&["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(stdout.lines().any(|line| line.starts_with("ok    port")), "{stdout}");
    assert!(
        stdout.lines().any(|line| line.starts_with("fail  default agent  there is no agent \"nobody\"")),
        "{stdout}"
    );
    assert!(!stdout.contains('\u{1b}'));
    assert!(stderr.contains("checks failed"), "{stderr}");
}

#[test]
fn settings_that_cannot_be_read_are_told_and_nothing_that_depends_on_them() {
    let machine = Machine::new().set("MAX_CONCURRENT_CALLS=many");
    machine.assert("settings", "fail", "MAX_CONCURRENT_CALLS (flag)");
    let found = machine.diagnosis();
    assert!(found["checks"].as_array().unwrap().iter().all(|check| check["check"] != "database"));
}

#[test]
fn a_folder_that_cannot_be() {
    let machine = Machine::new().set("DATA_DIR=file/data");
    fs::write(machine.folder.path().join("file"), "").unwrap();
    machine.assert("data folder", "fail", "DATA_DIR");
    let machine = machine.set("LOG_DIR=file");
    machine.assert("log folder", "fail", "LOG_DIR");
}

#[test]
fn a_database_is_there_behind_or_none() {
    let machine = Machine::new();
    assert!(machine.run(&["migrate"]).status.success());
    machine.assert("database", "ok", "up to date");
    fs::write(machine.folder.path().join("letter"), "Dear Sir or Madam, this is no database. ".repeat(100)).unwrap();
    let machine = machine.set("DATABASE_URL=sqlite:letter");
    machine.assert("database", "fail", "no database");
    machine.assert("default agent", "warn", "could not be looked up");
    // Port 1 of this machine has no server.
    let machine = Machine::new().set("DATABASE_URL=postgres://u:secret@127.0.0.1:1/tandem");
    machine.assert("database", "fail", "DATABASE_URL");
    assert!(!machine.diagnosis().to_string().contains("secret"));
}

#[test]
fn a_port_taken_by_another_program() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    // It accepts and never answers.
    Machine::new().set(format!("PORT={port}")).assert("port", "fail", "another program");
}

#[test]
fn a_base_url_and_an_agent_that_cannot_be() {
    Machine::new().set("OUR_BASE_URL=voice.example.com").assert("base url", "fail", "https://");
    Machine::new().set("DEFAULT_AGENT=nobody").assert("default agent", "fail", "DEFAULT_AGENT");
}

#[cfg(feature = "local-speech")]
#[test]
fn a_model_that_is_absent_or_damaged() {
    let machine = Machine::new().set("MODELS_DIR=models");
    machine.assert("speech model", "fail", "make models");
    let folder = machine.folder.path().join("models");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("whisper-tiny.en-q8_0.bin"), "half").unwrap();
    machine.assert("speech model", "fail", "damaged");
}

#[test]
fn config_check_looks_the_default_agent_up() {
    let well = Machine::new();
    assert!(well.run(&["config", "check"]).status.success());
    assert!(well.run(&["migrate"]).status.success());
    assert!(well.run(&["config", "check"]).status.success());
    let ill = well.set("DEFAULT_AGENT=nobody");
    let checked = ill.run(&["config", "check", "--json"]);
    assert_eq!(checked.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!((&told["ok"], &told["problems"][0]["subject"]), (&Value::Bool(false), &"DEFAULT_AGENT".into()));
    assert_eq!(told["problems"][0]["source"]["kind"], "flag");

    let away = Machine::new().set("DEFAULT_AGENT=nobody").set("DATABASE_URL=postgres://127.0.0.1:1/tandem");
    let checked = away.run(&["config", "check", "--json"]);
    let told: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert!(checked.status.success() && told["notices"].to_string().contains("was not looked up"), "{told:#}");
}
