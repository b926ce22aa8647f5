//! What Exotel writes, as types; and the one rule for reading them.
//!
//! As Twilio's, a message is read twice: first its head, then the section that its event carries. Exotel's pages write keys in snake_case
//! and in camelCase, ids and counts as strings and as numbers; each is read in any of the forms, and a message may hold both spellings of a
//! key, as Exotel's own sample does. What we do not use is not read: `sequence_number`, `chunk`, `bit_rate`, `encoding` (documented in
//! three ways, always the same samples).
//!
//! Not bounded here: depth. `serde_json` gives up at 128 levels where it builds a value, and skips unread fields without recursion; the
//! length of a message is bounded before it is read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use crate::carrier::message::Parameters;
pub(super) use crate::carrier::message::read;

/// Above it a JSON number with a fraction part no longer holds every whole number.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// What every message starts with.
#[derive(Debug, Deserialize)]
pub(super) struct Head<'a> {
    #[serde(borrow)]
    pub(super) event: Cow<'a, str>,
    #[serde(borrow)]
    stream_sid: Option<Text<'a>>,
    #[serde(borrow, rename = "streamSid")]
    stream_sid_camel: Option<Text<'a>>,
}

impl Head<'_> {
    /// The stream that the message is about, where it says.
    pub(super) fn stream_sid(&self) -> Option<&str> {
        either(&self.stream_sid, &self.stream_sid_camel)
    }

    /// Whether its keys are those of Exotel's alone.
    pub(super) fn is_snake_case(&self) -> bool {
        self.stream_sid.is_some()
    }
}

/// `start`: once, before any media.
#[derive(Debug, Deserialize)]
pub(super) struct StartMessage<'a> {
    #[serde(borrow)]
    pub(super) start: Start<'a>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Start<'a> {
    #[serde(borrow)]
    stream_sid: Option<Text<'a>>,
    #[serde(borrow, rename = "streamSid")]
    stream_sid_camel: Option<Text<'a>>,
    #[serde(borrow)]
    call_sid: Option<Text<'a>>,
    #[serde(borrow, rename = "callSid")]
    call_sid_camel: Option<Text<'a>>,
    #[serde(borrow)]
    account_sid: Option<Text<'a>>,
    #[serde(borrow, rename = "accountSid")]
    account_sid_camel: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) from: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) to: Option<Text<'a>>,
    custom_parameters: Option<Parameters>,
    #[serde(rename = "customParameters")]
    custom_parameters_camel: Option<Parameters>,
    #[serde(borrow)]
    media_format: Option<Format<'a>>,
    #[serde(borrow, rename = "mediaFormat")]
    media_format_camel: Option<Format<'a>>,
}

impl Start<'_> {
    pub(super) fn stream_sid(&self) -> Option<&str> {
        either(&self.stream_sid, &self.stream_sid_camel)
    }

    pub(super) fn call_sid(&self) -> Option<&str> {
        either(&self.call_sid, &self.call_sid_camel)
    }

    pub(super) fn account_sid(&self) -> Option<&str> {
        either(&self.account_sid, &self.account_sid_camel)
    }

    /// Samples a second, where the format says.
    pub(super) fn sample_rate_hz(&self) -> Option<u64> {
        let rate = |format: &Option<Format<'_>>| format.as_ref()?.sample_rate();
        rate(&self.media_format).or_else(|| rate(&self.media_format_camel))
    }

    /// What the format calls its samples.
    pub(super) fn encoding(&self) -> Option<&str> {
        let format = self.media_format.as_ref().or(self.media_format_camel.as_ref())?;
        format.encoding.as_ref().map(|encoding| &*encoding.0)
    }

    pub(super) fn parameters(self) -> BTreeMap<String, String> {
        self.custom_parameters.or(self.custom_parameters_camel).unwrap_or_default().0
    }

    /// Whether its keys are those of Exotel's alone.
    pub(super) fn is_snake_case(&self) -> bool {
        self.stream_sid.is_some() || self.media_format.is_some()
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Format<'a> {
    #[serde(borrow)]
    encoding: Option<Text<'a>>,
    sample_rate: Option<OptionalNumber>,
    #[serde(rename = "sampleRate")]
    sample_rate_camel: Option<OptionalNumber>,
}

