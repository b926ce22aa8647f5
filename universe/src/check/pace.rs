//! Whether what was heard took as long as it was made: not sped up to catch up, not drawn out by what was put between.
//!
//! Judged by the ear alone, sentence by sentence: from its first word to its last, as the voice made it and as it was heard. A sentence that was
//! not heard whole in one go says nothing here; that is [`super::ear`]'s matter, and [`super::glitch`]'s. Where that is so of more than half, nothing
//! is known of the pace, and a promise of it is broken.

use std::time::Duration;

use tandem_peers::voice::Talker;

use crate::Run;
use crate::exchange::Overheard;

/// Two frames: what concealed one late chunk, and the exactness of a mark.
const TOLERATED: Duration = Duration::from_millis(40);

/// A sentence that was heard at another pace than it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OffPace {
    /// Its first word.
    pub(super) at: Duration,
    /// What was said.
    pub(super) text: String,
    /// How long it was.
    pub(super) made: Duration,
    /// How long the ear took.
    pub(super) heard: Duration,
}

/// What the ear says of the pace of all sentences.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Judged {
    /// Sentences that the voice was asked for and made.
    pub(super) asked: usize,
    /// Those that were heard whole in one go.
    pub(super) whole: usize,
    /// The first that was heard at another pace.
    pub(super) off: Option<OffPace>,
}

impl Judged {
    /// Enough was heard to judge a call by.
    pub(super) fn is_enough(&self) -> bool {
        self.whole > 0 && self.whole * 2 >= self.asked
    }
}

/// All sentences, laid beside what was heard.
pub(super) fn judge(run: &Run) -> Judged {
    let heard: Vec<&str> = run.heard.iter().map(|word| word.text.as_str()).collect();
    let (mut from, mut judged) = (0, Judged::default());
    for (_, overheard) in &run.overheard {
        let Overheard::Speak(text, None) = overheard else { continue };
        let spoken = Talker::default().speak(text);
        let words: Vec<&str> = text.split_whitespace().collect();
        let (Some(first), Some(last)) = (spoken.words.first(), spoken.words.last()) else { continue };
        judged.asked += 1;
        let Some(place) = heard[from..].windows(words.len().max(1)).position(|window| window == words) else {
            continue;
        };
        let place = from + place;
        from = place + words.len();
        judged.whole += 1;
        let made = run.tape.at((last.samples.start - first.samples.start) as u64);
        let (begin, end) = (run.heard[place].start, run.heard[from - 1].start);
        let took = run.tape.at(end.saturating_sub(begin));
        if took.abs_diff(made) > TOLERATED {
            let off = || OffPace { at: run.tape.at(begin), text: text.clone(), made, heard: took };
            judged.off.get_or_insert_with(off);
        }
    }
    judged
}

#[cfg(test)]
mod tests {
    use super::super::made_up::made_up;
    use super::*;

    const TEXT: &str = "one two three four five";

    fn heard_in(percent_of_its_time: u64) -> Run {
        let mut run = made_up().says(TEXT).run();
        run.overheard.push((Duration::ZERO, Overheard::Speak(TEXT.into(), None)));
        for (word, made) in run.heard.iter_mut().zip(Talker::default().speak(TEXT).words) {
            word.start = made.samples.start as u64 * percent_of_its_time / 100;
        }
        run
    }

    #[test]
    fn what_is_heard_as_it_was_made_keeps_its_pace() {
        assert_eq!(judge(&heard_in(100)), Judged { asked: 1, whole: 1, off: None });
    }

    #[test]
    fn what_is_sped_up_or_drawn_out_does_not() {
        for percent in [90, 110] {
            assert_eq!(judge(&heard_in(percent)).off.map(|off| off.text), Some(TEXT.to_owned()), "{percent} %");
        }
    }

    #[test]
    fn a_sentence_that_was_cut_says_nothing_and_if_most_were_nothing_is_judged() {
        let mut run = heard_in(50);
        run.heard.truncate(3);
        assert_eq!((judge(&run).off, judge(&run).is_enough()), (None, false));
        let mut run = heard_in(100);
        assert!(judge(&run).is_enough());
        for (unheard, is_enough) in [(1, true), (2, false)] {
            run.overheard.push((Duration::ZERO, Overheard::Speak("never heard".into(), None)));
            assert_eq!(judge(&run).is_enough(), is_enough, "1 whole, {unheard} not heard");
        }
    }
}
