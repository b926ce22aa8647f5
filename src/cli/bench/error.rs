//! Why a measurement has no result.

use std::io;
use std::path::PathBuf;

/// Why a measurement has no result. Each says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// Some calls failed, so the figures do not count.
    #[error("{0} of the measured calls did not complete: see the switch's log above")]
    Incomplete(u64),
    /// The first call failed.
    #[error("the first call failed: {0}")]
    FirstCall(String),
    /// The measured switch does not run.
    #[error("the measured switch does not run")]
    Switch(#[source] io::Error),
    /// The callers were late themselves.
    #[error(
        "the callers' own ticks were {late_ms:.1} ms late (p99; limit {limit_ms} ms), so the load and not the switch was measured: free the machine, lower --calls, raise --load-threads, or print all the same with --force"
    )]
    Late {
        /// How late, p99.
        late_ms: f64,
        /// How late they may be.
        limit_ms: f64,
    },
    /// The machine has one core.
    #[error(
        "this machine has one core for us, and --pin needs one for the switch and one for the callers: leave out --pin"
    )]
    OneCore,
    /// The system does not let us choose cores.
    #[error("cannot choose cores: leave out --pin")]
    Pin(#[source] io::Error),
    /// The callers' threads did not start.
    #[error("the callers' threads did not start: check the limits of threads and open files")]
    Workers(#[source] io::Error),
    /// The vendors' process does not run.
    #[error(
        "`tandem mock`, which serves the vendors, does not start: run `tandem mock --port 0 --json` to see why, or measure with --vendors fake"
    )]
    Vendors(#[source] io::Error),
    /// The picture could not be written.
    #[error("cannot write the picture {}: {why}", .path.display())]
    Plot {
        /// Where.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The folder of the measured switch could not be made.
    #[error("cannot make a temporary folder: check TMPDIR")]
    Folder(#[source] io::Error),
}
