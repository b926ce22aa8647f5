//! Twilio's messages as the load writes and reads them: payloads come ready from [`lines`](super::lines), of the rest little is made.
//!
//! Strictness is `tandem_peers`' to have; here a message of another shape is an error, and a field too many is none.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::FRAME_SAMPLES;

/// The names and numbers of one stream, for what is sent on it.
#[derive(Debug)]
pub(super) struct Stream {
    number: u128,
    stream_sid: String,
    sequence: u64,
    chunk: u64,
}

impl Stream {
    /// The stream of call `number`. Equal numbers give equal names.
    pub(super) fn numbered(number: u128) -> Self {
        Self { number, stream_sid: format!("MZ{:032x}", number ^ u128::MAX), sequence: 0, chunk: 0 }
    }

    /// What opens the stream.
    pub(super) fn open(&mut self) -> [String; 2] {
        let (sequence, stream, number) = (self.next(), &self.stream_sid, self.number);
        let start = format!(
            r#"{{"event":"start","sequenceNumber":"{sequence}","streamSid":"{stream}","start":{{"streamSid":"{stream}","accountSid":"AC{:032x}","callSid":"CA{number:032x}","tracks":["inbound"],"mediaFormat":{{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}},"customParameters":{{}}}}}}"#,
            0x7a6e_de11_u32
        );
        [r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#.to_owned(), start]
    }

    /// The caller's next 20 ms; `payload` in base64.
    pub(super) fn media(&mut self, payload: &str) -> String {
        self.chunk += 1;
        let (sequence, stream, chunk) = (self.next(), &self.stream_sid, self.chunk);
        let timestamp_ms = chunk * 20;
        let mut text = String::with_capacity(448);
        // a String takes whatever is written
        let _ = write!(
            text,
            r#"{{"event":"media","sequenceNumber":"{sequence}","streamSid":"{stream}","media":{{"track":"inbound","chunk":"{chunk}","timestamp":"{timestamp_ms}","payload":"{payload}"}}}}"#
        );
        text
    }

    /// A mark that was played or cleared.
    pub(super) fn mark(&mut self, name: &str) -> String {
        let (sequence, name) = (self.next(), serde_json::Value::from(name));
        let stream = &self.stream_sid;
        format!(r#"{{"event":"mark","sequenceNumber":"{sequence}","streamSid":"{stream}","mark":{{"name":{name}}}}}"#)
    }

    /// The caller hangs up.
    pub(super) fn stop(&mut self) -> String {
        let (sequence, stream, number) = (self.next(), &self.stream_sid, self.number);
        format!(
            r#"{{"event":"stop","sequenceNumber":"{sequence}","streamSid":"{stream}","stop":{{"accountSid":"AC{:032x}","callSid":"CA{number:032x}"}}}}"#,
            0x7a6e_de11_u32
        )
    }

    fn next(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }
}

/// A message of the switch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FromSwitch<'a> {
    /// Agent audio, in base64.
    Media(Cow<'a, str>),
    /// A mark behind the audio so far.
    Mark(Cow<'a, str>),
    /// What is queued shall not be played.
    Clear,
}

impl<'a> FromSwitch<'a> {
    /// Reads a message; `None` if it is none of the three.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Message<'a> {
            #[serde(borrow)]
            event: Cow<'a, str>,
            #[serde(borrow)]
            media: Option<Media<'a>>,
            #[serde(borrow)]
            mark: Option<Mark<'a>>,
        }
        #[derive(Deserialize)]
        struct Media<'a> {
            #[serde(borrow)]
            payload: Cow<'a, str>,
        }
        #[derive(Deserialize)]
        struct Mark<'a> {
            #[serde(borrow)]
            name: Cow<'a, str>,
        }
        let message: Message<'a> = serde_json::from_str(text).ok()?;
        match (&*message.event, message.media, message.mark) {
            ("media", Some(media), _) => Some(Self::Media(media.payload)),
            ("mark", _, Some(mark)) => Some(Self::Mark(mark.name)),
            ("clear", ..) => Some(Self::Clear),
            _ => None,
        }
    }
}

/// Decodes a payload into `audio`, which is emptied first; `None` if it is not base64.
pub(super) fn decode(payload: &str, audio: &mut Vec<u8>) -> Option<()> {
    audio.clear();
    STANDARD.decode_vec(payload, audio).ok()
}

/// A frame as a payload.
pub(super) fn encode(frame: &[u8; FRAME_SAMPLES]) -> Box<str> {
    STANDARD.encode(frame).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_written_is_json_and_counts() {
        let mut stream = Stream::numbered(7);
        let [connected, start] = stream.open();
        assert!(serde_json::from_str::<serde_json::Value>(&connected).is_ok());
        let start: serde_json::Value = serde_json::from_str(&start).unwrap();
        assert_eq!(start["start"]["callSid"], "CA00000000000000000000000000000007");
        assert_eq!(start["streamSid"], start["start"]["streamSid"]);
        stream.media("AAAA");
        let second: serde_json::Value = serde_json::from_str(&stream.media("AAAA")).unwrap();
        assert_eq!(second["sequenceNumber"], "3");
        assert_eq!(second["media"]["chunk"], "2");
        assert_eq!(second["media"]["timestamp"], "40");
        let mark: serde_json::Value = serde_json::from_str(&stream.mark("a\"b")).unwrap();
        assert_eq!(mark["mark"]["name"], "a\"b");
        let stop: serde_json::Value = serde_json::from_str(&stream.stop()).unwrap();
        assert_eq!(stop["stop"]["callSid"], start["start"]["callSid"]);
    }

    #[test]
    fn three_messages_are_read_and_no_others() {
        let read = FromSwitch::read;
        let media = r#"{"event":"media","streamSid":"MZ1","media":{"payload":"/w=="}}"#;
        assert_eq!(read(media), Some(FromSwitch::Media("/w==".into())));
        assert_eq!(
            read(r#"{"event":"mark","streamSid":"MZ1","mark":{"name":"m\n"}}"#),
            Some(FromSwitch::Mark("m\n".into()))
        );
        assert_eq!(read(r#"{"event":"clear","streamSid":"MZ1"}"#), Some(FromSwitch::Clear));
        assert_eq!(read(r#"{"event":"media","streamSid":"MZ1"}"#), None);
        assert_eq!(read(r#"{"event":"hello"}"#), None);
        assert_eq!(read("["), None);
    }

    #[test]
    fn payloads_come_back() {
        let mut audio = vec![9];
        decode(&encode(&[7; FRAME_SAMPLES]), &mut audio).unwrap();
        assert_eq!(audio, [7; FRAME_SAMPLES]);
        assert_eq!(decode("?", &mut audio), None);
    }
}
