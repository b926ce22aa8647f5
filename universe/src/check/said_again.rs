//! What a voice that was held says again when it goes on.
//!
//! ```text
//!  switch   … property are │ hold        resume │ are you looking for?
//!  ear      … property are you │ clear          │ are you looking for?
//!                              └ the ways' delay: "you" was heard, and the switch did not know yet
//! ```
//!
//! It goes on at the beginning of the word in which it stopped, as far as the switch knows: what the line had hidden of the words before the
//! `clear` is heard twice, and nothing else may be. Which words are those is told by laying the ear's words into what was meant (`laying`), for
//! not each word can be told: one in which a gap was filled, or which the next hold cut, was said all the same. Not here: whether it was right to
//! go on.

mod laying;

use std::collections::BTreeMap;
use std::time::Duration;

use tandem_peers::carrier::FRAME_SAMPLES;
use tandem_peers::voice::Heard;

use crate::Run;

/// A frame at each end that is played once it has begun, and one of the carrier's clock.
const FRAMES: Duration = Duration::from_millis(60);
/// A mark that stays out holds back what counts as heard for so long (`tandem_domain::playout`).
const MARK_GRACE: Duration = Duration::from_secs(1);

/// The words in the ear, each once: of those that a voice said before a `clear` and again behind it, one saying.
///
/// That is the second, unless it stopped again before it had come as far as the first.
pub(super) fn once(run: &Run) -> Vec<&Heard> {
    let laid = laying::laid(run);
    let mut kept: Vec<(Option<usize>, &Heard)> = Vec::with_capacity(run.heard.len());
    let mut from = 0;
    while from < laid.len() {
        let to = (from + 1..laid.len()).find(|&word| laid[word].again).unwrap_or(laid.len());
        let section = laid[from..to].iter().map(|word| word.place).zip(&run.heard[from..to]);
        let last = kept.iter().rev().find_map(|(place, _)| *place).filter(|_| laid[from].again);
        let reach = laid[from..to].iter().filter_map(|word| word.place).max();
        if last.is_some() && reach < last {
            kept.extend(section.filter(|(place, _)| place.is_none()));
        } else {
            if laid[from].again {
                kept.retain(|(place, _)| *place < laid[from].place || place.is_none());
            }
            kept.extend(section);
        }
        from = to;
    }
    kept.into_iter().map(|(_, word)| word).collect()
}

/// When the carrier had each `clear`.
fn clears(run: &Run) -> impl Iterator<Item = Duration> {
    run.tape.clears.iter().map(|frame| run.tape.at((frame * FRAME_SAMPLES) as u64))
}

/// What the switch may not know yet of the ear when it holds its voice, until the carrier has the `clear`.
fn allowed(run: &Run) -> Duration {
    let (up, down) = run.ways;
    let marks = if run.case.tells_exactly() { Duration::ZERO } else { MARK_GRACE };
    up + down + run.case.chunk() + FRAMES + marks
}

/// When the carrier had the `clear`s behind which, by the record, the voice went on, and when the utterance that went on was given up, if it was:
/// of each resume the first since the word before it, and since the utterance before it was given up.
fn taken_back(run: &Run) -> BTreeMap<Duration, Duration> {
    let (up, down) = run.ways;
    let next_word = |clear: Duration| run.heard.iter().map(|word| run.tape.at(word.start)).find(|at| *at >= clear);
    let given_up: Vec<Duration> = run.events("interruption").map(|(at, _)| at).collect();
    let of_resume = |at: Duration| {
        // the record counts from the stream's start, as the switch saw it: a way up later
        let before = || clears(run).filter(|clear| *clear <= at + up + down + FRAMES);
        let wordless = || before().filter(|clear| next_word(*clear).is_none_or(|next| next + FRAMES >= at));
        let ended = given_up[..given_up.partition_point(|cut| *cut < at)].last();
        let of_it = wordless().filter(|clear| ended.is_none_or(|cut| clear > cut)).min();
        let next = given_up.iter().find(|cut| **cut >= at).map_or(Duration::MAX, |cut| *cut + up + down);
        Some((of_it.or_else(|| wordless().max())?, next))
    };
    run.events("resumed").filter_map(|(at, _)| of_resume(at)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::made_up::made_up;
    use super::*;

    fn texts(run: &Run) -> Vec<&str> {
        once(run).iter().map(|word| word.text.as_str()).collect()
    }

    #[test]
    fn the_word_in_which_it_stopped_counts_once() {
        let run = made_up().says("one two three").held(true).says_on("three four", "one two three four").run();
        assert_eq!(texts(&run), ["one", "two", "three", "four"]);
    }

    #[test]
    fn a_word_that_was_over_long_before_is_a_word_too_many() {
        let mut run = made_up().says("one two three").held(true).says_on("two three four", "one two three four").run();
        assert_eq!(texts(&run).len(), 6);
        run.ways = (Duration::from_millis(600), Duration::from_millis(600));
        assert_eq!(texts(&run), ["one", "two", "three", "four"], "unless the line is that long");
    }

    #[test]
    fn without_a_resume_on_record_nothing_may_be_said_again() {
        let run = made_up().says("one two three").held(false).says_on("three four", "one two three four").run();
        assert_eq!(texts(&run).len(), 5);
        let twice = made_up().says("one").held(true).says_on("one", "one").held(false).says_on("one two", "one two");
        assert_eq!(texts(&twice.run()), ["one", "one", "two"], "each resume has its own clear");
    }

    #[test]
    fn a_word_of_several_that_was_cut_again_counts_once() {
        let mut run = made_up().says("one two three").held(true).says_on("two", "one two three four").held(false).run();
        run.ways = (Duration::from_millis(600), Duration::from_millis(600));
        assert_eq!(texts(&run), ["one", "two", "three"]);
    }

    #[test]
    fn an_answer_that_begins_like_one_that_was_cut_is_no_resume() {
        let cut = made_up().says("sorry say").held(false).says("sorry say it");
        assert_eq!(texts(&cut.held(true).says_on("it again", "sorry say it again").run()).len(), 6);
    }
    #[test]
    fn an_answer_that_begins_like_one_that_went_on_and_was_cut_is_no_repetition() {
        let cut = made_up().says_but("one two three", "one two").held(true).held(false).cut();
        assert_eq!(texts(&cut.pause(Duration::from_millis(500)).says("two four").run()), ["one", "two", "two", "four"]);
    }

    #[test]
    fn a_resume_has_its_clear_behind_the_utterance_that_was_cut_before_it() {
        let cut = made_up().says_but("an apartment", "an").held(false).cut().pause(Duration::from_millis(500));
        let run = cut.held(true).says("an apartment").run();
        assert_eq!(texts(&run), ["an", "an", "apartment"], "nothing was heard of the one that went on");
    }
}
