//! Speaks a sentence clause by clause, so that its beginning is heard while its end is still being made.
//!
//! Place: in front of a voice that takes a tenth of a second and more for each second of speech and gives a sentence all at once.
//! Not here: the sentences of an answer. They come one at a time already; a text that holds several is cut between them, too. Nor the
//! beginnings of words: the local voices know none, and a clause's would not be the sentence's, so they are dropped.
//!
//! ```text
//! "I can help you with that, and then …"  ──►  "I can help you with that,"  ──► voice ──► audio, at once
//!                                              "and then …"                ──► voice ──► audio, once somebody asks for more
//! ```
//!
//! The next clause is begun when the audio of the one before was taken and more is asked for: whoever drops the stream pays for nothing more.

use std::future::ready;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use tandem_domain::port::EventStream;
use tandem_domain::port::tts::{KnownVoice, Tts, TtsChunk, TtsError, TtsSpec};

use super::speakable::speakable;

/// Fewest characters of a first clause: fewer sound torn off, and more are heard later.
const FIRST: usize = 20;
/// Fewest characters of a clause after the first, when there is time: longer ones have a better melody.
const LATER: usize = 60;
/// No clause is cut off for the sake of fewer characters than this after it.
const STUB: usize = 12;
/// A first clause that is longer is cut before a word that begins a clause, comma or not.
const BREATH: usize = 70;
/// Most characters at once, about 14 s of speech.
pub(super) const LONGEST: usize = 200;
/// Words that begin a clause.
const JOINTS: [&str; 9] = [" and ", " but ", " or ", " because ", " so ", " while ", " when ", " if ", " which "];
/// Words after which a full stop ends nothing. Single letters ("p.m.", "J. Smith") are known by their length.
const ABBREVIATIONS: [&str; 14] =
    ["mr", "mrs", "ms", "dr", "st", "no", "rs", "prof", "vs", "jr", "sr", "etc", "approx", "ext"];

/// A voice that is asked for one clause at a time.
#[derive(Clone)]
pub struct Clauses {
    voice: Arc<dyn Tts>,
}

impl Clauses {
    /// `voice`, clause by clause.
    pub fn new(voice: Arc<dyn Tts>) -> Self {
        Self { voice }
    }
}

impl Tts for Clauses {
    fn name(&self) -> &'static str {
        self.voice.name()
    }

    fn voices(&self) -> Vec<KnownVoice<'_>> {
        self.voice.voices()
    }

    fn speak(&self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError> {
        let voice = Arc::clone(&self.voice);
        let clauses = stream::iter(clauses(&speakable(&spec.text)));
        let chunks = clauses.flat_map(move |text| voice.speak(TtsSpec { text, ..spec.clone() }));
        // A clause that failed must not be followed by the next: the sentence would have a hole.
        Box::pin(chunks.scan(false, |failed, chunk| {
            let before = std::mem::replace(failed, chunk.is_err());
            let chunk = chunk.map(|chunk| TtsChunk { words: Vec::new(), ..chunk });
            ready((!before).then_some(chunk))
        }))
    }
}

/// The clauses of a text that is fit to be spoken, in order, none longer than [`LONGEST`] characters. Only a comma may be added to the words.
fn clauses(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut from = 0;
    for stop in stops(text) {
        let least = if out.is_empty() { FIRST } else { LATER };
        let (clause, rest) = (&text[from..stop.end], &text[stop.end..]);
        if stop.ends_sentence() || (chars(clause) >= least && chars(rest) >= STUB) {
            breathe(clause.trim(), &mut out);
            from = stop.end;
        }
    }
    breathe(text[from..].trim(), &mut out);
    out
}

/// Adds `clause`, in parts if it is long.
fn breathe(mut clause: &str, out: &mut Vec<String>) {
    while let Some(at) = breath(clause, out.is_empty()) {
        let (head, tail) = clause.split_at(at);
        // The voice lets its pitch hang at a comma, and would let it fall without one.
        out.push(format!("{},", head.trim_end()));
        clause = tail.trim_start();
    }
    if !clause.is_empty() {
        out.push(clause.to_owned());
    }
}

/// Where to break a clause that is too long, in bytes; `None` if it is not.
fn breath(clause: &str, first: bool) -> Option<usize> {
    let length = chars(clause);
    if first && length > BREATH {
        let fits = |&at: &usize| chars(&clause[..at]) >= FIRST && chars(&clause[at..]) > STUB;
        let joints = JOINTS.iter().flat_map(|word| clause.match_indices(word)).map(|(at, _)| at);
        if let Some(at) = joints.filter(fits).min() {
            return Some(at);
        }
    }
    // One place is kept for the comma.
    let (limit, _) = clause.char_indices().nth(LONGEST - 1).filter(|_| length > LONGEST)?;
    Some(clause[..limit].rfind(' ').filter(|at| *at > 0).unwrap_or(limit))
}

fn chars(text: &str) -> usize {
    text.chars().count()
}

/// A mark at which a reader pauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stop {
    /// Bytes of the text up to the end of the mark, and of the quotation marks or brackets that close with it.
    pub(super) end: usize,
    /// The mark: one of `,;:.!?`.
    pub(super) mark: char,
}

impl Stop {
    fn ends_sentence(self) -> bool {
        matches!(self.mark, '.' | '!' | '?')
    }
}

/// The stops of a text: marks with a space, or nothing, after them ("1,000" and "3:30" have none), abbreviations left out.
pub(super) fn stops(text: &str) -> impl Iterator<Item = Stop> {
    text.char_indices().filter_map(move |(at, mark)| {
        if !matches!(mark, ',' | ';' | ':' | '.' | '!' | '?') || (mark == '.' && abbreviates(&text[..at])) {
            return None;
        }
        let after = &text[at + mark.len_utf8()..];
        let rest = after.trim_start_matches(['"', '\'', ')', ']']);
        let pauses = rest.is_empty() || rest.starts_with(' ');
        pauses.then_some(Stop { end: text.len() - rest.len(), mark })
    })
}

/// Whether the last word of `before` is an abbreviation, so that the full stop after it is its own.
fn abbreviates(before: &str) -> bool {
    let word = before.rsplit([' ', '.', '(', '"']).next().unwrap_or_default();
    let mut letters = word.chars();
    let initial = letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none();
    initial || ABBREVIATIONS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests;
