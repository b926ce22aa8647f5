use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tandem_domain::agent::{LONGEST_CALL, Timing};
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{AgentBook, AgentStore, CallLog, ConversationStore, Listing, RowKey};
use tandem_domain::record::Record;
use tandem_store::{OpenError, Options};

use crate::book::{done, edit};
use crate::database::{Database, Raw};
use crate::records::{Call, at};

const FIRST: BusinessId = BusinessId::FIRST;

pub async fn migrating_twice_changes_nothing(db: Database) {
    let call = Call::new(FIRST);
    db.store.write(call.whole()).await.unwrap();
    db.store.migrate().await.unwrap();
    db.store.close().await;

    let again = db.reopened(Options::default()).await;
    again.migrate().await.unwrap();
    assert_eq!(again.conversations(FIRST, Listing::newest(10)).await.unwrap().len(), 1);
    assert_eq!(db.number("SELECT count(*) FROM agents").await, 3, "the built-in ones, once each");
}

/// Step 9 gave settings bounds; rows from before it were written without any.
pub async fn agents_from_before_the_bounds_are_read(db: Database) {
    const ODD: [(&str, &str); 6] = [
        ("zeros", "0, 0, 0, 0, 0, 0"),
        ("negatives", "-7, -7, -7, -7, -7, -7"),
        ("off", "-1, -1, -1, -1, -1, NULL"),
        ("beyond", "100000, 100000, 100000, 1e300, 100000, 5"),
        ("below", "1, 1, 1, 0.001, 1, 1"),
        ("usual", "7, -1, NULL, 1.2, 8, NULL"),
    ];
    let old = db.beside_at_step(8).await;
    for (row, (name, values)) in ODD.iter().enumerate() {
        let uuid = match &old.raw {
            Raw::Sqlite(..) => format!("X'01941F297C00700080000000000001{row:02}'"),
            Raw::Postgres(..) => format!("'01941f29-7c00-7000-8000-0000000001{row:02}'"),
        };
        old.execute(&format!(
            "INSERT INTO agents (uuid, business_id, name, name_key, playbook, turn_after_silence_seconds, end_after_silence_seconds,              max_conversation_duration_seconds, soft_timeout_seconds, llm_cascade_timeout_seconds, knowledge_base_id, sales_script_text,              default_language, business_info) VALUES ({uuid}, 1, '{name}', '{name}', '', {values}, 'Good day!', 'the birds'' own', '[1]')"
        ))
        .await
        .unwrap();
    }
    old.execute(
        "INSERT INTO agents (uuid, business_id, name, name_key, playbook)          SELECT uuid, id, 'Sales / Support', 'sales / support', 'front-desk' FROM businesses",
    )
    .await
    .unwrap();
    old.store.migrate().await.unwrap();

    let (never, ceiling) = (LONGEST_CALL, LONGEST_CALL);
    let seconds = |seconds: f64| Duration::from_secs_f64(seconds);
    let off = (never, None, ceiling, None, never);
    let beyond = (seconds(300.0), Some(seconds(3_600.0)), ceiling, Some(seconds(60.0)), seconds(120.0));
    let below = (seconds(1.0), Some(seconds(1.0)), seconds(1.0), Some(seconds(0.1)), seconds(1.0));
    let usual = Timing::default();
    let usual =
        (usual.turn_after_silence, usual.end_after_silence, usual.max_duration, usual.soft_timeout, usual.answer_limit);
    for (name, expected) in
        [("zeros", off), ("negatives", off), ("off", off), ("beyond", beyond), ("below", below), ("usual", usual)]
    {
        let agent = old.store.agent(FIRST, RowKey::parse(name)).await.unwrap().unwrap();
        let timing = agent.timing;
        let found = (
            timing.turn_after_silence,
            timing.end_after_silence,
            timing.max_duration,
            timing.soft_timeout,
            timing.answer_limit,
        );
        assert_eq!(found, expected, "{name}");
        assert_eq!((agent.script.first_line(), agent.language.as_str()), (Some("Good day!"), "en"), "{name}");
    }
    let slashed = old.store.agent(FIRST, RowKey::Name("sales / SUPPORT".into())).await.unwrap().unwrap();
    assert_eq!(slashed.name, "Sales / Support");
    assert_eq!(old.number("SELECT count(*) FROM agents WHERE knowledge_base_id IS NOT NULL").await, 2);
    assert_eq!(
        old.texts("SELECT default_language FROM agents WHERE name = 'zeros'").await,
        ["the birds' own"],
        "what is stored is not changed by reading"
    );
    // Whoever edits such an agent changes what they name, and nothing else.
    let seen = old.store.agent_record(FIRST, RowKey::parse("zeros")).await.unwrap().unwrap();
    done(edit(&old, &seen, json!({"eagerness": "low"})).await);
    assert_eq!(old.texts("SELECT default_language FROM agents WHERE name = 'zeros'").await, ["the birds' own"]);
    assert_eq!(old.store.agents(FIRST, None, 100).await.unwrap().len(), 10);
}

