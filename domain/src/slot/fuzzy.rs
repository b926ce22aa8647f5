//! Finds known phrases among words that a telephone recogniser may have misspelt, split or joined: "a part ment", "delly", "white field".
//!
//! Phrases are compared without their spaces. An exact hit always wins over a likeness; likeness is asked for position by position, because
//! hearing a city in every noun would be worse than asking again. No dictionary of sounds: a consonant skeleton does for names.

use std::collections::BTreeMap;

use super::words::is_listed;

/// Words that are never taken for a misheard phrase.
const COMMON: &str = "a about actually after again all also am an and any are around as ask at be been before best budget but buy by \
    call can cant city could crore daily did do does dont find fine first for from get give go going good got had \
    has have he hear hello help her here him his hold home hours how i id if ill im in interested is it its ive just \
    know lakh later let like line little live long look looking lot made main make many may maybe me mean money more \
    much my name near need never new nice no not nothing now of off office okay on one only or other our out over \
    pay people phone place please price quite range really right rupees said same say see sell she should show small \
    so some something somewhere soon sorry sure take talk tell than thank thanks that thats the their them then \
    there these they thing think this those time to today tomorrow too under until up us very wait want wanted was \
    way we well were what when where which who why will with within wont would wrong year yes you your";

/// True for words that carry no name.
pub(crate) fn is_common(word: &str) -> bool {
    is_listed(COMMON, word)
}

/// Known phrases, each leading to a target (an index of the owner's).
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Lexicon {
    exact: BTreeMap<String, usize>,
    misheard: BTreeMap<String, usize>,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    compact: String,
    skeleton: String,
    target: usize,
}

/// A phrase found in `words[start..end]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hit {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) target: usize,
    /// 1 is exact; likenesses lie below 0.95.
    pub(crate) score: f32,
}

/// Words joined at most when looking for one phrase.
const WIDEST: usize = 4;
/// Least likeness of letters: one slip in six.
const LIKE: f64 = 0.82;
/// Likeness asked of words that also sound alike.
const LIKE_IN_SOUND: f64 = 0.8;
const GREATEST_LIKENESS: f64 = 0.94;
/// Likeness of a listed mishearing.
const MISHEARD: f32 = 0.9;

impl Lexicon {
    /// Adds a phrase; the first owner of a spelling keeps it.
    pub(crate) fn add(&mut self, phrase: &[String], target: usize) {
        let compact = phrase.concat();
        if compact.is_empty() || self.exact.contains_key(&compact) {
            return;
        }
        self.exact.insert(compact.clone(), target);
        self.entries.push(Entry { skeleton: skeleton(&compact), compact, target });
    }

    /// Adds what recognisers make of a phrase. It counts only where likenesses are allowed, so that "daily" can be Delhi after "in" alone.
    pub(crate) fn add_misheard(&mut self, phrase: &[String], target: usize) {
        self.misheard.entry(phrase.concat()).or_insert(target);
    }

    /// What recognisers make of the phrases, with the targets.
    pub(crate) fn misheard(&self) -> impl Iterator<Item = (&str, usize)> {
        self.misheard.iter().map(|(phrase, target)| (phrase.as_str(), *target))
    }

    /// All phrases, without their spaces, with their targets, in the order they were added.
    pub(crate) fn phrases(&self) -> impl Iterator<Item = (&str, usize)> {
        self.entries.iter().map(|entry| (entry.compact.as_str(), entry.target))
    }

