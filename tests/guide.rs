//! The examples of `docs/guide.md`, as they stand there, against `tandem serve`: curl, Python with requests, JavaScript with fetch.
//!
//! requests comes by `scripts/peers.sh`, which `make test` and `make peers` call; curl and Node by `scripts/setup.sh`.
#![cfg(feature = "local-speech")]
#![allow(clippy::unwrap_used, missing_docs)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

#[path = "support/foreign.rs"]
mod foreign;
#[path = "support/served.rs"]
mod served;
mod support;

use served::Served;

const GUIDE: &str = include_str!("../docs/guide.md");
const EMAIL: &str = "asha@example.test";
const PASSWORD: &str = "violet tractor under seven moons";
const AGENT: &str = "front-desk";
/// Longest run of a language's examples: each has a sentence spoken.
const LIMIT: Duration = Duration::from_secs(60);

/// The blocks of a language, one behind the other.
fn examples(language: &str) -> String {
    let fence = format!("```{language}\n");
    let blocks: Vec<&str> =
        GUIDE.split(&fence).skip(1).map(|rest| rest.split_once("\n```").expect("a block ends").0).collect();
    assert_eq!(blocks.len(), 3, "log-in, voice and calling in {language}");
    blocks.join("\n\n") + "\n"
}

/// A server whose only user is its owner.
struct Office {
    served: Served,
    folder: TempDir,
}

impl Office {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut add = std::process::Command::new(env!("CARGO_BIN_EXE_tandem"))
            .args(["user", "add", EMAIL, "--role", "owner", "--json"])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        writeln!(add.stdin.take().unwrap(), "{PASSWORD}").unwrap();
        assert!(add.wait().unwrap().success());
        let served = Served::start(folder.path(), &[]).await;
        assert_eq!(served.status(&format!("/api/agents/{AGENT}")).await, 401, "nobody is let in without a token");
        Self { served, folder }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    /// What a program says that runs a file of examples.
    async fn run(&self, program: &Path, flags: &[&str], file: &Path) -> String {
        let run = Command::new(program)
            .args(flags)
            .arg(file)
            .current_dir(self.folder.path())
            .envs([("TANDEM_URL", self.served.url.as_str()), ("TANDEM_AGENT", AGENT)])
            .envs([("TANDEM_EMAIL", EMAIL), ("TANDEM_PASSWORD", PASSWORD), ("NO_PROXY", "127.0.0.1")])
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(LIMIT, run).await.expect("the examples end in time").unwrap();
        let (said, talk) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{}: {said}{talk}", program.display());
        said.into_owned()
    }

    /// The agent's settings, as somebody else reads them.
    async fn agent(&self) -> Value {
        let client = &self.served.client;
        let log_in = client
            .post(format!("{}/api/auth/login/", self.served.url))
            .json(&json!({"email": EMAIL, "password": PASSWORD}));
        let tokens: Value = log_in.send().await.unwrap().json().await.unwrap();
        let agent = client.get(format!("{}/api/agents/{AGENT}", self.served.url));
        let agent = agent.bearer_auth(tokens["tokens"]["access"].as_str().unwrap());
        agent.send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
    }
}

/// Fails naming the setting that is not as expected.
fn assert_set(agent: &Value, expected: Value) {
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&agent[name], value, "{name}");
    }
}

#[tokio::test]
async fn the_curl_examples_run_as_they_stand() {
    let office = Office::open().await;
    let file = office.write("guide.sh", &examples("sh"));
    // -e: curl fails where the server refuses, and that ends it.
    let said = office.run(Path::new("sh"), &["-eu"], &file).await;
    let answers: Vec<Value> = serde_json::Deserializer::from_str(&said).into_iter().map(Result::unwrap).collect();
    let [voice, changed, tested, calling, now, test_call] = answers.as_slice() else { panic!("{said}") };
    assert_eq!((&voice["agent_name"], &changed["personality_type"]), (&json!(AGENT), &json!("professional")));
    assert_eq!(tested["test_successful"], true, "{tested}");
    assert_eq!((&calling["agent_type"], &now["call_settings"]["max_call_duration"]), (&json!("ai"), &json!(1_800)));
    assert_eq!((&test_call["test_call_initiated"], &test_call["status"]), (&json!(false), &json!(409)));
    assert_set(
        &office.agent().await,
        json!({"personality_type": "professional", "conversation_style": "consultative", "call_timeout": 30, "max_conversation_duration_seconds": 1_800}),
    );
}

#[tokio::test]
async fn the_python_examples_run_as_they_stand() {
    let office = Office::open().await;
    let file = office.write("guide.py", &examples("python"));
    let said = office.run(&foreign::program("python"), &[], &file).await;
    for line in ["'professional'", "voice settings saved", "it said: ", "bytes of audio/wav", "rings for: 45 s"] {
        assert!(said.contains(line), "{line} in {said}");
    }
    assert!(said.contains("called: False no carrier is set up"), "{said}");
    let agent = office.agent().await;
    assert!(agent["voice_id"].is_string(), "one of those that were offered");
    assert_set(
        &agent,
        json!({"personality_type": "persuasive", "call_timeout": 45, "max_conversation_duration_seconds": 1_200}),
    );
}

#[tokio::test]
async fn the_javascript_examples_run_as_they_stand() {
    let office = Office::open().await;
    let file = office.write("guide.mjs", &examples("javascript"));
    let said = office.run(Path::new("node"), &[], &file).await;
    for line in ["sounds: friendly in ", "voice settings saved", "it said: ", "records: true", "rings for: 60 s"] {
        assert!(said.contains(line), "{line} in {said}");
    }
    assert!(said.contains("not called: 409: no carrier is set up"), "{said}");
    assert_set(
        &office.agent().await,
        json!({"personality_type": "supportive", "conversation_style": "empathetic", "enable_call_recording": false, "call_timeout": 60}),
    );
}
