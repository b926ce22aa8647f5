//! The TOML files of a folder of the operator's.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// In the order of their names, so that what is refused does not depend on the disk.
pub(super) fn toml_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?;
    let mut files = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    Ok(files)
}
