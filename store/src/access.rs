//! Sessions and keys, and the first owner; who else there is is in `people`. Whether they may do something is decided in `tandem_access`; here are the rows.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tandem_access::account::{Email, SessionId, User, UserId};
use tandem_access::api_key::{ApiKey, KeyId};
use tandem_access::audit::Record;
use tandem_access::port::{
    AccessStore, Account, Installation, KeptKey, NewKey, NewPassword, NewUser, PastLogIn, Peopled, Profile, Proof,
    RecordFilter,
};
use tandem_access::role::Role;
use tandem_access::session::{Rotation, Session};
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{RowKey, StoreFuture};
use uuid::Uuid;

use crate::Store;
use crate::error::Failure;
use crate::sql::on;
use crate::value;

pub(crate) mod audit;
mod keys;
mod log_ins;
pub(crate) mod people;

#[derive(FromRow)]
struct UserRow {
    id: i64,
    business_id: i64,
    role: String,
    disabled_at: Option<DateTime<Utc>>,
    password_changed_at: DateTime<Utc>,
}

impl UserRow {
    fn user(self) -> Result<User, Failure> {
        Ok(User {
            id: UserId(self.id),
            business: BusinessId(self.business_id),
            role: self.role.parse().map_err(|_| Failure::unreadable("role"))?,
            disabled_at: self.disabled_at,
            password_changed_at: self.password_changed_at,
        })
    }
}

#[derive(FromRow)]
struct AccountRow {
    #[sqlx(flatten)]
    user: UserRow,
    uuid: Uuid,
    name: String,
    password_hash: String,
}

#[derive(FromRow)]
struct SessionRow {
    #[sqlx(flatten)]
    user: UserRow,
    session: Uuid,
    generation: i64,
    began_at: DateTime<Utc>,
    refreshed_at: DateTime<Utc>,
    revoked_at: Option<DateTime<Utc>>,
}

impl SessionRow {
    fn read(self) -> Result<(Session, User), Failure> {
        let user = self.user.user()?;
        let session = Session {
            id: SessionId(self.session),
            user: user.id,
            generation: u32::try_from(self.generation).map_err(|_| Failure::unreadable("generation"))?,
            began_at: self.began_at,
            refreshed_at: self.refreshed_at,
            revoked_at: self.revoked_at,
        };
        Ok((session, user))
    }
}

