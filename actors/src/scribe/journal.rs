//! The copy on disk of the records that wait for the database: what a process that is killed leaves to its successor.
//!
//! Files of lines ([`super::line`]) in the folder of one life ([`super::life`]), written in order. What the database has is forgotten: an old file
//! is removed, the newest one emptied. Writing hands the bytes to the system and asks for no more: they survive the process, not a power cut.
//!
//! A disk that takes nothing more costs nothing but this copy: lines that could not be written are kept and tried again.
//!
//! A call appends its own line: some microseconds, after which the record survives the process. If that once takes long or fails, lines are left to
//! the keeper ([`Journal::tidy`]) for a while, which is on a thread that may block. Two calls at once do not wait for each other: one writes both lines.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use tandem_domain::ids::LifeId;
use tandem_domain::record::Record;
use tokio::sync::Notify;
use tracing::{info, warn};

use super::life::Life;
use super::line;
use crate::clock;

/// Size at which the next file is begun.
const FILE_BYTES: u64 = 1024 * 1024;
/// Ending of the files' names; before it stands their number.
const ENDING: &str = "journal";
/// An append that takes longer could be heard. Not less: a busy machine may hold us up as long without the disk's fault.
const SLOW: Duration = Duration::from_millis(50);
/// How long a disk that was slow or full is left to the keeper.
const REST: Duration = Duration::from_secs(1);

/// A line on its way to disk, and its record's place among all records.
pub(super) struct Line {
    pub(super) place: u64,
    pub(super) text: Vec<u8>,
}

/// The journal of this process.
pub struct Journal {
    life: Life,
    /// Not on disk yet, oldest first. Removed by whoever holds `files`, added by anybody.
    pending: Mutex<VecDeque<Line>>,
    files: Mutex<Files>,
    /// Until then calls do not append themselves.
    resting: Mutex<Option<Instant>>,
    behind: Notify,
}

#[derive(Default)]
struct Files {
    /// Files that are complete, oldest first, with the place of their last record.
    complete: VecDeque<(PathBuf, u64)>,
    newest: Option<Newest>,
    begun: u64,
    failing: bool,
}

/// The file that is written to.
struct Newest {
    file: File,
    path: PathBuf,
    /// Of whole lines.
    bytes: u64,
    /// The highest place in it.
    last: u64,
}

impl Journal {
    pub(super) fn new(life: Life) -> Self {
        let (pending, files, resting) = Default::default();
        Self { life, pending, files, resting, behind: Notify::new() }
    }

    /// Whose journal this is.
    pub fn life(&self) -> LifeId {
        self.life.id()
    }

    /// Lines that are not on disk.
    pub(super) fn pending(&self) -> usize {
        lock(&self.pending).len()
    }

    /// Waits until lines are left to the keeper.
    pub(super) async fn behind(&self) {
        self.behind.notified().await;
    }

    /// Takes a line and writes it, if the disk is quick.
    pub(super) fn append(&self, line: Line) {
        lock(&self.pending).push_back(line);
        let began = clock::now();
        if lock(&self.resting).is_some_and(|until| began < until) {
            return self.behind.notify_one();
        }
        let written = self.write();
        let now = clock::now();
        if !written || now.saturating_duration_since(began) > SLOW {
            *lock(&self.resting) = Some(now + REST);
            self.behind.notify_one();
        }
    }

    /// Forgets what the database has (places up to `written`) and writes what is left. Blocks.
    pub(super) fn tidy(&self, written: u64) {
        let mut files = lock(&self.files);
        lock(&self.pending).retain(|line| line.place > written);
        files.forget(written);
        drop(files);
        self.write();
    }

    /// Writes all lines, or leaves them to somebody who is at it; says whether the disk took them.
    fn write(&self) -> bool {
        // Looked at again after each turn: a line that came when we were done, and found us still here, is ours.
        while !lock(&self.pending).is_empty() {
            let mut files = match self.files.try_lock() {
                Ok(files) => files,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return true,
            };
            match files.write(self.life.folder(), &self.pending) {
                Ok(()) if files.failing => {
                    info!("the journal is written again");
                    files.failing = false;
                }
                Ok(()) => {}
                Err(error) => {
                    if !files.failing {
                        let folder = self.life.folder().display();
                        warn!(%error, %folder, "journal not written, records wait in memory alone");
                        files.failing = true;
                    }
                    return false;
                }
            }
        }
        true
    }

    /// Ends an orderly life: nothing is left to a successor. Blocks.
    pub(super) fn close(&self) {
        if let Err(error) = self.life.remove() {
            warn!(%error, "the folder of the journal stays behind");
        }
    }
}

impl Files {
    /// Writes the oldest lines, as many as make a file.
    fn write(&mut self, folder: &Path, pending: &Mutex<VecDeque<Line>>) -> io::Result<()> {
        let newest = match self.newest.take() {
            Some(newest) if newest.bytes < FILE_BYTES => self.newest.insert(newest),
            full => {
                self.complete.extend(full.map(|full| (full.path, full.last)));
                self.begun += 1;
                self.newest.insert(Newest::begin(folder, self.begun)?)
            }
        };
        let (mut batch, mut count, mut last) = (Vec::new(), 0, newest.last);
        for line in lock(pending).iter() {
            if count > 0 && newest.bytes + (batch.len() + line.text.len()) as u64 > FILE_BYTES {
                break;
            }
            batch.extend_from_slice(&line.text);
            (count, last) = (count + 1, last.max(line.place));
        }
        newest.append(&batch, last)?;
        lock(pending).drain(..count);
        Ok(())
    }

    fn forget(&mut self, written: u64) {
        while self.complete.front().is_some_and(|(_, last)| *last <= written) {
            let Some((path, _)) = self.complete.pop_front() else { break };
            if let Err(error) = fs::remove_file(&path) {
                warn!(%error, path = %path.display(), "journal file not removed: its records will be written once more");
            }
        }
        if let Some(newest) = &mut self.newest
            && newest.bytes > 0
            && newest.last <= written
            && newest.file.set_len(0).is_ok()
        {
            newest.bytes = 0; // not emptied: its records will be written once more after a crash, which changes nothing
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Newest {
    fn begin(folder: &Path, number: u64) -> io::Result<Self> {
        let path = folder.join(format!("{number:08}.{ENDING}"));
        let file = OpenOptions::new().append(true).create_new(true).open(&path)?;
        Ok(Self { file, path, bytes: 0, last: 0 })
    }

    /// Writes all or nothing: half a line would spoil the next one.
    fn append(&mut self, batch: &[u8], last: u64) -> io::Result<()> {
        if let Err(error) = self.file.write_all(batch) {
            if self.file.set_len(self.bytes).is_err() {
                self.bytes = FILE_BYTES; // never touched again
            }
            return Err(error);
        }
        self.bytes += batch.len() as u64;
        self.last = last;
        Ok(())
    }
}

/// What a folder of journals holds, in order, and how many lines were damaged.
pub(super) fn read(folder: &Path) -> io::Result<(Vec<Record>, usize)> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .filter(|path| path.as_ref().map_or(true, |path| path.extension().is_some_and(|ending| ending == ENDING)))
        .collect::<io::Result<_>>()?;
    files.sort();
    let (mut records, mut damaged) = (Vec::new(), 0);
    for file in files {
        let (read, torn) = line::decode(&fs::read(file)?);
        records.extend(read);
        damaged += torn;
    }
    Ok((records, damaged))
}
