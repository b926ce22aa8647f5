//! `tandem models`: the speech models on this machine.

use clap::Subcommand;

use super::{CliError, Output};
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Fetch the recogniser's model and check it; does nothing if it is there.
    Install,
    /// Show which models there are and which are installed.
    List,
    /// Print where the recogniser's model is; fails if it is not installed.
    Path,
}

#[cfg(feature = "local-speech")]
pub(super) fn run(command: &Command, config: &Config, output: Output) -> Result<(), CliError> {
    let folder = crate::wiring::models_dir(config);
    match command {
        Command::Install => local::install(&folder, output),
        Command::List => local::list(&folder, output),
        Command::Path => local::path(&folder, output),
    }
}

#[cfg(not(feature = "local-speech"))]
pub(super) fn run(_: &Command, _: &Config, _: Output) -> Result<(), CliError> {
    Err(crate::wiring::EngineError::NotBuilt.into())
}

#[cfg(feature = "local-speech")]
mod local {
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use indicatif::{ProgressBar, ProgressStyle};
    use serde::Serialize;
    use tandem_providers::local::models::{self, MODELS, Progress};

    use super::super::output;
    use super::{CliError, Output};
    use crate::wiring::EngineError;

    #[derive(Debug, Serialize)]
    struct Installed {
        path: PathBuf,
        /// It was there before.
        already: bool,
    }

    #[derive(Debug, Serialize)]
    struct Listed {
        name: &'static str,
        installed: bool,
        path: PathBuf,
        bytes: u64,
        licence: &'static str,
        package: String,
    }

    pub(super) fn install(folder: &Path, output: Output) -> Result<(), CliError> {
        let mut teller = Teller::new(output);
        let installed = models::install(folder, &mut |progress| teller.tell(progress)).map_err(EngineError::from)?;
        teller.bar.finish_and_clear();
        let installed = Installed { path: installed.path, already: installed.already };
        output.result(&installed, |installed| {
            let how = if installed.already { "was installed already" } else { "is installed" };
            format!("the speech model {how}: {}", installed.path.display())
        })?;
        Ok(())
    }

    pub(super) fn list(folder: &Path, output: Output) -> Result<(), CliError> {
        let listed: Vec<_> = MODELS
            .iter()
            .map(|model| {
                let path = folder.join(model.file);
                let installed = path.metadata().is_ok_and(|file| file.len() == model.file_bytes);
                let package = format!("{} {}", model.package, model.version);
                Listed { name: model.name, installed, path, bytes: model.file_bytes, licence: model.licence, package }
            })
            .collect();
        output.result(&listed, |listed| {
            let line = |model: &Listed| {
                let state = if model.installed { "installed" } else { "-" };
                let megabytes = model.bytes.div_ceil(1_000_000);
                format!("{:22} {state:10} {megabytes:4} MB  {:5} {}\n", model.name, model.licence, model.path.display())
            };
            listed.iter().map(line).collect()
        })?;
        Ok(())
    }

    pub(super) fn path(folder: &Path, output: Output) -> Result<(), CliError> {
        let path = models::require_whisper(folder).map_err(EngineError::from)?;
        output.result(&path, |path| path.display().to_string())?;
        Ok(())
    }

    fn byte_bar_style() -> ProgressStyle {
        ProgressStyle::with_template("{msg} [{bar:40}] {bytes}/{total_bytes} {eta}").expect("the template is sound")
    }

    /// Progress on stderr: a bar on a terminal, one line a step elsewhere.
    struct Teller {
        output: Output,
        bar: ProgressBar,
        step: &'static str,
    }

    impl Teller {
        fn new(output: Output) -> Self {
            Self { output, bar: ProgressBar::hidden(), step: "" }
        }

        fn tell(&mut self, progress: Progress) {
            match progress {
                Progress::Checking => self.step("checking the model", None),
                Progress::Fetching { received, total } => {
                    self.step("fetching the model", Some((total, byte_bar_style())));
                    // What is counted includes pip's own files.
                    self.bar.set_position(received.min(total));
                }
                Progress::Verifying => self.step("verifying the package", None),
                Progress::Converting { done, total } => {
                    let (done, total) = (done.try_into().unwrap_or(u64::MAX), total.try_into().unwrap_or(u64::MAX));
                    self.step("converting the model", Some((total, output::bar_style())));
                    self.bar.set_position(done);
                }
            }
        }

        /// Begins a step unless it is the one under way. `measured` is its length and how its bar looks.
        fn step(&mut self, step: &'static str, measured: Option<(u64, ProgressStyle)>) {
            if self.step == step {
                return;
            }
            self.step = step;
            self.bar.finish_and_clear();
            self.bar = measured
                .map_or_else(ProgressBar::new_spinner, |(length, look)| ProgressBar::new(length).with_style(look));
            self.bar.set_message(step);
            self.bar.enable_steady_tick(Duration::from_millis(100));
            if self.bar.is_hidden() {
                self.output.say(format_args!("{step} …"));
            }
        }
    }
}
