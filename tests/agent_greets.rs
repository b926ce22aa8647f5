//! An agent that somebody makes over HTTP is heard on the telephone: the first line of its script, in a voice, told by a recogniser; and after a
//! change the next call hears the other line, of the same server.
#![cfg(feature = "local-speech")]
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::process::Stdio;

use reqwest::Method;
use serde_json::{Value, json};
use tandem_peers::wer::word_errors;
use tokio::process::Command;

#[path = "support/served.rs"]
mod served;
mod support;

use served::Served;

const FIRST: &str = "Good morning, this is Asha from Skyline Homes.";
const NEXT: &str = "Good evening, we have two new villas in Pune.";

async fn send(served: &Served, method: Method, path: &str, body: Value) -> Value {
    let answer = served.client.request(method, format!("{}{path}", served.url)).json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{} {}", answer.status(), answer.text().await.unwrap());
    answer.json().await.unwrap()
}

/// Calls the agent by telephone; what the caller's own recogniser made of its first words.
async fn greeting(served: &Served, folder: &Path) -> String {
    let port = served.url.rsplit(':').next().unwrap();
    let script = folder.join("caller.toml");
    std::fs::write(&script, "[[step]]\nwait = true\n[[step]]\nhang_up = true\n").unwrap();
    let called = Command::new(env!("CARGO_BIN_EXE_tandem"))
        .args([
            "simulate",
            "--carrier",
            "twilio",
            "--json",
            "--agent",
            "Asha",
            "--port",
            port,
            "--script",
            "caller.toml",
        ])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    assert!(called.status.success(), "{}", String::from_utf8_lossy(&called.stderr));
    let report: Value = serde_json::from_slice(&called.stdout).unwrap();
    report["turns"][0]["agent_heard_text"].as_str().unwrap_or_else(|| panic!("{report:#}")).to_owned()
}

fn assert_heard(said: &str, heard: &str, other: &str) {
    // A recogniser may miss a name; it does not turn one line into the other.
    assert!(word_errors(said, heard).rate() < 0.25, "{said:?} was heard as {heard:?}");
    assert!(word_errors(other, heard).rate() > 0.5, "{heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_greets_with_its_script_and_after_a_change_with_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path(), &[]).await;
    let wanted = json!({
        "name": "Asha",
        "sales_script_text": format!("{FIRST}\nAsk what the caller is looking for."),
        "business_info": { "company_name": "Skyline Homes" },
        "knowledge_files": { "products": "Villas and apartments in Pune." },
    });
    let made = send(&served, Method::POST, "/api/agents/create/", wanted).await;
    assert_eq!(made["version"], 1);
    assert_heard(FIRST, &greeting(&served, folder.path()).await, NEXT);

    let change = json!({ "sales_script_text": format!("{NEXT}\nAsk for the budget.") });
    let changed = send(&served, Method::PATCH, "/api/agents/Asha", change).await;
    assert_eq!((&changed["uuid"], &changed["version"]), (&made["uuid"], &json!(2)));
    assert_heard(NEXT, &greeting(&served, folder.path()).await, FIRST);
}
