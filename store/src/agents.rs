//! Agents, as calls need them.

use std::sync::LazyLock;

use serde_json::Value;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, ColumnIndex, Decode, FromRow, Row, SqlSafeStr, SqlStr, Type};
use tandem_domain::agent::{Agent, Identity, Timing};
use tandem_domain::ids::{AgentId, BusinessId};
use tandem_domain::port::store::{AgentStore, RowKey, StoreFuture};
use uuid::Uuid;

use crate::Store;
use crate::error::Failure;
use crate::misfits::Misfits;
use crate::sql::on;
use crate::value;

mod book;
mod columns;
mod outbox;
mod versions;

use columns::Document;

/// A query for the agents of a business; made of constants and of the catalogue's names alone.
fn agent_where(condition: &str) -> SqlStr {
    let columns = columns::LIST.as_str();
    let text = format!(
        "SELECT id, uuid, business_id, version, {columns} FROM agents WHERE business_id = $1 AND deleted_at IS NULL AND {condition}"
    );
    AssertSqlSafe(text).into_sql_str()
}

struct AgentRow {
    identity: Identity,
    version: i64,
    settings: Document,
}

impl<'r, R> FromRow<'r, R> for AgentRow
where
    R: Row,
    &'static str: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    Uuid: Decode<'r, R::Database> + Type<R::Database>,
    Option<bool>: Decode<'r, R::Database> + Type<R::Database>,
    Option<i64>: Decode<'r, R::Database> + Type<R::Database>,
    Option<f64>: Decode<'r, R::Database> + Type<R::Database>,
    Option<String>: Decode<'r, R::Database> + Type<R::Database>,
    Option<Json<Value>>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        let identity = Identity {
            id: AgentId(row.try_get("id")?),
            uuid: row.try_get("uuid")?,
            business: BusinessId(row.try_get("business_id")?),
        };
        Ok(Self { identity, version: row.try_get("version")?, settings: columns::document(row)? })
    }
}

impl AgentRow {
    fn agent(self, misfits: &Misfits, server: &Timing) -> Result<Agent, Failure> {
        let version = versions::number(self.version)?;
        let settings = columns::settings(misfits, self.identity.id.0, &self.settings);
        Ok(Agent { version, ..Agent::configured(self.identity, &settings, server) })
    }
}

impl Store {
    /// The row number of an agent by any of its keys.
    pub(crate) async fn agent_number(&self, business: BusinessId, key: &RowKey) -> Result<Option<i64>, Failure> {
        const BY_ID: &str = "SELECT id FROM agents WHERE business_id = $1 AND id = $2";
        const BY_UUID: &str = "SELECT id FROM agents WHERE business_id = $1 AND uuid = $2";
        const BY_NAME: &str = "SELECT id FROM agents WHERE business_id = $1 AND name_key = $2";
        Ok(on!(self.reader(), db => match key {
            RowKey::Number(id) => sqlx::query_scalar(BY_ID).bind(business.0).bind(id).fetch_optional(db).await,
            RowKey::Uuid(uuid) => sqlx::query_scalar(BY_UUID).bind(business.0).bind(uuid).fetch_optional(db).await,
            RowKey::Name(name) => {
                let name = value::text(name).to_lowercase();
                sqlx::query_scalar(BY_NAME).bind(business.0).bind(name).fetch_optional(db).await
            }
        })?)
    }
}

impl AgentStore for Store {
    fn agent(&self, business: BusinessId, key: RowKey) -> StoreFuture<'_, Option<Agent>> {
        static BY_ID: LazyLock<SqlStr> = LazyLock::new(|| agent_where("id = $2"));
        static BY_UUID: LazyLock<SqlStr> = LazyLock::new(|| agent_where("uuid = $2"));
        static BY_NAME: LazyLock<SqlStr> = LazyLock::new(|| agent_where("name_key = $2"));
        self.answer(async move {
            let row: Option<AgentRow> = on!(self.reader(), db => match key {
                RowKey::Number(id) => sqlx::query_as(BY_ID.clone()).bind(business.0).bind(id).fetch_optional(db).await,
                RowKey::Uuid(uuid) => sqlx::query_as(BY_UUID.clone()).bind(business.0).bind(uuid).fetch_optional(db).await,
                RowKey::Name(name) => {
                    let name = value::text(&name).to_lowercase();
                    sqlx::query_as(BY_NAME.clone()).bind(business.0).bind(name).fetch_optional(db).await
                }
            })?;
            row.map(|row| row.agent(&self.misfits, &self.timing)).transpose()
        })
    }
}
