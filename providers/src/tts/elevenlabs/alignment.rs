//! From the vendor's characters and times to the words of our sentence and its samples.
//!
//! Times are relative to the audio that they come with, so the audio before it is added: counted in samples, not summed from the vendor's
//! times, because the caller's ear is reached by samples. Pure.
//!
//! The vendor repeats the text that it was sent, character by character, but makes no promise: spaces are doubled or lost, a character may be
//! two. So characters are looked for from where the last one was found, a little ahead, and what is not found is passed over.

use std::collections::VecDeque;

use tandem_domain::port::tts::WordStart;

use super::wire::Alignment;
use crate::tts::spelled::Spelled;

/// How far ahead a character is looked for, in characters: a word, or what a normaliser may have left out.
const AHEAD: usize = 12;
/// Audio may be so many times as long as its alignment says, and [`SLACK_MS`] more; beyond, it has another rate than was asked for.
const STRETCH: f64 = 2.0;
/// Silence that a voice may put around its words, in ms.
const SLACK_MS: f64 = 1_500.0;

/// Follows one sentence.
#[derive(Debug)]
pub(super) struct Follower {
    /// Characters of the text that are still to come, spaces left out: each with the byte of the sentence if a word begins with it.
    ahead: VecDeque<(char, Option<usize>)>,
    rate_hz: u32,
    /// Samples before the next piece.
    samples: u64,
    /// What the alignments so far add up to, in ms.
    aligned_ms: f64,
}

impl Follower {
    /// For a text as it was sent, whose audio has `rate_hz`.
    pub(super) fn new(spelled: &Spelled, rate_hz: u32) -> Self {
        let chars = spelled.text.char_indices().filter(|(_, c)| !c.is_whitespace());
        let ahead = chars.map(|(byte, c)| (c, spelled.origin(byte))).collect();
        Self { ahead, rate_hz, samples: 0, aligned_ms: 0.0 }
    }

    /// The words that begin in a piece of `samples` samples.
    pub(super) fn words(&mut self, alignment: Option<&Alignment>, samples: usize) -> Vec<WordStart> {
        let before = self.samples;
        self.samples += samples as u64;
        let Some(alignment) = alignment else { return Vec::new() };
        let mut words = Vec::new();
        for (char, ms) in alignment.chars.iter().zip(&alignment.char_start_times_ms) {
            let inside = (ms.max(0.0) * f64::from(self.rate_hz) / 1_000.0) as u64;
            let sample = before + inside.min(samples as u64);
            for c in char.chars().filter(|c| !c.is_whitespace()) {
                words.extend(self.find(c).map(|byte| WordStart { byte, sample }));
            }
        }
        let ends = alignment.char_start_times_ms.iter().zip(&alignment.char_durations_ms);
        self.aligned_ms += ends.map(|(start, length)| start + length).fold(0.0, f64::max);
        words
    }

    /// Whether the audio so far lasts much longer than the vendor itself says that it does: it has another rate than it was asked for.
    pub(super) fn is_stretched(&self) -> bool {
        let audio_ms = self.samples as f64 * 1_000.0 / f64::from(self.rate_hz);
        self.aligned_ms > 0.0 && audio_ms > STRETCH * self.aligned_ms + SLACK_MS
    }

    /// Goes on to `c`; the byte of the sentence if a word begins with it.
    fn find(&mut self, c: char) -> Option<usize> {
        let at = self.ahead.iter().take(AHEAD).position(|(next, _)| *next == c)?;
        self.ahead.drain(..=at).next_back()?.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn alignment(text: &str, each_ms: f64) -> Alignment {
        let chars: Vec<String> = text.chars().map(String::from).collect();
        let starts = (0..chars.len()).map(|index| index as f64 * each_ms).collect();
        Alignment { char_durations_ms: vec![each_ms; chars.len()], char_start_times_ms: starts, chars }
    }

    fn follower(sentence: &str) -> Follower {
        Follower::new(&Spelled::new(sentence, "en"), 8_000)
    }

    #[test]
    fn times_of_a_later_piece_count_from_the_audio_before_it() {
        let mut follower = follower("Hi there you");
        let words = follower.words(Some(&alignment("Hi the", 50.0)), 2_400);
        assert_eq!(words, [WordStart { byte: 0, sample: 0 }, WordStart { byte: 3, sample: 150 * 8 }]);
        let words = follower.words(Some(&alignment("re you ", 50.0)), 2_800);
        assert_eq!(words, [WordStart { byte: 9, sample: 2_400 + 150 * 8 }]);
        assert_eq!(follower.words(None, 800), []);
        assert!(!follower.is_stretched());
    }

    #[test]
    fn a_spelled_number_is_one_word_of_the_sentence() {
        let mut follower = follower("Flat 21 is free");
        let words = follower.words(Some(&alignment(" Flat twenty-one is free ", 10.0)), 8_000);
        assert_eq!(words.iter().map(|word| word.byte).collect::<Vec<_>>(), [0, 5, 8, 11]);
        assert_eq!(words[2].sample, 17 * 80);
    }

    #[test]
    fn what_the_vendor_adds_or_leaves_out_costs_no_word_after_it() {
        let mut follower = follower("one, two three");
        let words = follower.words(Some(&alignment("one  two;  thre", 10.0)), 8_000);
        assert_eq!(words.iter().map(|word| word.byte).collect::<Vec<_>>(), [0, 5, 9]);
    }

    #[test]
    fn audio_of_another_rate_is_longer_than_its_times() {
        let mut right = follower("Hello there, how are you?");
        right.words(Some(&alignment("Hello there, ", 70.0)), 13 * 70 * 8 + 4_000);
        assert!(!right.is_stretched(), "half a second of silence after the words is no other rate");
        let mut wrong = follower("Hello there, how are you?");
        wrong.words(Some(&alignment("Hello there, how are you?", 70.0)), 25 * 70 * 44);
        assert!(wrong.is_stretched());
    }

    proptest! {
        #[test]
        fn words_are_in_order_whatever_comes(
            sentence in "[a-c ]{0,40}", pieces in prop::collection::vec(("[a-c ]{0,10}", 0usize..4_000, -1e3..1e4f64), 0..6)
        ) {
            let mut follower = Follower::new(&Spelled::new(&sentence, "en"), 8_000);
            let mut last = None;
            for (text, samples, each) in pieces {
                for word in follower.words(Some(&alignment(&text, each)), samples) {
                    prop_assert!(last.is_none_or(|last| word.byte > last));
                    last = Some(word.byte);
                }
                follower.is_stretched();
            }
        }
    }
}
