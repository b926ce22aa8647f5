//! Recordings of calls: stereo files, the caller left and the agent right, each as long as its call.
//!
//! ```text
//! pumps ─► lanes (1 s) ─► Reel: both sides on the call's clock ─► <call>.part ─► <call>.wav, "recording_saved" with its SHA-256
//!                         └ turned by the call's recorder actor, four times a second, on a blocking thread
//! ```
//!
//! Place:   one for a switch. A call owns a `Recording` and with it the reel; the actor that turns it may die and lose nothing. What finishes a
//!          file is the end of the call, however it ends: the drop of its `Recording`.
//! Failure: a disk that is full or slow costs the recording that stretch, which is silence then, never the call, and the record says so. What a
//!          process leaves half written when it dies, the next one that starts on the folder finishes (`recover`).
//!
//! Nothing here waits for a disk but blocking threads, and of those at most four: a disk that hangs takes no more.
//! Recordings are personal data: files are readable by this user alone. Not here: retention, encryption, where files are fetched from.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;
use tandem_domain::ids::{BusinessId, CallId};
use tandem_domain::record::{RECORDING_SAVED, Record, TimelineEvent};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, spawn_blocking};
use tracing::{info, warn};

use crate::clock;
use crate::metrics::{RECORDING_BYTES, RECORDINGS};
use crate::scribe::Scribe;
use crate::tap::TappedCall;

pub mod disk;
#[cfg(feature = "opus")]
mod opus;
mod recover;
mod reel;

use disk::{Disk, Saved};
pub(crate) use reel::{News, Reel};

/// Blocking threads that may wait for the disk at once.
const DISK_THREADS: usize = 4;
/// Place among a call's notes of what is told of its recording when it is over: after all others.
const LAST_NOTE: u32 = u32::MAX;

/// What a recording is kept as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// 16 bit at 8 kHz: 2 MB a minute.
    #[default]
    Wav,
    /// Ogg Opus, made of the WAV file when the call is over: a tenth of it.
    Opus,
}

impl Format {
    /// Ending of the file's name; before it stands the call's id.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Opus => "opus",
        }
    }
}

/// From when on a call is recorded. Before, there is digital silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RecordFrom {
    /// Its first sample. For those whose callers agreed beforehand.
    #[default]
    Start,
    /// The end of the agent's first message, heard whole: the one that says that the call is recorded.
    Announcement,
}

/// Which calls are recorded, and where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordingKeeping {
    /// Folder of the files; `None`: no call is recorded.
    pub folder: Option<PathBuf>,
    /// As what. A program without the feature `opus` keeps WAV.
    pub format: Format,
    /// Since when.
    pub from: RecordFrom,
    /// How files are made.
    pub disk: Disk,
}

/// All recordings of a switch. Cheap to clone.
#[derive(Clone)]
pub struct Recordings(Option<Arc<Shelf>>);

struct Shelf {
    folder: PathBuf,
    format: Format,
    from: RecordFrom,
    disk: Disk,
    threads: Arc<Semaphore>,
    /// Who may encode.
    encoder: Semaphore,
    /// The program is ending.
    closing: AtomicBool,
    runtime: Handle,
    /// Files that are being finished.
    finishing: Mutex<Vec<JoinHandle<()>>>,
    /// The last write failed.
    failing: AtomicBool,
}

impl Recordings {
    /// Finishes in the background what an earlier process left. Files that do not say whose they are, of an older release, are of `business`.
    pub(crate) fn start(keeping: RecordingKeeping, business: BusinessId, scribe: &Scribe) -> Self {
        let RecordingKeeping { folder: Some(folder), format, from, disk } = keeping else { return Self(None) };
        let shelf = Arc::new(Shelf {
            folder,
            format,
            from,
            disk,
            threads: Arc::new(Semaphore::new(DISK_THREADS)),
            encoder: Semaphore::new(1),
            closing: AtomicBool::new(false),
            runtime: Handle::current(),
            finishing: Mutex::default(),
            failing: AtomicBool::new(false),
        });
        let (left, scribe) = (shelf.folder.clone(), scribe.clone());
        shelf.work(async move {
            let finished = spawn_blocking(move || recover::finish_left(&left)).await.unwrap_or_default();
            for (call, of, saved) in finished {
                info!(call_id = %call, "recording of a call that died with its process finished");
                let seconds = saved.length;
                let business = of.unwrap_or(business);
                scribe.write(event(call, business, seconds, RECORDING_SAVED, told(&saved, true)));
            }
        });
        Self(Some(shelf))
    }

    /// Whether calls are recorded.
    pub fn are_on(&self) -> bool {
        self.0.is_some()
    }

    /// The folder of the files, where calls are recorded.
    pub fn folder(&self) -> Option<&Path> {
        self.0.as_ref().map(|shelf| shelf.folder.as_path())
    }

    /// Whether the disk takes no recordings at present.
    pub fn are_failing(&self) -> bool {
        self.0.as_ref().is_some_and(|shelf| shelf.failing.load(Ordering::Relaxed))
    }

    /// Whether files are being finished of calls that are over.
    pub fn are_finishing(&self) -> bool {
        self.0.as_ref().is_some_and(|shelf| shelf.finishing().iter().any(|task| !task.is_finished()))
    }

    /// Begins the recording of a call; `tapped` is there where calls are recorded.
    pub(crate) fn begin(&self, tapped: Option<TappedCall>, business: BusinessId, scribe: &Scribe) -> Option<Recording> {
        let (shelf, tapped) = (Arc::clone(self.0.as_ref()?), tapped?);
        let (call, rate) = (tapped.call, tapped.rate);
        let reel = Arc::new(Reel::new(tapped, shelf.disk.part(&shelf.folder, (call, business), rate)));
        let announced = shelf.from == RecordFrom::Start;
        if !announced {
            reel.gate(0, false);
        }
        Some(Recording { shelf, reel, call, business, scribe: scribe.clone(), over: None, announced, paused: false })
    }

