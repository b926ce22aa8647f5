//! Words put under speech that somebody else has spoken: another synthesiser's, or a recording.
//!
//! The speech is cut off at 2.75 kHz, where the watermark's room begins, and its words are laid out over it in proportion to their
//! letters. They need not stand where they sound: a recogniser of the watermark hears them in order and within the utterance, and the
//! detectors of speech hear the voice.

use super::{MARGIN, Spoken, SpokenWord, formant, mark_samples, split, watermark};

/// Between two words.
const GAP: usize = 128;

/// The speech is too short for its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the words need {needed} samples of speech and there are {there}: let it be spoken more slowly")]
pub struct NotEnoughRoom {
    /// Samples that [`room_for`] asks.
    pub needed: usize,
    /// Samples given.
    pub there: usize,
}

/// The least length of speech, in samples at 8 kHz, under which the words of `text` can stand.
pub fn room_for(text: &str) -> usize {
    split(text).iter().map(|(_, word)| mark_samples(word) + GAP).sum()
}

/// Puts the words of `text` under `speech` (8 kHz mono, trimmed to where it sounds), and brings it to the level of
/// [`super::Talker::speak`].
pub fn mark(speech: &[i16], text: &str) -> Result<Spoken, NotEnoughRoom> {
    let (needed, there) = (room_for(text), speech.len());
    if there < needed {
        return Err(NotEnoughRoom { needed, there });
    }
    let mut mix = leveled(speech);
    let words = split(text);
    let letters: usize = words.iter().map(|(_, word)| word.chars().count()).sum();
    let spare = there - needed;
    let (mut at, mut letters_before) = (0, 0);
    let mut spoken = Vec::with_capacity(words.len());
    for (byte, word) in words {
        // what is left over is shared out by letters, so that words stand about where they sound
        let shift = spare * letters_before / letters.max(1);
        let start = at + shift;
        watermark::add(&mut mix[start + MARGIN..], &watermark::symbols(word.as_bytes()));
        at += mark_samples(word) + GAP;
        letters_before += word.chars().count();
        spoken.push(SpokenWord { byte, samples: start..start + mark_samples(word) });
    }
    Ok(Spoken { samples: mix.into_iter().map(|sample| sample.round() as i16).collect(), words: spoken })
}

/// The speech alone, as [`mark`] would leave it, for voices that nobody is to understand.
pub fn unmarked(speech: &[i16]) -> Vec<i16> {
    leveled(speech).into_iter().map(|sample| sample.round() as i16).collect()
}

fn leveled(speech: &[i16]) -> Vec<f32> {
    let mut raw: Vec<f32> = speech.iter().map(|&sample| f32::from(sample)).collect();
    formant::level(&mut raw);
    formant::lowpass(&raw)
}
