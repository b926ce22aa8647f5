//! What Twilio writes, as types; and the one rule for reading them.
//!
//! A message is read twice: first its head (`event`, `streamSid`), then the section that this event carries. So an event
//! that we do not know is told from a broken one, whatever else it holds, and nothing is copied: strings borrow from
//! the message unless they hold escapes (`\/` in base64, as some JSON writers do).
//!
//! Not bounded here: depth. `serde_json` gives up at 128 levels where it builds a value, and skips unread fields
//! without recursion; the length of a message is bounded before it is read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use tandem_domain::port::dialect::Breach;

/// Custom parameters that we keep; further ones are dropped.
pub(super) const MAX_PARAMETERS: usize = 64;
/// Characters of a custom parameter's name or value. A longer pair is dropped: half a value could pass for a whole one.
/// Twilio allows 500 for name and value together.
pub(super) const MAX_PARAMETER_CHARS: usize = 500;
/// Characters of a foreign text that we repeat in a [`Breach`].
const MAX_QUOTED_CHARS: usize = 120;

/// Reads `text` as a `T`, and says in a short sentence why it cannot.
pub(super) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Breach> {
    serde_json::from_str(text).map_err(|error| Breach::MalformedMessage(quote(&error.to_string())))
}

/// Enough of a foreign text to recognise it in a record.
pub(super) fn quote(text: &str) -> String {
    text.chars().take(MAX_QUOTED_CHARS).collect()
}

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

/// `media`: about every 20 ms.
#[derive(Debug, Deserialize)]
pub(super) struct MediaMessage<'a> {
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

/// The `<Parameter>` children of our answer document: an object of strings. Other JSON is kept as its text, so that
/// a stand-in for Twilio that sends a number does not lose its call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters(pub(super) BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Parameters;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of parameters")
            }
            fn visit_unit<E: de::Error>(self) -> Result<Parameters, E> {
                Ok(Parameters::default())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Parameters, A::Error> {
                let mut kept = BTreeMap::new();
                while let Some((name, value)) = entries.next_entry::<String, serde_json::Value>()? {
                    let value = match value {
                        serde_json::Value::String(text) => text,
                        other => other.to_string(),
                    };
                    let room = kept.len() < MAX_PARAMETERS || kept.contains_key(&name);
                    if room && short(&name) && short(&value) {
                        kept.insert(name, value);
                    }
                }
                Ok(Parameters(kept))
            }
        }
        deserializer.deserialize_any(Object)
    }
}

fn short(text: &str) -> bool {
    text.chars().nth(MAX_PARAMETER_CHARS).is_none()
}
