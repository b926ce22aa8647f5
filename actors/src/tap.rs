//! The tap: both directions of a call's audio for whoever records or listens, on the call's clock.
//!
//! ```text
//! ingress pump ──► a lane (1 s) for each reader ──┐
//!                                                 ├──► the recorder, an AudioTap; each at its own pace
//! egress pump  ──► a lane (1 s) for each reader ──┘
//! ```
//!
//! Place:   beside the ear and speech lanes; filled by the pumps, read by the recorder where calls are recorded and by what
//!          [`SwitchConfig::tap`](crate::SwitchConfig) names. Nobody by default, and then the pumps do nothing for it.
//! Failure: a reader that is seconds late loses what is newest and the count says so; a pump never waits. The lanes belong to the call, so a pump
//!          that dies leaves them to its successor.
//!
//! Positions count samples of the switch's rate since the call began, the same on both sides, so the two lanes need no other clock. The agent's
//! audio stands where it is heard, not where it was sent; the caller's says when it was in, and
//! [`Stereo`] finds its place. Not here: consent, formats, files.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rtrb::{Consumer, Producer, RingBuffer};
use tandem_codecs::{SampleRate, Stereo};
use tandem_domain::ids::CallId;

use crate::metrics::media::lane_drops;

pub mod tape;

/// Samples of one block: 20 ms at the switch's rate.
pub const BLOCK_SAMPLES: usize = 160;
/// Blocks of one lane: a second, four times what a reader needs that looks every quarter of a second.
const LANE_BLOCKS: usize = 50;
/// Blocks that may lie beside a full lane: a far end that stalled may bring five seconds at once. Memory is taken for them when that happens.
const MOST_SPILLED: usize = 250;

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
    started: Instant,
}

impl TappedCall {
    /// When the call began.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// The position of an instant on the call's clock.
    pub fn position(&self, now: Instant) -> u64 {
        position(self.rate, self.started, now)
    }

    /// Lays all that waits into its place.
    pub fn lay(&mut self, stereo: &mut Stereo) {
        while let Some(block) = self.caller.read() {
            stereo.caller(block.at, block.samples());
        }
        while let Some(block) = self.agent.read() {
            let at = block.at;
            #[cfg(feature = "sabotage")]
            let at = match tandem_domain::sabotage::is_off(tandem_domain::sabotage::Mechanism::SampleClock) {
                true => stereo.taken(),
                false => at,
            };
            match block.samples() {
                [] => stereo.agent_cleared(at),
                samples => stereo.agent(at, samples),
            }
        }
    }
}

/// Who taps the calls of a switch, if anybody does.
#[derive(Clone, Default)]
pub struct Tap(Option<Arc<dyn AudioTap>>);

impl Tap {
    /// Every call goes to `tap`.
    pub fn to(tap: Arc<dyn AudioTap>) -> Self {
        Self(Some(tap))
    }

