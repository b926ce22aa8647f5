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

use crate::metrics::media::lane_drops;
use crate::screen::Screen;

/// Speech that may be queued ahead of the caller's ear before synthesis waits (design.md section 10: memory per call).
const SPEECH_AHEAD: Duration = Duration::from_secs(4);
/// Chunks of 20 ms that the ear lane keeps: 10 s, twice what a lost recogniser needs (promises.md P4).
const EAR_CHUNKS: usize = 500;

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

    /// Tells the pump that there is something to do.
    pub fn wake(&self) {
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
    /// Chunks that went before anybody had read them.
    dropped: metrics::Counter,
}

#[derive(Debug, Default)]
struct Ring {
    chunks: VecDeque<EarChunk>,
    /// Position after the last sample.
    end: u64,
    /// Position after the last sample that the reader took.
    read: u64,
    closed: bool,
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

    /// Appends audio; drops the oldest beyond 10 s.
    pub fn push(&self, samples: Arc<[i16]>) {
        let mut ring = self.ring();
        let start = ring.end;
        ring.end += samples.len() as u64;
        ring.chunks.push_back((start, samples));
        if ring.chunks.len() > EAR_CHUNKS
            && let Some((start, _)) = ring.chunks.pop_front()
            && start >= ring.read
        {
            self.0.dropped.increment(1);
        }
        drop(ring);
        self.0.wake.notify_one();
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

    /// The next chunk; `None` when the lane is closed and empty.
    pub async fn next(&mut self) -> Option<EarChunk> {
        loop {
            {
                let mut ring = self.lane.ring();
                let first = ring.chunks.partition_point(|(start, samples)| start + samples.len() as u64 <= self.next);
                if let Some((start, samples)) = ring.chunks.get(first).cloned() {
                    self.next = start + samples.len() as u64;
                    ring.read = self.next;
                    return Some((start, samples));
                }
                if ring.closed {
                    return None;
                }
            }
            self.lane.0.wake.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(value: i16) -> Arc<[i16]> {
        vec![value; 160].into()
    }

    #[tokio::test]
    async fn a_new_tap_reads_again_from_where_it_is_told() {
        let lane = EarLane::default();
        for value in 0..10 {
            lane.push(chunk(value));
        }
        let mut tap = lane.tap(0);
        for value in 0..10 {
            assert_eq!(tap.next().await.map(|(_, samples)| samples[0]), Some(value));
        }
        let mut again = lane.tap(330);
        assert_eq!(
            again.next().await.map(|(start, samples)| (start, samples[0])),
            Some((320, 2)),
            "the chunk that holds the position"
        );
    }

    #[tokio::test]
    async fn the_oldest_audio_goes_first_and_the_position_stays_true() {
        let lane = EarLane::default();
        for value in 0..(EAR_CHUNKS as i16 + 5) {
            lane.push(chunk(value));
        }
        let first = lane.tap(0).next().await;
        assert_eq!(first.map(|(start, samples)| (start, samples[0])), Some((5 * 160, 5)));
    }

    #[tokio::test]
    async fn a_closed_lane_ends_its_tap() {
        let lane = EarLane::default();
        lane.push(chunk(1));
        lane.close();
        let mut tap = lane.tap(0);
        assert!(tap.next().await.is_some());
        assert!(tap.next().await.is_none());
    }
}
