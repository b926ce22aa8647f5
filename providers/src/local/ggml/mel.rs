//! The mel filter bank that Whisper was trained with, computed instead of shipped.
//!
//! 80 triangles on Slaney's mel scale over 0 to 8 kHz, each scaled to the same area, for the 201 bins of a 400-point transform at 16 kHz.
//! Source: M. Slaney, Auditory Toolbox (1998): linear up to 1 kHz at 200/3 Hz a mel, then 27 mels for each factor of 6.4.

/// Filters.
pub(in crate::local) const MELS: usize = 80;
/// Bins of the transform: half of 400 points, and the one in the middle.
pub(in crate::local) const BINS: usize = 201;

const RATE_HZ: f64 = 16_000.0;
const HZ_PER_MEL: f64 = 200.0 / 3.0;
const KNEE_HZ: f64 = 1_000.0;
const KNEE_MEL: f64 = KNEE_HZ / HZ_PER_MEL;

/// Weights, filter by filter: `MELS × BINS`.
pub(in crate::local) fn filters() -> Vec<f32> {
    let top = hz_to_mel(RATE_HZ / 2.0);
    let edge = |i: usize| mel_to_hz(top * i as f64 / (MELS + 1) as f64);
    let mut weights = Vec::with_capacity(MELS * BINS);
    for mel in 0..MELS {
        let (low, middle, high) = (edge(mel), edge(mel + 1), edge(mel + 2));
        let area = 2.0 / (high - low);
        for bin in 0..BINS {
            let hz = RATE_HZ / 2.0 * bin as f64 / (BINS - 1) as f64;
            let rising = (hz - low) / (middle - low);
            let falling = (high - hz) / (high - middle);
            weights.push((rising.min(falling).max(0.0) * area) as f32);
        }
    }
    weights
}

fn hz_to_mel(hz: f64) -> f64 {
    if hz < KNEE_HZ { hz / HZ_PER_MEL } else { KNEE_MEL + (hz / KNEE_HZ).ln() * 27.0 / 6.4f64.ln() }
}

fn mel_to_hz(mel: f64) -> f64 {
    if mel < KNEE_MEL { mel * HZ_PER_MEL } else { KNEE_HZ * ((mel - KNEE_MEL) * 6.4f64.ln() / 27.0).exp() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_its_own_inverse() {
        for hz in [0.0, 440.0, 999.0, 1_000.0, 3_400.0, 8_000.0] {
            assert!((mel_to_hz(hz_to_mel(hz)) - hz).abs() < 1e-9, "{hz} Hz");
        }
    }

    #[test]
    fn every_filter_rises_once_and_falls_once() {
        for (mel, filter) in filters().chunks(BINS).enumerate() {
            let top = filter.iter().copied().fold(0.0, f32::max);
            assert!(top > 0.0, "filter {mel} is empty");
            let turns = filter.windows(2).map(|w| (w[1] - w[0]).signum()).filter(|s| *s != 0.0);
            let falls_after: Vec<f32> = turns.skip_while(|s| *s > 0.0).collect();
            assert!(falls_after.iter().all(|s| *s <= 0.0 || filter[BINS - 1] == 0.0), "filter {mel}");
        }
    }

    /// Values of the published filter bank (bin 1 of the first filter, and the top of the last).
    #[test]
    fn known_values() {
        let weights = filters();
        assert!((weights[1] - 0.024_862_59).abs() < 1e-6, "{}", weights[1]);
        let last_top = weights[79 * BINS..].iter().copied().fold(0.0, f32::max);
        assert!((0.001..0.005).contains(&last_top), "{last_top}");
    }
}
