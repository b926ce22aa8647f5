//! What we send to Twilio: `media`, `mark`, `clear`, to the letter.
//!
//! A missing or an extra field, or a foreign `streamSid`, is Twilio's warning 31951, told once a stream and then
//! silence: so each message is written here in full and pinned by a golden file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tandem_codecs::g711;
use tandem_domain::port::dialect::{Encoder, WireMessage};

use super::wire::{OurMark, OurMarkName};

/// End of a `media` message.
const MEDIA_TAIL: &str = r#""}}"#;

/// Writes one media socket. An audio message costs one allocation, its own.
#[derive(Debug)]
pub struct TwilioEncoder {
    stream_sid: String,
    /// `{"event":"media","streamSid":"MZ…","media":{"payload":"`: everything before the audio, quoted once.
    media_head: String,
    ulaw: Vec<u8>,
}

impl TwilioEncoder {
    /// An encoder for the stream that Twilio's `start` named.
    pub fn new(stream_sid: &str) -> Self {
        let media_head = format!(r#"{{"event":"media","streamSid":{},"media":{{"payload":""#, json(stream_sid));
        Self { stream_sid: stream_sid.to_owned(), media_head, ulaw: Vec::new() }
    }
}

impl Encoder for TwilioEncoder {
    /// `pcm`: 8 kHz, one chunk, not empty (an empty one plays nothing and costs a write). Twilio takes any length: the last chunk of an utterance may be short.
    fn audio(&mut self, pcm: &[i16]) -> WireMessage {
        self.ulaw.clear();
        g711::encode_ulaw(pcm, &mut self.ulaw);
        let payload_bytes = self.ulaw.len().div_ceil(3) * 4;
        let mut text = String::with_capacity(self.media_head.len() + payload_bytes + MEDIA_TAIL.len());
        text.push_str(&self.media_head);
        STANDARD.encode_string(&self.ulaw, &mut text);
        text.push_str(MEDIA_TAIL);
        WireMessage::Text(text)
    }

    fn mark(&mut self, name: &str) -> Option<WireMessage> {
        let mark = OurMark { event: "mark", stream_sid: &self.stream_sid, mark: OurMarkName { name } };
        let text = serde_json::to_string(&mark).expect("strings alone always serialise");
        Some(WireMessage::Text(text))
    }

    fn clear(&mut self) -> Option<WireMessage> {
        Some(WireMessage::Text(format!(r#"{{"event":"clear","streamSid":{}}}"#, json(&self.stream_sid))))
    }

    /// None: closing the socket ends the call.
    fn end(&mut self) -> Option<WireMessage> {
        None
    }

    /// None: keys towards the caller do not exist on this socket.
    fn dtmf(&mut self, _digit: char) -> Option<WireMessage> {
        None
    }
}

/// `text` as a JSON string, in its quotes.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
