//! `tandem bench` as a process: what it prints, and when it refuses to. How fast anything is, is no matter of a test.
#![allow(clippy::unwrap_used, missing_docs)]

use std::process::{Command, Output};

use serde_json::Value;

/// `tandem bench` with an empty environment.
fn bench(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    command.arg("bench").args(arguments).current_dir(folder.path()).env_clear().output().unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn three_calls_and_their_floor_are_one_object_of_figures() {
    // whatever the machine does meanwhile: forced
    let output = bench(&["--calls", "3", "--floor", "--json", "--force"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["mode"], &report["vendors"]), (&"calls".into(), &"fake".into()));
    assert_eq!((&report["calls"], &report["completed"], &report["failed"]), (&3.into(), &3.into(), &0.into()));
    assert!(report["valid"].is_boolean());

    let figure =
        |of: &Value, name: &str| of[name].as_f64().unwrap_or_else(|| panic!("{name} is no number in {report}"));
    assert!(figure(&report, "call_seconds") > 30.0, "three calls of some fifteen seconds at the least");
    for name in ["cpu_ms_per_call_second", "vendor_cpu_ms_per_call_second", "heard_latency_p95_ms", "barge_in_p95_ms"] {
        assert!(figure(&report, name) > 0.0, "{name}");
    }
    for name in ["memory_kb_per_call", "added_latency_p50_ms", "pacing_jitter_p99_ms", "lead_moved_max_ms", "underruns"]
    {
        assert!(figure(&report, name) >= 0.0, "{name}");
    }
    assert!(figure(&report, "turns") >= 9.0, "each caller says three things");
    assert!(figure(&report, "barge_ins") >= 1.0, "one of three interrupts");
    assert!(report.get("timer_lag_p99_ms").is_some(), "absent from the switch is null, not missing");

    let load = &report["load"];
    assert!(figure(load, "tick_lateness_p99_ms") >= figure(load, "tick_lateness_p50_ms"));
    assert!(figure(load, "calls_per_core") > 0.0);

    let floor = &report["floor"];
    assert_eq!(floor["sockets"], 3);
    assert!(figure(floor, "socket_seconds") > 25.0, "three sockets for ten seconds");
    let ratio = figure(&report, "cpu_ms_per_call_second") / figure(floor, "cpu_ms_per_call_second");
    assert!((figure(floor, "ratio") - ratio).abs() < 1e-6);
}

#[test]
fn callers_tell_a_voice_from_the_place_that_is_heard_under_it() {
    let output = bench(&["--calls", "2", "--record", "--ambience", "office", "--json", "--force"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["completed"], &report["turns"], &report["lost_turns"]), (&2.into(), &6.into(), &0.into()));
    let greeting = report["greeting_p95_ms"].as_f64().unwrap();
    assert!(greeting > 0.0, "the office is there before the voice, and greets nobody: {greeting} ms");
    let moved = report["lead_moved_max_ms"].as_f64().unwrap();
    assert!(moved >= 30.0, "less is kept ahead of the far end while only the office is heard: {moved} ms");
}

#[test]
fn late_callers_report_nothing() {
    let output = bench(&["--calls", "1", "--json", "--tick-lag-limit", "0"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty(), "no figure that somebody could quote");
    let words = stderr(&output);
    assert!(words.contains("the callers' own ticks were") && words.contains("--force"), "{words}");
}

#[test]
fn what_cannot_be_measured_is_said_before_anything_starts() {
    let wrong = bench(&["--soak", "soon"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(stderr(&wrong).contains("like 90s"), "{}", stderr(&wrong));

    let help = bench(&["--help"]);
    let help = std::str::from_utf8(&help.stdout).unwrap();
    for word in [
        "Examples:",
        "--ramp",
        "--soak",
        "--churn",
        "--pin",
        "--floor",
        "--vendors",
        "--record",
        "--ambience",
        "--plot",
        "--force",
    ] {
        assert!(help.contains(word), "{word}");
    }
    assert!(!help.contains("--serve"), "not for people");
}
