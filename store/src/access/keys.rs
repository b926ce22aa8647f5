//! Rows of API keys.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use sqlx::types::Json;
use tandem_access::api_key::{ApiKey, KeyHash, KeyId};
use tandem_access::audit::Record;
use tandem_access::port::{KeptKey, NewKey};
use tandem_access::role::Capability;
use tandem_domain::ids::BusinessId;
use uuid::Uuid;

use super::audit;
use crate::Store;
use crate::error::Failure;
use crate::sql::on;
use crate::value;

macro_rules! key_where {
    ($condition:literal) => {
        concat!(
            "SELECT k.id, k.key_id, k.business_id, k.name, k.hash, k.scopes, k.created_at, k.expires_at, k.revoked_at, ",
            "k.last_used_at, k.created_by FROM api_keys k WHERE ",
            $condition
        )
    };
}

#[derive(FromRow)]
struct KeyRow {
    id: i64,
    key_id: String,
    business_id: i64,
    name: String,
    hash: Vec<u8>,
    scopes: Json<Vec<String>>,
    created_by: Option<Uuid>,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
}

impl KeyRow {
    fn read(self) -> Result<KeptKey, Failure> {
        let Json(scopes) = self.scopes;
        // A scope of another version gives nothing here.
        let scopes: BTreeSet<Capability> = scopes.iter().filter_map(|scope| scope.parse().ok()).collect();
        let key = ApiKey {
            id: self.key_id.parse().map_err(|_| Failure::unreadable("key_id"))?,
            business: BusinessId(self.business_id),
            hash: KeyHash(self.hash.try_into().map_err(|_| Failure::unreadable("hash"))?),
            scopes,
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
            last_used_at: self.last_used_at,
        };
        let KeyRow { id: row, name, created_by, created_at, .. } = self;
        Ok(KeptKey { row, key, name, created_by, created_at })
    }
}

impl Store {
    pub(super) async fn find_key(&self, id: KeyId) -> Result<Option<ApiKey>, Failure> {
        const SQL: &str = key_where!("k.key_id = $1");
        let row: Option<KeyRow> =
            on!(self.reader(), db => sqlx::query_as(SQL).bind(id.as_str()).fetch_optional(db).await)?;
        row.map(|row| row.read().map(|kept| kept.key)).transpose()
    }

    pub(super) async fn find_kept(&self, business: BusinessId, id: KeyId) -> Result<Option<KeptKey>, Failure> {
        const SQL: &str = key_where!("k.business_id = $1 AND k.key_id = $2");
        let row: Option<KeyRow> = on!(self.reader(), db => {
            sqlx::query_as(SQL).bind(business.0).bind(id.as_str()).fetch_optional(db).await
        })?;
        row.map(KeyRow::read).transpose()
    }

    pub(super) async fn add_key(&self, new: NewKey, record: Record) -> Result<(), Failure> {
        const SQL: &str = "INSERT INTO api_keys (key_id, business_id, name, hash, scopes, created_by, created_at, expires_at) \
            VALUES ($1, $2, $3, $4, $5, (SELECT uuid FROM users WHERE business_id = $2 AND id = $6), $7, $8)";
        let NewKey { key, name, created_by, at } = new;
        let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.name()).collect();
        let mut tx = self.writing().await?;
        on!(tx.connection(), db => sqlx::query(SQL)
            .bind(key.id.as_str())
            .bind(key.business.0)
            .bind(value::text(&name))
            .bind(key.hash.0.as_slice())
            .bind(Json(&scopes))
            .bind(created_by.map(|user| user.0))
            .bind(value::instant(at))
            .bind(key.expires_at.map(value::instant))
            .execute(db)
            .await
            .map(drop))?;
        audit::append(&mut tx, &audit::entry(&record)).await?;
        tx.commit().await
    }

    pub(super) async fn note_key(&self, id: KeyId, at: DateTime<Utc>) -> Result<(), Failure> {
        // Two processes note in any order: the later use stays.
        const SQL: &str =
            "UPDATE api_keys SET last_used_at = $2 WHERE key_id = $1 AND (last_used_at IS NULL OR last_used_at < $2)";
        let mut tx = self.writing().await?;
        let at = value::instant(at);
        on!(tx.connection(), db => sqlx::query(SQL).bind(id.as_str()).bind(at).execute(db).await.map(drop))?;
        tx.commit().await
    }

    pub(super) async fn list_keys(
        &self,
        business: BusinessId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<KeptKey>, Failure> {
        const SQL: &str = key_where!("k.business_id = $1 AND k.id < $2 ORDER BY k.id DESC LIMIT $3");
        let (before, limit) = (before.unwrap_or(i64::MAX), i64::from(limit));
        let rows: Vec<KeyRow> = on!(self.reader(), db => {
            sqlx::query_as(SQL).bind(business.0).bind(before).bind(limit).fetch_all(db).await
        })?;
        rows.into_iter().map(KeyRow::read).collect()
    }

    pub(super) async fn end_key(&self, business: BusinessId, id: KeyId, record: Record) -> Result<bool, Failure> {
        const SQL: &str =
            "UPDATE api_keys SET revoked_at = $3 WHERE business_id = $1 AND key_id = $2 AND revoked_at IS NULL";
        let mut tx = self.writing().await?;
        let at = value::instant(record.at);
        let ended = on!(tx.connection(), db => {
            let done = sqlx::query(SQL).bind(business.0).bind(id.as_str()).bind(at).execute(db).await;
            done.map(|done| done.rows_affected())
        })?;
        if ended == 0 {
            return Ok(false);
        }
        audit::append(&mut tx, &audit::entry(&record)).await?;
        tx.commit().await?;
        Ok(true)
    }
}