pub async fn a_newer_schema_is_left_alone(db: Database) {
    db.execute(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         SELECT 9999, 'tomorrow', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
    )
    .await
    .unwrap();
    assert!(matches!(db.store.migrate().await, Err(OpenError::Newer(9999))));
}

pub async fn how_far_the_schema_is_can_be_asked(db: Database) {
    let whole = db.store.schema().await.unwrap();
    assert!(whole.applied > 0 && whole.pending == 0, "{whole:?}");
    db.execute("DELETE FROM _sqlx_migrations WHERE version = 1").await.unwrap();
    let behind = db.store.schema().await.unwrap();
    assert_eq!((behind.applied, behind.pending), (whole.applied - 1, 1));
    db.execute(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, '', true, '', 0)",
    )
    .await
    .unwrap();
    assert!(matches!(db.store.schema().await, Err(OpenError::Newer(9999))));
    db.execute("UPDATE _sqlx_migrations SET version = 1 WHERE version = 9999").await.unwrap();
    assert!(matches!(db.store.schema().await, Err(OpenError::Changed(1))));
    db.execute("DROP TABLE _sqlx_migrations").await.unwrap();
    assert_eq!(db.store.schema().await.unwrap().applied, 0);
}

pub async fn earlier_names_are_views(db: Database) {
    db.store.write(Call::new(FIRST).whole()).await.unwrap();
    let counts = [
        (db.number("SELECT count(sales_script_text) FROM agents_agent").await, 3),
        (db.number("SELECT count(default_language) FROM agent_config").await, 3),
        (db.number("SELECT count(started_at) FROM conversation").await, 1),
        (db.number("SELECT count(transcribed_text) FROM user_turn").await, 1),
        (db.number("SELECT count(response_text) FROM agent_response").await, 2),
        (db.number("SELECT count(call_sid) FROM \"TwilioCall\"").await, 1),
    ];
    for (index, (found, expected)) in counts.into_iter().enumerate() {
        assert_eq!(found, expected, "view {index}");
    }
    let history = db.texts("SELECT CAST(history AS TEXT) FROM calls").await;
    let history: Value = serde_json::from_str(&history[0]).unwrap();
    assert_eq!(
        history,
        json!([
            { "role": "agent", "text": "Hello, how can I help?" },
            { "role": "user", "text": "I want an apartment in Delhi" },
            { "role": "agent", "text": "An apartment in Delhi." },
        ])
    );
    assert_eq!(db.texts("SELECT stage FROM calls").await, ["collecting"]);
}

