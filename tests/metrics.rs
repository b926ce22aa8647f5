//! What `/metrics` shows after a call in which a part died, the caller interrupted, and a lane overflowed.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "support/line.rs"]
mod line;
#[path = "support/memory.rs"]
mod memory;
#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use line::{Exchange, Line, Vendors, rendered};
use tandem_actors::tap::TappedCall;
use tandem_actors::{AudioTap, SwitchConfig, Tap};
use tandem_domain::agent::Timing;
use tandem_domain::call_core::Part;
use tandem_peers::caller::{Rendered, Step};

const LIMIT: Duration = Duration::from_secs(240);

/// Labels that a metric of ours may have (docs: one closed set for all), and those of the text format and of HTTP.
const LABELS: &[&str] = &[
    "direction",
    "carrier",
    "trunk",
    "provider",
    "model",
    "stage",
    "agent",
    "campaign",
    "outcome",
    "reason",
    "codec",
    "scope",
    "side",
    "kind",
    "dir",
    "le",
    "method",
    "route",
    "status",
    "version",
    "commit",
];

/// A recorder that takes its calls and never looks at them.
#[derive(Default)]
struct Deaf(Mutex<Vec<TappedCall>>);

impl AudioTap for Deaf {
    fn call(&self, call: TappedCall) {
        self.0.lock().unwrap().push(call);
    }
}

/// The call, on a paused clock; how many early answers it used and wasted.
async fn eventful_call() -> (f64, f64) {
    let config = SwitchConfig { tap: Tap::to(Arc::new(Deaf::default())), ..SwitchConfig::default() };
    let timing = Timing { preemptive_generation: true, ..Timing::default() };
    let exchange = Exchange::with(Vendors::default(), timing, config).await;
    let pause = [0; 2_800]; // 350 ms, in which an answer to the beginning is begun
    let budget = [&rendered(2, "one crore").samples[..], &pause, &rendered(2, "rupees").samples].concat();
    let budget = Step::Say(Rendered { text: "one crore rupees".into(), samples: budget.into() });
    let interrupt = Step::Interrupt { after: Duration::from_millis(1_500), say: rendered(2, "I want a villa in Pune") };
    let mut line = Line::dial(&exchange, 2, vec![interrupt, budget]).await;
    line.until("the interruption", LIMIT, |line| line.peer.statistics().clears == 1).await;
    let before = line.heard.len();
    line.until("the answer", LIMIT, |line| line.heard.len() > before + 1).await;
    exchange.kill(&line, Part::Tts).await;
    line.run_out(LIMIT).await;
    let records = exchange.records(&line).await;
    assert_eq!(records.reason(), "completed");
    let count = |kind| records.events.iter().filter(|event| **event == kind).count() as f64;
    (count("preemptive_used"), count("preemptive_wasted"))
}

/// The scrape of a running program in the process that had the call: metrics are of the process.
async fn scrape() -> String {
    support::boot_with_fakes().await.get("/metrics").await.body
}

/// The value of the one series whose name and labels are these.
fn value(scrape: &str, series: &str) -> f64 {
    let found = scrape.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("no {series} in\n{scrape}")).parse().unwrap()
}

