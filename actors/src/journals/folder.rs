//! Files of journals: one for each call that is over, written off the media path, the oldest removed.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tandem_domain::ids::CallId;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};
use tracing::warn;

/// Ending of the files' names; before it stands the call's id, which grows with time.
pub const ENDING: &str = "journal";
/// Files kept. With the largest journals that is a gigabyte.
pub const MOST_FILES: usize = 1_000;
/// Journals that may wait for the disk.
const MOST_WAITING: usize = 64;

type Waiting = (CallId, Arc<[u8]>);

/// The way to the folder.
pub(super) struct Files(Mutex<Option<mpsc::Sender<Waiting>>>);

impl Files {
    /// With the task that writes them. It ends after [`Self::close`], or when this goes.
    pub(super) fn start(folder: PathBuf) -> (Self, JoinHandle<()>) {
        let (sender, waiting) = mpsc::channel(MOST_WAITING);
        (Self(Mutex::new(Some(sender))), tokio::spawn(write_all(folder, waiting)))
    }

    /// Hands a journal over. It does not wait: what the disk is too slow for is lost, and why is said.
    pub(super) fn write(&self, call: CallId, journal: Arc<[u8]>) -> Result<(), &'static str> {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = sender.as_ref().ok_or("the program is ending")?;
        sender.try_send((call, journal)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => "the disk is too slow: point JOURNAL_DIR at a faster one",
            mpsc::error::TrySendError::Closed(_) => "its writer is gone",
        })
    }

    pub(super) fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

async fn write_all(folder: PathBuf, mut waiting: mpsc::Receiver<Waiting>) {
    let folder = Arc::new(folder);
    while let Some((call, journal)) = waiting.recv().await {
        let to = Arc::clone(&folder);
        let written = spawn_blocking(move || write(&to, call, &journal)).await.map_err(io::Error::other);
        if let Err(error) = written.flatten() {
            warn!(call_id = %call, folder = %folder.display(), %error, "journal not written: make JOURNAL_DIR a writable folder with room");
        }
    }
}

/// Whole or not at all, and readable by this user alone: it is personal data.
fn write(folder: &Path, call: CallId, journal: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let (path, part) = (folder.join(format!("{call}.{ENDING}")), folder.join(format!("{call}.part")));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    let written = file.write_all(journal).and_then(|()| fs::rename(&part, &path));
    if written.is_err() {
        let _ = fs::remove_file(&part); // the error that matters is told
    }
    written?;
    forget_oldest(folder)
}

fn forget_oldest(folder: &Path) -> io::Result<()> {
    let mut ours: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let id = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<CallId>().ok());
        if id.is_some() && path.extension().is_some_and(|ending| ending == ENDING) {
            ours.push(path);
        }
    }
    if ours.len() > MOST_FILES {
        ours.sort_unstable();
        for oldest in &ours[..ours.len() - MOST_FILES] {
            fs::remove_file(oldest)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use uuid::Uuid;

    use super::*;

    fn call(number: usize) -> CallId {
        CallId(Uuid::from_u128(number as u128))
    }

    #[test]
    fn the_oldest_go_and_what_is_not_ours_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: String| folder.path().join(name);
        for number in 1..=MOST_FILES {
            fs::write(path(format!("{}.{ENDING}", call(number))), "").unwrap();
        }
        for name in ["notes.journal", "tandem.db"] {
            fs::write(path(name.to_owned()), "").unwrap();
        }
        write(folder.path(), call(MOST_FILES + 1), b"journal").unwrap();
        let there = |number| path(format!("{}.{ENDING}", call(number))).exists();
        assert_eq!((there(1), there(2), there(MOST_FILES + 1)), (false, true, true));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), MOST_FILES + 2);
    }

    #[test]
    fn nobody_else_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), call(1), b"journal").unwrap();
        let path = folder.path().join(format!("{}.{ENDING}", call(1)));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read(&path).unwrap(), b"journal");
    }
}
