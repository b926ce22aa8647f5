//! Bent sessions for the browser's socket. What its dialect takes though it has no use for it ends here by a close that is in order: the
//! message before it must not have ended the talk.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{EARLY, Hostile, LENGTH, MALFORMED, UNKNOWN, text};

/// Bytes of 20 ms at 16 kHz.
const CHUNK_BYTES: usize = 640;

/// All bent sessions.
pub fn hostile_to_browser() -> Vec<Hostile> {
    let mut all = before_start();
    all.extend(bent_starts());
    all.extend(bent_messages());
    all.extend(bent_audio());
    all
}

fn session(name: &'static str, messages: Vec<Message>, reasons: &'static [&'static str]) -> Hostile {
    Hostile { name, messages, reasons }
}

fn before_start() -> Vec<Hostile> {
    vec![
        session("broken JSON first", vec![Message::text("{\"type\":")], MALFORMED),
        session("empty text first", vec![Message::text("")], MALFORMED),
        session("binary frame first", vec![Message::binary(vec![0; CHUNK_BYTES])], &["binary_frame"]),
        session("words before the start", vec![text(words("hello"))], EARLY),
        session("a pong before the start", vec![text(json!({"type": "pong", "event_id": 1}))], EARLY),
        session("an unknown event first", vec![text(json!({"type": "hello"}))], EARLY),
    ]
}

fn bent_starts() -> Vec<Hostile> {
    let with = |name, member: &str, value: Value| {
        let mut start = start();
        start[member] = value;
        session(name, vec![text(start)], MALFORMED)
    };
    let many: Value =
        (0..1_000).map(|number| (format!("v{number}"), json!(number))).collect::<serde_json::Map<_, _>>().into();
    vec![
        with("overrides that are a list", "conversation_config_override", json!([1])),
        with("overrides of an agent that is a number", "conversation_config_override", json!({"agent": 1e308})),
        with("variables that are a string", "dynamic_variables", json!("name")),
        with("a thousand variables", "dynamic_variables", many),
        with("a variable of 10,000 characters", "dynamic_variables", json!({"x": "é".repeat(10_000)})),
        with("a user that is a number", "user_id", json!(7)),
        running("a second start", vec![text(start())], &["duplicate_start"]),
    ]
}

fn bent_messages() -> Vec<Hostile> {
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let nested = format!(r#"{{"type":"client_tool_result","tool_call_id":"t","result":{deep}}}"#);
    vec![
        running("broken JSON", vec![Message::text("{\"type\":\"user_message\",")], MALFORMED),
        running("a JSON list", vec![Message::text("[1,2,3]")], MALFORMED),
        running("JSON null", vec![Message::text("null")], MALFORMED),
        running("a message without a type", vec![Message::text("{}")], MALFORMED),
        running("a type that is a number", vec![text(json!({"type": 4}))], MALFORMED),
        running("a raw NUL", vec![Message::text("{\"type\":\"po\0ng\"}")], MALFORMED),
        running("an escaped NUL", vec![text(json!({"type": "pong\0", "event_id": 1}))], UNKNOWN),
        running("JSON nested 20,000 deep", vec![Message::text(nested)], MALFORMED),
        running("an unknown event", vec![text(json!({"type": "video", "video_event": {"since": 1e308}}))], UNKNOWN),
        running("binary frame", vec![Message::binary(vec![0; CHUNK_BYTES])], &["binary_frame"]),
        running("a pong of 1e308", vec![text(json!({"type": "pong", "event_id": 1e308}))], MALFORMED),
        running("a pong of -1", vec![text(json!({"type": "pong", "event_id": -1}))], MALFORMED),
        running("words that are a number", vec![text(json!({"type": "user_message", "text": 7}))], MALFORMED),
        running("5,000 characters of words", vec![text(words(&"x".repeat(5_000)))], MALFORMED),
        running(
            "a result without its call",
            vec![text(json!({"type": "client_tool_result", "result": "x"}))],
            MALFORMED,
        ),
        running(
            "a message of 4 MB",
            vec![Message::text(" ".repeat(4 << 20) + &words("x").to_string())],
            &["oversized_message"],
        ),
        running("5,000 pongs at once", vec![text(json!({"type": "pong", "event_id": 1})); 5_000], &["message_flood"]),
        running("5,000 typed turns at once", vec![text(words("sixty lakh")); 5_000], &["message_flood"]),
    ]
}

fn bent_audio() -> Vec<Hostile> {
    let of = |name, bytes, reasons| running(name, vec![text(audio(bytes))], reasons);
    let with = |name, payload: Value, reasons| running(name, vec![text(json!({"user_audio_chunk": payload}))], reasons);
    vec![
        of("audio of no bytes", 0, LENGTH),
        of("audio of half a sample", 641, LENGTH),
        of("more than a second of audio", 32_002, LENGTH),
        with("audio that is not base64", json!("!!!!"), &["bad_base64"]),
        with("audio with a character too few", json!("/////"), &["bad_base64"]),
        with("audio in letters beyond ASCII", json!("नमस्ते"), &["bad_base64"]),
        with("audio that is a number", json!(1e308), MALFORMED),
        with("audio that is a list", json!([0, 0]), MALFORMED),
        running("5,000 chunks at once", vec![text(audio(2)); 5_000], &["message_flood"]),
    ]
}

/// A session that starts well.
fn running(name: &'static str, then: Vec<Message>, reasons: &'static [&'static str]) -> Hostile {
    let mut messages = vec![text(start()), text(audio(CHUNK_BYTES))];
    messages.extend(then);
    session(name, messages, reasons)
}

fn start() -> Value {
    json!({"type": "conversation_initiation_client_data", "source_info": {"source": "js_sdk", "version": "1.25.0"}})
}

fn audio(bytes: usize) -> Value {
    json!({"user_audio_chunk": STANDARD.encode(vec![0; bytes])})
}

fn words(text: &str) -> Value {
    json!({"type": "user_message", "text": text})
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn sessions_are_many_and_their_names_their_own() {
        let sessions = hostile_to_browser();
        let names: BTreeSet<&str> = sessions.iter().map(|session| session.name).collect();
        assert_eq!(names.len(), sessions.len());
        assert!(names.len() >= 40, "{}", names.len());
    }
}