#[test]
fn a_call_shows_in_every_core_metric() {
    let _ = tandem::telemetry::metrics(); // before anything is counted
    let paused = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let (used, wasted) = paused.block_on(eventful_call());
    let scrape = tokio::runtime::Runtime::new().unwrap().block_on(scrape());

    let counted = |series: &str| value(&scrape, series);
    assert_eq!(counted(r#"tandem_calls_active{direction="inbound",carrier="twilio"}"#), 0.0);
    assert!(counted(r#"tandem_calls_limit{scope="server"}"#) > 0.0);
    assert_eq!(counted(r#"tandem_call_attempts_total{direction="inbound",carrier="twilio"}"#), 1.0);
    let ended = r#"tandem_calls_total{direction="inbound",carrier="twilio",outcome="answered",reason="completed"}"#;
    assert_eq!(counted(ended), 1.0);
    assert_eq!(counted("tandem_call_duration_seconds_count"), 1.0);
    assert!(counted(r#"tandem_turn_latency_seconds_count{agent="front-desk"}"#) >= 2.0);
    for (stage, provider) in [("endpointing", ""), ("stt_final", "fake"), ("tts_first_audio", "fake")] {
        let series = format!(r#"tandem_stage_latency_seconds_count{{stage="{stage}",provider="{provider}",model=""}}"#);
        assert!(counted(&series) >= 2.0, "{series}");
    }
    assert_eq!(counted(r#"tandem_interruptions_total{kind="barge_in"}"#), 1.0);
    assert_eq!(counted("tandem_barge_in_stop_seconds_count"), 1.0);
    assert!(used >= 1.0 && wasted >= 1.0, "{used} early answers used, {wasted} wasted");
    assert_eq!(counted(r#"tandem_preemptive_answers_total{outcome="used"}"#), used);
    assert_eq!(counted(r#"tandem_preemptive_answers_total{outcome="wasted"}"#), wasted);
    assert_eq!(counted(r#"tandem_actor_restarts_total{kind="tts",reason="killed"}"#), 1.0);
    assert_eq!(counted(r#"tandem_actor_mailbox_depth{kind="call"}"#), 0.0, "nothing waits for a call that is over");
    assert!(counted(r#"tandem_actor_mailbox_depth{kind="switchboard"}"#) >= 0.0);
    assert!(counted("tandem_timer_lag_seconds_count") > 100.0, "the pump is woken 50 times a second");
    assert!(counted("tandem_playout_lag_seconds_count") > 100.0);
    assert!(counted(r#"tandem_audio_underruns_total{side="egress"}"#) >= 0.0);
    assert!(counted(r#"tandem_lane_drops_total{kind="caller_tap"}"#) > 100.0, "a second fits, and nobody read");
    assert!(counted(r#"tandem_lane_drops_total{kind="agent_tap"}"#) > 100.0);
    assert_eq!(counted(r#"tandem_lane_drops_total{kind="ear"}"#), 0.0, "the recogniser was awake");

    every_series_is_described_and_has_known_labels(&scrape);
    promtool_finds_nothing_wrong(&scrape);
}

fn every_series_is_described_and_has_known_labels(scrape: &str) {
    let described = |kind: &str| -> BTreeSet<&str> {
        scrape.lines().filter_map(|line| line.strip_prefix(kind)?.split(' ').next()).collect()
    };
    let (help, types) = (described("# HELP "), described("# TYPE "));
    let bare: Vec<_> = types.difference(&help).filter(|name| name.starts_with("tandem_")).collect();
    assert!(bare.is_empty(), "without a help text: {bare:?}");
    for sample in scrape.lines().filter(|line| !line.starts_with('#')) {
        let Some((_, labels)) = sample.split_once('{') else { continue };
        let names = labels.split("=\"").filter_map(|part| part.rsplit([',', '"']).next());
        for name in names.filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_') && !name.is_empty()) {
            assert!(LABELS.contains(&name), "label {name} in {sample}");
        }
    }
}

/// Prometheus' own judge of names, types and texts.
fn promtool_finds_nothing_wrong(scrape: &str) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/promtool.sh");
    let found = Command::new(script).stderr(Stdio::inherit()).output().unwrap();
    assert!(found.status.success(), "{script} finds no promtool; its words are above");
    let promtool = String::from_utf8(found.stdout).unwrap();
    let mut judge = Command::new(promtool.trim())
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    judge.stdin.take().unwrap().write_all(scrape.as_bytes()).unwrap();
    let verdict = judge.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&verdict.stderr) + String::from_utf8_lossy(&verdict.stdout);
    assert!(verdict.status.success() && words.trim().is_empty(), "promtool: {words}");
}
