//! How loud a frame is: root mean square in dBFS, and peak.
//!
//! Place: read by the energy voice detector, meters, and the tests that listen to both sides of a
//! call. Not a psychoacoustic measure: no weighting, no gating (ITU-R BS.1770 is not meant here).
//!
//! 0 dBFS is a square wave of full scale; a sine of full scale therefore reads -3.01.

/// The reading of digital silence. One lonely bit in a 20 ms frame already reads -112, so the floor
/// lies under everything that 16 bits can say.
pub const SILENCE_DBFS: f32 = -120.0;

/// Magnitude of full scale in units of one 16-bit step.
const FULL_SCALE: f64 = 32_768.0;

/// The loudness of a stretch of samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Root mean square, [`SILENCE_DBFS`] to 0.
    pub rms_dbfs: f32,
    /// Greatest magnitude, 0 to 32768.
    pub peak: u16,
}

impl Level {
    /// What an empty or all-zero frame reads.
    pub const SILENCE: Self = Self { rms_dbfs: SILENCE_DBFS, peak: 0 };

    /// Measures `samples`, of any count and rate.
    pub fn of(samples: &[i16]) -> Self {
        // Whole numbers: exact for any length, and the compiler may reorder the sum into lanes,
        // which it may not with floats.
        let sum_of_squares: u64 = samples.iter().map(|&s| u64::from(i32::from(s).pow(2) as u32)).sum();
        if sum_of_squares == 0 {
            return Self::SILENCE;
        }
        let mean_square = sum_of_squares as f64 / samples.len() as f64;
        Self { rms_dbfs: power_to_dbfs(mean_square), peak: samples.iter().map(|s| s.unsigned_abs()).max().unwrap_or(0) }
    }

    /// The peak in dBFS, [`SILENCE_DBFS`] to 0.
    pub fn peak_dbfs(&self) -> f32 {
        power_to_dbfs(f64::from(self.peak).powi(2))
    }
}

/// Mean square, in steps squared, to dBFS; never under [`SILENCE_DBFS`].
pub(crate) fn power_to_dbfs(mean_square: f64) -> f32 {
    let dbfs = 10.0 * (mean_square / (FULL_SCALE * FULL_SCALE)).log10();
    (dbfs as f32).max(SILENCE_DBFS)
}

/// dBFS to a root mean square in 16-bit steps.
pub(crate) fn dbfs_to_rms(dbfs: f32) -> f64 {
    FULL_SCALE * 10f64.powf(f64::from(dbfs) / 20.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_scale_square_is_zero() {
        let square: Vec<i16> = [i16::MIN; 160].to_vec();
        assert_eq!(Level::of(&square), Level { rms_dbfs: 0.0, peak: 32_768 });
    }

    #[test]
    fn half_the_amplitude_is_six_db_less() {
        let level = Level::of(&[16_384, -16_384, 16_384, -16_384]);
        assert!((level.rms_dbfs + 6.02).abs() < 0.01);
        assert!((level.peak_dbfs() + 6.02).abs() < 0.01);
    }

    #[test]
    fn silence_and_nothing_read_the_floor() {
        assert_eq!(Level::of(&[]), Level::SILENCE);
        assert_eq!(Level::of(&[0; 160]), Level::SILENCE);
        assert_eq!(Level::SILENCE.peak_dbfs(), SILENCE_DBFS);
    }

    #[test]
    fn one_bit_reads_above_the_floor() {
        let mut frame = [0; 160];
        frame[3] = 1;
        let level = Level::of(&frame);
        assert!(level.rms_dbfs > SILENCE_DBFS && level.rms_dbfs < -110.0);
    }

    #[test]
    fn decibels_and_amplitude_are_inverse() {
        for dbfs in [-60.0f32, -20.0, -3.0] {
            assert!((power_to_dbfs(dbfs_to_rms(dbfs).powi(2)) - dbfs).abs() < 1e-3);
        }
    }
}
