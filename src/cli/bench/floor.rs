//! The floor under a call: the same sockets, the same frames, and an echo that reads none of them.
//!
//! Opened in the very process that was measured, on the very upgrade that carriers use, so that both figures come from one program on one
//! machine in one run. Every frame comes back, where a switch sends audio only while the agent speaks: the floor is not flattered.

use std::time::Duration;

use serde::Serialize;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::load::{Group, percentile_ms};
use super::rig::Rig;
use super::window::Window;
use super::{CliError, Figures};

/// What was measured before ends meanwhile.
const QUIET: Duration = Duration::from_secs(5);
/// Sockets are opened over this time, and then left to settle.
const OPENING: Duration = Duration::from_secs(2);
const SETTLING: Duration = Duration::from_secs(2);
/// How long the echo is measured.
const HOLD: Duration = Duration::from_secs(10);

/// What the echo costs.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Floor {
    sockets: u32,
    socket_seconds: f64,
    pub(super) cpu_ms_per_call_second: f64,
    /// The switch's cost over the echo's.
    pub(super) ratio: f64,
    round_trip_p50_ms: Option<f64>,
    round_trip_p99_ms: Option<f64>,
}

impl Floor {
    /// Measures as many sockets as there were calls.
    pub(super) async fn under(figures: &Figures, rig: &mut Rig) -> Result<Self, CliError> {
        rig.output.say(format_args!("the floor: {} sockets before an echo, {} s", figures.calls, HOLD.as_secs()));
        let (workers, leave) = (rig.workers.clone(), CancellationToken::new());
        let mut group = Group::new(&workers);
        sleep(QUIET).await;
        let manner = rig.manner(rig.switch.echo_url(), leave);
        for number in 0..figures.calls {
            manner.seat_before_echo(&mut group, number, OPENING * number / figures.calls);
        }
        sleep(OPENING + SETTLING).await;
        group.take();
        let mut window = Window::open(&mut rig.switch).await?;
        let bar = rig.bar(HOLD, "floor");
        window.hold(&mut rig.switch, HOLD, &bar).await?;
        let measured = window.close(&mut rig.switch, || group.take()).await?;
        bar.finish_and_clear();
        manner.leave.cancel();
        let socket_seconds = measured.tally.call_seconds();
        let cost = (measured.switch_seconds + measured.vendor_seconds) * 1_000.0 / socket_seconds;
        Ok(Self {
            sockets: figures.calls,
            socket_seconds,
            cpu_ms_per_call_second: cost,
            ratio: figures.cpu_ms_per_call_second / cost,
            round_trip_p50_ms: percentile_ms(&measured.tally.round_trips, 50.0),
            round_trip_p99_ms: percentile_ms(&measured.tally.round_trips, 99.0),
        })
    }

    pub(super) fn words(&self) -> String {
        format!("{:.2}, where the echo takes {:.2} ms", self.ratio, self.cpu_ms_per_call_second)
    }
}
