//! How much a far end may send: messages (promises.md W2: 200 a second, bursts of 400) and audio, by a token bucket each.

use std::time::{Duration, Instant};

/// Audio that may come at once: longer than any stall of a connection that still counts as alive.
const AUDIO_BURST: Duration = Duration::from_secs(30);
/// Audio comes in real time; a little more, so that a far end whose clock is fast is not mistaken for a flood.
const AUDIO_PER_SECOND: f64 = 1.1;

/// A bucket of tokens that fills with time.
#[derive(Debug, Clone)]
struct Bucket {
    per_second: f64,
    burst: f64,
    left: f64,
    filled_at: Instant,
}

impl Bucket {
    fn full(now: Instant, per_second: f64, burst: f64) -> Self {
        Self { per_second, burst, left: burst, filled_at: now }
    }

    /// Takes `amount`; `false` when there is not so much.
    fn spend(&mut self, now: Instant, amount: f64) -> bool {
        let filled = now.saturating_duration_since(self.filled_at).as_secs_f64() * self.per_second;
        self.left = (self.left + filled).min(self.burst) - amount;
        self.filled_at = now;
        self.left >= 0.0
    }
}

/// The messages of one socket.
#[derive(Debug, Clone)]
pub struct MessageBudget(Bucket);

impl MessageBudget {
    /// A full bucket. Carriers send 50 messages a second.
    pub fn new(now: Instant, per_second: u32) -> Self {
        Self(Bucket::full(now, f64::from(per_second), f64::from(per_second) * 2.0))
    }

    /// Takes one message; `false` when the budget is spent.
    pub fn spend(&mut self, now: Instant) -> bool {
        self.0.spend(now, 1.0)
    }
}

/// The audio of one socket. A carrier's messages may be long: those that a budget of messages lets pass would hold twenty minutes of
/// audio a second, and each frame of it is looked at for speech.
#[derive(Debug, Clone)]
pub struct AudioBudget(Bucket);

impl AudioBudget {
    /// A full bucket.
    pub fn new(now: Instant) -> Self {
        Self(Bucket::full(now, AUDIO_PER_SECOND, AUDIO_BURST.as_secs_f64()))
    }

    /// Takes so much audio; `false` when more came than time has passed.
    pub fn spend(&mut self, now: Instant, audio: Duration) -> bool {
        self.0.spend(now, audio.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods)] // a made-up clock needs an origin
    fn bursts_pass_and_floods_do_not() {
        let t0 = Instant::now();
        let mut budget = MessageBudget::new(t0, 200);
        assert!((0..400).all(|_| budget.spend(t0)));
        assert!(!budget.spend(t0));
        let mut steady = MessageBudget::new(t0, 200);
        assert!((0..100_000).all(|n| steady.spend(t0 + Duration::from_millis(n * 5))));
    }

    #[test]
    #[allow(clippy::disallowed_methods)] // a made-up clock needs an origin
    fn audio_in_real_time_and_after_a_stall_passes_and_faster_does_not() {
        let (t0, second) = (Instant::now(), Duration::from_secs(1));
        let mut budget = AudioBudget::new(t0);
        assert!((0..600).all(|n| budget.spend(t0 + second * n, second)), "ten minutes");
        assert!((0..20).all(|_| budget.spend(t0 + second * 620, second)), "what a stall of 20 s held back");
        let mut fast = AudioBudget::new(t0);
        let passed = (0..1_000).take_while(|n| fast.spend(t0 + Duration::from_millis(5) * *n, second)).count();
        assert_eq!(passed, 30, "200 messages a second of a second each");
    }
}
