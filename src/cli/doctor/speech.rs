//! The local engines: their models, compared byte for byte, and the programs that they run.

use super::Finding;
use crate::config::Config;

const MODEL: &str = "speech model";
const PHONEMES: &str = "espeak-ng";

#[cfg(feature = "local-speech")]
pub(super) async fn all(config: &Config) -> Vec<Finding> {
    let folder = crate::wiring::models_dir(config);
    // A hundred megabytes to read: not on the thread that answers.
    let models = tokio::task::spawn_blocking(move || local::models(&folder));
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
    use std::io::{self, Read};
    use std::path::Path;

    use sha2::{Digest, Sha256};
    use tandem_providers::local::flite::{Flite, FliteConfig};
    use tandem_providers::local::models::{MODELS, Model};

    use super::{Finding, MODEL};

    const VOICE: &str = "voice";
    const REMEDY: &str = "run `tandem models install` (or `make models`)";

    /// The recogniser's model, which has to be there, and whatever else is.
    pub(super) fn models(folder: &Path) -> Vec<Finding> {
        let looked_at = MODELS.iter().enumerate();
        looked_at
            .filter(|(index, model)| *index == 0 || folder.join(model.file).exists())
            .map(|(_, model)| whole(model, folder))
            .collect()
    }

    fn whole(model: &Model, folder: &Path) -> Finding {
        let path = folder.join(model.file);
        match sha256_of(&path) {
            Ok(sum) if sum == model.file_sha256 => {
                Finding::ok(MODEL, format!("{} is whole: {}", model.name, path.display()))
            }
            Ok(_) => {
                let detail = format!("{} is damaged: {}", model.name, path.display());
                Finding::fail(MODEL, detail, format!("delete it and {REMEDY}"))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Finding::fail(MODEL, format!("{} is not installed in {}", model.name, folder.display()), REMEDY)
            }
            Err(error) => Finding::fail(
                MODEL,
                format!("{} cannot be read: {error}", path.display()),
                "give the user that runs tandem the right to read it",
            ),
        }
    }

    fn sha256_of(path: &Path) -> io::Result<String> {
        let (mut file, mut hash, mut buffer) = (File::open(path)?, Sha256::new(), vec![0; 1 << 16]);
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                count => hash.update(&buffer[..count]),
            }
        }
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    pub(super) async fn flite() -> Finding {
        match Flite::new(FliteConfig::default()).probe().await {
            Ok(()) => Finding::ok(VOICE, "flite can be run"),
            Err(error) => Finding::fail(VOICE, error.to_string(), "install it (Debian: apt-get install flite)"),
        }
    }
}
