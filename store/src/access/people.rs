//! Rows of users: listed, made, changed and removed. What is forbidden is decided by [`may_change`] on what the rows are in the transaction
//! that would make the change: of two owners who remove each other at once, one stays.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tandem_access::account::UserId;
use tandem_access::audit::Record;
use tandem_access::port::{NewPassword, NewUser, Peopled, Profile};
use tandem_access::role::{Change, Role, may_change};
use tandem_access::session::Session;
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::RowKey;
use uuid::Uuid;

use super::{UserRow, audit};
use crate::Store;
use crate::error::{Failure, UniqueKey};
use crate::sql::{Writing, on};
use crate::value;

macro_rules! profile_where {
    ($condition:literal) => {
        concat!(
            "SELECT id, business_id, role, disabled_at, password_changed_at, uuid, identifier, name, created_at, updated_at ",
            "FROM users WHERE business_id = $1 AND ",
            $condition
        )
    };
}

#[derive(FromRow)]
struct ProfileRow {
    #[sqlx(flatten)]
    user: UserRow,
    uuid: Uuid,
    identifier: String,
    name: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl ProfileRow {
    fn read(self) -> Result<Profile, Failure> {
        Ok(Profile {
            user: self.user.user()?,
            uuid: self.uuid,
            email: self.identifier.parse().map_err(|_| Failure::unreadable("identifier"))?,
            name: self.name,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// Why a transaction is left without its commit.
enum Stop {
    Failed(Failure),
    Told(Peopled<()>),
}

impl<E: Into<Failure>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

fn told<T>(done: Result<T, Stop>) -> Result<Peopled<T>, Failure> {
    match done {
        Ok(done) => Ok(Peopled::Done(done)),
        Err(Stop::Failed(failure)) => Err(failure),
        Err(Stop::Told(Peopled::Refused(refusal))) => Ok(Peopled::Refused(refusal)),
        Err(Stop::Told(Peopled::Taken)) => Ok(Peopled::Taken),
        Err(Stop::Told(Peopled::Raced | Peopled::Done(()))) => Ok(Peopled::Raced),
    }
}

/// Active owners of a business. Whoever asks has the business's people to themselves until their transaction is over: writers of one
/// business wait for each other at its row, which changes nothing in it.
async fn owners(tx: &mut Writing, business: BusinessId) -> Result<u32, Failure> {
    const LOCK: &str = "UPDATE businesses SET name = name WHERE id = $1";
    const COUNT: &str = "SELECT count(*) FROM users WHERE business_id = $1 AND role = 'owner' AND disabled_at IS NULL";
    on!(tx.connection(), db => sqlx::query(LOCK).bind(business.0).execute(db).await.map(drop))?;
    let count: i64 = on!(tx.connection(), db => sqlx::query_scalar(COUNT).bind(business.0).fetch_one(db).await)?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

fn permit(asker: Role, change: Change, owners: u32) -> Result<(), Stop> {
    may_change(asker, change, owners).map_err(|refusal| Stop::Told(Peopled::Refused(refusal)))
}

/// One address, one account, in all businesses.
const ADDRESSES: UniqueKey = UniqueKey { postgres: "users_identifier_key", sqlite: ": users.identifier" };

/// Writes a user; `None` where the address has an account by now.
pub(crate) async fn insert(tx: &mut Writing, user: &NewUser) -> Result<Option<UserId>, Failure> {
    const SQL: &str = "INSERT INTO users \
        (uuid, business_id, identifier, name, role, password_hash, password_changed_at, created_at, updated_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $7) RETURNING id";
    let at = value::instant(user.at);
    let made: Result<i64, _> = on!(tx.connection(), db => sqlx::query_scalar(SQL)
        .bind(user.uuid)
        .bind(user.business.0)
        .bind(user.email.as_str())
        .bind(value::text(&user.name))
        .bind(user.role.name())
        .bind(&user.password_hash)
        .bind(at)
        .fetch_one(db)
        .await);
    match made {
        Err(error) if ADDRESSES.is_taken(&error) => Ok(None),
        made => Ok(Some(UserId(made?))),
    }
}

/// Ends all sessions of a user.
async fn end_sessions(tx: &mut Writing, user: UserId, at: DateTime<Utc>) -> Result<(), Failure> {
    const SQL: &str = "UPDATE sessions SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL";
    let at = value::instant(at);
    Ok(on!(tx.connection(), db => sqlx::query(SQL).bind(user.0).bind(at).execute(db).await.map(drop))?)
}

/// Keeps a session that has just begun. The business is the user's own: a session cannot be put into another.
pub(super) async fn insert_session(tx: &mut Writing, session: &Session, business: BusinessId) -> Result<(), Failure> {
    const SQL: &str = "INSERT INTO sessions (uuid, business_id, user_id, generation, began_at, refreshed_at) \
        SELECT $1, business_id, id, $3, $4, $5 FROM users WHERE id = $2 AND business_id = $6";
    let begun = on!(tx.connection(), db => sqlx::query(SQL)
        .bind(session.id.0)
        .bind(session.user.0)
        .bind(i64::from(session.generation))
        .bind(value::instant(session.began_at))
        .bind(value::instant(session.refreshed_at))
        .bind(business.0)
        .execute(db)
        .await
        .map(|done| done.rows_affected()))?;
    if begun == 0 {
        return Err(Failure::refused("the session's user does not exist".to_owned()));
    }
    Ok(())
}

async fn set_password(tx: &mut Writing, user: UserId, password: &NewPassword) -> Result<(), Failure> {
    const SQL: &str = "UPDATE users SET password_hash = $2, password_changed_at = $3 WHERE id = $1";
    let at = value::instant(password.at);
    on!(tx.connection(), db => {
        sqlx::query(SQL).bind(user.0).bind(&password.hash).bind(at).execute(db).await.map(drop)
    })?;
    end_sessions(tx, user, password.at).await
}

/// Writes `next` over the row that is still as `seen`; whether it was.
async fn update(tx: &mut Writing, seen: &Profile, next: &Profile) -> Result<bool, Failure> {
    const SQL: &str = "UPDATE users SET name = $4, role = $5, disabled_at = $6, updated_at = $7 \
        WHERE id = $1 AND business_id = $2 AND updated_at = $3";
    let changed = on!(tx.connection(), db => sqlx::query(SQL)
        .bind(seen.user.id.0)
        .bind(seen.user.business.0)
        .bind(value::instant(seen.updated_at))
        .bind(value::text(&next.name))
        .bind(next.user.role.name())
        .bind(next.user.disabled_at.map(value::instant))
        .bind(value::instant(next.updated_at))
        .execute(db)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(changed == 1)
}

impl Store {
    pub(super) async fn list_users(
        &self,
        business: BusinessId,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Profile>, Failure> {
        const SQL: &str = profile_where!("id > $2 ORDER BY id LIMIT $3");
        let (after, limit) = (after.unwrap_or(0), i64::from(limit));
        let rows: Vec<ProfileRow> = on!(self.reader(), db => {
            sqlx::query_as(SQL).bind(business.0).bind(after).bind(limit).fetch_all(db).await
        })?;
        rows.into_iter().map(ProfileRow::read).collect()
    }

    pub(super) async fn find_user(&self, business: BusinessId, key: RowKey) -> Result<Option<Profile>, Failure> {
        const SQL: &str = profile_where!("(id = $2 OR uuid = $3 OR identifier = $4)");
        let (number, uuid, name) = match key {
            RowKey::Number(number) => (Some(number), None, None),
            RowKey::Uuid(uuid) => (None, Some(uuid), None),
            RowKey::Name(name) => (None, None, Some(value::text(&name.to_lowercase()).into_owned())),
        };
        let row: Option<ProfileRow> = on!(self.reader(), db => {
            sqlx::query_as(SQL).bind(business.0).bind(number).bind(uuid).bind(name).fetch_optional(db).await
        })?;
        row.map(ProfileRow::read).transpose()
    }

    pub(super) async fn make_user(
        &self,
        user: NewUser,
        asker: Role,
        record: Record,
    ) -> Result<Peopled<UserId>, Failure> {
        const TAKEN: &str = "SELECT count(*) FROM users WHERE identifier = $1";
        // Whoever manages people closes an interface that was open for want of them.
        const CLAIM: &str =
            "UPDATE installation SET administrator_since = COALESCE(administrator_since, $1) WHERE id = 1";
        let done = async {
            let mut tx = self.writing().await?;
            let owners = owners(&mut tx, user.business).await?;
            permit(asker, Change::Add { role: user.role }, owners)?;
            let email = user.email.as_str();
            let taken: i64 = on!(tx.connection(), db => sqlx::query_scalar(TAKEN).bind(email).fetch_one(db).await)?;
            if taken > 0 {
                return Err(Stop::Told(Peopled::Taken));
            }
            if user.role >= Role::Admin {
                let at = value::instant(user.at);
                let claimed = on!(tx.connection(), db => {
                    sqlx::query(CLAIM).bind(at).execute(db).await.map(|done| done.rows_affected())
                })?;
                if claimed == 0 {
                    // Else there would be an owner, and an interface that is open for want of one.
                    return Err(Failure::refused("the installation has no name yet".to_owned()).into());
                }
            }
            // The look above sees no account that another business is making just now.
            let Some(id) = insert(&mut tx, &user).await? else { return Err(Stop::Told(Peopled::Taken)) };
            audit::append(&mut tx, &audit::entry(&record)).await?;
            tx.commit().await?;
            Ok(id)
        };
        told(done.await)
    }

    pub(super) async fn edit_user(
        &self,
        seen: Profile,
        next: Profile,
        password: Option<NewPassword>,
        asker: Role,
        record: Record,
    ) -> Result<Peopled<()>, Failure> {
        let (from, to) = (seen.user.role, next.user.role);
        let done = async {
            let mut tx = self.writing().await?;
            // One who is disabled already is none of those who are counted.
            let owners =
                owners(&mut tx, seen.user.business).await?.saturating_add(u32::from(seen.user.disabled_at.is_some()));
            permit(asker, Change::Assign { from, to }, owners)?;
            let leaves = seen.user.disabled_at.is_none() && next.user.disabled_at.is_some();
            if leaves {
                permit(asker, Change::Remove { role: from }, owners)?;
            }
            if !update(&mut tx, &seen, &next).await? {
                return Err(Stop::Told(Peopled::Raced));
            }
            match &password {
                Some(password) => set_password(&mut tx, seen.user.id, password).await?,
                None if leaves => end_sessions(&mut tx, seen.user.id, record.at).await?,
                None => {}
            }
            audit::append(&mut tx, &audit::entry(&record)).await?;
            Ok(tx.commit().await?)
        };
        told(done.await)
    }

    pub(super) async fn replace_password(
        &self,
        seen: Profile,
        password: NewPassword,
        record: Record,
    ) -> Result<bool, Failure> {
        let next = Profile { updated_at: password.at, ..seen.clone() };
        let mut tx = self.writing().await?;
        if !update(&mut tx, &seen, &next).await? {
            return Ok(false);
        }
        set_password(&mut tx, seen.user.id, &password).await?;
        if let Some(session) = &password.session {
            insert_session(&mut tx, session, seen.user.business).await?;
        }
        audit::append(&mut tx, &audit::entry(&record)).await?;
        tx.commit().await?;
        Ok(true)
    }

    pub(super) async fn delete_user(&self, seen: Profile, asker: Role, record: Record) -> Result<Peopled<()>, Failure> {
        const SESSIONS: &str = "DELETE FROM sessions WHERE business_id = $2 AND user_id = $1";
        const USER: &str = "DELETE FROM users WHERE id = $1 AND business_id = $2 AND updated_at = $3";
        let (id, business) = (seen.user.id.0, seen.user.business);
        let done = async {
            let mut tx = self.writing().await?;
            let owners = owners(&mut tx, business).await?.saturating_add(u32::from(seen.user.disabled_at.is_some()));
            permit(asker, Change::Remove { role: seen.user.role }, owners)?;
            on!(tx.connection(), db => sqlx::query(SESSIONS).bind(id).bind(business.0).execute(db).await.map(drop))?;
            let at = value::instant(seen.updated_at);
            let gone = on!(tx.connection(), db => {
                let done = sqlx::query(USER).bind(id).bind(business.0).bind(at).execute(db).await;
                done.map(|done| done.rows_affected())
            })?;
            if gone == 0 {
                return Err(Stop::Told(Peopled::Raced));
            }
            audit::append(&mut tx, &audit::entry(&record)).await?;
            Ok(tx.commit().await?)
        };
        told(done.await)
    }

    pub(super) async fn sweep_sessions(&self, at: DateTime<Utc>, limit: u32) -> Result<u64, Failure> {
        use tandem_access::session::{IDLE_LIFE, WHOLE_LIFE};
        const SQL: &str = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions \
            WHERE revoked_at < $1 OR refreshed_at < $2 OR began_at < $3 ORDER BY id LIMIT $4)";
        let at = value::instant(at);
        let mut tx = self.writing().await?;
        let swept = on!(tx.connection(), db => sqlx::query(SQL)
            .bind(at)
            .bind(at - IDLE_LIFE)
            .bind(at - WHOLE_LIFE)
            .bind(i64::from(limit))
            .execute(db)
            .await
            .map(|done| done.rows_affected()))?;
        tx.commit().await?;
        Ok(swept)
    }
}
