//! What Exotel sends us, in its order.
//!
//! | event       | when                                          | becomes                                                      |
//! |-------------|-----------------------------------------------|--------------------------------------------------------------|
//! | `connected` | once, before `start`                          | [`LegEvent::Connected`]                                      |
//! | `start`     | once, before everything below                 | [`LegEvent::Started`]                                        |
//! | `media`     | about every 100 ms, base64 PCM16 mono         | [`LegEvent::Audio`]                                          |
//! | `dtmf`      | a key was pressed                             | [`LegEvent::Dtmf`]                                           |
//! | `mark`      | what we sent before it was played, or cleared | [`LegEvent::Mark`]; which of the two, only the ledger knows  |
//! | `stop`      | once, last; missing when the line breaks      | [`LegEvent::Stopped`], [`LegEvent::MovedOn`] by its reason   |
//! | any other   | its pages name some that its streams lack     | [`LegEvent::Ignored`], counted                               |
//!
//! The rate is the format's, else the URL's, else 8 kHz. Not checked: `chunk`, and `sequence_number` of anything but keys, of which a copy is
//! ignored (audio tells its time, by which the switch puts it in order); that `connected` came, since it carries nothing; that a message after
//! `start` names its stream, since a socket has but one.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tandem_codecs::{Encoding, MediaFormat, SampleRate};
use tandem_domain::port::dialect::{Breach, Decoder, LegEvent, LegStart, WireMessage};

use super::wire::{self, DtmfMessage, Head, MarkMessage, MediaMessage, StartMessage, StopMessage};
use super::{MAX_CHUNK_BYTES, MAX_MESSAGE_BYTES, known_rate};
use crate::carrier::told_keys::ToldKeys;

/// Bytes of an id. Exotel's have 32.
const MAX_ID_BYTES: usize = 128;
/// A copy of a key is among so many messages that follow: a fifth of a second, since a message of Exotel's is a tenth.
const KEY_AGAIN_WITHIN: u32 = 2;
/// Bytes of a calling or dialled number, with whatever a trunk writes around it.
const MAX_NUMBER_BYTES: usize = 128;
/// `stop.reason` of a call flow that goes on without us. The other one is `callended`.
const FLOW_MOVED_ON: &str = "stopped";

/// Where the stream stands in its order.
#[derive(Debug)]
enum Stage {
    Fresh,
    Greeted,
    Running { stream_sid: String },
    Stopped,
}

/// Reads one media socket. Allocates for `start` and marks; audio reuses one buffer.
#[derive(Debug)]
pub struct ExotelDecoder {
    stage: Stage,
    format: MediaFormat,
    keys: ToldKeys,
    bytes: Vec<u8>,
}

impl ExotelDecoder {
    /// A decoder for one socket whose URL asked for `url_rate`.
    pub fn new(url_rate: SampleRate) -> Self {
        let format = MediaFormat { encoding: Encoding::L16Le, rate: url_rate };
        Self { stage: Stage::Fresh, format, keys: ToldKeys::within(KEY_AGAIN_WITHIN), bytes: Vec::new() }
    }

    fn connected(&mut self) -> Result<LegEvent, Breach> {
        let Stage::Fresh = self.stage else { return Err(malformed("connected out of turn")) };
        self.stage = Stage::Greeted;
        Ok(LegEvent::Connected)
    }

    fn start(&mut self, head: &Head<'_>, text: &str) -> Result<LegEvent, Breach> {
        match self.stage {
            Stage::Fresh | Stage::Greeted => {}
            Stage::Running { .. } => return Err(Breach::DuplicateStart),
            Stage::Stopped => return Err(malformed("start after stop")),
        }
        let start = wire::read::<StartMessage<'_>>(text)?.start;
        let stream_sid = match (start.stream_sid(), head.stream_sid()) {
            (Some(inner), Some(outer)) if inner != outer => return Err(Breach::WrongStream),
            (inner, outer) => id(inner.or(outer))?,
        };
        let call_sid = id(start.call_sid())?;
        let account_id = match start.account_sid() {
            None => String::new(),
            told => id(told)?,
        };
        if let Some(hz) = start.sample_rate_hz() {
            let unknown = || Breach::UnsupportedFormat(format!("PCM at {hz} Hz"));
            self.format.rate = known_rate(hz).ok_or_else(unknown)?;
        }
        let fits = |text: &&wire::Text<'_>| text.0.len() <= MAX_NUMBER_BYTES; // what is longer is no number
        let number = |text: &Option<wire::Text<'_>>| text.as_ref().filter(fits).map(|text| text.0.to_string());
        let (from, to) = (number(&start.from), number(&start.to));
        self.stage = Stage::Running { stream_sid: stream_sid.clone() };
        self.keys.began(text);
        Ok(LegEvent::Started(LegStart {
            stream_id: stream_sid,
            carrier_call_id: call_sid,
            account_id,
            from: from.filter(|number| !number.is_empty()),
            to: to.filter(|number| !number.is_empty()),
            parameters: start.parameters(),
            sample_rate: Some(self.format.rate),
        }))
    }

