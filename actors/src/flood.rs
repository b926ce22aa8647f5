//! How many messages a far end may send: a token bucket per socket (promises.md W2: 200 a second, bursts of 400).

use std::time::Instant;

/// The budget of one socket.
#[derive(Debug, Clone)]
pub struct MessageBudget {
    per_second: f64,
    burst: f64,
    left: f64,
    filled_at: Instant,
}

impl MessageBudget {
    /// A full bucket. Carriers send 50 messages a second.
    pub fn new(now: Instant, per_second: u32) -> Self {
        let burst = f64::from(per_second) * 2.0;
        Self { per_second: f64::from(per_second), burst, left: burst, filled_at: now }
    }

    /// Takes one message; `false` when the budget is spent.
    pub fn spend(&mut self, now: Instant) -> bool {
        let filled = now.saturating_duration_since(self.filled_at).as_secs_f64() * self.per_second;
        self.left = (self.left + filled).min(self.burst) - 1.0;
        self.filled_at = now;
        self.left >= 0.0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
}
