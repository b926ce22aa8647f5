//! What callers say and the room they are in, rendered and encoded once for all of them.

use std::sync::Arc;
use std::time::Duration;

use tandem_codecs::g711;
use tandem_codecs::noise::Noise;
use tandem_peers::ear;
use tandem_peers::voice::Talker;

use super::{FRAME, FRAME_SAMPLES, wire};

/// Voices that are rendered; callers share them.
const VOICES: u64 = 16;
/// Room noise repeats after this many frames: five seconds.
const ROOM_FRAMES: usize = 250;
/// A handset in a quiet room.
const ROOM_DBFS: f32 = -65.0;

/// A line in one voice, as payloads of 20 ms.
#[derive(Debug)]
pub(super) struct Line {
    /// In base64, in order.
    pub(super) payloads: Box<[Box<str>]>,
    /// Which of them holds the first sound.
    pub(super) first_voiced: usize,
    /// From the line's beginning to its last sound.
    pub(super) spoken: Duration,
}

/// All that callers can say.
#[derive(Debug)]
pub(in crate::cli::bench) struct Lines {
    voices: Vec<Box<[Arc<Line>]>>,
    room: Box<[Box<str>]>,
}

impl Lines {
    /// Renders these texts in every voice. Takes about a second.
    pub(in crate::cli::bench) fn rendered(texts: &[&str]) -> Self {
        let voices = (0..VOICES).map(|number| {
            let talker = Talker::numbered(number);
            texts.iter().map(|text| Arc::new(Line::of(&talker.speak(text).samples))).collect()
        });
        let noise: Vec<i16> = Noise::new(1, ROOM_DBFS).take(ROOM_FRAMES * FRAME_SAMPLES).collect();
        Self { voices: voices.collect(), room: payloads(&noise) }
    }

    /// The texts in the voice of caller `number`.
    pub(super) fn of(&self, number: u128) -> &[Arc<Line>] {
        &self.voices[(number % self.voices.len() as u128) as usize]
    }

    /// 20 ms of nobody speaking; which 20 ms is `tick`'s to say.
    pub(super) fn room(&self, tick: u64) -> &str {
        &self.room[(tick % self.room.len() as u64) as usize]
    }
}

impl Line {
    fn of(samples: &[i16]) -> Self {
        let spoken = ear::spoken_length(samples);
        Self {
            payloads: payloads(samples),
            first_voiced: samples
                .chunks(FRAME_SAMPLES)
                .position(|frame| ear::first_sound(frame).is_some())
                .unwrap_or(0),
            spoken: FRAME.mul_f64(spoken as f64 / FRAME_SAMPLES as f64),
        }
    }
}

/// Samples at 8 kHz as mu-law payloads; the last frame is filled up with silence.
fn payloads(samples: &[i16]) -> Box<[Box<str>]> {
    let frames = samples.chunks(FRAME_SAMPLES).map(|chunk| {
        let mut whole = [0; FRAME_SAMPLES];
        whole[..chunk.len()].copy_from_slice(chunk);
        let mut coded = Vec::with_capacity(FRAME_SAMPLES);
        g711::encode_ulaw(&whole, &mut coded);
        let frame: [u8; FRAME_SAMPLES] = coded.try_into().expect("one byte a sample");
        wire::encode(&frame)
    });
    frames.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_knows_where_its_sound_is() {
        let mut samples = vec![0_i16; 5 * FRAME_SAMPLES];
        samples[2 * FRAME_SAMPLES..3 * FRAME_SAMPLES + 80].fill(4_000);
        let line = Line::of(&samples);
        assert_eq!(line.payloads.len(), 5);
        assert_eq!(line.first_voiced, 2);
        assert_eq!(line.spoken, Duration::from_millis(70));
    }

    #[test]
    fn callers_share_voices_and_have_all_lines() {
        let lines = Lines::rendered(&["yes", "no"]);
        assert_eq!(lines.of(3).len(), 2);
        assert!(Arc::ptr_eq(&lines.of(3)[0], &lines.of(3 + u128::from(VOICES))[0]));
        assert!(!Arc::ptr_eq(&lines.of(3)[0], &lines.of(4)[0]));
        assert_eq!(lines.room(0), lines.room(ROOM_FRAMES as u64));
    }
}
