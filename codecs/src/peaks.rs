//! The outline of a recording: for each of so many stretches, its lowest and highest sample a channel. A page draws it and decodes no audio.

/// Lowest and highest sample of one stretch.
pub type Peak = [i16; 2];

/// The outline of a stereo stream of known length.
#[derive(Debug)]
pub struct Peaks {
    frames: u64,
    points: u64,
    /// Position of the next frame.
    position: u64,
    left: Vec<Peak>,
    right: Vec<Peak>,
}

impl Peaks {
    /// Of `frames` pairs in `points` stretches, which are as equal as whole samples allow. Never more stretches than pairs.
    pub fn new(frames: u64, points: u32) -> Self {
        let points = u64::from(points).min(frames);
        let none = vec![[0; 2]; points as usize];
        Self { frames, points, position: 0, left: none.clone(), right: none }
    }

    /// The next pairs, interleaved. What lies beyond the stated length is ignored.
    pub fn push(&mut self, interleaved: &[i16]) {
        for pair in interleaved.chunks_exact(2) {
            if self.position >= self.frames {
                return;
            }
            let stretch = (u128::from(self.position) * u128::from(self.points) / u128::from(self.frames)) as usize;
            for (peaks, sample) in [(&mut self.left, pair[0]), (&mut self.right, pair[1])] {
                let [low, high] = &mut peaks[stretch];
                (*low, *high) = ((*low).min(sample), (*high).max(sample));
            }
            self.position += 1;
        }
    }

    /// Left and right. Every stretch holds the zero line, as drawn outlines do.
    pub fn finish(self) -> [Vec<Peak>; 2] {
        [self.left, self.right]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stretch_has_its_own_extremes() {
        let mut peaks = Peaks::new(4, 2);
        peaks.push(&[1, -1, 5, -5]);
        peaks.push(&[-7, 0, 2, 3, 99, 99]);
        assert_eq!(peaks.finish(), [vec![[0, 5], [-7, 2]], vec![[-5, 0], [0, 3]]]);
    }

    #[test]
    fn a_short_recording_has_no_more_points_than_samples() {
        let mut peaks = Peaks::new(3, 1_000);
        peaks.push(&[1, 1, 2, 2, 3, 3]);
        assert_eq!(peaks.finish()[0], [[0, 1], [0, 2], [0, 3]]);
        assert!(Peaks::new(0, 10).finish().iter().all(Vec::is_empty));
    }
}
