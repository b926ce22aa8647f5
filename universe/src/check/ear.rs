//! The transcript is what the ear heard.
//!
//! The words that the records claim are laid beside the words in the ear. design.md section 12 item 7: exact to the word where the voice tells
//! its words' times and the carrier returns marks; within one word elsewhere; and never a word that was not sent.
//!
//! "Exact" ends where physics begins: what the switch knows of the ear at the instant of a cut is old by the way up, and its `clear` takes the
//! way down. A word that ended within that time before the silence may be missing from the record. One that was not heard to its end may
//! never be in it.
//!
//! A word that was said again after a hold (`said_again`) was heard, and is laid beside the record once.
//!
//! A sentence that the vendor broke (noise, a voice that stops in the middle or never stops) is not held against the record: no one can tell.

use std::collections::BTreeSet;
use std::time::Duration;

use tandem_domain::record::AgentResponse;
use tandem_peers::voice::{Heard, Talker};

use super::order::{Tie, places_preferring};
use super::said_again;
use super::{Breach, Invariant};
use crate::{Over, Run};

/// Samples of silence between two words, and behind punctuation: the voice's own.
const WORD_GAP: u64 = 384;
const PAUSE: u64 = 960;
/// A frame at each end that is played once it has begun, and one of the carrier's clock.
const FRAMES: Duration = Duration::from_millis(60);

/// A word that was meant, of which utterance, and whether the record claims it.
struct Word<'run> {
    text: &'run str,
    response: usize,
    claimed: bool,
}

impl AsRef<str> for Word<'_> {
    fn as_ref(&self) -> &str {
        self.text
    }
}

/// Words claimed that were not heard, and words heard that were not claimed.
///
/// Where one sentence was said several times, a word may be of any of them: what can be read in a way that agrees is held against nobody.
pub fn check(run: &Run) -> Vec<Breach> {
    let early = check_as(run, Tie::Early);
    if early.is_empty() { early } else { std::cmp::min_by_key(check_as(run, Tie::Late), early, Vec::len) }
}

fn check_as(run: &Run, tie: Tie) -> Vec<Breach> {
    if let Over::Violation(_) = run.over.1 {
        return Vec::new(); // the line was cut there
    }
    let responses: Vec<&AgentResponse> = run.responses().collect();
    let meant: Vec<Word<'_>> =
        responses.iter().enumerate().flat_map(|(index, response)| words(index, response)).collect();
    let doubtful: BTreeSet<&str> = run.doubtful_sentences().flat_map(str::split_whitespace).collect();
    // A sentence that was said again and again would draw the words around it to other utterances.
    let sound: Vec<&Heard> =
        said_again::once(run).into_iter().filter(|word| !doubtful.contains(word.text.as_str())).collect();
    let heard: Vec<&str> = sound.iter().map(|word| word.text.as_str()).collect();
    let meant: Vec<Word<'_>> = meant.into_iter().filter(|word| !doubtful.contains(word.text)).collect();
    let inexact = usize::from(!run.case.tells_exactly());

    let mut got: Vec<Option<&Heard>> = vec![None; meant.len()];
    for (word, place) in sound.into_iter().zip(places_preferring(&heard, &meant, tie, |place| meant[place].claimed)) {
        if let Some(place) = place {
            got[place] = Some(word); // what has no place is one_voice's matter
        }
    }
    let mut found = Vec::new();
    for (index, response) in responses.iter().enumerate() {
        let spare = inexact + run.gaps_filled(Some(response.utterance));
        let of_it = || meant.iter().zip(&got).filter(|(word, _)| word.response == index);
        let overclaimed: Vec<&str> =
            of_it().filter(|(word, got)| word.claimed && got.is_none()).map(|(word, _)| word.text).collect();
        let unclaimed: Vec<&Heard> = of_it()
            .filter(|(word, _)| !word.claimed)
            .filter_map(|(_, got)| *got)
            .filter(|word| !may_be_missing(run, response, word))
            .collect();
        let mut breach = |at, what| found.push(Breach { invariant: Invariant::Ear, at, what });
        let utterance = response.utterance.0;
        if overclaimed.len() > spare {
            breach(
                run.over.0,
                format!("the record claims {overclaimed:?} of utterance {utterance}, which the ear did not get"),
            );
        }
        if unclaimed.len() > spare {
            let texts: Vec<&str> = unclaimed.iter().map(|word| word.text.as_str()).collect();
            let at = run.tape.at(unclaimed[0].start);
            breach(at, format!("the ear got {texts:?} of utterance {utterance}, which the record does not have"));
        }
    }
    found
}

/// The words of an utterance; what was heard is the beginning of what was meant.
fn words(response: usize, row: &AgentResponse) -> impl Iterator<Item = Word<'_>> {
    let claimed = row.heard.split_whitespace().count();
    row.text.split_whitespace().enumerate().map(move |(place, text)| Word { text, response, claimed: place < claimed })
}

/// Whether the word had just been heard when the agent was cut, too late for the switch to know.
fn may_be_missing(run: &Run, response: &AgentResponse, word: &Heard) -> bool {
    if !response.interrupted {
        return false;
    }
    let (up, down) = run.ways;
    let silent = run.tape.agent_silent_from(run.tape.at(word.start));
    whole(run, word) + up + down + run.case.chunk() + FRAMES >= silent
}

/// When the word was heard to its end, with the silence behind it.
pub(super) fn whole(run: &Run, word: &Heard) -> Duration {
    let length = Talker::default().speak(&word.text).words.first().map_or(0, |spoken| spoken.samples.len() as u64);
    let pause = if word.text.ends_with(['.', ',', '!', '?', ';', ':']) { PAUSE } else { 0 };
    run.tape.at(word.start + length + WORD_GAP + pause)
}

#[cfg(test)]
mod tests {
    use super::super::made_up::made_up;
    use super::*;

    #[test]
    fn what_was_heard_is_on_record() {
        assert_eq!(check(&made_up().says("one two three").says_but("four five six", "four").run()), []);
    }

    #[test]
    fn a_word_on_record_that_nobody_heard_is_a_breach() {
        let mut run = made_up().says("one two three").run();
        run.heard.pop();
        assert!(check(&run)[0].what.contains("claims [\"three\"]"));
    }

    #[test]
    fn a_word_heard_long_before_the_cut_must_be_on_record() {
        let mut run = made_up().says_but("one two three four", "one two three").run();
        made_up::claim(&mut run, 0, "one");
        assert!(check(&run)[0].what.contains("[\"two\""), "{:?}", check(&run));
    }

    #[test]
    fn a_word_heard_right_before_the_cut_may_be_missing() {
        let mut run = made_up().says_but("one two three", "one two").run();
        made_up::claim(&mut run, 0, "one");
        assert_eq!(check(&run).len(), 1, "two was over long before");
        run.ways = (Duration::from_millis(400), Duration::from_millis(300));
        assert_eq!(check(&run), [], "and the line is longer than that");
    }

    #[test]
    fn an_utterance_that_was_not_cut_may_miss_nothing() {
        let mut run = made_up().says("one two three").run();
        made_up::claim(&mut run, 0, "one two");
        assert_eq!(check(&run).len(), 1);
    }

    use super::super::made_up;
}
