//! What the caller hears, cut into utterances by loudness.
//!
//! Place: behind the carrier's playback. `caller` asks it whether the agent has finished; `simulate` has its utterances
//! recognised. By energy alone: the far end's audio comes without line noise, and a pause of its sentence must not cut it.

use std::time::Duration;

use tandem_codecs::{Level, Pcm, SampleRate};

/// A frame is sound from here on. Comfort noise lies below, the quietest speech above.
const AUDIBLE_DBFS: f32 = -50.0;
/// A sample is sound from here on: about -44 dBFS, over the steps of mu-law near zero.
const AUDIBLE_SAMPLE: u16 = 200;

/// A stretch of the agent's speech, pauses below the hangover inside.
#[derive(Debug, Clone, PartialEq)]
pub struct Utterance {
    /// When its first sound began, since the first frame pushed.
    pub start: Duration,
    /// When its last sound ended.
    pub end: Duration,
    /// Its audio at 8 kHz, from the frame of `start` to the frame of `end`.
    pub audio: Pcm,
}

/// Cuts frames into utterances.
#[derive(Debug)]
pub struct Ear {
    hangover: Duration,
    /// Samples pushed.
    position: u64,
    /// The utterance so far, with where it began.
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    /// First sample of `samples`.
    from: u64,
    start: u64,
    end: u64,
    samples: Vec<i16>,
}

impl Ear {
    /// An ear for which an utterance is over after `hangover` of silence.
    pub fn new(hangover: Duration) -> Self {
        Self { hangover, position: 0, current: None }
    }

    /// Hears the next frame at 8 kHz; returns the utterance that is over with it.
    pub fn push(&mut self, frame: &[i16]) -> Option<Utterance> {
        let from = self.position;
        self.position += frame.len() as u64;
        if let Some(first) = first_sound(frame) {
            let last = frame.iter().rposition(|&sample| audible(sample)).unwrap_or(first);
            let current = self.current.get_or_insert_with(|| Current {
                from,
                start: from + first as u64,
                end: 0,
                samples: Vec::new(),
            });
            current.end = from + last as u64 + 1;
        }
        let current = self.current.as_mut()?;
        current.samples.extend_from_slice(frame);
        if SampleRate::HZ_8000.duration_of(self.position - current.end) < self.hangover {
            return None;
        }
        self.finish()
    }

    /// Says that nothing more will come; returns what was not over.
    pub fn finish(&mut self) -> Option<Utterance> {
        let mut current = self.current.take()?;
        let whole_frames = (current.end - current.from).next_multiple_of(160) as usize;
        current.samples.truncate(whole_frames);
        let at = |position| SampleRate::HZ_8000.duration_of(position);
        Some(Utterance {
            start: at(current.start),
            end: at(current.end),
            audio: Pcm::new(SampleRate::HZ_8000, current.samples),
        })
    }
}

/// The first sound in a frame; `None` if the frame as a whole is silence.
pub fn first_sound(frame: &[i16]) -> Option<usize> {
    if Level::of(frame).rms_dbfs < AUDIBLE_DBFS {
        return None;
    }
    frame.iter().position(|&sample| audible(sample))
}

/// Length of `samples` up to their last sound: what a listener would call the end of speech.
pub fn spoken_length(samples: &[i16]) -> usize {
    let last = samples.chunks(160).rposition(|frame| first_sound(frame).is_some());
    last.map_or(0, |frame| {
        let from = frame * 160;
        let end = (from + 160).min(samples.len());
        samples[from..end].iter().rposition(|&sample| audible(sample)).map_or(end, |at| from + at + 1)
    })
}

fn audible(sample: i16) -> bool {
    sample.unsigned_abs() >= AUDIBLE_SAMPLE
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn frames(sound: bool, count: usize) -> Vec<i16> {
        vec![if sound { 3_000 } else { 5 }; count * 160]
    }

    fn cut(audio: &[i16]) -> Vec<Utterance> {
        let mut ear = Ear::new(ms(500));
        let mut out: Vec<Utterance> = audio.chunks(160).filter_map(|frame| ear.push(frame)).collect();
        out.extend(ear.finish());
        out
    }

    #[test]
    fn a_pause_below_the_hangover_does_not_cut() {
        let audio =
            [frames(false, 10), frames(true, 20), frames(false, 24), frames(true, 5), frames(false, 40)].concat();
        let heard = cut(&audio);
        assert_eq!(heard.len(), 1);
        assert_eq!((heard[0].start, heard[0].end), (ms(200), ms(200 + 49 * 20)));
        assert_eq!(heard[0].audio.duration(), ms(49 * 20));
    }

    #[test]
    fn a_pause_of_the_hangover_cuts() {
        let audio = [frames(true, 20), frames(false, 25), frames(true, 5)].concat();
        let heard = cut(&audio);
        assert_eq!(heard.iter().map(|heard| heard.start).collect::<Vec<_>>(), [ms(0), ms(900)]);
        assert_eq!(heard[1].end, ms(1_000), "the end of the stream ends it");
    }

    #[test]
    fn borders_are_exact_to_the_sample() {
        let mut audio = frames(false, 40);
        audio[200..1_000].fill(-4_000);
        let heard = cut(&audio);
        assert_eq!((heard[0].start, heard[0].end), (ms(25), ms(125)));
        assert_eq!(spoken_length(&audio), 1_000);
        assert_eq!(spoken_length(&frames(false, 3)), 0);
    }

    #[test]
    fn silence_and_clicks_below_the_threshold_are_nothing() {
        let mut audio = frames(false, 100);
        audio[1_000] = 400;
        assert_eq!(cut(&audio), []);
    }
}
