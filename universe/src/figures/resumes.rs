//! Whether an agent that went on after it was held did so at the right word: none lost, at most one said again.

use std::time::Duration;

use super::spoken::Spoken;

/// Each place where an utterance stopped for a `clear` and went on: when, and whether at the right word.
pub(super) fn resumes(spoken: &Spoken) -> Vec<(Duration, bool)> {
    let mut found = Vec::new();
    for pair in spoken.words.windows(2) {
        let [before, after] = pair else { continue };
        let (Some((utterance, last)), Some((of, next))) = (before.place, after.place) else { continue };
        if after.behind_a_clear && utterance == of && !spoken.is_doubtful(utterance) {
            found.push((after.from, next == last + 1 || next == last));
        }
    }
    found
}
