//! Twilio's messages: those it sends, written; those it accepts, read without mercy.
//!
//! | to the switch | fields beside `event`, `sequenceNumber`, `streamSid`                       |
//! |---------------|----------------------------------------------------------------------------|
//! | `connected`   | `protocol`, `version`, and none of the two                                 |
//! | `start`       | `start`: ids, `tracks`, `mediaFormat`, `customParameters`                  |
//! | `media`       | `media`: `track`, `chunk`, `timestamp`, `payload`                          |
//! | `dtmf`        | `dtmf`: `track` (spelt `inbound_track` here), `digit`                      |
//! | `mark`        | `mark`: `name`                                                             |
//! | `stop`        | `stop`: `accountSid`, `callSid`                                            |
//!
//! | from the switch | fields, all required, none besides |
//! |-----------------|------------------------------------|
//! | `media`         | `streamSid`, `media`: `payload`    |
//! | `mark`          | `streamSid`, `mark`: `name`        |
//! | `clear`         | `streamSid`                        |

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::TwilioIds;

/// What the switch did that Twilio's description forbids. Ends a simulated call at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A binary frame; Twilio reads text only (warning 31950).
    #[error("binary frame of {bytes} bytes (31950)")]
    Binary {
        /// Its length.
        bytes: usize,
    },
    /// Not a JSON object (31951).
    #[error("message is not a JSON object (31951): {detail}")]
    NotJson {
        /// Where the parser gave up.
        detail: String,
    },
    /// An event that Twilio does not accept (31951).
    #[error("event {event:?} is none of media, mark, clear (31951)")]
    UnknownEvent {
        /// The name given.
        event: String,
    },
    /// A field is missing, of the wrong type, there twice, or one too many (31951).
    #[error("{event} message does not conform (31951): {detail}")]
    Shape {
        /// Which message.
        event: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// A message for another stream (31951).
    #[error("streamSid {stream_sid:?} is not this stream's (31951)")]
    WrongStream {
        /// The one given.
        stream_sid: String,
    },
    /// A payload that is not base64 (31951).
    #[error("media payload is not base64 (31951): {detail}")]
    BadBase64 {
        /// What the decoder met.
        detail: String,
    },
    /// A file header in front of the audio: the caller hears it as noise.
    #[error("media payload begins with a {format} file header")]
    FileHeader {
        /// Which kind of file.
        format: &'static str,
    },
    /// More audio queued than Twilio keeps (31931).
    #[error("{} s of audio queued: further audio is dropped (31931)", .queued.as_secs())]
    Overflow {
        /// What the queue would have held.
        queued: Duration,
    },
    /// A message before `start` told the stream's name.
    #[error("message before start")]
    BeforeStart,
    /// A message well after `stop`.
    #[error("message after stop")]
    AfterStop,
}

/// A message of the switch that Twilio accepts.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FromSwitch {
    Media { stream_sid: String, payload: String },
    Mark { stream_sid: String, name: String },
    Clear { stream_sid: String },
}

