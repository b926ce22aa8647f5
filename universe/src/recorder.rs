//! A recorder of one call, made of the switch's own parts: its tap, and the stereo clock of its recordings, without a disk.
//!
//! Place: beside [`crate::run()`], for the calls that are about recordings alone. Turned four times a second, as the switch's recorder is; what it
//! writes is kept, to be laid beside what was said and heard. Where the switch keeps files itself, the file that it left is read here, too.
//! Not here: gates, and what a full disk does (the root crate's tests have those).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tandem_actors::clock;
use tandem_actors::tap::{AudioTap, TappedCall};
use tandem_codecs::{Stereo, wav};
use tokio::time::interval;

/// Between two looks at the lanes, which hold a second.
const EVERY: Duration = Duration::from_millis(250);

/// What was recorded: left the caller, right the agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recording {
    /// The caller.
    pub left: Vec<i16>,
    /// The agent.
    pub right: Vec<i16>,
    /// How long the call was, in samples: by the clock of the machine, from its first instant to its end; of a file, as the call's own record has it.
    pub call: u64,
}

impl Recording {
    fn of_pairs(pairs: &[i16], call: u64) -> Self {
        let side = |side: usize| pairs.iter().skip(side).step_by(2).copied().collect();
        Self { left: side(0), right: side(1), call }
    }
}

/// What the switch's own recorder left on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedFile {
    /// Of its bytes, in lower-case hexadecimal.
    pub sha256: String,
    /// Its samples, and the length on record that they should have.
    pub recording: Recording,
}

impl SavedFile {
    /// The only file in this folder, of a call of so many samples; `None` if there is none, or more, or it is no recording.
    pub(crate) fn only_one_in(folder: &Path, call: u64) -> Option<Self> {
        let files: Vec<PathBuf> = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
        let [file] = files.as_slice() else { return None };
        let bytes = fs::read(file).ok()?;
        let (_, pairs) = wav::read_stereo(bytes.as_slice()).ok()?;
        let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Some(Self { sha256, recording: Recording::of_pairs(&pairs, call) })
    }
}

struct Work {
    call: TappedCall,
    stereo: Stereo,
    pairs: Vec<i16>,
}

/// Records the calls of a run.
#[derive(Default)]
pub(crate) struct Recorder(Mutex<Vec<Work>>);

impl AudioTap for Recorder {
    fn call(&self, call: TappedCall) {
        let stereo = Stereo::new(call.rate);
        self.works().push(Work { call, stereo, pairs: Vec::new() });
    }
}

impl Recorder {
    /// A recorder that turns until it is dropped.
    pub(crate) fn start() -> Arc<Self> {
        let recorder = Arc::new(Self::default());
        let turned = Arc::downgrade(&recorder);
        tokio::spawn(async move {
            let mut tick = interval(EVERY);
            loop {
                tick.tick().await;
                let Some(recorder) = turned.upgrade() else { return };
                recorder.turn();
            }
        });
        recorder
    }

    fn works(&self) -> MutexGuard<'_, Vec<Work>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self) {
        for work in self.works().iter_mut() {
            work.call.lay(&mut work.stereo);
            let now = work.call.position(clock::now());
            while work.stereo.take(now, &mut work.pairs) {}
        }
    }

    /// The rest of all calls, each up to its length by now, in the order in which they began.
    pub(crate) fn finish(&self) -> Vec<Recording> {
        self.turn();
        let works = std::mem::take(&mut *self.works());
        works.into_iter().map(Work::finish).collect()
    }
}

impl Work {
    fn finish(mut self) -> Recording {
        let call = self.call.position(clock::now());
        while self.stereo.finish(call, &mut self.pairs) {}
        Recording::of_pairs(&self.pairs, call)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tandem_codecs::SampleRate;

    use super::*;

    #[test]
    fn a_file_does_not_say_itself_how_long_its_call_was() {
        let folder = tempfile::tempdir().unwrap();
        let file = fs::File::create(folder.path().join("call.wav")).unwrap();
        wav::write_stereo(file, SampleRate::HZ_8000, &[1; 800], &[2; 800]).unwrap();
        let saved = SavedFile::only_one_in(folder.path(), 8_000).unwrap();
        assert_eq!((saved.recording.left.len(), saved.recording.call), (800, 8_000));
    }
}
