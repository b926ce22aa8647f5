//! Where everything is kept: one file of SQLite by default, or a PostgreSQL server, behind the ports of `tandem_domain::port::store`.
//!
//! Place: the binary opens one [`Store`] and hands it out as `AgentStore`, `CallLog`, `ConversationStore`, `LifeStore` and the others.
//! Each method is one query text for both engines (`sql`); every one names its tenant, and the schema ties a row to rows of its own
//! business besides. Rows that hold what an engine cannot (`NUL` in text, nanoseconds) are brought to what both can (`value`).
//!
//! Not here: buffering while the database is away (the caller's writer does that), retention, and any decision about a call.

mod access;
mod agents;
mod businesses;
mod callers;
mod calls;
mod conversations;
mod error;
mod limits;
mod location;
mod misfits;
mod numbers;
mod row_uuid;
mod schema;
mod sql;
mod turns;
mod value;

use std::future::Future;
use std::time::Duration;

use sqlx::Connection;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tandem_domain::agent::Timing;
use tandem_domain::ids::LifeId;
use tandem_domain::port::store::{StoreError, StoreFuture};

pub use error::OpenError;
pub use location::{Location, LocationError};
pub use schema::SchemaState;

use error::Failure;
use misfits::Misfits;
use sql::{Engine, Pools, SqlitePools};

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("../migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("../migrations/postgres");

/// How the store behaves; the defaults are meant for production.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the server's settings say about turn-taking: `ENDPOINT_SILENCE_MS`, `BARGE_IN_MIN_SPEECH_MS` and the longest call of an agent
    /// that sets none. The two silences of an agent are its own columns and not taken from here.
    pub timing: Timing,
    /// Connections to read with (SQLite), or in all (PostgreSQL).
    pub connections: u32,
    /// Longest wait for a free connection, for a new one, and for SQLite's write lock (promises.md D2).
    pub connection_wait: Duration,
    /// Longest wait for the answer to one port method, that for the connection included; a server that hangs is then `Unavailable`.
    pub answer_wait: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timing: Timing::default(),
            connections: 8,
            connection_wait: Duration::from_secs(2),
            answer_wait: Duration::from_secs(10),
        }
    }
}

/// An open database. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Store {
    pools: Pools,
    timing: Timing,
    answer_wait: Duration,
    life: Option<LifeId>,
    misfits: Misfits,
}

impl Store {
    /// Opens the database and proves that it answers. Makes a SQLite file and its folder where they are missing; never makes a PostgreSQL
    /// database. The schema is not touched: see [`Store::migrate`].
    pub async fn open(location: &Location, options: Options) -> Result<Self, OpenError> {
        let pools = match location {
            Location::Sqlite(file) => {
                if let Some(folder) = file.parent() {
                    tokio::fs::create_dir_all(folder)
                        .await
                        .map_err(|source| OpenError::Folder { path: folder.to_owned(), source })?;
                }
                open_sqlite(SqliteConnectOptions::new().filename(file), &options).await
            }
            Location::Postgres(server) => open_postgres(server.as_ref().clone(), &options).await,
        }
        .map_err(|error| OpenError::Database { location: location.to_string(), source: Failure::from(error).0 })?;
        Ok(Self {
            pools,
            timing: options.timing,
            answer_wait: options.answer_wait,
            life: None,
            misfits: Misfits::default(),
        })
    }

    /// Brings the schema up to date; does nothing where it is. On PostgreSQL a lock keeps two processes from doing it at once.
    pub async fn migrate(&self) -> Result<(), OpenError> {
        match &self.pools {
            Engine::Sqlite(pools) => SQLITE_MIGRATIONS.run(&pools.writer).await,
            Engine::Postgres(pool) => POSTGRES_MIGRATIONS.run(pool).await,
        }
        .map_err(OpenError::from)
    }

    /// The same database; calls that are started through it are that life's (see `LifeStore`).
    pub fn living(&self, life: LifeId) -> Self {
        Self { life: Some(life), ..self.clone() }
    }

    /// The engine's name, as the start banner and metrics say it.
    pub fn engine(&self) -> &'static str {
        match &self.pools {
            Engine::Sqlite(_) => "sqlite",
            Engine::Postgres(_) => "postgres",
        }
    }

    /// Waits for running queries and closes all connections; SQLite's write-ahead log is then folded into its file.
    pub async fn close(&self) {
        match &self.pools {
            Engine::Sqlite(pools) => {
                pools.readers.close().await;
                pools.writer.close().await; // last: the last one to leave folds the log
            }
            Engine::Postgres(pool) => pool.close().await,
        }
    }

    /// Boxes the work of a port method and bounds its time. Work that is dropped in a transaction leaves nothing of it behind.
    fn answer<'a, T: Send + 'a>(
        &self,
        work: impl Future<Output = Result<T, Failure>> + Send + 'a,
    ) -> StoreFuture<'a, T> {
        let limit = self.answer_wait;
        Box::pin(async move {
            match tokio::time::timeout(limit, work).await {
                Ok(answer) => answer.map_err(|Failure(error)| error),
                Err(_) => Err(StoreError::Unavailable(format!("no answer within {} ms", limit.as_millis()))),
            }
        })
    }
}

/// One connection writes, so that writers queue here and not at SQLite's lock, where waiting is by polling; the others cannot write.
async fn open_sqlite(file: SqliteConnectOptions, options: &Options) -> Result<Pools, sqlx::Error> {
    let file = file
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal) // in WAL: a power cut may lose the last commits, never the file
        .busy_timeout(options.connection_wait);
    let pool = || SqlitePoolOptions::new().acquire_timeout(options.connection_wait).idle_timeout(None);
    let writer = pool()
        .max_connections(1)
        // A full disk makes SQLite end a transaction by itself. The driver still counts it, and would refuse every one after it.
        .after_release(|connection, _| {
            Box::pin(async move {
                connection.ping().await?; // until the driver's own rollback is through
                Ok(!connection.is_in_transaction())
            })
        })
        .connect_with(file.clone())
        .await?;
    let readers = pool().max_connections(options.connections).connect_with(file.pragma("query_only", "ON")).await?;
    Ok(Engine::Sqlite(SqlitePools { writer, readers }))
}

/// The first connection is made outside the pool, which would try again and again and in the end tell no cause.
async fn open_postgres(server: PgConnectOptions, options: &Options) -> Result<Pools, sqlx::Error> {
    let server = server.application_name("tandem");
    let first = tokio::time::timeout(options.connection_wait, PgConnection::connect_with(&server)).await;
    first.map_err(|_| sqlx::Error::PoolTimedOut)??.close().await?;
    let pool = PgPoolOptions::new()
        .max_connections(options.connections)
        .acquire_timeout(options.connection_wait)
        .connect_lazy_with(server);
    Ok(Engine::Postgres(pool))
}
