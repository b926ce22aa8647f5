#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::agent_settings::{AgentChange, Effect, Kind, Scope};

fn set(document: Value) -> AgentSettings {
    AgentSettings::default().with(&AgentChange::read(&document, Scope::default()).unwrap())
}

fn agent(settings: &AgentSettings) -> Agent {
    let identity = Identity { id: AgentId(7), uuid: uuid::Uuid::nil(), business: BusinessId::FIRST };
    Agent::configured(identity, settings, &Timing::default())
}

/// A value of a setting that is not what holds without one.
fn another(setting: &Setting) -> Value {
    match &setting.kind {
        Kind::Name => json!("Somebody else"),
        Kind::Language => json!("hi"),
        Kind::Line { .. } | Kind::Prose { .. } => json!("something else"),
        Kind::Flag => json!(!AgentSettings::default().flag(setting)),
        Kind::Whole(bounds) => json!(bounds.to.min(bounds.from + 11)),
        Kind::Fraction(bounds) => json!((bounds.from + bounds.to) / 3.0),
        Kind::Choice(words) | Kind::Eagerness(words) => {
            let usual = AgentSettings::default().text(setting);
            json!(words.iter().map(|word| word.name).find(|word| *word != usual).unwrap())
        }
        Kind::Telephone => json!("+919876543210"),
        Kind::Url => json!("https://example.com/hook"),
        Kind::Terms { .. } => json!("Gurugram, sector 56"),
        Kind::Switches(switches) => json!({ switches.words[0].name: !switches.words[0].on }),
        Kind::Languages { .. } => json!([{"language_code": "hi", "voice_id": "asha"}]),
        Kind::Object { .. } => json!({"company_name": "Acme"}),
    }
}

#[test]
fn a_setting_is_in_force_where_a_call_is_another_for_it_and_nowhere_else() {
    let usual = agent(&AgentSettings::default());
    for setting in settings::all() {
        let turned = set(json!({ setting.name: another(setting) }));
        assert!(turned.set(setting).is_some(), "{}: the value of this test is the default", setting.name);
        let has_effect = agent(&turned) != usual;
        assert_eq!(has_effect, setting.effect == Effect::InForce, "{}", setting.name);
    }
}

#[test]
fn an_untouched_agent_has_the_defaults_of_calls() {
    let agent = agent(&set(json!({"name": "Asha"})));
    assert_eq!((agent.timing, agent.uncertainty, agent.ambience), Default::default());
    assert_eq!((agent.name.as_str(), agent.language.as_str()), ("Asha", "en"));
    assert!(agent.recorded && agent.playbook.is_empty() && agent.script == Default::default());
}

#[test]
fn what_was_set_reaches_the_call() {
    let agent = agent(&set(json!({
        "name": "Asha", "playbook": "logistics", "language": "hi", "voice_id": "slt", "asr_keywords": ["Gurugram", "sector 56"],
        "first_message_inbound": "Namaste", "disclosure_message": "I am a machine.", "sales_script_text": "Good day!",
        "business_info": {"company_name": "Acme"}, "spelling_patience": "on", "enable_call_recording": false,
        "speech_uncertainty_clarity_enabled": true, "low_confidence_threshold": 0.25, "low_confidence_message": "Pardon?",
        "ambience_type": "call_center", "ambience_volume": 0.5,
    })));
    assert_eq!((agent.playbook.as_str(), agent.language.as_str(), agent.voice.as_str()), ("logistics", "hi", "slt"));
    assert_eq!(agent.asr_keywords, ["Gurugram", "sector 56"]);
    assert_eq!(agent.first_message_inbound.as_deref(), Some("Namaste"));
    assert_eq!(agent.script.disclosure.as_deref(), Some("I am a machine."));
    assert_eq!((agent.script.first_line(), agent.script.company()), (Some("Good day!"), Some("Acme")));
    assert_eq!(agent.timing.spelling_patience, SpellingPatience::On);
    assert_eq!(agent.uncertainty, Uncertainty { enabled: true, threshold: 0.25, message: Some("Pardon?".into()) });
    assert_eq!(agent.ambience, Ambience { kind: AmbienceKind::CallCenter, volume: 0.5 });
    assert!(!agent.recorded);
}

#[test]
fn eagerness_scales_the_servers_setting() {
    let server = Timing { endpoint_silence: Duration::from_millis(1_000), ..Timing::default() };
    for (eagerness, millis) in [(json!("low"), 1_800), (json!("normal"), 1_000), (json!(0.75), 800), (json!(1), 600)] {
        let timing = timing(&set(json!({ "eagerness": eagerness })), &server);
        assert_eq!(timing.endpoint_silence.as_millis(), millis, "{eagerness}");
    }
}

#[test]
fn times_are_switched_off_and_capped() {
    let server = Timing::default();
    let off = timing(
        &set(json!({
            "turn_after_silence_seconds": -1, "end_after_silence_seconds": 30, "max_call_duration": -1, "soft_timeout_seconds": -1,
            "llm_cascade_timeout_seconds": -1,
        })),
        &server,
    );
    assert_eq!((off.max_duration, off.turn_after_silence), (LONGEST_CALL, LONGEST_CALL));
    assert_eq!(off.end_after_silence, Some(Duration::from_secs(30)));
    assert_eq!((off.soft_timeout, off.answer_limit), (None, LONGEST_CALL));
    assert_eq!(timing(&set(json!({"soft_timeout_seconds": 0.5})), &server).soft_timeout.unwrap().as_millis(), 500);

    let patient = Timing { max_duration: Duration::from_secs(86_400), ..server };
    assert_eq!(timing(&set(json!({})), &patient).max_duration, LONGEST_CALL, "no server lifts the ceiling");
    for (value, limit) in [(f64::NAN, None), (0.0, None), (1e300, Some(LONGEST_CALL))] {
        assert_eq!(seconds(value), limit, "{value}");
    }
}

#[test]
fn keywords_are_split_at_commas() {
    assert_eq!(keywords(" Gurugram, sector 56 ,,lakh,"), ["Gurugram", "sector 56", "lakh"]);
    assert!(keywords(" ").is_empty());
}
