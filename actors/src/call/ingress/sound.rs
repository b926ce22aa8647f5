//! What is done to the caller's sound before detector and recogniser hear it.
//!
//! Place:   switchboard > call > ingress, between framing and detection; the recording keeps the sound as it came.
//! ```text
//! frame ──► late audio (fills stalls, takes back) ──► noise suppression ──► gain ──► detector, ear lane
//!              always; alters nothing on time             opt-in             opt-in
//! ```
//! A frame in is a frame out; noise suppression is 25 ms behind, gain none. Not here: keys, which are heard before.

use std::time::{Duration, Instant};

use tandem_codecs::agc::Agc;
#[cfg(feature = "denoise")]
use tandem_codecs::denoise::Denoiser;
use tandem_codecs::late::LateAudio;

use super::InbandDtmf;
use crate::call::RATE;

/// How callers are heard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hearing {
    /// Whether keys are listened for in the audio (`INBAND_DTMF`).
    pub inband_dtmf: InbandDtmf,
    /// Whether noise is suppressed (`NOISE_SUPPRESSION`). Needs the feature `denoise`; without it nothing is.
    pub noise_suppression: bool,
    /// Whether faint and loud callers are levelled (`AGC`).
    pub agc: bool,
}

/// The sound of one caller.
pub(super) struct Sound {
    late: LateAudio,
    #[cfg(feature = "denoise")]
    denoiser: Option<Box<Denoiser>>,
    agc: Option<Box<Agc>>,
    began: Instant,
}

impl Sound {
    pub(super) fn new(now: Instant, hearing: Hearing) -> Self {
        Self {
            late: LateAudio::new(RATE),
            #[cfg(feature = "denoise")]
            denoiser: hearing.noise_suppression.then(|| Box::new(Denoiser::new(RATE))),
            agc: hearing.agc.then(|| Box::new(Agc::new(RATE))),
            began: now,
        }
    }

    /// A frame that came.
    pub(super) fn came(&mut self, now: Instant, frame: &mut [i16]) {
        self.late.came(self.since(now), frame);
        self.process(frame);
    }

    /// A frame in place of one that is late.
    pub(super) fn fill(&mut self, now: Instant, frame: &mut [i16]) {
        self.late.fill(self.since(now), frame);
        self.process(frame);
    }

    /// Whether this frame, which is silence, is left out to make up for one that was filled and came after all.
    pub(super) fn takes_back(&mut self, now: Instant, frame: &[i16]) -> bool {
        self.late.takes_back(self.since(now), frame.len())
    }

    fn process(&mut self, frame: &mut [i16]) {
        #[cfg(feature = "denoise")]
        if let Some(denoiser) = &mut self.denoiser {
            denoiser.process(frame);
        }
        if let Some(agc) = &mut self.agc {
            agc.process(frame);
        }
    }

    fn since(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.began)
    }
}

#[cfg(test)]
mod tests {
    use tandem_codecs::Level;
    use tandem_codecs::noise::Noise;

    use super::*;
    use crate::clock;

    /// The level of a stretch of steady noise after ten seconds of it.
    fn level(hearing: Hearing, dbfs: f32) -> f32 {
        let (began, mut frames) = (clock::now(), Noise::new(1, dbfs));
        let mut sound = Sound::new(began, hearing);
        let mut last = Vec::new();
        for number in 1..=500 {
            last = frames.by_ref().take(160).collect();
            sound.came(began + Duration::from_millis(20 * number), &mut last);
        }
        Level::of(&last).rms_dbfs
    }

    #[test]
    fn by_default_nothing_is_altered() {
        let mut sound = Sound::new(clock::now(), Hearing::default());
        let frame: Vec<i16> = Noise::new(2, -20.0).take(160).collect();
        let mut heard = frame.clone();
        sound.came(clock::now(), &mut heard);
        assert_eq!(heard, frame);
        assert!(!sound.takes_back(clock::now(), &heard));
    }

    #[test]
    fn gain_and_suppression_are_switched_on_one_by_one() {
        let plain = level(Hearing::default(), -35.0);
        assert!((plain + 35.0).abs() < 1.0, "{plain}");
        let agc = level(Hearing { agc: true, ..Hearing::default() }, -35.0);
        assert!(agc > plain + 6.0, "{agc}");
        let quiet = level(Hearing { noise_suppression: true, ..Hearing::default() }, -35.0);
        let expected = if cfg!(feature = "denoise") { plain - 10.0 } else { plain + 1.0 };
        assert!(quiet < expected, "{quiet}");
    }
}
