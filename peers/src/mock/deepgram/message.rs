//! What the server says, as JSON.

use serde_json::{Value, json};

use super::query::Listen;
use crate::voice::{Heard, RATE_HZ};

/// What a result says beside its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Flags {
    pub(super) is_final: bool,
    pub(super) speech_final: bool,
    pub(super) from_finalize: bool,
}

pub(super) fn seconds(samples: u64) -> f64 {
    samples as f64 / f64::from(RATE_HZ)
}

/// `Results` for `from..to`, in samples.
pub(super) fn results(listen: &Listen, request_id: &str, from: u64, to: u64, words: &[Heard], flags: Flags) -> String {
    let bare = |word: &str| word.to_lowercase().trim_matches(|letter: char| letter.is_ascii_punctuation()).to_owned();
    let read = |heard: &Heard| if listen.punctuated { heard.text.clone() } else { bare(&heard.text) };
    let transcript = words.iter().map(read).collect::<Vec<_>>().join(" ");
    let confidence = if words.is_empty() { 0.0 } else { 0.99 };
    let word = |heard: &Heard| {
        let mut word = json!({
            "word": bare(&heard.text), "start": seconds(heard.start), "end": seconds(heard.end), "confidence": 0.99,
        });
        if listen.punctuated {
            word["punctuated_word"] = json!(heard.text);
        }
        if listen.multilingual {
            word["language"] = json!("en");
        }
        word
    };
    let mut alternative = json!({
        "transcript": transcript, "confidence": confidence, "words": words.iter().map(word).collect::<Vec<_>>(),
    });
    if listen.multilingual {
        alternative["languages"] = json!(["en"]);
    }
    json!({
        "type": "Results", "channel_index": [0, 1],
        "duration": seconds(to.saturating_sub(from)), "start": seconds(from),
        "is_final": flags.is_final, "speech_final": flags.speech_final, "from_finalize": flags.from_finalize,
        "channel": { "alternatives": [alternative] },
        "metadata": { "request_id": request_id, "model_info": model_info(listen), "model_uuid": MODEL_UUID },
    })
    .to_string()
}

const MODEL_UUID: &str = "00000000-0000-4000-8000-000000000003";

fn model_info(listen: &Listen) -> Value {
    let arch = listen.model.splitn(3, '-').take(2).collect::<Vec<_>>().join("-");
    json!({ "name": format!("general-{arch}"), "version": "2025-01-01.0", "arch": arch })
}

/// `Metadata`: the stream's summary.
pub(super) fn metadata(listen: &Listen, request_id: &str, duration: u64) -> String {
    json!({
        "type": "Metadata", "transaction_key": "deprecated", "request_id": request_id,
        "sha256": "0".repeat(64), "created": "2026-01-01T00:00:00.000Z",
        "duration": seconds(duration), "channels": 1,
        "models": [MODEL_UUID], "model_info": { MODEL_UUID: model_info(listen) },
    })
    .to_string()
}

pub(super) fn speech_started(at: u64) -> String {
    json!({ "type": "SpeechStarted", "channel": [0], "timestamp": seconds(at) }).to_string()
}

pub(super) fn utterance_end(last_word_end: u64) -> String {
    json!({ "type": "UtteranceEnd", "channel": [0, 1], "last_word_end": seconds(last_word_end) }).to_string()
}

pub(super) fn configured(request_id: &str, keyterms: &[String]) -> String {
    json!({ "type": "ConfigureSuccess", "request_id": request_id, "keyterms": keyterms }).to_string()
}

pub(super) fn not_configured(request_id: &str, code: &str, description: &str) -> String {
    json!({ "type": "ConfigureFailure", "request_id": request_id, "code": code, "description": description })
        .to_string()
}

pub(super) fn schema_error(description: &str) -> String {
    json!({ "type": "Error", "variant": "SchemaError", "description": "Could not deserialize last text message.", "message": description })
        .to_string()
}
