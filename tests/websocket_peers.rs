//! WebSocket conformance: Autobahn's cases, run by kosoku against an echo agent behind the upgrade that carriers use.
//!
//! kosoku comes by `scripts/peers.sh`, which `make test` and `make peers` call.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use tandem::boot_with_echo;

#[path = "support/foreign.rs"]
mod foreign;
mod support;

/// All of Autobahn's cases: a run that skipped some would prove less than it says.
const CASES: usize = 517;
/// Cases of fragmented text with an invalid byte in the middle: to notice at the end of the message is lenient, and allowed (promises.md, W1).
const MAY_BE_LENIENT: [&str; 2] = ["6.4.3", "6.4.4"];
/// Sections on compression (RFC 7692), which no carrier asks for and we do not offer.
const COMPRESSION: [&str; 2] = ["12.", "13."];
/// Cases whose outcome is for reading only: closing in the middle of a burst, and close codes beyond 4999.
const NO_VERDICT: [&str; 3] = ["7.1.6", "7.13.1", "7.13.2"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    behavior: String,
    behavior_close: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn autobahns_cases_find_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let running = boot_with_echo(support::config(&folder, &[]), support::fakes()).await.unwrap();
    let reports = folder.path().join("reports");
    let run = tokio::process::Command::new(foreign::program("kosoku"))
        .args(["--parallelism", "2", "--outdir"])
        .arg(&reports)
        .arg(format!("127.0.0.1:{}/echo", running.addr.port()))
        .kill_on_drop(true)
        .output();
    tokio::time::timeout(Duration::from_secs(300), run).await.expect("all cases end in time").unwrap();

    let index = std::fs::read(reports.join("index.json")).expect("kosoku wrote its report");
    let agents: BTreeMap<String, BTreeMap<String, Case>> = serde_json::from_slice(&index).unwrap();
    let cases: Vec<(String, Case)> = agents.into_values().flatten().collect();
    assert_eq!(cases.len(), CASES);
    let mut counts = BTreeMap::<&str, usize>::new();
    let mut faults = Vec::new();
    for (name, case) in &cases {
        *counts.entry(&case.behavior).or_default() += 1;
        let allowed = match (case.behavior.as_str(), case.behavior_close.as_str()) {
            ("OK", "OK") => true,
            ("NON-STRICT", "OK") => MAY_BE_LENIENT.contains(&name.as_str()),
            ("UNIMPLEMENTED", "OK") => COMPRESSION.iter().any(|section| name.starts_with(section)),
            ("INFORMATIONAL", _) => NO_VERDICT.contains(&name.as_str()),
            _ => false,
        };
        if !allowed {
            faults.push(format!("{name}: {}, close {}", case.behavior, case.behavior_close));
        }
    }
    println!("kosoku: {counts:?}");
    assert!(faults.is_empty(), "{faults:#?}");
    running.shutdown().await;
}
