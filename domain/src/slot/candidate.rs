//! One reading of a stretch of words, and the choice among several readings of one utterance.
//!
//! People change their minds while they speak: "an apartment, sorry, a villa" is a villa, "not Delhi, Pune" is Pune, and "a house or a villa"
//! is for now a house.

/// A value read from `words[start..end]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Candidate<T> {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) value: T,
    /// 0 to 1; 1 is said exactly.
    pub(crate) confidence: f32,
}

/// The outcome of [`pick`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Picked<T> {
    /// What the caller means.
    pub(crate) chosen: Option<Candidate<T>>,
    /// Something was named only to be ruled out.
    pub(crate) ruled_out: bool,
}

/// Chooses among the readings, which come in the order of the words.
pub(crate) fn pick<T: PartialEq>(candidates: Vec<Candidate<T>>, words: &[String]) -> Picked<T> {
    let mut picked = Picked { chosen: None, ruled_out: false };
    let mut before = 0;
    for candidate in candidates {
        let (start, end) = (candidate.start, candidate.end);
        if is_ruled_out(words, before, start) {
            picked.ruled_out = true;
        } else if picked.chosen.is_none() || changes_mind(words, before, start) {
            picked.chosen = Some(candidate);
        }
        before = end;
    }
    picked
}

/// Words that take back what was said before them.
const SECOND_THOUGHTS: [&str; 25] = [
    "no",
    "nope",
    "nah",
    "nahi",
    "sorry",
    "actually",
    "rather",
    "instead",
    "mean",
    "meant",
    "wait",
    "correction",
    "wrong",
    "make",
    "oops",
    "nahin",
    "balki",
    "galat",
    "matlab",
    "badal",
    "नहीं",
    "नही",
    "बल्कि",
    "गलत",
    "बदल",
];

/// True where one of [`SECOND_THOUGHTS`] stands in `words[from..to]`.
pub(crate) fn changes_mind(words: &[String], from: usize, to: usize) -> bool {
    words.get(from..to).is_some_and(|between| between.iter().any(|word| SECOND_THOUGHTS.contains(&word.as_str())))
}

/// "not a villa", "I don't want a villa": a denial within the four words before, which is no "not sure" or "not more than".
fn is_ruled_out(words: &[String], from: usize, start: usize) -> bool {
    (from.max(start.saturating_sub(4))..start).any(|i| {
        let next = words.get(i + 1).map_or("", String::as_str);
        match words[i].as_str() {
            "not" | "isnt" | "wasnt" | "arent" => !matches!(
                next,
                "sure"
                    | "certain"
                    | "more"
                    | "over"
                    | "above"
                    | "exceeding"
                    | "beyond"
                    | "too"
                    | "just"
                    | "only"
                    | "decided"
            ),
            "dont" | "doesnt" | "didnt" => matches!(next, "want" | "need" | "like" | "say" | "mean"),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slot::words::split;

    /// Readings are the upper-case words of the text.
    fn picked(text: &str) -> (Option<String>, bool) {
        let words = split(text);
        let names: Vec<String> =
            text.split_whitespace().filter(|w| w.starts_with(char::is_uppercase)).map(str::to_lowercase).collect();
        let candidates = words
            .iter()
            .enumerate()
            .filter(|(_, word)| names.contains(word))
            .map(|(start, word)| Candidate { start, end: start + 1, value: word.clone(), confidence: 1.0 })
            .collect();
        let picked = pick(candidates, &words);
        (picked.chosen.map(|c| c.value), picked.ruled_out)
    }

    #[test]
    fn the_last_word_counts_after_a_second_thought() {
        assert_eq!(picked("in Delhi sorry in Pune"), (Some("pune".into()), false));
        assert_eq!(picked("Delhi no wait Pune actually make it Goa"), (Some("goa".into()), false));
        assert_eq!(picked("Delhi or Pune"), (Some("delhi".into()), false));
    }

    #[test]
    fn what_is_ruled_out_is_not_chosen() {
        assert_eq!(picked("not Delhi but Pune"), (Some("pune".into()), true));
        assert_eq!(picked("Pune not Delhi"), (Some("pune".into()), true));
        assert_eq!(picked("i dont want a Villa"), (None, true));
        assert_eq!(picked("i am not sure maybe Delhi"), (Some("delhi".into()), false));
    }
}
