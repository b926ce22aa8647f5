//! What businesses may have, what a day has had, and the calls that were let in, one row each.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::FromRow;
use tandem_domain::admission::Caps;
use tandem_domain::ids::{AgentId, BusinessId, LifeId};
use tandem_domain::port::store::{
    BusinessLimits, Change, KeptLimits, LimitBook, LimitStore, StoreFuture, StoredLimits,
};
use tandem_domain::record::{Direction, Usage};
use tracing::warn;

use crate::Store;
use crate::access::audit;
use crate::error::Failure;
use crate::sql::{Writing, on};
use crate::value;

const READ: &str = "SELECT concurrent_call_limit, daily_call_limit, time_zone, revision FROM businesses WHERE id = $1";

#[derive(FromRow)]
struct LimitsRow {
    concurrent_call_limit: i64,
    daily_call_limit: i64,
    time_zone: Option<String>,
    revision: i64,
}

impl From<LimitsRow> for StoredLimits {
    fn from(row: LimitsRow) -> Self {
        let LimitsRow { concurrent_call_limit, daily_call_limit, time_zone, revision } = row;
        Self { concurrent_call_limit, daily_call_limit, time_zone, revision }
    }
}

/// Writes a call that was let in; the first row of a call stays.
pub(crate) async fn admitted(tx: &mut Writing, usage: &Usage, life: Option<LifeId>) -> Result<(), Failure> {
    const SQL: &str = "INSERT INTO call_usage (uuid, business_id, agent_id, day, direction, overflow, life_uuid, admitted_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (uuid) DO NOTHING";
    let direction = match usage.direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
    };
    let at: DateTime<Utc> = value::instant(usage.at);
    on!(tx.connection(), db => sqlx::query(SQL)
        .bind(usage.call.0)
        .bind(usage.business.0)
        .bind(usage.agent.0)
        .bind(usage.day)
        .bind(direction)
        .bind(usage.overflow)
        .bind(life.map(|life| life.0))
        .bind(at)
        .execute(db)
        .await
        .map(drop))?;
    Ok(())
}

impl Store {
    async fn find_limits(&self, business: BusinessId) -> Result<Option<LimitsRow>, Failure> {
        Ok(on!(self.reader(), db => sqlx::query_as(READ).bind(business.0).fetch_optional(db).await)?)
    }

    async fn keep_limits(
        &self,
        business: BusinessId,
        wanted: StoredLimits,
        change: Change,
    ) -> Result<KeptLimits, Failure> {
        const SQL: &str = "UPDATE businesses SET concurrent_call_limit = $3, daily_call_limit = $4, time_zone = $5, updated_at = $6, \
            revision = revision + 1 WHERE id = $1 AND revision = $2";
        let mut tx = self.writing().await?;
        let kept = on!(tx.connection(), db => sqlx::query(SQL)
            .bind(business.0)
            .bind(wanted.revision)
            .bind(wanted.concurrent_call_limit)
            .bind(wanted.daily_call_limit)
            .bind(wanted.time_zone.as_deref().map(value::text))
            .bind(value::instant(change.at))
            .execute(db)
            .await
            .map(|done| done.rows_affected()))?;
        if kept == 0 {
            return Ok(KeptLimits::Raced);
        }
        audit::append(&mut tx, &change.audit).await?;
        let row: LimitsRow = on!(tx.connection(), db => sqlx::query_as(READ).bind(business.0).fetch_one(db).await)?;
        tx.commit().await?;
        Ok(KeptLimits::Done(row.into()))
    }
}

impl Store {
    /// Forgets calls of days before `day` that were let in: limits ask for the day that is, and reports ask the calls themselves. Looks at the
    /// oldest `limit` rows, and says how many it forgot.
    pub fn forget_usage(&self, day: NaiveDate, limit: u32) -> StoreFuture<'_, u64> {
        const SQL: &str = "DELETE FROM call_usage WHERE id IN \
            (SELECT id FROM (SELECT id, day FROM call_usage ORDER BY id LIMIT $2) AS oldest WHERE day < $1)";
        self.answer(async move {
            let mut tx = self.writing().await?;
            let forgotten = on!(tx.connection(), db => {
                sqlx::query(SQL).bind(day).bind(i64::from(limit)).execute(db).await.map(|done| done.rows_affected())
            })?;
            tx.commit().await?;
            Ok(forgotten)
        })
    }
}

impl LimitStore for Store {
    fn business_limits(&self, business: BusinessId) -> StoreFuture<'_, BusinessLimits> {
        self.answer(async move {
            let Some(row) = self.find_limits(business).await? else { return Ok(BusinessLimits::default()) };
            let zone = row.time_zone.as_deref().map(str::parse).transpose().unwrap_or_else(|_| {
                // Written by hand. What a business may have holds all the same: a day that begins at another hour is the lesser harm.
                if self.misfits.is_new(format!("time zone of business {}", business.0)) {
                    warn!(
                        business = business.0,
                        "the time zone of a business is none; its days begin in UTC until it is set anew"
                    );
                }
                None
            });
            Ok(BusinessLimits { caps: Caps::of(Some(row.concurrent_call_limit), Some(row.daily_call_limit)), zone })
        })
    }

    fn admitted_elsewhere(&self, business: BusinessId, day: NaiveDate) -> StoreFuture<'_, Vec<(AgentId, u32)>> {
        const SQL: &str = "SELECT agent_id, count(*) FROM call_usage \
            WHERE business_id = $1 AND day = $2 AND life_uuid IS DISTINCT FROM $3 GROUP BY agent_id ORDER BY agent_id";
        self.answer(async move {
            let own = self.life.map(|life| life.0);
            let rows: Vec<(i64, i64)> = on!(self.reader(), db => {
                sqlx::query_as(SQL).bind(business.0).bind(day).bind(own).fetch_all(db).await
            })?;
            Ok(rows
                .into_iter()
                .map(|(agent, calls)| (AgentId(agent), u32::try_from(calls).unwrap_or(u32::MAX)))
                .collect())
        })
    }
}

impl LimitBook for Store {
    fn limits(&self, business: BusinessId) -> StoreFuture<'_, Option<StoredLimits>> {
        self.answer(async move { Ok(self.find_limits(business).await?.map(StoredLimits::from)) })
    }

    fn set_limits(&self, business: BusinessId, wanted: StoredLimits, change: Change) -> StoreFuture<'_, KeptLimits> {
        self.answer(self.keep_limits(business, wanted, change))
    }
}
