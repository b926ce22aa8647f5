//! How long this caller pauses inside a turn, from the pauses after which they went on.
//!
//! Bounded: the newest pauses count, and none counts for more than [`LONGEST`]. What is told of a pause is only that speech went on after it.

use std::collections::VecDeque;
use std::time::Duration;

/// Pauses that are remembered.
const MOST: usize = 16;
/// So many make a habit.
const LEAST: usize = 3;
/// A longer pause was a hesitation over something, no habit.
const LONGEST: Duration = Duration::from_secs(2);
/// The habit is the pause that so many, in percent, do not exceed.
const QUANTILE: usize = 90;

/// Pauses of one caller, of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Pauses(VecDeque<Duration>);

impl Pauses {
    /// The caller went on after a pause.
    pub(super) fn add(&mut self, pause: Duration) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(pause.min(LONGEST));
    }

    /// The pause that this caller seldom exceeds; `None` until there is a habit.
    pub(super) fn usual(&self) -> Option<Duration> {
        let mut sorted: Vec<Duration> = self.0.iter().copied().collect();
        sorted.sort_unstable();
        (sorted.len() >= LEAST).then(|| sorted[(sorted.len() * QUANTILE).div_ceil(100) - 1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_habit_is_of_the_newest_pauses_and_bounded() {
        let mut pauses = Pauses::default();
        pauses.add(Duration::from_secs(60));
        pauses.add(Duration::from_millis(200));
        assert_eq!(pauses.usual(), None, "two are no habit");
        pauses.add(Duration::from_millis(300));
        assert_eq!(pauses.usual(), Some(LONGEST));
        for _ in 0..MOST {
            pauses.add(Duration::from_millis(400));
        }
        assert_eq!((pauses.0.len(), pauses.usual()), (MOST, Some(Duration::from_millis(400))));
    }
}
