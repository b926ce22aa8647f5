//! Why a command failed.

use std::io;

use tandem_peers::simulate::SimulateError;

use super::simulate::ScriptError;
use crate::config::ConfigError;
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
    /// A model is not there or cannot be had.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The database did not open.
    #[error("the database cannot be used: check DATABASE_URL and DATA_DIR")]
    Store(#[from] tandem_store::OpenError),
    /// The caller's script cannot be played.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// Twilio has one rate.
    #[error("twilio streams at 8000 Hz alone: leave out --sample-rate, or choose --carrier exotel")]
    SampleRate,
    /// The simulation has no result.
    #[error(transparent)]
    Simulate(#[from] SimulateError),
    /// The simulated call did not end as calls should.
    #[error("call {call} failed: {how}")]
    Call {
        /// The carrier's id of the call.
        call: String,
        /// What happened.
        how: String,
    },
    /// Some calls of the measurement failed, so its figures do not count.
    #[error("{0} of the measured calls did not complete: see the switch's log above")]
    Bench(u32),
    /// A call of the measurement could not be made.
    #[error("the first call failed: {0}")]
    BenchCall(String),
    /// The measured switch does not run.
    #[error("the measured switch does not run")]
    BenchSwitch(#[source] io::Error),
    /// An inference process ended by an error.
    #[cfg(feature = "local-speech")]
    #[error(transparent)]
    Worker(tandem_providers::local::whisper_worker::WorkerError),
    /// The async runtime did not start.
    #[error("the runtime did not start: check the limits of threads and open files")]
    Runtime(#[source] io::Error),
    /// stdin, stdout or stderr broke.
    #[error("cannot write the result")]
    Output(#[from] io::Error),
}
