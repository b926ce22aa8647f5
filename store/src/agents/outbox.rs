//! Rows of saved agents, and of the listeners that have heard of them.
//!
//! A claim is a life's uuid in the row of a listener; whether it holds says the table of lives. Two processes that claim at once are told apart by
//! the row's unique key: the second waits for the first, sees its claim, and leaves the row alone.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, FromRow};
use tandem_domain::agent::Identity;
use tandem_domain::agent_settings::AgentSettings;
use tandem_domain::agent_version::VersionNumber;
use tandem_domain::ids::{AgentId, BusinessId, LifeId};
use tandem_domain::port::agent_saved::SavedAgent;
use tandem_domain::port::store::{AgentOutbox, Delivery, Settled, StoreFuture};
use uuid::Uuid;

use super::versions;
use crate::Store;
use crate::error::Failure;
use crate::row_uuid::row_uuid;
use crate::sql::{Writing, on};
use crate::value;

/// Saves that listener `$1` is to be told at `$3` by life `$2`, at most `$4`.
macro_rules! due {
    ($columns:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM agent_saves s LEFT JOIN agent_save_deliveries e ON e.agent_save_id = s.id AND e.listener = $1 ",
            "WHERE e.settled_at IS NULL AND (e.due_at IS NULL OR e.due_at <= $3) ",
            "AND (e.life_uuid IS NULL OR e.life_uuid = $2 OR NOT EXISTS (SELECT 1 FROM lives l WHERE l.uuid = e.life_uuid)) ",
            "AND NOT EXISTS (SELECT 1 FROM agent_saves b ",
            "LEFT JOIN agent_save_deliveries o ON o.agent_save_id = b.id AND o.listener = $1 ",
            "WHERE b.business_id = s.business_id AND b.agent_id = s.agent_id AND b.version < s.version AND o.settled_at IS NULL) ",
            "ORDER BY s.id LIMIT $4"
        )
    };
}

#[derive(FromRow)]
struct DeliveryRow {
    id: i64,
    uuid: Uuid,
    business_id: i64,
    agent_id: i64,
    agent_uuid: Uuid,
    version: i64,
    settings: Json<Map<String, Value>>,
    saved_at: DateTime<Utc>,
    failures: i64,
}

impl DeliveryRow {
    fn read(self) -> Result<Delivery, Failure> {
        let identity =
            Identity { id: AgentId(self.agent_id), uuid: self.agent_uuid, business: BusinessId(self.business_id) };
        // What does not fit is as calls have it, who tell it: one bad setting must not keep an agent, and those after it, from being told.
        let (settings, _) = AgentSettings::from_stored(&self.settings.0);
        let version = versions::number(self.version)?;
        let agent = SavedAgent { key: self.uuid, identity, version, settings, at: self.saved_at };
        let failures = u32::try_from(self.failures).map_err(|_| Failure::unreadable("failures"))?;
        Ok(Delivery { save: self.id, agent, failures })
    }
}

/// Notes that a version became live. Its own row has to be there.
pub(super) async fn note(
    tx: &mut Writing,
    agent: Identity,
    version: VersionNumber,
    at: DateTime<Utc>,
) -> Result<(), Failure> {
    const SQL: &str =
        "INSERT INTO agent_saves (uuid, business_id, agent_id, version, saved_at) VALUES ($1, $2, $3, $4, $5)";
    let uuid = row_uuid(at, &[b"agent save", agent.uuid.as_bytes(), &version.0.to_be_bytes()]);
    on!(tx.connection(), db => sqlx::query(SQL)
        .bind(uuid)
        .bind(agent.business.0)
        .bind(agent.id.0)
        .bind(i64::from(version.0))
        .bind(at)
        .execute(db)
        .await
        .map(drop))?;
    Ok(())
}

/// Nobody has to hear any more of an agent that is gone.
pub(super) async fn forget_agent(tx: &mut Writing, agent: Identity) -> Result<(), Failure> {
    const SQL: &str = "DELETE FROM agent_saves WHERE business_id = $1 AND agent_id = $2";
    on!(tx.connection(), db => {
        sqlx::query(SQL).bind(agent.business.0).bind(agent.id.0).execute(db).await.map(drop)
    })?;
    Ok(())
}

