//! Agents and their changes as the description of the interface has them: made from the catalogue that reads and shows them, so neither says what the
//! other does not. Types of this module are described and never made.

use serde_json::{Value, json};
use tandem_domain::agent_settings::{Group, catalogue, change_schema, shown_schema};
use tandem_domain::guide::{calling_schema, calling_test_schema, voice_schema, voice_test_schema};

use super::super::schema::described;

described! {
    /// An agent as it is shown.
    Agent is "Agent" = agent();
    /// All settings as they are shown.
    Settings is "AgentSettings" = shown_schema();
    /// What makes an agent.
    New is "NewAgent" = change_schema(true);
    /// What changes one.
    Change is "AgentChange" = change_schema(false);
    /// Guardrails as they are shown.
    Guardrails is "Guardrails" = of(shown_schema(), "guardrails");
    /// Guardrails as they are sent.
    SentGuardrails is "GuardrailsChange" = of(change_schema(false), "guardrails");
    /// System tools as they are shown.
    SystemTools is "SystemTools" = of(shown_schema(), "system_tools");
    /// System tools as they are sent.
    SentSystemTools is "SystemToolsChange" = of(change_schema(false), "system_tools");
    /// Client overrides as they are shown.
    ClientOverrides is "ClientOverrides" = of(shown_schema(), "client_override_keys");
    /// Client overrides as they are sent.
    SentClientOverrides is "ClientOverridesChange" = of(change_schema(false), "client_override_keys");
    /// Client events as they are shown.
    ClientEvents is "ClientEvents" = of(shown_schema(), "client_events");
    /// Client events as they are sent.
    SentClientEvents is "ClientEventsChange" = of(change_schema(false), "client_events");
    /// The voice in detail as it is shown.
    VoiceConfig is "VoiceConfig" = group(shown_schema(), Group::VoiceConfig);
    /// The voice in detail as it is sent.
    SentVoiceConfig is "VoiceConfigChange" = group(change_schema(false), Group::VoiceConfig);
    /// The voice of a language as it is sent.
    SentLanguage is "AgentLanguageChange" = language();
    /// Body of E5.
    SentVoice is "AgentVoiceChange" = voice_schema();
    /// Body of E6.
    SentVoiceTest is "AgentVoiceTest" = voice_test_schema();
    /// Body of E8.
    SentCalling is "AgentCallingChange" = calling_schema();
    /// Body of E9.
    SentCallingTest is "AgentCallingTest" = calling_test_schema();
}

/// What the server says of an agent, and its settings.
fn agent() -> Value {
    let mut schema = shown_schema();
    let says = [
        ("id", json!({"type": "integer", "format": "int64", "description": "its number"})),
        ("uuid", json!({"type": "string", "format": "uuid"})),
        ("business_id", json!({"type": "integer", "format": "int64"})),
        ("version", json!({"type": "integer", "minimum": 1, "description": "the version that callers meet"})),
        ("created_at", json!({"type": "string", "format": "date-time"})),
        ("updated_at", json!({"type": "string", "format": "date-time"})),
    ];
    for (name, field) in says {
        schema["properties"][name] = field;
        if let Some(required) = schema["required"].as_array_mut() {
            required.push(json!(name));
        }
    }
    schema
}

/// The schema of one setting.
fn of(mut schema: Value, setting: &str) -> Value {
    schema["properties"][setting].take()
}

/// The schema, with the settings of one group alone.
fn group(mut schema: Value, group: Group) -> Value {
    let is_of = |name: &str| catalogue::find(name).is_some_and(|setting| setting.group == group);
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.retain(|name, _| is_of(name));
    }
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| name.as_str().is_some_and(is_of));
    }
    schema
}

/// A row, but for its language, which the address says and the body may repeat.
fn language() -> Value {
    let mut rows = of(shown_schema(), "languages");
    let mut row = rows["items"].take();
    row["required"] = json!([]);
    row
}

#[cfg(test)]
mod tests {
    use utoipa::PartialSchema;

    use super::*;

    #[test]
    fn every_schema_can_be_read() {
        for schema in [
            Agent::schema(),
            Settings::schema(),
            New::schema(),
            Change::schema(),
            SentGuardrails::schema(),
            VoiceConfig::schema(),
            SentVoiceConfig::schema(),
            SentLanguage::schema(),
            SentVoice::schema(),
            SentVoiceTest::schema(),
            SentCalling::schema(),
            SentCallingTest::schema(),
        ] {
            let schema = serde_json::to_value(schema).expect("text");
            assert!(schema["type"].is_string() || schema["anyOf"].is_array(), "{schema}");
        }
        let config = serde_json::to_value(SentVoiceConfig::schema()).expect("text");
        assert!(config["properties"]["voice_model"].is_object() && config["properties"]["name"].is_null());
    }
}
