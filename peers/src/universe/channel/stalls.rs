//! Stretches in which nothing comes through, and then everything at once.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::dice::Dice;

/// How often the line stands still, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stalls {
    /// Mean time from the end of one stall to the next, drawn exponentially.
    #[serde(with = "crate::millis")]
    pub every: Duration,
    /// Shortest stall.
    #[serde(with = "crate::millis")]
    pub least: Duration,
    /// Longest stall.
    #[serde(with = "crate::millis")]
    pub most: Duration,
}

/// A row of stalls, drawn as time goes on.
#[derive(Debug)]
pub(super) struct Stalling {
    stalls: Option<Stalls>,
    dice: Dice,
    /// Stalls that something under way may still run into, oldest first; the last lies beyond everything asked so far.
    windows: VecDeque<(Instant, Instant)>,
}

impl Stalling {
    pub(super) fn new(stalls: Option<Stalls>, dice: Dice) -> Self {
        Self { stalls, dice, windows: VecDeque::new() }
    }

    /// When something that was sent at `now` and would arrive at `arrival` does.
    pub(super) fn pass(&mut self, now: Instant, arrival: Instant) -> Instant {
        let Some(stalls) = self.stalls else { return arrival };
        while self.windows.back().is_none_or(|(_, end)| *end <= arrival) {
            let from = self.windows.back().map_or(now, |(_, end)| *end);
            // a stall right behind another would be one long stall
            let start = from + self.dice.exponential(stalls.every).max(Duration::from_millis(1));
            let (least, most) = (stalls.least.as_millis() as u64, stalls.most.as_millis() as u64);
            self.windows.push_back((start, start + self.dice.millis(least..most.max(least) + 1)));
        }
        while self.windows.len() > 1 && self.windows.front().is_some_and(|(_, end)| *end < now) {
            self.windows.pop_front();
        }
        self.windows.iter().find(|(start, end)| (*start..*end).contains(&arrival)).map_or(arrival, |(_, end)| *end)
    }
}
