//! A fresh database on one engine, its store, and a back door for what no port does yet.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use sqlx::{AssertSqlSafe, Connection};
use tandem_domain::ids::BusinessId;
use tandem_store::{Location, Options, Store};
use tempfile::TempDir;
use uuid::Uuid;

use crate::server::Server;

pub struct Database {
    pub store: Store,
    location: Location,
    /// The back door: a connection that the store knows nothing of.
    pub raw: Raw,
}

pub enum Raw {
    Sqlite(SqlitePool, TempDir),
    Postgres(PgPool, Arc<Server>),
}

/// Runs an expression on either engine's pool.
macro_rules! raw {
    ($database:expr, $pool:ident => $query:expr) => {
        match &$database.raw {
            crate::database::Raw::Sqlite($pool, _) => $query,
            crate::database::Raw::Postgres($pool, _) => $query,
        }
    };
}

impl Database {
    pub async fn sqlite() -> Self {
        Self::new_sqlite().await.migrated().await
    }

    pub async fn postgres() -> Self {
        Self::new_postgres().await.migrated().await
    }

    async fn migrated(self) -> Self {
        self.store.migrate().await.unwrap();
        self
    }

    async fn new_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::from_settings(None, &folder.path().join("made/by/open")).unwrap();
        let store = opened(&location).await;
        let Location::Sqlite(file) = &location else { unreachable!("no address means a file") };
        let raw =
            SqlitePool::connect_with(SqliteConnectOptions::new().filename(file).foreign_keys(true)).await.unwrap();
        Self { store, location, raw: Raw::Sqlite(raw, folder) }
    }

    async fn new_postgres() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = Server::shared();
        let name = format!("case_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let plain = |database: &str| server.url(database).replace("+asyncpg", "");
        let mut admin = PgConnection::connect(&plain("postgres")).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await.unwrap();
        admin.close().await.unwrap();

        let location = Location::from_settings(Some(&server.url(&name)), Path::new("unused")).unwrap();
        let store = opened(&location).await;
        let raw = PgPool::connect(&plain(&name)).await.unwrap();
        Self { store, location, raw: Raw::Postgres(raw, server) }
    }

    /// A database beside this one whose schema has gone no further than a step. Its store has not brought it up to date.
    pub async fn beside_at_step(&self, step: i64) -> Self {
        let migrations = |all: Migrator| Migrator {
            migrations: all.iter().filter(|migration| migration.version <= step).cloned().collect::<Vec<_>>().into(),
            ..all
        };
        let beside = match &self.raw {
            Raw::Sqlite(..) => Self::new_sqlite().await,
            Raw::Postgres(..) => Self::new_postgres().await,
        };
        match &beside.raw {
            Raw::Sqlite(pool, _) => migrations(sqlx::migrate!("../migrations/sqlite")).run(pool).await.unwrap(),
            Raw::Postgres(pool, _) => migrations(sqlx::migrate!("../migrations/postgres")).run(pool).await.unwrap(),
        }
        beside
    }

    /// Runs statements that both engines read.
    pub async fn execute(&self, sql: &str) -> Result<(), sqlx::Error> {
        raw!(self, pool => sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(pool).await.map(drop))
    }

    pub async fn number(&self, sql: &'static str) -> i64 {
        raw!(self, pool => sqlx::query_scalar(sql).fetch_one(pool).await).unwrap()
    }

    pub async fn texts(&self, sql: &str) -> Vec<String> {
        raw!(self, pool => sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(pool).await).unwrap()
    }

    pub async fn add_business(&self) -> BusinessId {
        const SQL: &str = "INSERT INTO businesses (uuid, name) VALUES ($1, 'Another') RETURNING id";
        BusinessId(raw!(self, pool => sqlx::query_scalar(SQL).bind(Uuid::now_v7()).fetch_one(pool).await).unwrap())
    }

    pub async fn add_agent(&self, business: BusinessId, name: &str) -> Result<(i64, Uuid), sqlx::Error> {
        const SQL: &str = "INSERT INTO agents (uuid, business_id, name, name_key, playbook) \
            VALUES ($1, $2, $3, $4, 'front-desk') RETURNING id";
        let uuid = Uuid::now_v7();
        let id = raw!(self, pool => {
            sqlx::query_scalar(SQL).bind(uuid).bind(business.0).bind(name).bind(name.to_lowercase()).fetch_one(pool).await
        })?;
        Ok((id, uuid))
    }

    /// Rows of all tables, counted.
    pub async fn rows(&self) -> i64 {
        self.number(
            "SELECT (SELECT count(*) FROM call_sessions) + (SELECT count(*) FROM conversations) + (SELECT count(*) FROM user_turns) \
             + (SELECT count(*) FROM agent_responses) + (SELECT count(*) FROM call_events)",
        )
        .await
    }

    /// Another store on the same database.
    pub async fn reopened(&self, options: Options) -> Store {
        Store::open(&self.location, options).await.unwrap()
    }
}

async fn opened(location: &Location) -> Store {
    // Long waits: the machine that runs the tests may be busy.
    let wait = Duration::from_secs(60);
    let options = Options { connection_wait: wait, answer_wait: wait, ..Options::default() };
    Store::open(location, options).await.unwrap()
}