impl Format<'_> {
    fn sample_rate(&self) -> Option<u64> {
        let told = |rate: &Option<OptionalNumber>| rate.as_ref().and_then(|rate| rate.0);
        told(&self.sample_rate).or_else(|| told(&self.sample_rate_camel))
    }
}

/// `media`: about every 100 ms.
#[derive(Debug, Deserialize)]
pub(super) struct MediaMessage<'a> {
    #[serde(borrow)]
    pub(super) media: Media<'a>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Media<'a> {
    /// Milliseconds since the stream began.
    pub(super) timestamp: Option<OptionalNumber>,
    #[serde(borrow)]
    pub(super) payload: Cow<'a, str>,
}

/// `dtmf`: a key; how long it was held is of no use to us.
#[derive(Debug, Deserialize)]
pub(super) struct DtmfMessage<'a> {
    #[serde(borrow)]
    pub(super) dtmf: Dtmf<'a>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Dtmf<'a> {
    #[serde(borrow)]
    pub(super) digit: Text<'a>,
}

/// `mark`, one that we sent.
#[derive(Debug, Deserialize)]
pub(super) struct MarkMessage<'a> {
    #[serde(borrow)]
    pub(super) mark: Mark<'a>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Mark<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
}

/// `stop`, whose section older streams leave out.
#[derive(Debug, Deserialize)]
pub(super) struct StopMessage<'a> {
    #[serde(borrow)]
    pub(super) stop: Option<Stop<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Stop<'a> {
    /// `stopped`: the call flow moved on; `callended`.
    #[serde(borrow)]
    pub(super) reason: Option<Text<'a>>,
}

/// What we write. The camelCase keys repeat the others, where that was asked for.
#[derive(Debug, Serialize)]
pub(super) struct Ours<'a, B: Serialize> {
    pub(super) event: &'static str,
    pub(super) stream_sid: &'a str,
    #[serde(rename = "streamSid", skip_serializing_if = "Option::is_none")]
    pub(super) stream_sid_camel: Option<&'a str>,
    pub(super) sequence_number: String,
    #[serde(rename = "sequenceNumber", skip_serializing_if = "Option::is_none")]
    pub(super) sequence_number_camel: Option<String>,
    #[serde(flatten)]
    pub(super) body: B,
}

#[derive(Debug, Serialize)]
pub(super) struct OurMedia<'a> {
    pub(super) media: OurChunk<'a>,
}

#[derive(Debug, Serialize)]
pub(super) struct OurChunk<'a> {
    pub(super) chunk: String,
    pub(super) timestamp: String,
    pub(super) payload: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct OurMark<'a> {
    pub(super) mark: OurMarkName<'a>,
}

#[derive(Debug, Serialize)]
pub(super) struct OurMarkName<'a> {
    pub(super) name: &'a str,
}

/// A message without a section.
#[derive(Debug, Serialize)]
pub(super) struct Bare {}

fn either<'a>(snake: &'a Option<Text<'_>>, camel: &'a Option<Text<'_>>) -> Option<&'a str> {
    snake.as_ref().or(camel.as_ref()).map(|text| &*text.0)
}

/// A string, or a whole number as its digits. Borrows from the message where it can.
#[derive(Debug)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a whole number")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A count, plain or as a string; nothing where that is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OptionalNumber(pub(super) Option<u64>);

impl<'de> Deserialize<'de> for OptionalNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = OptionalNumber;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, plain or as a string")
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<OptionalNumber, E> {
                Ok(OptionalNumber(Some(number)))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<OptionalNumber, E> {
                let whole = number.fract() == 0.0 && (0.0..=MAX_EXACT).contains(&number);
                let number = whole.then_some(number as u64);
                number.map(|number| OptionalNumber(Some(number))).ok_or_else(|| E::custom("no whole number"))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<OptionalNumber, E> {
                if text.is_empty() {
                    return Ok(OptionalNumber(None));
                }
                // `parse` alone would take "+8".
                let digits = text.bytes().all(|byte| byte.is_ascii_digit());
                let number = digits.then(|| text.parse().ok()).flatten();
                number
                    .map(|number| OptionalNumber(Some(number)))
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
