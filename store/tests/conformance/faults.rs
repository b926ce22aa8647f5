use std::time::Duration;

use serde_json::json;
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{AgentStore, CallLog, ConversationStore, Listing, RowKey, StoreError};
use tandem_domain::record::{EndReason, Record};
use tandem_store::{Options, Store};

use crate::database::{Database, Raw};
use crate::records::Call;

const FIRST: BusinessId = BusinessId::FIRST;

pub async fn a_broken_batch_leaves_nothing(db: Database) {
    let (good, stranger) = (Call::new(FIRST), Call::new(FIRST));
    let mut batch = good.whole();
    batch.push(Record::UserTurn(stranger.turn(1, "who is this", 1.0)));
    batch.extend(Call::new(FIRST).whole());
    assert!(matches!(db.store.write(batch).await, Err(StoreError::Refused(_))));
    assert_eq!(db.rows().await, 0);

    // The store is as good as before.
    db.store.write(good.whole()).await.unwrap();
    assert_eq!(db.rows().await, 6);
}

/// As a full disk does: SQLite takes the whole transaction back by itself, and a driver that does not notice is stuck.
pub async fn a_transaction_that_the_engine_ends_spoils_no_other(db: Database) {
    db.execute(match &db.raw {
        Raw::Sqlite(..) => {
            "CREATE TRIGGER full BEFORE INSERT ON user_turns WHEN NEW.transcribed_text = 'too much' \
             BEGIN SELECT RAISE(ROLLBACK, 'planned'); END"
        }
        Raw::Postgres(..) => "ALTER TABLE user_turns ADD CHECK (transcribed_text <> 'too much')",
    })
    .await
    .unwrap();
    let call = Call::new(FIRST);
    for _ in 0..3 {
        let batch = vec![Record::Started(call.started()), Record::UserTurn(call.turn(1, "too much", 1.0))];
        assert!(matches!(db.store.write(batch).await, Err(StoreError::Refused(_))));
        assert_eq!(db.rows().await, 0);
        db.store.write(Call::new(FIRST).whole()).await.unwrap();
        assert_eq!(db.rows().await, 6);
        db.execute(
            "DELETE FROM agent_responses; DELETE FROM user_turns; DELETE FROM call_events; DELETE FROM conversations; DELETE FROM call_sessions",
        )
        .await
        .unwrap();
    }
}

pub async fn records_of_an_unknown_call_are_refused(db: Database) {
    let call = Call::new(FIRST);
    let orphans = [
        Record::UserTurn(call.turn(1, "hello", 1.0)),
        Record::AgentResponse(call.response(1, None, "hello", 1.0)),
        Record::Progress(call.progress("collecting", "Delhi")),
        Record::Event(call.event(1, "dtmf", json!({}))),
        Record::Ended(call.ended(EndReason::Completed, 1.0)),
    ];
    for orphan in orphans {
        let Err(StoreError::Refused(why)) = db.store.write(vec![orphan]).await else { panic!("an orphan was taken") };
        assert!(why.contains("was not started"), "{why}");
    }
    let nowhere = Call::new(BusinessId(987));
    assert!(matches!(db.store.write(nowhere.whole()).await, Err(StoreError::Refused(_))));
    assert_eq!(db.rows().await, 0);
}

pub async fn errors_tell_no_stored_text(db: Database) {
    db.execute("CREATE UNIQUE INDEX one_text_only ON user_turns (transcribed_text)").await.unwrap();
    let call = Call::new(FIRST);
    let turn = |index| Record::UserTurn(call.turn(index, "my secret number", 1.0));
    let error = db.store.write(vec![Record::Started(call.started()), turn(1), turn(2)]).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)));
    let told = format!("{error} {error:?}");
    for hidden in ["secret", "INSERT", "VALUES"] {
        assert!(!told.contains(hidden), "{told}");
    }
}

pub async fn a_locked_database_is_unavailable_in_time(db: Database) {
    let call = Call::new(FIRST);
    // SQLite gives up a lock by itself; a server may hang, and then we give up.
    let answer = match &db.raw {
        Raw::Sqlite(pool, _) => {
            let store = db.reopened(Options { connection_wait: Duration::from_secs(1), ..Options::default() }).await;
            let _lock = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
            store.write(call.whole()).await
        }
        Raw::Postgres(pool, _) => {
            let store = db.reopened(Options { answer_wait: Duration::from_millis(300), ..Options::default() }).await;
            let mut lock = pool.begin().await.unwrap();
            sqlx::query("LOCK TABLE call_sessions").execute(&mut *lock).await.unwrap();
            store.write(call.whole()).await
        }
    };
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    db.store.write(call.whole()).await.unwrap();
    assert_eq!(db.rows().await, 6);
}

pub async fn a_closed_store_is_unavailable(db: Database) {
    db.store.ping().await.unwrap();
    db.store.close().await;
    let unavailable = Err(StoreError::Unavailable("the store is closed".into()));
    assert_eq!(db.store.ping().await, unavailable);
    assert_eq!(db.store.write(Call::new(FIRST).whole()).await, unavailable);
}

pub async fn a_missing_schema_is_refused(db: Database) {
    db.execute("DROP VIEW agents_agent; DROP VIEW agent_config; ALTER TABLE call_events RENAME TO lost").await.unwrap();
    assert!(matches!(db.store.events(FIRST, 1).await, Err(StoreError::Refused(_))));
    assert!(db.store.agent(FIRST, RowKey::Number(1)).await.is_ok());
}

pub async fn rows_of_unexpected_types_are_unreadable(db: Database) {
    let call = Call::new(FIRST);
    db.store.write(call.whole()).await.unwrap();
    db.execute(match &db.raw {
        Raw::Sqlite(..) => "UPDATE conversations SET ended_at = 'yesterday'",
        Raw::Postgres(..) => {
            "DROP VIEW conversation; \
             ALTER TABLE conversations ALTER ended_at TYPE TEXT"
        }
    })
    .await
    .unwrap();
    let unreadable = StoreError::Unreadable("column ended_at".into());
    assert_eq!(db.store.conversations(FIRST, Listing::newest(10)).await, Err(unreadable));
}

pub async fn opening_tells_what_is_wrong(db: Database) {
    let (address, expected) = match &db.raw {
        Raw::Sqlite(_, folder) => {
            let file = folder.path().join("letter.txt");
            std::fs::write(&file, "Dear Sir or Madam, this is no database. ".repeat(100)).unwrap();
            (file.display().to_string(), "file is damaged or no database (code 26)")
        }
        Raw::Postgres(_, server) => (server.url("nowhere"), "no such database (code 3D000)"),
    };
    let error = Store::open(&address.parse().unwrap(), Options::default()).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.ends_with(expected), "{cause}");
    let told = format!("{error} {error:?}");
    assert!(!told.contains("secret"), "{told}");
}

pub async fn opening_an_impossible_place_fails(db: Database) {
    let (address, expected) = match &db.raw {
        Raw::Sqlite(_, folder) => {
            std::fs::write(folder.path().join("file"), "").unwrap();
            (folder.path().join("file/folder/tandem.db").display().to_string(), "cannot make the folder")
        }
        // Port 1 of this machine has no server.
        Raw::Postgres(..) => {
            ("postgres://tandem:secret@127.0.0.1:1/tandem".into(), "cannot open postgres://127.0.0.1:1/tandem")
        }
    };
    let error = Store::open(&address.parse().unwrap(), Options::default()).await.unwrap_err();
    assert!(error.to_string().starts_with(expected), "{error}");
    let told = format!("{error} {error:?}");
    assert!(!told.contains("secret"), "{told}");
}
