//! The tap: both directions of a call's audio for whoever records or listens, on the call's clock.
//!
//! ```text
//! ingress pump ──► lane (1 s) ──┐
//!                               ├──► AudioTap, at its own pace, in a task of its own
//! egress pump  ──► lane (1 s) ──┘
//! ```
//!
//! Place:   beside the ear and speech lanes; filled by the pumps, read by what [`SwitchConfig::tap`](crate::SwitchConfig) names. Nobody by
//!          default, and then the pumps do nothing for it.
//! Failure: a reader that is late loses the newest second and the count says so; a pump never waits. The lanes belong to the call, so a pump
//!          that dies leaves them to its successor.
//!
//! Positions count samples of the switch's rate since the call began, the same on both sides, so the two lanes need no other clock. The agent's
//! audio stands where it is heard, not where it was sent. Not here: consent, formats, files.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rtrb::{Consumer, Producer, RingBuffer};
use tandem_codecs::SampleRate;
use tandem_domain::ids::CallId;

use crate::metrics::media::lane_drops;

pub mod stereo;
pub mod tape;

/// Samples of one block: 20 ms at the switch's rate.
pub const BLOCK_SAMPLES: usize = 160;
/// Blocks of one lane: a second, four times what a reader needs that looks every quarter of a second.
const LANE_BLOCKS: usize = 50;
/// How far a caller's audio may lie behind the clock before the gap counts as silence. Less is a network's delay, and made up for later.
const CALLER_SLACK_SAMPLES: u64 = 4_000;

/// Takes the audio of calls.
pub trait AudioTap: Send + Sync {
    /// A call has begun. Called from its actor: must not block. A call that is not wanted is dropped.
    fn call(&self, call: TappedCall);
}

/// The reading ends of one call.
#[derive(Debug)]
pub struct TappedCall {
    /// Which.
    pub call: CallId,
    /// Of all samples and positions.
    pub rate: SampleRate,
    /// What the caller says.
    pub caller: Outlet,
    /// What the caller hears of the agent.
    pub agent: Outlet,
}

/// Who taps the calls of a switch, if anybody does.
#[derive(Clone, Default)]
pub struct Tap(Option<Arc<dyn AudioTap>>);

impl Tap {
    /// Every call goes to `tap`.
    pub fn to(tap: Arc<dyn AudioTap>) -> Self {
        Self(Some(tap))
    }

    /// The pumps' ends for a call that begins at `started`; `None` where nobody listens.
    pub(crate) fn open(&self, call: CallId, rate: SampleRate, started: Instant) -> Option<Inlets> {
        let Self(Some(tap)) = self else { return None };
        let (caller, from_caller) = lane("caller_tap", rate, started, CALLER_SLACK_SAMPLES);
        let (agent, from_agent) = lane("agent_tap", rate, started, 0);
        tap.call(TappedCall { call, rate, caller: from_caller, agent: from_agent });
        Some(Inlets { caller, agent })
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Tap(on)" } else { "Tap(off)" })
    }
}

impl PartialEq for Tap {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(mine), Some(other)) => Arc::ptr_eq(mine, other),
            (None, None) => true,
            _ => false,
        }
    }
}

/// The writing ends of one call.
#[derive(Debug, Clone)]
pub(crate) struct Inlets {
    pub(crate) caller: Inlet,
    pub(crate) agent: Inlet,
}

/// One stretch of audio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Position of its first sample.
    pub at: u64,
    len: u8,
    samples: [i16; BLOCK_SAMPLES],
}

impl Block {
    /// Up to [`BLOCK_SAMPLES`] of `samples`.
    fn new(at: u64, samples: &[i16]) -> Self {
        let len = samples.len().min(BLOCK_SAMPLES);
        let mut block = Self { at, len: len as u8, samples: [0; BLOCK_SAMPLES] };
        block.samples[..len].copy_from_slice(&samples[..len]);
        block
    }

    /// Its samples. None: what was written for `at` and later was taken back, because the caller interrupted before it was heard.
    pub fn samples(&self) -> &[i16] {
        &self.samples[..usize::from(self.len)]
    }
}

/// The writing end of a lane, lent by the call to one pump after the other.
#[derive(Clone)]
pub(crate) struct Inlet(Arc<Mutex<Writing>>);

struct Writing {
    // Its reader shares no lock with us: a reader that is put aside by the scheduler holds up no pump.
    lane: Producer<Block>,
    started: Instant,
    rate: SampleRate,
    slack: u64,
    next: u64,
    dropped: metrics::Counter,
}

impl fmt::Debug for Inlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inlet")
    }
}

