//! What every measurement stands on: the switch in its process, its vendors, and the threads of the callers.

use std::sync::Arc;
use std::time::Duration;

use indicatif::ProgressBar;
use tempfile::TempDir;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::args::Args;
use super::load::{Group, Lines, Manner, Workers};
use super::pin::Cores;
use super::switch::MeasuredSwitch;
use super::vendors::{Choice, Mock};
use super::{BenchError, CliError, Output, TEXTS};
use crate::cli::output::bar_style;

/// Calls that go before, so that what is made once is not counted.
const WARM_CALLS: u32 = 2;
/// Time between two looks whether they are over.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The switch, its vendors and the callers' threads.
pub(super) struct Rig {
    pub(super) switch: MeasuredSwitch,
    pub(super) workers: Arc<Workers>,
    pub(super) output: Output,
    pub(super) vendors: Choice,
    /// Memory of the switch before the measurement.
    pub(super) idle_bytes: u64,
    /// The switch's core, if it has one of its own.
    pub(super) core: Option<usize>,
    lines: Arc<Lines>,
    /// Something is heard under the agents.
    ambience: bool,
    _mock: Option<Mock>,
    _folder: TempDir,
}

impl Rig {
    pub(super) async fn start(args: &Args, output: Output) -> Result<Self, CliError> {
        let cores = if args.pin { Some(Cores::divided()?) } else { None };
        if let Some(cores) = &cores {
            cores.move_callers()?; // before there are threads and vendors, which come where we are
        }
        let mock = match args.vendors {
            Choice::Fake => None,
            Choice::Mock => Some(Mock::start(args.vendor_latency).await?),
        };
        let folder = tempfile::tempdir().map_err(BenchError::Folder)?;
        let switch = MeasuredSwitch::start(args, folder.path(), cores.as_ref(), mock.as_ref()).await?;
        let threads =
            args.load_threads.map_or_else(|| default_threads(cores.as_ref()), |count| usize::from(count.get()));
        let workers = Arc::new(Workers::start(threads).map_err(BenchError::Workers)?);
        let mut rig = Self {
            switch,
            workers,
            output,
            vendors: args.vendors,
            idle_bytes: 0,
            core: cores.map(|cores| cores.switch()),
            lines: Arc::new(Lines::rendered(&TEXTS)),
            ambience: args.ambience.is_some(),
            _mock: mock,
            _folder: folder,
        };
        rig.warm_up().await?;
        Ok(rig)
    }

    async fn warm_up(&mut self) -> Result<(), CliError> {
        let workers = Arc::clone(&self.workers);
        let mut group = Group::new(&workers);
        let manner = self.visitor();
        for number in 0..WARM_CALLS {
            manner.seat(&mut group, u32::MAX - number, Duration::ZERO);
        }
        finished(&group).await;
        if let Some(why) = group.take().failures.pop() {
            return Err(BenchError::FirstCall(why).into());
        }
        self.idle_bytes = self.switch.usage().await?.rss_bytes;
        Ok(())
    }

    /// Callers who say everything and call again when they are done.
    pub(super) fn manner(&self, url: String, leave: CancellationToken) -> Manner {
        Manner {
            url,
            lines: Arc::clone(&self.lines),
            says: TEXTS.len(),
            // a model goes on for ever; the playbook says goodbye
            hang_up: self.vendors == Choice::Mock,
            interrupt: true,
            ambience: self.ambience,
            again: true,
            leave,
        }
    }

    /// Callers who stay until they are told to leave.
    pub(super) fn resident(&self) -> Manner {
        self.manner(self.switch.media_url(), CancellationToken::new())
    }

    /// Callers who say one thing, hear the answer, and go.
    pub(super) fn visitor(&self) -> Manner {
        Manner { says: 1, hang_up: true, interrupt: false, again: false, ..self.resident() }
    }

    /// A bar for so many seconds of `what`.
    pub(super) fn bar(&self, length: Duration, what: &str) -> ProgressBar {
        ProgressBar::new(length.as_secs()).with_style(bar_style()).with_message(format!("{what}, s"))
    }

    pub(super) async fn stop(self) {
        self.switch.stop().await;
    }
}

/// Waits until all of a group's callers have gone.
pub(super) async fn finished(group: &Group<'_>) {
    while group.running() > 0 {
        sleep(LOOK_EVERY).await;
    }
}

/// As many as cores, less one for the switch.
fn default_threads(cores: Option<&Cores>) -> usize {
    let all = || std::thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(1));
    cores.map_or_else(all, Cores::for_callers).max(1)
}
