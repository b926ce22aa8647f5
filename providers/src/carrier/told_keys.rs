//! Keys that a carrier has told, by the numbers of their messages: one that comes again under its number was pressed once.
//!
//! Place: in the decoders of dialects whose messages are numbered. A media server that writes a message twice must not make `1` an `11`. Not here:
//! copies of audio, which tell their media time (`tandem_codecs::in_order`).

use std::collections::VecDeque;

use serde::Deserialize;
use serde_json::Value;

/// Keys that are remembered: a copy comes soon.
const REMEMBERED: usize = 8;
/// Characters of a number; what is longer is none.
const MOST_CHARS: usize = 32;

/// Where messages have their number, in either spelling; whatever stands there is no reason to refuse one.
#[derive(Deserialize)]
struct Numbered {
    sequence_number: Option<Value>,
    #[serde(rename = "sequenceNumber")]
    sequence_number_camel: Option<Value>,
}

fn number(text: &str) -> Option<String> {
    let numbered = serde_json::from_str::<Numbered>(text).ok()?;
    let number = match numbered.sequence_number.or(numbered.sequence_number_camel)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (!number.is_empty() && number.len() <= MOST_CHARS).then_some(number)
}

/// The keys of one stream.
#[derive(Debug, Default)]
pub(super) struct ToldKeys {
    /// Of the stream's `start`. A sender that gives a key the same number does not number its messages.
    first: Option<String>,
    recent: VecDeque<(String, char)>,
}

impl ToldKeys {
    /// The stream's `start` came.
    pub(super) fn began(&mut self, start: &str) {
        self.first = number(start);
    }

    /// Whether this message about `key` came before.
    pub(super) fn again(&mut self, message: &str, key: char) -> bool {
        let Some(number) = number(message).filter(|number| self.first.as_ref() != Some(number)) else { return false };
        let told = (number, key);
        if self.recent.contains(&told) {
            return true;
        }
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(told);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of them count.
    fn pressed(start: &str, messages: &[&str]) -> usize {
        let mut keys = ToldKeys::default();
        keys.began(start);
        messages.iter().filter(|message| !keys.again(message, '1')).count()
    }

    #[test]
    fn a_copy_is_not_a_key_and_the_same_key_again_is() {
        let (start, seven, nine) =
            (r#"{"sequenceNumber":"1"}"#, r#"{"sequenceNumber":"7"}"#, r#"{"sequenceNumber":"9"}"#);
        assert_eq!(pressed(start, &[seven, seven, nine, seven]), 2);
        assert_eq!(pressed(start, &[r#"{"sequence_number":7}"#, r#"{"sequence_number":7,"sequenceNumber":"7"}"#]), 1);
    }

    #[test]
    fn a_sender_that_does_not_number_its_messages_is_believed() {
        for message in ["{}", r#"{"sequenceNumber":""}"#, r#"{"sequenceNumber":null}"#, r#"{"sequence_number":[1]}"#] {
            assert_eq!(pressed("{}", &[message, message]), 2, "{message}");
        }
        let same = r#"{"sequence_number":"0"}"#;
        assert_eq!(pressed(same, &[same, same]), 2);
    }
}
