//! From what a synthesiser writes to what a telephone should hear: even level, no dead air around it. Pure.

use tandem_codecs::Level;
use tandem_codecs::level::SILENCE_DBFS;

/// Loudness of the spoken parts, root mean square. Telephone speech is usually sent between -24 and -18.
const TARGET_DBFS: f32 = -20.0;
/// Peaks stay below this, whatever the target asks: mu-law clips at full scale.
const CEILING: f32 = 0.9 * 32_767.0;
/// Windows this far under the loudest are pauses.
const PAUSE_BELOW_LOUDEST_DB: f32 = 35.0;
/// Silence kept before the first sound.
const LEAD_MS: usize = 40;
/// Silence kept after the last sound: the end of a word is quieter than its middle.
const TAIL_MS: usize = 120;
const WINDOW_MS: usize = 10;

/// Trims and levels one sentence of mono PCM at `rate_hz`. Silence becomes empty.
pub(super) fn shape(samples: &[i16], rate_hz: u32) -> Vec<i16> {
    let per_ms = (rate_hz / 1_000).max(1) as usize;
    let window = WINDOW_MS * per_ms;
    let levels: Vec<f32> = samples.chunks(window).map(|w| Level::of(w).rms_dbfs).collect();
    let loudest = levels.iter().copied().fold(SILENCE_DBFS, f32::max);
    let spoken = |level: &f32| *level > (loudest - PAUSE_BELOW_LOUDEST_DB).max(SILENCE_DBFS);
    let Some((first, last)) = levels.iter().position(spoken).zip(levels.iter().rposition(spoken)) else {
        return Vec::new();
    };
    let from = (first * window).saturating_sub(LEAD_MS * per_ms);
    let to = ((last + 1) * window + TAIL_MS * per_ms).min(samples.len());

    let speech: Vec<i16> =
        samples.chunks(window).zip(&levels).filter(|(_, l)| spoken(l)).flat_map(|(w, _)| w).copied().collect();
    let level = Level::of(&speech);
    let gain = 10f32.powf((TARGET_DBFS - level.rms_dbfs) / 20.0).min(CEILING / f32::from(level.peak.max(1)));
    samples[from..to].iter().map(|s| (f32::from(*s) * gain).round() as i16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ms` of a 200 Hz square-ish wave at 8 kHz.
    fn tone(ms: usize, amplitude: i16) -> Vec<i16> {
        (0..ms * 8).map(|n| if n / 20 % 2 == 0 { amplitude } else { -amplitude }).collect()
    }

    #[test]
    fn dead_air_is_trimmed_to_its_limits() {
        let padded = [vec![3; 400 * 8], tone(500, 8_000), vec![0; 700 * 8]].concat();
        assert_eq!(shape(&padded, 8_000).len(), (40 + 500 + 120) * 8);
    }

    #[test]
    fn quiet_and_loud_meet_at_the_target() {
        for amplitude in [300, 3_000, 30_000] {
            let level = Level::of(&shape(&tone(500, amplitude), 8_000));
            assert!((level.rms_dbfs - TARGET_DBFS).abs() < 0.2, "{amplitude}: {level:?}");
        }
    }

    #[test]
    fn one_loud_click_does_not_clip() {
        let mut speech = tone(500, 200);
        speech[1_000] = 30_000;
        assert!(f32::from(Level::of(&shape(&speech, 8_000)).peak) <= CEILING + 1.0);
    }

    #[test]
    fn silence_is_nothing() {
        assert!(shape(&[0; 8_000], 8_000).is_empty());
        assert!(shape(&[], 8_000).is_empty());
    }
}
