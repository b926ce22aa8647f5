//! The two audio lanes of a call: bounded, one producer, one consumer, each with its overflow rule.
//!
//! Both belong to the call and are lent to the drivers on either side, so a driver that dies takes no audio along:
//!
//! ```text
//! ingress pump ──► EarLane (last 10 s, oldest dropped) ──► stt         a new stt reads again from where the turn began
//! tts ──► SpeechLane (playout; the producer waits beyond 4 s) ──► egress pump   a new pump goes on with the next chunk
//! ```
//!
//! Where the far end has a screen, the speech lane carries [`Screen`] too: what it is shown, in order with the audio.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tandem_domain::playout::Playout;
use tandem_domain::port::dialect::Notice;
use tokio::sync::Notify;

use crate::clock;
use crate::metrics::media::lane_drops;
use crate::screen::Screen;

/// Speech that may be queued ahead of the caller's ear before synthesis waits (design.md section 10: memory per call).
const SPEECH_AHEAD: Duration = Duration::from_secs(4);
/// Samples that the ear lane keeps: 10 s, twice what a lost recogniser needs (promises.md P4).
const EAR_SAMPLES: usize = 80_000;
/// What a recogniser is given at once: 100 ms. Each piece is a message on the wire of a hosted one, with its system call.
pub const CHUNK_SAMPLES: usize = 800;

/// The agent's audio on its way to the far end.
#[derive(Debug, Clone)]
pub struct SpeechLane(Arc<Speech>);

#[derive(Debug)]
struct Speech {
    playout: Mutex<Playout>,
    screen: Option<Screen>,
    /// Something changed that the pump must look at.
    wake: Notify,
    /// There may be room again.
    room: Notify,
}

impl SpeechLane {
    /// A lane that plays by `playout`, to a far end that may have a screen.
    pub fn new(playout: Playout, screen: Option<Screen>) -> Self {
        Self(Arc::new(Speech { playout: Mutex::new(playout), screen, wake: Notify::new(), room: Notify::new() }))
    }

    /// What the far end is shown; `None` for a telephone.
    pub fn screen(&self) -> Option<&Screen> {
        self.0.screen.as_ref()
    }

    /// Shows `notice`, if there is a screen.
    pub fn show(&self, notice: Notice) {
        if let Some(screen) = self.screen() {
            screen.show(notice);
            self.wake();
        }
    }

    /// The playout, for a short look or change; never held across an await.
    pub fn playout(&self) -> MutexGuard<'_, Playout> {
        // A panic inside leaves plain data behind; the call decides what becomes of it.
        self.0.playout.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the pump that there is something to do, and the playout since when.
    pub fn wake(&self) {
        self.playout().came(clock::now());
        self.0.wake.notify_one();
    }

    /// Waits for [`Self::wake`]; one waiter, no wake-up is lost.
    pub async fn woken(&self) {
        self.0.wake.notified().await;
    }

    /// Called by the pump after it took audio out.
    pub fn took(&self) {
        if self.playout().backlog() < SPEECH_AHEAD {
            self.0.room.notify_one();
        }
    }

    /// Waits until the queue holds less than it may.
    pub async fn room(&self) {
        while self.playout().backlog() >= SPEECH_AHEAD {
            self.0.room.notified().await;
        }
    }
}

/// One stretch of caller audio: position of its first sample, and the samples (mono, at the switch's rate).
pub type EarChunk = (u64, Arc<[i16]>);

/// The caller's audio on its way to the recogniser.
#[derive(Debug, Clone)]
pub struct EarLane(Arc<Ear>);

#[derive(Debug)]
struct Ear {
    ring: Mutex<Ring>,
    wake: Notify,
    /// Writes that pushed out audio which nobody had read.
    dropped: metrics::Counter,
}

#[derive(Debug, Default)]
struct Ring {
    samples: VecDeque<i16>,
    /// Position after the last sample.
    end: u64,
    /// Position after the last sample that the reader took.
    read: u64,
    /// The reader sleeps until the lane has come so far.
    wanted: u64,
    closed: bool,
}

impl Ring {
    /// Position of the oldest sample that is kept.
    fn start(&self) -> u64 {
        self.end - self.samples.len() as u64
    }
}

impl Default for EarLane {
    fn default() -> Self {
        let dropped = lane_drops("ear");
        Self(Arc::new(Ear { ring: Mutex::new(Ring::default()), wake: Notify::new(), dropped }))
    }
}

impl EarLane {
    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.0.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends audio; drops the oldest beyond 10 s. Wakes the reader once it has what it waits for, and not before: a wake-up costs more
    /// than the audio.
    pub fn push(&self, samples: &[i16]) {
        let mut ring = self.ring();
        let excess = (ring.samples.len() + samples.len()).saturating_sub(EAR_SAMPLES).min(ring.samples.len());
        if ring.start() + excess as u64 > ring.read {
            self.0.dropped.increment(u64::from(excess > 0));
        }
        ring.samples.drain(..excess);
        if ring.samples.capacity() == 0 {
            ring.samples.reserve_exact(EAR_SAMPLES + samples.len()); // once: growing by doubling would end at twice as much
        }
        ring.samples.extend(samples);
        ring.end += samples.len() as u64;
        let wake = ring.end >= ring.wanted;
        drop(ring);
        if wake {
            self.0.wake.notify_one();
        }
    }

