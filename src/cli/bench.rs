//! `tandem bench`: what a call costs. A switch in a process of its own, and many carriers and callers in this one, over real sockets in real
//! time.
//!
//! The switch's vendors are fakes that answer at once; their processor time is metered thread by thread and taken off, so that the figures are
//! the switch's own (design.md section 10: "providers excluded").

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_peers::caller::{Line, Manners, Rendered, Step};
use tandem_peers::carrier::Carrier;
use tandem_peers::carrier::twilio::TwilioIds;
use tandem_peers::simulate::{self, PeerReport, SimulateConfig};
use tandem_peers::vendor::FakeTts;
use tandem_peers::voice::Talker;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::{CliError, Output};
use crate::config::Config;

mod metered;
mod percentile;
mod server;

/// Calls begin over this time, as they would.
const RAMP: Duration = Duration::from_secs(5);
/// A call that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(120);
/// Time between two looks at the switch.
const SAMPLE: Duration = Duration::from_millis(500);
/// The silence that ends a turn; the latency above it is ours.
const ENDPOINT: Duration = Duration::from_millis(500);

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tandem bench\n  tandem bench --calls 200 --json")]
pub(super) struct Args {
    /// Calls at once
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    calls: u32,
    /// Be the switch that is measured (the command starts itself with this)
    #[arg(long, hide = true)]
    serve: bool,
}

/// What the measured switch says of itself.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Usage {
    /// Processor time of the process, in seconds.
    cpu_seconds: f64,
    /// Of that, the fake vendors'.
    vendor_seconds: f64,
    /// Resident memory.
    rss_bytes: u64,
}

/// The figures.
#[derive(Debug, Serialize)]
struct Report {
    calls: u32,
    completed: u32,
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

pub(super) async fn run(args: Args, config: Config, output: &Output) -> Result<(), CliError> {
    if args.serve {
        return server::serve(config).await;
    }
    let report = measure(args.calls, output).await?;
    output.result(&report, Report::table)?;
    if report.completed == report.calls { Ok(()) } else { Err(CliError::Bench(report.calls - report.completed)) }
}

async fn measure(calls: u32, output: &Output) -> Result<Report, CliError> {
    let folder = std::env::temp_dir().join(format!("tandem-bench-{}", std::process::id()));
    let mut switch = MeasuredSwitch::start(&folder).await?;
    output.say(format_args!("{calls} calls, begun over {} s, each about half a minute long", RAMP.as_secs()));

    // One call first, so that what is made once is not counted for a hundred.
    let warm = call(switch.media_url(), 0).await;
    warm.map_err(|error| CliError::BenchCall(error.to_string()))?;
    let before = switch.usage().await?;

    let url = switch.media_url();
    let mut running = tokio::task::JoinSet::new();
    for number in 1..=calls {
        let url = url.clone();
        running.spawn(async move {
            tokio::time::sleep(RAMP * number / calls).await;
            call(url, number).await
        });
    }
    let bar = indicatif::ProgressBar::new(u64::from(calls)).with_style(super::output::bar_style());
    let (mut reports, mut failures, mut peak) = (Vec::new(), Vec::new(), before.rss_bytes);
    let mut look = tokio::time::interval(SAMPLE);
    while !running.is_empty() {
        tokio::select! {
            Some(done) = running.join_next() => {
                bar.inc(1);
                match done {
                    Ok(Ok(report)) => reports.push(report),
                    Ok(Err(error)) => failures.push(error.to_string()),
                    Err(panic) => failures.push(panic.to_string()),
                }
            }
            _ = look.tick() => peak = peak.max(switch.usage().await?.rss_bytes),
        }
    }
    bar.finish_and_clear();
    let after = switch.usage().await?;
    let latencies: Vec<i64> = switch.ask("latencies").await?;
    switch.stop().await;
    let _ = tokio::fs::remove_dir_all(&folder).await; // the system's temporary folder is cleaned anyway
    Ok(Report::of(calls, &reports, failures, before, after, peak, &latencies))
}

/// One call: two answers, then silence until the agent has thanked.
async fn call(url: String, number: u32) -> Result<PeerReport, simulate::SimulateError> {
    let talker = Talker::numbered(u64::from(number));
    let say = |text: &str| {
        Step::Say(Line::Audio(Rendered { text: text.to_owned(), samples: talker.speak(text).samples.into() }))
    };
    simulate::run(SimulateConfig {
        url,
        unix_socket: None,
        carrier: Carrier::Twilio(TwilioIds::numbered(u128::from(number))),
        custom_parameters: BTreeMap::new(),
        script: vec![say("I want an apartment in Delhi"), say("sixty lakh rupees"), say("no thank you")],
        manners: Manners { seed: u64::from(number), ..Manners::default() },
        renderer: Arc::new(FakeTts::default()),
        voice: String::new(),
        language: "en".to_owned(),
        recogniser: None,
        record_to: None,
        limit: LIMIT,
    })
    .await
}

impl Report {
    fn of(
        calls: u32,
        reports: &[PeerReport],
        mut failures: Vec<String>,
        before: Usage,
        after: Usage,
        peak: u64,
        latencies: &[i64],
    ) -> Self {
        let ended: Vec<&PeerReport> =
            reports.iter().filter(|report| matches!(report.ended_by, simulate::EndedBy::Switch)).collect();
        for report in reports.iter().filter(|report| !matches!(report.ended_by, simulate::EndedBy::Switch)) {
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

    fn table(&self) -> String {
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

/// The process that is measured.
struct MeasuredSwitch {
    child: Child,
    stdin: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    port: u16,
}

impl MeasuredSwitch {
    async fn start(folder: &std::path::Path) -> Result<Self, CliError> {
        let program = std::env::current_exe().map_err(CliError::BenchSwitch)?;
        let mut child = Command::new(program)
            .args([
                "bench",
                "--serve",
                "--port",
                "0",
                "--log-level",
                "warn",
                "--set",
                "MAX_CONCURRENT_CALLS=10000",
                "--data-dir",
            ])
            .arg(folder)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(CliError::BenchSwitch)?;
        let missing = || CliError::BenchSwitch(std::io::Error::other("the switch has no standard streams"));
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let answers = BufReader::new(child.stdout.take().ok_or_else(missing)?).lines();
        let mut switch = Self { child, stdin, answers, port: 0 };
        switch.port = switch.answer().await?;
        Ok(switch)
    }

    fn media_url(&self) -> String {
        format!("ws://127.0.0.1:{}/media", self.port)
    }

    async fn usage(&mut self) -> Result<Usage, CliError> {
        self.ask("usage").await
    }

    async fn ask<T: serde::de::DeserializeOwned>(&mut self, question: &str) -> Result<T, CliError> {
        self.stdin.write_all(format!("{question}\n").as_bytes()).await.map_err(CliError::BenchSwitch)?;
        self.answer().await
    }

    /// The next line of the switch, which is JSON.
    async fn answer<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, CliError> {
        let line = self.answers.next_line().await.map_err(CliError::BenchSwitch)?;
        let line = line.ok_or_else(|| CliError::BenchSwitch(std::io::ErrorKind::UnexpectedEof.into()))?;
        serde_json::from_str(&line).map_err(|error| CliError::BenchSwitch(error.into()))
    }

    async fn stop(self) {
        let Self { mut child, stdin, .. } = self;
        drop(stdin); // the end of its input is its sign to stop
        if tokio::time::timeout(Duration::from_secs(10), child.wait()).await.is_err() {
            let _ = child.kill().await; // it ended meanwhile
        }
    }
}
