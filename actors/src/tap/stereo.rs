//! Two lanes of blocks into one stream of stereo samples: left the caller, right the agent.
//!
//! Pure. What lies less than a hold behind the newest sample is kept back, because a `clear` may still take it away and the two sides do not
//! come at the same moment.

use std::collections::VecDeque;

use super::Block;

/// Longest silence that is made up at once: no live call is silent on both sides for longer. A position beyond is no position.
const MAX_GAP_SAMPLES: u64 = 60 * 8_000;

/// Room that is kept for the next stretch, in pairs: half a second at 8 kHz.
const MAX_IDLE_PAIRS: usize = 4_096;

/// Where a block belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Left.
    Caller,
    /// Right.
    Agent,
}

/// The stream of one call.
#[derive(Debug, Default)]
pub struct Stereo {
    /// Position of the first pair that is kept.
    base: u64,
    pairs: VecDeque<[i16; 2]>,
}

impl Stereo {
    /// Lays a block into its place. What was taken out before it stays as it was: later than the hold is too late.
    pub fn lay(&mut self, side: Side, block: &Block) {
        let channel = match side {
            Side::Caller => 0,
            Side::Agent => 1,
        };
        let samples = block.samples();
        let from = block.at.saturating_sub(self.base);
        if from > MAX_GAP_SAMPLES {
            return;
        }
        let from = from as usize;
        if samples.is_empty() {
            for pair in self.pairs.iter_mut().skip(from) {
                pair[channel] = 0;
            }
            return;
        }
        let late = self.base.saturating_sub(block.at) as usize;
        let samples = samples.get(late..).unwrap_or_default();
        if self.pairs.len() < from + samples.len() {
            self.pairs.resize(from + samples.len(), [0; 2]);
        }
        for (pair, sample) in self.pairs.range_mut(from..).zip(samples) {
            pair[channel] = *sample;
        }
    }

    /// Takes all but the newest `hold` samples, interleaved, and appends them to `out`.
    pub fn take(&mut self, hold: usize, out: &mut Vec<i16>) {
        let ready = self.pairs.len().saturating_sub(hold);
        self.base += ready as u64;
        out.extend(self.pairs.drain(..ready).flatten());
        if self.pairs.capacity() > MAX_IDLE_PAIRS {
            self.pairs.shrink_to_fit(); // a reader that was late once shall not keep the room for ever
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(stereo: &mut Stereo, hold: usize) -> Vec<i16> {
        let mut out = Vec::new();
        stereo.take(hold, &mut out);
        out
    }

    #[test]
    fn the_sides_stand_beside_each_other_and_gaps_are_silent() {
        let mut stereo = Stereo::default();
        stereo.lay(Side::Caller, &Block::new(0, &[1, 2, 3]));
        stereo.lay(Side::Agent, &Block::new(2, &[7, 8]));
        stereo.lay(Side::Caller, &Block::new(5, &[4]));
        assert_eq!(take(&mut stereo, 0), [1, 0, 2, 0, 3, 7, 0, 8, 0, 0, 4, 0]);
    }

    #[test]
    fn what_is_held_may_be_taken_back() {
        let mut stereo = Stereo::default();
        stereo.lay(Side::Agent, &Block::new(0, &[1, 2, 3, 4]));
        assert_eq!(take(&mut stereo, 3), [0, 1]);
        stereo.lay(Side::Agent, &Block::new(2, &[]));
        assert_eq!(take(&mut stereo, 0), [0, 2, 0, 0, 0, 0]);
    }

    #[test]
    fn what_comes_too_late_is_dropped_and_the_rest_keeps_its_place() {
        let mut stereo = Stereo::default();
        stereo.lay(Side::Caller, &Block::new(0, &[1; 4]));
        assert_eq!(take(&mut stereo, 0).len(), 8);
        stereo.lay(Side::Agent, &Block::new(2, &[5, 6, 7]));
        assert_eq!(take(&mut stereo, 0), [0, 7]);
        stereo.lay(Side::Agent, &Block::new(0, &[9]));
        stereo.lay(Side::Agent, &Block::new(u64::MAX, &[9]));
        assert!(take(&mut stereo, 0).is_empty());
    }
}
