//! The ledger of one utterance: what was meant, which samples carry it, and how much of it the caller heard.
//!
//! Egress is the only witness of what was heard; it reports samples, the ledger turns them into words. A word counts as heard when it was
//! played to its end, so the ledger never claims a word that the caller did not get (design.md section 12 item 7).

use serde::{Deserialize, Serialize};

use crate::port::tts::WordStart;

/// Samples that one character of speech takes where nothing better is known: 8 kHz, about 14 characters a second.
const SAMPLES_PER_CHAR: u64 = 8_000 / 14;

/// Samples of the next word that tell a word's end: 20 ms at 8 kHz. A word that was cut at its very end was not heard clearly.
const CLEARLY: u64 = 160;

/// The audio of one sentence, as far as it exists.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SentenceAudio {
    /// Samples queued so far.
    pub samples: u64,
    /// Whether that is all of it.
    pub complete: bool,
    /// Word timings, where the voice gives them.
    pub words: Vec<WordStart>,
}

/// What egress knows about an utterance at some instant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Heard {
    /// Samples of the utterance that have reached the caller's ear.
    pub samples: u64,
    /// The sentences' audio, in order; may be shorter than the list of sentences.
    pub sentences: Vec<SentenceAudio>,
}

impl Heard {
    /// Whether the sentence that is in the ear is one of `protected`; then how many samples of it are left, if all of it is made. A sentence that
    /// has not begun yet is not in the ear.
    pub fn protected_rest(&self, protected: &[usize]) -> Option<Option<u64>> {
        let mut end = 0;
        for (index, audio) in self.sentences.iter().enumerate() {
            end += audio.samples;
            if self.samples < end || !audio.complete {
                return protected.contains(&index).then(|| audio.complete.then(|| end - self.samples));
            }
        }
        None
    }
}

/// The part of `sentences` that was heard, whole words only.
pub fn heard_text(sentences: &[String], heard: &Heard) -> String {
    #[cfg(feature = "sabotage")]
    if crate::sabotage::is_off(crate::sabotage::Mechanism::Ledger) {
        return sentences.join(" ");
    }
    let mut left = heard.samples;
    let mut out: Vec<&str> = Vec::new();
    for (text, audio) in sentences.iter().zip(&heard.sentences) {
        if audio.complete && left >= audio.samples {
            left -= audio.samples;
            if audio.samples > 0 {
                out.push(text); // a voice may find nothing to say in a sentence
            }
            continue;
        }
        out.push(heard_words(text, audio, left));
        break;
    }
    out.retain(|part| !part.is_empty());
    out.join(" ")
}

/// The words of `text` that were played to their end within `samples`.
fn heard_words<'t>(text: &'t str, audio: &SentenceAudio, samples: u64) -> &'t str {
    let cut = if audio.words.is_empty() {
        let whole = if audio.complete {
            audio.samples
        } else {
            audio.samples.max(text.chars().count() as u64 * SAMPLES_PER_CHAR)
        };
        let chars = (text.chars().count() as u64 * samples).checked_div(whole).unwrap_or(0);
        text.char_indices().nth(chars as usize).map_or(text.len(), |(byte, _)| byte)
    } else {
        // A word ends where the next begins; the last one ends with the sentence, which was not reached.
        let unheard = audio.words.windows(2).find(|pair| pair[1].sample + CLEARLY > samples).map(|pair| pair[0]);
        unheard.or(audio.words.last().copied()).map_or(0, |word| word.byte)
    };
    let Some(head) = text.get(..cut) else { return "" };
    let at_boundary =
        head.is_empty() || head.ends_with(char::is_whitespace) || text[cut..].starts_with(char::is_whitespace);
    let head = if at_boundary { head } else { head.rfind(char::is_whitespace).map_or("", |space| &head[..space]) };
    head.trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(samples: u64, complete: bool) -> SentenceAudio {
        SentenceAudio { samples, complete, words: Vec::new() }
    }

    #[test]
    fn whole_sentences_and_whole_words() {
        let text = vec!["An apartment in Delhi.".to_owned(), "What is your budget?".to_owned()];
        let audio = vec![sentence(16_000, true), sentence(16_000, true)];
        let heard = |samples| heard_text(&text, &Heard { samples, sentences: audio.clone() });
        assert_eq!(heard(0), "");
        assert_eq!(heard(15_999), "An apartment in");
        assert_eq!(heard(16_000), "An apartment in Delhi.");
        assert_eq!(heard(24_000), "An apartment in Delhi. What is");
        assert_eq!(heard(32_000), "An apartment in Delhi. What is your budget?");
    }

    #[test]
    fn a_protected_sentence_is_told_by_what_is_in_the_ear() {
        let heard =
            |samples, complete| Heard { samples, sentences: vec![sentence(800, true), sentence(1_600, complete)] };
        assert_eq!(heard(799, true).protected_rest(&[1]), None);
        assert_eq!(heard(800, true).protected_rest(&[1]), Some(Some(1_600)));
        assert_eq!(heard(2_399, true).protected_rest(&[1]), Some(Some(1)));
        assert_eq!(heard(2_400, true).protected_rest(&[1]), None, "all was heard");
        assert_eq!(heard(2_400, false).protected_rest(&[1]), Some(None), "it is still being made");
        assert_eq!(heard(0, true).protected_rest(&[0]), Some(Some(800)));
        assert_eq!(Heard::default().protected_rest(&[0]), None);
    }

    #[test]
    fn word_timings_win_over_proportion() {
        let text = vec!["one two three".to_owned()];
        let words = vec![
            WordStart { byte: 0, sample: 0 },
            WordStart { byte: 4, sample: 1_000 },
            WordStart { byte: 8, sample: 9_000 },
        ];
        let heard = |samples| {
            heard_text(
                &text,
                &Heard {
                    samples,
                    sentences: vec![SentenceAudio { samples: 12_000, complete: true, words: words.clone() }],
                },
            )
        };
        assert_eq!(heard(1_159), "");
        assert_eq!(heard(1_160), "one");
        assert_eq!(heard(9_159), "one");
        assert_eq!(heard(9_160), "one two");
        assert_eq!(heard(11_999), "one two", "the last word was not played to its end");
    }

    #[test]
    fn an_unfinished_sentence_is_not_overclaimed() {
        let text = vec!["a sentence whose synthesis was still running when the caller spoke".to_owned()];
        let heard = heard_text(&text, &Heard { samples: 4_000, sentences: vec![sentence(4_000, false)] });
        assert!(heard.split(' ').count() <= 2, "half a second holds no more than two words, not {heard:?}");
    }

    #[test]
    fn a_sentence_without_sound_was_not_heard() {
        let text = ["Hello.".to_owned(), "…".to_owned(), "Goodbye.".to_owned()];
        let sentences = vec![sentence(100, true), sentence(0, true), sentence(100, true)];
        assert_eq!(heard_text(&text, &Heard { samples: 200, sentences }), "Hello. Goodbye.");
    }

    #[test]
    fn no_audio_no_claim_and_no_panic_on_any_script() {
        assert_eq!(heard_text(&["नमस्ते जी".to_owned()], &Heard::default()), "");
        for samples in 0..2_000 {
            heard_text(&["नमस्ते जी, आप कैसे हैं".to_owned()], &Heard { samples, sentences: vec![sentence(1_999, true)] });
        }
    }
}