    /// `Ok` when `event` may come now and is about our stream.
    fn expect_running(&self, head: &Head<'_>) -> Result<(), Breach> {
        match (&self.stage, head.stream_sid()) {
            (Stage::Fresh | Stage::Greeted, _) => Err(Breach::BeforeStart(head.event.to_string())),
            (Stage::Stopped, _) => Err(malformed("message after stop")),
            (Stage::Running { stream_sid }, Some(named)) if named != stream_sid => Err(Breach::WrongStream),
            (Stage::Running { .. }, _) => Ok(()),
        }
    }

    fn media(&mut self, text: &str, pcm: &mut Vec<i16>) -> Result<LegEvent, Breach> {
        let media = wire::read::<MediaMessage<'_>>(text)?.media;
        self.bytes.clear();
        STANDARD.decode_vec(media.payload.as_bytes(), &mut self.bytes).map_err(|_| Breach::BadBase64)?;
        let bytes = self.bytes.len();
        if bytes == 0 || bytes > MAX_CHUNK_BYTES {
            return Err(Breach::BadPayloadLength(bytes));
        }
        let before = pcm.len();
        self.format.decode(&self.bytes, pcm).map_err(|_| Breach::BadPayloadLength(bytes))?;
        let timestamp = media.timestamp.and_then(|ms| ms.0).map(Duration::from_millis);
        Ok(LegEvent::Audio { samples: pcm.len() - before, timestamp })
    }

    fn dtmf(&mut self, text: &str) -> Result<LegEvent, Breach> {
        let digit = wire::read::<DtmfMessage<'_>>(text)?.dtmf.digit;
        let key = key(&digit.0).ok_or_else(|| malformed("digit is none of 0-9 * # A-D"))?;
        let again = self.keys.again(text, key);
        #[cfg(feature = "sabotage")]
        let again = again && !tandem_domain::sabotage::is_off(tandem_domain::sabotage::Mechanism::KeysOnce);
        match again {
            true => Ok(LegEvent::Ignored("key_again")),
            false => Ok(LegEvent::Dtmf(key)),
        }
    }

    fn stop(&mut self, text: &str) -> Result<LegEvent, Breach> {
        let reason = wire::read::<StopMessage<'_>>(text)?.stop.and_then(|stop| stop.reason);
        self.stage = Stage::Stopped;
        match reason {
            Some(reason) if reason.0 == FLOW_MOVED_ON => Ok(LegEvent::MovedOn),
            Some(_) | None => Ok(LegEvent::Stopped),
        }
    }
}

impl Decoder for ExotelDecoder {
    fn decode(&mut self, message: &WireMessage, pcm: &mut Vec<i16>) -> Result<LegEvent, Breach> {
        let text = match message {
            WireMessage::Text(text) => text.as_str(),
            WireMessage::Binary(_) => return Err(Breach::BinaryFrame),
        };
        if text.len() > MAX_MESSAGE_BYTES {
            return Err(Breach::OversizedMessage);
        }
        let head = wire::read::<Head<'_>>(text)?;
        if head.event != "dtmf" {
            self.keys.passed(text);
        }
        match &*head.event {
            "connected" => self.connected(),
            "start" => self.start(&head, text),
            "media" => self.expect_running(&head).and_then(|()| self.media(text, pcm)),
            "dtmf" => self.expect_running(&head).and_then(|()| self.dtmf(text)),
            "mark" => self.expect_running(&head).and_then(|()| mark(text)),
            "stop" => self.expect_running(&head).and_then(|()| self.stop(text)),
            _ => Ok(LegEvent::Ignored("unknown_event")),
        }
    }

    fn format(&self) -> MediaFormat {
        self.format
    }
}

fn key(digit: &str) -> Option<char> {
    let mut chars = digit.chars();
    let (key, None) = (chars.next()?.to_ascii_uppercase(), chars.next()) else { return None };
    matches!(key, '0'..='9' | '*' | '#' | 'A'..='D').then_some(key)
}

fn mark(text: &str) -> Result<LegEvent, Breach> {
    Ok(LegEvent::Mark(wire::read::<MarkMessage<'_>>(text)?.mark.name.0.into_owned()))
}

/// An id that is there, and no longer than ids are.
fn id(text: Option<&str>) -> Result<String, Breach> {
    text.filter(|id| !id.is_empty() && id.len() <= MAX_ID_BYTES)
        .map(str::to_owned)
        .ok_or_else(|| malformed("an id in start is missing, empty or too long"))
}

fn malformed(why: &str) -> Breach {
    Breach::MalformedMessage(why.to_owned())
}
