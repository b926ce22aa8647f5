//! The telephone numbers of businesses.
//!
//! A number whose agent was deleted has none: its row keeps the reference, and every query looks whether the agent is still there.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tandem_domain::ids::{AgentId, BusinessId};
use tandem_domain::number::Number;
use tandem_domain::phone_number::NumberSettings;
use tandem_domain::port::store::{
    Change, KeptNumber, NumberBook, NumberRoutes, PhoneNumber, Route, RowKey, StoreFuture,
};
use uuid::Uuid;

use crate::Store;
use crate::access::audit;
use crate::error::Failure;
use crate::sql::{Writing, on};
use crate::value;

/// Numbers of a business with their agents; the condition takes parameters from `$2` on.
macro_rules! number_where {
    ($condition:literal) => {
        concat!(
            "SELECT n.id, n.uuid, n.number, n.type AS kind, n.active, a.id AS agent_id, a.name AS agent_name, n.created_at, n.updated_at, ",
            "n.revision FROM phone_numbers n ",
            "LEFT JOIN agents a ON a.business_id = n.business_id AND a.id = n.agent_id AND a.deleted_at IS NULL ",
            "WHERE n.business_id = $1 AND ",
            $condition
        )
    };
}

const BY_ID: &str = number_where!("n.id = $2");
const BY_UUID: &str = number_where!("n.uuid = $2");
const BY_NUMBER: &str = number_where!("n.number = $2");

#[derive(FromRow)]
struct NumberRow {
    id: i64,
    uuid: Uuid,
    number: String,
    kind: String,
    active: bool,
    agent_id: Option<i64>,
    agent_name: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    revision: i64,
}

impl NumberRow {
    fn read(self) -> Result<PhoneNumber, Failure> {
        Ok(PhoneNumber {
            id: self.id,
            uuid: self.uuid,
            number: Number::read(&self.number, None).map_err(|_| Failure::unreadable("number"))?,
            kind: self.kind,
            active: self.active,
            agent_id: self.agent_id,
            agent_name: self.agent_name,
            created_at: self.created_at,
            updated_at: self.updated_at,
            revision: self.revision,
        })
    }
}

async fn reread(tx: &mut Writing, business: BusinessId, id: i64) -> Result<KeptNumber, Failure> {
    let row: NumberRow =
        on!(tx.connection(), db => sqlx::query_as(BY_ID).bind(business.0).bind(id).fetch_one(db).await)?;
    Ok(KeptNumber::Done(Box::new(row.read()?)))
}

/// Whether the business has this agent; nobody is always there.
async fn has_agent(tx: &mut Writing, business: BusinessId, agent: Option<AgentId>) -> Result<bool, Failure> {
    const SQL: &str = "SELECT count(*) FROM agents WHERE business_id = $1 AND id = $2 AND deleted_at IS NULL";
    let Some(agent) = agent else { return Ok(true) };
    let found: i64 =
        on!(tx.connection(), db => sqlx::query_scalar(SQL).bind(business.0).bind(agent.0).fetch_one(db).await)?;
    Ok(found == 1)
}

impl Store {
    async fn find_number(&self, business: BusinessId, key: RowKey) -> Result<Option<PhoneNumber>, Failure> {
        let row: Option<NumberRow> = on!(self.reader(), db => match key {
            RowKey::Number(id) => sqlx::query_as(BY_ID).bind(business.0).bind(id).fetch_optional(db).await,
            RowKey::Uuid(uuid) => sqlx::query_as(BY_UUID).bind(business.0).bind(uuid).fetch_optional(db).await,
            RowKey::Name(number) => {
                sqlx::query_as(BY_NUMBER).bind(business.0).bind(value::text(&number)).fetch_optional(db).await
            }
        })?;
        row.map(NumberRow::read).transpose()
    }

    async fn add_row(
        &self,
        business: BusinessId,
        uuid: Uuid,
        number: Number,
        settings: NumberSettings,
        change: Change,
    ) -> Result<KeptNumber, Failure> {
        const SQL: &str = "INSERT INTO phone_numbers (uuid, business_id, number, type, active, agent_id, created_at, updated_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (business_id, number) DO NOTHING RETURNING id";
        let mut tx = self.writing().await?;
        if !has_agent(&mut tx, business, settings.agent).await? {
            return Ok(KeptNumber::NoAgent);
        }
        let id: Option<i64> = on!(tx.connection(), db => sqlx::query_scalar(SQL)
            .bind(uuid)
            .bind(business.0)
            .bind(number.as_str())
            .bind(value::text(&settings.kind))
            .bind(settings.active)
            .bind(settings.agent.map(|agent| agent.0))
            .bind(value::instant(change.at))
            .fetch_optional(db)
            .await)?;
        let Some(id) = id else { return Ok(KeptNumber::Taken) };
        audit::append(&mut tx, &change.audit).await?;
        let kept = reread(&mut tx, business, id).await?;
        tx.commit().await?;
        Ok(kept)
    }

