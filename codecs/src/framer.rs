//! Cuts a stream that arrives in any sizes into frames of exactly one size.
//!
//! Place: wherever a producer's chunks meet a consumer's frames: synthesis to 20 ms packets, a
//! carrier's 100 ms messages to the voice detector. Knows nothing of time and never pads on its own.

/// Collects items and hands out frames of `frame_len` of them.
///
/// ```
/// use tandem_codecs::Framer;
///
/// let mut framer = Framer::new(160);
/// framer.push(&[0i16; 400]);
/// let mut frames = 0;
/// while let Some(frame) = framer.next_frame() {
///     assert_eq!(frame.len(), 160);
///     frames += 1;
/// }
/// assert_eq!((frames, framer.remainder().len()), (2, 80));
/// ```
#[derive(Clone, Debug)]
pub struct Framer<T = i16> {
    frame_len: usize,
    buffer: Vec<T>,
    /// Items at the front of `buffer` that were handed out already.
    taken: usize,
}

impl<T: Copy + Default> Framer<T> {
    /// Frames of `frame_len` items; a length of zero is read as one.
    pub fn new(frame_len: usize) -> Self {
        Self { frame_len: frame_len.max(1), buffer: Vec::new(), taken: 0 }
    }

    /// Items in a frame.
    pub fn frame_len(&self) -> usize {
        self.frame_len
    }

    /// Adds items at the end of the stream.
    pub fn push(&mut self, items: &[T]) {
        // Done here and not in `next_frame`, which lends out of the buffer.
        self.buffer.drain(..self.taken);
        self.taken = 0;
        self.buffer.extend_from_slice(items);
    }

    /// The oldest complete frame, or `None` until more is pushed.
    pub fn next_frame(&mut self) -> Option<&[T]> {
        let frame = self.buffer.get(self.taken..)?.get(..self.frame_len)?;
        self.taken += self.frame_len;
        Some(frame)
    }

    /// What was pushed and not handed out; shorter than a frame once `next_frame` said `None`.
    pub fn remainder(&self) -> &[T] {
        &self.buffer[self.taken..]
    }

    /// Ends the stream: the remainder filled up to one frame with `T::default()`, which for PCM is
    /// silence, or `None` if nothing is left. Complete frames that were not fetched come first.
    pub fn finish(&mut self) -> Option<Vec<T>> {
        if let Some(frame) = self.next_frame() {
            return Some(frame.to_vec());
        }
        let mut last = self.remainder().to_vec();
        self.clear();
        if last.is_empty() {
            return None;
        }
        last.resize(self.frame_len, T::default());
        Some(last)
    }

    /// Forgets everything not handed out.
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.taken = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_short_push_waits_for_the_rest() {
        let mut framer = Framer::new(4);
        framer.push(&[1i16, 2, 3]);
        assert_eq!(framer.next_frame(), None);
        framer.push(&[4, 5]);
        assert_eq!(framer.next_frame(), Some(&[1, 2, 3, 4][..]));
        assert_eq!(framer.next_frame(), None);
        assert_eq!(framer.remainder(), [5]);
    }

    #[test]
    fn finishing_pads_once_and_then_is_empty() {
        let mut framer = Framer::new(4);
        framer.push(&[1i16, 2, 3, 4, 5]);
        assert_eq!(framer.finish(), Some(vec![1, 2, 3, 4]));
        assert_eq!(framer.finish(), Some(vec![5, 0, 0, 0]));
        assert_eq!(framer.finish(), None);
    }

    #[test]
    fn bytes_are_framed_like_samples() {
        let mut framer = Framer::<u8>::new(320);
        framer.push(&[0xff; 700]);
        assert!(framer.next_frame().is_some());
        framer.clear();
        assert_eq!(framer.next_frame(), None);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_moved_whatever_the_chunks(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<i16>(), 0..50), 0..20),
            frame_len in 1usize..40,
        ) {
            let mut framer = Framer::new(frame_len);
            let mut seen = Vec::new();
            for chunk in &chunks {
                framer.push(chunk);
                while let Some(frame) = framer.next_frame() {
                    prop_assert_eq!(frame.len(), frame_len);
                    seen.extend_from_slice(frame);
                }
            }
            seen.extend_from_slice(framer.remainder());
            prop_assert_eq!(seen, chunks.concat());
        }
    }
}
