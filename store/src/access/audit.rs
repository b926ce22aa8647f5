//! The record of changes: appended in the transaction that makes the change, never changed.

use sqlx::FromRow;
use tandem_access::audit::Record;
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::AuditEntry;

use crate::Store;
use crate::error::Failure;
use crate::sql::{Writing, on};
use crate::value;

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
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<(i64, Record)>, Failure> {
        const SQL: &str =
            "SELECT id, record FROM audit_log WHERE business_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
        let (before, limit) = (before.unwrap_or(i64::MAX), i64::from(limit));
        let rows: Vec<AuditRow> = on!(self.reader(), db => {
            sqlx::query_as(SQL).bind(business.0).bind(before).bind(limit).fetch_all(db).await
        })?;
        let read = |row: AuditRow| Ok((row.id, Record::parse(&row.record).map_err(|_| Failure::unreadable("record"))?));
        rows.into_iter().map(read).collect()
    }
}