    /// No more audio will come.
    pub fn close(&self) {
        self.ring().closed = true;
        self.0.wake.notify_one();
    }

    /// Whether no more audio will come.
    pub fn is_closed(&self) -> bool {
        self.ring().closed
    }

    /// Position after the last sample.
    pub fn position(&self) -> u64 {
        self.ring().end
    }

    /// A copy of the audio from `from` to `to`, of it what there is; nobody's reading changes.
    pub fn window(&self, from: u64, to: u64) -> Arc<[i16]> {
        let ring = self.ring();
        let (first, last) = (from.max(ring.start()), to.min(ring.end));
        if first >= last {
            return Arc::from([]);
        }
        let start = ring.start();
        ring.samples.range((first - start) as usize..(last - start) as usize).copied().collect()
    }

    /// Reads from `position` on, or from the oldest audio kept.
    pub fn tap(&self, position: u64) -> Tap {
        self.ring().read = position;
        Tap { lane: self.clone(), next: position }
    }
}

/// The reading end of an [`EarLane`]; one at a time.
#[derive(Debug)]
pub struct Tap {
    lane: EarLane,
    next: u64,
}

impl Tap {
    /// Position after the last sample that was read.
    pub fn position(&self) -> u64 {
        self.next
    }

    /// The next chunk, of [`CHUNK_SAMPLES`] at most: as soon as `least` samples are there, or the rest of a lane that is closed. `None` when
    /// that is empty.
    pub async fn next(&mut self, least: usize) -> Option<EarChunk> {
        loop {
            {
                let mut ring = self.lane.ring();
                let from = self.next.max(ring.start());
                let waiting = ring.end.saturating_sub(from);
                if waiting > 0 && (waiting >= least as u64 || ring.closed) {
                    let first = (from - ring.start()) as usize;
                    let chunk = ring.samples.range(first..).take(CHUNK_SAMPLES).copied().collect::<Arc<[i16]>>();
                    self.next = from + chunk.len() as u64;
                    ring.read = self.next;
                    return Some((from, chunk));
                }
                if ring.closed {
                    return None;
                }
                ring.wanted = from + least as u64;
            }
            self.lane.0.wake.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use super::*;

    /// The lane after so many frames of 20 ms, whose samples are the frame's number.
    fn lane(frames: i16) -> EarLane {
        let lane = EarLane::default();
        (0..frames).for_each(|value| lane.push(&[value; 160]));
        lane
    }

    async fn first(tap: &mut Tap, least: usize) -> Option<(u64, i16, usize)> {
        tap.next(least).await.map(|(start, samples)| (start, samples[0], samples.len()))
    }

    #[tokio::test]
    async fn a_new_tap_reads_again_from_where_it_is_told() {
        let lane = lane(10);
        let mut tap = lane.tap(0);
        assert_eq!(first(&mut tap, 1).await, Some((0, 0, CHUNK_SAMPLES)));
        assert_eq!(first(&mut tap, 1).await, Some((800, 5, CHUNK_SAMPLES)));
        let mut again = lane.tap(330);
        assert_eq!(first(&mut again, 1).await, Some((330, 2, CHUNK_SAMPLES)), "from the sample on");
        assert_eq!(again.position(), 1_130);
    }

    #[test]
    fn a_window_is_what_is_kept_of_it() {
        let lane = lane(505);
        assert_eq!(*lane.window(5 * 160, 7 * 160), [[5; 160], [6; 160]].concat());
        assert_eq!(lane.window(0, 6 * 160).len(), 160, "the first 100 ms are forgotten");
        assert_eq!(lane.window(504 * 160, u64::MAX).len(), 160, "the rest is to come");
        assert!(lane.window(9, 3).is_empty() && lane.window(u64::MAX, u64::MAX).is_empty());
    }

    #[tokio::test]
    async fn the_oldest_audio_goes_first_and_the_position_stays_true() {
        let lane = lane(505);
        assert_eq!(first(&mut lane.tap(0), 1).await, Some((5 * 160, 5, CHUNK_SAMPLES)));
        assert_eq!(lane.position(), 505 * 160);
    }

    #[tokio::test]
    async fn a_reader_sleeps_until_there_is_what_it_asked_for() {
        let lane = lane(1);
        let mut tap = lane.tap(0);
        {
            let mut patient = pin!(tap.next(CHUNK_SAMPLES));
            let ready = poll_fn(|context| Poll::Ready(patient.as_mut().poll(context).is_ready())).await;
            assert!(!ready, "20 ms of 100");
            (1..5).for_each(|value| lane.push(&[value; 160]));
            assert_eq!(patient.await.map(|(start, samples)| (start, samples.len())), Some((0, CHUNK_SAMPLES)));
        }
        lane.push(&[9; 160]);
        assert_eq!(first(&mut tap, 1).await, Some((800, 9, 160)), "who is in a hurry takes what there is");
    }

    #[tokio::test]
    async fn a_closed_lane_gives_its_rest_and_ends_its_tap() {
        let lane = lane(1);
        lane.close();
        let mut tap = lane.tap(0);
        assert_eq!(first(&mut tap, CHUNK_SAMPLES).await, Some((0, 0, 160)));
        assert!(tap.next(1).await.is_none());
    }
}
