//! What of a sentence was said, what is held back, and where another voice would go on. Pure.
//!
//! Voices count bytes and samples from the beginning of what they were asked for; here they become those of the whole sentence.

use std::sync::Arc;

use tandem_domain::port::tts::{TtsChunk, WordStart};
use tokio::time::Instant;

/// Characters that a voice speaks in a second, where it does not tell when its words begin.
const CHARS_PER_SECOND: u64 = 14;
/// A word that has sounded for this long for each of its characters, in ms, has probably been said.
const MS_PER_CHAR: u64 = 55;

/// The sentence so far.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Samples handed on.
    said: u64,
    /// Where the voice in hand began: byte and sample of the sentence.
    from: (usize, u64),
    /// Whether the voice in hand tells when its words begin.
    timed: bool,
    /// The word that began last, and the byte at which it does. It may still sound.
    word: Option<WordStart>,
    /// Audio of that word, which is not handed on yet.
    tail: Vec<i16>,
    /// Since when the first sound of all is held.
    since: Option<Instant>,
}

impl Held {
    /// A voice begins to say the sentence from `byte` on.
    pub(super) fn begins(&mut self, byte: usize) {
        *self = Self { said: self.said, from: (byte, self.said), ..Self::default() };
    }

    /// Samples handed on.
    pub(super) fn said(&self) -> u64 {
        self.said
    }

    /// Since when the caller waits for a word that began and has not ended.
    pub(super) fn waits_since(&self) -> Option<Instant> {
        self.since
    }

    /// A chunk of the voice in hand; what may be handed on.
    pub(super) fn push(&mut self, chunk: TtsChunk, now: Instant) -> Option<TtsChunk> {
        let begins = self.said + self.tail.len() as u64;
        let words: Vec<WordStart> = chunk.words.iter().map(|word| self.of_sentence(*word)).collect();
        self.timed |= !words.is_empty();
        if !self.timed {
            return self.hand_on(chunk.samples, Vec::new());
        }
        let end = begins + chunk.samples.len() as u64;
        let before = self.word;
        self.word = words.last().copied().or(before);
        let cut = match words.last() {
            Some(last) => last.sample.clamp(begins, end),
            None => begins, // the same word goes on
        };
        let inside = (cut - begins) as usize;
        let mut out = Vec::new();
        if !words.is_empty() {
            out = std::mem::take(&mut self.tail);
            out.extend_from_slice(&chunk.samples[..inside]);
        }
        self.tail.extend_from_slice(&chunk.samples[inside..]);
        let handed = self.said + out.len() as u64;
        // A word is told of with its first sample: before that, nobody could have heard it.
        let told = words.into_iter().filter(|word| word.sample < handed).collect::<Vec<_>>();
        if out.is_empty() {
            self.since = self.since.or((self.said == 0).then_some(now));
            return None;
        }
        let told = before.filter(|word| word.sample >= self.said).into_iter().chain(told).collect();
        self.hand_on(out.into(), told)
    }

    /// Hands on what is held, ended or not: the caller has waited enough.
    pub(super) fn release(&mut self) -> Option<TtsChunk> {
        let tail = std::mem::take(&mut self.tail);
        let word = self.word.filter(|word| word.sample >= self.said);
        self.since = None;
        self.hand_on(tail.into(), word.into_iter().collect())
    }

    /// The voice in hand has said everything.
    pub(super) fn finish(&mut self) -> Option<TtsChunk> {
        self.release()
    }

    /// The byte of `text` from which another voice would go on.
    pub(super) fn rest_of(&self, text: &str, rate_hz: u32) -> usize {
        let (from, at) = self.from;
        let since = |sample: u64| (self.said.saturating_sub(sample)) * 1_000 / u64::from(rate_hz.max(1));
        if self.said == at {
            return from;
        }
        match self.word {
            // Nothing of it was handed on.
            Some(word) if word.sample >= self.said => word.byte,
            Some(word) => {
                let rest = text.get(word.byte..).unwrap_or_default();
                let letters = rest.split_whitespace().next().unwrap_or_default().chars().count() as u64;
                let whole = since(word.sample) >= letters * MS_PER_CHAR;
                if whole { word.byte + next_word(rest) } else { word.byte }
            }
            None => {
                let rest = text.get(from..).unwrap_or_default();
                let spoken = (since(at) * CHARS_PER_SECOND / 1_000) as usize;
                let byte = rest.char_indices().nth(spoken).map_or(rest.len(), |(byte, _)| byte);
                from + rest[..byte].rfind(char::is_whitespace).map_or(0, |space| space + 1)
            }
        }
        .min(text.len())
    }

    fn of_sentence(&self, word: WordStart) -> WordStart {
        WordStart { byte: word.byte + self.from.0, sample: word.sample + self.from.1 }
    }

    fn hand_on(&mut self, samples: Arc<[i16]>, words: Vec<WordStart>) -> Option<TtsChunk> {
        self.said += samples.len() as u64;
        self.since = None;
        (!samples.is_empty() || !words.is_empty()).then_some(TtsChunk { samples, words })
    }
}

/// Bytes up to the second word of `text`.
fn next_word(text: &str) -> usize {
    let word = text.find(char::is_whitespace).unwrap_or(text.len());
    word + (text[word..].len() - text[word..].trim_start().len())
}
