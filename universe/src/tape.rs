//! What the caller's ear and mouth had, sample by sample.
//!
//! Place: filled by the line frame by frame, read by every check. The ear is what the carrier played: what was cleared is not in it, and
//! where the carrier had nothing to play there is silence. Its words are read from the sound itself.

use std::time::Duration;

use tandem_codecs::SampleRate;
use tandem_codecs::vad::{Detector, NeuralConfig, NeuralDetector, SpeechGate, SpeechGateConfig, VadEvent};
use tandem_peers::carrier::FRAME_SAMPLES;
use tandem_peers::carrier::HeardFrame;
use tandem_peers::ear::first_sound;
use tandem_peers::universe::ear::{EarReport, FakeEar};
use tandem_peers::voice::{Heard, Listener};

/// What a word of a cut utterance must not be joined with: longer than any of the voice's marks.
const SEAM: usize = 4_000;
/// Silence below this within the agent's speech is the pause between two words or sentences, not a silence.
const BREATH: Duration = Duration::from_millis(300);

/// Ear and mouth of one call, 8 kHz both, from the stream's beginning on.
#[derive(Debug, Default, Clone)]
pub struct Tape {
    /// The ear, without a gap.
    pub ear: Vec<i16>,
    /// Samples of each frame of the ear that came from the switch; the rest of the frame is the empty queue's silence.
    pub agent_samples: Vec<u16>,
    /// The mouth as the telephone sent it, noise and echo included.
    pub mouth: Vec<i16>,
    /// Frames of the mouth that were lost before the telephone sent them, silent there: which, and what was in them.
    pub lost: Vec<(usize, Vec<i16>)>,
    /// Frames of the ear before which the carrier was told to drop what it had.
    pub clears: Vec<usize>,
}

impl Tape {
    /// When this sample of the ear was heard.
    pub fn at(&self, sample: u64) -> Duration {
        SampleRate::HZ_8000.duration_of(sample)
    }

    /// Where the agent's sound at `from` ends: the instant at which the carrier has nothing of it left to play.
    pub fn agent_silent_from(&self, from: Duration) -> Duration {
        let first = (from.as_millis() / 20) as usize;
        let silent =
            (first..self.agent_samples.len()).find(|&frame| usize::from(self.agent_samples[frame]) < FRAME_SAMPLES);
        let end = match silent {
            Some(frame) => frame * FRAME_SAMPLES + usize::from(self.agent_samples[frame]),
            None => self.ear.len(),
        };
        self.at(end as u64).max(from)
    }

    /// Stretches of the agent's sound, breaths within them.
    pub fn agent_sounds(&self) -> Vec<(Duration, Duration)> {
        let mut sounds: Vec<(Duration, Duration)> = Vec::new();
        for (index, frame) in self.ear.chunks(FRAME_SAMPLES).enumerate() {
            if first_sound(frame).is_none() {
                continue;
            }
            let (from, to) = (self.at((index * FRAME_SAMPLES) as u64), self.at(((index + 1) * FRAME_SAMPLES) as u64));
            match sounds.last_mut() {
                Some((_, end)) if from <= *end + BREATH => *end = to,
                _ => sounds.push((from, to)),
            }
        }
        sounds
    }

    /// What an ear has to say of its own side: gaps, clicks, speech without words.
    pub fn report(&self) -> EarReport {
        let mut ear = FakeEar::new();
        for (index, (frame, &agent)) in self.ear.chunks_exact(FRAME_SAMPLES).zip(&self.agent_samples).enumerate() {
            let mut samples = [0; FRAME_SAMPLES];
            samples.copy_from_slice(frame);
            ear.push(&HeardFrame {
                at: self.at((index * FRAME_SAMPLES) as u64),
                samples,
                agent_samples: usize::from(agent),
            });
        }
        ear.finish()
    }

    /// Whether the ear was given more to hear of what it heard at that instant: no `clear` came, and sound goes on within a second.
    pub fn is_within_utterance(&self, at: Duration) -> bool {
        let frame = (at.as_millis() / 20) as usize;
        let goes_on = self.agent_samples.iter().skip(frame).take(50).any(|&agent| agent > 0);
        goes_on && !self.clears.iter().any(|clear| (frame..frame + 50).contains(clear))
    }

    /// The longest stretch of agent sound in which no word can be told, silences taken out: two voices at once leave no mark whole.
    pub fn longest_without_word(&self) -> (Duration, Duration) {
        let (joined, places) = self.joined();
        let heard = read(&joined);
        let mut ends: Vec<(u64, u64)> = heard.iter().map(|word| (word.start, word.end)).collect();
        let mut silent = 0;
        for (index, frame) in joined.chunks(FRAME_SAMPLES).enumerate() {
            silent = if first_sound(frame).is_some() { 0 } else { silent + 1 };
            if silent == 5 {
                let end = ((index + 1) * FRAME_SAMPLES) as u64;
                ends.push((end - 5 * FRAME_SAMPLES as u64, end));
            }
        }
        ends.push((joined.len() as u64, joined.len() as u64));
        ends.sort_unstable();
        let (mut told, mut worst) = (0, (0, 0));
        for (from, to) in ends {
            if from.saturating_sub(told) > worst.1 {
                worst = (told, from - told);
            }
            told = told.max(to);
        }
        (self.at(place(&places, worst.0)), self.at(worst.1))
    }

