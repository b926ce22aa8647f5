//! How long a vendor takes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::dice::Dice;

/// The normal distribution's 95th percentile, in deviations.
const P95_DEVIATIONS: f64 = 1.644_853_626_951_472_2;
/// No draw is above this many times the 95th percentile: a tail, not a stall. Stalls are a fault's matter.
const TAIL: u32 = 4;

/// How long a vendor takes for one thing, over many requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Latency {
    /// Always as long.
    Fixed(#[serde(with = "crate::millis")] Duration),
    /// Log-normal, by the two figures that vendors publish; no draw is above four times `p95`.
    LogNormal {
        /// Median.
        #[serde(with = "crate::millis")]
        p50: Duration,
        /// 95th percentile; below the median it counts as the median.
        #[serde(with = "crate::millis")]
        p95: Duration,
    },
}

impl Latency {
    /// At once.
    pub const ZERO: Self = Self::Fixed(Duration::ZERO);

    /// A log-normal latency with this median and 95th percentile, in milliseconds.
    pub const fn percentiles_ms(p50: u64, p95: u64) -> Self {
        Self::LogNormal { p50: Duration::from_millis(p50), p95: Duration::from_millis(p95) }
    }

    /// The next draw, in whole microseconds.
    pub fn draw(self, dice: &mut Dice) -> Duration {
        match self {
            Self::Fixed(latency) => latency,
            Self::LogNormal { p50, .. } if p50.is_zero() => Duration::ZERO,
            Self::LogNormal { p50, p95 } => {
                let p95 = p95.max(p50);
                let sigma = libm::log(p95.as_secs_f64() / p50.as_secs_f64()) / P95_DEVIATIONS;
                let drawn = p50.as_secs_f64() * libm::exp(sigma * dice.normal());
                let bounded = drawn.min(p95.as_secs_f64() * f64::from(TAIL));
                Duration::from_micros((bounded * 1e6) as u64)
            }
        }
    }

    /// The draw of the `number`th request under this seed, whatever was asked before: calls that run side by side share no state.
    pub fn of_request(self, seed: u64, number: u64) -> Duration {
        self.draw(&mut Dice::numbered(seed, number))
    }
}

impl Default for Latency {
    fn default() -> Self {
        Self::ZERO
    }
}

impl From<Duration> for Latency {
    fn from(latency: Duration) -> Self {
        Self::Fixed(latency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_as_asked() {
        let (latency, mut dice) = (Latency::percentiles_ms(200, 600), Dice::new(1));
        let mut drawn: Vec<u128> = (0..20_000).map(|_| latency.draw(&mut dice).as_millis()).collect();
        drawn.sort_unstable();
        assert!((194..=206).contains(&drawn[10_000]), "median {}", drawn[10_000]);
        assert!((570..=630).contains(&drawn[19_000]), "p95 {}", drawn[19_000]);
        assert!(drawn[19_999] <= 2_400);
    }

    #[test]
    fn a_request_has_its_latency_whoever_asks_first() {
        let latency = Latency::percentiles_ms(100, 150);
        let forwards: Vec<Duration> = (0..50).map(|number| latency.of_request(7, number)).collect();
        let backwards: Vec<Duration> = (0..50).rev().map(|number| latency.of_request(7, number)).collect();
        assert!(forwards.iter().eq(backwards.iter().rev()));
        assert_ne!(forwards[0], forwards[1]);
        assert_ne!(forwards[0], latency.of_request(8, 0));
    }

    #[test]
    fn odd_figures_do_no_harm() {
        let mut dice = Dice::new(1);
        assert_eq!(Latency::percentiles_ms(0, 100).draw(&mut dice), Duration::ZERO);
        assert_eq!(Latency::percentiles_ms(100, 50).draw(&mut dice), Duration::from_millis(100));
        assert_eq!(Latency::from(Duration::from_secs(2)).draw(&mut dice), Duration::from_secs(2));
    }
}
