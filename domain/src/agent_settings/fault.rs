//! What is wrong with a document about an agent: every fault at once, each with the place where it stands.

use std::fmt;

/// Faults that are told of one document; the rest are counted. A client reads a screenful, not a megabyte.
pub const MOST_FAULTS: usize = 50;
/// Characters of somebody's own text that are shown again.
const MOST_SHOWN: usize = 60;

/// One place that does not fit.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}: {wrong}", if .pointer.is_empty() { "the document" } else { .pointer.as_str() })]
pub struct Fault {
    /// JSON pointer (RFC 6901) to the place, such as `/business_info/company_name`; empty for the whole document.
    pub pointer: String,
    /// What is wrong there, and what would be right.
    pub wrong: Wrong,
}

/// What may be wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Wrong {
    /// Nothing has this name.
    #[error("there is no such setting{}", .nearest.map(|name| format!("; did you mean {name}?")).unwrap_or_default())]
    Unknown {
        /// What may have been meant.
        nearest: Option<&'static str>,
    },
    /// It exists, in another place.
    #[error("belongs into {0}")]
    Misplaced(&'static str),
    /// Nobody sets it from outside.
    #[error("cannot be set: {0}")]
    ReadOnly(&'static str),
    /// Another type.
    #[error("must be {wanted}, not {found}")]
    Type {
        /// What it must be.
        wanted: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A number outside its bounds.
    #[error("{given} is out of range: {allowed}")]
    Range {
        /// As it was given.
        given: String,
        /// What may be.
        allowed: String,
    },
    /// None of the words.
    #[error("{given:?} is not one of {allowed}{}", .nearest.map(|name| format!("; did you mean {name}?")).unwrap_or_default())]
    Choice {
        /// As it was given, its beginning.
        given: String,
        /// What may be.
        allowed: String,
        /// What may have been meant.
        nearest: Option<&'static str>,
    },
    /// More than fits.
    #[error("has {found} {of}; at most {most} are kept")]
    TooMuch {
        /// How many.
        found: usize,
        /// How many may be.
        most: usize,
        /// Of what.
        of: &'static str,
    },
    /// Nested too far.
    #[error("is nested deeper than {0} levels")]
    TooDeep(usize),
    /// The same setting under another name, with another value.
    #[error("is the same setting as {0}, which has another value here")]
    Contradicts(String),
    /// A rule of its kind.
    #[error("{0}")]
    Rule(String),
    /// Must be there.
    #[error("is missing: {0}")]
    Missing(&'static str),
}

/// All that is wrong with one document.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Faults {
    /// The first of them, in the document's order.
    pub told: Vec<Fault>,
    /// How many more there are.
    pub more: usize,
}

impl Faults {
    /// Notes one. `wrong` is only made if it is told.
    pub(crate) fn push(&mut self, pointer: &str, wrong: impl FnOnce() -> Wrong) {
        if self.told.len() < MOST_FAULTS {
            self.told.push(Fault { pointer: pointer.to_owned(), wrong: wrong() });
        } else {
            self.more += 1;
        }
    }

    /// Adds those of another part of the document.
    pub(crate) fn append(&mut self, other: Self) {
        for fault in other.told {
            let Fault { pointer, wrong } = fault;
            self.push(&pointer, || wrong);
        }
        self.more += other.more;
    }

    /// Nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, fault) in self.told.iter().enumerate() {
            write!(f, "{}{fault}", if place == 0 { "" } else { "\n" })?;
        }
        if self.more > 0 { write!(f, "\nand {} more", self.more) } else { Ok(()) }
    }
}

impl std::error::Error for Faults {}

/// A place below `parent`. A key longer than anybody's name of anything is cut: the pointer goes back to who sent it.
pub fn pointer(parent: &str, key: &str) -> String {
    format!("{parent}/{}", shown(key).replace('~', "~0").replace('/', "~1"))
}

/// The beginning of a foreign text.
pub(super) fn shown(text: &str) -> String {
    let mut letters = text.chars();
    let mut shown: String = letters.by_ref().take(MOST_SHOWN).collect();
    if letters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// The name that was probably meant.
pub(crate) fn nearest(given: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    /// Likeness below which a guess would be a riddle.
    const ENOUGH: f64 = 0.86;
    let given = fold(&shown(given));
    let likeness = |name: &str| strsim::jaro_winkler(&given, name);
    let best = names.map(|name| (likeness(name), name)).max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.filter(|(likeness, _)| *likeness >= ENOUGH).map(|(_, name)| name)
}

/// One spelling for all: `firstMessage`, `first-message` and `First Message` are `first_message`.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len() + 4);
    let mut after_small = false;
    for letter in text.trim().chars() {
        if letter.is_uppercase() && after_small {
            folded.push('_');
        }
        after_small = letter.is_lowercase() || letter.is_numeric();
        match letter {
            ' ' | '-' => folded.push('_'),
            letter => folded.extend(letter.to_lowercase()),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_escaped_and_short() {
        assert_eq!(pointer("/business_info", "a/b~c"), "/business_info/a~1b~0c");
        assert_eq!(pointer("", &"x".repeat(1_000)).chars().count(), 62);
    }

    #[test]
    fn the_nearest_name_is_offered_and_a_riddle_is_not() {
        let names = || ["first_message_inbound", "eagerness", "call_timeout"].into_iter();
        assert_eq!(nearest("eagernes", names()), Some("eagerness"));
        assert_eq!(nearest("callTimeout", names()), Some("call_timeout"));
        assert_eq!(nearest("zzz", names()), None);
    }

    #[test]
    fn what_is_not_told_is_counted() {
        let mut faults = Faults::default();
        for _ in 0..MOST_FAULTS + 7 {
            faults.push("/x", || Wrong::TooDeep(1));
        }
        assert_eq!((faults.told.len(), faults.more), (MOST_FAULTS, 7));
        assert!(faults.to_string().ends_with("and 7 more"));
    }
}
