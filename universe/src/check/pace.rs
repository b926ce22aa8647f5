//! Whether what was heard took as long as it was made: not sped up to catch up, not drawn out by what was put between.
//!
//! Judged by the ear alone, sentence by sentence: from its first word to its last, as the voice made it and as it was heard. A sentence that was
//! not heard whole in one go says nothing here; that is [`super::ear`]'s matter, and [`super::glitch`]'s.

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

/// The first of them.
pub(super) fn off(run: &Run) -> Option<OffPace> {
    let heard: Vec<&str> = run.heard.iter().map(|word| word.text.as_str()).collect();
    let mut from = 0;
    run.overheard.iter().find_map(|(_, overheard)| {
        let Overheard::Speak(text, None) = overheard else { return None };
        let spoken = Talker::default().speak(text);
        let words: Vec<&str> = text.split_whitespace().collect();
        let (first, last) = (spoken.words.first()?, spoken.words.last()?);
        let place = from + heard.get(from..)?.windows(words.len().max(1)).position(|window| window == words)?;
        from = place + words.len();
        let made = run.tape.at((last.samples.start - first.samples.start) as u64);
        let (begin, end) = (run.heard.get(place)?.start, run.heard.get(from - 1)?.start);
        let took = run.tape.at(end.saturating_sub(begin));
        (took.abs_diff(made) > TOLERATED).then(|| OffPace {
            at: run.tape.at(begin),
            text: text.clone(),
            made,
            heard: took,
        })
    })
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
        assert_eq!(off(&heard_in(100)), None);
    }

    #[test]
    fn what_is_sped_up_or_drawn_out_does_not() {
        for percent in [90, 110] {
            assert_eq!(off(&heard_in(percent)).map(|off| off.text), Some(TEXT.to_owned()), "{percent} %");
        }
    }

    #[test]
    fn a_sentence_that_was_cut_says_nothing() {
        let mut run = heard_in(50);
        run.heard.truncate(3);
        assert_eq!(off(&run), None);
    }
}
