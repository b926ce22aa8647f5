//! Keys that a carrier has told, by the numbers of their messages: one that comes again under its number was pressed once.
//!
//! Place: in the decoders of dialects whose messages are numbered. A media server that writes a message twice must not make `1` an `11`. Not here:
//! copies of audio, which tell their media time (`tandem_codecs::in_order`).
//!
//! ```text
//! media 6   key 7   media 8   key 7               a copy
//! media 6   key 7   (six messages)   key 7        pressed again: a sender that counts anew, or does not count
//! media 7   key 7   media 7   key 7               pressed again: a sender that does not count
//! ```
//! In doubt a key counts: nobody presses a key twice within the few messages in which a copy comes.

use serde::Deserialize;
use serde_json::Value;

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
#[derive(Debug)]
pub(super) struct ToldKeys {
    /// A copy is among so many messages that follow its key.
    within: u32,
    /// Of the stream's `start`. A sender that gives a key the same number does not number its messages.
    first: Option<String>,
    /// No more than `within` and one, since each is a message.
    recent: Vec<Told>,
}

#[derive(Debug)]
struct Told {
    number: String,
    key: char,
    /// Messages that may come before its copy.
    left: u32,
}

impl ToldKeys {
    /// Of a carrier whose copies are among so many messages that follow: about a tenth of a second of audio.
    pub(super) fn within(messages: u32) -> Self {
        Self { within: messages, first: None, recent: Vec::new() }
    }

    /// The stream's `start` came.
    pub(super) fn began(&mut self, start: &str) {
        self.first = number(start);
    }

    /// A message came that tells no key. Costs a reading only just after a key.
    pub(super) fn passed(&mut self, message: &str) {
        self.age();
        if self.recent.is_empty() {
            return;
        }
        if let Some(number) = number(message) {
            self.recent.retain(|told| told.number != number); // not the key's alone
        }
    }

    /// Whether this message about `key` came before.
    pub(super) fn again(&mut self, message: &str, key: char) -> bool {
        self.age();
        let Some(number) = number(message).filter(|number| self.first.as_ref() != Some(number)) else { return false };
        match self.recent.iter().position(|told| told.number == number) {
            Some(place) if self.recent[place].key == key => return true,
            Some(place) => drop(self.recent.swap_remove(place)), // not the key's alone
            None => self.recent.push(Told { number, key, left: self.within }),
        }
        false
    }

    /// One more message came.
    fn age(&mut self) {
        self.recent.retain_mut(|told| {
            let left = told.left.checked_sub(1);
            told.left = left.unwrap_or(0);
            left.is_some()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHIN: u32 = 5;

    /// Messages of a stream: audio, and the key 1, under their numbers.
    enum Came {
        Media(u32),
        Key(u32),
    }
    use Came::{Key, Media};

    /// How many keys count.
    fn pressed(start: &str, messages: impl IntoIterator<Item = Came>) -> usize {
        let mut keys = ToldKeys::within(WITHIN);
        keys.began(start);
        let numbered = |number: u32| format!(r#"{{"sequenceNumber":"{number}"}}"#);
        let counts = |message: &Came| match message {
            Media(number) => {
                keys.passed(&numbered(*number));
                false
            }
            Key(number) => !keys.again(&numbered(*number), '1'),
        };
        messages.into_iter().filter(counts).count()
    }

    /// Audio under so many numbers.
    fn media(numbers: std::ops::Range<u32>) -> impl Iterator<Item = Came> {
        numbers.map(Media)
    }

    const START: &str = r#"{"sequenceNumber":"1"}"#;

    #[test]
    fn a_copy_is_not_a_key_and_the_same_key_again_is() {
        assert_eq!(pressed(START, [Key(7), Key(7), Key(9), Key(7)]), 2);
        for between in 0..WITHIN {
            let stream = [Key(7)].into_iter().chain(media(8..8 + between)).chain([Key(7)]);
            assert_eq!(pressed(START, stream), 1, "{between} between");
        }
        assert_eq!(pressed(START, [Key(7)].into_iter().chain(media(8..12)).chain([Key(12), Key(12)])), 2);
        let mut keys = ToldKeys::within(WITHIN);
        assert!(!keys.again(r#"{"sequence_number":7}"#, '1'));
        assert!(keys.again(r#"{"sequence_number":7,"sequenceNumber":"7"}"#, '1'));
    }

    #[test]
    fn a_number_that_never_changes_is_no_number() {
        let held = |gap: u32| [Key(5)].into_iter().chain((0..gap).map(|_| Media(5))).chain([Key(5)]);
        for gap in 1..20 {
            assert_eq!(pressed(START, held(gap)), 2, "{gap} of audio between");
        }
        let of_keys_alone = |gap: u32| [Key(0)].into_iter().chain(media(8..8 + gap)).chain([Key(0)]);
        for gap in WITHIN..20 {
            assert_eq!(pressed(START, of_keys_alone(gap)), 2, "{gap} of audio between");
        }
    }

    #[test]
    fn a_sequence_that_begins_again_collides_with_no_key_of_the_last_one() {
        let again = media(2..7).chain([Key(7)]).chain(media(8..12));
        let stream = media(2..7).chain([Key(7)]).chain(media(8..40)).chain(again);
        assert_eq!(pressed(START, stream), 2);
        assert_eq!(pressed(START, media(2..7).chain([Key(7)]).chain(media(2..7)).chain([Key(7)])), 2, "at once");
    }

    #[test]
    fn a_number_that_two_keys_share_is_no_number() {
        let mut keys = ToldKeys::within(WITHIN);
        let message = r#"{"sequenceNumber":"5"}"#;
        let counted = "12121".chars().filter(|key| !keys.again(message, *key)).count();
        assert_eq!(counted, 5);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut keys = ToldKeys::within(WITHIN);
        for number in 0..1_000 {
            assert!(!keys.again(&format!(r#"{{"sequenceNumber":"{number}"}}"#), '1'));
            assert!(keys.recent.len() <= WITHIN as usize + 1);
        }
    }

    #[test]
    fn a_sender_that_does_not_number_its_messages_is_believed() {
        for message in ["{}", r#"{"sequenceNumber":""}"#, r#"{"sequenceNumber":null}"#, r#"{"sequence_number":[1]}"#] {
            let mut keys = ToldKeys::within(WITHIN);
            keys.began("{}");
            assert!(!keys.again(message, '1') && !keys.again(message, '1'), "{message}");
        }
        assert_eq!(pressed(START, [Key(1), Key(1)]), 2);
    }
}
