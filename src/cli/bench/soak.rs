//! `--soak`: the same load for long. Does memory grow, do files or tasks pile up, does the tail drift?

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::sleep;

use super::figures::ms;
use super::floor::Floor;
use super::load::{Group, now};
use super::rig::Rig;
use super::window::{Measured, Window};
use super::{CliError, Figures, Usage};

/// Callers begin over this time, and then settle.
const OPENING: Duration = Duration::from_secs(10);
const SETTLING: Duration = Duration::from_secs(5);
/// The soak is measured in so many parts; the first and the last are compared.
const PARTS: u32 = 4;

/// What a soak found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    seconds: u64,
    /// Straight line through the memory of all but the first part, which still warms up.
    memory_slope_mb_per_hour: f64,
    memory_mb: Change,
    open_files: Change,
    tasks: Change,
    /// In the caller's ear, p99, in ms: of the first part and of the last.
    heard_latency_p99_ms: Change,
    pacing_jitter_p99_ms: Change,
    #[serde(flatten)]
    pub(super) figures: Figures,
}

/// A figure at the beginning and at the end.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Change {
    first: Option<f64>,
    last: Option<f64>,
}

pub(super) async fn measure(calls: u32, length: Duration, rig: &mut Rig) -> Result<Report, CliError> {
    rig.output.say(format_args!("{calls} calls for {} s", length.as_secs()));
    let workers = Arc::clone(&rig.workers);
    let (mut group, manner) = (Group::new(&workers), rig.resident());
    for number in 0..calls {
        manner.seat(&mut group, number, OPENING * number / calls);
    }
    sleep(OPENING + SETTLING).await;
    group.take();
    let bar = rig.bar(length, "soak");
    let (began, mut looks, mut parts) = (now(), Vec::new(), Vec::<Measured>::new());
    for _ in 0..PARTS {
        let mut window = Window::open(&mut rig.switch).await?;
        let look = |usage: &Usage| {
            looks.push((began.elapsed(), *usage));
            bar.set_position(began.elapsed().as_secs());
        };
        window.until(&mut rig.switch, sleep(length / PARTS), look).await?;
        parts.push(window.close(&mut rig.switch, || group.take()).await?);
    }
    bar.finish_and_clear();
    manner.leave.cancel();
    Ok(Report::of(calls, &looks, parts, rig))
}

impl Report {
    fn of(calls: u32, looks: &[(Duration, Usage)], parts: Vec<Measured>, rig: &Rig) -> Self {
        let figures = |measured: &Measured| Figures::of(calls, measured, rig.idle_bytes, rig.workers.count());
        let tails: Vec<Figures> = parts.iter().map(figures).collect();
        let tail = |pick: fn(&Figures) -> Option<f64>| Change {
            first: tails.first().and_then(pick),
            last: tails.last().and_then(pick),
        };
        let ends = |pick: fn(&Usage) -> f64| Change {
            first: looks.first().map(|(_, usage)| pick(usage)),
            last: looks.last().map(|(_, usage)| pick(usage)),
        };
        let megabytes = |usage: &Usage| usage.rss_bytes as f64 / f64::from(1 << 20);
        let length = looks.last().map_or(Duration::ZERO, |(at, _)| *at);
        let memory: Vec<(f64, f64)> = looks
            .iter()
            .filter(|(at, _)| *at >= length / PARTS)
            .map(|(at, usage)| (at.as_secs_f64() / 3_600.0, megabytes(usage)))
            .collect();
        let whole = parts.into_iter().reduce(|mut whole, part| {
            whole.join(part);
            whole
        });
        Self {
            seconds: length.as_secs(),
            memory_slope_mb_per_hour: slope(&memory),
            memory_mb: ends(megabytes),
            open_files: ends(|usage| usage.open_files as f64),
            tasks: ends(|usage| usage.tasks as f64),
            heard_latency_p99_ms: tail(|figures| figures.heard_latency_p99_ms),
            pacing_jitter_p99_ms: tail(|figures| figures.pacing_jitter_p99_ms),
            figures: figures(&whole.expect("a soak has parts")),
        }
    }

    pub(super) fn table(&self, floor: Option<&Floor>) -> String {
        let count = |change: Change| {
            format!("{:.0} at first, {:.0} at last", change.first.unwrap_or_default(), change.last.unwrap_or_default())
        };
        let tail =
            |change: Change| format!("{} in the first part, {} in the last", ms(change.first, 1), ms(change.last, 1));
        let rows = [
            ("soaked", format!("{} s", self.seconds)),
            ("memory", format!("{} MB; {:+.1} MB an hour", count(self.memory_mb), self.memory_slope_mb_per_hour)),
            ("open files", count(self.open_files)),
            ("tasks", count(self.tasks)),
            ("heard latency, p99", tail(self.heard_latency_p99_ms)),
            ("pacing jitter, p99", tail(self.pacing_jitter_p99_ms)),
        ];
        let table: String = rows.iter().map(|(name, value)| format!("{name:<38}{value}\n")).collect();
        table + "\n" + &self.figures.table(floor)
    }
}

/// The straight line with the least squares through points of `(x, y)`: its rise for one x; zero where there is no line.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean = |pick: fn(&(f64, f64)) -> f64| points.iter().map(pick).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let across: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let along: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    if along > 0.0 { across / along } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::slope;

    #[test]
    fn a_slope_is_that_of_the_best_line() {
        assert!((slope(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]) - 2.0).abs() < 1e-9);
        assert!(slope(&[(0.0, 1.0), (1.0, -1.0), (2.0, 1.0)]).abs() < 1e-9);
        assert_eq!((slope(&[]), slope(&[(1.0, 7.0)])), (0.0, 0.0));
    }
}