/// api-inventory section 6, for the tables that exist, and section 8, for the agent's settings that do.
pub async fn views_have_the_columns_of_earlier_systems(db: Database) {
    db.store.write(Call::new(FIRST).whole()).await.unwrap();
    let named = [
        ("agents_agent", "name, sales_script_text, business_info, knowledge_files, hume_config_id"),
        (
            "agent_config",
            "id, name, stt_provider, tts_provider, llm_provider, llm_model, system_prompt, default_language, knowledge_base_id, \
             created_at, updated_at, sales_script_text, business_info, knowledge_files, hume_config_id, voice_id, asr_keywords, \
             first_message_inbound, first_message_outbound, eagerness, turn_after_silence_seconds, end_after_silence_seconds, \
             max_conversation_duration_seconds, soft_timeout_seconds, llm_cascade_timeout_seconds, spelling_patience, \
             speech_uncertainty_clarity_enabled, low_confidence_threshold, low_confidence_message, ambience_type, ambience_volume, \
             enable_call_recording, disclosure_message",
        ),
        (
            "conversation",
            "id, user_id, session_id, room_name, room_sid, status, detected_language, agent_job_id, started_at, ended_at, created_at, \
             updated_at, metadata, direction",
        ),
        ("conversations", "id, call_session_id, transcript_history, final_outcome, lead_qualified, extracted_data"),
        (
            "user_turn",
            "id, conversation_id, order_index, transcribed_text, detected_language, stt_provider, stt_confidence, raw_audio_url, \
             audio_storage_path, created_at",
        ),
        (
            "agent_response",
            "id, conversation_id, user_turn_id, response_text, llm_provider, tts_provider, voice_id, tts_audio_url, \
             audio_storage_path, language_used, created_at",
        ),
        (
            "call_sessions",
            "id, call_sid, lead_id, status, duration_seconds, recording_url, answered_at, ended_at, agent_id, direction, provider, \
             from_number, to_number, ended_reason",
        ),
        ("calls", "call_sid, agent_type, stage, language, history, data"),
        ("\"TwilioCall\"", "call_sid, agent"),
    ];
    for (view, columns) in named {
        let missing = db.execute(&format!("SELECT {columns} FROM {view}")).await;
        assert!(missing.is_ok(), "{view}: {missing:?}");
    }
}

pub async fn the_history_is_a_column_of_conversations(db: Database) {
    let call = Call::new(FIRST);
    let history = async || -> Value {
        let found = db.texts("SELECT CAST(transcript_history AS TEXT) FROM conversations ORDER BY id").await;
        serde_json::from_str(&found[0]).unwrap()
    };
    db.store.write(vec![Record::Started(call.started())]).await.unwrap();
    assert_eq!(history().await, json!([]));
    db.store.write(call.whole()).await.unwrap();
    db.store.write(Call::new(FIRST).whole()).await.unwrap(); // a neighbour's lines are not ours
    let history = history().await;
    let lines: Vec<_> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            let said: DateTime<Utc> = line["timestamp"].as_str().unwrap().parse().unwrap();
            (line["speaker"].as_str().unwrap(), line["text"].as_str().unwrap(), said)
        })
        .collect();
    assert_eq!(
        lines,
        [
            ("ai", "Hello, how can I help?", at(0.1)),
            ("user", "I want an apartment in Delhi", at(2.0)),
            ("ai", "An apartment in Delhi.", at(4.5)),
        ]
    );
}

pub async fn views_cannot_be_written(db: Database) {
    db.store.write(Call::new(FIRST).whole()).await.unwrap();
    for view in
        ["agents_agent", "agent_config", "conversation", "user_turn", "agent_response", "\"TwilioCall\"", "calls"]
    {
        assert!(db.execute(&format!("UPDATE {view} SET id = id")).await.is_err(), "{view}");
        assert!(db.execute(&format!("DELETE FROM {view}")).await.is_err(), "{view}");
    }
}

pub async fn the_file_or_server_is_sound_after_use(db: Database) {
    for _ in 0..20 {
        db.store.write(Call::new(FIRST).whole()).await.unwrap();
    }
    db.store.close().await;
    if let Raw::Sqlite(pool, _) = &db.raw {
        let check: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check").fetch_all(pool).await.unwrap();
        assert_eq!(check, ["ok"]);
        let broken: Vec<String> =
            sqlx::query_scalar("SELECT \"table\" FROM pragma_foreign_key_check").fetch_all(pool).await.unwrap();
        assert!(broken.is_empty(), "{broken:?}");
        let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(pool).await.unwrap();
        assert_eq!(journal, "wal");
    }
    assert_eq!(db.rows().await, 120);
}
