//! Values in an agent's own first words: `{agent}`, `{company}`, `{caller}`, texts of `business_info` by their key, and a playbook's variables.
//!
//! A playbook's lines are checked when it is read. An agent's words come from an API at any time, and a call is no place to refuse them: a name
//! that stands for nothing is left out with the words that only led to it, so that what is left is a sentence, and whoever runs the switch is
//! told.
//!
//! | said                                | without a value                  |
//! |-------------------------------------|----------------------------------|
//! | `This is Asha from {compny}.`       | This is Asha.                    |
//! | `Hello {caller}, this is Asha.`     | Hello, this is Asha.             |
//! | `Calls to the {nme} are recorded.`  | Calls are recorded.              |

use std::collections::BTreeMap;

use serde_json::Value;

use crate::agent::Agent;
use crate::caller::CallFacts;

/// Words that lead to a name, and mean nothing without it.
const LEADING: &[&str] = &["a", "an", "at", "by", "for", "from", "in", "of", "on", "our", "the", "to", "with", "your"];
/// What closes up to the word before it.
const CLOSING: &[char] = &['.', ',', '!', '?', ';', ':', '।'];

/// What the names in an agent's first words stand for in one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

/// Words with the values in their places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filled {
    /// What is said.
    pub words: String,
    /// Names that stand for nothing, in order. `caller` is none of them: who calls is often not known.
    pub unknown: Vec<String>,
}

impl Variables {
    /// Of this agent, in this call.
    pub fn of(agent: &Agent, call: &CallFacts) -> Self {
        let own = agent.script.business_info.iter().filter_map(|(key, value)| match value {
            Value::String(text) => Some((key.clone(), text.clone())),
            _ => None,
        });
        let caller = call.known.as_ref().and_then(|known| known.name.clone());
        let company = agent.script.company().map(str::to_owned);
        let named = [("agent", Some(agent.name.clone())), ("company", company), ("caller", caller)];
        let named = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Self(own.chain(named).filter(|(_, value)| !value.trim().is_empty()).collect())
    }

    /// With these where nothing else has their name.
    #[must_use]
    pub fn or(mut self, defaults: &BTreeMap<String, String>) -> Self {
        for (name, value) in defaults.iter().filter(|(_, value)| !value.trim().is_empty()) {
            self.0.entry(name.clone()).or_insert_with(|| value.clone());
        }
        self
    }

    /// Puts the values into `text`. A brace without a partner is a brace.
    pub fn fill(&self, text: &str) -> Filled {
        let (mut filled, mut rest, mut whole) = (Filled::default(), text, true);
        while let Some((before, name, after)) = next_name(rest) {
            filled.words.push_str(before);
            match self.0.get(name) {
                Some(value) => filled.words.push_str(value.trim()),
                None => {
                    whole = false;
                    filled.unknown.extend((name != "caller").then(|| name.to_owned()));
                    leave_out(&mut filled.words, after);
                }
            }
            rest = after;
        }
        filled.words.push_str(rest);
        filled.words = if whole { filled.words.trim().to_owned() } else { capital(&filled.words) };
        filled
    }
}

/// What is before the next name in braces, the name, and what is behind it.
fn next_name(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name.trim(), after))
}

/// A name is missing between `words` and `after`: the words that lead to it go, and no space or comma is left over.
fn leave_out(words: &mut String, after: &str) {
    let mut kept = words.trim_end();
    while let Some(last) = kept.rsplit(char::is_whitespace).next().filter(|last| is_leading(last)) {
        kept = kept[..kept.len() - last.len()].trim_end();
    }
    let next = after.trim_start().chars().next();
    let closes = next.is_none_or(|next| CLOSING.contains(&next));
    let kept = if closes { kept.trim_end_matches([',', ';', ':']) } else { kept };
    let length = kept.len();
    words.truncate(length);
    if !closes && !after.starts_with(char::is_whitespace) && !words.is_empty() {
        words.push(' ');
    }
}

/// Words that have lost their beginning, perhaps, as a sentence.
fn capital(words: &str) -> String {
    let words = words.trim_start_matches(|first: char| first.is_whitespace() || CLOSING.contains(&first)).trim_end();
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn is_leading(word: &str) -> bool {
    LEADING.iter().any(|leading| word.eq_ignore_ascii_case(leading))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        let values = [("agent", "Asha"), ("company", "Acme"), ("opening hours", "nine to five")];
        Variables(values.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    #[test]
    fn values_take_their_places() {
        let filled = variables().fill("This is {agent} from { company }. We are open {opening hours}, {agent} says.");
        assert_eq!(filled.words, "This is Asha from Acme. We are open nine to five, Asha says.");
        assert!(filled.unknown.is_empty());
        assert_eq!(variables().fill("A brace { alone } and {").words, "A brace and {");
        assert_eq!(variables().fill("No end {agent").words, "No end {agent");
    }

    #[test]
    fn what_is_left_without_a_value_is_a_sentence() {
        for (said, left, unknown) in [
            ("This is {agent} from {compny}.", "This is Asha.", 1),
            ("Hello {caller}, this is {agent}.", "Hello, this is Asha.", 0),
            ("Welcome back, {caller}!", "Welcome back!", 0),
            ("{caller}, this is {agent}.", "This is Asha.", 0),
            ("Calls to the {nme} are recorded by {whom}. I am a machine.", "Calls are recorded. I am a machine.", 2),
            ("{x}", "", 1),
        ] {
            let filled = variables().fill(said);
            assert_eq!((filled.words.as_str(), filled.unknown.len()), (left, unknown), "{said}");
        }
    }
}