    async fn change_row(
        &self,
        business: BusinessId,
        seen: PhoneNumber,
        settings: NumberSettings,
        change: Change,
    ) -> Result<KeptNumber, Failure> {
        const SQL: &str = "UPDATE phone_numbers SET type = $4, active = $5, agent_id = $6, updated_at = $7, revision = revision + 1 \
            WHERE business_id = $1 AND id = $2 AND revision = $3";
        let mut tx = self.writing().await?;
        if !has_agent(&mut tx, business, settings.agent).await? {
            return Ok(KeptNumber::NoAgent);
        }
        let changed = on!(tx.connection(), db => sqlx::query(SQL)
            .bind(business.0)
            .bind(seen.id)
            .bind(seen.revision)
            .bind(value::text(&settings.kind))
            .bind(settings.active)
            .bind(settings.agent.map(|agent| agent.0))
            .bind(value::instant(change.at))
            .execute(db)
            .await
            .map(|done| done.rows_affected()))?;
        if changed == 0 {
            return Ok(KeptNumber::Raced);
        }
        audit::append(&mut tx, &change.audit).await?;
        let kept = reread(&mut tx, business, seen.id).await?;
        tx.commit().await?;
        Ok(kept)
    }

    async fn remove_row(&self, business: BusinessId, seen: PhoneNumber, change: Change) -> Result<KeptNumber, Failure> {
        const SQL: &str = "DELETE FROM phone_numbers WHERE business_id = $1 AND id = $2 AND revision = $3";
        let mut tx = self.writing().await?;
        let removed = on!(tx.connection(), db => sqlx::query(SQL)
            .bind(business.0)
            .bind(seen.id)
            .bind(seen.revision)
            .execute(db)
            .await
            .map(|done| done.rows_affected()))?;
        if removed == 0 {
            return Ok(KeptNumber::Raced);
        }
        audit::append(&mut tx, &change.audit).await?;
        tx.commit().await?;
        Ok(KeptNumber::Done(Box::new(seen)))
    }
}

impl NumberRoutes for Store {
    fn route(&self, business: BusinessId, number: Number) -> StoreFuture<'_, Option<Route>> {
        self.answer(async move {
            let found = self.find_number(business, RowKey::Name(number.as_str().to_owned())).await?;
            Ok(found.map(|number| Route { active: number.active, agent: number.agent_id.map(AgentId) }))
        })
    }
}

impl NumberBook for Store {
    fn numbers(
        &self,
        business: BusinessId,
        agent: Option<AgentId>,
        after: Option<i64>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<PhoneNumber>> {
        const ALL: &str = number_where!("n.id > $2 ORDER BY n.id LIMIT $3");
        const OF_AGENT: &str = number_where!("n.id > $2 AND a.id = $4 ORDER BY n.id LIMIT $3");
        self.answer(async move {
            let (after, limit) = (after.unwrap_or(0), i64::from(limit));
            let rows: Vec<NumberRow> = on!(self.reader(), db => match agent {
                None => sqlx::query_as(ALL).bind(business.0).bind(after).bind(limit).fetch_all(db).await,
                Some(agent) => {
                    sqlx::query_as(OF_AGENT).bind(business.0).bind(after).bind(limit).bind(agent.0).fetch_all(db).await
                }
            })?;
            rows.into_iter().map(NumberRow::read).collect()
        })
    }

    fn number(&self, business: BusinessId, key: RowKey) -> StoreFuture<'_, Option<PhoneNumber>> {
        self.answer(self.find_number(business, key))
    }

    fn add_number(
        &self,
        business: BusinessId,
        uuid: Uuid,
        number: Number,
        settings: NumberSettings,
        change: Change,
    ) -> StoreFuture<'_, KeptNumber> {
        self.answer(self.add_row(business, uuid, number, settings, change))
    }

    fn change_number(
        &self,
        business: BusinessId,
        seen: PhoneNumber,
        settings: NumberSettings,
        change: Change,
    ) -> StoreFuture<'_, KeptNumber> {
        self.answer(self.change_row(business, seen, settings, change))
    }

    fn remove_number(&self, business: BusinessId, seen: PhoneNumber, change: Change) -> StoreFuture<'_, KeptNumber> {
        self.answer(self.remove_row(business, seen, change))
    }
}
