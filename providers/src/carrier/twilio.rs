//! Twilio Media Streams: the media socket behind `<Connect><Stream>`.
//!
//! Place:    leg > ingress and egress, by [`Dialect`].
//! Not here: TwiML, the REST interface, `X-Twilio-Signature`; who may open the socket; when to send what. Ending a call
//!           is closing the socket: the protocol has neither a hang-up message nor keys towards the caller.
//!
//! ```text
//! Twilio ──connected─start─media…─dtmf─mark─stop──► Decoder ──► LegEvent, PCM 8 kHz
//! Twilio ◄──────────────media…─mark─clear────────── Encoder ◄── PCM 8 kHz
//! ```
//!
//! Both ways one JSON object in one text frame; audio is G.711 µ-law, 8 kHz, mono, no header, in base64.
//! Source: Twilio docs, Media Streams, WebSocket messages; checked 2026-11. Fixtures: `tests/fixtures/twilio/`.

use std::time::Duration;

use tandem_domain::port::dialect::{
    Capabilities, ClearMarks, Decoder, Dialect, Encoder, EndBy, LegStart, Recognition, WireMessage,
};

mod decoder;
mod encoder;
mod recognise;
mod wire;

pub use decoder::TwilioDecoder;
pub use encoder::TwilioEncoder;

/// Largest message that we read. Twilio's own stay below 1 KB; 8,000 bytes of audio (one second) take 10.7 KB.
const MAX_MESSAGE_BYTES: usize = 65_536;

const CAPABILITIES: Capabilities = Capabilities {
    carrier: "twilio",
    chunk: Duration::from_millis(20),
    // Twilio buffers minutes; what it holds can only be taken back by `clear`, so we hold it ourselves.
    lead: Duration::from_millis(80),
    clear: ClearMarks::AllReturned,
    marks: true,
    notices: false,
    dtmf_in: true,
    dtmf_out: false,
    end: EndBy::SocketClose,
    max_message_bytes: MAX_MESSAGE_BYTES,
};

/// Twilio's dialect: strict by default, since whatever is not in the protocol did not come from Twilio.
#[derive(Debug, Clone, Copy, Default)]
pub struct TwilioDialect {
    unknown_events_allowed: u32,
}

impl TwilioDialect {
    /// `unknown_events_allowed`: how many messages of a kind that we do not know a call may carry before it is ended.
    /// 0 ends it at the first; operations raise it when Twilio brings something new before we do.
    pub fn new(unknown_events_allowed: u32) -> Self {
        Self { unknown_events_allowed }
    }
}

impl Dialect for TwilioDialect {
    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    fn recognises(&self, message: &WireMessage) -> Recognition {
        recognise::recognise(message)
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(TwilioDecoder::new(self.unknown_events_allowed))
    }

    fn encoder(&self, start: &LegStart) -> Box<dyn Encoder> {
        Box::new(TwilioEncoder::new(&start.stream_id))
    }
}