impl AccessStore for Store {
    fn installation(&self, fresh: Uuid) -> StoreFuture<'_, Installation> {
        const READ: &str = "SELECT uuid, administrator_since FROM installation WHERE id = 1";
        const MAKE: &str = "INSERT INTO installation (id, uuid) VALUES (1, $1) ON CONFLICT (id) DO NOTHING";
        self.answer(async move {
            let row = on!(self.reader(), db => sqlx::query_as(READ).fetch_optional(db).await)?;
            let (id, administrator_since) = match row {
                Some(row) => row,
                None => {
                    let mut tx = self.writing().await?;
                    on!(tx.connection(), db => sqlx::query(MAKE).bind(fresh).execute(db).await.map(drop))?;
                    let row = on!(tx.connection(), db => sqlx::query_as(READ).fetch_one(db).await)?;
                    tx.commit().await?;
                    row
                }
            };
            Ok(Installation { id, administrator_since })
        })
    }

    fn make_first_owner(&self, owner: NewUser, record: Record) -> StoreFuture<'_, Option<UserId>> {
        // The row is locked by the first of two, and the second finds nothing to change.
        const CLAIM: &str =
            "UPDATE installation SET administrator_since = $1 WHERE id = 1 AND administrator_since IS NULL";
        self.answer(async move {
            let mut tx = self.writing().await?;
            let at = value::instant(owner.at);
            let claimed = on!(tx.connection(), db => {
                sqlx::query(CLAIM).bind(at).execute(db).await.map(|done| done.rows_affected())
            })?;
            if claimed == 0 {
                return Ok(None);
            }
            let Some(id) = people::insert(&mut tx, &owner).await? else {
                return Err(Failure::refused(
                    "the address has an account, though there is no administrator".to_owned(),
                ));
            };
            audit::append(&mut tx, &audit::entry(&record)).await?;
            tx.commit().await?;
            Ok(Some(id))
        })
    }

    fn account(&self, email: Email) -> StoreFuture<'_, Option<Account>> {
        const SQL: &str = "SELECT id, business_id, role, disabled_at, password_changed_at, uuid, name, password_hash \
            FROM users WHERE identifier = $1";
        self.answer(async move {
            let email = value::text(email.as_str());
            let row: Option<AccountRow> =
                on!(self.reader(), db => sqlx::query_as(SQL).bind(&*email).fetch_optional(db).await)?;
            row.map(|row| {
                let AccountRow { user, uuid, name, password_hash } = row;
                Ok(Account { user: user.user()?, uuid, name, password_hash })
            })
            .transpose()
        })
    }

    fn begin_session(&self, session: Session, proof: Proof, record: Record) -> StoreFuture<'_, bool> {
        // The row stays locked until the session is there, so that a change of the password ends it with the others.
        const HOLDS: &str =
            "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL";
        self.answer(async move {
            let mut tx = self.writing().await?;
            let Proof { hash, rehashed } = proof;
            let next = rehashed.as_ref().unwrap_or(&hash);
            let held = on!(tx.connection(), db => {
                let done = sqlx::query(HOLDS).bind(session.user.0).bind(&hash).bind(next).execute(db).await;
                done.map(|done| done.rows_affected())
            })?;
            if held == 0 {
                return Ok(false);
            }
            people::insert_session(&mut tx, &session, record.business).await?;
            audit::append(&mut tx, &audit::entry(&record)).await?;
            tx.commit().await?;
            Ok(true)
        })
    }

    fn session(&self, id: SessionId) -> StoreFuture<'_, Option<(Session, User)>> {
        const SQL: &str = "SELECT u.id, u.business_id, u.role, u.disabled_at, u.password_changed_at, s.uuid AS session, s.generation, \
            s.began_at, s.refreshed_at, s.revoked_at \
            FROM sessions s JOIN users u ON u.business_id = s.business_id AND u.id = s.user_id WHERE s.uuid = $1";
        self.answer(async move {
            let row: Option<SessionRow> =
                on!(self.reader(), db => sqlx::query_as(SQL).bind(id.0).fetch_optional(db).await)?;
            row.map(SessionRow::read).transpose()
        })
    }

    fn rotate(&self, id: SessionId, rotation: Rotation, at: DateTime<Utc>) -> StoreFuture<'_, bool> {
        const SQL: &str = "UPDATE sessions SET generation = $2, refreshed_at = $3 \
            WHERE uuid = $1 AND generation = $2 - 1 AND revoked_at IS NULL";
        self.answer(async move {
            let mut tx = self.writing().await?;
            let rotated = on!(tx.connection(), db => sqlx::query(SQL)
                .bind(id.0)
                .bind(i64::from(rotation.generation))
                .bind(value::instant(at))
                .execute(db)
                .await
                .map(|done| done.rows_affected()))?;
            tx.commit().await?;
            Ok(rotated == 1)
        })
    }

    fn end_session(&self, id: SessionId, record: Record) -> StoreFuture<'_, bool> {
        const SQL: &str =
            "UPDATE sessions SET revoked_at = $2 WHERE uuid = $1 AND business_id = $3 AND revoked_at IS NULL";
        self.answer(async move {
            let mut tx = self.writing().await?;
            let ended = on!(tx.connection(), db => sqlx::query(SQL)
                .bind(id.0)
                .bind(value::instant(record.at))
                .bind(record.business.0)
                .execute(db)
                .await
                .map(|done| done.rows_affected()))?;
            if ended == 0 {
                return Ok(false);
            }
            audit::append(&mut tx, &audit::entry(&record)).await?;
            tx.commit().await?;
            Ok(true)
        })
    }

    fn forget_sessions(&self, at: DateTime<Utc>, limit: u32) -> StoreFuture<'_, u64> {
        self.answer(self.sweep_sessions(at, limit))
    }

    fn users(&self, business: BusinessId, after: Option<i64>, limit: u32) -> StoreFuture<'_, Vec<Profile>> {
        self.answer(self.list_users(business, after, limit))
    }

    fn user(&self, business: BusinessId, key: RowKey) -> StoreFuture<'_, Option<Profile>> {
        self.answer(self.find_user(business, key))
    }

    fn add_user(&self, user: NewUser, asker: Role, record: Record) -> StoreFuture<'_, Peopled<UserId>> {
        self.answer(self.make_user(user, asker, record))
    }

    fn change_user(
        &self,
        seen: Profile,
        next: Profile,
        password: Option<NewPassword>,
        asker: Role,
        record: Record,
    ) -> StoreFuture<'_, Peopled<()>> {
        self.answer(self.edit_user(seen, next, password, asker, record))
    }

    fn change_password(&self, seen: Profile, password: NewPassword, record: Record) -> StoreFuture<'_, bool> {
        self.answer(self.replace_password(seen, password, record))
    }

    fn remove_user(&self, seen: Profile, asker: Role, record: Record) -> StoreFuture<'_, Peopled<()>> {
        self.answer(self.delete_user(seen, asker, record))
    }

    fn key(&self, id: KeyId) -> StoreFuture<'_, Option<ApiKey>> {
        self.answer(self.find_key(id))
    }

    fn keep_key(&self, key: NewKey, record: Record) -> StoreFuture<'_, ()> {
        self.answer(self.add_key(key, record))
    }

    fn note_use(&self, id: KeyId, at: DateTime<Utc>) -> StoreFuture<'_, ()> {
        self.answer(self.note_key(id, at))
    }

    fn keys(&self, business: BusinessId, before: Option<i64>, limit: u32) -> StoreFuture<'_, Vec<KeptKey>> {
        self.answer(self.list_keys(business, before, limit))
    }

    fn kept_key(&self, business: BusinessId, id: KeyId) -> StoreFuture<'_, Option<KeptKey>> {
        self.answer(self.find_kept(business, id))
    }

    fn revoke_key(&self, business: BusinessId, id: KeyId, record: Record) -> StoreFuture<'_, bool> {
        self.answer(self.end_key(business, id, record))
    }

    fn log_ins_since(&self, since: DateTime<Utc>, limit: u32) -> StoreFuture<'_, Vec<PastLogIn>> {
        self.answer(self.past_log_ins(since, limit))
    }

    fn record(&self, record: Record) -> StoreFuture<'_, ()> {
        self.answer(async move {
            let mut tx = self.writing().await?;
            audit::append(&mut tx, &audit::entry(&record)).await?;
            tx.commit().await
        })
    }

    fn records_like(
        &self,
        business: BusinessId,
        filter: RecordFilter,
        before: Option<i64>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<(i64, Record)>> {
        self.answer(self.audit_records(business, filter, before, limit))
    }
}
