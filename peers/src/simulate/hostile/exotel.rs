//! Bent sessions for Exotel's socket. What Twilio's dialect refuses and Exotel's takes (unknown events, either spelling) ends here by a
//! `stop` that is in order: the message before it must not have ended the call.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{EARLY, FORMAT, Hostile, LENGTH, MALFORMED, STREAM, text};
use crate::carrier::exotel::ExotelIds;

/// Bytes of 100 ms at 8 kHz.
const CHUNK_BYTES: usize = 1_600;
const HANGUP: &[&str] = &["caller_hangup"];

/// All bent sessions, each on the ids given.
pub fn hostile_to_exotel(ids: &ExotelIds) -> Vec<Hostile> {
    let sessions = Sessions { ids };
    let mut all = sessions.before_start();
    all.extend(sessions.bent_starts());
    all.extend(sessions.bent_messages());
    all.extend(sessions.bent_media());
    all.extend(sessions.tolerated());
    all
}

struct Sessions<'a> {
    ids: &'a ExotelIds,
}

impl Sessions<'_> {
    fn before_start(&self) -> Vec<Hostile> {
        let session = |name, messages, reasons| Hostile { name, messages, reasons };
        let connected = || text(json!({"event":"connected"}));
        vec![
            session("broken JSON first", vec![Message::text("{\"event\":")], MALFORMED),
            session("empty text first", vec![Message::text("")], MALFORMED),
            session("binary frame first", vec![Message::binary(vec![0; CHUNK_BYTES])], &["binary_frame"]),
            session("media before start", vec![connected(), text(self.media(CHUNK_BYTES))], EARLY),
            session("media before anything", vec![text(self.media(CHUNK_BYTES))], EARLY),
            session("dtmf before start", vec![connected(), text(self.dtmf(json!("5")))], EARLY),
            session("stop before start", vec![connected(), text(self.stop())], EARLY),
            session("two greetings", vec![connected(), connected()], MALFORMED),
        ]
    }

    fn bent_starts(&self) -> Vec<Hostile> {
        let bent = |name, path: &str, value: Value, reasons| {
            let mut start = self.start();
            *start.pointer_mut(path).expect("the path names a field of start") = value;
            Hostile { name, messages: vec![text(json!({"event":"connected"})), text(start)], reasons }
        };
        let rate = "/start/media_format/sample_rate";
        vec![
            bent("start at a rate that no stream has", rate, json!("44100"), FORMAT),
            bent("start at no rate", rate, json!(0), FORMAT),
            bent("start at a rate of 1e308", rate, json!(1e308), MALFORMED),
            bent("start at a rate in words", rate, json!("eight"), MALFORMED),
            bent("start with a format that is a string", "/start/media_format", json!("raw"), MALFORMED),
            bent("start without its body", "/start", Value::Null, MALFORMED),
            bent("start without a call", "/start/call_sid", Value::Null, MALFORMED),
            bent("start with a call that is a list", "/start/call_sid", json!([7]), MALFORMED),
            bent("start of two streams", "/start/stream_sid", json!("another"), STREAM),
            bent("start whose parameters are a list", "/start/custom_parameters", json!([1, 2]), MALFORMED),
            self.running("second start", vec![text(self.start())], &["duplicate_start"]),
        ]
    }

    fn bent_messages(&self) -> Vec<Hostile> {
        let event = |event: Value| text(json!({"event":event,"stream_sid":self.ids.stream_sid}));
        let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
        let nested = format!(r#"{{"event":"mark","stream_sid":"{}","mark":{deep}}}"#, self.ids.stream_sid);
        vec![
            self.running("broken JSON", vec![Message::text("{\"event\":\"media\",")], MALFORMED),
            self.running("a JSON list", vec![Message::text("[1,2,3]")], MALFORMED),
            self.running("JSON null", vec![Message::text("null")], MALFORMED),
            self.running("a message without an event", vec![Message::text("{}")], MALFORMED),
            self.running("an event that is a number", vec![event(json!(4))], MALFORMED),
            self.running("a raw NUL", vec![Message::text("{\"event\":\"me\0dia\"}")], MALFORMED),
            self.running("JSON nested 50,000 deep", vec![Message::text(nested)], MALFORMED),
            self.running("binary frame", vec![Message::binary(vec![0; CHUNK_BYTES])], &["binary_frame"]),
            self.running("a digit of two", vec![text(self.dtmf(json!("55")))], MALFORMED),
            self.running(
                "a message of 4 MB",
                vec![Message::text(" ".repeat(4 << 20) + &self.media(CHUNK_BYTES).to_string())],
                &["oversized_message"],
            ),
            self.running("stop twice", vec![text(self.stop()), text(self.stop())], HANGUP),
            self.running("media after stop", vec![text(self.stop()), text(self.media(CHUNK_BYTES))], HANGUP),
        ]
    }

    fn bent_media(&self) -> Vec<Hostile> {
        let with = |name, path: &str, value: Value, reasons| {
            let mut media = self.media(CHUNK_BYTES);
            *media.pointer_mut(path).expect("the path names a field of media") = value;
            self.running(name, vec![text(media)], reasons)
        };
        let payload = "/media/payload";
        let of = |name, bytes, reasons| self.running(name, vec![text(self.media(bytes))], reasons);
        vec![
            of("payload of no bytes", 0, LENGTH),
            of("payload of half a sample", 1, LENGTH),
            of("payload of 1,601 bytes", 1_601, LENGTH),
            of("payload of 100,002 bytes", 100_002, LENGTH),
            with("payload that is not base64", payload, json!("!!!!"), &["bad_base64"]),
            with("payload with a character too few", payload, json!("/////"), &["bad_base64"]),
            with("payload of letters beyond ASCII", payload, json!("नमस्ते"), &["bad_base64"]),
            with("payload that is a number", payload, json!(1e308), MALFORMED),
            with("timestamp of 1e308", "/media/timestamp", json!(1e308), MALFORMED),
            with("media without its body", "/media", Value::Null, MALFORMED),
            with("media of another stream", "/stream_sid", json!("another"), STREAM),
            self.running("5,000 messages at once", vec![text(self.media(CHUNK_BYTES)); 5_000], &["message_flood"]),
        ]
    }

    /// Odd, and no reason to end a call.
    fn tolerated(&self) -> Vec<Hostile> {
        let then_stop = |name, odd: Value| self.running(name, vec![text(odd), text(self.stop())], HANGUP);
        let sid = &self.ids.stream_sid;
        vec![
            then_stop("an unknown event", json!({"event":"silence","stream_sid":sid,"silence":{"since":1e308}})),
            then_stop("an event in capitals", json!({"event":"MEDIA","stream_sid":sid})),
            then_stop("an escaped NUL", json!({"event":"media\0","stream_sid":sid})),
            then_stop("a digit that is a number", self.dtmf(json!(5))),
            then_stop(
                "a sequence number of 1e308",
                json!({"event":"mark","stream_sid":sid,"sequence_number":1e308,"mark":{"name":"x"}}),
            ),
            then_stop(
                "a mark that nobody sent",
                json!({"event":"mark","stream_sid":sid,"mark":{"name":"9-9-18446744073709551616"}}),
            ),
        ]
    }

    /// A session that starts well.
    fn running(&self, name: &'static str, then: Vec<Message>, reasons: &'static [&'static str]) -> Hostile {
        let mut messages = vec![text(json!({"event":"connected"})), text(self.start()), text(self.media(CHUNK_BYTES))];
        messages.extend(then);
        Hostile { name, messages, reasons }
    }

    fn start(&self) -> Value {
        let ExotelIds { account_sid, call_sid, stream_sid } = self.ids;
        json!({"event":"start","sequence_number":"1","stream_sid":stream_sid,
            "start":{"stream_sid":stream_sid,"account_sid":account_sid,"call_sid":call_sid,
                "from":"09876543210","to":"08047112233","custom_parameters":{},
                "media_format":{"encoding":"base64","sample_rate":"8000","bit_rate":"128kbps"}}})
    }

    fn media(&self, bytes: usize) -> Value {
        let payload = STANDARD.encode(vec![0; bytes]);
        json!({"event":"media","sequence_number":"2","stream_sid":self.ids.stream_sid,
            "media":{"chunk":"1","timestamp":"0","payload":payload}})
    }

    fn dtmf(&self, digit: Value) -> Value {
        json!({"event":"dtmf","sequence_number":"2","stream_sid":self.ids.stream_sid,"dtmf":{"digit":digit,"duration":"120"}})
    }

    fn stop(&self) -> Value {
        json!({"event":"stop","sequence_number":"3","stream_sid":self.ids.stream_sid,"stop":{"reason":"callended"}})
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn sessions_are_many_and_their_names_their_own() {
        let all = hostile_to_exotel(&ExotelIds::numbered(1));
        assert!(all.len() >= 40, "{}", all.len());
        assert_eq!(all.iter().map(|hostile| hostile.name).collect::<BTreeSet<_>>().len(), all.len());
        assert!(all.iter().all(|hostile| !hostile.messages.is_empty() && !hostile.reasons.is_empty()));
    }
}
