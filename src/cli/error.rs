//! Why a command failed.

use std::io;

use tandem_peers::simulate::SimulateError;

use super::access::AccessError;
use super::agent::AgentError;
use super::bench::BenchError;
use super::replay::ReplayError;
use super::simulate::{PictureError, ScriptError};
use crate::config::ConfigError;
use crate::telemetry::LogError;
use crate::wiring::{BootError, EngineError};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The program did not start.
    #[error(transparent)]
    Boot(#[from] BootError),
    /// The log has no file.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A model is not there or cannot be had.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The database did not open.
    #[error("the database cannot be used: check DATABASE_URL and DATA_DIR")]
    Store(#[from] tandem_store::OpenError),
    /// What was given as the switch's address is none.
    #[error(
        "{0:?} is not the address of a switch: write ws://host:port/media, or the http:// address that its start prints"
    )]
    Url(String),
    /// Some checks of the doctor failed.
    #[error("{failed} of {of} checks failed: each says above what to do")]
    Doctor {
        /// How many.
        failed: usize,
        /// Of how many.
        of: usize,
    },
    /// Businesses, people or keys cannot be changed as asked.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The caller's script cannot be played.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// The call was made, and cannot be drawn.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// Twilio has one rate.
    #[error("twilio streams at 8000 Hz alone: leave out --sample-rate, or choose --carrier exotel")]
    SampleRate,
    /// The simulation has no result.
    #[error(transparent)]
    Simulate(SimulateError),
    /// Nobody answers where the switch should be.
    #[error(
        "no switch answers at {url}: start one with `tandem serve`, correct --url, or leave it out to start one for this call"
    )]
    NoSwitch {
        /// Where.
        url: String,
        /// What happened there.
        source: SimulateError,
    },
    /// The switch asks who we are.
    #[error(
        "{url} is closed to us ({detail}): give this command what the switch has for carriers, MEDIA_SECRET or MEDIA_USER and MEDIA_PASSWORD; or a \
         key of `tandem key make cli --scope talks:start --scope calls:read` in SWITCH_API_KEY or --api-key, which `tandem talk` and \
         `tandem simulate --carrier browser` show it"
    )]
    Closed {
        /// Where.
        url: String,
        /// Its own words.
        detail: String,
    },
    /// The simulated call did not end as calls should.
    #[error("call {call} failed: {how}")]
    Call {
        /// The carrier's id of the call.
        call: String,
        /// What happened.
        how: String,
    },
    /// A measurement has no result.
    #[error(transparent)]
    Bench(#[from] BenchError),
    /// An inference process ended by an error.
    #[cfg(feature = "local-speech")]
    #[error(transparent)]
    Worker(tandem_providers::local::whisper_worker::WorkerError),
    /// An agent is not shown, written or applied.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The journal does not run again.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The async runtime did not start.
    #[error("the runtime did not start: check the limits of threads and open files")]
    Runtime(#[source] io::Error),
    /// The mock's address is none.
    #[error("{0:?} is no address to listen on: write an IP address after --host, and 0 to 65535 after --port")]
    Address(String),
    /// The mock's port is not to be had.
    #[error("the mock cannot listen on {address}: choose another --port, or 0 for a free one")]
    MockPort {
        /// What was asked for.
        address: std::net::SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The mock's log cannot be written.
    #[error("cannot write the log of the wires to {}", path.display())]
    MockLog {
        /// Which file.
        path: std::path::PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The talk was ended by a signal.
    #[error("the talk was broken off")]
    BrokenOff,
    /// stdin, stdout or stderr broke.
    #[error("cannot write the result")]
    Output(#[from] io::Error),
}

impl From<SimulateError> for CliError {
    fn from(error: SimulateError) -> Self {
        match &error {
            SimulateError::Connect { url, .. } | SimulateError::ConnectTimeout { url } => {
                Self::NoSwitch { url: url.clone(), source: error }
            }
            SimulateError::Refused { url, status: 401 | 403, detail } => {
                Self::Closed { url: url.clone(), detail: detail.clone() }
            }
            _ => Self::Simulate(error),
        }
    }
}
