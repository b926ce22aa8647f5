//! Drives a [`Ramp`](super::Ramp): seats the callers of each step, lets them settle, measures.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::sleep;

use super::super::figures::ms;
use super::super::floor::Floor;
use super::super::load::Group;
use super::super::rig::Rig;
use super::super::window::Window;
use super::super::{CliError, Figures};
use super::{End, Next, Ramp, Step};

/// The callers of a step begin over this time, and then settle.
const OPENING: Duration = Duration::from_secs(10);
const SETTLING: Duration = Duration::from_secs(5);

/// What a ramp found.
#[derive(Debug, Serialize)]
pub(in crate::cli::bench) struct Report {
    /// The most calls that were held; absent if not even the first step was.
    pub(in crate::cli::bench) calls_held: Option<u32>,
    pub(in crate::cli::bench) ended: End,
    pub(in crate::cli::bench) steps: Vec<Measurement>,
}

/// One step.
#[derive(Debug, Serialize)]
pub(in crate::cli::bench) struct Measurement {
    #[serde(flatten)]
    pub(in crate::cli::bench) step: Step,
    #[serde(flatten)]
    pub(in crate::cli::bench) figures: Figures,
}

/// Climbs; each step is measured for `hold`, and does not count if the callers' ticks were later than `late_ms`.
pub(in crate::cli::bench) async fn climb(
    mut ramp: Ramp,
    hold: Duration,
    late_ms: f64,
    rig: &mut Rig,
) -> Result<Report, CliError> {
    let workers = Arc::clone(&rig.workers);
    let (mut group, manner) = (Group::new(&workers), rig.resident());
    let (mut seated, mut calls, mut steps) = (0, ramp.first(), Vec::new());
    loop {
        rig.output.say(format_args!("{calls} calls"));
        let fresh = calls - seated;
        for number in 0..fresh {
            manner.seat(&mut group, seated + number, OPENING * number / fresh);
        }
        seated = calls;
        sleep(OPENING + SETTLING).await;
        let mut window = Window::open(&mut rig.switch).await?;
        group.take();
        let bar = rig.bar(hold, "measured");
        window.hold(&mut rig.switch, hold, &bar).await?;
        bar.finish_and_clear();
        let measured = window.close(&mut rig.switch, || group.take()).await?;
        let figures = Figures::of(calls, &measured, rig.idle_bytes, rig.workers.count());
        let breaches = figures.breaches();
        let step = match breaches.is_empty() {
            _ if figures.load.tick_lateness_p99_ms > late_ms => Step::Unmeasured,
            true => Step::Held,
            false => Step::Broke { breaches },
        };
        rig.output.say(row(&figures));
        steps.push(Measurement { step: step.clone(), figures });
        match ramp.next(step) {
            Next::Try(next) => calls = next,
            Next::Done { held, end } => {
                manner.leave.cancel();
                return Ok(Report { calls_held: held, ended: end, steps });
            }
        }
    }
}

fn row(figures: &Figures) -> String {
    format!(
        "{:>7} {:>9.2} ms {:>7.0} KB {:>10} {:>10} {:>10} {:>9.2} % {:>8.2} %",
        figures.calls,
        figures.cpu_ms_per_call_second,
        figures.memory_kb_per_call,
        ms(figures.heard_latency_p95_ms, 0),
        ms(figures.barge_in_p95_ms, 0),
        ms(figures.pacing_jitter_p99_ms, 1),
        figures.underrun_share * 100.0,
        figures.lost_turn_share * 100.0,
    )
}

impl Report {
    /// The step that a cost is quoted from: the last that was held, else the last.
    pub(in crate::cli::bench) fn best(&self) -> Option<&Figures> {
        self.steps.iter().rev().find(|step| step.step == Step::Held).or(self.steps.last()).map(|step| &step.figures)
    }

    pub(in crate::cli::bench) fn table(&self, floor: Option<&Floor>) -> String {
        let mut table = format!(
            "{:>7} {:>12} {:>10} {:>10} {:>10} {:>10} {:>11} {:>10}\n",
            "calls", "CPU/call-s", "memory", "heard p95", "clear p95", "jitter p99", "underruns", "lost"
        );
        for step in &self.steps {
            table.push_str(&row(&step.figures));
            table.push('\n');
        }
        let held = self.calls_held.map_or_else(|| "not even the first step".to_owned(), |calls| calls.to_string());
        let why = match &self.ended {
            End::ServiceLevel { calls, breaches } => {
                let words: Vec<String> = breaches.iter().map(ToString::to_string).collect();
                format!("{calls} broke: {}", words.join(", "))
            }
            End::Top => "the last step was held too: go higher with --to".to_owned(),
            End::Callers { calls } => format!("at {calls} the callers themselves were late"),
        };
        table
            .push_str(&format!("\ncalls held at the service level: {held}; {why}\n\nat the last step that was held\n"));
        table + &self.best().map(|figures| figures.table(floor)).unwrap_or_default()
    }
}
