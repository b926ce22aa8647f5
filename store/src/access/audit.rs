//! The record of changes: appended in the transaction that makes the change, never changed.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tandem_access::audit::Record;
use tandem_access::port::RecordFilter;
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::AuditEntry;

use crate::Store;
use crate::error::Failure;
use crate::sql::{Writing, on};
use crate::value;

/// Before and after every record: what both engines can hold, and compare as they compare text (SQLite keeps instants as RFC 3339).
const FIRST: DateTime<Utc> = DateTime::from_timestamp(0, 0).expect("an instant");
const LAST: DateTime<Utc> = DateTime::from_timestamp(253_402_300_799, 0).expect("the last second of the year 9999");

/// A record as its row.
pub(crate) fn entry(record: &Record) -> AuditEntry {
    AuditEntry::from(record)
}

/// Writes a row. What goes wrong with it goes wrong with the change.
pub(crate) async fn append(tx: &mut Writing, entry: &AuditEntry) -> Result<(), Failure> {
    const SQL: &str = "INSERT INTO audit_log (business_id, at, action, resource_kind, resource_id, record) \
        VALUES ($1, $2, $3, $4, $5, $6)";
    on!(tx.connection(), db => sqlx::query(SQL)
        .bind(entry.business.0)
        .bind(value::instant(entry.at))
        .bind(&entry.action)
        .bind(&entry.resource_kind)
        .bind(value::text(&entry.resource_id))
        .bind(value::text(&entry.record))
        .execute(db)
        .await
        .map(drop))?;
    Ok(())
}

#[derive(FromRow)]
struct AuditRow {
    id: i64,
    record: String,
}

impl Store {
    pub(super) async fn audit_records(
        &self,
        business: BusinessId,
        filter: RecordFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<(i64, Record)>, Failure> {
        // An absent filter is `NULL`, whose type PostgreSQL cannot see in a comparison alone.
        const SQL: &str = "SELECT id, record FROM audit_log WHERE business_id = $1 AND id < $2 \
            AND (CAST($4 AS TEXT) IS NULL OR action = $4) AND (CAST($5 AS TEXT) IS NULL OR resource_kind = $5) \
            AND (CAST($6 AS TEXT) IS NULL OR resource_id = $6) AND at >= $7 AND at < $8 ORDER BY id DESC LIMIT $3";
        let (before, limit) = (before.unwrap_or(i64::MAX), i64::from(limit));
        let (from, until) = (filter.from.unwrap_or(FIRST), filter.until.unwrap_or(LAST));
        let rows: Vec<AuditRow> = on!(self.reader(), db => sqlx::query_as(SQL)
            .bind(business.0)
            .bind(before)
            .bind(limit)
            .bind(&filter.action)
            .bind(&filter.kind)
            .bind(&filter.id)
            .bind(value::instant(from))
            .bind(value::instant(until))
            .fetch_all(db)
            .await)?;
        let read = |row: AuditRow| Ok((row.id, Record::parse(&row.record).map_err(|_| Failure::unreadable("record"))?));
        rows.into_iter().map(read).collect()
    }
}
