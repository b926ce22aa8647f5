//! How deep a mailbox is. ractor's mailboxes have no bound and tell no length, so we sound them: a note to oneself goes in at the end of the
//! queue, and the messages that are handled before it comes back are those that waited in front of it.
//!
//! ```text
//! handles message 41 ─► casts Sounded(41) ─┐          depth when the note went in = 48 - 41 - 1 = 6
//! handles 42 … 47, then Sounded(41) as 48 ◄┘
//! ```
//!
//! One note at a time and one a second at most: a thousandth of what the messages cost. An actor that is stuck in one message is not sounded;
//! its callers' time limits tell of it.

use std::time::{Duration, Instant};

use metrics::Gauge;

use super::MAILBOX_DEPTH;

/// Between two soundings.
const EVERY: Duration = Duration::from_secs(1);

/// The mailbox of one actor. The gauge holds the sum over all actors of a kind.
pub(crate) struct Sounding {
    gauge: Gauge,
    handled: u64,
    under_way: bool,
    last: Option<Instant>,
    depth: u64,
}

impl Sounding {
    /// `kind`: the actor's name in the tree.
    pub(crate) fn new(kind: &'static str) -> Self {
        let gauge = metrics::gauge!(MAILBOX_DEPTH, "kind" => kind);
        Self { gauge, handled: 0, under_way: false, last: None, depth: 0 }
    }

    /// A message is being handled. `Some`: cast a note with this number to yourself.
    pub(crate) fn handled(&mut self, now: Instant) -> Option<u64> {
        self.handled += 1;
        let due = self.last.is_none_or(|last| now.saturating_duration_since(last) >= EVERY);
        if self.under_way || !due {
            return None;
        }
        (self.under_way, self.last) = (true, Some(now));
        Some(self.handled)
    }

    /// The note with this number came back, and was counted by [`Self::handled`] as any message.
    pub(crate) fn sounded(&mut self, number: u64) {
        self.under_way = false;
        self.settle(self.handled.saturating_sub(number + 1));
    }

    fn settle(&mut self, depth: u64) {
        self.gauge.increment(depth as f64 - self.depth as f64);
        self.depth = depth;
    }
}

impl Drop for Sounding {
    fn drop(&mut self) {
        self.settle(0); // a killed actor's mailbox is gone with it
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waited_in_front_of_the_note_is_the_depth() {
        let (t0, mut sounding) = (crate::clock::now(), Sounding::new("test"));
        let note = sounding.handled(t0);
        assert_eq!(note, Some(1));
        for _ in 0..6 {
            assert_eq!(sounding.handled(t0 + EVERY * 2), None, "one note at a time");
        }
        assert_eq!(sounding.handled(t0 + EVERY * 2), None, "the note itself");
        sounding.sounded(1);
        assert_eq!(sounding.depth, 6);
        assert_eq!(sounding.handled(t0 + EVERY * 2), Some(9), "and then the next");
        sounding.handled(t0 + EVERY * 2);
        sounding.sounded(9);
        assert_eq!(sounding.depth, 0, "an empty mailbox");
    }

    #[test]
    fn no_more_than_one_note_a_second() {
        let (t0, mut sounding) = (crate::clock::now(), Sounding::new("test"));
        let notes = (0..100).filter_map(|n| {
            let note = sounding.handled(t0 + Duration::from_millis(20) * n)?;
            sounding.sounded(note);
            Some(note)
        });
        assert_eq!(notes.count(), 2, "in two seconds");
    }
}
