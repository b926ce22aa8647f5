//! The journals of calls ([`tandem_domain::journal`]): those that run, the last that are over, and files of them.
//!
//! Off unless somebody asked: then a call pays one branch. On, a call writes some hundred bytes a second into memory, at most [`MOST_BYTES`], and
//! nothing else happens before it is over. Whatever ends it, in order or not, the journal stays.
//!
//! Not to be confused with the journal of records that wait for the database ([`crate::scribe`]). This one holds what callers said, in memory and
//! in the folder: personal data, kept for as long as the settings say.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tandem_domain::ids::{BusinessId, CallId};
use tandem_domain::journal::{Header, Recorder, Setup, Tape};
use tokio::task::JoinHandle;
use tracing::warn;

mod folder;

use folder::Files;
pub use folder::{ENDING, MOST_FILES};

/// Largest journal of one call: about half an hour of a busy one.
pub const MOST_BYTES: usize = 1024 * 1024;

/// Which journals are kept, and where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JournalKeeping {
    /// Journals of calls that are over, in memory (`JOURNAL_CALLS`); those of running calls come on top.
    pub calls: usize,
    /// Folder that gets a file of each (`JOURNAL_DIR`), the newest [`MOST_FILES`].
    pub folder: Option<PathBuf>,
    /// Version and commit of this program, for the journals' headers.
    pub program: String,
}

impl JournalKeeping {
    /// Whether any journal is written.
    pub fn is_on(&self) -> bool {
        self.calls > 0 || self.folder.is_some()
    }
}

/// All journals of a switch. Cheap to clone.
#[derive(Clone)]
pub struct Journals(Option<Arc<Shelf>>);

struct Shelf {
    keeping: JournalKeeping,
    journals: Mutex<Kept>,
    files: Option<Files>,
}

/// A call and its business: nobody else is shown its journal.
type Whose = (CallId, BusinessId);

#[derive(Default)]
struct Kept {
    running: BTreeMap<Whose, Tape>,
    /// Oldest first.
    over: VecDeque<(Whose, Arc<[u8]>)>,
}

impl Journals {
    /// With the task that writes the files, if there are any.
    pub fn start(keeping: JournalKeeping) -> (Self, Option<JoinHandle<()>>) {
        if !keeping.is_on() {
            return (Self(None), None);
        }
        let (files, writer) = keeping.folder.clone().map(Files::start).unzip();
        (Self(Some(Arc::new(Shelf { keeping, journals: Mutex::default(), files }))), writer)
    }

    /// Whether journals are written, and of how many calls that are over they are kept.
    pub fn kept(&self) -> Option<usize> {
        self.0.as_ref().map(|shelf| shelf.keeping.calls)
    }

    /// The journal of a call of a business, of one that runs as far as it goes.
    pub fn journal(&self, business: BusinessId, call: CallId) -> Option<Arc<[u8]>> {
        let kept = self.0.as_ref()?.lock();
        match kept.running.get(&(call, business)).cloned() {
            Some(tape) => {
                drop(kept); // nobody who begins or ends a call waits for the copy
                Some(tape.journal(false).into())
            }
            None => {
                kept.over.iter().find(|(whose, _)| *whose == (call, business)).map(|(_, journal)| Arc::clone(journal))
            }
        }
    }

    /// No file is written any more but those of calls that are over already; the task ends after them.
    pub fn close(&self) {
        if let Some(files) = self.0.as_ref().and_then(|shelf| shelf.files.as_ref()) {
            files.close();
        }
    }

