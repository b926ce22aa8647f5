//! What we send to Exotel: `media`, `mark`, `clear`.
//!
//! The snake_case form is what all integrations send. The running `sequence_number`, `chunk` and `timestamp` are what Exotel's own sample
//! adds, because some streams ended early without them. Numbers are strings, as in the newer reference.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use tandem_codecs::{SampleRate, l16};
use tandem_domain::port::dialect::{Encoder, WireMessage};

use super::wire::{Bare, OurChunk, OurMark, OurMarkName, OurMedia, Ours};
use super::{CHUNK_STEP_BYTES, MIN_CHUNK_BYTES};

/// Writes one media socket.
#[derive(Debug)]
pub struct ExotelEncoder {
    stream_sid: String,
    rate: SampleRate,
    camel_case: bool,
    sequence: u64,
    chunks: u64,
    /// Samples sent: media time counts audio, not the clock.
    samples: u64,
    bytes: Vec<u8>,
    payload: String,
}

impl ExotelEncoder {
    /// An encoder for the stream that Exotel's `start` named; `camel_case` repeats keys in that spelling.
    pub fn new(stream_sid: &str, rate: SampleRate, camel_case: bool) -> Self {
        Self {
            stream_sid: stream_sid.to_owned(),
            rate,
            camel_case,
            sequence: 0,
            chunks: 0,
            samples: 0,
            bytes: Vec::new(),
            payload: String::new(),
        }
    }

    fn message(&mut self, event: &'static str, body: impl Serialize) -> WireMessage {
        self.sequence += 1;
        let message = Ours {
            event,
            stream_sid: &self.stream_sid,
            stream_sid_camel: self.camel_case.then_some(self.stream_sid.as_str()),
            sequence_number: self.sequence.to_string(),
            sequence_number_camel: self.camel_case.then(|| self.sequence.to_string()),
            body,
        };
        WireMessage::Text(serde_json::to_string(&message).expect("strings alone always serialise"))
    }
}

impl Encoder for ExotelEncoder {
    /// `pcm`: one chunk at the stream's rate. A shorter one is filled up with silence: Exotel plays a gap after a message of another size.
    fn audio(&mut self, pcm: &[i16]) -> WireMessage {
        self.bytes.clear();
        l16::encode_le(pcm, &mut self.bytes);
        let whole = self.bytes.len().max(MIN_CHUNK_BYTES).next_multiple_of(CHUNK_STEP_BYTES);
        self.bytes.resize(whole, 0);
        self.payload.clear();
        STANDARD.encode_string(&self.bytes, &mut self.payload);
        self.chunks += 1;
        let timestamp = self.rate.duration_of(self.samples).as_millis().to_string();
        self.samples += (self.bytes.len() / 2) as u64;
        let chunk = self.chunks.to_string();
        let payload = std::mem::take(&mut self.payload);
        let message = self.message("media", OurMedia { media: OurChunk { chunk, timestamp, payload: &payload } });
        self.payload = payload; // the next chunk needs as much room
        message
    }

    fn mark(&mut self, name: &str) -> Option<WireMessage> {
        Some(self.message("mark", OurMark { mark: OurMarkName { name } }))
    }

    fn clear(&mut self) -> Option<WireMessage> {
        Some(self.message("clear", Bare {}))
    }

    /// None: closing the socket ends the call, or moves its flow on.
    fn end(&mut self) -> Option<WireMessage> {
        None
    }

    /// None: keys towards the caller do not exist on this socket.
    fn dtmf(&mut self, _digit: char) -> Option<WireMessage> {
        None
    }
}
