use std::time::Duration;

use serde_json::{Value, json};
use tandem_domain::agent::{Ambience, AmbienceKind, Eagerness, Script, SpellingPatience, Timing, Uncertainty};
use tandem_domain::agent_settings::{AgentSettings, Kind, catalogue};
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{AgentBook, AgentStore, RowKey};
use tandem_store::Options;

use crate::database::{Database, Raw};

pub async fn a_new_database_has_the_front_desk(db: Database) {
    let agent = db.store.agent(BusinessId::FIRST, RowKey::parse("front-desk")).await.unwrap().unwrap();
    assert_eq!(
        (agent.name.as_str(), agent.playbook.as_str(), agent.business),
        ("front-desk", "front-desk", BusinessId(1))
    );
    assert_eq!((agent.language.as_str(), agent.voice.as_str()), ("en", ""));
    assert_eq!(agent.uuid.get_version_num(), 7);
    assert_eq!((agent.asr_keywords, agent.first_message_inbound, agent.timing), (vec![], None, Timing::default()));
    assert_eq!(agent.script, Script::default());
    assert_eq!((agent.uncertainty, agent.ambience), (Uncertainty::default(), Ambience::default()));
    assert!(agent.recorded);
    assert_eq!(db.texts("SELECT name FROM businesses WHERE id = 1").await, ["Default"]);
}

pub async fn a_new_database_has_an_assistant_without_a_playbook(db: Database) {
    let agent = db.store.agent(BusinessId::FIRST, RowKey::parse("Assistant")).await.unwrap().unwrap();
    assert_eq!((agent.playbook.as_str(), agent.timing), ("", Timing::default()));
    assert_eq!(agent.first_message_inbound.as_deref(), Some("Hello! How can I help you?"));
    assert_eq!(agent.script.system_prompt, "You are a friendly and helpful assistant.");
    db.execute("UPDATE agents SET soft_timeout_seconds = -1 WHERE name = 'assistant'").await.unwrap();
    let agent = db.store.agent(BusinessId::FIRST, RowKey::parse("assistant")).await.unwrap().unwrap();
    assert_eq!(agent.timing.soft_timeout, None, "off");
}

pub async fn an_agent_is_found_by_number_uuid_and_name_in_any_case(db: Database) {
    let (id, uuid) = db.add_agent(BusinessId::FIRST, "Büro ÄÖÜ").await.unwrap();
    for key in [RowKey::Number(id), RowKey::Uuid(uuid), RowKey::Name("BÜRO äöü".into())] {
        let agent = db.store.agent(BusinessId::FIRST, key).await.unwrap().unwrap();
        assert_eq!((agent.id.0, agent.uuid, agent.name.as_str()), (id, uuid, "Büro ÄÖÜ"));
    }
    for key in ["nobody", "987654", "01941f29-7c00-7000-8000-0000000000ff", "front-desk\0", ""] {
        assert_eq!(db.store.agent(BusinessId::FIRST, RowKey::parse(key)).await.unwrap(), None, "{key:?}");
    }
}

