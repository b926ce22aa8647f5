//! Rows of versions.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::FromRow;
use sqlx::types::Json;
use tandem_domain::agent::Identity;
use tandem_domain::agent_version::{Origin, Version, VersionNumber};
use tandem_domain::port::store::{AgentRecord, KeptVersion, MOST_VERSIONS, RowKey};

use super::columns;
use crate::Store;
use crate::error::Failure;
use crate::misfits::Misfits;
use crate::row_uuid::row_uuid;
use crate::sql::{Writing, on};
use crate::value;

pub(super) fn number(column: i64) -> Result<VersionNumber, Failure> {
    u32::try_from(column).map(VersionNumber).map_err(|_| Failure::unreadable("version"))
}

#[derive(FromRow)]
struct VersionRow {
    version: i64,
    origin: String,
    rolled_back_to: Option<i64>,
    settings: Json<Map<String, Value>>,
    changed_by: String,
    created_at: DateTime<Utc>,
}

impl VersionRow {
    fn read(self, misfits: &Misfits, agent: i64) -> Result<KeptVersion, Failure> {
        let origin = match (self.origin.as_str(), self.rolled_back_to) {
            ("created", _) => Origin::Created,
            ("edited", _) => Origin::Edited,
            ("published", _) => Origin::Published,
            ("rolled_back", Some(to)) => Origin::RolledBack { to: number(to)? },
            _ => return Err(Failure::unreadable("origin")),
        };
        let settings = columns::settings(misfits, agent, &self.settings.0.into());
        let version = Version { number: number(self.version)?, origin, settings };
        Ok(KeptVersion { version, changed_by: self.changed_by, at: self.created_at })
    }
}

fn origin(origin: Origin) -> (&'static str, Option<i64>) {
    match origin {
        Origin::Created => ("created", None),
        Origin::Edited => ("edited", None),
        Origin::Published => ("published", None),
        Origin::RolledBack { to } => ("rolled_back", Some(i64::from(to.0))),
    }
}

/// Writes a version down; one that is there is replaced by its settings alone.
pub(super) async fn keep(
    tx: &mut Writing,
    agent: Identity,
    version: &Version,
    by: &str,
    at: DateTime<Utc>,
) -> Result<(), Failure> {
    const SQL: &str = "INSERT INTO agent_versions \
        (uuid, business_id, agent_id, version, origin, rolled_back_to, settings, changed_by, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
        ON CONFLICT (business_id, agent_id, version) DO UPDATE SET settings = excluded.settings";
    let number = version.number.0;
    let uuid = row_uuid(at, &[b"agent version", agent.uuid.as_bytes(), &number.to_be_bytes()]);
    let (origin, rolled_back_to) = origin(version.origin);
    on!(tx.connection(), db => sqlx::query(SQL)
        .bind(uuid)
        .bind(agent.business.0)
        .bind(agent.id.0)
        .bind(i64::from(number))
        .bind(origin)
        .bind(rolled_back_to)
        .bind(Json(version.settings.stored()))
        .bind(value::text(by))
        .bind(at)
        .execute(db)
        .await
        .map(drop))?;
    Ok(())
}

/// Writes down the live version before it is replaced, as callers last met it: its row may be missing, or older than an edit by hand.
pub(super) async fn keep_last_met(tx: &mut Writing, seen: &AgentRecord) -> Result<(), Failure> {
    let origin = if seen.live == VersionNumber::FIRST { Origin::Created } else { Origin::Edited };
    let version = Version { number: seen.live, origin, settings: seen.settings.clone() };
    keep(tx, seen.identity, &version, "", seen.created_at).await
}

/// Keeps [`MOST_VERSIONS`].
pub(super) async fn forget_oldest(tx: &mut Writing, agent: Identity, newest: VersionNumber) -> Result<(), Failure> {
    const SQL: &str = "DELETE FROM agent_versions WHERE business_id = $1 AND agent_id = $2 AND version <= $3";
    let last = i64::from(newest.0) - i64::from(MOST_VERSIONS);
    if last > 0 {
        on!(tx.connection(), db => {
            sqlx::query(SQL).bind(agent.business.0).bind(agent.id.0).bind(last).execute(db).await.map(drop)
        })?;
    }
    Ok(())
}

impl Store {
    pub(super) async fn list_versions(
        &self,
        agent: Identity,
        before: Option<VersionNumber>,
        limit: u32,
    ) -> Result<Vec<KeptVersion>, Failure> {
        const SQL: &str = "SELECT version, origin, rolled_back_to, settings, changed_by, created_at FROM agent_versions \
            WHERE business_id = $1 AND agent_id = $2 AND version < $3 ORDER BY version DESC LIMIT $4";
        let end = before.map_or(i64::MAX, |before| i64::from(before.0));
        let limit = i64::from(limit.max(1));
        let rows: Vec<VersionRow> = on!(self.reader(), db => sqlx::query_as(SQL)
            .bind(agent.business.0)
            .bind(agent.id.0)
            .bind(end)
            .bind(limit)
            .fetch_all(db)
            .await)?;
        if !rows.is_empty() {
            return rows.into_iter().map(|row| row.read(&self.misfits, agent.id.0)).collect();
        }
        // Never changed: what is live is all there is.
        let record = self.find_record(agent.business, RowKey::Number(agent.id.0)).await?;
        let first = record.filter(|record| record.live == VersionNumber::FIRST && i64::from(record.live.0) < end);
        Ok(first
            .into_iter()
            .map(|record| KeptVersion {
                version: Version { number: record.live, origin: Origin::Created, settings: record.settings },
                changed_by: String::new(),
                at: record.created_at,
            })
            .collect())
    }
}
