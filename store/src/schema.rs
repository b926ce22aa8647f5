//! How far the schema is, without changing it.

use std::collections::HashMap;

use sqlx::migrate::Migrator;

use crate::error::{Failure, OpenError};
use crate::sql::{Engine, on};
use crate::{POSTGRES_MIGRATIONS, SQLITE_MIGRATIONS, Store};

/// Steps of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaState {
    /// Applied here.
    pub applied: usize,
    /// Known to this program and not applied yet: [`Store::migrate`] applies them.
    pub pending: usize,
}

impl Store {
    /// Compares the schema with the one that this program knows. Refuses what [`Store::migrate`] would refuse.
    pub async fn schema(&self) -> Result<SchemaState, OpenError> {
        let applied = self.applied().await.map_err(|Failure(error)| OpenError::Schema(error))?;
        let known: &Migrator = match &self.pools {
            Engine::Sqlite(_) => &SQLITE_MIGRATIONS,
            Engine::Postgres(_) => &POSTGRES_MIGRATIONS,
        };
        let steps: HashMap<i64, &[u8]> = known.iter().map(|step| (step.version, step.checksum.as_ref())).collect();
        for (version, checksum) in &applied {
            match steps.get(version) {
                None => return Err(OpenError::Newer(*version)),
                Some(step) if step != checksum => return Err(OpenError::Changed(*version)),
                Some(_) => {}
            }
        }
        Ok(SchemaState { applied: applied.len(), pending: steps.len() - applied.len() })
    }

    /// Version and checksum of each step that was applied; none on a database that was never migrated.
    async fn applied(&self) -> Result<Vec<(i64, Vec<u8>)>, Failure> {
        const APPLIED: &str = "SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version";
        const IN_SQLITE: &str = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'";
        const IN_POSTGRES: &str = "SELECT count(*) FROM information_schema.tables \
            WHERE table_schema = current_schema() AND table_name = '_sqlx_migrations'";
        let tables: i64 = match self.reader() {
            Engine::Sqlite(pool) => sqlx::query_scalar(IN_SQLITE).fetch_one(pool).await?,
            Engine::Postgres(pool) => sqlx::query_scalar(IN_POSTGRES).fetch_one(pool).await?,
        };
        if tables == 0 {
            return Ok(Vec::new());
        }
        Ok(on!(self.reader(), db => sqlx::query_as(APPLIED).fetch_all(db).await)?)
    }
}
