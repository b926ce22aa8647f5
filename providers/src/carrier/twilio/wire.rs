//! What Twilio writes, as types; and the one rule for reading them.
//!
//! A message is read twice: first its head (`event`, `streamSid`), then the section that this event carries. So an event
//! that we do not know is told from a broken one, whatever else it holds, and nothing is copied: strings borrow from
//! the message unless they hold escapes (`\/` in base64, as some JSON writers do). Audio alone, which comes fifty times
//! a second, is read in one go where it says first that it is audio, as Twilio's does; should that fail, the two
//! readings tell why.
//!
//! Not bounded here: depth. `serde_json` gives up at 128 levels where it builds a value, and skips unread fields
//! without recursion; the length of a message is bounded before it is read.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserializer, IgnoredAny, Visitor};
use serde::{Deserialize, Serialize};

pub(super) use crate::carrier::message::{Parameters, quote, read};

/// A string that borrows from the message where it can. `Option<Cow<str>>` alone would always copy.
#[derive(Debug, Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// What every message starts with.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Head<'a> {
    #[serde(borrow)]
    pub(super) event: Cow<'a, str>,
    /// Absent from `connected` alone.
    pub(super) stream_sid: Option<Text<'a>>,
}

/// `start`: once, before any media.
#[derive(Debug, Deserialize)]
pub(super) struct StartMessage<'a> {
    #[serde(borrow)]
    pub(super) start: Start<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Start<'a> {
    #[serde(borrow)]
    pub(super) stream_sid: Cow<'a, str>,
    pub(super) account_sid: String,
    pub(super) call_sid: String,
    #[serde(borrow)]
    pub(super) media_format: Format<'a>,
    #[serde(default)]
    pub(super) custom_parameters: Parameters,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Format<'a> {
    #[serde(borrow)]
    pub(super) encoding: Cow<'a, str>,
    pub(super) sample_rate: Number,
    pub(super) channels: Number,
}

impl Format<'_> {
    /// Whether this is the one format that Media Streams has.
    pub(super) fn is_ulaw_8k_mono(&self) -> bool {
        self.encoding.eq_ignore_ascii_case("audio/x-mulaw") && self.sample_rate.0 == 8_000 && self.channels.0 == 1
    }
}

impl fmt::Display for Format<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} Hz, {} channel(s)", quote(&self.encoding), self.sample_rate.0, self.channels.0)
    }
}

/// How Twilio's `media` begins.
pub(super) const MEDIA_FIRST: &str = r#"{"event":"media","#;

/// `media`: about every 20 ms.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MediaMessage<'a> {
    /// Known already; named so that a second one is refused.
    #[serde(rename = "event")]
    _event: IgnoredAny,
    #[serde(borrow)]
    pub(super) stream_sid: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) media: Media<'a>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Media<'a> {
    #[serde(default)]
    pub(super) track: Track,
    /// Milliseconds since the stream began.
    pub(super) timestamp: Option<Number>,
    #[serde(borrow)]
    pub(super) payload: Cow<'a, str>,
}

/// Whose audio it is. Twilio spells it in two ways, by the message.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Track {
    /// The caller's.
    #[default]
    #[serde(alias = "inbound_track")]
    Inbound,
    /// Ours, sent back to us.
    #[serde(alias = "outbound_track")]
    Outbound,
}

/// `dtmf`: a key, told once, without its duration.
#[derive(Debug, Deserialize)]
pub(super) struct DtmfMessage<'a> {
    #[serde(borrow)]
    pub(super) dtmf: Dtmf<'a>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Dtmf<'a> {
    #[serde(borrow)]
    pub(super) digit: Cow<'a, str>,
}

/// `mark`, the same in both directions but for the order in which we must write it.
#[derive(Debug, Deserialize)]
pub(super) struct MarkMessage {
    pub(super) mark: Mark,
}

#[derive(Debug, Deserialize)]
pub(super) struct Mark {
    pub(super) name: String,
}

/// A `mark` of ours. Nothing more may stand in it: Twilio refuses unknown fields (warning 31951).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OurMark<'a> {
    pub(super) event: &'static str,
    pub(super) stream_sid: &'a str,
    pub(super) mark: OurMarkName<'a>,
}

#[derive(Debug, Serialize)]
pub(super) struct OurMarkName<'a> {
    pub(super) name: &'a str,
}

/// A count. Twilio writes most of them as decimal strings, those of `mediaFormat` as numbers; we take either anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number(pub(super) u64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, plain or as a string")
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                // `parse` alone would take "+8".
                let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
                let number = digits.then(|| text.parse().ok()).flatten();
                number.map(Number).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
