//! `tandem stt-worker`: one inference process of the recogniser. Started by the switch itself, never by people.
//!
//! Native code that crashes takes this process with it and no call: the parent starts another one.

use std::path::PathBuf;

use super::CliError;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The model's file.
    model: PathBuf,
    /// Cores that one inference may use.
    threads: usize,
}

#[cfg(feature = "local-speech")]
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    use std::io;

    use tandem_providers::local::whisper_worker;

    let (stdin, stdout) = (io::stdin().lock(), io::stdout().lock());
    whisper_worker::run_worker(&args.model, args.threads, stdin, stdout).map_err(CliError::Worker)
}

#[cfg(not(feature = "local-speech"))]
pub(super) fn run(_: &Args) -> Result<(), CliError> {
    Err(crate::wiring::EngineError::NotBuilt.into())
}
