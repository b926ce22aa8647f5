//! `tandem bench`: what a call costs. A switch in a process of its own, and many carriers and callers in this one, over real sockets in real
//! time.
//!
//! The switch's vendors are fakes that answer at once; their processor time is metered thread by thread and taken off, so that the figures are
//! the switch's own (design.md section 10: "providers excluded").

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_peers::caller::{Line, Manners, Rendered, Step};
use tandem_peers::carrier::Carrier;
use tandem_peers::carrier::twilio::TwilioIds;
use tandem_peers::simulate::{self, PeerReport, SimulateConfig};
use tandem_peers::vendor::FakeTts;
use tandem_peers::voice::Talker;

use super::{CliError, Output};
use crate::config::Config;

mod hostile;
mod metered;
mod percentile;
mod report;
mod server;
mod switch;

use report::Report;
use switch::MeasuredSwitch;

/// Calls begin over this time, as they would.
const RAMP: Duration = Duration::from_secs(5);
/// A call that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(120);
/// Time between two looks at the switch.
const SAMPLE: Duration = Duration::from_millis(500);
/// The silence that ends a turn; the latency above it is ours.
const ENDPOINT: Duration = Duration::from_millis(500);

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  tandem bench\n  tandem bench --calls 200 --json\n  tandem bench --hostile --calls 20"
)]
pub(super) struct Args {
    /// Calls at once
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    calls: u32,
    /// Measure what the callers notice of far ends that attack: floods, endless fragments, sockets that never speak
    #[arg(long)]
    hostile: bool,
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

pub(super) async fn run(args: Args, config: Config, output: &Output) -> Result<(), CliError> {
    if args.serve {
        return server::serve(config).await;
    }
    if args.hostile {
        let report = hostile::measure(args.calls, output).await?;
        return Ok(output.result(&report, hostile::Report::table)?);
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

    let (reports, failures, peak) = fleet(&mut switch, 1..=calls, before.rss_bytes).await?;
    let after = switch.usage().await?;
    let latencies: Vec<i64> = switch.ask("latencies").await?;
    switch.stop().await;
    let _ = tokio::fs::remove_dir_all(&folder).await; // the system's temporary folder is cleaned anyway
    Ok(Report::of(calls, &reports, failures, before, after, peak, &latencies))
}

/// Runs calls of these numbers, begun over [`RAMP`]: their reports, what failed, and the most memory that the switch ever held.
async fn fleet(
    switch: &mut MeasuredSwitch,
    numbers: RangeInclusive<u32>,
    resting_bytes: u64,
) -> Result<(Vec<PeerReport>, Vec<String>, u64), CliError> {
    let calls = numbers.clone().count() as u32;
    let mut running = tokio::task::JoinSet::new();
    for (place, number) in numbers.enumerate() {
        let url = switch.media_url();
        running.spawn(async move {
            tokio::time::sleep(RAMP * place as u32 / calls).await;
            call(url, number).await
        });
    }
    let bar = indicatif::ProgressBar::new(u64::from(calls)).with_style(super::output::bar_style());
    let (mut reports, mut failures, mut peak) = (Vec::new(), Vec::new(), resting_bytes);
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
    Ok((reports, failures, peak))
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
