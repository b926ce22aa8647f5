//! Rows of businesses: what one sees of itself, and the register of all, which is the command line's. Their limits are in `limits`; both are
//! columns of one row and share its revision, so an editor of either is told of the other.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tandem_access::audit::Record;
use tandem_access::port::{BusinessRegister, Founded, NewBusiness, NewUser};
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{Business, BusinessBook, Change, KeptBusiness, RowKey, StoreFuture};
use uuid::Uuid;

use crate::Store;
use crate::access::{audit, people};
use crate::error::{Failure, UniqueKey};
use crate::sql::{Writing, on};
use crate::value;

macro_rules! business_where {
    ($condition:literal) => {
        concat!("SELECT id, uuid, name, time_zone, created_at, revision FROM businesses WHERE ", $condition)
    };
}

const OF_ID: &str = business_where!("id = $1");

/// One name, one business, whatever the case.
const NAMES: UniqueKey = UniqueKey { postgres: "businesses_name_key", sqlite: ": businesses.name_key" };

#[derive(FromRow)]
struct BusinessRow {
    id: i64,
    uuid: Uuid,
    name: String,
    time_zone: Option<String>,
    created_at: DateTime<Utc>,
    revision: i64,
}

impl From<BusinessRow> for Business {
    fn from(row: BusinessRow) -> Self {
        let BusinessRow { id, uuid, name, time_zone, created_at, revision } = row;
        Self { id: BusinessId(id), uuid, name, time_zone, created_at, revision }
    }
}

fn key_of(name: &str) -> String {
    value::text(&name.to_lowercase()).into_owned()
}

/// Writes a row; `None` where another business has the name.
async fn insert(tx: &mut Writing, business: &NewBusiness) -> Result<Option<BusinessId>, Failure> {
    const SQL: &str = "INSERT INTO businesses (uuid, name, name_key, time_zone, created_at, updated_at) \
        VALUES ($1, $2, $3, $4, $5, $5) RETURNING id";
    let name = business.name.as_str();
    let made: Result<i64, _> = on!(tx.connection(), db => sqlx::query_scalar(SQL)
        .bind(business.uuid)
        .bind(value::text(name))
        .bind(key_of(name))
        .bind(business.zone.map(|zone| zone.name()))
        .bind(value::instant(business.at))
        .fetch_one(db)
        .await);
    match made {
        Err(error) if NAMES.is_taken(&error) => Ok(None),
        made => Ok(Some(BusinessId(made?))),
    }
}

impl Store {
    async fn find_own(&self, business: BusinessId) -> Result<Option<Business>, Failure> {
        let row: Option<BusinessRow> =
            on!(self.reader(), db => sqlx::query_as(OF_ID).bind(business.0).fetch_optional(db).await)?;
        Ok(row.map(Business::from))
    }

    async fn keep_business(&self, wanted: Business, change: Change) -> Result<KeptBusiness, Failure> {
        const SQL: &str = "UPDATE businesses SET name = $3, name_key = $4, time_zone = $5, updated_at = $6, revision = revision + 1 \
            WHERE id = $1 AND revision = $2";
        let mut tx = self.writing().await?;
        let kept = on!(tx.connection(), db => sqlx::query(SQL)
            .bind(wanted.id.0)
            .bind(wanted.revision)
            .bind(value::text(&wanted.name))
            .bind(key_of(&wanted.name))
            .bind(wanted.time_zone.as_deref().map(value::text))
            .bind(value::instant(change.at))
            .execute(db)
            .await
            .map(|done| done.rows_affected()));
        match kept {
            Err(error) if NAMES.is_taken(&error) => return Ok(KeptBusiness::NameTaken),
            kept => {
                if kept? == 0 {
                    return Ok(KeptBusiness::Raced);
                }
            }
        }
        audit::append(&mut tx, &change.audit).await?;
        let row: BusinessRow = on!(tx.connection(), db => sqlx::query_as(OF_ID).bind(wanted.id.0).fetch_one(db).await)?;
        tx.commit().await?;
        Ok(KeptBusiness::Done(row.into()))
    }

    async fn found_business(
        &self,
        business: NewBusiness,
        owner: NewUser,
        records: Vec<Record>,
    ) -> Result<Founded, Failure> {
        const ADMINISTERED: &str = "SELECT count(*) FROM installation WHERE administrator_since IS NOT NULL";
        let mut tx = self.writing().await?;
        let administered: i64 = on!(tx.connection(), db => sqlx::query_scalar(ADMINISTERED).fetch_one(db).await)?;
        if administered == 0 {
            return Ok(Founded::NoAdministrator);
        }
        let Some(id) = insert(&mut tx, &business).await? else { return Ok(Founded::NameTaken) };
        let owner = NewUser { business: id, ..owner };
        if people::insert(&mut tx, &owner).await?.is_none() {
            return Ok(Founded::AddressTaken);
        }
        for record in records {
            audit::append(&mut tx, &audit::entry(&Record { business: id, ..record })).await?;
        }
        tx.commit().await?;
        Ok(Founded::Done(id))
    }
}

impl BusinessBook for Store {
    fn business(&self, business: BusinessId) -> StoreFuture<'_, Option<Business>> {
        self.answer(self.find_own(business))
    }

    fn set_business(&self, wanted: Business, change: Change) -> StoreFuture<'_, KeptBusiness> {
        self.answer(self.keep_business(wanted, change))
    }
}

impl BusinessRegister for Store {
    fn find_business(&self, key: RowKey) -> StoreFuture<'_, Option<Business>> {
        const SQL: &str = business_where!("id = $1 OR uuid = $2 OR name_key = $3");
        self.answer(async move {
            let (number, uuid, name) = match key {
                RowKey::Number(number) => (Some(number), None, None),
                RowKey::Uuid(uuid) => (None, Some(uuid), None),
                RowKey::Name(name) => (None, None, Some(key_of(&name))),
            };
            let row: Option<BusinessRow> = on!(self.reader(), db => {
                sqlx::query_as(SQL).bind(number).bind(uuid).bind(name).fetch_optional(db).await
            })?;
            Ok(row.map(Business::from))
        })
    }

    fn businesses(&self, after: Option<BusinessId>, limit: u32) -> StoreFuture<'_, Vec<Business>> {
        const SQL: &str = business_where!("id > $1 ORDER BY id LIMIT $2");
        self.answer(async move {
            let after = after.map_or(0, |after| after.0);
            let rows: Vec<BusinessRow> = on!(self.reader(), db => {
                sqlx::query_as(SQL).bind(after).bind(i64::from(limit)).fetch_all(db).await
            })?;
            Ok(rows.into_iter().map(Business::from).collect())
        })
    }

    fn add_business(&self, business: NewBusiness, owner: NewUser, records: Vec<Record>) -> StoreFuture<'_, Founded> {
        self.answer(self.found_business(business, owner, records))
    }
}
