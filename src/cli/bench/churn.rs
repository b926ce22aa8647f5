//! `--churn`: what the calls that are up notice of others that come and go.
//!
//! The residents are measured alone first, and then while visitors arrive at a steady rate, say one thing, hear the answer and hang up.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Interval, MissedTickBehavior, interval, sleep, timeout};

use super::CliError;
use super::figures::{Figures, above_endpoint, ms};
use super::floor::Floor;
use super::load::{Group, Manner, Tally, now, percentile_ms};
use super::rig::Rig;
use super::window::{Measured, Window};

/// Residents begin over this time, and then settle.
const OPENING: Duration = Duration::from_secs(10);
const SETTLING: Duration = Duration::from_secs(5);
/// Visitors come for this long before they are measured: about as long as one stays.
const VISITORS_SETTLE: Duration = Duration::from_secs(10);
/// The visitors' calls are numbered from here on.
const VISITORS_FROM: u32 = 1 << 24;

/// What the residents noticed.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    residents: u32,
    arrivals_per_second: f64,
    /// How many visitors were up on the average.
    visitors_up: f64,
    visitors_completed: u64,
    visitors_failed: u64,
    /// Of the residents, without and with visitors.
    heard_latency_p95_ms: Change,
    heard_latency_p99_ms: Change,
    pacing_jitter_p99_ms: Change,
    /// The residents alone.
    pub(super) alone: Figures,
    /// All calls while visitors came and went.
    pub(super) together: Figures,
}

/// A figure of the residents without and with visitors.
#[derive(Debug, Clone, Copy, Serialize)]
struct Change {
    alone: Option<f64>,
    together: Option<f64>,
}

pub(super) async fn measure(calls: u32, rate: f64, hold: Duration, rig: &mut Rig) -> Result<Report, CliError> {
    rig.output
        .say(format_args!("{calls} calls alone, then beside {rate} arrivals a second, {} s each", hold.as_secs()));
    let workers = Arc::clone(&rig.workers);
    let (mut group, resident) = (Group::new(&workers), rig.resident());
    for number in 0..calls {
        resident.seat(&mut group, number, OPENING * number / calls);
    }
    sleep(OPENING + SETTLING).await;
    let mut window = Window::open(&mut rig.switch).await?;
    group.take();
    let bar = rig.bar(hold, "alone");
    window.hold(&mut rig.switch, hold, &bar).await?;
    bar.finish_and_clear();
    let alone = window.close(&mut rig.switch, || group.take()).await?;

    let mut visitors = Visitors::of(rig.visitor(), Group::new(&workers), rate);
    visitors.arrive(VISITORS_SETTLE).await;
    let mut window = Window::open(&mut rig.switch).await?;
    group.take();
    visitors.group.take();
    let (bar, began) = (rig.bar(hold, "with visitors"), now());
    let on_bar = |_: &_| bar.set_position(began.elapsed().as_secs());
    window.until(&mut rig.switch, visitors.arrive(hold), on_bar).await?;
    bar.finish_and_clear();
    let (ours, theirs) = (group.take(), visitors.group.take());
    let all = || {
        let mut all = ours.clone();
        all.add(&theirs);
        all
    };
    let together = window.close(&mut rig.switch, all).await?;
    resident.leave.cancel();
    visitors.manner.leave.cancel();

    let up = theirs.call_seconds() / hold.as_secs_f64();
    let change = |pick: fn(&Tally) -> Option<f64>| Change { alone: pick(&alone.tally), together: pick(&ours) };
    let figures = |calls: u32, measured: &Measured| Figures::of(calls, measured, rig.idle_bytes, rig.workers.count());
    Ok(Report {
        residents: calls,
        arrivals_per_second: rate,
        visitors_up: up,
        visitors_completed: theirs.completed,
        visitors_failed: theirs.failed,
        heard_latency_p95_ms: change(|tally| above_endpoint(percentile_ms(&tally.answers, 95.0))),
        heard_latency_p99_ms: change(|tally| above_endpoint(percentile_ms(&tally.answers, 99.0))),
        pacing_jitter_p99_ms: change(|tally| percentile_ms(&tally.pacing, 99.0)),
        alone: figures(calls, &alone),
        together: figures(calls + up.round() as u32, &together),
    })
}

/// Callers who come at a steady rate.
struct Visitors<'a> {
    manner: Manner,
    group: Group<'a>,
    beat: Interval,
    number: u32,
}

impl<'a> Visitors<'a> {
    fn of(manner: Manner, group: Group<'a>, rate: f64) -> Self {
        let mut beat = interval(Duration::from_secs_f64(1.0 / rate));
        beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
        Self { manner, group, beat, number: VISITORS_FROM }
    }

    /// Lets them come for `length`.
    async fn arrive(&mut self, length: Duration) {
        let arriving = async {
            loop {
                self.beat.tick().await;
                self.manner.seat(&mut self.group, self.number, Duration::ZERO);
                self.number += 1;
            }
        };
        // the time is over, and nobody arrives any more
        let _: Result<(), _> = timeout(length, arriving).await;
    }
}

impl Report {
    pub(super) fn table(&self, floor: Option<&Floor>) -> String {
        let moved = |change: Change| {
            let by = change.together.zip(change.alone).map_or(0.0, |(together, alone)| together - alone);
            format!("{} alone, {} with visitors ({by:+.1} ms)", ms(change.alone, 1), ms(change.together, 1))
        };
        let rows = [
            (
                "visitors",
                format!(
                    "{} a second, {:.0} up on the average, {} completed, {} failed",
                    self.arrivals_per_second, self.visitors_up, self.visitors_completed, self.visitors_failed,
                ),
            ),
            ("residents: heard latency, p95", moved(self.heard_latency_p95_ms)),
            ("residents: heard latency, p99", moved(self.heard_latency_p99_ms)),
            ("residents: pacing jitter, p99", moved(self.pacing_jitter_p99_ms)),
        ];
        let table: String = rows.iter().map(|(name, value)| format!("{name:<38}{value}\n")).collect();
        format!("{table}\nall calls while visitors came and went\n{}", self.together.table(floor))
    }
}
