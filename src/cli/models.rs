//! `tandem models`: the speech models on this machine.

use clap::{Subcommand, ValueEnum};

use super::{CliError, Output};
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Fetch the recogniser's model and check it; does nothing if it is there.
    Install {
        /// Fetch this voice too. `light` is flite, a Debian package: there is nothing to fetch.
        #[arg(long, value_enum, default_value_t = Voice::Light)]
        voice: Voice,
        /// Fetch the model of this speech detector too. The default one is built in.
        #[arg(long, value_enum)]
        vad: Option<Detector>,
        /// Fetch this model too, which hears whether a turn is complete.
        #[arg(long, value_enum)]
        end_of_turn: Option<EndOfTurn>,
    },
    /// Show which models there are and which are installed.
    List,
    /// Print where the recogniser's model is; fails if it is not installed.
    Path,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Voice {
    Light,
    Natural,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Detector {
    Silero,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum EndOfTurn {
    SmartTurn,
}

#[cfg(feature = "local-speech")]
pub(super) fn run(command: &Command, config: &Config, output: Output) -> Result<(), CliError> {
    let folder = crate::wiring::models_dir(config);
    match command {
        Command::Install { voice, vad, end_of_turn } => local::install(&folder, *voice, *vad, *end_of_turn, output),
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
    use tandem_providers::local::models::{self, DETECTOR, END_OF_TURN, MODELS, Model, Progress, RECOGNISER, VOICE};

    use super::super::output;
    use super::{CliError, Detector, EndOfTurn, Output, Voice};
    use crate::wiring::EngineError;

    #[derive(Debug, Serialize)]
    struct Installed {
        name: &'static str,
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
        licence_note: &'static str,
        package: String,
    }

    pub(super) fn install(
        folder: &Path,
        voice: Voice,
        vad: Option<Detector>,
        end_of_turn: Option<EndOfTurn>,
        output: Output,
    ) -> Result<(), CliError> {
        let natural = (voice == Voice::Natural).then_some(VOICE);
        let detector = vad.map(|Detector::Silero| DETECTOR);
        let judge = end_of_turn.map(|EndOfTurn::SmartTurn| END_OF_TURN);
        let wanted = [Some(RECOGNISER), natural, detector, judge].into_iter().flatten();
        let installed = wanted.map(|model| install_one(model, folder, output)).collect::<Result<Vec<_>, _>>()?;
        output.result(&installed, |installed| {
            let line = |one: &Installed| {
                let how = if one.already { "was installed already" } else { "is installed" };
                format!("{} {how}: {}\n", one.name, one.path.display())
            };
            installed.iter().map(line).collect()
        })?;
        if voice == Voice::Natural {
            output.say("Calls speak with it where TTS_PROVIDER=piper is set.");
        }
        if vad.is_some() {
            output.say("Calls detect speech with it where VAD_ENGINE=silero is set.");
        }
        if end_of_turn.is_some() {
            output.say("Calls ask it where END_OF_TURN_MODEL=smart-turn is set.");
        }
        Ok(())
    }

    fn install_one(model: &'static Model, folder: &Path, output: Output) -> Result<Installed, CliError> {
        let mut teller = Teller::new(model.name, output);
        let installed =
            models::install_model(model, folder, &mut |progress| teller.tell(progress)).map_err(EngineError::from)?;
        teller.bar.finish_and_clear();
        if !installed.already && !model.licence_note.is_empty() {
            output.say(format_args!("Licence of {}: {}. {}", model.name, model.licence, model.licence_note));
        }
        Ok(Installed { name: model.name, path: installed.path, already: installed.already })
    }

    pub(super) fn list(folder: &Path, output: Output) -> Result<(), CliError> {
        let list = |model: &&'static Model| Listed {
            name: model.name,
            installed: model.is_installed(folder),
            path: model.path(folder),
            bytes: model.bytes(),
            licence: model.licence,
            licence_note: model.licence_note,
            package: format!("{} {}", model.package, model.version),
        };
        let listed: Vec<_> = MODELS.iter().map(list).collect();
        output.result(&listed, |listed| {
            let line = |model: &Listed| {
                let state = if model.installed { "installed" } else { "-" };
                let megabytes = model.bytes.div_ceil(1_000_000);
                format!(
                    "{:22} {state:10} {megabytes:4} MB  {:12} {}\n",
                    model.name,
                    model.licence,
                    model.path.display()
                )
            };
            let noted = listed.iter().filter(|model| !model.licence_note.is_empty());
            let notes = noted.map(|model| format!("\n{}: {}\n", model.name, model.licence_note));
            listed.iter().map(line).chain(notes).collect()
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
        model: &'static str,
        output: Output,
        bar: ProgressBar,
        step: &'static str,
    }

    impl Teller {
        fn new(model: &'static str, output: Output) -> Self {
            Self { model, output, bar: ProgressBar::hidden(), step: "" }
        }

        fn tell(&mut self, progress: Progress) {
            match progress {
                Progress::Checking => self.step("checking", None),
                Progress::Fetching { received, total } => {
                    self.step("fetching", Some((total, byte_bar_style())));
                    // What is counted includes pip's own files.
                    self.bar.set_position(received.min(total));
                }
                Progress::Verifying => self.step("verifying", None),
                Progress::Converting { done, total } => {
                    let (done, total) = (done.try_into().unwrap_or(u64::MAX), total.try_into().unwrap_or(u64::MAX));
                    self.step("converting", Some((total, output::bar_style())));
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
            self.bar.set_message(format!("{step} {}", self.model));
            self.bar.enable_steady_tick(Duration::from_millis(100));
            if self.bar.is_hidden() {
                self.output.say(format_args!("{step} {} …", self.model));
            }
        }
    }
}
