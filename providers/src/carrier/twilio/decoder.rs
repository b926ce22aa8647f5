//! What Twilio sends us, in its order.
//!
//! | event       | when                                        | becomes                                                     |
//! |-------------|---------------------------------------------|-------------------------------------------------------------|
//! | `connected` | once, before `start`                        | [`LegEvent::Connected`]                                     |
//! | `start`     | once, before everything below               | [`LegEvent::Started`]                                       |
//! | `media`     | about every 20 ms, base64 µ-law 8 kHz mono  | [`LegEvent::Audio`]                                         |
//! | `dtmf`      | a key was pressed                           | [`LegEvent::Dtmf`]                                          |
//! | `mark`      | what we sent before it was played or cleared| [`LegEvent::Mark`]; which of the two, only the ledger knows |
//! | `stop`      | once, last; missing when the line breaks    | [`LegEvent::Stopped`]                                       |
//!
//! Not checked: `chunk`, and `sequenceNumber` of anything but keys, of which a copy is ignored (audio tells its time, by which
//! the switch puts it in order); that `connected` came at all, since it
//! carries nothing we use. Not decoded: the outbound track, which is our own voice.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tandem_codecs::MediaFormat;
use tandem_domain::port::dialect::{Breach, Decoder, LegEvent, LegStart, WireMessage};

use super::MAX_MESSAGE_BYTES;
use super::wire::{self, DtmfMessage, Head, MEDIA_FIRST, MarkMessage, MediaMessage, StartMessage, Text, Track};
use crate::carrier::told_keys::ToldKeys;

const FORMAT: MediaFormat = MediaFormat::PCMU_8K;
/// µ-law bytes in a millisecond; a payload holds a whole number of them.
const BYTES_PER_MS: usize = 8;
/// One second. Twilio sends 20 ms; whatever is longer would stall the turn-taking behind it.
const MAX_PAYLOAD_BYTES: usize = 1_000 * BYTES_PER_MS;
/// Bytes of an id. Twilio's have 34.
const MAX_ID_BYTES: usize = 128;
/// A copy of a key is among so many messages that follow: a tenth of a second.
const KEY_AGAIN_WITHIN: u32 = 5;

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
pub struct TwilioDecoder {
    stage: Stage,
    unknown_events_allowed: u32,
    unknown_events: u32,
    keys: ToldKeys,
    ulaw: Vec<u8>,
}

impl TwilioDecoder {
    /// A decoder for one socket that tolerates so many unknown events; see [`super::TwilioDialect::new`].
    pub fn new(unknown_events_allowed: u32) -> Self {
        Self {
            stage: Stage::Fresh,
            unknown_events_allowed,
            unknown_events: 0,
            keys: ToldKeys::within(KEY_AGAIN_WITHIN),
            ulaw: Vec::new(),
        }
    }

    /// Unknown events that were tolerated so far.
    pub fn unknown_events(&self) -> u32 {
        self.unknown_events
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
        for id in [&*start.stream_sid, &*start.call_sid, &*start.account_sid] {
            if id.is_empty() || id.len() > MAX_ID_BYTES {
                return Err(malformed("an id in start is empty or too long"));
            }
        }
        if head.stream_sid.as_ref().is_none_or(|outer| outer.0 != start.stream_sid) {
            return Err(Breach::WrongStream);
        }
        if !start.media_format.is_ulaw_8k_mono() {
            return Err(Breach::UnsupportedFormat(start.media_format.to_string()));
        }
        let parameters = start.custom_parameters.0;
        let stream_id = start.stream_sid.into_owned();
        self.stage = Stage::Running { stream_sid: stream_id.clone() };
        self.keys.began(text);
        Ok(LegEvent::Started(LegStart {
            stream_id,
            carrier_call_id: start.call_sid,
            account_id: start.account_sid,
            // Twilio's start names no numbers; our answer document passes them on as parameters.
            from: number(&parameters, "from", "From"),
            to: number(&parameters, "to", "To"),
            parameters,
            sample_rate: None,
        }))
    }

    /// `Ok` when `event` may come now and is about our stream.
    fn expect_running(&self, event: &str, named: Option<&Text<'_>>) -> Result<(), Breach> {
        let stream_sid = match &self.stage {
            Stage::Running { stream_sid } => stream_sid,
            Stage::Fresh | Stage::Greeted => return Err(Breach::BeforeStart(event.to_owned())),
            Stage::Stopped => return Err(malformed("message after stop")),
        };
        match named {
            Some(sid) if sid.0 == *stream_sid => Ok(()),
            Some(_) => Err(Breach::WrongStream),
            None => Err(malformed("missing field `streamSid`")),
        }
    }

