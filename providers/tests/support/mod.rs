//! The recogniser's pool, its worker being the test binary itself, started again with its test `worker` selected.
#![allow(clippy::unwrap_used, clippy::mod_module_files)]

use std::fs::OpenOptions;
use std::path::Path;

use tandem_providers::local::models;
use tandem_providers::local::whisper::{WhisperConfig, WhisperPool};
use tandem_providers::local::whisper_worker::run_worker;

/// Tells this binary, started again, which model to serve.
const MODEL: &str = "WHISPER_WORKER_MODEL";

/// What the test `worker` does: nothing, unless it is the child process.
pub(crate) fn be_worker() {
    let Some(model) = std::env::var_os(MODEL) else { return };
    // The test harness prints to stdout, so the frames go to the descriptor that the shell kept aside.
    let frames = OpenOptions::new().write(true).open("/dev/fd/3").unwrap();
    run_worker(Path::new(&model), 1, std::io::stdin().lock(), frames).unwrap();
}

/// One worker with the installed model.
pub(crate) fn pool() -> WhisperPool {
    let model = models::require_whisper(&models::models_dir()).unwrap_or_else(|error| panic!("{error}"));
    let script = format!("exec 3>&1 >/dev/null; {MODEL}=\"$1\" exec \"$0\" --exact worker --nocapture");
    let program = std::env::current_exe().unwrap();
    let config = WhisperConfig::new(vec!["sh".into(), "-c".into(), script.into(), program.into()], model);
    WhisperPool::new(WhisperConfig { workers: 1, ..config })
}
