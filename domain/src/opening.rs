//! When our first word may sound: at once, unless the other side has the first word, or takes it.
//!
//! ```text
//! inbound    leg up ─────────────────────────► Open: we greet at once
//!                └─ caller begins first ─► Listening ─┬─ a hello (≤ 1 s) ends ────► Open
//!                                                     ├─ longer speech ends ──► Paused ─┬─ words: a turn, which is greeted and answered
//! outbound   leg up ─► Expecting ─ callee begins ─► Listening                           └─ 1.2 s of nothing ─► Open
//!                          └─ 1.5 s of silence ─► Open        └─ any speech of a callee ends ─► Open
//! ```
//!
//! Whoever answers a telephone speaks first: a call that we placed waits for that word, 1.5 s at most, so that our first audio comes within
//! 2.0 s of a silent answer (design.md section 12 item 2). Who called us is greeted at once; if they were quicker, a hello is let out and then
//! greeted. Noise does not hold a greeting back for longer than `LONGEST_FIRST_SPEECH`.
//!
//! Pure: told the time, it says when to open. What is said, and holding it back until then, is the call core's (`call_core/opening.rs`).

use std::time::{Duration, Instant};

use crate::record::Direction;

/// A callee who says nothing is spoken to after this.
const SILENT_ANSWER: Duration = Duration::from_millis(1_500);
/// Speech up to this length is a hello: what follows it is our greeting, at once.
const LONGEST_HELLO: Duration = Duration::from_secs(1);
/// Both are silent: the floor is ours again.
const BOTH_SILENT: Duration = Duration::from_millis(1_200);
/// Speech that goes on for longer before we have said a word may be a radio: we greet all the same.
const LONGEST_FIRST_SPEECH: Duration = Duration::from_secs(6);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The leg is not up.
    Closed,
    /// The callee has the first word.
    Expecting { until: Instant },
    /// The other side speaks, and we have not begun.
    Listening { began: Instant },
    /// It has stopped, and may not have finished.
    Paused { until: Instant },
    /// Our first word may sound, or has.
    Open,
}

/// The opening of one call.
#[derive(Debug, Clone)]
pub struct Opening {
    direction: Direction,
    state: State,
}

impl Opening {
    /// Of a call that began in this direction.
    pub fn new(direction: Direction) -> Self {
        Self { direction, state: State::Closed }
    }

    /// Which side began the call.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The leg is up. A far end that `reads` is waited for by nobody.
    pub fn started(&mut self, now: Instant, reads: bool) {
        self.state = match self.direction {
            Direction::Outbound if !reads => State::Expecting { until: now + SILENT_ANSWER },
            Direction::Inbound | Direction::Outbound => State::Open,
        };
    }

    /// Whether our first word has to wait.
    pub fn is_waiting(&self) -> bool {
        !matches!(self.state, State::Open | State::Closed)
    }

    /// The other side began to speak, and our first word has not sounded.
    pub fn speech_started(&mut self, began: Instant) {
        self.state = match self.state {
            State::Closed => State::Closed,
            // The second of two hellos: what counts is since when we have been kept waiting.
            State::Listening { began } => State::Listening { began },
            State::Expecting { .. } | State::Paused { .. } | State::Open => State::Listening { began },
        };
    }

    /// Its speech ended at the instant `ended`.
    pub fn speech_ended(&mut self, ended: Instant) {
        let State::Listening { began } = self.state else { return };
        let hello = ended.saturating_duration_since(began) <= LONGEST_HELLO;
        self.state = match self.direction {
            Direction::Outbound => State::Open, // whoever answers has spoken: that was for us to wait for
            Direction::Inbound if hello => State::Open,
            Direction::Inbound => State::Paused { until: ended + BOTH_SILENT },
        };
    }

