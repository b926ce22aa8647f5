//! One of a known set of answers, however it is worded: "flat", "apartments" and "a part ment" are an apartment.

use serde::{Deserialize, Serialize};

use super::candidate::Candidate;
use super::fuzzy::Lexicon;
use super::words::split;

/// One answer of a choice slot, or one more place of a place slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// What is stored.
    pub value: String,
    /// How else callers put it.
    #[serde(default)]
    pub synonyms: Vec<String>,
    /// What recognisers make of it; understood like a synonym, but never suggested to a recogniser.
    #[serde(default)]
    pub misheard: Vec<String>,
    /// How we say it; the value itself if absent.
    #[serde(default)]
    pub say: Option<String>,
}

/// The answers of one choice slot, made ready for search.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Choices {
    lexicon: Lexicon,
    values: Vec<String>,
}

impl Choices {
    pub(crate) fn new(terms: &[Term]) -> Self {
        let mut choices = Self::default();
        for (target, term) in terms.iter().enumerate() {
            choices.values.push(term.value.clone());
            for phrase in std::iter::once(&term.value).chain(&term.synonyms) {
                let words = split(phrase);
                choices.lexicon.add(&words, target);
                if let Some(many) = plural(&words) {
                    choices.lexicon.add(&many, target);
                }
            }
            for phrase in &term.misheard {
                choices.lexicon.add_misheard(&split(phrase), target);
            }
        }
        choices
    }

    /// Answers in the order of the words. Landmarks ("near the office") are not answers.
    pub(crate) fn find(&self, words: &[String], free: &[bool], asked: bool) -> Vec<Candidate<String>> {
        self.lexicon
            .find(words, free, |_| true)
            .into_iter()
            .filter(|hit| !is_landmark(words, hit.start))
            .filter(|hit| asked || hit.score >= CLEAR)
            .map(|hit| Candidate {
                start: hit.start,
                end: hit.end,
                value: self.values[hit.target].clone(),
                confidence: hit.score,
            })
            .collect()
    }
}

/// Likeness asked of an answer to a question that was not put.
const CLEAR: f32 = 0.85;

fn plural(words: &[String]) -> Option<Vec<String>> {
    let (last, head) = words.split_last()?;
    let many = match last.strip_suffix('y') {
        Some(stem) if !stem.ends_with(|c| "aeiou".contains(c)) => format!("{stem}ies"),
        _ if last.ends_with(['s', 'x']) || last.ends_with("ch") || last.ends_with("sh") => format!("{last}es"),
        _ => format!("{last}s"),
    };
    Some(head.iter().cloned().chain([many]).collect())
}

/// "near the school", "opposite my office": up to two words stand between.
fn is_landmark(words: &[String], start: usize) -> bool {
    words[start.saturating_sub(3)..start]
        .iter()
        .any(|word| matches!(word.as_str(), "near" | "from" | "beside" | "behind" | "opposite" | "nearby" | "around"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(text: &str) -> Vec<String> {
        let term = |value: &str, synonyms: &[&str]| Term {
            value: value.to_owned(),
            synonyms: synonyms.iter().map(|s| (*s).to_owned()).collect(),
            misheard: Vec::new(),
            say: None,
        };
        let choices = Choices::new(&[
            term("apartment", &["flat"]),
            term("villa", &[]),
            term("office", &["office space"]),
            term("property", &[]),
        ]);
        let words = split(text);
        choices.find(&words, &vec![true; words.len()], true).into_iter().map(|c| c.value).collect()
    }

    #[test]
    fn wordings_of_one_answer() {
        for text in ["an apartment", "Apartments.", "a part ment", "appartment please", "flats", "apart mint"] {
            assert_eq!(heard(text), ["apartment"], "{text}");
        }
        assert_eq!(heard("office space or properties"), ["office", "property"]);
    }

    #[test]
    fn a_landmark_is_no_answer() {
        assert_eq!(heard("a villa near the office"), ["villa"]);
    }
}
