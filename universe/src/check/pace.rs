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
