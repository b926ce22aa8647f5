//! Exotel AgentStream: the media socket of the Voicebot applet and of a call placed with `StreamUrl`.
//!
//! Place:    leg > ingress and egress, by [`Dialect`].
//! Not here: the REST interface, Passthru and status callbacks; who may open the socket; when to send what. Ending a call is closing the
//!           socket: the protocol has neither a hang-up message nor keys towards the caller. The one-way Stream applet is read as any other,
//!           but nothing that we send it is heard.
//!
//! ```text
//! Exotel ──connected─start─media…─dtmf─mark─stop──► Decoder ──► LegEvent, PCM 8, 16 or 24 kHz
//! Exotel ◄──────────────media…─mark─clear────────── Encoder ◄── PCM at the same rate
//! ```
//!
//! Both ways one JSON object in one text frame; audio is linear 16-bit, low byte first, mono, no header, in base64.
//!
//! | rate   | our chunk                | why                                                       |
//! |--------|--------------------------|-----------------------------------------------------------|
//! | 8 kHz  | 200 ms, 3,200 bytes      | below 3,200 bytes the caller hears jitter,                |
//! | 16 kHz | 100 ms, 3,200 bytes      | off a multiple of 320 a gap of 20 ms,                     |
//! | 24 kHz | 80 ms, 3,840 bytes       | above 100,000 the message times out                       |
//!
//! Exotel's pages disagree with one another over keys and spellings, so the decoder is tolerant where Twilio's is strict.
//! Source: Exotel's AgentStream and Voicebot articles, its sample code and open integrations; checked 2026-11.

use std::time::Duration;

use tandem_codecs::SampleRate;
use tandem_domain::port::dialect::{
    Capabilities, ClearMarks, Decoder, Dialect, Encoder, EndBy, LegStart, Recognition, WireMessage,
};

mod decoder;
mod encoder;
mod recognise;
mod wire;

pub use decoder::ExotelDecoder;
pub use encoder::ExotelEncoder;

/// Bytes of audio in a message, the most that Exotel documents.
const MAX_CHUNK_BYTES: usize = 100_000;
/// Bytes of audio in a message, the least that plays smoothly.
const MIN_CHUNK_BYTES: usize = 3_200;
/// Chunks are whole multiples of it.
const CHUNK_STEP_BYTES: usize = 320;
/// Largest message that we read: the greatest chunk takes 133,336 bytes in base64, and the rest of the message stays below 1 KB.
const MAX_MESSAGE_BYTES: usize = 144 * 1024;

/// The rates that a stream can ask for.
const RATES: [SampleRate; 3] = [SampleRate::HZ_8000, SampleRate::HZ_16000, SampleRate::HZ_24000];

/// Query parameters of the socket's URL that name the rate; Exotel's pages write both.
const RATE_PARAMETERS: [&str; 2] = ["sample-rate", "sample_rate"];

/// What Exotel can do with audio at `rate`.
const fn capabilities(rate: SampleRate) -> Capabilities {
    Capabilities {
        carrier: "exotel",
        chunk: chunk(rate),
        // Exotel hangs up on a greeting that comes at once, and its limit is a second. What it holds can only be taken back by `clear`: so
        // no more than what hides the jitter of a message, on top of the message that plays.
        lead: Duration::from_millis(100),
        clear: ClearMarks::Unsaid,
        marks: true,
        dtmf_in: true,
        dtmf_out: false,
        notices: false,
        end: EndBy::SocketClose,
        max_message_bytes: MAX_MESSAGE_BYTES,
    }
}

/// The shortest chunk of whole 20 ms frames that Exotel plays smoothly.
const fn chunk(rate: SampleRate) -> Duration {
    let frame_bytes = rate.hz() as usize / 50 * 2;
    let mut frames = MIN_CHUNK_BYTES.div_ceil(frame_bytes);
    while !(frames * frame_bytes).is_multiple_of(CHUNK_STEP_BYTES) {
        frames += 1;
    }
    Duration::from_millis(frames as u64 * 20)
}

/// Exotel's dialect for one socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExotelDialect {
    camel_case: bool,
    url_rate: SampleRate,
}

impl Default for ExotelDialect {
    fn default() -> Self {
        Self::new(false)
    }
}

impl ExotelDialect {
    /// `camel_case`: whether our messages repeat their keys in camelCase, without which some direct-Connect streams of Exotel's ended early.
    pub const fn new(camel_case: bool) -> Self {
        Self { camel_case, url_rate: SampleRate::HZ_8000 }
    }

    /// The dialect of a socket that was opened with this query: its rate holds where `start` tells none. A rate that Exotel does not have
    /// is ignored, as by Exotel.
    pub fn opened_with(self, query: &str) -> Self {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let asked = pairs.filter(|(name, _)| RATE_PARAMETERS.contains(name)).find_map(|(_, rate)| rate.parse().ok());
        Self { url_rate: asked.and_then(known_rate).unwrap_or(self.url_rate), ..self }
    }
}

/// The rate of so many samples a second, if streams have it.
fn known_rate(hz: u64) -> Option<SampleRate> {
    RATES.into_iter().find(|rate| u64::from(rate.hz()) == hz)
}

impl Dialect for ExotelDialect {
    fn capabilities(&self) -> Capabilities {
        capabilities(self.url_rate)
    }

    fn agreed(&self, start: &LegStart) -> Capabilities {
        capabilities(start.sample_rate.unwrap_or(self.url_rate))
    }

    fn recognises(&self, message: &WireMessage) -> Recognition {
        recognise::recognise(message)
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(ExotelDecoder::new(self.url_rate))
    }

    fn encoder(&self, start: &LegStart) -> Box<dyn Encoder> {
        let rate = start.sample_rate.unwrap_or(self.url_rate);
        Box::new(ExotelEncoder::new(&start.stream_id, rate, self.camel_case))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_as_short_as_exotel_allows() {
        let chunks = RATES.map(|rate| (chunk(rate).as_millis(), rate.samples_in(chunk(rate)) * 2));
        assert_eq!(chunks, [(200, 3_200), (100, 3_200), (80, 3_840)]);
        for (_, bytes) in chunks {
            assert!((MIN_CHUNK_BYTES..=MAX_CHUNK_BYTES).contains(&bytes) && bytes.is_multiple_of(CHUNK_STEP_BYTES));
        }
    }

    #[test]
    fn the_url_names_the_rate_in_either_spelling() {
        let rate = |query| ExotelDialect::default().opened_with(query).url_rate.hz();
        assert_eq!(rate("tenant=acme&sample-rate=16000"), 16_000);
        assert_eq!(rate("sample_rate=24000&x"), 24_000);
        for query in ["", "sample-rate", "sample-rate=", "sample-rate=44100", "sample-rate=1e308", "rate=16000"] {
            assert_eq!(rate(query), 8_000, "{query:?}");
        }
    }
}