    /// The pumps' ends for a call that begins at `started`, and the reading ends of its recorder if it has one; `None` where nobody listens.
    pub(crate) fn open(
        &self,
        call: CallId,
        rate: SampleRate,
        started: Instant,
        recorded: bool,
    ) -> (Option<Inlets>, Option<TappedCall>) {
        let readers = usize::from(self.0.is_some()) + usize::from(recorded);
        #[cfg(feature = "sabotage")]
        let readers = match tandem_domain::sabotage::is_off(tandem_domain::sabotage::Mechanism::Readers) {
            true => readers.min(1),
            false => readers,
        };
        if readers == 0 {
            return (None, None);
        }
        let (caller, from_caller) = lanes("caller_tap", readers, rate, started);
        let (agent, from_agent) = lanes("agent_tap", readers, rate, started);
        let pairs = from_caller.into_iter().zip(from_agent);
        let mut tapped = pairs.map(|(caller, agent)| TappedCall { call, rate, caller, agent, started });
        let recorder = if recorded { tapped.next() } else { None };
        if let (Some(tap), Some(call)) = (&self.0, tapped.next()) {
            tap.call(call);
        }
        (Some(Inlets { caller, agent }), recorder)
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
    /// The agent's: position from which it is heard. The caller's: position at which its last sample was in.
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

/// The writing end of a side's lanes, lent by the call to one pump after the other.
#[derive(Clone)]
pub(crate) struct Inlet(Arc<Mutex<Writing>>);

struct Writing {
    lanes: Vec<Lane>,
    started: Instant,
    rate: SampleRate,
    /// Where the agent's audio that was sent ends.
    next: u64,
    dropped: metrics::Counter,
}

/// A ring, which its reader empties without a lock: a reader that is put aside by the scheduler holds up no pump. What does not fit lies beside it.
struct Lane {
    ring: Producer<Block>,
    spill: Arc<Spill>,
}

/// What came after the ring was full. Everything in it is newer than what is in the ring.
#[derive(Debug, Default)]
struct Spill {
    any: AtomicBool,
    blocks: Mutex<VecDeque<Block>>,
}

impl Lane {
    /// Whether it has room, or nobody who misses it.
    fn push(&mut self, block: &Block) -> bool {
        if self.ring.is_abandoned() {
            return true;
        }
        if !self.spill.any.load(Ordering::Acquire) && self.ring.push(block.clone()).is_ok() {
            return true;
        }
        let Ok(mut blocks) = self.spill.blocks.try_lock() else { return false }; // the reader looks: no pump waits for it
        let room = blocks.len() < MOST_SPILLED;
        if room {
            blocks.push_back(block.clone());
            self.spill.any.store(true, Ordering::Release);
        }
        room
    }
}

impl fmt::Debug for Inlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inlet")
    }
}

fn lanes(kind: &'static str, readers: usize, rate: SampleRate, started: Instant) -> (Inlet, Vec<Outlet>) {
    let lane = |_| {
        let ((ring, from), spill) = (RingBuffer::new(LANE_BLOCKS), Arc::<Spill>::default());
        (Lane { ring, spill: Arc::clone(&spill) }, Outlet { ring: from, spill })
    };
    let (lanes, outlets) = (0..readers).map(lane).unzip();
    let dropped = lane_drops(kind);
    (Inlet(Arc::new(Mutex::new(Writing { lanes, started, rate, next: 0, dropped }))), outlets)
}

impl Inlet {
    /// Audio of the caller's, the last sample of which is in at `now`.
    pub(crate) fn came_in(&self, now: Instant, samples: &[i16]) {
        let mut writing = self.lock();
        let at = writing.position(now);
        for samples in samples.chunks(BLOCK_SAMPLES) {
            writing.push(&Block::new(at, samples));
        }
    }

    /// Audio of the agent's that is heard from `now` on, or right after what was written before it: the later of both, for what is sent
    /// ahead waits its turn.
    pub(crate) fn sent(&self, now: Instant, samples: &[i16]) {
        let mut writing = self.lock();
        let mut at = writing.position(now).max(writing.next);
        for samples in samples.chunks(BLOCK_SAMPLES) {
            writing.push(&Block::new(at, samples));
            at += samples.len() as u64;
        }
        writing.next = at;
    }

    /// What was sent for `now` and later is not heard.
    pub(crate) fn take_back(&self, now: Instant) {
        let mut writing = self.lock();
        let clock = writing.position(now);
        if clock < writing.next {
            writing.push(&Block::new(clock, &[]));
            writing.next = clock;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Writing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner) // a panic inside leaves plain data behind
    }
}

impl Writing {
    fn position(&self, now: Instant) -> u64 {
        position(self.rate, self.started, now)
    }

    fn push(&mut self, block: &Block) {
        for lane in &mut self.lanes {
            if !lane.push(block) {
                self.dropped.increment(1);
            }
        }
    }
}

/// The position of an instant on the clock of a call.
pub(crate) fn position(rate: SampleRate, started: Instant, now: Instant) -> u64 {
    rate.samples_in(now.saturating_duration_since(started)) as u64
}

/// The reading end of a lane.
#[derive(Debug)]
pub struct Outlet {
    ring: Consumer<Block>,
    spill: Arc<Spill>,
}

impl Outlet {
    /// The next block, if one waits.
    pub fn read(&mut self) -> Option<Block> {
        self.ring.pop().ok().or_else(|| self.read_spilled())
    }

