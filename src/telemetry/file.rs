//! The log as a file: `server.log` in `LOG_DIR`, JSON lines, whatever the terminal shows.
//!
//! ```text
//! event ─► queue, 8192 lines ─► thread ─► server.2026-11-21.log        a new file each day, UTC; the last 14 are kept
//!              │ full: dropped, counted              ▲
//!                                    server.log ─────┘ link
//! ```
//!
//! A call never waits for a disk: the queue is bounded, and what does not fit is lost and counted. By day and not by size, because what
//! operators look for is a time. What is queued is written when the process ends in an orderly way.

use std::io;
use std::path::{Path, PathBuf};

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::{InitError, RollingFileAppender, Rotation};

/// Lines that may wait for the disk: some seconds of a busy server, about 4 MB.
const QUEUE_LINES: usize = 8_192;
/// Days that are kept.
const FILES: usize = 14;
/// What operators open.
const LINK: &str = "server.log";
/// Where a plain file goes that another program left under that name.
const EARLIER: &str = "server.earlier.log";

/// Why the log has no file.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A file is in the way.
    #[error("cannot make {} a link to today's log: move it away", .0.display())]
    InTheWay(PathBuf, #[source] io::Error),
    /// The folder cannot be written to.
    #[error("cannot write a log to {}: check LOG_DIR", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why.
        source: InitError,
    },
}

/// The thread behind the file. What waits is written when this is dropped.
#[derive(Debug)]
#[must_use = "dropping it ends the log file"]
pub struct LogFile {
    lost: ErrorCounter,
    _thread: WorkerGuard,
}

impl Drop for LogFile {
    fn drop(&mut self) {
        let lines = self.lost.dropped_lines();
        if lines > 0 {
            tracing::warn!(lines, "lines of the log file were lost: the disk was too slow");
        }
    }
}

/// Opens the log of today in `folder`, which is made if it is not there.
pub(super) fn open(folder: &Path) -> Result<(NonBlocking, LogFile), LogError> {
    // Absolute: the link would otherwise be read from its own folder.
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let _ = std::fs::create_dir_all(&folder); // where it fails, the builder says so
    make_way(&folder)?;
    let file = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("server")
        .filename_suffix("log")
        .latest_symlink(LINK)
        .max_log_files(FILES)
        .build(&folder)
        .map_err(|source| LogError::Folder { folder, source })?;
    let (writer, thread) =
        NonBlockingBuilder::default().buffered_lines_limit(QUEUE_LINES).lossy(true).thread_name("log").finish(file);
    let lost = writer.error_counter();
    Ok((writer, LogFile { lost, _thread: thread }))
}

/// Keeps a plain file called as our link, which the link would otherwise replace: the log of an earlier service in the same place.
fn make_way(folder: &Path) -> Result<(), LogError> {
    let link = folder.join(LINK);
    if !link.symlink_metadata().is_ok_and(|file| file.is_file()) {
        return Ok(());
    }
    let earlier = folder.join(EARLIER);
    let moved = match earlier.symlink_metadata() {
        Ok(_) => Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} is there already", earlier.display()))),
        Err(_) => std::fs::rename(&link, earlier),
    };
    moved.map_err(|source| LogError::InTheWay(link, source))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::io::Write;

    use super::*;

    #[test]
    fn lines_are_in_the_file_once_the_log_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("logs");
        for line in ["one\n", "two\n"] {
            let (mut writer, file) = open(&folder).unwrap();
            writer.write_all(line.as_bytes()).unwrap();
            drop(file);
        }
        assert_eq!(fs::read_to_string(folder.join(LINK)).unwrap(), "one\ntwo\n");
        let dated = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut dated: Vec<_> = dated.filter(|name| name != LINK).collect();
        let name = dated.pop().unwrap();
        assert!(dated.is_empty() && name.starts_with("server.20") && name.ends_with(".log"), "{name}");
    }

    #[test]
    fn the_log_of_an_earlier_service_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(LINK), "precious").unwrap();
        drop(open(folder.path()).unwrap());
        assert_eq!(fs::read_to_string(folder.path().join(EARLIER)).unwrap(), "precious");
        assert!(folder.path().join(LINK).is_symlink());

        fs::remove_file(folder.path().join(LINK)).unwrap();
        fs::write(folder.path().join(LINK), "also precious").unwrap();
        assert!(matches!(open(folder.path()), Err(LogError::InTheWay(..))));
    }

    #[test]
    fn a_folder_that_cannot_be_is_an_error_that_names_the_setting() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let error = open(&folder.path().join("file/logs")).unwrap_err();
        assert!(error.to_string().contains("LOG_DIR"), "{error}");
    }
}