    fn media(&mut self, message: &MediaMessage<'_>, pcm: &mut Vec<i16>) -> Result<LegEvent, Breach> {
        let media = &message.media;
        self.ulaw.clear();
        STANDARD.decode_vec(media.payload.as_bytes(), &mut self.ulaw).map_err(|_| Breach::BadBase64)?;
        let bytes = self.ulaw.len();
        if bytes == 0 || bytes > MAX_PAYLOAD_BYTES || !bytes.is_multiple_of(BYTES_PER_MS) {
            return Err(Breach::BadPayloadLength(bytes));
        }
        if media.track == Track::Outbound {
            return Ok(LegEvent::Ignored("other_track"));
        }
        let before = pcm.len();
        FORMAT.decode(&self.ulaw, pcm).map_err(|_| Breach::BadPayloadLength(bytes))?;
        let timestamp = media.timestamp.map(|ms| Duration::from_millis(ms.0));
        Ok(LegEvent::Audio { samples: pcm.len() - before, timestamp })
    }

    fn dtmf(&mut self, text: &str) -> Result<LegEvent, Breach> {
        let digit = wire::read::<DtmfMessage<'_>>(text)?.dtmf.digit;
        let key = key(&digit).ok_or_else(|| malformed("digit is none of 0-9 * # A-D"))?;
        let again = self.keys.again(text, key);
        #[cfg(feature = "sabotage")]
        let again = again && !tandem_domain::sabotage::is_off(tandem_domain::sabotage::Mechanism::KeysOnce);
        match again {
            true => Ok(LegEvent::Ignored("key_again")),
            false => Ok(LegEvent::Dtmf(key)),
        }
    }

    fn unknown(&mut self, event: &str) -> Result<LegEvent, Breach> {
        if self.unknown_events == self.unknown_events_allowed {
            return Err(Breach::UnknownEvent(wire::quote(event)));
        }
        self.unknown_events += 1;
        Ok(LegEvent::Ignored("unknown_event"))
    }
}

impl Decoder for TwilioDecoder {
    fn decode(&mut self, message: &WireMessage, pcm: &mut Vec<i16>) -> Result<LegEvent, Breach> {
        let text = match message {
            WireMessage::Text(text) => text.as_str(),
            WireMessage::Binary(_) => return Err(Breach::BinaryFrame),
        };
        if text.len() > MAX_MESSAGE_BYTES {
            return Err(Breach::OversizedMessage);
        }
        if text.starts_with(MEDIA_FIRST)
            && let Ok(message) = serde_json::from_str::<MediaMessage<'_>>(text)
        {
            self.expect_running("media", message.stream_sid.as_ref())?;
            self.keys.passed(text);
            return self.media(&message, pcm);
        }
        let head = wire::read::<Head<'_>>(text)?;
        if head.event != "dtmf" {
            self.keys.passed(text);
        }
        let running = || self.expect_running(&head.event, head.stream_sid.as_ref());
        match &*head.event {
            "connected" => self.connected(),
            "start" => self.start(&head, text),
            "media" => {
                running()?;
                self.media(&wire::read(text)?, pcm)
            }
            "dtmf" => {
                running()?;
                self.dtmf(text)
            }
            "mark" => running().and_then(|()| mark(text)),
            "stop" => {
                running()?;
                self.stage = Stage::Stopped;
                Ok(LegEvent::Stopped)
            }
            other => self.unknown(other),
        }
    }

    fn format(&self) -> MediaFormat {
        FORMAT
    }
}

fn key(digit: &str) -> Option<char> {
    let mut chars = digit.chars();
    let (key, None) = (chars.next()?.to_ascii_uppercase(), chars.next()) else { return None };
    matches!(key, '0'..='9' | '*' | '#' | 'A'..='D').then_some(key)
}

fn mark(text: &str) -> Result<LegEvent, Breach> {
    Ok(LegEvent::Mark(wire::read::<MarkMessage>(text)?.mark.name))
}

fn number(parameters: &BTreeMap<String, String>, lower: &str, upper: &str) -> Option<String> {
    parameters.get(lower).or_else(|| parameters.get(upper)).filter(|number| !number.is_empty()).cloned()
}

fn malformed(why: &str) -> Breach {
    Breach::MalformedMessage(why.to_owned())
}
