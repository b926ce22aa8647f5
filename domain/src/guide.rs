//! The voice and calling settings of an agent in the shapes that clients of an earlier service send and read (api-inventory E4 to E9).
//!
//! ```text
//! GET  …/{agent_id}/voice/         VoiceView          GET  …/{agent_id}/calling/        CallingView
//! POST …/{agent_id}/voice/         read_voice         POST …/{agent_id}/calling/        read_calling
//!      answer                      VoiceChanged            answer                       CallingView
//! POST …/{agent_id}/voice/test/    VoiceTest          POST …/{agent_id}/calling/test/   CallingTest
//!      answer                      VoiceTested             answer                       CallingTestStarted
//! ```
//!
//! Each field is a setting of the catalogue under its own name, so these shapes keep nothing of their own: what is set here is seen everywhere.
//! A POST changes what it names, and leaves the rest. `agent_id` is the agent's UUID (R2), `agent_type` its kind (R4), a confidence 0 to 100
//! here and nowhere else (R15). Key for key, the shapes are pinned by the tests below.
//! Not here: HTTP, voices, numbers and the health of vendors; they come in by argument.

use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::agent_settings::{AgentSettings, Faults, Wrong, change_schema, pointer, type_name};

mod calling;
mod voice;

pub use calling::{
    CallSettings, CallingTest, CallingTestStarted, CallingView, OwnNumber, TwilioFeatures, calling_schema,
    calling_test_schema, read_calling,
};
pub use voice::{
    CurrentVoice, PersonalityDetected, PersonalityOption, VoiceChanged, VoiceOffer, VoiceTest, VoiceTested, VoiceView,
    read_voice, voice_schema, voice_test_schema,
};

/// Whether a vendor can be reached (api-inventory section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum IntegrationHealth {
    /// It answers.
    Connected,
    /// There is no account of it.
    NotConfigured,
    /// It does not answer, or refuses us.
    Error,
}

/// Which agent an answer is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Whose<'a> {
    /// Its public id.
    pub uuid: Uuid,
    /// What was set of it.
    pub settings: &'a AgentSettings,
}

/// The one text field of a test, up to `most` characters.
fn one_text(document: &Value, name: &'static str, most: usize) -> Result<String, Faults> {
    let mut faults = Faults::default();
    let Value::Object(fields) = document else {
        faults.push("", || Wrong::Type { wanted: "an object", found: type_name(document) });
        return Err(faults);
    };
    for key in fields.keys().filter(|key| *key != name) {
        faults.push(&pointer("", key), || Wrong::Unknown { nearest: Some(name) });
    }
    let at = pointer("", name);
    match fields.get(name) {
        Some(Value::String(text)) if !text.trim().is_empty() => {
            let found = text.chars().count();
            if found > most {
                faults.push(&at, || Wrong::TooMuch { found, most, of: "characters" });
            } else if faults.is_empty() {
                return Ok(text.trim().to_owned());
            }
        }
        None | Some(Value::Null | Value::String(_)) => faults.push(&at, || Wrong::Missing("a test needs it")),
        Some(other) => faults.push(&at, || Wrong::Type { wanted: "a text", found: type_name(other) }),
    }
    Err(faults)
}

/// The schema of an object of some settings, any subset of them.
fn some_of(names: &[&str]) -> Value {
    let mut all = change_schema(false);
    let properties: Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), all["properties"][*name].take())).collect();
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

/// The schema of a test's body: one text field.
fn one_text_schema(name: &str, most: usize) -> Value {
    json!({
        "type": "object",
        "properties": {name: {"type": "string", "minLength": 1, "maxLength": most}},
        "required": [name],
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests;
