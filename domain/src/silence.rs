//! What to do when the caller goes quiet: prompt, prompt again, end the call.
//!
//! ```text
//!        our speech was heard            7 s                 7 s                 7 s
//! Off ─────────────────────► Counting ───────► reprompt 0 ─ … ─► reprompt 2 ─ … ─► give up
//!  ▲                          │     ▲
//!  │   we think or speak      │     │ it was nobody's turn: counting goes on where it stood
//!  ├──────────────────────────┤     │
//!  │   the caller said so     ▼     │
//!  └───────────────────── Suspended ┘ ◄─ a sound of the caller's
//! ```
//!
//! Counted from the end of our own speech in the caller's ear (not from when it was sent), and anew from the end of each reprompt, so that the
//! waiting time is always silence. A sound only suspends: a dog that barks every five seconds holds no call open. A caller who asked for a
//! moment is given one ([`SilenceLadder::give_time`]).

use std::time::{Duration, Instant};

/// Reprompts before the call ends, where `end_after_silence_seconds` is -1 (design.md section 12 item 5).
const REPROMPTS: u32 = 3;
/// After a reprompt, a caller has at least this long to say something before the call ends.
const GRACE: Duration = Duration::from_secs(2);
/// After a sound that was nothing, words may follow: no rung for this long.
const AFTER_A_SOUND: Duration = Duration::from_secs(1);
/// Who asks for a moment is given so many rungs.
const RUNGS_OF_A_MOMENT: u32 = 3;
/// And no more than this, unless a single rung is longer.
const LONGEST_MOMENT: Duration = Duration::from_secs(60);

/// What the ladder asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SilenceAction {
    /// The agent takes the turn; rungs count from 0 since the caller last spoke.
    Reprompt(u32),
    /// The caller is gone: say goodbye and end.
    GiveUp,
}

/// Whose the silence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Ours: we speak, or think.
    Off,
    /// The caller's, since an instant; nothing is done before the other one.
    Counting { since: Instant, not_before: Instant },
    /// Nobody's: there is a sound, of which it is not known yet whether it is a turn.
    Suspended { since: Instant },
}

/// The silence ladder of one call.
#[derive(Debug, Clone)]
pub struct SilenceLadder {
    step: Duration,
    end_after: Option<Duration>,
    next: u32,
    state: State,
    /// The caller asked for a moment and has it.
    given: bool,
    quiet_since: Option<Instant>,
}

impl SilenceLadder {
    /// `step` is the silence before each reprompt; `end_after` the silence since the caller last spoke (our own speech not
    /// subtracted) after which the call ends, `None` for after the third unanswered reprompt.
    pub fn new(step: Duration, end_after: Option<Duration>) -> Self {
        Self { step, end_after, next: 0, state: State::Off, given: false, quiet_since: None }
    }

    /// Nobody speaks or thinks any more: our speech was heard to its end, or a sound was nobody's turn. Said twice, it changes nothing.
    pub fn playback_ended(&mut self, now: Instant) {
        self.state = match self.state {
            State::Off => State::Counting { since: now, not_before: now },
            State::Suspended { since } => State::Counting { since, not_before: now + AFTER_A_SOUND },
            counting @ State::Counting { .. } => counting,
        };
        self.quiet_since.get_or_insert(now);
    }

    /// Nobody of us speaks or thinks any more, but there is a sound of which it is not known yet whether it is a turn: if it is none, what it
    /// leaves is counted from now, and not from when that was found out.
    pub fn playback_ended_under_a_sound(&mut self, now: Instant) {
        if self.state == State::Off {
            self.state = State::Suspended { since: now };
        }
        self.quiet_since.get_or_insert(now);
    }

    /// We are about to speak, or think: silence is ours.
    pub fn disarm(&mut self) {
        self.state = State::Off;
    }

    /// The caller makes a sound.
    pub fn sound_began(&mut self) {
        if let State::Counting { since, .. } = self.state {
            self.state = State::Suspended { since };
        }
    }

    /// The caller said something: start from the first rung next time.
    pub fn caller_spoke(&mut self) {
        (self.state, self.quiet_since, self.next, self.given) = (State::Off, None, 0, false);
    }

