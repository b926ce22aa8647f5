//! Sessions that no carrier would send: each must end its own call, with a named reason, and nothing else.
//!
//! Place: for the switch's tests of bad input. Twilio's sessions are here, other carriers' in modules of their own; reasons are those of
//! `tandem_domain::port::dialect::Breach::reason` and, where a call ends orderly, of the call's end.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::carrier::twilio::{FRAME_SAMPLES, TwilioIds};

mod browser;
mod exotel;

pub use browser::hostile_to_browser;
pub use exotel::hostile_to_exotel;

/// One bent session.
#[derive(Debug, Clone)]
pub struct Hostile {
    /// What is bent.
    pub name: &'static str,
    /// What to send, in order, without waiting; the socket then stays open until the switch closes it.
    pub messages: Vec<Message>,
    /// The reasons that the call's record may name; more than one where two guards watch the same door.
    pub reasons: &'static [&'static str],
}

const MALFORMED: &[&str] = &["malformed_message"];
const LENGTH: &[&str] = &["bad_payload_length"];
const FORMAT: &[&str] = &["unsupported_format"];
const UNKNOWN: &[&str] = &["unknown_event"];
const STREAM: &[&str] = &["wrong_stream"];
const EARLY: &[&str] = &["media_before_start"];

/// All bent sessions for Twilio's socket, each on the ids given.
pub fn hostile(ids: &TwilioIds) -> Vec<Hostile> {
    let sessions = Sessions { ids };
    let mut all = sessions.before_start();
    all.extend(sessions.bent_starts());
    all.extend(sessions.bent_messages());
    all.extend(sessions.bent_media());
    all
}

struct Sessions<'a> {
    ids: &'a TwilioIds,
}