pub async fn columns_become_the_agent_of_a_call(db: Database) {
    db.execute(
        "UPDATE agents SET playbook = 'logistics', default_language = 'hi', voice_id = 'slt', asr_keywords = 'Gurugram, sector 56,', \
         first_message_inbound = 'Namaste', first_message_outbound = ' ', disclosure_message = 'I am a machine.', system_prompt = 'You are Asha.', \
         sales_script_text = 'Good day!', business_info = '{\"company_name\": \"Acme\"}', knowledge_files = '{\"products\": \"Flats.\"}', \
         eagerness = 'low', turn_after_silence_seconds = 5, end_after_silence_seconds = 40, \
         max_conversation_duration_seconds = 120, soft_timeout_seconds = 0.8, llm_cascade_timeout_seconds = 6, \
         spelling_patience = 'on', speech_uncertainty_clarity_enabled = TRUE, low_confidence_threshold = 0.25, \
         low_confidence_message = 'Pardon?', ambience_type = 'call_center', ambience_volume = 0.5, enable_call_recording = FALSE",
    )
    .await
    .unwrap();
    let server = Timing {
        endpoint_silence: Duration::from_millis(400),
        barge_in_min_speech: Duration::from_millis(250),
        ..Timing::default()
    };
    let store = db.reopened(Options { timing: server, ..Options::default() }).await;
    let agent = store.agent(BusinessId::FIRST, RowKey::Number(1)).await.unwrap().unwrap();
    assert_eq!((agent.playbook.as_str(), agent.language.as_str(), agent.voice.as_str()), ("logistics", "hi", "slt"));
    assert_eq!(agent.asr_keywords, ["Gurugram", "sector 56"]);
    assert_eq!(agent.first_message_inbound.as_deref(), Some("Namaste"));
    let script = &agent.script;
    assert_eq!((script.system_prompt.as_str(), script.first_line()), ("You are Asha.", Some("Good day!")));
    assert_eq!((script.company(), &script.knowledge_files["products"]), (Some("Acme"), &json!("Flats.")));
    assert_eq!(script.first_message_outbound, None, "a blank message is none");
    assert_eq!(script.disclosure.as_deref(), Some("I am a machine."));
    let expected = Timing {
        endpoint_silence: Duration::from_millis(720),
        eagerness: Eagerness::LOW,
        spelling_patience: SpellingPatience::On,
        end_of_turn_model: false,
        preemptive_generation: false,
        barge_in_min_speech: Duration::from_millis(250),
        interrupt_on_dtmf: true,
        turn_after_silence: Duration::from_secs(5),
        end_after_silence: Some(Duration::from_secs(40)),
        max_duration: Duration::from_secs(120),
        soft_timeout: Some(Duration::from_millis(800)),
        answer_limit: Duration::from_secs(6),
    };
    assert_eq!(agent.timing, expected);
    assert_eq!(agent.uncertainty, Uncertainty { enabled: true, threshold: 0.25, message: Some("Pardon?".into()) });
    assert_eq!(agent.ambience, Ambience { kind: AmbienceKind::CallCenter, volume: 0.5 });
    assert!(!agent.recorded);
}

pub async fn eagerness_is_a_word_or_a_number(db: Database) {
    for (written, millis) in [("'low'", 900), ("'normal'", 500), ("'high'", 300), ("'0.75'", 400), ("'1'", 300)] {
        db.execute(&format!("UPDATE agents SET eagerness = {written} WHERE id = 1")).await.unwrap();
        let agent = db.store.agent(BusinessId::FIRST, RowKey::Number(1)).await.unwrap().unwrap();
        assert_eq!(agent.timing.endpoint_silence, Duration::from_millis(millis), "{written}");
    }
    db.execute("UPDATE agents SET eagerness = NULL WHERE id = 1").await.unwrap();
    let agent = db.store.agent(BusinessId::FIRST, RowKey::Number(1)).await.unwrap().unwrap();
    assert_eq!(agent.timing, Timing::default(), "nobody chose");
    for refused in ["'eager'", "''", "'2'", "'0.'", "'0.5x'", "'-0.5'"] {
        let answer = db.execute(&format!("UPDATE agents SET eagerness = {refused} WHERE id = 1")).await;
        assert!(answer.is_err(), "{refused}");
    }
}

pub async fn settings_have_bounds(db: Database) {
    for refused in [
        "spelling_patience = 'maybe'",
        "ambience_type = 'beach'",
        "ambience_volume = 1.5",
        "ambience_volume = -0.1",
        "low_confidence_threshold = 2",
        "call_timeout = 4",
        "turn_after_silence_seconds = 0",
        "soft_timeout_seconds = 61",
        "output_format = 'wav'",
        "retention_days = -2",
    ] {
        assert!(db.execute(&format!("UPDATE agents SET {refused} WHERE id = 1")).await.is_err(), "{refused}");
    }
}

/// The settings of section 8 exist as columns; who chose nothing has the catalogue's defaults, which reports find in the view.
pub async fn every_setting_has_a_column_and_the_view_its_default(db: Database) {
    let shown = AgentSettings::default().shown();
    for setting in catalogue::all().filter(|setting| setting.name != "name") {
        let chosen =
            db.texts(&format!("SELECT CAST({} AS TEXT) FROM agents WHERE {0} IS NOT NULL", setting.name)).await;
        let ours =
            ["playbook", "system_prompt", "first_message_inbound", "first_message_outbound"].contains(&setting.name);
        assert!(ours || chosen.is_empty(), "{}: the built-in agents chose nothing: {chosen:?}", setting.name);
        for name in std::iter::once(&setting.name).chain(setting.twins) {
            let sql = format!(
                "SELECT CAST({name} AS TEXT) FROM agent_config WHERE name = 'front-desk' AND {name} IS NOT NULL"
            );
            let default = db.texts(&sql).await;
            if ours && setting.name != "system_prompt" {
                continue;
            }
            // Of switches the view shows those that were turned: none.
            let expected = match (&setting.kind, &shown[*name]) {
                (Kind::Switches(_), _) => vec!["{}".to_owned()],
                (_, Value::Null) => vec![],
                // The default of one line depends on the agent's language, so the view has none.
                _ if setting.name == "low_confidence_message" => vec![],
                (_, Value::String(text)) => vec![text.clone()],
                (Kind::Flag, flag) if matches!(db.raw, Raw::Sqlite(..)) => vec![u8::from(flag == true).to_string()],
                (Kind::Fraction(_), number) => vec![number.to_string().trim_end_matches(".0").to_owned()],
                (_, other) => vec![other.to_string()],
            };
            let default: Vec<String> = default.iter().map(|text| text.trim_end_matches(".0").to_owned()).collect();
            assert_eq!(default, expected, "{name}");
        }
    }
}