    /// The caller asked for a moment: the next rung is three steps away, at most a minute, and the call does not end before it.
    pub fn give_time(&mut self) {
        self.given = true;
    }

    /// The moment that a caller is given.
    fn moment(&self) -> Duration {
        (self.step * RUNGS_OF_A_MOMENT).min(LONGEST_MOMENT).max(self.step)
    }

    /// When the call ends, where a silence is set for that.
    fn end(&self, since: Instant) -> Option<Instant> {
        let limit = self.quiet_since? + self.end_after?;
        // A reprompt that nobody could answer yet is no silence of the caller's.
        Some(if self.next > 0 { limit.max(since + GRACE) } else { limit })
    }

    /// When to call [`Self::handle_timeout`]; `None` while disarmed.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let State::Counting { since, not_before } = self.state else { return None };
        let due = match self.end(since) {
            _ if self.given => since + self.moment(),
            Some(end) => (since + self.step).min(end),
            None => since + self.step,
        };
        Some(due.max(not_before))
    }

    /// Early and stale ticks return `None`, so the caller may tick freely.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<SilenceAction> {
        let State::Counting { since, .. } = self.state else { return None };
        if now < self.poll_timeout()? {
            return None;
        }
        self.state = State::Off; // the prompt's own playback counts again
        let out_of_time = match self.end(since) {
            _ if std::mem::take(&mut self.given) => {
                self.quiet_since = Some(now); // the moment was ours to give: it is no silence of the caller's
                false
            }
            Some(end) => now >= end,
            None => self.end_after.is_none() && self.next >= REPROMPTS,
        };
        if out_of_time {
            return Some(SilenceAction::GiveUp);
        }
        let rung = self.next;
        self.next += 1;
        Some(SilenceAction::Reprompt(rung))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_secs(7);

    #[allow(clippy::disallowed_methods)] // a made-up clock needs an origin
    fn origin() -> Instant {
        Instant::now()
    }

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn three_reprompts_and_then_the_end() {
        let (mut now, mut ladder) = (origin(), SilenceLadder::new(STEP, None));
        assert_eq!(ladder.poll_timeout(), None);
        for rung in 0..3 {
            ladder.playback_ended(now);
            assert_eq!(ladder.handle_timeout(now + STEP - Duration::from_millis(1)), None);
            now += STEP;
            assert_eq!(ladder.handle_timeout(now), Some(SilenceAction::Reprompt(rung)));
            assert_eq!(ladder.handle_timeout(now), None, "a rung fires once");
        }
        ladder.playback_ended(now);
        assert_eq!(ladder.handle_timeout(now + STEP), Some(SilenceAction::GiveUp));
    }

    #[test]
    fn speech_starts_the_ladder_anew() {
        let (now, mut ladder) = (origin(), SilenceLadder::new(STEP, None));
        ladder.playback_ended(now);
        assert_eq!(ladder.handle_timeout(now + STEP), Some(SilenceAction::Reprompt(0)));
        ladder.caller_spoke();
        ladder.playback_ended(now + STEP * 2);
        assert_eq!(ladder.handle_timeout(now + STEP * 3), Some(SilenceAction::Reprompt(0)));
    }

    #[test]
    fn a_limit_ends_the_call_between_rungs() {
        let (now, mut ladder) = (origin(), SilenceLadder::new(STEP, Some(secs(10))));
        ladder.playback_ended(now);
        assert_eq!(ladder.handle_timeout(now + STEP), Some(SilenceAction::Reprompt(0)));
        ladder.playback_ended(now + secs(8));
        assert_eq!(ladder.poll_timeout(), Some(now + secs(10)));
        assert_eq!(ladder.handle_timeout(now + secs(10)), Some(SilenceAction::GiveUp));
    }

    #[test]
    fn a_limit_shorter_than_a_rung_ends_the_call_without_a_reprompt_and_a_long_one_has_as_many_as_fit() {
        let (now, mut ladder) = (origin(), SilenceLadder::new(STEP, Some(secs(5))));
        ladder.playback_ended(now);
        assert_eq!(ladder.handle_timeout(now + secs(5)), Some(SilenceAction::GiveUp));

        let (mut now, mut ladder) = (origin(), SilenceLadder::new(STEP, Some(secs(40))));
        let mut actions = Vec::new();
        while !actions.contains(&SilenceAction::GiveUp) {
            ladder.playback_ended(now);
            now = ladder.poll_timeout().expect("it counts");
            actions.extend(ladder.handle_timeout(now));
        }
        assert_eq!(actions.len(), 6, "at 7, 14, 21, 28 and 35 s, and the end at 40: {actions:?}");
    }

    #[test]
    fn a_reprompt_that_ends_at_the_limit_can_still_be_answered() {
        let (now, mut ladder) = (origin(), SilenceLadder::new(STEP, Some(secs(8))));
        ladder.playback_ended(now);
        assert_eq!(ladder.handle_timeout(now + STEP), Some(SilenceAction::Reprompt(0)));
        ladder.playback_ended(now + secs(10));
        assert_eq!(ladder.poll_timeout(), Some(now + secs(12)));
    }

    #[test]
    fn a_sound_that_was_nothing_holds_no_rung_back_for_long() {
        let (now, mut ladder) = (origin(), SilenceLadder::new(STEP, None));
        ladder.playback_ended(now);
        for bark in 1..=6 {
            ladder.sound_began();
            assert_eq!(ladder.poll_timeout(), None, "not into a sound");
            ladder.playback_ended(now + secs(bark));
        }
        assert_eq!(ladder.poll_timeout(), Some(now + STEP));
        ladder.sound_began();
        ladder.playback_ended(now + secs(9));
        assert_eq!(ladder.poll_timeout(), Some(now + secs(10)), "words may follow");
        ladder.playback_ended(now + secs(9) + Duration::from_millis(500));
        assert_eq!(ladder.poll_timeout(), Some(now + secs(10)), "said twice");
    }

    #[test]
    fn a_sound_under_our_own_voice_counts_nothing() {
        let mut ladder = SilenceLadder::new(STEP, None);
        ladder.sound_began();
        assert_eq!(ladder.poll_timeout(), None);
        let now = origin();
        ladder.playback_ended(now);
        assert_eq!(ladder.poll_timeout(), Some(now + STEP));
    }

    #[test]
    fn a_sound_that_outlasts_our_voice_and_was_nothing_delays_no_rung() {
        let (now, mut ladder) = (origin(), SilenceLadder::new(STEP, None));
        ladder.sound_began();
        ladder.playback_ended_under_a_sound(now);
        assert_eq!(ladder.poll_timeout(), None, "not into a sound");
        ladder.playback_ended(now + secs(3)); // the recogniser took three seconds to say that there was no word
        assert_eq!(ladder.poll_timeout(), Some(now + STEP));
        ladder.playback_ended_under_a_sound(now + secs(4));
        assert_eq!(ladder.poll_timeout(), Some(now + STEP), "it counts already");
        ladder.caller_spoke();
        ladder.playback_ended(now + secs(9));
        assert_eq!(ladder.poll_timeout(), Some(now + secs(16)), "words are no silence");
    }

    #[test]
    fn who_asks_for_a_moment_has_one_and_is_then_asked() {
        for limit in [None, Some(secs(10))] {
            let (now, mut ladder) = (origin(), SilenceLadder::new(STEP, limit));
            ladder.give_time();
            ladder.playback_ended(now);
            ladder.sound_began(); // papers
            ladder.playback_ended(now + secs(3));
            assert_eq!(ladder.poll_timeout(), Some(now + secs(21)));
            assert_eq!(ladder.handle_timeout(now + secs(21)), Some(SilenceAction::Reprompt(0)));
            ladder.playback_ended(now + secs(22));
            assert_eq!(ladder.handle_timeout(now + secs(29)), Some(SilenceAction::Reprompt(1)), "once: {limit:?}");
        }
    }

    #[test]
    fn a_moment_is_bounded() {
        let moment = |step| SilenceLadder::new(secs(step), None).moment();
        assert_eq!([1, 7, 30, 600].map(moment), [secs(3), secs(21), secs(60), secs(600)]);
    }
}
