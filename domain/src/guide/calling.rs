//! E7, E8 and E9: what an agent does with a telephone.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{IntegrationHealth, Whose, one_text, one_text_schema, some_of};
use crate::agent_settings::{
    AgentChange, Fault, Faults, Kind, Scope, Setting, Wrong, catalogue as settings, nearest, pointer, type_name,
};
use crate::number::{Number, Region};

/// Fields of `call_settings`.
const CALL_SETTINGS: &[&str] = &[
    "auto_answer_inbound",
    "enable_call_recording",
    "call_timeout",
    "max_call_duration",
    "enable_voicemail",
    "caller_id_number",
];
/// Fields of `twilio_features`.
const FEATURES: &[&str] =
    &["machine_detection", "call_screening", "call_forwarding", "conference_calls", "call_queuing"];
/// Parts of the body of E8.
const PARTS: [(&str, &[&str]); 2] = [("call_settings", CALL_SETTINGS), ("twilio_features", FEATURES)];
/// Characters of a number that is tested, with whatever stands between its digits.
const MOST_NUMBER: usize = 64;

/// Answer of E7, and of E8.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallingView {
    /// The agent's UUID.
    pub agent_id: uuid::Uuid,
    /// Its name.
    pub agent_name: String,
    /// Its kind: `ai`.
    pub agent_type: &'static str,
    /// What holds.
    pub call_settings: CallSettings,
    /// What it may ask of the carrier.
    pub twilio_features: TwilioFeatures,
    /// Its numbers.
    pub phone_numbers: Vec<OwnNumber>,
    /// Whether the carrier can be reached.
    pub twilio_status: IntegrationHealth,
}

/// The settings that hold. Times are seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallSettings {
    /// Answers by itself.
    pub auto_answer_inbound: bool,
    /// Its calls are recorded.
    pub enable_call_recording: bool,
    /// How long a call may ring.
    pub call_timeout: i64,
    /// Longest call.
    pub max_call_duration: i64,
    /// Leaves a message where a machine answers.
    pub enable_voicemail: bool,
    /// Number that it calls from; `null` for the trunk's own.
    pub caller_id_number: Option<String>,
}

/// What it may ask of the carrier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TwilioFeatures {
    /// Whether a person has answered.
    pub machine_detection: bool,
    /// Who is calling.
    pub call_screening: bool,
    /// To pass calls on.
    pub call_forwarding: bool,
    /// To bring further people into a call.
    pub conference_calls: bool,
    /// To keep callers waiting.
    pub call_queuing: bool,
}

/// A number of the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OwnNumber {
    /// E.164.
    pub number: String,
    /// Such as `main`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its calls reach the agent.
    pub active: bool,
}

impl CallingView {
    /// The answer about one agent. `longest_s` is the server's longest call in seconds, for agents that set none.
    pub fn of(
        agent: Whose<'_>,
        longest_s: i64,
        phone_numbers: Vec<OwnNumber>,
        twilio_status: IntegrationHealth,
    ) -> Self {
        let set = agent.settings;
        let on = |setting: &Setting| set.flag(setting);
        // -1 lifts the server's limit, not the ceiling, which is its setting's greatest value.
        let longest = match (
            set.whole(&settings::MAX_CONVERSATION_DURATION_SECONDS),
            settings::MAX_CONVERSATION_DURATION_SECONDS.kind,
        ) {
            (Some(-1), Kind::Whole(bounds)) => bounds.to,
            (Some(seconds), _) => seconds,
            (None, _) => longest_s,
        };
        Self {
            agent_id: agent.uuid,
            agent_name: set.name(),
            agent_type: "ai",
            call_settings: CallSettings {
                auto_answer_inbound: on(&settings::AUTO_ANSWER_INBOUND),
                enable_call_recording: on(&settings::ENABLE_CALL_RECORDING),
                call_timeout: set.whole(&settings::CALL_TIMEOUT).unwrap_or_default(),
                max_call_duration: longest,
                enable_voicemail: on(&settings::ENABLE_VOICEMAIL),
                caller_id_number: Some(set.text(&settings::CALLER_ID_NUMBER)).filter(|number| !number.is_empty()),
            },
            twilio_features: TwilioFeatures {
                machine_detection: on(&settings::MACHINE_DETECTION),
                call_screening: on(&settings::CALL_SCREENING),
                call_forwarding: on(&settings::CALL_FORWARDING),
                conference_calls: on(&settings::CONFERENCE_CALLS),
                call_queuing: on(&settings::CALL_QUEUING),
            },
            phone_numbers,
            twilio_status,
        }
    }
}

