//! One life of one process, as a folder with a lock: as long as the process lives it holds the lock, however it ends it lets go.
//!
//! ```text
//! spool/lock                 held while folders are made and looked through
//! spool/<life>/lock          held by that process
//! spool/<life>/*.journal     what it has not brought to the database yet
//! ```
//!
//! So several processes may share a data folder, and a folder whose lock can be had is one that a dead process has left. The system lets go of
//! locks itself (`flock`), which holds on a local file system; a network one may not do so.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use tandem_domain::ids::LifeId;
use tandem_domain::record::Record;

use super::journal::{self, Journal};

/// The folder of a life.
pub(super) struct Life {
    id: LifeId,
    folder: PathBuf,
    _lock: File,
}

impl Life {
    pub(super) fn id(&self) -> LifeId {
        self.id
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn remove(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.folder)
    }

    fn set_aside(&self) -> io::Result<PathBuf> {
        let aside = self.folder.with_extension("damaged");
        fs::rename(&self.folder, &aside)?;
        Ok(aside)
    }
}

/// What a process left behind that did not end in order. Others leave it alone as long as this is held.
pub struct Abandoned(Life);

impl Abandoned {
    /// The life that left it.
    pub fn life(&self) -> LifeId {
        self.0.id
    }

    /// The records that it may not have brought to the database, in order, and how many lines could not be read. Blocks.
    pub fn records(&self) -> io::Result<(Vec<Record>, usize)> {
        journal::read(&self.0.folder)
    }

    /// Removes it. Blocks.
    pub fn remove(self) -> io::Result<()> {
        self.0.remove()
    }

    /// Keeps it for a person to look at, under a name that no life has; returns that. Blocks.
    pub fn set_aside(self) -> io::Result<PathBuf> {
        self.0.set_aside()
    }
}

/// Begins the life `id` in the folder `spool`, which is made where it is missing, and finds the lives that were abandoned there. Blocks.
pub fn begin(spool: &Path, id: LifeId) -> io::Result<(Journal, Vec<Abandoned>)> {
    fs::create_dir_all(spool)?;
    let all = File::create(spool.join("lock"))?;
    all.lock()?;
    let mut abandoned = Vec::new();
    for entry in fs::read_dir(spool)? {
        let folder = entry?.path();
        let Some(id) = folder.file_name().and_then(|name| name.to_str()?.parse().ok()) else { continue };
        let lock = match File::create(folder.join("lock")) {
            Ok(lock) => lock,
            // Its process ended in order between two looks, or it is no life's folder at all.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => continue,
            Err(error) => return Err(error),
        };
        match lock.try_lock() {
            Ok(()) => abandoned.push(Abandoned(Life { id, folder, _lock: lock })),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    abandoned.sort_by_key(Abandoned::life);
    let folder = spool.join(id.to_string());
    fs::create_dir(&folder)?;
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    Ok((Journal::new(Life { id, folder, _lock: lock }), abandoned))
}
