//! A recorder of one call, made of the switch's own parts: its tap, and the stereo clock of its recordings, without a disk.
//!
//! Place: beside [`crate::run()`], for the calls that are about recordings alone. Turned four times a second, as the switch's recorder is; what it
//! writes is kept, to be laid beside what was said and heard. Not here: files, gates, and what a full disk does (the root crate's tests have those).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tandem_actors::clock;
use tandem_actors::tap::{AudioTap, TappedCall};
use tandem_codecs::Stereo;
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
    /// How long the call was by the clock of the machine, from its first instant to its end, in samples.
    pub call: u64,
}

struct Work {
    call: TappedCall,
    stereo: Stereo,
    pairs: Vec<i16>,
}

/// Records the one call of a run.
#[derive(Default)]
pub(crate) struct Recorder(Mutex<Option<Work>>);

impl AudioTap for Recorder {
    fn call(&self, call: TappedCall) {
        let stereo = Stereo::new(call.rate);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Work { call, stereo, pairs: Vec::new() });
    }
}

impl Recorder {
    /// A recorder that turns until it is dropped.
    pub(crate) fn start() -> (Arc<Self>, tokio::task::JoinHandle<()>) {
        let recorder = Arc::new(Self::default());
        let turned = Arc::downgrade(&recorder);
        let turning = tokio::spawn(async move {
            let mut tick = interval(EVERY);
            loop {
                tick.tick().await;
                let Some(recorder) = turned.upgrade() else { return };
                recorder.turn();
            }
        });
        (recorder, turning)
    }

    fn turn(&self) {
        if let Some(work) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            work.call.lay(&mut work.stereo);
            let now = work.call.position(clock::now());
            while work.stereo.take(now, &mut work.pairs) {}
        }
    }

    /// The rest, up to `length` of the call.
    pub(crate) fn finish(&self) -> Option<Recording> {
        self.turn();
        let mut work = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let length = work.call.position(clock::now());
        while work.stereo.finish(length, &mut work.pairs) {}
        let side = |side: usize| work.pairs.iter().skip(side).step_by(2).copied().collect();
        Some(Recording { left: side(0), right: side(1), call: length })
    }
}
