//! Agents as their editors need them: rows, versions and drafts.
//!
//! A change writes the columns that it changes and no others, so that one that was made by hand in the database meanwhile stays. The version that
//! it replaces is written down beside the new one, as callers last met it: so an agent has no rows of versions before its first change, and an
//! edit by hand is found in the history. With a version that becomes live goes the news of it, for providers ([`super::outbox`]).

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, ColumnIndex, Decode, FromRow, Row, SqlSafeStr, SqlStr, Type};
use tandem_domain::agent::Identity;
use tandem_domain::agent_settings::{AgentSettings, Setting, catalogue};
use tandem_domain::agent_version::{Draft, Version, VersionNumber};
use tandem_domain::ids::{AgentId, BusinessId};
use tandem_domain::port::store::{AgentBook, AgentRecord, Change, Kept, KeptVersion, RowKey, StoreFuture};
use tracing::warn;
use uuid::Uuid;

use super::columns::{self, Cell, Document, bind};
use super::{outbox, versions};
use crate::Store;
use crate::access::audit;
use crate::error::{Failure, UniqueKey};
use crate::misfits::Misfits;
use crate::sql::{Writing, on};
use crate::value;

/// A query for records of a business; made of constants and of the catalogue's names alone.
fn record_where(condition: &str) -> SqlStr {
    let columns = columns::LIST.as_str();
    let text = format!(
        "SELECT id, uuid, business_id, version, revision, draft, draft_based_on, created_at, updated_at, {columns} \
         FROM agents WHERE business_id = $1 AND deleted_at IS NULL AND {condition}"
    );
    AssertSqlSafe(text).into_sql_str()
}

static BY_ID: LazyLock<SqlStr> = LazyLock::new(|| record_where("id = $2"));
static BY_UUID: LazyLock<SqlStr> = LazyLock::new(|| record_where("uuid = $2"));
static BY_NAME: LazyLock<SqlStr> = LazyLock::new(|| record_where("name_key = $2"));

struct RecordRow {
    identity: Identity,
    version: i64,
    revision: i64,
    draft: Option<Json<Value>>,
    draft_based_on: Option<i64>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    settings: Document,
}

impl<'r, R> FromRow<'r, R> for RecordRow
where
    R: Row,
    &'static str: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    Uuid: Decode<'r, R::Database> + Type<R::Database>,
    DateTime<Utc>: Decode<'r, R::Database> + Type<R::Database>,
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
        Ok(Self {
            identity,
            version: row.try_get("version")?,
            revision: row.try_get("revision")?,
            draft: row.try_get("draft")?,
            draft_based_on: row.try_get("draft_based_on")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
            settings: columns::document(row)?,
        })
    }
}

