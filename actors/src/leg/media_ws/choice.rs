//! Whose protocol a socket speaks, told by its first messages. Pure: messages in, a dialect out.

use std::sync::Arc;

use tandem_domain::port::dialect::{Breach, Dialect, Recognition, WireMessage};

/// Messages that may pass before one must tell. Carriers send one greeting, then the start.
const MAX_UNSURE: usize = 4;

/// What is known after a message.
pub(super) enum Choice {
    /// Nothing yet.
    Open,
    /// Whose it is, and everything that it has said, in order.
    Of(Arc<dyn Dialect>, Vec<WireMessage>),
    /// No dialect fits, and what is wrong with it.
    Nobody(Breach),
}

/// The dialects that are still possible.
pub(super) struct Choosing {
    left: Vec<Arc<dyn Dialect>>,
    /// Whose words are used for what fits nobody.
    first: Option<Arc<dyn Dialect>>,
    kept: Vec<WireMessage>,
}

impl Choosing {
    pub(super) fn new(dialects: &[Arc<dyn Dialect>]) -> Self {
        Self { left: dialects.to_vec(), first: dialects.first().cloned(), kept: Vec::new() }
    }

    pub(super) fn offer(&mut self, message: WireMessage) -> Choice {
        let mut mine = None;
        self.left.retain(|dialect| match dialect.recognises(&message) {
            Recognition::Mine => {
                mine.get_or_insert_with(|| Arc::clone(dialect));
                true
            }
            Recognition::Unsure => true,
            Recognition::NotMine => false,
        });
        self.kept.push(message);
        let only = if let [only] = self.left.as_slice() { Some(Arc::clone(only)) } else { None };
        match mine.or(only) {
            Some(dialect) => Choice::Of(dialect, std::mem::take(&mut self.kept)),
            None if self.left.is_empty() => Choice::Nobody(self.breach()),
            None if self.kept.len() > MAX_UNSURE => Choice::Nobody(Breach::UnknownProtocol),
            None => Choice::Open,
        }
    }

    /// "Not JSON" and "media before start" say more than that nobody knows the stream.
    fn breach(&self) -> Breach {
        let mut decoder = self.first.as_ref().map(|dialect| dialect.decoder());
        let mut found = self.kept.iter().filter_map(|message| decoder.as_mut()?.decode(message, &mut Vec::new()).err());
        found.next().unwrap_or(Breach::UnknownProtocol)
    }
}

#[cfg(test)]
mod tests {
    use tandem_codecs::MediaFormat;
    use tandem_domain::port::dialect::{
        Capabilities, ClearMarks, Decoder, Encoder, EndBy, LegEvent, LegStart, WireMessage,
    };

    use super::*;

    /// Knows its own letter, doubts `?`, and refuses the rest.
    struct Letter(&'static str);
    struct Reader;

    impl Dialect for Letter {
        fn capabilities(&self) -> Capabilities {
            Capabilities {
                carrier: self.0,
                chunk: std::time::Duration::from_millis(20),
                lead: std::time::Duration::ZERO,
                clear: ClearMarks::NoClear,
                marks: false,
                dtmf_in: true,
                dtmf_out: false,
                notices: false,
                end: EndBy::SocketClose,
                max_message_bytes: 1_000,
            }
        }

        fn recognises(&self, message: &WireMessage) -> Recognition {
            match message {
                WireMessage::Text(text) if text == "?" => Recognition::Unsure,
                WireMessage::Text(text) if text == self.0 => Recognition::Mine,
                _ => Recognition::NotMine,
            }
        }

        fn decoder(&self) -> Box<dyn Decoder> {
            Box::new(Reader)
        }

        fn encoder(&self, _: &LegStart) -> Box<dyn Encoder> {
            unreachable!("nothing is written at the door")
        }
    }

    impl Decoder for Reader {
        fn decode(&mut self, message: &WireMessage, _: &mut Vec<i16>) -> Result<LegEvent, Breach> {
            match message {
                WireMessage::Text(_) => Ok(LegEvent::Connected),
                WireMessage::Binary(_) => Err(Breach::BinaryFrame),
            }
        }

        fn format(&self) -> MediaFormat {
            MediaFormat::PCMU_8K
        }
    }

    fn choosing() -> Choosing {
        Choosing::new(&[Arc::new(Letter("a")), Arc::new(Letter("b"))])
    }

    fn text(text: &str) -> WireMessage {
        WireMessage::Text(text.to_owned())
    }

    #[test]
    fn a_greeting_of_either_waits_for_the_start_and_is_replayed() {
        let mut choosing = choosing();
        assert!(matches!(choosing.offer(text("?")), Choice::Open));
        let Choice::Of(dialect, messages) = choosing.offer(text("b")) else { panic!("b is known") };
        assert_eq!(dialect.capabilities().carrier, "b");
        assert_eq!(messages, [text("?"), text("b")]);
    }

    #[test]
    fn what_fits_nobody_has_the_reason_that_a_reader_gives() {
        assert!(matches!(choosing().offer(text("c")), Choice::Nobody(Breach::UnknownProtocol)));
        let binary = WireMessage::Binary(vec![0].into());
        assert!(matches!(choosing().offer(binary), Choice::Nobody(Breach::BinaryFrame)));
    }

    #[test]
    fn doubt_has_an_end() {
        let mut choosing = choosing();
        for _ in 0..MAX_UNSURE {
            assert!(matches!(choosing.offer(text("?")), Choice::Open));
        }
        assert!(matches!(choosing.offer(text("?")), Choice::Nobody(Breach::UnknownProtocol)));
    }
}
