//! Never two agent utterances at once.
//!
//! By ear, not by the switch's own account: the words that the ear got, in order, must be words of the utterances in their order. A word of
//! an utterance that is over, or a sentence that is said twice, has no place in that row. Two voices on top of each other leave no word
//! whole, and are found by [`super::ear`].

use std::collections::BTreeSet;

use tandem_peers::voice::Heard;

use super::order::places;
use super::{Breach, Invariant};
use crate::Run;

/// Words out of order.
pub fn check(run: &Run) -> Vec<Breach> {
    let said: Vec<&str> = run.responses().flat_map(|response| response.text.split_whitespace()).collect();
    let doubtful: BTreeSet<&str> = run.doubtful_sentences().flat_map(str::split_whitespace).collect();
    let heard: Vec<&Heard> = run.heard.iter().filter(|word| !doubtful.contains(word.text.as_str())).collect();
    let words: Vec<&str> = heard.iter().map(|word| word.text.as_str()).collect();
    let stray = places(&words, &said).iter().zip(&heard).find(|(place, _)| place.is_none()).map(|(_, word)| *word);
    stray
        .map(|word| {
            let before: Vec<&str> = run.heard.iter().filter(|other| other.end <= word.start).map(|other| other.text.as_str()).collect();
            let before = before[before.len().saturating_sub(5)..].join(" ");
            Breach {
                invariant: Invariant::OneVoice,
                at: run.tape.at(word.start),
                what: format!("the ear got {:?} after {before:?}, where no utterance has it", word.text),
            }
        })
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::made_up::made_up;
    use super::*;

    #[test]
    fn utterances_one_after_the_other_are_fine() {
        let run = made_up().says("one two three").says("four five").run();
        assert_eq!(check(&run), []);
    }

    #[test]
    fn a_cut_utterance_and_the_next_are_fine() {
        let run = made_up().says_but("one two three", "one").says("four five").run();
        assert_eq!(check(&run), []);
    }

    #[test]
    fn a_word_of_an_utterance_that_is_over_is_a_breach() {
        let mut run = made_up().says_but("one two three", "one").says("four five").run();
        let mut late = run.heard[2].clone();
        late.text = "three".into();
        run.heard.push(late);
        assert_eq!(check(&run).len(), 1);
    }

    #[test]
    fn a_sentence_said_twice_is_a_breach() {
        let mut run = made_up().says("one two three").run();
        run.heard.extend(run.heard.clone());
        assert_eq!(check(&run)[0].invariant, Invariant::OneVoice);
    }
}