/// Reads the body of E8: `call_settings` and `twilio_features`, any subset of each. `region` is whose numbers come without a country code.
pub fn read_calling(body: &Value, region: Option<Region>) -> Result<AgentChange, Faults> {
    let mut faults = Faults::default();
    let Value::Object(parts) = body else {
        faults.push("", || Wrong::Type { wanted: "an object", found: type_name(body) });
        return Err(faults);
    };
    let mut change = AgentChange::default();
    for (name, value) in parts {
        let at = pointer("", name);
        let Some((_, names)) = PARTS.iter().find(|(part, _)| part == name) else {
            faults.push(&at, || misplaced(name));
            continue;
        };
        match AgentChange::read(value, Scope { names, at: &at, region, ..Scope::default() }) {
            Ok(part) => change = change.and(part),
            Err(found) => faults.append(found),
        }
    }
    if faults.is_empty() { Ok(change) } else { Err(faults) }
}

/// The body of E8 as JSON Schema.
pub fn calling_schema() -> Value {
    let parts: Map<String, Value> = PARTS.iter().map(|(part, names)| ((*part).to_owned(), some_of(names))).collect();
    json!({"type": "object", "properties": parts, "additionalProperties": false})
}

fn misplaced(name: &str) -> Wrong {
    let read_only = settings::READ_ONLY.iter().find(|(field, _)| *field == name);
    match (PARTS.iter().find(|(_, names)| names.contains(&name)), read_only) {
        (Some((part, _)), _) => Wrong::Misplaced(part),
        (None, Some((_, why))) => Wrong::ReadOnly(why),
        (None, None) => Wrong::Unknown { nearest: nearest(name, PARTS.iter().map(|(part, _)| *part)) },
    }
}

/// Body of E9.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallingTest {
    /// Who is called.
    pub test_number: Number,
}

impl CallingTest {
    /// Reads the body. `region` is whose numbers come without a country code.
    pub fn read(body: &Value, region: Option<Region>) -> Result<Self, Faults> {
        let text = one_text(body, "test_number", MOST_NUMBER)?;
        let wrong = |error: crate::number::NumberError| {
            let fault = Fault { pointer: pointer("", "test_number"), wrong: Wrong::Rule(error.to_string()) };
            Faults { told: vec![fault], more: 0 }
        };
        Ok(Self { test_number: Number::read(&text, region).map_err(wrong)? })
    }
}

/// The body of E9 as JSON Schema.
pub fn calling_test_schema() -> Value {
    one_text_schema("test_number", MOST_NUMBER)
}

/// Answer of E9.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallingTestStarted {
    /// The carrier has taken the call.
    pub test_call_initiated: bool,
    /// The carrier's id.
    pub call_sid: String,
    /// `queued`.
    pub status: &'static str,
    /// Who is called, in E.164.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub test_number: Number,
    /// For people.
    pub estimated_duration: &'static str,
}

impl CallingTestStarted {
    /// The answer about a call that the carrier has taken.
    pub fn new(call_sid: String, test_number: Number) -> Self {
        let status = crate::record::CallStatus::Queued.as_str();
        Self { test_call_initiated: true, call_sid, status, test_number, estimated_duration: "30-60 seconds" }
    }
}