    /// When the mouth is speech to the switch's detector: the caller, and a room that sounds like somebody.
    pub fn floor(&self) -> Vec<(Duration, Duration)> {
        let (mut detector, mut gate) =
            (NeuralDetector::new(NeuralConfig::default()), SpeechGate::new(SpeechGateConfig::default()));
        let (mut spans, mut began) = (Vec::new(), None);
        for (index, frame) in self.mouth.chunks_exact(FRAME_SAMPLES).enumerate() {
            match gate.push(detector.push(frame), (index * FRAME_SAMPLES) as u64) {
                Some(VadEvent::SpeechStarted { at_sample }) => began = Some(at_sample),
                Some(VadEvent::SpeechEnded { at_sample }) => spans.extend(began.take().map(|from| (from, at_sample))),
                None => {}
            }
        }
        spans.extend(began.map(|from| (from, self.mouth.len() as u64)));
        spans.into_iter().map(|(from, to)| (self.at(from), self.at(to))).collect()
    }

    /// The words in the ear, with their places on the tape.
    ///
    /// A carrier that has nothing to play for a moment in the middle of a word breaks the word's mark, though a person would still understand
    /// it. So the marks are read with such silences taken out; where the agent was cut, one is put in.
    pub fn words(&self) -> Vec<Heard> {
        let (joined, places) = self.joined();
        read(&joined)
            .into_iter()
            .map(|word| Heard {
                start: place(&places, word.start),
                end: place(&places, word.end.saturating_sub(1)) + 1,
                text: word.text,
            })
            .collect()
    }

    /// The agent's samples alone, one after the other, and what lies where: (place in the row, place on the tape).
    fn joined(&self) -> (Vec<i16>, Vec<(u64, u64)>) {
        let mut joined: Vec<i16> = Vec::with_capacity(self.ear.len());
        let mut places = Vec::new();
        let mut clears = self.clears.iter().copied().peekable();
        for (index, (frame, &agent)) in self.ear.chunks(FRAME_SAMPLES).zip(&self.agent_samples).enumerate() {
            while clears.next_if(|clear| *clear <= index).is_some() {
                joined.resize(joined.len() + SEAM, 0);
            }
            if agent > 0 {
                places.push((joined.len() as u64, (index * FRAME_SAMPLES) as u64));
                joined.extend_from_slice(&frame[..usize::from(agent).min(frame.len())]);
            }
        }
        (joined, places)
    }
}

fn read(samples: &[i16]) -> Vec<Heard> {
    let mut listener = Listener::new();
    let mut heard = listener.push(samples);
    heard.extend(listener.finish());
    heard
}

fn place(places: &[(u64, u64)], sample: u64) -> u64 {
    let after = places.partition_point(|(from, _)| *from <= sample);
    places[..after].last().map_or(sample, |(from, tape)| tape + (sample - from))
}

#[cfg(test)]
mod tests {
    use tandem_peers::voice::{speak, transcript};

    use super::*;

    fn tape(ear: Vec<i16>, silent: std::ops::Range<usize>) -> Tape {
        let frames = ear.len() / FRAME_SAMPLES;
        let agent_samples = (0..frames).map(|frame| if silent.contains(&frame) { 0 } else { 160 }).collect();
        Tape { ear, agent_samples, ..Tape::default() }
    }

    fn padded(mut samples: Vec<i16>) -> Vec<i16> {
        samples.resize(samples.len().next_multiple_of(FRAME_SAMPLES), 0);
        samples
    }

    #[test]
    fn a_word_that_an_empty_queue_broke_is_heard_all_the_same() {
        let word = padded(speak("Delhi"));
        let broken = [&word[..1_600], &[0; 3_200], &word[1_600..]].concat();
        let tape = tape(broken, 10..30);
        assert_eq!(transcript(&tape.words()), "Delhi");
        assert!(tape.words()[0].end > 1_600 + 3_200, "its place is the tape's");
    }

    #[test]
    fn silence_begins_where_the_queue_is_empty() {
        let tape = tape(padded(speak("Delhi")), 10..12);
        assert_eq!(tape.agent_silent_from(Duration::from_millis(50)), Duration::from_millis(200));
        assert_eq!(tape.agent_silent_from(Duration::from_millis(210)), Duration::from_millis(210));
    }
}
