//! A stretch of time in which something is measured: looks at the switch and at ourselves before and behind it, and in between.

use std::time::Duration;

use indicatif::ProgressBar;
use rustix::time::{ClockId, clock_gettime};
use tokio::time::{interval, sleep};

use super::load::{Tally, now};
use super::prometheus::{self, Buckets};
use super::stages::Answered;
use super::switch::MeasuredSwitch;
use super::{CliError, Usage};

/// Time between two looks at the switch's memory.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The switch's own histograms.
const TIMER_LAG: &str = "tandem_timer_lag_seconds";
const PLAYOUT_LAG: &str = "tandem_playout_lag_seconds";

/// A window that is open.
pub(super) struct Window {
    before: Usage,
    load_seconds: f64,
    lags: Lags,
    peak_bytes: u64,
}

#[derive(Debug)]
struct Lags {
    timer: Buckets,
    playout: Buckets,
}

/// What a window showed.
#[derive(Debug)]
pub(super) struct Measured {
    /// By the callers.
    pub(super) tally: Tally,
    /// Processor time of the switch without its fake vendors, of those, and of the callers' process.
    pub(super) switch_seconds: f64,
    pub(super) vendor_seconds: f64,
    pub(super) load_seconds: f64,
    /// The most memory of the switch.
    pub(super) peak_bytes: u64,
    /// The turns that were answered, as the switch wrote them down.
    pub(super) answers: Vec<Answered>,
    /// How long the vendors take for a turn because they were told to, in ms.
    pub(super) vendor_wait_ms: f64,
    /// By the switch's own clock, p99 in ms; `None` if it does not tell.
    pub(super) timer_lag_p99_ms: Option<f64>,
    pub(super) playout_lag_p99_ms: Option<f64>,
}

impl Window {
    /// Opens a window. What the switch wrote down before is not counted.
    pub(super) async fn open(switch: &mut MeasuredSwitch) -> Result<Self, CliError> {
        let _: Vec<Answered> = switch.ask("answers").await?;
        let lags = Lags::of(switch).await?;
        let before: Usage = switch.usage().await?;
        Ok(Self { before, load_seconds: load_seconds(), lags, peak_bytes: before.rss_bytes })
    }

    /// Looks on for `length`; the bar counts its seconds.
    pub(super) async fn hold(
        &mut self,
        switch: &mut MeasuredSwitch,
        length: Duration,
        bar: &ProgressBar,
    ) -> Result<(), CliError> {
        let began = now();
        self.until(switch, sleep(length), |_| bar.set_position(began.elapsed().as_secs())).await
    }

    /// Looks on until `end`, and calls `at_each` with what it saw.
    pub(super) async fn until(
        &mut self,
        switch: &mut MeasuredSwitch,
        end: impl Future<Output = ()>,
        mut at_each: impl FnMut(&Usage),
    ) -> Result<(), CliError> {
        let mut end = std::pin::pin!(end);
        let mut look = interval(LOOK_EVERY);
        loop {
            tokio::select! {
                biased;
                () = &mut end => return Ok(()),
                _ = look.tick() => {
                    let usage = switch.usage().await?;
                    self.peak_bytes = self.peak_bytes.max(usage.rss_bytes);
                    at_each(&usage);
                }
            }
        }
    }

    /// Closes the window over what `take` hands out: what the callers counted.
    pub(super) async fn close(
        self,
        switch: &mut MeasuredSwitch,
        take: impl FnOnce() -> Tally,
    ) -> Result<Measured, CliError> {
        let (after, tally) = (switch.usage().await?, take());
        let load_seconds = load_seconds() - self.load_seconds;
        let lags = Lags::of(switch).await?;
        let answers = switch.ask("answers").await?;
        let vendor_seconds = after.vendor_seconds - self.before.vendor_seconds;
        let p99_ms = |late: &Buckets, early: &Buckets| late.since(early).percentile(99.0).map(|lag| lag * 1_000.0);
        Ok(Measured {
            tally,
            switch_seconds: after.cpu_seconds - self.before.cpu_seconds - vendor_seconds,
            vendor_seconds,
            load_seconds,
            peak_bytes: self.peak_bytes.max(after.rss_bytes),
            answers,
            vendor_wait_ms: switch.vendor_wait_ms(),
            timer_lag_p99_ms: p99_ms(&lags.timer, &self.lags.timer),
            playout_lag_p99_ms: p99_ms(&lags.playout, &self.lags.playout),
        })
    }
}

impl Measured {
    /// Joins the window that followed: sums of what adds up, the worse of what does not.
    pub(super) fn join(&mut self, next: Self) {
        let worse = |one: Option<f64>, other: Option<f64>| match (one, other) {
            (Some(one), Some(other)) => Some(one.max(other)),
            (one, other) => one.or(other),
        };
        self.tally.add(&next.tally);
        self.switch_seconds += next.switch_seconds;
        self.vendor_seconds += next.vendor_seconds;
        self.load_seconds += next.load_seconds;
        self.peak_bytes = self.peak_bytes.max(next.peak_bytes);
        self.answers.extend(next.answers);
        self.timer_lag_p99_ms = worse(self.timer_lag_p99_ms, next.timer_lag_p99_ms);
        self.playout_lag_p99_ms = worse(self.playout_lag_p99_ms, next.playout_lag_p99_ms);
    }
}

impl Lags {
    async fn of(switch: &mut MeasuredSwitch) -> Result<Self, CliError> {
        let text: String = switch.ask("metrics").await?;
        Ok(Self { timer: prometheus::read(&text, TIMER_LAG), playout: prometheus::read(&text, PLAYOUT_LAG) })
    }
}

/// Processor time of this process.
fn load_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
