//! How a recogniser mishears, at rates as they are measured: so many substitutions, deletions and insertions a word said.
//!
//! A word is misheard the same way whenever it is looked at again, in a partial or in a final: what decides is the seed, the word and
//! where it was said. Swaps are those of telephone recognisers where the word has one, else any common word.

use serde::{Deserialize, Serialize};

use crate::dice::Dice;
use crate::voice::Heard;

/// Errors per word said, each 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecognitionErrors {
    /// Another word was understood.
    pub substitution: f64,
    /// The word was not understood at all.
    pub deletion: f64,
    /// A word was understood behind it that nobody said.
    pub insertion: f64,
}

/// Where a word was said counts in steps of so many samples: a stream fed again finds words within 4 ms of where they were.
const PLACE_SAMPLES: u64 = 800;
/// Confidence of a transcript in which all is well is above this, and of one in which all is wrong it falls by [`DOUBT`].
const SURE: f64 = 0.9;
const DOUBT: f64 = 0.5;

/// Words that sound alike on a telephone.
const CONFUSIONS: [(&str, &str); 22] = [
    ("apartment", "department"),
    ("budget", "gadget"),
    ("buy", "by"),
    ("crore", "core"),
    ("delhi", "daily"),
    ("eight", "ate"),
    ("eighteen", "eighty"),
    ("fifteen", "fifty"),
    ("five", "fine"),
    ("flat", "flag"),
    ("four", "for"),
    ("lakh", "lack"),
    ("mumbai", "number"),
    ("nine", "mine"),
    ("no", "now"),
    ("pune", "puny"),
    ("rent", "went"),
    ("sixteen", "sixty"),
    ("three", "free"),
    ("two", "to"),
    ("villa", "willow"),
    ("yes", "guess"),
];
/// What is understood where nothing sounds alike.
const COMMON: [&str; 12] = ["the", "and", "you", "a", "is", "it", "of", "in", "so", "that", "um", "well"];

impl RecognitionErrors {
    /// Errors of a kind that adds up to this word error rate, in the proportions usual on telephone speech: six substitutions to three
    /// deletions and one insertion.
    pub fn of_rate(word_error_rate: f64) -> Self {
        // few digits, so that the plan reads back as it was written
        let share = |part: f64| (word_error_rate * part * 10_000.0).round() / 10_000.0;
        Self { substitution: share(0.6), deletion: share(0.3), insertion: share(0.1) }
    }

    /// What is understood of these words, and how sure the recogniser is of it (0 to 1; 0 for nothing).
    pub(super) fn recognise<'a>(&self, seed: u64, words: impl IntoIterator<Item = &'a Heard>) -> (String, f32) {
        let (mut understood, mut said, mut wrong) = (Vec::new(), 0_u32, 0_u32);
        for word in words {
            said += 1;
            let before = understood.len();
            self.understand(seed, word, &mut understood);
            wrong += u32::from(understood[before..] != [word.text.as_str()]);
        }
        if understood.is_empty() {
            return (String::new(), 0.0);
        }
        let confidence = match *self == Self::default() {
            true => 1.0,
            false => {
                let doubt = DOUBT * f64::from(wrong) / f64::from(said);
                SURE + (1.0 - SURE) * Dice::numbered(seed, u64::from(said)).unit() - doubt
            }
        };
        (understood.join(" "), confidence as f32)
    }

    fn understand(&self, seed: u64, word: &Heard, understood: &mut Vec<String>) {
        let mut dice = Dice::stream(seed.wrapping_add(word.start / PLACE_SAMPLES), &word.text);
        let fate = dice.unit();
        if fate >= self.substitution + self.deletion {
            understood.push(word.text.clone());
        } else if fate < self.substitution {
            understood.push(confused(&word.text, &mut dice));
        }
        if dice.chance(self.insertion) {
            understood.push(any(&mut dice));
        }
    }
}

/// Another word for this one, with its punctuation.
fn confused(word: &str, dice: &mut Dice) -> String {
    let bare = word.trim_end_matches(|letter: char| letter.is_ascii_punctuation());
    let lower = bare.to_lowercase();
    let alike = CONFUSIONS.iter().find_map(|(one, other)| match lower.as_str() {
        word if word == *one => Some((*other).to_owned()),
        word if word == *other => Some((*one).to_owned()),
        _ => None,
    });
    let other = alike.unwrap_or_else(|| any(dice));
    // the word itself would be no error
    let other = if other == lower { COMMON[usize::from(lower == COMMON[0])].to_owned() } else { other };
    other + &word[bare.len()..]
}

fn any(dice: &mut Dice) -> String {
    dice.pick(&COMMON).copied().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wer::{WordErrors, word_errors};

    fn words(text: &str, from: u64) -> Vec<Heard> {
        let place = |index: usize| from + index as u64 * 4_000;
        text.split(' ')
            .enumerate()
            .map(|(index, word)| Heard { text: word.to_owned(), start: place(index), end: place(index) + 3_000 })
            .collect()
    }

    #[test]
    fn the_rate_is_the_one_asked_for() {
        let errors = RecognitionErrors::of_rate(0.12);
        let said = "I want a flat in Delhi for about fifteen lakh please";
        let mut sum = WordErrors::default();
        for turn in 0..400_u64 {
            let (text, _) = errors.recognise(1, &words(said, turn * 100_000));
            sum += word_errors(said, &text);
        }
        // alignment may read a deletion beside an insertion as one substitution, so a little is lost
        assert!((0.10..0.13).contains(&sum.rate()), "{sum:?} {}", sum.rate());
        assert!(sum.substitutions > sum.deletions && sum.deletions > sum.insertions, "{sum:?}");
    }

    #[test]
    fn a_word_looked_at_again_is_misheard_the_same_way() {
        let errors = RecognitionErrors::of_rate(0.5);
        let all = words("we would like three rooms in Mumbai", 8_000);
        let (whole, _) = errors.recognise(3, &all);
        let (part, _) = errors.recognise(3, &all[..4]);
        assert!(whole.starts_with(&part), "{part:?} of {whole:?}");
        let moved: Vec<Heard> =
            all.iter().cloned().map(|word| Heard { start: word.start + 30, end: word.end + 30, ..word }).collect();
        assert_eq!(errors.recognise(3, &moved).0, whole);
    }

    #[test]
    fn confidence_falls_with_errors() {
        let all = words("yes no two five", 0);
        assert_eq!(RecognitionErrors::default().recognise(1, &all), ("yes no two five".to_owned(), 1.0));
        let hopeless = RecognitionErrors { substitution: 1.0, ..RecognitionErrors::default() };
        let (text, confidence) = hopeless.recognise(1, &all);
        assert_eq!(text, "guess now to fine");
        assert!(confidence < 0.6, "{confidence}");
        assert_eq!(RecognitionErrors::default().recognise(1, &[]), (String::new(), 0.0));
    }

    #[test]
    fn punctuation_stays_and_no_word_is_confused_with_itself() {
        let mut dice = Dice::new(1);
        assert_eq!(confused("Delhi,", &mut dice), "daily,");
        for word in COMMON {
            for _ in 0..50 {
                assert_ne!(confused(word, &mut dice), word);
            }
        }
    }
}
