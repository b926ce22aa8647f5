//! Keys of the caller: those that the carrier tells, and those that are heard in the audio.
//!
//! Place:   switchboard > call > ingress, one for each leg.
//! A carrier that tells keys usually leaves their tones in the audio too. Where both are listened to, a key that came in one way is not counted
//! again when it comes in the other. Not here: what a key means.

use std::time::{Duration, Instant};

use tandem_codecs::dtmf::{DtmfDetector, DtmfEvent};

use crate::call::RATE;

/// Between the two ways of one key: a message may be a second behind its tone on a slow line.
const SAME_KEY: Duration = Duration::from_millis(1_000);

/// Whether keys are listened for in the audio (`INBAND_DTMF`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InbandDtmf {
    /// Where the far end has no message for them.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// How a key came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Told,
    Heard,
}

/// Keys of one leg.
#[derive(Debug)]
pub(super) struct Keys {
    detector: Option<DtmfDetector>,
    events: Vec<DtmfEvent>,
    /// Keys that came in one way, and may come in the other.
    expected: Vec<(char, Way, Instant)>,
}

impl Keys {
    /// For a far end that tells keys by messages of its own, or does not.
    pub(super) fn new(inband: InbandDtmf, far_end_tells: bool) -> Self {
        let listens = match inband {
            InbandDtmf::Auto => !far_end_tells,
            InbandDtmf::On => true,
            InbandDtmf::Off => false,
        };
        Self { detector: listens.then(|| DtmfDetector::new(RATE)), events: Vec::new(), expected: Vec::new() }
    }

    /// The next audio. Appends the keys that went down in it.
    pub(super) fn hear(&mut self, now: Instant, samples: &[i16], keys: &mut Vec<char>) {
        let Some(detector) = &mut self.detector else { return };
        detector.push(samples, &mut self.events);
        for event in std::mem::take(&mut self.events) {
            if let DtmfEvent::Pressed { key, .. } = event
                && self.is_new(now, key.as_char(), Way::Heard)
            {
                keys.push(key.as_char());
            }
        }
    }

    /// The carrier tells a key. Whether it counts.
    pub(super) fn told(&mut self, now: Instant, key: char) -> bool {
        self.detector.is_none() || self.is_new(now, key.to_ascii_uppercase(), Way::Told)
    }

    fn is_new(&mut self, now: Instant, key: char, way: Way) -> bool {
        self.expected.retain(|(_, _, at)| now.saturating_duration_since(*at) <= SAME_KEY);
        let other = self.expected.iter().position(|(earlier, by, _)| *earlier == key && *by != way);
        match other {
            Some(place) => {
                self.expected.remove(place);
                false
            }
            None => {
                self.expected.push((key, way, now));
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tandem_codecs::dtmf::{Key, dtmf};

    use super::*;
    use crate::clock;

    /// A key for 100 ms and 100 ms of pause.
    fn tone(key: char) -> Vec<i16> {
        let key = Key::new(key).expect("a key");
        let tone = dtmf(RATE, key, 8_000, Duration::from_millis(100));
        tone.samples.iter().copied().chain([0; 800]).collect()
    }

    fn heard(keys: &mut Keys, now: Instant, samples: &[i16]) -> String {
        let mut found = Vec::new();
        samples.chunks(160).for_each(|frame| keys.hear(now, frame, &mut found));
        found.into_iter().collect()
    }

    #[test]
    fn keys_are_heard_where_the_far_end_does_not_tell_them() {
        let now = clock::now();
        for (inband, tells, expected) in [
            (InbandDtmf::Auto, false, "4"),
            (InbandDtmf::Auto, true, ""),
            (InbandDtmf::On, true, "4"),
            (InbandDtmf::Off, false, ""),
        ] {
            assert_eq!(heard(&mut Keys::new(inband, tells), now, &tone('4')), expected, "{inband:?}, {tells}");
        }
    }

    #[test]
    fn a_key_that_comes_both_ways_counts_once() {
        let (mut keys, now) = (Keys::new(InbandDtmf::On, true), clock::now());
        assert_eq!(heard(&mut keys, now, &tone('4')), "4");
        assert!(!keys.told(now + Duration::from_millis(300), '4'));
        assert!(keys.told(now + Duration::from_millis(600), '4'), "pressed again");
        assert_eq!(heard(&mut keys, now + Duration::from_millis(700), &tone('4')), "");
        assert!(keys.told(now + Duration::from_secs(5), '4'));
        assert_eq!(heard(&mut keys, now + Duration::from_secs(8), &tone('4')), "4", "too late to be the same");
    }

    #[test]
    fn the_same_key_twice_in_one_way_counts_twice() {
        let (mut keys, now) = (Keys::new(InbandDtmf::On, true), clock::now());
        assert_eq!(heard(&mut keys, now, &[tone('7'), tone('7'), tone('1')].concat()), "771");
        let mut deaf = Keys::new(InbandDtmf::Off, true);
        assert!(deaf.told(now, '7') && deaf.told(now, '7'));
    }
}
