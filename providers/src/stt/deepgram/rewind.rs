//! The last seconds of a call's audio as bytes for the wire: what was not sent yet, and what a new connection has to hear again.

use std::collections::VecDeque;

use super::wire::Encoding;

/// Audio without a hole. Positions are samples of the call.
#[derive(Debug)]
pub(super) struct Rewind {
    encoding: Encoding,
    /// The most that is kept, in samples.
    capacity: u64,
    /// Position of the first sample in `bytes`.
    start: u64,
    bytes: VecDeque<u8>,
    /// Reused for every stretch of audio.
    encoded: Vec<u8>,
}

/// What became of a stretch of audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joined {
    /// It follows what is there; a short hole was filled with silence, and what was there already was left out.
    On,
    /// It is too far from what was there: that is forgotten.
    Afresh,
}

impl Rewind {
    pub(super) fn new(encoding: Encoding, capacity: u64) -> Self {
        Self { encoding, capacity, start: 0, bytes: VecDeque::new(), encoded: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Position of the oldest sample that is kept.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// Position after the newest sample.
    pub(super) fn end(&self) -> u64 {
        self.start + (self.bytes.len() / self.encoding.width()) as u64
    }

    /// Adds audio; beyond the capacity the oldest is forgotten.
    pub(super) fn push(&mut self, start: u64, samples: &[i16]) -> Joined {
        let end = self.end();
        let fresh = end == 0 || start > end + self.capacity;
        if fresh {
            self.bytes.clear();
            self.start = start;
        }
        self.encoded.clear();
        if !fresh && start > end {
            let hole = vec![0; (start - end) as usize];
            self.encoding.encode(&hole, &mut self.encoded);
        }
        let known = if fresh { 0 } else { end.saturating_sub(start) as usize };
        self.encoding.encode(samples.get(known..).unwrap_or_default(), &mut self.encoded);
        self.bytes.extend(&self.encoded);
        self.forget_before(self.end().saturating_sub(self.capacity));
        if fresh { Joined::Afresh } else { Joined::On }
    }

    /// The bytes of `from..to`, as far as they are kept.
    pub(super) fn bytes(&self, from: u64, to: u64) -> Vec<u8> {
        let at = |position: u64| {
            (position.saturating_sub(self.start) as usize * self.encoding.width()).min(self.bytes.len())
        };
        let (from, to) = (at(from), at(to));
        self.bytes.range(from..to.max(from)).copied().collect()
    }

    /// Audio before `position` is not needed any more.
    pub(super) fn forget_before(&mut self, position: u64) {
        let position = position.clamp(self.start, self.end());
        self.bytes.drain(..(position - self.start) as usize * self.encoding.width());
        self.start = position;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audio_joins_without_a_hole_and_without_a_repetition() {
        let mut rewind = Rewind::new(Encoding::Linear16, 100);
        assert_eq!(rewind.push(1_000, &[1, 2, 3]), Joined::Afresh);
        assert_eq!(rewind.push(1_002, &[3, 4]), Joined::On);
        assert_eq!(rewind.push(1_006, &[7]), Joined::On);
        let expected: Vec<u8> = [2_i16, 3, 4, 0, 0, 7].iter().flat_map(|sample| sample.to_le_bytes()).collect();
        assert_eq!(rewind.bytes(1_001, 1_007), expected);
        assert_eq!(rewind.push(900, &[9; 20]), Joined::On, "long known");
        assert_eq!((rewind.start(), rewind.end()), (1_000, 1_007));
        assert_eq!(rewind.push(5_000, &[1]), Joined::Afresh);
        assert_eq!((rewind.start(), rewind.end()), (5_000, 5_001));
    }

    #[test]
    fn the_oldest_goes_first() {
        let mut rewind = Rewind::new(Encoding::Mulaw, 400);
        for index in 0..10 {
            rewind.push(index * 160, &[0; 160]);
        }
        assert_eq!((rewind.start(), rewind.end()), (1_200, 1_600));
        rewind.forget_before(1_500);
        assert_eq!(rewind.bytes(0, 9_999).len(), 100);
        rewind.forget_before(9_999);
        assert_eq!((rewind.start(), rewind.end(), rewind.is_empty()), (1_600, 1_600, true));
    }
}