    /// Waits until every file is finished whose call is over. From now on, none is encoded.
    pub(crate) async fn finished(&self) {
        let Some(shelf) = &self.0 else { return };
        shelf.closing.store(true, Ordering::Relaxed);
        let finishing = std::mem::take(&mut *shelf.finishing());
        for task in finishing {
            let _ = task.await; // its panic was logged where it happened
        }
    }
}

impl Shelf {
    fn finishing(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.finishing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The recording in the format that was asked for; as it is, if that cannot be.
    #[cfg_attr(not(feature = "opus"), expect(unused_variables, reason = "only an encoder's file says whose it is"))]
    async fn shrink(self: &Arc<Self>, saved: Saved, business: BusinessId) -> Saved {
        let Ok(_turn) = self.encoder.acquire().await else { return saved }; // it is never closed
        match self.format {
            #[cfg(feature = "opus")]
            Format::Opus => {
                let (shelf, wav) = (Arc::clone(self), saved.clone());
                let shrunk = spawn_blocking(move || opus::shrink(&shelf.folder, &wav, business, &shelf.closing));
                shrunk.await.map_err(std::io::Error::other).flatten().unwrap_or_else(|error| {
                    warn!(file = saved.name, %error, "a recording stays WAV");
                    saved
                })
            }
            _ => saved,
        }
    }

    /// Runs `work`, and has the end of the program wait for it.
    fn work(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut finishing = self.finishing();
        finishing.retain(|task| !task.is_finished());
        finishing.push(self.runtime.spawn(work));
    }
}

impl fmt::Debug for Recordings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recordings({:?})", self.folder())
    }
}

/// The recording of a call that runs. Dropped, the call is over, or its recorder has been given up: the file is finished.
pub(crate) struct Recording {
    shelf: Arc<Shelf>,
    reel: Arc<Reel>,
    call: CallId,
    business: BusinessId,
    scribe: Scribe,
    /// When the call ended.
    over: Option<Instant>,
    announced: bool,
    paused: bool,
}

impl Recording {
    /// What the call's recorder turns, with the right to a thread.
    pub(crate) fn reel(&self) -> (Arc<Reel>, Arc<Semaphore>) {
        (Arc::clone(&self.reel), Arc::clone(&self.shelf.threads))
    }

    /// The first message of the agent was heard whole.
    pub(crate) fn announced(&mut self, now: Instant) {
        if !self.announced {
            self.announced = true;
            self.reel.gate(self.reel.position(now), !self.paused);
        }
    }

    /// Silence from now on, or sound again; whether that is new.
    pub(crate) fn pause(&mut self, now: Instant, paused: bool) -> bool {
        let changed = self.paused != paused;
        if changed {
            self.paused = paused;
            self.reel.gate(self.reel.position(now), self.announced && !paused);
        }
        changed
    }

    /// The disk takes it, or does not.
    pub(crate) fn failing(&self, failing: bool) {
        self.shelf.failing.store(failing, Ordering::Relaxed);
    }

    /// The call ended; without this, it ends when this is dropped.
    pub(crate) fn over(&mut self, now: Instant) {
        self.over = Some(now);
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let length = self.reel.position(self.over.unwrap_or_else(clock::now));
        let duration = self.reel.duration(length);
        let (reel, threads) = self.reel();
        let (call, business, scribe) = (self.call, self.business, self.scribe.clone());
        let shelf = Arc::clone(&self.shelf);
        self.shelf.work(async move {
            let Ok(thread) = threads.acquire_owned().await else { return }; // it is never closed
            let finished = spawn_blocking(move || {
                let _thread = thread;
                reel.finish(length)
            });
            let record = match finished.await.map_err(std::io::Error::other).flatten() {
                Ok(saved) => {
                    let saved = shelf.shrink(saved, business).await;
                    shelf.failing.store(false, Ordering::Relaxed);
                    metrics::counter!(RECORDINGS, "outcome" => if saved.lost.is_zero() { "saved" } else { "incomplete" }).increment(1);
                    metrics::counter!(RECORDING_BYTES).increment(saved.bytes);
                    event(call, business, saved.length, RECORDING_SAVED, told(&saved, false))
                }
                Err(error) => {
                    warn!(call_id = %call, %error, "recording lost: make DATA_DIR/recordings a writable folder with room");
                    metrics::counter!(RECORDINGS, "outcome" => "lost").increment(1);
                    event(call, business, duration, "recording_lost", json!({ "detail": error.to_string() }))
                }
            };
            #[cfg(feature = "sabotage")]
            if tandem_domain::sabotage::is_off(tandem_domain::sabotage::Mechanism::Saved) {
                return;
            }
            scribe.write(record);
        });
    }
}

/// What the record says of a file.
fn told(saved: &Saved, recovered: bool) -> serde_json::Value {
    json!({
        "path": saved.name, // below the folder of recordings
        "format": saved.format.ending(),
        "sha256": saved.sha256,
        "seconds": saved.length.as_secs_f64(),
        "bytes": saved.bytes,
        "lost_seconds": saved.lost.as_secs_f64(), // what the disk did not take: silence in the file
        "recovered": recovered,
    })
}

fn event(
    call: CallId,
    business: BusinessId,
    since_start: Duration,
    kind: &'static str,
    data: serde_json::Value,
) -> Record {
    Record::Event(TimelineEvent { call, business, index: LAST_NOTE, since_start, kind, data })
}