/// A row that no user of ours could have made is an agent all the same: its callers wait.
pub async fn what_was_written_by_hand_is_read_as_far_as_it_fits(db: Database) {
    const DRAFT: &str = r#"'{"call_timeout": 4, "eagerness": "soon"}'"#;
    db.execute(&format!(
        "UPDATE agents SET default_language = 'the language of the birds', voice_id = 'sl\tt', asr_keywords = 'lakh,{}', \
         business_info = '{{\"greeting\": 7, \"company_name\": \"Acme\"}}', knowledge_files = '7', draft = {DRAFT}, draft_based_on = 1, \
         caller_id_number = '12', languages = '[7]', guardrails = '{{\"no_jokes\": true}}', first_message_inbound = '{}' WHERE id = 1",
        "x".repeat(101),
        "Hello. ".repeat(1_000),
    ))
    .await
    .unwrap();
    let agent = db.store.agent(BusinessId::FIRST, RowKey::Number(1)).await.unwrap().unwrap();
    assert_eq!((agent.language.as_str(), agent.voice.as_str()), ("en", "sl t"));
    assert_eq!((agent.asr_keywords, agent.script.company()), (vec!["lakh".to_owned()], Some("Acme")));
    assert!(agent.script.knowledge_files.is_empty() && agent.script.info("greeting").is_none());
    assert_eq!(agent.first_message_inbound.unwrap().chars().count(), 2_000);
    let record = db.store.agent_record(BusinessId::FIRST, RowKey::Number(1)).await.unwrap().unwrap();
    assert_eq!(Value::Object(record.draft.unwrap().settings.stored()), json!({"call_timeout": 5}));
    let kept = db.texts("SELECT default_language FROM agents WHERE id = 1").await;
    assert_eq!(kept, ["the language of the birds"], "what is stored is not changed by reading");
    for strange in ["draft = '7'", "draft_based_on = NULL"] {
        db.execute(&format!("UPDATE agents SET {strange} WHERE id = 1")).await.unwrap();
        let record = db.store.agent_record(BusinessId::FIRST, RowKey::Number(1)).await.unwrap().unwrap();
        assert_eq!(record.draft, None, "{strange}");
    }

    // Of another type than its column's, or larger than a number.
    db.execute(match &db.raw {
        Raw::Sqlite(..) => {
            r#"UPDATE agents SET business_info = '{"a": 1e999}', sales_script_text = 'Good day!' WHERE id = 1"#
        }
        Raw::Postgres(..) => {
            "DROP VIEW agent_config; DROP VIEW agents_agent; ALTER TABLE agents ALTER business_info TYPE TEXT; \
             UPDATE agents SET sales_script_text = 'Good day!' WHERE id = 1"
        }
    })
    .await
    .unwrap();
    let store = db.reopened(Options::default()).await; // one that knows no other type
    let agent = store.agent(BusinessId::FIRST, RowKey::Number(1)).await.unwrap().unwrap();
    assert_eq!((agent.script.first_line(), agent.script.business_info.len()), (Some("Good day!"), 0));
    db.execute("UPDATE agents SET default_language = 'EN_in', sales_script_text = '  ' WHERE id = 1").await.unwrap();
    let agent = store.agent(BusinessId::FIRST, RowKey::Number(1)).await.unwrap().unwrap();
    assert_eq!((agent.language.as_str(), agent.script), ("en-IN", Script::default()));
}

pub async fn names_are_unique_in_a_business_whatever_their_case(db: Database) {
    assert!(db.add_agent(BusinessId::FIRST, "FRONT-desk").await.is_err());
    let other = db.add_business().await;
    db.add_agent(other, "Front-Desk").await.unwrap();
}
