#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::agent_settings::tests::{any_json, any_settings};
use crate::agent_settings::{AgentChange, AgentSettings, Scope, catalogue};

const UUID: &str = "01941f29-7c00-7000-8000-000000000004";

fn agent(document: Value) -> AgentSettings {
    AgentChange::read_new(&document, Scope::default()).unwrap()
}

fn whose(settings: &AgentSettings) -> Whose<'_> {
    Whose { uuid: UUID.parse().unwrap(), settings }
}

fn told(faults: Faults) -> Vec<String> {
    faults.told.iter().map(ToString::to_string).collect()
}

#[test]
fn the_voice_as_e4_prints_it() {
    let settings = agent(json!({"name": "Sales"}));
    let voice = VoiceOffer { id: "asha".to_owned(), name: "Asha".to_owned(), accent: "Indian English".to_owned() };
    let view = VoiceView::of(whose(&settings), vec![voice], IntegrationHealth::Connected);
    let mut shown = serde_json::to_value(&view).unwrap();
    let options = shown["personality_options"].take();
    let expected = json!({
        "agent_id": UUID,
        "agent_name": "Sales",
        "current_settings":
            {"voice_model": null, "personality_type": "friendly", "response_speed": "fast", "language": "en-US"},
        "available_voices": [{"id": "asha", "name": "Asha", "accent": "Indian English"}],
        "personality_options": null,
        "homeai_status": "connected",
    });
    assert_eq!(shown, expected);
    let ids: Vec<&Value> = options.as_array().unwrap().iter().map(|option| &option["id"]).collect();
    assert_eq!(ids, ["friendly", "professional", "persuasive", "supportive", "custom"]);
    assert_eq!(
        options[1],
        json!({"id": "professional", "name": "Professional", "description": "polite and to the point"})
    );
}

#[test]
fn a_voice_is_changed_as_e5_sends_it() {
    let body = json!({"voice_model": "asha", "personality_type": "Professional", "conversation_style": "consultative"});
    let settings = agent(json!({"name": "Sales"})).with(&read_voice(&body).unwrap());
    assert_eq!(settings.text(&catalogue::VOICE_ID), "asha");
    let shown = serde_json::to_value(VoiceChanged::of(whose(&settings), None)).unwrap();
    let keys: Vec<&String> = shown.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["homeai_persona_id", "message", "personality_type", "voice_model"]);
    assert_eq!((&shown["voice_model"], &shown["personality_type"]), (&json!("asha"), &json!("professional")));

    let some = settings.with(&read_voice(&json!({"language": "hi-IN"})).unwrap());
    let view = VoiceView::of(whose(&some), Vec::new(), IntegrationHealth::NotConfigured);
    assert_eq!(
        (view.current_settings.language.as_str(), view.current_settings.voice_model.as_deref()),
        ("hi-IN", Some("asha"))
    );

    let faults =
        read_voice(&json!({"voice_modell": "x", "personality_type": "rude", "business_id": 2, "eagerness": "low"}))
            .unwrap_err();
    let expected = [
        "/business_id: cannot be set: an agent stays with the business that made it",
        "/eagerness: belongs into behaviour",
        "/personality_type: \"rude\" is not one of friendly, professional, persuasive, supportive, custom",
        "/voice_modell: there is no such setting; did you mean voice_model?",
    ];
    assert_eq!(told(faults), expected);
}

#[test]
fn a_voice_s_test_as_e6_prints_it() {
    assert_eq!(VoiceTest::read(&json!({"test_message": " Hello "})).unwrap().test_message, "Hello");
    for (body, expected) in [
        (json!({}), "/test_message: is missing: a test needs it"),
        (json!({"test_message": 5}), "/test_message: must be a text, not a number"),
        (json!({"test_message": "x".repeat(501)}), "/test_message: has 501 characters; at most 500 are kept"),
        (json!({"test_message": "x", "mesage": "y"}), "/mesage: there is no such setting; did you mean test_message?"),
        (json!([]), "the document: must be an object, not a list"),
    ] {
        assert_eq!(told(VoiceTest::read(&body).unwrap_err()), [expected], "{body}");
    }
    let tested = VoiceTested {
        test_successful: true,
        agent_response: "Hello!".to_owned(),
        voice_url: "https://example.com/audio/abc.mp3".to_owned(),
        personality_detected: PersonalityDetected::new("friendly".to_owned(), 0.924, "neutral".to_owned()),
        response_time_ms: 420,
        detail: None,
    };
    let expected = json!({
        "test_successful": true,
        "agent_response": "Hello!",
        "voice_url": "https://example.com/audio/abc.mp3",
        "personality_detected": {"detected_tone": "friendly", "confidence": 92, "emotion": "neutral"},
        "response_time_ms": 420,
    });
    assert_eq!(serde_json::to_value(tested).unwrap(), expected);
}

