//! Between the leg's sample rate and the switch's.
//!
//! Place:   switchboard > call > ingress and egress, one converter each way.
//! Inside the switch all audio has one rate, so that detector, lanes and ledger count the same samples on every leg. A leg that is wider
//! (Exotel at 16 or 24 kHz, a browser) is converted where its audio enters and leaves; a telephone leg passes untouched and at once.
//! Not here: pacing and padding, which the playout does before us.

use tandem_codecs::frame::SampleRate;
use tandem_codecs::resample::Resampler;

use super::RATE;

/// The rate that the leg's audio is taken to have.
fn told(leg: SampleRate) -> SampleRate {
    #[cfg(feature = "sabotage")]
    if tandem_domain::sabotage::is_off(tandem_domain::sabotage::Mechanism::Rate) {
        return RATE;
    }
    leg
}

/// Caller audio, from the leg's rate to the switch's.
#[derive(Debug)]
pub(super) struct FromLeg {
    resampler: Resampler,
    pcm: Vec<i16>,
}

impl FromLeg {
    pub(super) fn new(leg: SampleRate) -> Self {
        Self { resampler: Resampler::new(told(leg), RATE), pcm: Vec::new() }
    }

    /// The next stretch of the stream, converted; 2 ms are held back where there is anything to convert.
    pub(super) fn convert(&mut self, pcm: &[i16]) -> &[i16] {
        self.pcm.clear();
        self.resampler.process(pcm, &mut self.pcm);
        &self.pcm
    }
}

/// Agent audio, from the switch's rate to the leg's.
///
/// A chunk in is a chunk out, to the sample: a carrier may demand messages of one size. The price is the filter's 2 ms of delay, as silence
/// before the first chunk.
#[derive(Debug)]
pub(super) struct ToLeg {
    resampler: Resampler,
    pcm: Vec<i16>,
}

impl ToLeg {
    pub(super) fn new(leg: SampleRate) -> Self {
        let mut fresh = Self { resampler: Resampler::new(RATE, told(leg)), pcm: Vec::new() };
        fresh.reset();
        fresh
    }

    /// One chunk, converted.
    pub(super) fn convert(&mut self, chunk: &[i16]) -> &[i16] {
        self.pcm.clear();
        self.resampler.process(chunk, &mut self.pcm);
        &self.pcm
    }

    /// Forgets what is held back: the far end was told to drop what came before.
    pub(super) fn reset(&mut self) {
        self.resampler.reset();
        let silence = vec![0; RATE.samples_in(self.resampler.delay())];
        self.pcm.clear();
        self.resampler.process(&silence, &mut self.pcm); // decides no sample yet
    }
}

#[cfg(test)]
mod tests {
    use tandem_codecs::tone::Sine;

    use super::*;

    const RATES: [SampleRate; 4] =
        [SampleRate::HZ_8000, SampleRate::HZ_16000, SampleRate::HZ_24000, SampleRate::HZ_48000];

    #[test]
    fn a_chunk_in_is_a_chunk_out_on_every_leg() {
        for leg in RATES {
            let mut to_leg = ToLeg::new(leg);
            let share = (leg.hz() / RATE.hz()) as usize;
            for chunk_samples in [160, 640, 800, 1_600] {
                assert_eq!(to_leg.convert(&vec![7; chunk_samples]).len(), chunk_samples * share, "{leg:?}");
            }
            to_leg.reset();
            assert_eq!(to_leg.convert(&[7; 160]).len(), 160 * share, "{leg:?}, after a clear");
        }
    }

    #[test]
    fn a_clear_leaves_nothing_of_what_came_before() {
        let mut to_leg = ToLeg::new(SampleRate::HZ_16000);
        to_leg.convert(&[20_000; 160]);
        to_leg.reset();
        assert!(to_leg.convert(&[0; 160]).iter().all(|&sample| sample == 0));
    }

    #[test]
    fn there_and_back_is_the_same_tone() {
        let tone: Vec<i16> = Sine::new(RATE, 1_000.0, 16_423).take(1_600).collect();
        for leg in RATES {
            let (mut to_leg, mut from_leg) = (ToLeg::new(leg), FromLeg::new(leg));
            let back: Vec<i16> =
                tone.chunks(160).flat_map(|chunk| from_leg.convert(to_leg.convert(chunk)).to_vec()).collect();
            let delay = RATE.samples_in(Resampler::new(RATE, leg).delay());
            let worst = tone[200..1_200]
                .iter()
                .zip(&back[200 + delay..])
                .map(|(&sent, &heard)| (i32::from(sent) - i32::from(heard)).abs())
                .max();
            assert!(worst.is_some_and(|worst| worst <= 8), "{leg:?}: {worst:?} of 16,423");
        }
    }
}
