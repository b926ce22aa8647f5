//! The local engines: their models, compared byte for byte, and the programs that they run.

use super::Finding;
use crate::config::Config;

const MODEL: &str = "speech model";
const PHONEMES: &str = "espeak-ng";

#[cfg(feature = "local-speech")]
pub(super) async fn all(config: &Config) -> Vec<Finding> {
    let folder = crate::wiring::models_dir(config);
    // A hundred megabytes to read: not on the thread that answers.
    let chosen = local::chosen(config);
    let models = tokio::task::spawn_blocking(move || local::models(&folder, &chosen));
    let mut findings = models.await.unwrap_or_else(|panic| {
        vec![Finding::fail(MODEL, format!("the check broke: {panic}"), "run `tandem models install`")]
    });
    findings.push(local::flite().await);
    findings.push(espeak());
    findings
}

#[cfg(not(feature = "local-speech"))]
pub(super) async fn all(_: &Config) -> Vec<Finding> {
    vec![Finding::warn(MODEL, "this build has no local speech", "build it with `--features local-speech`"), espeak()]
}

/// A program that only the natural voice needs.
fn espeak() -> Finding {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).map(|folder| folder.join("espeak-ng")).find(|path| path.is_file());
    match found {
        Some(path) => Finding::ok(PHONEMES, path.display().to_string()),
        None => {
            Finding::ok(PHONEMES, "not installed; the natural voice alone needs it (Debian: apt-get install espeak-ng)")
        }
    }
}

#[cfg(feature = "local-speech")]
mod local {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    use tandem_providers::local::flite::{Flite, FliteConfig};
    use tandem_providers::local::models::{self, MODELS, Model};

    use super::{Finding, MODEL};
    use crate::config::{Config, SILERO};

    const VOICE: &str = "voice";

    /// The models of engines that were chosen, which have to be there, and whatever else is.
    pub(super) fn models(folder: &Path, chosen: &[&'static Model]) -> Vec<Finding> {
        let needed = |model: &Model| chosen.iter().any(|one| one.name == model.name);
        let looked_at = MODELS.iter().filter(|model| needed(model) || model.path(folder).exists());
        looked_at.map(|model| whole(model, folder)).collect()
    }

    /// The recogniser's model, as ever, and those that settings name.
    pub(super) fn chosen(config: &Config) -> Vec<&'static Model> {
        let detector = (config.engines.vad == SILERO).then_some(models::DETECTOR);
        let judge = config.engines.end_of_turn.map(|_| models::END_OF_TURN);
        [Some(models::RECOGNISER), detector, judge].into_iter().flatten().collect()
    }

    fn whole(model: &Model, folder: &Path) -> Finding {
        let path = model.path(folder);
        let remedy = format!("run `{}`", model.remedy);
        match File::open(&path) {
            Ok(_) if model.is_whole(folder) => {
                Finding::ok(MODEL, format!("{} is whole: {}", model.name, path.display()))
            }
            Ok(_) => Finding::fail(MODEL, format!("{} is damaged: {}", model.name, path.display()), remedy),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Finding::fail(MODEL, format!("{} is not installed in {}", model.name, folder.display()), remedy)
            }
            Err(error) => Finding::fail(
                MODEL,
                format!("{} cannot be read: {error}", path.display()),
                "give the user that runs tandem the right to read it",
            ),
        }
    }

    pub(super) async fn flite() -> Finding {
        match Flite::new(FliteConfig::default()).probe().await {
            Ok(()) => Finding::ok(VOICE, "flite can be run"),
            Err(error) => Finding::fail(VOICE, error.to_string(), "install it (Debian: apt-get install flite)"),
        }
    }
}
