//! Entries in words: for `tandem replay --print`, and to say what differs.

use serde::Serialize;
use serde_json::Value;

use super::entry::{Due, pack};
use super::read::{Journal, Part, unpack};

impl Journal {
    /// The journal line by line, times in seconds of the call: `>` what the core was told, `<` what it wanted done, `.` when it wants to be
    /// asked again, and why.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        let numbered = self.steps.iter().zip(1..);
        numbered.flat_map(|(step, number)| {
            step.parts.iter().map(move |part| match part {
                Part::Input(at, input) => format!("{number:>6} {:>9.3} > {}", at.seconds(), in_words(input)),
                Part::Effect(effect) => format!("{:>16} < {}", "", effect_in_words(effect)),
                Part::Settled(due) => format!("{:>16} . {}", "", due_in_words(due.as_ref())),
            })
        })
    }
}

/// `speak {"sentence":0,"text":"Hello.","utterance":1}`
pub(super) fn in_words(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    if pack(value, &mut bytes) { effect_in_words(&bytes) } else { "something that cannot be written".to_owned() }
}

/// The same of a value that was written.
pub(super) fn effect_in_words(packed: &[u8]) -> String {
    match unpack::<Value>(packed) {
        Ok((Value::String(name), _)) => name,
        Ok((Value::Object(variant), _)) if variant.len() == 1 => {
            variant.iter().map(|(name, value)| format!("{name} {value}")).collect()
        }
        Ok((other, _)) => other.to_string(),
        Err(error) => format!("{} bytes that cannot be shown: {error}", packed.len()),
    }
}

/// `9.500 s (silence)`
pub(super) fn due_in_words(due: Option<&Due>) -> String {
    due.map_or_else(|| "no deadline".to_owned(), |due| format!("{:.3} s ({})", due.at_ns.seconds(), due.why))
}
