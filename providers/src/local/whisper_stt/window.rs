//! The last half minute of one direction of a call, addressed by sample position. Pure.

use std::collections::VecDeque;

/// Keeps the newest samples of a stream. Positions are the caller's: samples since the call began.
#[derive(Debug)]
pub(super) struct Window {
    samples: VecDeque<i16>,
    /// Position of the sample after the newest.
    end: u64,
    capacity: usize,
}

impl Window {
    /// Remembers the newest `capacity` samples.
    pub(super) fn new(capacity: usize) -> Self {
        Self { samples: VecDeque::new(), end: 0, capacity }
    }

    /// Position of the oldest sample that is still here.
    fn start(&self) -> u64 {
        self.end - self.samples.len() as u64
    }

    /// Takes a stretch that begins at position `at`. A gap becomes silence, so that positions keep their meaning; what is here already,
    /// because a restarted stream is fed again, is skipped.
    pub(super) fn push(&mut self, at: u64, samples: &[i16]) {
        if self.samples.is_empty() || at < self.start() {
            self.samples.clear();
            self.end = at;
        }
        let gap = at.saturating_sub(self.end);
        if gap >= self.capacity as u64 {
            self.samples.clear();
        } else {
            self.samples.extend(std::iter::repeat_n(0, gap as usize));
        }
        self.end += gap;
        let known = usize::try_from(self.end - at).unwrap_or(usize::MAX).min(samples.len());
        self.samples.extend(&samples[known..]);
        self.end += (samples.len() - known) as u64;
        let surplus = self.samples.len().saturating_sub(self.capacity);
        self.samples.drain(..surplus);
    }

    /// What is here of `from..to`.
    pub(super) fn range(&self, from: u64, to: u64) -> Vec<i16> {
        let index = |at: u64| (at.clamp(self.start(), self.end) - self.start()) as usize;
        self.samples.range(index(from)..index(to).max(index(from))).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_gap_is_silence_and_a_repeat_is_skipped() {
        let mut window = Window::new(10);
        window.push(100, &[1, 2, 3]);
        window.push(105, &[6]);
        window.push(104, &[9, 9, 7]);
        assert_eq!(window.range(0, 1_000), [1, 2, 3, 0, 0, 6, 7]);
        assert_eq!(window.range(102, 104), [3, 0]);
        assert!(window.range(104, 102).is_empty());
    }

    #[test]
    fn the_oldest_go_first_and_a_long_gap_clears() {
        let mut window = Window::new(3);
        window.push(0, &[1, 2, 3, 4, 5]);
        assert_eq!(window.range(0, 9), [3, 4, 5]);
        window.push(1_000_000_000_000, &[8]);
        assert_eq!(window.range(0, u64::MAX), [8]);
    }

    #[test]
    fn a_stream_that_starts_again_from_before_replaces_what_is_here() {
        let mut window = Window::new(10);
        window.push(50, &[5, 6]);
        window.push(40, &[4]);
        assert_eq!(window.range(0, 100), [4]);
    }

    proptest! {
        #[test]
        fn never_more_than_the_capacity(pushes in prop::collection::vec((0u64..200, 0usize..60), 0..40)) {
            let mut window = Window::new(64);
            for (at, count) in pushes {
                window.push(at, &vec![1; count]);
                prop_assert!(window.range(0, u64::MAX).len() <= 64);
            }
        }
    }
}
