//! Never two agent utterances at once.
//!
//! By ear, not by the switch's own account: the words that the ear got, in order, must be words of the utterances in their order. A word of
//! an utterance that is over, or a sentence that is said twice, has no place in that row. And two voices on top of each other, or in turns
//! of a chunk, leave no word whole: speech in which no word can be told.
//!
//! A voice that was held says the word again in which it stopped, and no more than that (`said_again`).

use std::collections::BTreeSet;
use std::time::Duration;

use tandem_peers::voice::Heard;

use super::order::places;
use super::said_again;
use super::{Breach, Invariant};
use crate::{Over, Run};

/// The longest speech without a word: the longest word, cut off before its end (`tandem_peers::universe::ear`).
const WORDLESS: Duration = Duration::from_millis(1_750);

/// Words out of order, and speech without words.
pub fn check(run: &Run) -> Vec<Breach> {
    if let Over::Violation(_) = run.over.1 {
        return Vec::new(); // the line was cut there
    }
    let (at, length) = run.tape.longest_without_word();
    let garbled = (length > WORDLESS && run.doubtful_sentences().next().is_none()).then(|| Breach {
        invariant: Invariant::OneVoice,
        at,
        what: format!("{} ms of speech in which no word can be told", length.as_millis()),
    });
    out_of_order(run).into_iter().chain(garbled).collect()
}

fn out_of_order(run: &Run) -> Option<Breach> {
    let said: Vec<&str> = run.responses().flat_map(|response| response.text.split_whitespace()).collect();
    let doubtful: BTreeSet<&str> = run.doubtful_sentences().flat_map(str::split_whitespace).collect();
    let heard: Vec<&Heard> =
        said_again::once(run).into_iter().filter(|word| !doubtful.contains(word.text.as_str())).collect();
    let words: Vec<&str> = heard.iter().map(|word| word.text.as_str()).collect();
    let stray = places(&words, &said).iter().zip(&heard).find(|(place, _)| place.is_none()).map(|(_, word)| *word);
    stray.map(|word| {
        let before: Vec<&str> =
            run.heard.iter().filter(|other| other.end <= word.start).map(|other| other.text.as_str()).collect();
        let before = before[before.len().saturating_sub(5)..].join(" ");
        Breach {
            invariant: Invariant::OneVoice,
            at: run.tape.at(word.start),
            what: format!("the ear got {:?} after {before:?}, where no utterance has it", word.text),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::made_up::made_up;
    use super::*;

    #[test]
    fn utterances_one_after_the_other_are_fine() {
        let run = made_up().says("one two three").says("four five").run();
        assert_eq!(out_of_order(&run), None);
    }

    #[test]
    fn a_cut_utterance_and_the_next_are_fine() {
        let run = made_up().says_but("one two three", "one").says("four five").run();
        assert_eq!(out_of_order(&run), None);
    }

    #[test]
    fn a_word_of_an_utterance_that_is_over_is_a_breach() {
        let mut run = made_up().says_but("one two three", "one").says("four five").run();
        let mut late = run.heard[2].clone();
        late.text = "three".into();
        run.heard.push(late);
        assert!(out_of_order(&run).is_some());
    }

    #[test]
    fn a_sentence_said_twice_is_a_breach() {
        let mut run = made_up().says("one two three").run();
        run.heard.extend(run.heard.clone());
        assert!(out_of_order(&run).is_some());
    }

    #[test]
    fn a_voice_that_goes_on_after_a_hold_is_one_voice_and_one_that_begins_again_is_not() {
        let on = made_up().says("one two three").held(true).says_on("three four", "one two three four").run();
        assert_eq!(out_of_order(&on), None);
        let again =
            made_up().says("one two three").held(true).says_on("one two three four", "one two three four").run();
        assert!(out_of_order(&again).is_some());
    }

    #[test]
    fn two_voices_at_once_leave_no_word_to_be_told() {
        let one = tandem_peers::voice::speak("What kind of property are you looking for?");
        let other = tandem_peers::voice::Talker::numbered(9).speak("Which city would you like to live in?").samples;
        let mut run = made_up().run();
        let mixed: Vec<i16> = one.iter().zip(&other).map(|(a, b)| a.saturating_add(*b)).collect();
        run.tape.ear = mixed[..mixed.len() / 160 * 160].to_vec();
        run.tape.agent_samples = vec![160; run.tape.ear.len() / 160];
        assert!(check(&run).iter().any(|breach| breach.what.contains("no word can be told")));
        run.tape.ear = one[..one.len() / 160 * 160].to_vec();
        run.tape.agent_samples = vec![160; run.tape.ear.len() / 160];
        assert_eq!(check(&run), []);
    }
}