    fn read_spilled(&mut self) -> Option<Block> {
        if !self.spill.any.load(Ordering::Acquire) {
            return None;
        }
        // The ring was seen empty before the spill was seen full: what was pushed in between is older than the spill.
        if let Ok(block) = self.ring.pop() {
            return Some(block);
        }
        let mut blocks = self.spill.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let block = blocks.pop_front();
        if blocks.is_empty() {
            *blocks = VecDeque::new(); // gives the memory back
            self.spill.any.store(false, Ordering::Release);
        }
        block
    }

    /// Whether the call is over and everything was read.
    pub fn is_over(&self) -> bool {
        self.ring.is_abandoned() && self.ring.is_empty() && !self.spill.any.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;

    fn open() -> (Instant, Inlet, Outlet) {
        let t0 = crate::clock::now();
        let (inlet, mut outlets) = lanes("caller_tap", 1, SampleRate::HZ_8000, t0);
        (t0, inlet, outlets.remove(0))
    }

    fn positions(outlet: &mut Outlet) -> Vec<(u64, usize)> {
        std::iter::from_fn(|| outlet.read()).map(|block| (block.at, block.samples().len())).collect()
    }

    #[test]
    fn audio_that_is_sent_ahead_stands_where_it_is_heard() {
        let (t0, inlet, mut outlet) = open();
        let begun = t0 + Duration::from_secs(1);
        inlet.sent(begun, &[1; 320]); // 40 ms at once, and the next when the first half is over
        inlet.sent(begun + Duration::from_millis(20), &[1; 100]);
        inlet.sent(begun + Duration::from_secs(1), &[1; 160]);
        assert_eq!(positions(&mut outlet), [(8_000, 160), (8_160, 160), (8_320, 100), (16_000, 160)]);
    }

    #[test]
    fn a_callers_audio_says_when_it_was_in() {
        let (t0, inlet, mut outlet) = open();
        for at_ms in [20, 40, 400] {
            inlet.came_in(t0 + Duration::from_millis(at_ms), &[1; 160]);
        }
        inlet.came_in(t0 + Duration::from_millis(401), &[1; 320]);
        assert_eq!(positions(&mut outlet), [(160, 160), (320, 160), (3_200, 160), (3_208, 160), (3_208, 160)]);
    }

    #[test]
    fn what_was_cut_is_taken_back() {
        let (t0, inlet, mut outlet) = open();
        inlet.sent(t0, &[1; 800]);
        inlet.take_back(t0 + Duration::from_millis(30));
        inlet.sent(t0 + Duration::from_millis(50), &[1; 160]);
        let read = positions(&mut outlet);
        assert_eq!(read[5..], [(240, 0), (400, 160)]);
        inlet.take_back(t0 + Duration::from_secs(9));
        assert_eq!(outlet.read(), None, "all of it was heard by then");
    }

    #[test]
    fn a_reader_that_is_late_loses_audio_and_the_pump_does_not_wait() {
        let (t0, inlet, mut outlet) = open();
        for _ in 0..400 {
            inlet.sent(t0, &[1; 160]);
        }
        let read = positions(&mut outlet);
        let kept = 0..(LANE_BLOCKS + MOST_SPILLED) as u64;
        assert_eq!(read, kept.map(|number| (160 * number, 160)).collect::<Vec<_>>(), "in order, and no more");
        inlet.sent(t0, &[1; 160]);
        assert_eq!(outlet.read().unwrap().at, 400 * 160, "and the clock stays true");
        assert!(!outlet.is_over());
        drop(inlet);
        assert!(outlet.is_over());
    }

    #[test]
    fn each_reader_has_lanes_of_its_own_and_one_that_leaves_is_no_loss_to_the_other() {
        let t0 = crate::clock::now();
        let (inlet, mut outlets) = lanes("agent_tap", 2, SampleRate::HZ_8000, t0);
        drop(outlets.remove(0));
        for frame in 0..2 * LANE_BLOCKS as u32 {
            inlet.sent(t0 + Duration::from_millis(20) * frame, &[1; 160]);
            assert_eq!(outlets[0].read().unwrap().at, 160 * u64::from(frame));
        }
    }
}