    /// Phrases in the order of the words, none overlapping another or a word that is not `free`.
    /// `near(i)` allows likenesses that begin at word `i`.
    pub(crate) fn find(&self, words: &[String], free: &[bool], near: impl Fn(usize) -> bool) -> Vec<Hit> {
        let mut hits = Vec::new();
        for start in 0..words.len() {
            let allowed = near(start);
            for end in start + 1..=(start + WIDEST).min(words.len()) {
                if !free[start..end].iter().all(|free| *free) {
                    break;
                }
                let heard = words[start..end].concat();
                if let Some(&target) = self.exact.get(&heard) {
                    hits.push(Hit { start, end, target, score: 1.0 });
                } else if let Some(&target) = self.misheard.get(&heard).filter(|_| allowed) {
                    hits.push(Hit { start, end, target, score: MISHEARD });
                } else if allowed && !words[start..end].iter().all(|word| is_common(word)) {
                    hits.extend(self.nearest(&heard).map(|(target, score)| Hit { start, end, target, score }));
                }
            }
        }
        // Exact before alike; of exact ones the longest, of likenesses the best; equal ones keep the order of the words.
        hits.sort_by(|a, b| {
            let (exact_a, exact_b) = (a.score >= 1.0, b.score >= 1.0);
            let (length_a, length_b) = (a.end - a.start, b.end - b.start);
            exact_b
                .cmp(&exact_a)
                .then(b.score.total_cmp(&a.score))
                .then(length_b.cmp(&length_a))
                .then(a.start.cmp(&b.start))
        });
        let mut kept: Vec<Hit> = Vec::new();
        for hit in hits {
            if kept.iter().all(|other| hit.end <= other.start || hit.start >= other.end) {
                kept.push(hit);
            }
        }
        kept.sort_by_key(|hit| hit.start);
        kept
    }

    /// The most alike phrase, if any is alike enough.
    fn nearest(&self, heard: &str) -> Option<(usize, f32)> {
        let (length, first) = (heard.chars().count(), heard.chars().next()?);
        if length < 4 || heard.bytes().any(|b| b.is_ascii_digit()) {
            return None;
        }
        let sound = skeleton(heard);
        let mut best: Option<(usize, f64)> = None;
        for entry in &self.entries {
            let known = entry.compact.chars().count();
            if known < 4 || known.abs_diff(length) > 3 || !entry.compact.starts_with(first) {
                continue;
            }
            let letters = strsim::normalized_damerau_levenshtein(heard, &entry.compact);
            let sounds = if sound == entry.skeleton { strsim::jaro_winkler(heard, &entry.compact) } else { 0.0 };
            let score = match (known >= 5 && letters >= LIKE, sounds >= LIKE_IN_SOUND) {
                (true, _) => letters,
                (false, true) => LIKE_IN_SOUND,
                (false, false) => continue,
            };
            if best.is_none_or(|(_, other)| score > other) {
                best = Some((entry.target, score));
            }
        }
        best.map(|(target, score)| (target, score.min(GREATEST_LIKENESS) as f32))
    }
}

/// Consonants as they sound, without repetition; a vowel only where the word begins with one.
fn skeleton(word: &str) -> String {
    let mut out = String::new();
    for (i, c) in word.chars().enumerate() {
        let sound = match c {
            'a' | 'e' | 'i' | 'o' | 'u' if i == 0 => 'a',
            'a' | 'e' | 'i' | 'o' | 'u' | 'h' | 'y' => continue,
            'c' | 'q' | 'k' | 'x' => 'k',
            'g' => 'g',
            'z' | 's' => 's',
            'v' | 'w' => 'v',
            'd' | 't' => 't',
            'b' | 'p' => 'p',
            other => other,
        };
        if !out.ends_with(sound) {
            out.push(sound);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slot::words::split;

    fn lexicon(phrases: &[&str]) -> Lexicon {
        let mut lexicon = Lexicon::default();
        for (i, phrase) in phrases.iter().enumerate() {
            lexicon.add(&split(phrase), i);
        }
        lexicon
    }

    fn found(phrases: &[&str], text: &str) -> Vec<usize> {
        let words = split(text);
        lexicon(phrases).find(&words, &vec![true; words.len()], |_| true).into_iter().map(|hit| hit.target).collect()
    }

    #[test]
    fn split_joined_and_misspelt() {
        let known = ["apartment", "Delhi", "HSR Layout", "villa"];
        assert_eq!(found(&known, "a part ment in delly"), [0, 1]);
        assert_eq!(found(&known, "an appartment near hsr lay out"), [0, 2]);
        assert_eq!(found(&known, "vila"), [3]);
    }

    #[test]
    fn ordinary_talk_is_nothing_known() {
        let known = ["apartment", "Delhi", "house", "Pune", "office"];
        assert_eq!(found(&known, "I need something for daily use, call me in two hours"), [] as [usize; 0]);
    }

    #[test]
    fn the_longer_phrase_wins() {
        assert_eq!(found(&["house", "independent house"], "an independent house"), [1]);
    }
}