impl Store {
    async fn claim_saves(
        &self,
        listener: &'static str,
        life: LifeId,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Delivery>, Failure> {
        const LOOK: &str = due!("s.id");
        const CLAIM: &str = concat!(
            "INSERT INTO agent_save_deliveries AS d (business_id, agent_save_id, listener, life_uuid) ",
            due!("s.business_id, s.id, $1, $2"),
            " ON CONFLICT (agent_save_id, listener) DO UPDATE SET life_uuid = excluded.life_uuid ",
            "WHERE d.settled_at IS NULL AND (d.due_at IS NULL OR d.due_at <= $3) AND (d.life_uuid IS NULL OR d.life_uuid = excluded.life_uuid ",
            "OR NOT EXISTS (SELECT 1 FROM lives l WHERE l.uuid = d.life_uuid)) RETURNING agent_save_id"
        );
        const READ: &str = "SELECT s.id, s.uuid, s.business_id, s.agent_id, a.uuid AS agent_uuid, s.version, v.settings, s.saved_at, d.failures \
            FROM agent_saves s JOIN agent_save_deliveries d ON d.agent_save_id = s.id AND d.listener = $2 \
            JOIN agents a ON a.business_id = s.business_id AND a.id = s.agent_id \
            JOIN agent_versions v ON v.business_id = s.business_id AND v.agent_id = s.agent_id AND v.version = s.version \
            WHERE s.id = $1";
        let (now, limit) = (value::instant(now), i64::from(limit));
        // Mostly there is nothing, and whoever only looks keeps nobody from writing.
        let found: Option<i64> = on!(self.reader(), db => {
            sqlx::query_scalar(LOOK).bind(listener).bind(life.0).bind(now).bind(1_i64).fetch_optional(db).await
        })?;
        if found.is_none() {
            return Ok(Vec::new());
        }
        let mut tx = self.writing().await?;
        let mut claimed: Vec<i64> = on!(tx.connection(), db => {
            sqlx::query_scalar(CLAIM).bind(listener).bind(life.0).bind(now).bind(limit).fetch_all(db).await
        })?;
        claimed.sort_unstable();
        let mut deliveries = Vec::with_capacity(claimed.len());
        for save in claimed {
            let row: DeliveryRow =
                on!(tx.connection(), db => sqlx::query_as(READ).bind(save).bind(listener).fetch_one(db).await)?;
            deliveries.push(row.read()?);
        }
        tx.commit().await?;
        Ok(deliveries)
    }

    async fn settle_save(&self, save: i64, listener: &'static str, settled: Settled) -> Result<(), Failure> {
        const SETTLE: &str = "UPDATE agent_save_deliveries SET life_uuid = NULL, settled_at = $3, trouble = $4 \
            WHERE agent_save_id = $1 AND listener = $2 AND settled_at IS NULL";
        let (at, refused) = match settled {
            Settled::Taken { at } => (at, None),
            Settled::Refused { at, why } => (at, Some(why)),
            Settled::NotYet { due, failures, trouble } => {
                return self.postpone_save(save, listener, due, failures, &trouble).await;
            }
        };
        let mut tx = self.writing().await?;
        on!(tx.connection(), db => sqlx::query(SETTLE)
            .bind(save)
            .bind(listener)
            .bind(value::instant(at))
            .bind(refused.as_deref().map(value::text))
            .execute(db)
            .await
            .map(drop))?;
        tx.commit().await
    }

    async fn postpone_save(
        &self,
        save: i64,
        listener: &'static str,
        due: DateTime<Utc>,
        failures: u32,
        trouble: &str,
    ) -> Result<(), Failure> {
        const POSTPONE: &str = "UPDATE agent_save_deliveries SET life_uuid = NULL, due_at = $3, trouble = $4, failures = $5 \
            WHERE agent_save_id = $1 AND listener = $2 AND settled_at IS NULL";
        let mut tx = self.writing().await?;
        on!(tx.connection(), db => sqlx::query(POSTPONE)
            .bind(save)
            .bind(listener)
            .bind(value::instant(due))
            .bind(value::text(trouble))
            .bind(i64::from(failures))
            .execute(db)
            .await
            .map(drop))?;
        tx.commit().await
    }

    async fn sweep_saves(
        &self,
        listeners: &[&'static str],
        done: DateTime<Utc>,
        all: DateTime<Utc>,
    ) -> Result<(), Failure> {
        let places: String = (0..listeners.len()).map(|place| format!(", ${}", place + 4)).collect();
        // The empty text is nobody's name: without it an empty list would be no SQL.
        let sql = AssertSqlSafe(format!(
            "DELETE FROM agent_saves WHERE saved_at < $2 OR saved_at < $1 AND NOT EXISTS (SELECT 1 FROM agent_save_deliveries u \
             WHERE u.agent_save_id = agent_saves.id AND u.settled_at IS NULL) AND (SELECT count(*) FROM agent_save_deliveries d \
             WHERE d.agent_save_id = agent_saves.id AND d.listener IN (''{places})) = $3"
        ));
        let count = i64::try_from(listeners.len()).unwrap_or(i64::MAX);
        let (done, all) = (value::instant(done), value::instant(all));
        let mut tx = self.writing().await?;
        on!(tx.connection(), db => {
            let mut query = sqlx::query(sql).bind(done).bind(all).bind(count);
            for listener in listeners {
                query = query.bind(*listener);
            }
            query.execute(db).await.map(drop)
        })?;
        tx.commit().await
    }
}

impl AgentOutbox for Store {
    fn claim(
        &self,
        listener: &'static str,
        life: LifeId,
        now: DateTime<Utc>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<Delivery>> {
        self.answer(self.claim_saves(listener, life, now, limit))
    }

    fn settle(&self, save: i64, listener: &'static str, settled: Settled) -> StoreFuture<'_, ()> {
        self.answer(self.settle_save(save, listener, settled))
    }

    fn sweep<'a>(
        &'a self,
        listeners: &'a [&'static str],
        done: DateTime<Utc>,
        all: DateTime<Utc>,
    ) -> StoreFuture<'a, ()> {
        self.answer(self.sweep_saves(listeners, done, all))
    }
}