impl RecordRow {
    fn read(self, misfits: &Misfits) -> Result<AgentRecord, Failure> {
        let agent = self.identity.id.0;
        let draft = match (self.draft, self.draft_based_on) {
            (Some(Json(Value::Object(draft))), Some(based_on)) => {
                let settings = columns::settings(misfits, agent, &draft.into());
                Some(Draft { based_on: versions::number(based_on)?, settings })
            }
            (None, _) => None,
            _ => {
                if misfits.is_new(format!("draft of agent {agent}")) {
                    warn!(agent, "the stored draft of an agent is none, or not based on a version; it is not shown");
                }
                None
            }
        };
        Ok(AgentRecord {
            identity: self.identity,
            live: versions::number(self.version)?,
            settings: columns::settings(misfits, agent, &self.settings),
            draft,
            revision: self.revision,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// The agent of a row, within a transaction.
async fn reread(misfits: &Misfits, tx: &mut Writing, identity: Identity) -> Result<Kept, Failure> {
    let row: RecordRow = on!(tx.connection(), db => {
        sqlx::query_as(BY_ID.clone()).bind(identity.business.0).bind(identity.id.0).fetch_one(db).await
    })?;
    Ok(Kept::Done(Box::new(row.read(misfits)?)))
}

/// One name, one agent of a business.
const NAMES: UniqueKey =
    UniqueKey { postgres: "agents_business_id_name_key_key", sqlite: ": agents.business_id, agents.name_key" };

/// Whether another agent of the business has this name. One that is being made just now is not seen: that tells [`NAMES`].
async fn name_is_taken(tx: &mut Writing, business: BusinessId, own: i64, name_key: &str) -> Result<bool, Failure> {
    const SQL: &str = "SELECT count(*) FROM agents WHERE business_id = $1 AND id <> $2 AND name_key = $3";
    let others: i64 = on!(tx.connection(), db => {
        sqlx::query_scalar(SQL).bind(business.0).bind(own).bind(name_key).fetch_one(db).await
    })?;
    Ok(others > 0)
}

/// Settings that differ, with what they shall be.
fn changed(from: &AgentSettings, to: &AgentSettings) -> Vec<(&'static Setting, Cell)> {
    let differs = |setting: &&'static Setting| from.set(setting) != to.set(setting);
    catalogue::all().filter(differs).map(|setting| (setting, Cell::of(setting, to.set(setting)))).collect()
}

impl Store {
    pub(super) async fn find_record(&self, business: BusinessId, key: RowKey) -> Result<Option<AgentRecord>, Failure> {
        let row: Option<RecordRow> = on!(self.reader(), db => match key {
            RowKey::Number(id) => sqlx::query_as(BY_ID.clone()).bind(business.0).bind(id).fetch_optional(db).await,
            RowKey::Uuid(uuid) => sqlx::query_as(BY_UUID.clone()).bind(business.0).bind(uuid).fetch_optional(db).await,
            RowKey::Name(name) => {
                let name = value::text(&name).to_lowercase();
                sqlx::query_as(BY_NAME.clone()).bind(business.0).bind(name).fetch_optional(db).await
            }
        })?;
        row.map(|row| row.read(&self.misfits)).transpose()
    }

    async fn create(&self, business: BusinessId, uuid: Uuid, first: Version, change: Change) -> Result<Kept, Failure> {
        let name_key = first.settings.name().to_lowercase();
        let mut tx = self.writing().await?;
        if name_is_taken(&mut tx, business, 0, &name_key).await? {
            return Ok(Kept::NameTaken);
        }
        let cells = changed(&AgentSettings::default(), &first.settings);
        let (mut names, mut places) = (String::new(), String::new());
        for (place, (setting, _)) in cells.iter().enumerate() {
            names.push_str(&format!(", {}", setting.name));
            places.push_str(&format!(", ${}", place + 6));
        }
        let sql = AssertSqlSafe(format!(
            "INSERT INTO agents (business_id, uuid, name_key, version, created_at, updated_at{names}) \
             VALUES ($1, $2, $3, $4, $5, $5{places}) RETURNING id"
        ));
        let at = value::instant(change.at);
        let number = i64::from(first.number.0);
        let cells = cells.into_iter().map(|(_, cell)| cell);
        let made: Result<i64, _> = on!(tx.connection(), db => {
            let query = sqlx::query_scalar(sql).bind(business.0).bind(uuid).bind(&name_key).bind(number).bind(at);
            bind!(query, cells).fetch_one(db).await
        });
        let id = match made {
            Err(error) if NAMES.is_taken(&error) => return Ok(Kept::NameTaken),
            made => made?,
        };
        let identity = Identity { id: AgentId(id), uuid, business };
        versions::keep(&mut tx, identity, &first, &change.by, at).await?;
        outbox::note(&mut tx, identity, first.number, at).await?;
        audit::append(&mut tx, &change.audit).await?;
        let kept = reread(&self.misfits, &mut tx, identity).await?;
        tx.commit().await?;
        Ok(kept)
    }

    async fn save(&self, seen: AgentRecord, next: Version, change: Change) -> Result<Kept, Failure> {
        let identity = seen.identity;
        let name_key = next.settings.name().to_lowercase();
        let mut tx = self.writing().await?;
        if name_is_taken(&mut tx, identity.business, identity.id.0, &name_key).await? {
            return Ok(Kept::NameTaken);
        }
        let cells = changed(&seen.settings, &next.settings);
        let mut sets = String::new();
        for (place, (setting, _)) in cells.iter().enumerate() {
            sets.push_str(&format!(", {} = ${}", setting.name, place + 7));
        }
        let published = next.origin == tandem_domain::agent_version::Origin::Published;
        let draft = if published { ", draft = NULL, draft_based_on = NULL" } else { "" };
        let sql = AssertSqlSafe(format!(
            "UPDATE agents SET version = $4, updated_at = $5, name_key = $6, revision = revision + 1{draft}{sets} \
             WHERE business_id = $1 AND id = $2 AND revision = $3 AND deleted_at IS NULL"
        ));
        let at = value::instant(change.at);
        let cells = cells.into_iter().map(|(_, cell)| cell);
        let saved = on!(tx.connection(), db => {
            let query = sqlx::query(sql)
                .bind(identity.business.0)
                .bind(identity.id.0)
                .bind(seen.revision)
                .bind(i64::from(next.number.0))
                .bind(at)
                .bind(&name_key);
            bind!(query, cells).execute(db).await.map(|done| done.rows_affected())
        });
        match saved {
            Ok(0) => return Ok(Kept::Raced),
            Ok(_) => {}
            Err(error) if NAMES.is_taken(&error) => return Ok(Kept::NameTaken),
            Err(error) => return Err(error.into()),
        }
        versions::keep_last_met(&mut tx, &seen).await?;
        versions::keep(&mut tx, identity, &next, &change.by, at).await?;
        versions::forget_oldest(&mut tx, identity, next.number).await?;
        outbox::note(&mut tx, identity, next.number, at).await?;
        audit::append(&mut tx, &change.audit).await?;
        let kept = reread(&self.misfits, &mut tx, identity).await?;
        tx.commit().await?;
        Ok(kept)
    }

    async fn draft(&self, seen: AgentRecord, draft: Option<Draft>, change: Change) -> Result<Kept, Failure> {
        // The agent itself is not another for its draft: its time of change stays, and with it what its editors have seen of it.
        const SQL: &str = "UPDATE agents SET draft = $4, draft_based_on = $5, revision = revision + 1 \
            WHERE business_id = $1 AND id = $2 AND revision = $3 AND deleted_at IS NULL";
        let identity = seen.identity;
        let mut tx = self.writing().await?;
        let saved = on!(tx.connection(), db => sqlx::query(SQL)
            .bind(identity.business.0)
            .bind(identity.id.0)
            .bind(seen.revision)
            .bind(draft.as_ref().map(|draft| Json(draft.settings.stored())))
            .bind(draft.as_ref().map(|draft| i64::from(draft.based_on.0)))
            .execute(db)
            .await
            .map(|done| done.rows_affected()))?;
        if saved == 0 {
            return Ok(Kept::Raced);
        }
        audit::append(&mut tx, &change.audit).await?;
        let kept = reread(&self.misfits, &mut tx, identity).await?;
        tx.commit().await?;
        Ok(kept)
    }

    async fn delete(&self, seen: AgentRecord, change: Change) -> Result<Kept, Failure> {
        // No name that somebody can give has a line break, so that of a deleted agent is nobody's.
        const SQL: &str = "UPDATE agents SET deleted_at = $4, updated_at = $4, name_key = $5, draft = NULL, draft_based_on = NULL, \
            revision = revision + 1 WHERE business_id = $1 AND id = $2 AND revision = $3 AND deleted_at IS NULL";
        let identity = seen.identity;
        let mut tx = self.writing().await?;
        let deleted = on!(tx.connection(), db => sqlx::query(SQL)
            .bind(identity.business.0)
            .bind(identity.id.0)
            .bind(seen.revision)
            .bind(value::instant(change.at))
            .bind(format!("\n{}", identity.id.0))
            .execute(db)
            .await
            .map(|done| done.rows_affected()))?;
        if deleted == 0 {
            return Ok(Kept::Raced);
        }
        versions::keep_last_met(&mut tx, &seen).await?;
        outbox::forget_agent(&mut tx, identity).await?;
        audit::append(&mut tx, &change.audit).await?;
        tx.commit().await?;
        Ok(Kept::Done(Box::new(seen)))
    }
}

impl AgentBook for Store {
    fn agents(&self, business: BusinessId, after: Option<AgentId>, limit: u32) -> StoreFuture<'_, Vec<AgentRecord>> {
        static SQL: LazyLock<SqlStr> = LazyLock::new(|| record_where("id > $2 ORDER BY id LIMIT $3"));
        self.answer(async move {
            let (after, limit) = (after.map_or(0, |agent| agent.0), i64::from(limit));
            let rows: Vec<RecordRow> = on!(self.reader(), db => {
                sqlx::query_as(SQL.clone()).bind(business.0).bind(after).bind(limit).fetch_all(db).await
            })?;
            rows.into_iter().map(|row| row.read(&self.misfits)).collect()
        })
    }

    fn agent_record(&self, business: BusinessId, key: RowKey) -> StoreFuture<'_, Option<AgentRecord>> {
        self.answer(self.find_record(business, key))
    }

    fn create_agent(&self, business: BusinessId, uuid: Uuid, first: Version, change: Change) -> StoreFuture<'_, Kept> {
        self.answer(self.create(business, uuid, first, change))
    }

    fn save_agent(&self, seen: AgentRecord, next: Version, change: Change) -> StoreFuture<'_, Kept> {
        self.answer(self.save(seen, next, change))
    }

    fn save_draft(&self, seen: AgentRecord, draft: Option<Draft>, change: Change) -> StoreFuture<'_, Kept> {
        self.answer(self.draft(seen, draft, change))
    }

    fn delete_agent(&self, seen: AgentRecord, change: Change) -> StoreFuture<'_, Kept> {
        self.answer(self.delete(seen, change))
    }

    fn versions(
        &self,
        agent: Identity,
        before: Option<VersionNumber>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<KeptVersion>> {
        self.answer(self.list_versions(agent, before, limit))
    }

    fn version(&self, agent: Identity, number: VersionNumber) -> StoreFuture<'_, Option<KeptVersion>> {
        self.answer(async move {
            let found = self.list_versions(agent, Some(number.next()), 1).await?;
            Ok(found.into_iter().find(|kept| kept.version.number == number))
        })
    }
}
