//! A synthetic talker whose words can be heard again without a recogniser.
//!
//! Place: the voice of load tests. `vendor::tts` speaks with it, `vendor::stt` listens with it, so a hundred calls can run
//! at once on a small machine and every word can still be traced to the mouth it came from.
//!
//! ```text
//!  8 kHz   |<------------- voice ------------->|       |<- watermark ->|
//!          100 Hz                           2.7 kHz  3.2 kHz       3.6 kHz
//!
//!  word    | gap | preamble 6 | length 3 | bytes 4 each | crc 8 | gap |      symbols of 8 ms, two bits each
//! ```
//!
//! The voice half is made for voice activity detectors: a pulse train at the talker's pitch through three formant
//! resonators, consonants as noise, one segment a letter. The watermark half is four-tone FSK above it. Every word is
//! a block of its own with its own CRC, so a cut or damaged utterance yields exactly the words that came through.
//!
//! It does not sound like anybody, and no real recogniser understands it. Two talkers at once on one line are noise to
//! each other: the louder one may be heard, a mixture of both never is. The same talker says the same text in the same
//! samples, always.

mod formant;
mod listener;
mod recorded;
mod watermark;

use std::ops::Range;

pub use listener::{Heard, Listener, transcript};
pub use recorded::{NotEnoughRoom, mark, room_for, unmarked};

/// Rate of everything the talker says, in Hz.
pub const RATE_HZ: u32 = 8_000;

/// Length of the voice alone per letter: about the pace of a calm speaker.
const SAMPLES_PER_LETTER: usize = 480;
/// Between two words the voice goes on and the watermark rests.
const WORD_GAP: usize = 384;
/// Further rest after punctuation.
const PAUSE: usize = 960;
/// Voice before and after the watermark of one word, so that a detector that clips edges clips no symbol.
const MARGIN: usize = 64;
/// Voice that runs on after the last word.
const TAIL: usize = 480;

/// A voice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Talker {
    pitch_hz: f32,
}

impl Default for Talker {
    /// The voice of [`speak`]: 120 Hz.
    fn default() -> Self {
        Self { pitch_hz: 120.0 }
    }
}

/// A spoken text.
#[derive(Debug, Clone, PartialEq)]
pub struct Spoken {
    /// Mono PCM at [`RATE_HZ`], about -21 dBFS, peaks under -6 dBFS.
    pub samples: Vec<i16>,
    /// The words, in order.
    pub words: Vec<SpokenWord>,
}

/// Where a word stands in the text and in the audio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpokenWord {
    /// Byte offset in the text.
    pub byte: usize,
    /// Its samples; the watermark lies inside.
    pub samples: Range<usize>,
}

impl Talker {
    /// A voice of that pitch; bounded to 70 to 300 Hz, where people speak.
    pub fn new(pitch_hz: f32) -> Self {
        Self { pitch_hz: pitch_hz.clamp(70.0, 300.0) }
    }

    /// One of 64 voices from 85 to 255 Hz, by number; for callers that shall not sound alike.
    pub fn numbered(number: u64) -> Self {
        // 29 is prime to 64: neighbours in number are far apart in pitch
        Self::new(85.0 + (number.wrapping_mul(29) % 64) as f32 * 2.7)
    }

    /// Says `text` so that nobody can tell the words: the voice alone, in the same samples as [`Self::speak`].
    pub fn murmur(&self, text: &str) -> Vec<i16> {
        self.articulate(text).0.into_iter().map(|sample| sample.round() as i16).collect()
    }

    /// Speaks `text`; empty audio for a text without words.
    ///
    /// About 60 ms a letter, never less than the watermark needs: (136 + 32 × bytes) ms a word and the gaps.
    pub fn speak(&self, text: &str) -> Spoken {
        let (mut mix, words) = self.articulate(text);
        for (word, (_, letters)) in words.iter().zip(split(text)) {
            watermark::add(&mut mix[word.samples.start + MARGIN..], &watermark::symbols(letters.as_bytes()));
        }
        let samples = mix.into_iter().map(|sample| sample.round() as i16).collect();
        Spoken { samples, words }
    }

    /// The voice without a watermark, and where each word stands in it.
    fn articulate(&self, text: &str) -> (Vec<f32>, Vec<SpokenWord>) {
        let mut words = Vec::new();
        let mut segments = Vec::new();
        let mut at = 0;
        for (byte, word) in split(text) {
            let length = (word.chars().count() * SAMPLES_PER_LETTER).max(mark_samples(word));
            segments.push(formant::Segment { letters: word.chars().collect(), samples: length });
            segments.push(formant::Segment::breath(WORD_GAP));
            words.push(SpokenWord { byte, samples: at..at + length });
            at += length + WORD_GAP;
            if word.ends_with(['.', ',', '!', '?', ';', ':']) {
                segments.push(formant::Segment::breath(PAUSE));
                at += PAUSE;
            }
        }
        if words.is_empty() {
            return (Vec::new(), words);
        }
        segments.push(formant::Segment::breath(TAIL));
        (formant::synthesise(self.pitch_hz, &segments), words)
    }
}

/// Length of the watermark of one word, with its margins.
fn mark_samples(word: &str) -> usize {
    watermark::block_symbols(word.len()) * watermark::SYMBOL_SAMPLES + 2 * MARGIN
}

/// What is left of sound at 8 kHz below the watermark's band: for noise that shall not cover words.
pub(crate) fn below_the_watermark(sound: &[f32]) -> Vec<f32> {
    formant::lowpass(sound)
}

/// Speaks `text` with the default voice.
pub fn speak(text: &str) -> Vec<i16> {
    Talker::default().speak(text).samples
}

/// The words of a text with their byte offsets. A word above the block's capacity is cut, and is heard as two.
fn split(text: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let start_of = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    for mut word in text.split_whitespace() {
        while word.len() > watermark::MAX_BYTES {
            let cut = word.floor_char_boundary(watermark::MAX_BYTES);
            words.push((start_of(word), &word[..cut]));
            word = &word[cut..];
        }
        words.push((start_of(word), word));
    }
    words
}

#[cfg(test)]
mod tests;
