//! What to do when the caller goes quiet: prompt, prompt again, end the call.
//!
//! Armed when our own speech has finished playing (not when it was sent); disarmed by caller speech. A reprompt re-arms it when it has been
//! heard, so that the waiting time is always silence in the caller's ear.

use std::time::{Duration, Instant};

/// Reprompts before the call ends, where `end_after_silence_seconds` is -1 (design.md section 12 item 5).
const REPROMPTS: u32 = 3;

/// What the ladder asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SilenceAction {
    /// The agent takes the turn; rungs count from 0 since the caller last spoke.
    Reprompt(u32),
    /// The caller is gone: say goodbye and end.
    GiveUp,
}

/// The silence ladder of one call.
#[derive(Debug, Clone)]
pub struct SilenceLadder {
    step: Duration,
    end_after: Option<Duration>,
    next: u32,
    armed_at: Option<Instant>,
    quiet_since: Option<Instant>,
}

impl SilenceLadder {
    /// `step` is the silence before each reprompt; `end_after` the silence since the caller last spoke (our own speech not
    /// subtracted) after which the call ends, `None` for after the third unanswered reprompt.
    pub fn new(step: Duration, end_after: Option<Duration>) -> Self {
        Self { step, end_after, next: 0, armed_at: None, quiet_since: None }
    }

    /// Our speech was heard to its end: the caller's silence begins.
    pub fn playback_ended(&mut self, now: Instant) {
        self.armed_at = Some(now);
        self.quiet_since.get_or_insert(now);
    }

    /// We are about to speak, or think: silence is ours.
    pub fn disarm(&mut self) {
        self.armed_at = None;
    }

    /// The caller spoke: start from the first rung next time.
    pub fn caller_spoke(&mut self) {
        self.armed_at = None;
        self.quiet_since = None;
        self.next = 0;
    }

    /// When to call [`Self::handle_timeout`]; `None` while disarmed.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let rung = self.armed_at? + self.step;
        Some(match (self.end_after, self.quiet_since) {
            (Some(limit), Some(since)) => rung.min((since + limit).max(self.armed_at?)),
            _ => rung,
        })
    }

    /// Early and stale ticks return `None`, so the caller may tick freely.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<SilenceAction> {
        if now < self.poll_timeout()? {
            return None;
        }
        self.armed_at = None; // the prompt's own playback re-arms us
        let out_of_time = match (self.end_after, self.quiet_since) {
            (Some(limit), Some(since)) => now >= since + limit,
            _ => self.next >= REPROMPTS,
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
        let (now, mut ladder) = (origin(), SilenceLadder::new(STEP, Some(Duration::from_secs(10))));
        ladder.playback_ended(now);
        assert_eq!(ladder.handle_timeout(now + STEP), Some(SilenceAction::Reprompt(0)));
        ladder.playback_ended(now + Duration::from_secs(8));
        assert_eq!(ladder.poll_timeout(), Some(now + Duration::from_secs(10)));
        assert_eq!(ladder.handle_timeout(now + Duration::from_secs(10)), Some(SilenceAction::GiveUp));
    }
}