fn lane(kind: &'static str, rate: SampleRate, started: Instant, slack: u64) -> (Inlet, Outlet) {
    let (lane, outlet) = RingBuffer::new(LANE_BLOCKS);
    let dropped = lane_drops(kind);
    (Inlet(Arc::new(Mutex::new(Writing { lane, started, rate, slack, next: 0, dropped }))), Outlet(outlet))
}

impl Inlet {
    /// Audio that is heard from `now` on, or right after what was written before it: the later of both, for what is sent ahead waits its turn.
    pub(crate) fn write(&self, now: Instant, samples: &[i16]) {
        let mut writing = self.lock();
        let clock = writing.position(now);
        let mut at = if clock > writing.next + writing.slack { clock } else { writing.next };
        for samples in samples.chunks(BLOCK_SAMPLES) {
            writing.push(Block::new(at, samples));
            at += samples.len() as u64;
        }
        writing.next = at;
    }

    /// What was written for `now` and later is not heard.
    pub(crate) fn take_back(&self, now: Instant) {
        let mut writing = self.lock();
        let clock = writing.position(now);
        if clock < writing.next {
            writing.push(Block::new(clock, &[]));
            writing.next = clock;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Writing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner) // a panic inside leaves plain data behind
    }
}

impl Writing {
    fn position(&self, now: Instant) -> u64 {
        self.rate.samples_in(now.saturating_duration_since(self.started)) as u64
    }

    fn push(&mut self, block: Block) {
        if self.lane.push(block).is_err() {
            self.dropped.increment(1);
        }
    }
}

/// The reading end of a lane.
#[derive(Debug)]
pub struct Outlet(Consumer<Block>);

impl Outlet {
    /// The next block, if one waits.
    pub fn read(&mut self) -> Option<Block> {
        self.0.pop().ok()
    }

    /// Whether the call is over and everything was read.
    pub fn is_over(&self) -> bool {
        self.0.is_abandoned() && self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;

    fn open(slack: u64) -> (Instant, Inlet, Outlet) {
        let t0 = crate::clock::now();
        let (inlet, outlet) = lane("caller_tap", SampleRate::HZ_8000, t0, slack);
        (t0, inlet, outlet)
    }

    fn positions(outlet: &mut Outlet) -> Vec<(u64, usize)> {
        std::iter::from_fn(|| outlet.read()).map(|block| (block.at, block.samples().len())).collect()
    }

    #[test]
    fn audio_that_is_sent_ahead_stands_where_it_is_heard() {
        let (t0, inlet, mut outlet) = open(0);
        let begun = t0 + Duration::from_secs(1);
        inlet.write(begun, &[1; 320]); // 40 ms at once, and the next when the first half is over
        inlet.write(begun + Duration::from_millis(20), &[1; 100]);
        inlet.write(begun + Duration::from_secs(1), &[1; 160]);
        assert_eq!(positions(&mut outlet), [(8_000, 160), (8_160, 160), (8_320, 100), (16_000, 160)]);
    }

    #[test]
    fn a_callers_late_frames_close_up_and_a_long_gap_stays() {
        let (t0, inlet, mut outlet) = open(CALLER_SLACK_SAMPLES);
        for at_ms in [20, 40, 400, 401, 2_000] {
            inlet.write(t0 + Duration::from_millis(at_ms), &[1; 160]);
        }
        assert_eq!(positions(&mut outlet), [(0, 160), (160, 160), (320, 160), (480, 160), (16_000, 160)]);
    }

    #[test]
    fn what_was_cut_is_taken_back() {
        let (t0, inlet, mut outlet) = open(0);
        inlet.write(t0, &[1; 800]);
        inlet.take_back(t0 + Duration::from_millis(30));
        inlet.write(t0 + Duration::from_millis(50), &[1; 160]);
        let read = positions(&mut outlet);
        assert_eq!(read[5..], [(240, 0), (400, 160)]);
        inlet.take_back(t0 + Duration::from_secs(9));
        assert_eq!(outlet.read(), None, "all of it was heard by then");
    }

    #[test]
    fn a_reader_that_is_late_loses_audio_and_the_pump_does_not_wait() {
        let (t0, inlet, mut outlet) = open(0);
        for _ in 0..60 {
            inlet.write(t0, &[1; 160]);
        }
        assert_eq!(positions(&mut outlet).len(), LANE_BLOCKS);
        inlet.write(t0, &[1; 160]);
        assert_eq!(outlet.read().unwrap().at, 60 * 160, "and the clock stays true");
        assert!(!outlet.is_over());
        drop(inlet);
        assert!(outlet.is_over());
    }
}
