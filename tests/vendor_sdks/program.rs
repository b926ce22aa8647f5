//! `tandem mock` as a process, a vendor's package as another, and the wires between them as the mock's log has them.
//!
//! A mock that both understand says that neither was made to fit the other: the package knows its service, the mock was written from the
//! service's description, and the adapter from neither of the two.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::foreign;

pub(crate) const KEY: &str = "a-key-of-ours";
/// Nothing here takes longer.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// `tandem mock` as a process, and the wires that it has seen.
pub(crate) struct Mock {
    process: Child,
    /// Its first line.
    serving: Value,
    pub(crate) folder: TempDir,
}

impl Mock {
    /// Starts it on a free port with a log; our key alone is let in.
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::open(&[&["--key", KEY], flags].concat())
    }

    /// As [`Self::start`], for any key.
    pub(crate) fn open(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_tandem"))
            .args(["mock", "--json", "--log"])
            .arg(folder.path().join("wire.jsonl"))
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let serving = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}"));
        Self { process, serving, folder }
    }

    pub(crate) fn url(&self, name: &str) -> &str {
        self.serving[name].as_str().unwrap()
    }

    /// What clients have sent: one object an exchange, with the fields of its beginning and `sent`.
    pub(crate) fn exchanges(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("wire.jsonl")).unwrap();
        let mut exchanges = Vec::new();
        // a last line without its end is being written
        for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            let line: Value = serde_json::from_str(line).unwrap();
            let number = line["exchange"].as_u64().unwrap() as usize;
            match line.get("opened") {
                Some(opened) => {
                    assert_eq!(number, exchanges.len());
                    exchanges.push(opened.clone());
                    exchanges[number]["sent"] = json!([]);
                }
                None => exchanges[number]["sent"].as_array_mut().unwrap().push(line["sent"].clone()),
            }
        }
        exchanges
    }

    /// Waits until its log shows something.
    pub(crate) async fn shows(&self, what: impl Fn(&[Value]) -> bool) {
        let look = async {
            while !what(&self.exchanges()) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(LIMIT, look).await.expect("the mock has seen it in time");
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs a script of `tests/peers` in the environment that `scripts/peers.sh` makes; its one line of JSON.
pub(crate) async fn sdk(script: &str, arguments: &[&str]) -> Value {
    let run = tokio::process::Command::new(foreign::program("python"))
        .arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script))
        .args(arguments)
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(LIMIT, run).await.expect("the package ends in time").unwrap();
    let (text, talk) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}: {text}{talk}");
    serde_json::from_str(text.trim()).unwrap_or_else(|error| panic!("{error} in {text:?}"))
}

/// The query as pairs, sorted: order has no meaning in it, but among equal names.
pub(crate) fn query(exchange: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let pairs = exchange["query"].as_array().unwrap().iter();
    let mut pairs: Vec<(String, String)> = pairs.map(|pair| (text(&pair[0]), text(&pair[1]))).collect();
    pairs.sort_by(|one, other| one.0.cmp(&other.0));
    pairs
}

/// Every header of ours is one that the package sends too, with the same value but for what differs by connection.
pub(crate) fn headers_agree(ours: &Value, theirs: &Value) {
    for (name, value) in ours["headers"].as_object().unwrap() {
        let other = theirs["headers"].get(name);
        match name.as_str() {
            "host" | "sec-websocket-key" | "content-length" | "user-agent" | "accept" | "accept-encoding" => {}
            _ => assert_eq!(
                Some(value.as_str().unwrap().to_ascii_lowercase()),
                other.and_then(Value::as_str).map(str::to_ascii_lowercase),
                "header {name}"
            ),
        }
    }
}
