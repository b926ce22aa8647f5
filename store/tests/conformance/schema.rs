use serde_json::{Value, json};
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{CallLog, ConversationStore, Listing};
use tandem_store::{OpenError, Options};

use crate::database::{Database, Raw};
use crate::records::Call;

const FIRST: BusinessId = BusinessId::FIRST;

pub async fn migrating_twice_changes_nothing(db: Database) {
    let call = Call::new(FIRST);
    db.store.write(call.whole()).await.unwrap();
    db.store.migrate().await.unwrap();
    db.store.close().await;

    let again = db.reopened(Options::default()).await;
    again.migrate().await.unwrap();
    assert_eq!(again.conversations(FIRST, Listing::newest(10)).await.unwrap().len(), 1);
    assert_eq!(db.number("SELECT count(*) FROM agents").await, 1);
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
        (db.number("SELECT count(sales_script_text) FROM agents_agent").await, 1),
        (db.number("SELECT count(default_language) FROM agent_config").await, 1),
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
