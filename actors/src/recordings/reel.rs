//! What a recorder turns: the reading ends of a call's lanes, both sides on its clock, and the file.
//!
//! It belongs to the call and outlives the actor that turns it. Every turn may wait for the disk, so it is a blocking thread's work.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tandem_codecs::{SampleRate, Stereo};

use super::disk::{PartFile, Saved};
use crate::tap::{self, TappedCall};

/// Moves of the gate between two turns.
const MOST_MOVES: usize = 64;

/// What a turn found out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// Nothing new.
    None,
    /// The disk does not take it any more.
    Failing {
        /// Closed set, for metrics.
        reason: &'static str,
        /// For people.
        detail: String,
    },
    /// The disk takes it again.
    Healed,
}

/// The reel.
pub(crate) struct Reel {
    rate: SampleRate,
    started: Instant,
    /// Held for as long as the disk takes.
    work: Mutex<Option<Work>>,
    /// Moves of the gate that the next turn makes.
    moves: Mutex<Vec<(u64, bool)>>,
}

struct Work {
    call: TappedCall,
    stereo: Stereo,
    file: PartFile,
    failing: bool,
}

impl Reel {
    pub(super) fn new(call: TappedCall, file: PartFile) -> Self {
        let (rate, started, stereo) = (call.rate, call.started(), Stereo::new(call.rate));
        let work = Work { call, stereo, file, failing: false };
        Self { rate, started, work: Mutex::new(Some(work)), moves: Mutex::default() }
    }

    /// An instant on the call's clock.
    pub(super) fn position(&self, now: Instant) -> u64 {
        tap::position(self.rate, self.started, now)
    }

    /// How long so many pairs last.
    pub(super) fn duration(&self, pairs: u64) -> Duration {
        self.rate.duration_of(pairs)
    }

    /// Opens or shuts the gate. Does not wait for the disk.
    pub(super) fn gate(&self, at: u64, open: bool) {
        let mut moves = lock(&self.moves);
        if moves.len() == MOST_MOVES {
            moves.pop(); // the last one holds
        }
        moves.push((at, open));
    }

    /// Writes what has come and is settled.
    pub(crate) fn turn(&self, now: Instant) -> News {
        let mut work = lock(&self.work);
        let Some(work) = work.as_mut() else { return News::None };
        self.make_moves(work);
        work.turn(self.position(now))
    }

    /// Writes the rest and makes the file whole: as long as the call.
    pub(super) fn finish(&self, length: u64) -> io::Result<Saved> {
        let mut work = lock(&self.work).take().ok_or_else(|| io::Error::other("finished already"))?;
        self.make_moves(&mut work);
        work.turn(length);
        let mut samples = Vec::new();
        loop {
            samples.clear();
            let position = work.stereo.taken();
            let more = work.stereo.finish(length, &mut samples);
            let _ = work.file.write(position, &samples); // what is lost is counted
            if !more {
                return work.file.finish(length);
            }
        }
    }

    fn make_moves(&self, work: &mut Work) {
        for (at, open) in lock(&self.moves).drain(..) {
            work.stereo.gate(at, open);
        }
    }
}

impl Work {
    fn turn(&mut self, now: u64) -> News {
        // After a wait for the disk: room for what has come since.
        let mut written = self.write_until(now.saturating_sub(u64::from(self.call.rate.hz())));
        self.call.lay(&mut self.stereo);
        written = written.and(self.write_until(now));
        match (written, self.failing) {
            (Err(error), false) => {
                self.failing = true;
                let reason = match error.kind() {
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                        "disk_full"
                    }
                    _ => "io",
                };
                News::Failing { reason, detail: error.to_string() }
            }
            (Ok(true), true) => {
                self.failing = false;
                News::Healed
            }
            (Err(_), true) | (Ok(_), _) => News::None,
        }
    }

    /// Whether anything was written.
    fn write_until(&mut self, now: u64) -> io::Result<bool> {
        let (mut samples, mut all) = (Vec::new(), Ok(false));
        loop {
            samples.clear();
            let position = self.stereo.taken();
            let more = self.stereo.take(now, &mut samples);
            if !samples.is_empty() {
                all = self.file.write(position, &samples).and(all.map(|_| true));
            }
            if !more {
                return all;
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner) // a panic inside leaves plain data behind
}
