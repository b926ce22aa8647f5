//! One query text on two engines.
//!
//! Texts use `$1` placeholders, which both engines read, and are run on the real pool or connection of the engine at hand. `sqlx::Any` is
//! not used: it knows no UUID, no boolean and no date. Where an engine's own feature is the point, two texts stand side by side.

use sqlx::postgres::{PgConnection, PgPool, Postgres};
use sqlx::sqlite::{Sqlite, SqliteConnection, SqlitePool};
use sqlx::{SqlSafeStr, Transaction};

use crate::Store;
use crate::error::Failure;

/// The same thing on one engine or the other: pools, a connection, a transaction.
#[derive(Debug, Clone)]
pub(crate) enum Engine<S, P> {
    Sqlite(S),
    Postgres(P),
}

/// SQLite's connections: one that writes, some that read.
#[derive(Debug, Clone)]
pub(crate) struct SqlitePools {
    pub(crate) writer: SqlitePool,
    pub(crate) readers: SqlitePool,
}

/// The open connections of a store.
pub(crate) type Pools = Engine<SqlitePools, PgPool>;

/// Where a single reading query runs.
pub(crate) type Reader<'a> = Engine<&'a SqlitePool, &'a PgPool>;

/// Where a query of a transaction runs.
pub(crate) type Connection<'a> = Engine<&'a mut SqliteConnection, &'a mut PgConnection>;

/// Runs `$query`, an expression that names the engine's executor as `$executor`, on whichever engine `$engine` is.
///
/// The expression is compiled once an engine and must have one type on both, so it maps engine-specific results itself.
macro_rules! on {
    ($engine:expr, $executor:ident => $query:expr) => {
        match $engine {
            $crate::sql::Engine::Sqlite($executor) => $query,
            $crate::sql::Engine::Postgres($executor) => $query,
        }
    };
}
pub(crate) use on;

/// A transaction that may write. Dropped before its commit, it leaves nothing behind.
pub(crate) struct Writing(Engine<Transaction<'static, Sqlite>, Transaction<'static, Postgres>>);

impl Writing {
    /// The connection, for one query.
    pub(crate) fn connection(&mut self) -> Connection<'_> {
        match &mut self.0 {
            Engine::Sqlite(transaction) => Engine::Sqlite(transaction),
            Engine::Postgres(transaction) => Engine::Postgres(transaction),
        }
    }

    pub(crate) async fn commit(self) -> Result<(), Failure> {
        Ok(on!(self.0, transaction => transaction.commit().await)?)
    }
}

impl Store {
    pub(crate) fn reader(&self) -> Reader<'_> {
        match &self.pools {
            Engine::Sqlite(pools) => Engine::Sqlite(&pools.readers),
            Engine::Postgres(pool) => Engine::Postgres(pool),
        }
    }

    /// Begins a transaction. On SQLite it takes the write lock at once: one that reads first and writes later can fail with "busy" at a
    /// point where waiting no longer helps.
    pub(crate) async fn writing(&self) -> Result<Writing, Failure> {
        Ok(Writing(match &self.pools {
            Engine::Sqlite(pools) => Engine::Sqlite(pools.writer.begin_with("BEGIN IMMEDIATE".into_sql_str()).await?),
            Engine::Postgres(pool) => Engine::Postgres(pool.begin().await?),
        }))
    }
}
