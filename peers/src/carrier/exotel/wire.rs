//! Exotel's messages: those it sends, written in the spelling asked for; those it accepts, read without mercy.
//!
//! | to the switch | fields beside `event`, `sequence_number`, `stream_sid`                                   |
//! |---------------|------------------------------------------------------------------------------------------|
//! | `connected`   | none, nor the two                                                                        |
//! | `start`       | `start`: ids, `from`, `to`, `custom_parameters`, `media_format`                          |
//! | `media`       | `media`: `chunk`, `timestamp`, `payload`                                                 |
//! | `dtmf`        | `dtmf`: `digit`, `duration`                                                              |
//! | `mark`        | `mark`: `name`                                                                           |
//! | `stop`        | `stop`: ids, `reason`                                                                    |
//!
//! | from the switch | required                         | allowed besides                                       |
//! |-----------------|----------------------------------|-------------------------------------------------------|
//! | `media`         | `stream_sid`, `media.payload`    | `media.chunk`, `media.timestamp`                      |
//! | `mark`          | `stream_sid`, `mark.name`        |                                                       |
//! | `clear`         | `stream_sid`                     |                                                       |
//! | each            |                                  | `sequence_number`, `streamSid`, `sequenceNumber`      |

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Counts, ExotelIds, Habits, Keys};

const MIN_CHUNK_BYTES: usize = 3_200;
const MAX_CHUNK_BYTES: usize = 100_000;
const CHUNK_STEP_BYTES: usize = 320;

/// What the switch did that Exotel's description forbids. Ends a simulated call at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A binary frame; Exotel reads text only.
    #[error("binary frame of {bytes} bytes")]
    Binary {
        /// Its length.
        bytes: usize,
    },
    /// Not a message of the protocol.
    #[error("message does not conform: {detail}")]
    Shape {
        /// What is wrong with it.
        detail: String,
    },
    /// A message for another stream.
    #[error("{key} {stream_sid:?} is not this stream's")]
    WrongStream {
        /// Which spelling of the key.
        key: &'static str,
        /// The one given.
        stream_sid: String,
    },
    /// A payload that is not base64.
    #[error("media payload is not base64: {detail}")]
    BadBase64 {
        /// What the decoder met.
        detail: String,
    },
    /// A message of a size that Exotel does not play well.
    #[error("chunk of {bytes} bytes: {rule}")]
    ChunkSize {
        /// Its length.
        bytes: usize,
        /// What it breaks.
        rule: &'static str,
    },
    /// A file header in front of the audio: the caller hears it as noise.
    #[error("media payload begins with a WAV file header")]
    FileHeader,
    /// A count that does not run on.
    #[error("{count} goes from {from} to {to}")]
    Order {
        /// Which.
        count: &'static str,
        /// The last one.
        from: u64,
        /// This one.
        to: u64,
    },
    /// More audio queued than Exotel bears.
    #[error("{} ms ahead of real time, more than a second", .ahead.as_millis())]
    TooFarAhead {
        /// What waits.
        ahead: Duration,
    },
    /// A message before `start` told the stream's name.
    #[error("message before start")]
    BeforeStart,
    /// A message well after `stop`.
    #[error("message after stop")]
    AfterStop,
}

/// A message of the switch that Exotel accepts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FromSwitch {
    stream_sid: String,
    stream_sid_camel: Option<String>,
    sequence_number: Option<u64>,
    pub(super) event: Event,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    Media { payload: String, chunk: Option<u64>, timestamp: Option<u64> },
    Mark { name: String },
    Clear,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    event: String,
    stream_sid: String,
    #[serde(rename = "streamSid")]
    stream_sid_camel: Option<String>,
    sequence_number: Option<Count>,
    #[serde(rename = "sequenceNumber")]
    sequence_number_camel: Option<Count>,
    media: Option<MediaBody>,
    mark: Option<MarkBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MediaBody {
    payload: String,
    chunk: Option<Count>,
    timestamp: Option<Count>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MarkBody {
    name: String,
}

/// A count, plain or as a string.
#[derive(Deserialize, PartialEq)]
#[serde(untagged)]
enum Count {
    Number(u64),
    Text(String),
}

impl Count {
    fn read(self) -> Result<u64, Violation> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Text(text) => text.parse().map_err(|_| shape(format!("{text:?} is no count"))),
        }
    }
}

impl FromSwitch {
    pub(super) fn parse(text: &str) -> Result<Self, Violation> {
        let written: Written = serde_json::from_str(text).map_err(|error| shape(error.to_string()))?;
        if let (Some(snake), Some(camel)) = (&written.sequence_number, &written.sequence_number_camel)
            && snake != camel
        {
            return Err(shape("sequence_number and sequenceNumber differ".to_owned()));
        }
        let count = |count: Option<Count>| count.map(Count::read).transpose();
        let event = match (written.event.as_str(), written.media, written.mark) {
            ("media", Some(MediaBody { payload, chunk, timestamp }), None) => {
                Event::Media { payload, chunk: count(chunk)?, timestamp: count(timestamp)? }
            }
            ("mark", None, Some(MarkBody { name })) => Event::Mark { name },
            ("clear", None, None) => Event::Clear,
            ("media" | "mark" | "clear", _, _) => {
                return Err(shape(format!("{} has not the section of its name alone", written.event)));
            }
            (other, _, _) => return Err(shape(format!("event {other:?} is none of media, mark, clear"))),
        };
        let sequence_number = count(written.sequence_number.or(written.sequence_number_camel))?;
        Ok(Self { stream_sid: written.stream_sid, stream_sid_camel: written.stream_sid_camel, sequence_number, event })
    }