    /// Nothing is waited for any more: we speak, or the turn is answered in the greeting's place.
    pub fn open(&mut self) {
        self.state = State::Open;
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Expecting { until } | State::Paused { until } => Some(until),
            State::Listening { began } => Some(began + LONGEST_FIRST_SPEECH),
            State::Closed | State::Open => None,
        }
    }

    /// `true` once: our first word is due.
    pub fn handle_timeout(&mut self, now: Instant) -> bool {
        let due = self.poll_timeout().is_some_and(|due| due <= now);
        if due {
            self.open();
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::disallowed_methods)] // a made-up clock needs an origin
    fn origin() -> Instant {
        Instant::now()
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn up(direction: Direction) -> (Instant, Opening) {
        let (now, mut opening) = (origin(), Opening::new(direction));
        opening.started(now, false);
        (now, opening)
    }

    #[test]
    fn who_called_us_is_greeted_at_once() {
        let (_, opening) = up(Direction::Inbound);
        assert!(!opening.is_waiting());
        assert_eq!(opening.poll_timeout(), None);
    }

    #[test]
    fn a_callee_who_says_nothing_is_spoken_to_after_a_second_and_a_half() {
        let (now, mut opening) = up(Direction::Outbound);
        assert!(opening.is_waiting());
        assert!(!opening.handle_timeout(now + ms(1_499)));
        assert!(opening.handle_timeout(now + ms(1_500)));
        assert!(!opening.is_waiting() && !opening.handle_timeout(now + ms(9_000)), "once");
    }

    #[test]
    fn a_callee_is_let_finish_whatever_its_length() {
        for length in [300, 1_900, 4_000] {
            let (now, mut opening) = up(Direction::Outbound);
            opening.speech_started(now + ms(400));
            assert!(!opening.handle_timeout(now + ms(400 + length)));
            opening.speech_ended(now + ms(400 + length));
            assert!(!opening.is_waiting(), "{length}");
        }
    }

    #[test]
    fn a_callee_who_begins_at_the_last_moment_is_let_finish_too() {
        let (now, mut opening) = up(Direction::Outbound);
        opening.speech_started(now + ms(1_450));
        assert!(!opening.handle_timeout(now + ms(1_500)));
        assert!(opening.is_waiting());
    }

    #[test]
    fn a_hello_before_our_first_word_is_greeted_when_it_ends() {
        let (now, mut opening) = up(Direction::Inbound);
        opening.speech_started(now + ms(50));
        assert!(opening.is_waiting());
        opening.speech_ended(now + ms(600));
        assert!(!opening.is_waiting());
        opening.speech_started(now + ms(700)); // hello?
        assert_eq!(opening.poll_timeout(), Some(now + ms(6_700)), "our word had not sounded yet");
    }

    #[test]
    fn more_than_a_hello_has_the_floor_until_both_are_silent() {
        let (now, mut opening) = up(Direction::Inbound);
        opening.speech_started(now);
        opening.speech_ended(now + ms(2_000));
        assert!(opening.is_waiting());
        opening.speech_started(now + ms(2_300));
        opening.speech_ended(now + ms(4_000));
        assert!(!opening.handle_timeout(now + ms(5_199)));
        assert!(opening.handle_timeout(now + ms(5_200)));
    }

    #[test]
    fn a_radio_does_not_hold_the_greeting_back() {
        for direction in [Direction::Inbound, Direction::Outbound] {
            let (now, mut opening) = up(direction);
            opening.speech_started(now);
            opening.speech_started(now + ms(3_000));
            assert!(opening.handle_timeout(now + ms(6_000)));
        }
    }

    #[test]
    fn nothing_is_opened_before_the_leg_is_up_nor_waited_for_where_the_far_end_reads() {
        let now = origin();
        let mut opening = Opening::new(Direction::Outbound);
        opening.speech_started(now);
        opening.speech_ended(now);
        assert_eq!((opening.is_waiting(), opening.poll_timeout()), (false, None));
        opening.started(now, true);
        assert!(!opening.is_waiting());
    }
}
