//! The air between the caller and the carrier: what the telephone picks up and what its radio loses.
use tandem_peers::carrier::FRAME_SAMPLES;

pub(crate) struct Air;

impl Air {
    pub(crate) fn frames(&mut self, frame: &[i16; FRAME_SAMPLES], _heard: &[i16; FRAME_SAMPLES]) -> Vec<[i16; FRAME_SAMPLES]> {
        vec![*frame]
    }
    pub(crate) fn marks(&mut self, answers: Vec<String>) -> Vec<String> {
        answers
    }
}
