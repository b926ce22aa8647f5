//! The copy on disk of the records that wait for the database: what a process that is killed leaves to its successor.
//!
//! Files of lines ([`super::line`]) in the folder of one life ([`super::life`]), written in order. What the database has is forgotten: an old file
//! is removed, the newest one emptied. Writing hands the bytes to the system and asks for no more: they survive the process, not a power cut.
//!
//! A disk that takes nothing more costs nothing but this copy: lines that could not be written are kept and tried again.
//!
//! Everything here blocks; the scribe calls it from a thread that may.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tandem_domain::ids::LifeId;
use tandem_domain::record::Record;
use tracing::{info, warn};

use super::life::Life;
use super::line;

/// Size at which the next file is begun.
const FILE_BYTES: u64 = 1024 * 1024;
/// Ending of the files' names; before it stands their number.
const ENDING: &str = "journal";

/// A line on its way to disk, and its record's place among all records.
pub(super) struct Line {
    pub(super) place: u64,
    pub(super) text: Vec<u8>,
}

/// The journal of this process.
pub struct Journal {
    life: Life,
    /// Not on disk yet, oldest first.
    pending: VecDeque<Line>,
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
    last: u64,
}

impl Journal {
    pub(super) fn new(life: Life) -> Self {
        Self { life, pending: VecDeque::new(), complete: VecDeque::new(), newest: None, begun: 0, failing: false }
    }

    /// Whose journal this is.
    pub fn life(&self) -> LifeId {
        self.life.id()
    }

    /// Lines that are not on disk.
    pub(super) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Takes further lines, forgets those that the database has (places up to `written`), and writes the rest.
    pub(super) fn keep(&mut self, lines: Vec<Line>, written: u64) {
        self.pending.extend(lines);
        self.forget(written);
        match self.write() {
            Ok(()) if self.failing => {
                info!("the journal is written again");
                self.failing = false;
            }
            Err(error) if !self.failing => {
                warn!(%error, folder = %self.life.folder().display(), "journal not written, records wait in memory alone");
                self.failing = true;
            }
            Ok(()) | Err(_) => {}
        }
    }

    fn write(&mut self) -> io::Result<()> {
        while !self.pending.is_empty() {
            let newest = match self.newest.take() {
                Some(newest) if newest.bytes < FILE_BYTES => self.newest.insert(newest),
                full => {
                    self.complete.extend(full.map(|full| (full.path, full.last)));
                    self.begun += 1;
                    self.newest.insert(Newest::begin(self.life.folder(), self.begun)?)
                }
            };
            let (mut batch, mut count, mut last) = (Vec::new(), 0, newest.last);
            for line in &self.pending {
                if count > 0 && newest.bytes + (batch.len() + line.text.len()) as u64 > FILE_BYTES {
                    break;
                }
                batch.extend_from_slice(&line.text);
                (count, last) = (count + 1, line.place);
            }
            newest.append(&batch, last)?;
            self.pending.drain(..count);
        }
        Ok(())
    }

    fn forget(&mut self, written: u64) {
        while self.pending.front().is_some_and(|line| line.place <= written) {
            self.pending.pop_front();
        }
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

    /// Ends an orderly life: nothing is left to a successor.
    pub(super) fn close(self) {
        if let Err(error) = self.life.remove() {
            warn!(%error, "the folder of the journal stays behind");
        }
    }
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