#[derive(Deserialize)]
struct Envelope {
    event: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Media {
    #[serde(rename = "event")]
    _event: String,
    stream_sid: String,
    media: MediaBody,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MediaBody {
    payload: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Mark {
    #[serde(rename = "event")]
    _event: String,
    stream_sid: String,
    mark: MarkBody,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MarkBody {
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Clear {
    #[serde(rename = "event")]
    _event: String,
    stream_sid: String,
}

impl FromSwitch {
    pub(super) fn parse(text: &str) -> Result<Self, Violation> {
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(text).map_err(|error| Violation::NotJson { detail: error.to_string() })?;
        if !object.get("event").is_some_and(serde_json::Value::is_string) {
            return Err(Violation::Shape { event: "any", detail: "event is missing or no string".to_owned() });
        }
        // from the text again: only there does a field that stands twice show
        let Envelope { event } = read("any", text)?;
        match event.as_str() {
            "media" => {
                let Media { stream_sid, media, .. } = read("media", text)?;
                Ok(Self::Media { stream_sid, payload: media.payload })
            }
            "mark" => {
                let Mark { stream_sid, mark, .. } = read("mark", text)?;
                Ok(Self::Mark { stream_sid, name: mark.name })
            }
            "clear" => {
                let Clear { stream_sid, .. } = read("clear", text)?;
                Ok(Self::Clear { stream_sid })
            }
            _ => Err(Violation::UnknownEvent { event }),
        }
    }

    pub(super) fn stream_sid(&self) -> &str {
        match self {
            Self::Media { stream_sid, .. } | Self::Mark { stream_sid, .. } | Self::Clear { stream_sid } => stream_sid,
        }
    }
}

fn read<'de, T: Deserialize<'de>>(event: &'static str, text: &'de str) -> Result<T, Violation> {
    serde_json::from_str(text).map_err(|error| Violation::Shape { event, detail: error.to_string() })
}

/// The mu-law bytes of a payload; any length, but raw audio only.
pub(super) fn audio(payload: &str) -> Result<Vec<u8>, Violation> {
    let bytes = STANDARD.decode(payload).map_err(|error| Violation::BadBase64 { detail: error.to_string() })?;
    // Both of WAV's names, eight bytes apart: speech has the first one by chance, once in some thousand calls.
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WAVE") {
        return Err(Violation::FileHeader { format: "WAV" });
    }
    for (magic, format) in [(b"OggS", "Ogg"), (b".snd", "AU"), (b"fLaC", "FLAC")] {
        if bytes.starts_with(magic) {
            return Err(Violation::FileHeader { format });
        }
    }
    Ok(bytes)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToSwitch<'a, B: Serialize> {
    event: &'static str,
    sequence_number: &'a str,
    stream_sid: &'a str,
    #[serde(flatten)]
    body: B,
}

impl<B: Serialize> ToSwitch<'_, B> {
    fn text(&self) -> String {
        serde_json::to_string(self).expect("structs of strings and numbers always serialise")
    }
}

pub(super) fn connected() -> String {
    r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#.to_owned()
}

pub(super) fn start(sequence_number: &str, ids: &TwilioIds, custom_parameters: &BTreeMap<String, String>) -> String {
    #[derive(Serialize)]
    struct Body<'a> {
        start: Start<'a>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Start<'a> {
        stream_sid: &'a str,
        account_sid: &'a str,
        call_sid: &'a str,
        tracks: [&'static str; 1],
        media_format: Format,
        custom_parameters: &'a BTreeMap<String, String>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Format {
        encoding: &'static str,
        sample_rate: u32,
        channels: u8,
    }
    let start = Start {
        stream_sid: &ids.stream_sid,
        account_sid: &ids.account_sid,
        call_sid: &ids.call_sid,
        tracks: ["inbound"],
        media_format: Format { encoding: "audio/x-mulaw", sample_rate: 8_000, channels: 1 },
        custom_parameters,
    };
    ToSwitch { event: "start", sequence_number, stream_sid: &ids.stream_sid, body: Body { start } }.text()
}

pub(super) fn media(sequence_number: &str, stream_sid: &str, chunk: u64, timestamp_ms: u64, payload: &str) -> String {
    #[derive(Serialize)]
    struct Body<'a> {
        media: Chunk<'a>,
    }
    #[derive(Serialize)]
    struct Chunk<'a> {
        track: &'static str,
        chunk: String,
        timestamp: String,
        payload: &'a str,
    }
    let media = Chunk { track: "inbound", chunk: chunk.to_string(), timestamp: timestamp_ms.to_string(), payload };
    ToSwitch { event: "media", sequence_number, stream_sid, body: Body { media } }.text()
}

pub(super) fn dtmf(sequence_number: &str, stream_sid: &str, digit: char) -> String {
    #[derive(Serialize)]
    struct Body {
        dtmf: Key,
    }
    #[derive(Serialize)]
    struct Key {
        track: &'static str,
        digit: char,
    }
    let dtmf = Key { track: "inbound_track", digit };
    ToSwitch { event: "dtmf", sequence_number, stream_sid, body: Body { dtmf } }.text()
}

pub(super) fn mark(sequence_number: &str, stream_sid: &str, name: &str) -> String {
    #[derive(Serialize)]
    struct Body {
        mark: MarkBody,
    }
    let mark = MarkBody { name: name.to_owned() };
    ToSwitch { event: "mark", sequence_number, stream_sid, body: Body { mark } }.text()
}

pub(super) fn stop(sequence_number: &str, ids: &TwilioIds) -> String {
    #[derive(Serialize)]
    struct Body<'a> {
        stop: Stop<'a>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Stop<'a> {
        account_sid: &'a str,
        call_sid: &'a str,
    }
    let stop = Stop { account_sid: &ids.account_sid, call_sid: &ids.call_sid };
    ToSwitch { event: "stop", sequence_number, stream_sid: &ids.stream_sid, body: Body { stop } }.text()
}