    /// Begins the journal of a call, if any are written.
    pub(crate) fn begin(
        &self,
        whose @ (call, _): Whose,
        agent: &str,
        setup: &Setup,
        began: Instant,
    ) -> Option<Journalling> {
        let shelf = Arc::clone(self.0.as_ref()?);
        let program = shelf.keeping.program.clone();
        let header = Header { call, agent: agent.to_owned(), program, setup: setup.clone() };
        let tape = Tape::new(Recorder::new(&header, began, MOST_BYTES));
        shelf.lock().running.insert(whose, tape.clone());
        Some(Journalling { shelf, whose, tape })
    }
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.journals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A journal that is being written. Dropped, its call is over.
pub(crate) struct Journalling {
    shelf: Arc<Shelf>,
    whose: Whose,
    tape: Tape,
}

impl Journalling {
    /// For the core of the call.
    pub(crate) fn tape(&self) -> Tape {
        self.tape.clone()
    }
}

impl Drop for Journalling {
    fn drop(&mut self) {
        let journal: Arc<[u8]> = self.tape.journal(true).into();
        if let Some(files) = &self.shelf.files
            && let Err(why) = files.write(self.whose.0, Arc::clone(&journal))
        {
            warn!(call_id = %self.whose.0, why, "journal not written to its folder");
        }
        let mut kept = self.shelf.lock();
        kept.running.remove(&self.whose);
        kept.over.push_back((self.whose, journal));
        while kept.over.len() > self.shelf.keeping.calls {
            kept.over.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tandem_domain::journal::{Closing, Journal};
    use uuid::Uuid;

    use super::*;
    use crate::clock;

    fn call(number: u128) -> CallId {
        CallId(Uuid::from_u128(number))
    }

    fn begin(journals: &Journals, number: u128) -> Option<Journalling> {
        let setup = Setup::default();
        journals.begin((call(number), BusinessId::FIRST), "front-desk", &setup, clock::now())
    }

    fn closing(journals: &Journals, number: u128) -> Option<Closing> {
        journals.journal(BusinessId::FIRST, call(number)).map(|journal| Journal::read(&journal).unwrap().closing())
    }

    #[test]
    fn nothing_is_written_unless_asked_for() {
        let (journals, writer) = Journals::start(JournalKeeping::default());
        assert!(writer.is_none() && begin(&journals, 1).is_none() && journals.kept().is_none());
        assert_eq!(closing(&journals, 1), None);
    }

    #[test]
    fn the_last_calls_are_kept_and_those_that_run() {
        let (journals, _) = Journals::start(JournalKeeping { calls: 2, ..JournalKeeping::default() });
        let running = begin(&journals, 9).unwrap();
        for number in 1..=3 {
            drop(begin(&journals, number));
        }
        let closings = [9, 1, 2, 3].map(|number| closing(&journals, number));
        assert_eq!(closings, [Some(Closing::Running), None, Some(Closing::Died), Some(Closing::Died)]);
        drop(running);
        assert_eq!([9, 2, 3].map(|number| closing(&journals, number).is_some()), [true, false, true]);
    }

    #[test]
    fn another_business_is_not_shown_a_journal() {
        let (journals, _) = Journals::start(JournalKeeping { calls: 2, ..JournalKeeping::default() });
        let running = begin(&journals, 1).unwrap();
        assert!(closing(&journals, 1).is_some() && journals.journal(BusinessId(2), call(1)).is_none());
        drop(running);
        assert!(closing(&journals, 1).is_some() && journals.journal(BusinessId(2), call(1)).is_none());
    }

    #[tokio::test]
    async fn files_are_written_when_calls_are_over_and_before_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("journals");
        let keeping = JournalKeeping { folder: Some(inside.clone()), ..JournalKeeping::default() };
        let (journals, writer) = Journals::start(keeping);
        for number in 1..=20 {
            drop(begin(&journals, number));
        }
        assert_eq!(closing(&journals, 20), None, "none is kept in memory");
        journals.close();
        writer.unwrap().await.unwrap();
        let mut names: Vec<_> = std::fs::read_dir(&inside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names.len(), 20);
        let file = std::fs::read(inside.join(&names[0])).unwrap();
        assert_eq!(Journal::read(&file).unwrap().header().call, call(1));
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_costs_only_the_files() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let keeping = JournalKeeping { calls: 1, folder: Some(file.path().to_owned()), ..JournalKeeping::default() };
        let (journals, writer) = Journals::start(keeping);
        drop(begin(&journals, 1));
        journals.close();
        writer.unwrap().await.unwrap();
        assert_eq!(closing(&journals, 1), Some(Closing::Died));
    }
}
