//! What a far end with a screen is still to be shown, and how far away it is.
//!
//! Place:   in the speech lane of a call whose dialect has notices; filled by the call and the ingress pump, emptied by the egress pump.
//! Bounded: a far end that does not read loses notices, with a count, and never audio.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tandem_domain::playout::round_trip::RoundTrip;
use tandem_domain::port::dialect::Notice;

use crate::metrics::{NOTICES_DROPPED, ROUND_TRIP};

/// Notices that may wait: far more than one answer makes.
const MOST_WAITING: usize = 256;

/// The screen of one call.
#[derive(Debug, Default)]
pub struct Screen {
    waiting: Mutex<VecDeque<Notice>>,
    trip: Mutex<RoundTrip>,
}

impl Screen {
    /// Queues a notice. A detector's score takes the place of one that still waits.
    pub fn show(&self, notice: Notice) {
        let mut waiting = lock(&self.waiting);
        if let (Notice::VadScore(_), Some(last @ Notice::VadScore(_))) = (&notice, waiting.back_mut()) {
            *last = notice;
        } else if waiting.len() < MOST_WAITING {
            waiting.push_back(notice);
        } else {
            metrics::counter!(NOTICES_DROPPED).increment(1);
        }
    }

    /// Takes everything that waits, and the ping that is due, in the order it shall be written. The call's first notice comes alone.
    pub fn take(&self, now: Instant, out: &mut Vec<Notice>) {
        let mut waiting = lock(&self.waiting);
        if let Some(first) = waiting.pop_front_if(|first| matches!(first, Notice::Started { .. })) {
            out.push(first);
            return;
        }
        out.extend(waiting.drain(..));
        drop(waiting);
        let mut trip = lock(&self.trip);
        if let Some(id) = trip.poll(now) {
            out.push(Notice::Ping { id, round_trip: trip.measured() });
        }
    }

    /// When the next ping is due.
    pub fn poll_timeout(&self, now: Instant) -> Instant {
        lock(&self.trip).poll_timeout(now)
    }

    /// A ping was answered: how far away the far end is, there and back.
    pub fn answered(&self, now: Instant, id: u64) -> Option<Duration> {
        let measured = lock(&self.trip).answered(now, id)?;
        metrics::histogram!(ROUND_TRIP).record(measured.as_secs_f64());
        Some(measured)
    }
}

/// A panic inside leaves plain data behind.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tandem_domain::ids::TurnId;

    use super::*;

    #[test]
    fn the_first_notice_comes_alone() {
        let (screen, now) = (Screen::default(), crate::clock::now());
        screen.show(Notice::Started { conversation: tandem_domain::ids::ConversationId(uuid::Uuid::nil()) });
        screen.show(Notice::VadScore(0.0));
        let mut out = Vec::new();
        screen.take(now, &mut out);
        assert!(matches!(out.as_slice(), [Notice::Started { .. }]), "{out:?}");
        out.clear();
        screen.take(now, &mut out);
        assert!(matches!(out.as_slice(), [Notice::VadScore(_), Notice::Ping { .. }]), "{out:?}");
    }

    #[test]
    fn a_far_end_that_does_not_read_loses_the_newest_and_scores_do_not_pile_up() {
        let screen = Screen::default();
        for _ in 0..1_000 {
            screen.show(Notice::VadScore(0.5));
        }
        for number in 0..1_000 {
            screen.show(Notice::UserTranscript { turn: TurnId(number), text: "yes".into() });
        }
        let mut out = Vec::new();
        screen.take(crate::clock::now(), &mut out);
        assert_eq!(out.len(), MOST_WAITING + 1);
        assert_eq!(out[0], Notice::VadScore(0.5));
        assert!(matches!(out[1], Notice::UserTranscript { turn: TurnId(0), .. }));
        assert_eq!(out.last(), Some(&Notice::Ping { id: 1, round_trip: None }));
    }
}
