//! Whether words were heard in the order in which they were meant.

/// Words that came out of order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disorder {
    /// Place of the word among all that were heard.
    pub heard: usize,
    /// The word.
    pub word: String,
    /// The sentence that was being heard, as an index into those that were meant.
    pub during: usize,
}

/// Finds the first word that belongs to none of the places it may come from: within its sentence in order, or the beginning of a later
/// sentence. A sentence may break off and may be skipped, and one may be begun again where it stopped: that is repetition, not mixture.
///
/// `meant` are the sentences in the order in which they were given to the voice. `None` if all is in order.
pub fn interleaved<'a>(heard: impl IntoIterator<Item = &'a str>, meant: &[&str]) -> Option<Disorder> {
    let sentences: Vec<Vec<&str>> = meant.iter().map(|sentence| sentence.split_whitespace().collect()).collect();
    // Everywhere that the word before may have been: the same words may stand in several sentences.
    let mut places: Vec<(usize, usize)> = Vec::new();
    for (index, word) in heard.into_iter().enumerate() {
        let follows = |&(sentence, at): &(usize, usize)| {
            sentences[sentence].get(at + 1..).is_some_and(|rest| rest.contains(&word))
        };
        let mut next: Vec<(usize, usize)> = Vec::new();
        for place in places.iter().filter(|place| follows(place)) {
            let (sentence, at) = *place;
            let later = sentences[sentence].iter().enumerate().skip(at + 1);
            next.extend(later.filter(|(_, other)| **other == word).map(|(at, _)| (sentence, at)));
        }
        // or a later sentence begins; a word of it may have been lost, so any place in it will do
        let earliest = places.iter().map(|(sentence, _)| sentence + 1).min().unwrap_or(0);
        for (sentence, words) in sentences.iter().enumerate().skip(earliest) {
            next.extend(words.iter().enumerate().filter(|(_, other)| **other == word).map(|(at, _)| (sentence, at)));
        }
        // or the same one is said again from its beginning
        for &(sentence, _) in &places {
            if sentences[sentence].first() == Some(&word) {
                next.push((sentence, 0));
            }
        }
        next.sort_unstable();
        next.dedup();
        if next.is_empty() {
            let during = places.first().map_or(0, |(sentence, _)| *sentence);
            return Some(Disorder { heard: index, word: word.to_owned(), during });
        }
        places = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEANT: [&str; 3] = ["An apartment in Delhi.", "What is your budget?", "Where should it be?"];

    fn check(heard: &str) -> Option<String> {
        interleaved(heard.split_whitespace(), &MEANT).map(|disorder| disorder.word)
    }

    #[test]
    fn whole_broken_off_skipped_and_repeated_sentences_are_in_order() {
        for heard in [
            "",
            "An apartment in Delhi. What is your budget? Where should it be?",
            "An apartment What is Where should it be?",
            "What is your budget?",
            "An apartment An apartment in Delhi. What is your budget?",
            "An in Delhi. is your budget?",
        ] {
            assert_eq!(check(heard), None, "{heard}");
        }
    }

    #[test]
    fn two_sentences_in_each_other_are_not() {
        assert_eq!(check("An What apartment is in your Delhi. budget?").as_deref(), Some("apartment"));
        assert_eq!(check("Where should What is it be?").as_deref(), Some("What"));
        assert_eq!(check("budget? Delhi.").as_deref(), Some("Delhi."));
        assert_eq!(check("An elephant").as_deref(), Some("elephant"), "a word that nobody meant");
    }
}
