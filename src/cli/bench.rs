//! `tandem bench`: what a call costs, and how many are held.
//!
//! ```text
//!  this process                        switch                          vendors
//!  callers in real time ──sockets──►   the whole program       ──►     fakes in its process, metered and taken off,
//!  windows, figures     ──questions─►  answers on its streams          or `tandem mock` in a third process
//! ```
//!
//! Every figure is of a *window*: what the callers counted by their own clock, and what the switch used, between two moments. Fakes answer at
//! once; their processor time is metered thread by thread and taken off, so that the figures are the switch's own (design.md section 10:
//! "providers excluded"). What is measured in which mode: [`calls`], [`ramp`], [`soak`], [`churn`], [`floor`], [`hostile`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{CliError, Output};
use crate::config::Config;

mod args;
mod calls;
mod churn;
mod error;
mod figures;
mod floor;
mod hostile;
mod load;
mod metered;
mod percentile;
mod pin;
mod plot;
mod posts;
mod prometheus;
mod ramp;
mod rendered;
mod report;
mod rig;
mod server;
mod slo;
mod soak;
mod stages;
mod switch;
mod vendors;
mod window;

pub(super) use args::Args;
pub(super) use error::BenchError;
use figures::Figures;
use floor::Floor;
use report::{Report, Result as Measurement};
use rig::Rig;

/// The silence that ends a turn; the latency above it is ours.
const ENDPOINT: Duration = Duration::from_millis(500);
/// What callers say: the front desk asks for more after the first two, and says goodbye after the third. The second is said over the agent now and
/// then, and begins with a vowel: of an s before it a detector of voices is right to know nothing.
const TEXTS: [&str; 3] = ["I want an apartment in Delhi", "about sixty lakh rupees", "no thank you"];

/// What the measured switch says of itself.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Usage {
    /// Processor time of the process, in seconds.
    cpu_seconds: f64,
    /// Of that, the fake vendors'.
    vendor_seconds: f64,
    /// Resident memory.
    rss_bytes: u64,
    /// File descriptors, sockets among them.
    open_files: u64,
    /// Tasks of its runtime that have not ended.
    tasks: u64,
}

pub(super) async fn run(args: Args, config: Config, output: &Output) -> Result<(), CliError> {
    if args.serve {
        return server::serve(config, &args).await;
    }
    if args.hostile {
        let report = hostile::measure(&args, output).await?;
        return Ok(output.result(&report, hostile::Report::table)?);
    }
    let mut rig = Rig::start(&args, *output).await?;
    let report = measure(&args, &mut rig).await?;
    rig.stop().await;
    if let (Some(path), Measurement::Ramp(ramp)) = (&args.plot, &report.result) {
        plot::draw(ramp, report.floor.as_ref(), path)?;
    }
    output.result(&report, Report::table)?;
    match report.result.incomplete() {
        0 => Ok(()),
        failed => Err(BenchError::Incomplete(failed).into()),
    }
}

async fn measure(args: &Args, rig: &mut Rig) -> Result<Report, CliError> {
    let calls = args.calls.unwrap_or(if args.churn { 50 } else { 100 });
    let result = if args.ramp {
        Measurement::Ramp(ramp::climb::climb(args.ramp(), args.hold, args.tick_lag_limit, rig).await?)
    } else if let Some(length) = args.soak {
        Measurement::Soak(Box::new(soak::measure(calls, length, rig).await?))
    } else if args.churn {
        Measurement::Churn(Box::new(churn::measure(calls, args.rate, args.hold, rig).await?))
    } else {
        Measurement::Calls(Box::new(calls::measure(calls, rig).await?))
    };
    let late_ms = result.lateness_ms();
    let valid = late_ms <= args.tick_lag_limit;
    if !valid && !args.force {
        return Err(BenchError::Late { late_ms, limit_ms: args.tick_lag_limit }.into());
    }
    let floor = match result.figures() {
        Some(figures) if args.floor => Some(Floor::under(figures, rig).await?),
        Some(_) | None => None,
    };
    Ok(Report::of(result, valid, floor, rig.vendors, rig.core))
}
