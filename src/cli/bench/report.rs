//! The figures of a measurement, and their table.

use std::time::Duration;

use serde::Serialize;
use tandem_peers::simulate::{EndedBy, PeerReport};

use super::{ENDPOINT, Usage, percentile};

/// The figures.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) calls: u32,
    pub(super) completed: u32,
    call_seconds: f64,
    cpu_ms_per_call_second: f64,
    vendor_cpu_ms_per_call_second: f64,
    memory_kb_per_call: f64,
    pacing_lateness_p50_ms: f64,
    pacing_lateness_p99_ms: f64,
    underruns: u32,
    added_latency_p50_ms: f64,
    added_latency_p95_ms: f64,
    heard_latency_p50_ms: f64,
    heard_latency_p95_ms: f64,
    failures: Vec<String>,
}

impl Report {
    pub(super) fn of(
        calls: u32,
        reports: &[PeerReport],
        mut failures: Vec<String>,
        before: Usage,
        after: Usage,
        peak: u64,
        latencies: &[i64],
    ) -> Self {
        let ended: Vec<&PeerReport> =
            reports.iter().filter(|report| matches!(report.ended_by, EndedBy::Switch)).collect();
        for report in reports.iter().filter(|report| !matches!(report.ended_by, EndedBy::Switch)) {
            failures.push(format!("{}: {:?}", report.call_sid, report.ended_by));
        }
        let call_seconds: f64 = reports.iter().map(|report| report.duration.as_secs_f64()).sum();
        let vendor = after.vendor_seconds - before.vendor_seconds;
        let cpu = after.cpu_seconds - before.cpu_seconds - vendor;
        let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
        let above = |latency: f64| latency - ms(ENDPOINT);
        let turns = reports.iter().flat_map(|report| &report.turns).filter(|turn| !turn.said.is_empty());
        let heard: Vec<f64> = turns.filter_map(|turn| turn.latency).map(|latency| above(ms(latency))).collect();
        let added: Vec<f64> = latencies.iter().map(|latency| above(*latency as f64)).collect();
        let lateness =
            |pick: fn(&PeerReport) -> Duration| reports.iter().map(|report| ms(pick(report))).collect::<Vec<_>>();
        Self {
            calls,
            completed: ended.len() as u32,
            call_seconds,
            cpu_ms_per_call_second: cpu * 1_000.0 / call_seconds,
            vendor_cpu_ms_per_call_second: vendor * 1_000.0 / call_seconds,
            memory_kb_per_call: peak.saturating_sub(before.rss_bytes) as f64 / 1_024.0 / f64::from(calls),
            pacing_lateness_p50_ms: percentile::of(lateness(|report| report.playback.lateness_p50), 50.0),
            pacing_lateness_p99_ms: percentile::of(lateness(|report| report.playback.lateness_p99), 50.0),
            underruns: reports.iter().map(|report| report.playback.underruns).sum(),
            added_latency_p50_ms: percentile::of(added.clone(), 50.0),
            added_latency_p95_ms: percentile::of(added, 95.0),
            heard_latency_p50_ms: percentile::of(heard.clone(), 50.0),
            heard_latency_p95_ms: percentile::of(heard, 95.0),
            failures,
        }
    }

    pub(super) fn table(&self) -> String {
        let rows = [
            ("calls completed", format!("{} of {}", self.completed, self.calls)),
            ("call-seconds", format!("{:.0}", self.call_seconds)),
            ("CPU per call-second, switch", format!("{:.2} ms (budget 3.0)", self.cpu_ms_per_call_second)),
            (
                "CPU per call-second, fake vendors",
                format!("{:.2} ms, not counted above", self.vendor_cpu_ms_per_call_second),
            ),
            ("memory per call", format!("{:.0} KB (budget 512)", self.memory_kb_per_call)),
            (
                "pacing jitter at the carrier",
                format!(
                    "p50 {:.1} ms, p99 {:.1} ms (budget p99 5), median over calls",
                    self.pacing_lateness_p50_ms, self.pacing_lateness_p99_ms
                ),
            ),
            ("underruns", self.underruns.to_string()),
            (
                "latency added to 500 ms of silence",
                format!(
                    "p50 {:.0} ms, p95 {:.0} ms (budget p95 15)",
                    self.added_latency_p50_ms, self.added_latency_p95_ms
                ),
            ),
            (
                "the same in the caller's ear",
                format!(
                    "p50 {:.0} ms, p95 {:.0} ms, with the detector's lag and the carrier's buffer",
                    self.heard_latency_p50_ms, self.heard_latency_p95_ms
                ),
            ),
        ];
        let mut table: String = rows.iter().map(|(name, value)| format!("{name:<38}{value}\n")).collect();
        for failure in &self.failures {
            table.push_str(&format!("failed: {failure}\n"));
        }
        table
    }
}
