//! Clicks: jumps that a waveform could not have made by itself, as they are left by a cut, a splice or a dropped frame.
//!
//! Place: the measure under every claim that something does not click: cuts and crossfades of the playout, concealed gaps, a jitter buffer's
//! stretches. For tests and reports, not for the media path. Not here: mending them.
//!
//! ```text
//!        ╭─╮                      the slopes on both sides are carried on to the middle of the step;
//!   ──╮ ╱   ╲      ┌──────        what is left between their ends is the jump. Smooth sound leaves
//!      ╰     ╲  ▲  │              next to nothing, however steep it is; a cut leaves the whole step.
//!             ╲ ╎──╯
//!               jump
//! ```
//!
//! A jump is a click when it is both
//!
//! - above [`FLOOR`], 1 % of full scale (-40 dBFS): a tick below that drowns in a telephone's own noise, and µ-law's steps are as large; and
//! - [`RATIO`] times the largest jump within [`NEIGHBOURHOOD`] on either side: hiss, fricatives and the pulses of a voice consist of jumps,
//!   but come in company. Ten milliseconds hold a pulse of any voice from 100 Hz up on each side.
//!
//! So a cut in the middle of a hiss goes unseen here, as it goes unheard. Over 47 minutes of five synthetic voices at 8 kHz, speech itself has
//! one such jump in three minutes; a ratio of 3 would find six times as many, one of 2 three hundred times.
//! Of hard cuts while the wave is far from zero, one in two or three is found, so a claim rests on many cuts and not on one.
//!
//! Look at the rate at which the cut was made: a change of rate afterwards rounds it off without making it inaudible.

use std::time::Duration;

use crate::frame::SampleRate;

/// The smallest jump that counts, in 16-bit steps.
pub const FLOOR: f32 = 328.0;
/// How much a jump has to stand out of those around it.
pub const RATIO: f32 = 3.5;
/// How far around it.
pub const NEIGHBOURHOOD: Duration = Duration::from_millis(10);
/// A step of one sample is seen in the jumps of so many neighbours too, and they do not count as company.
const SMEAR: usize = 2;

/// Where `samples` click: for each click the index of the first sample behind it, in order.
///
/// The ends of the slice are no clicks, so put some silence there when a sound must begin and end without one.
pub fn clicks(samples: &[i16], rate: SampleRate) -> Vec<usize> {
    let jumps = jumps(samples);
    let reach = rate.samples_in(NEIGHBOURHOOD);
    let is_click = |place: usize| {
        let jump = jumps[place];
        let before = &jumps[place.saturating_sub(SMEAR + reach)..place.saturating_sub(SMEAR)];
        let after = jumps.get(place + SMEAR + 1..).unwrap_or_default();
        let company = before.iter().chain(after.iter().take(reach));
        let smeared = &jumps[place.saturating_sub(SMEAR)..(place + SMEAR + 1).min(jumps.len())];
        jump > FLOOR
            && company.into_iter().all(|other| jump > RATIO * other)
            && smeared.iter().all(|other| jump >= *other)
            // Of two equal ones, the first.
            && jumps[place.saturating_sub(SMEAR)..place].iter().all(|other| jump > *other)
    };
    (0..jumps.len()).filter(|place| is_click(*place)).collect()
}

/// What is left of the step onto each sample when the slopes beside it are carried on to its middle. None at the ends: the slope is unknown.
fn jumps(samples: &[i16]) -> Vec<f32> {
    let mut jumps = vec![0.0; samples.len()];
    for (place, around) in samples.windows(4).enumerate() {
        let [a, b, c, d] = [0, 1, 2, 3].map(|n| f32::from(around[n]));
        let (from, to) = (b + (b - a) / 2.0, c - (d - c) / 2.0);
        jumps[place + 2] = (to - from).abs();
    }
    jumps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;
    use crate::tone::sine;

    const RATE: SampleRate = SampleRate::HZ_8000;

    #[test]
    fn a_step_is_found_where_it_is() {
        let mut samples = vec![0; 400];
        samples[200..].fill(1_000);
        assert_eq!(clicks(&samples, RATE), [200]);
    }

    #[test]
    fn an_impulse_is_one_click() {
        let mut samples = vec![0; 400];
        samples[200] = -5_000;
        assert_eq!(clicks(&samples, RATE), [200]);
    }

    #[test]
    fn steep_is_not_a_click() {
        for hz in [100.0, 440.0, 1_700.0, 3_300.0] {
            assert_eq!(
                clicks(&sine(RATE, hz, 30_000, Duration::from_millis(100)).samples, RATE),
                [0_usize; 0],
                "{hz} Hz"
            );
        }
    }

    #[test]
    fn noise_is_not_a_click_and_hides_one() {
        let mut noise: Vec<i16> = Noise::new(1, -20.0).take(8_000).collect();
        assert_eq!(clicks(&noise, RATE), [0_usize; 0]);
        noise[4_000..].iter_mut().for_each(|sample| *sample = sample.saturating_add(3_000));
        assert_eq!(clicks(&noise, RATE), [0_usize; 0]);
    }

    #[test]
    fn a_tick_under_the_floor_does_not_count() {
        let mut samples = vec![0; 400];
        samples[200..].fill(FLOOR as i16);
        assert_eq!(clicks(&samples, RATE), [0_usize; 0]);
    }

    #[test]
    fn a_tone_with_a_hole_clicks_at_both_edges() {
        // 1,050 samples are 131.25 periods: the wave stands at its top; as do 1,210.
        let mut tone = sine(RATE, 1_000.0, 12_000, Duration::from_millis(300)).samples.to_vec();
        tone[1_050..1_210].fill(0);
        let found = clicks(&tone, RATE);
        assert!(found.len() == 2 && found[0].abs_diff(1_050) <= 1 && found[1].abs_diff(1_210) <= 1, "{found:?}");
    }

    #[test]
    fn any_length_is_taken() {
        for length in 0..40 {
            assert_eq!(clicks(&vec![7; length], RATE), [0_usize; 0], "{length}");
        }
    }
}