impl Sessions<'_> {
    fn before_start(&self) -> Vec<Hostile> {
        let session = |name, messages, reasons| Hostile { name, messages, reasons };
        let connected = || text(self.connected());
        vec![
            session("broken JSON first", vec![Message::text("{\"event\":")], MALFORMED),
            session("empty text first", vec![Message::text("")], MALFORMED),
            session("binary frame first", vec![Message::binary(vec![0; FRAME_SAMPLES])], &["binary_frame"]),
            session("media before start", vec![connected(), text(self.media(FRAME_SAMPLES))], EARLY),
            session("media before anything", vec![text(self.media(FRAME_SAMPLES))], EARLY),
            session("dtmf before start", vec![connected(), text(self.dtmf("5"))], EARLY),
            session("mark before start", vec![connected(), text(self.mark("a"))], EARLY),
        ]
    }

    fn bent_starts(&self) -> Vec<Hostile> {
        let bent = |name, path: &str, value: Value, reasons| {
            let mut start = self.start();
            *start.pointer_mut(path).expect("the path names a field of start") = value;
            Hostile { name, messages: vec![text(self.connected()), text(start)], reasons }
        };
        let format = "/start/mediaFormat";
        vec![
            bent("start in another encoding", "/start/mediaFormat/encoding", json!("audio/opus"), FORMAT),
            bent("start at another rate", "/start/mediaFormat/sampleRate", json!(16_000), FORMAT),
            bent("start with two channels", "/start/mediaFormat/channels", json!(2), FORMAT),
            bent(
                "start at a rate of 1e308",
                "/start/mediaFormat/sampleRate",
                json!(1e308),
                &["unsupported_format", "malformed_message"],
            ),
            bent("start with a format that is a string", format, json!("audio/x-mulaw"), MALFORMED),
            bent("start without its body", "/start", Value::Null, MALFORMED),
            bent("start whose parameters are a list", "/start/customParameters", json!([1, 2]), MALFORMED),
            bent("start with a callSid that is a number", "/start/callSid", json!(7), MALFORMED),
            self.running("second start", vec![text(self.start())], &["duplicate_start"]),
        ]
    }

    fn bent_messages(&self) -> Vec<Hostile> {
        let event = |event: Value| text(json!({"event":event,"sequenceNumber":"2","streamSid":self.ids.stream_sid}));
        let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
        let nested = format!(r#"{{"event":"mark","streamSid":"{}","mark":{deep}}}"#, self.ids.stream_sid);
        vec![
            self.running("broken JSON", vec![Message::text("{\"event\":\"media\",")], MALFORMED),
            self.running("a JSON list", vec![Message::text("[1,2,3]")], MALFORMED),
            self.running("JSON null", vec![Message::text("null")], MALFORMED),
            self.running("a message without an event", vec![Message::text("{}")], MALFORMED),
            self.running("an event that is a number", vec![event(json!(4))], MALFORMED),
            self.running("an event that is an object", vec![event(json!({"a":1}))], MALFORMED),
            self.running("a raw NUL", vec![Message::text("{\"event\":\"me\0dia\"}")], MALFORMED),
            self.running("an escaped NUL", vec![event(json!("media\0"))], UNKNOWN),
            self.running("an unknown event", vec![event(json!("teleport"))], UNKNOWN),
            self.running("an event in capitals", vec![event(json!("MEDIA"))], UNKNOWN),
            self.running(
                "JSON nested 50,000 deep",
                vec![Message::text(nested)],
                &["malformed_message", "oversized_message"],
            ),
            self.running("binary frame", vec![Message::binary(vec![0xff; FRAME_SAMPLES])], &["binary_frame"]),
            self.running(
                "a message of 4 MB",
                vec![Message::text(" ".repeat(4 << 20) + &self.media(FRAME_SAMPLES).to_string())],
                &["oversized_message"],
            ),
            self.running("stop twice", vec![text(self.stop()), text(self.stop())], &["caller_hangup"]),
            self.running(
                "media after stop",
                vec![text(self.stop()), text(self.media(FRAME_SAMPLES))],
                &["caller_hangup"],
            ),
        ]
    }

    fn bent_media(&self) -> Vec<Hostile> {
        let with = |name, path: &str, value: Value, reasons| {
            let mut media = self.media(FRAME_SAMPLES);
            *media.pointer_mut(path).expect("the path names a field of media") = value;
            self.running(name, vec![text(media)], reasons)
        };
        let payload = "/media/payload";
        let of = |name, bytes, reasons| self.running(name, vec![text(self.media(bytes))], reasons);
        vec![
            of("payload of no bytes", 0, LENGTH),
            of("payload of 161 bytes", 161, LENGTH),
            of("payload of 100,000 bytes", 100_000, &["bad_payload_length", "oversized_message"]),
            with("payload that is not base64", payload, json!("!!!!"), &["bad_base64"]),
            with("payload with a character too few", payload, json!("/////"), &["bad_base64"]),
            with("payload of letters beyond ASCII", payload, json!("नमस्ते"), &["bad_base64"]),
            with("payload that is a number", payload, json!(1e308), MALFORMED),
            with("payload that is a list", payload, json!([255, 255]), MALFORMED),
            with("media without its body", "/media", Value::Null, MALFORMED),
            with("media of another stream", "/streamSid", json!("MZ00000000000000000000000000000bad"), STREAM),
            with("media of a stream that is a number", "/streamSid", json!(5), MALFORMED),
            self.running("5,000 messages at once", vec![text(self.media(FRAME_SAMPLES)); 5_000], &["message_flood"]),
        ]
    }

    /// A session that starts well.
    fn running(&self, name: &'static str, then: Vec<Message>, reasons: &'static [&'static str]) -> Hostile {
        let mut messages = vec![text(self.connected()), text(self.start()), text(self.media(FRAME_SAMPLES))];
        messages.extend(then);
        Hostile { name, messages, reasons }
    }

    fn connected(&self) -> Value {
        json!({"event":"connected","protocol":"Call","version":"1.0.0"})
    }

    fn start(&self) -> Value {
        let TwilioIds { account_sid, call_sid, stream_sid } = self.ids;
        json!({"event":"start","sequenceNumber":"1","streamSid":stream_sid,
            "start":{"streamSid":stream_sid,"accountSid":account_sid,"callSid":call_sid,"tracks":["inbound"],
                "mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},"customParameters":{}}})
    }

    fn media(&self, bytes: usize) -> Value {
        let payload = STANDARD.encode(vec![0xff; bytes]);
        json!({"event":"media","sequenceNumber":"2","streamSid":self.ids.stream_sid,
            "media":{"track":"inbound","chunk":"1","timestamp":"20","payload":payload}})
    }

    fn dtmf(&self, digit: &str) -> Value {
        json!({"event":"dtmf","sequenceNumber":"2","streamSid":self.ids.stream_sid,
            "dtmf":{"track":"inbound_track","digit":digit}})
    }

    fn mark(&self, name: &str) -> Value {
        json!({"event":"mark","sequenceNumber":"2","streamSid":self.ids.stream_sid,"mark":{"name":name}})
    }

    fn stop(&self) -> Value {
        json!({"event":"stop","sequenceNumber":"3","streamSid":self.ids.stream_sid,
            "stop":{"accountSid":self.ids.account_sid,"callSid":self.ids.call_sid}})
    }
}

fn text(value: Value) -> Message {
    Message::text(value.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn sessions_are_many_and_their_names_their_own() {
        let all = hostile(&TwilioIds::numbered(1));
        assert!(all.len() >= 25, "{}", all.len());
        assert_eq!(all.iter().map(|hostile| hostile.name).collect::<BTreeSet<_>>().len(), all.len());
        assert!(all.iter().all(|hostile| !hostile.messages.is_empty() && !hostile.reasons.is_empty()));
    }

    #[test]
    fn bent_fields_still_parse_as_json() {
        let all = hostile(&TwilioIds::numbered(1));
        let start = all.iter().find(|hostile| hostile.name == "start at another rate").unwrap();
        let value: Value = serde_json::from_str(start.messages[1].to_text().unwrap()).unwrap();
        assert_eq!(value["start"]["mediaFormat"]["sampleRate"], 16_000);
    }
}