    pub(super) fn is_about(&self, stream_sid: &str) -> Result<(), Violation> {
        let snake = ("stream_sid", Some(&self.stream_sid));
        let camel = ("streamSid", self.stream_sid_camel.as_ref());
        for (key, named) in [snake, camel] {
            if let Some(named) = named.filter(|named| *named != stream_sid) {
                return Err(Violation::WrongStream { key, stream_sid: named.clone() });
            }
        }
        Ok(())
    }
}

/// The counts of the switch's messages so far.
#[derive(Debug, Default)]
pub(super) struct Order {
    sequence_number: Option<u64>,
    chunk: Option<u64>,
    timestamp: Option<u64>,
}

impl Order {
    /// Counts run by one, media time does not stand still. A count that is left out is not missed.
    pub(super) fn check(&mut self, message: &FromSwitch) -> Result<(), Violation> {
        step("sequence_number", &mut self.sequence_number, message.sequence_number, |from, to| to == from + 1)?;
        if let Event::Media { chunk, timestamp, .. } = &message.event {
            step("chunk", &mut self.chunk, *chunk, |from, to| to == from + 1)?;
            step("timestamp", &mut self.timestamp, *timestamp, |from, to| to > from)?;
        }
        Ok(())
    }
}

fn step(
    count: &'static str,
    last: &mut Option<u64>,
    next: Option<u64>,
    follows: impl Fn(u64, u64) -> bool,
) -> Result<(), Violation> {
    let Some(to) = next else { return Ok(()) };
    match last.replace(to) {
        Some(from) if !follows(from, to) => Err(Violation::Order { count, from, to }),
        Some(_) | None => Ok(()),
    }
}

/// The PCM bytes of a payload of a size that Exotel plays well.
pub(super) fn audio(payload: &str) -> Result<Vec<u8>, Violation> {
    let audio = STANDARD.decode(payload).map_err(|error| Violation::BadBase64 { detail: error.to_string() })?;
    let wrong = |rule| Err(Violation::ChunkSize { bytes: audio.len(), rule });
    match audio.len() {
        bytes if bytes < MIN_CHUNK_BYTES => wrong("below 3,200 the caller hears jitter"),
        bytes if bytes > MAX_CHUNK_BYTES => wrong("above 100,000 the message times out"),
        bytes if !bytes.is_multiple_of(CHUNK_STEP_BYTES) => wrong("no multiple of 320: a gap of 20 ms"),
        _ if audio.starts_with(b"RIFF") => Err(Violation::FileHeader),
        _ => Ok(audio),
    }
}

fn shape(detail: String) -> Violation {
    Violation::Shape { detail }
}

/// Writes Exotel's messages for one stream.
#[derive(Debug)]
pub(super) struct Wire {
    habits: Habits,
    stream_sid: String,
    sequence: u64,
}

impl Wire {
    pub(super) fn new(habits: Habits, stream_sid: &str) -> Self {
        Self { habits, stream_sid: stream_sid.to_owned(), sequence: 0 }
    }

    pub(super) fn start(&mut self, ids: &ExotelIds, custom_parameters: &BTreeMap<String, String>) -> String {
        let mut format = json!({"encoding": "base64", "bit_rate": "128kbps"});
        if self.habits.start_names_rate {
            format["sample_rate"] = self.count(u64::from(self.habits.rate.hz()));
        }
        let start = json!({
            "stream_sid": ids.stream_sid, "call_sid": ids.call_sid, "account_sid": ids.account_sid,
            "from": "09876543210", "to": "08047112233",
            "custom_parameters": custom_parameters, "media_format": format,
        });
        self.message("start", start)
    }

    pub(super) fn media(&mut self, chunk: u64, timestamp: Duration, payload: &str) -> String {
        let timestamp = self.count(timestamp.as_millis() as u64);
        self.message("media", json!({"chunk": self.count(chunk), "timestamp": timestamp, "payload": payload}))
    }

    pub(super) fn dtmf(&mut self, digit: char) -> String {
        self.message("dtmf", json!({"digit": digit, "duration": self.count(120)}))
    }

    pub(super) fn mark(&mut self, name: &str) -> String {
        self.message("mark", json!({"name": name}))
    }

    pub(super) fn stop(&mut self, ids: &ExotelIds, reason: &str) -> String {
        self.message("stop", json!({"call_sid": ids.call_sid, "account_sid": ids.account_sid, "reason": reason}))
    }

    /// A message whose section has the name of its event.
    fn message(&mut self, event: &str, section: Value) -> String {
        self.sequence += 1;
        let message = json!({
            "event": event, "sequence_number": self.count(self.sequence), "stream_sid": self.stream_sid, event: section,
        });
        match self.habits.keys {
            Keys::Snake => message.to_string(),
            Keys::Camel => in_camel_case(message).to_string(),
        }
    }

    fn count(&self, number: u64) -> Value {
        match self.habits.counts {
            Counts::Strings => Value::from(number.to_string()),
            Counts::Numbers => Value::from(number),
        }
    }
}

pub(super) fn connected() -> String {
    r#"{"event":"connected"}"#.to_owned()
}

/// All keys but those that the customer chose.
fn in_camel_case(value: Value) -> Value {
    let Value::Object(members) = value else { return value };
    let renamed = members.into_iter().map(|(key, value)| match key.as_str() {
        "custom_parameters" => ("customParameters".to_owned(), value),
        _ => (camel(&key), in_camel_case(value)),
    });
    Value::Object(renamed.collect())
}

fn camel(key: &str) -> String {
    let mut words = key.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut text, word| {
        let mut letters = word.chars();
        text.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        text.push_str(letters.as_str());
        text
    })
}