#[test]
fn calling_as_e7_prints_it() {
    let settings = agent(json!({"name": "Sales", "max_call_duration": 1800}));
    let number = OwnNumber { number: "+918047112233".to_owned(), kind: "main".to_owned(), active: true };
    let view = CallingView::of(whose(&settings), 600, vec![number], IntegrationHealth::NotConfigured);
    let expected = json!({
        "agent_id": UUID,
        "agent_name": "Sales",
        "agent_type": "ai",
        "call_settings": {
            "auto_answer_inbound": true,
            "enable_call_recording": true,
            "call_timeout": 30,
            "max_call_duration": 1800,
            "enable_voicemail": true,
            "caller_id_number": null,
        },
        "twilio_features": {
            "machine_detection": false,
            "call_screening": false,
            "call_forwarding": false,
            "conference_calls": false,
            "call_queuing": false,
        },
        "phone_numbers": [{"number": "+918047112233", "type": "main", "active": true}],
        "twilio_status": "not_configured",
    });
    assert_eq!(serde_json::to_value(view).unwrap(), expected);

    let longest = |document: Value| {
        CallingView::of(whose(&agent(document)), 600, Vec::new(), IntegrationHealth::Error)
            .call_settings
            .max_call_duration
    };
    assert_eq!(longest(json!({"name": "a"})), 600);
    assert_eq!(longest(json!({"name": "a", "max_call_duration": -1})), 14_400);
}

#[test]
fn calling_is_changed_as_e8_sends_it() {
    let body = json!({
        "call_settings":
            {"auto_answer_inbound": false, "enable_call_recording": true, "call_timeout": 45, "max_call_duration": 1200},
        "twilio_features": {"machine_detection": true},
    });
    let settings = agent(json!({"name": "Sales", "enable_voicemail": false})).with(&read_calling(&body, None).unwrap());
    let view = CallingView::of(whose(&settings), 600, Vec::new(), IntegrationHealth::Error);
    let expected = CallSettings {
        auto_answer_inbound: false,
        enable_call_recording: true,
        call_timeout: 45,
        max_call_duration: 1_200,
        enable_voicemail: false,
        caller_id_number: None,
    };
    assert_eq!(view.call_settings, expected);
    assert!(view.twilio_features.machine_detection);
    assert_eq!(settings.whole(&catalogue::MAX_CONVERSATION_DURATION_SECONDS), Some(1_200), "one value (R8)");

    let body = json!({
        "call_settings": {"call_timeout": 0, "max_call_duration": 20_000, "call_time_out": 3},
        "twilio_features": {"call_queuing": "yes", "call_timeout": 5},
        "call_timeout": 5,
        "role": "admin",
    });
    let expected = [
        "/call_settings/call_time_out: there is no such setting; did you mean call_timeout?",
        "/call_settings/call_timeout: 0 is out of range: 5 to 600 seconds",
        "/call_settings/max_call_duration: 20000 is out of range: 1 to 14400 seconds, or -1 (the ceiling of 14400 seconds)",
        "/call_timeout: belongs into call_settings",
        "/role: cannot be set: roles belong to users, not to agents",
        "/twilio_features/call_queuing: must be true or false, not a text",
        "/twilio_features/call_timeout: belongs into calling",
    ];
    assert_eq!(told(read_calling(&body, None).unwrap_err()), expected);
}

#[test]
fn a_test_call_as_e9_prints_it() {
    let india = Some("IN".parse().unwrap());
    let test = CallingTest::read(&json!({"test_number": "098765 43210"}), india).unwrap();
    let started = CallingTestStarted::new("CA1".to_owned(), test.test_number);
    let expected = json!({
        "test_call_initiated": true,
        "call_sid": "CA1",
        "status": "queued",
        "test_number": "+919876543210",
        "estimated_duration": "30-60 seconds",
    });
    assert_eq!(serde_json::to_value(started).unwrap(), expected);
    let faults = CallingTest::read(&json!({"test_number": "nobody"}), india).unwrap_err();
    assert_eq!(faults.told[0].pointer, "/test_number");
}

#[test]
fn the_schemas_have_the_fields_of_the_readers() {
    let fields =
        |schema: &Value| -> Vec<String> { schema["properties"].as_object().unwrap().keys().cloned().collect() };
    let calling = calling_schema();
    assert_eq!(fields(&calling), ["call_settings", "twilio_features"]);
    for schema in [&voice_schema(), &calling["properties"]["call_settings"], &calling["properties"]["twilio_features"]]
    {
        assert!(fields(schema).len() >= 5 && schema["additionalProperties"] == json!(false));
        for field in fields(schema) {
            assert!(schema["properties"][&field].is_object(), "{field} is no setting");
        }
    }
    assert_eq!(voice_test_schema()["required"], json!(["test_message"]));
    assert_eq!(calling_test_schema()["required"], json!(["test_number"]));
}

proptest::proptest! {
    #[test]
    fn no_body_breaks_a_reader(body in any_json()) {
        let _ = (read_voice(&body), read_calling(&body, None), VoiceTest::read(&body), CallingTest::read(&body, None));
    }

    #[test]
    fn what_is_shown_can_be_sent_back(settings in any_settings()) {
        let named = settings.with(&AgentChange::read(&json!({"name": "Sales"}), Scope::default()).unwrap());
        let view = serde_json::to_value(CallingView::of(whose(&named), 600, Vec::new(), IntegrationHealth::Connected)).unwrap();
        let body = json!({"call_settings": view["call_settings"], "twilio_features": view["twilio_features"]});
        let again = named.with(&read_calling(&body, None).unwrap());
        let shown = serde_json::to_value(CallingView::of(whose(&again), 600, Vec::new(), IntegrationHealth::Connected)).unwrap();
        proptest::prop_assert_eq!(shown, view);
        let voice = VoiceView::of(whose(&named), Vec::new(), IntegrationHealth::Connected).current_settings;
        let again = named.with(&read_voice(&json!(voice)).unwrap());
        proptest::prop_assert_eq!(VoiceView::of(whose(&again), Vec::new(), IntegrationHealth::Connected).current_settings, voice);
    }
}
