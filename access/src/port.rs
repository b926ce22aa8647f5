//! Where accounts are kept: the port that the store fulfils. Methods are whole transactions, and a change is written with its record.
//!
//! The rows of [`crate::session`], [`crate::api_key`] and [`crate::audit`] come and go here; what may become of them is decided there. What
//! belongs to a business is asked for with it, but for what comes before a business is known: an e-mail address, a session, a key.

use chrono::{DateTime, Utc};
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::StoreFuture;
use uuid::Uuid;

use crate::account::{Email, SessionId, User, UserId};
use crate::api_key::{ApiKey, KeyId};
use crate::audit::Record;
use crate::role::Role;
use crate::session::{Rotation, Session};

/// This installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Installation {
    /// What its tokens are issued by.
    pub id: Uuid,
    /// Since when there is an administrator, if there is one.
    pub administrator_since: Option<DateTime<Utc>>,
}

/// A user to be made.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Public id.
    pub uuid: Uuid,
    /// Whose rows they will see.
    pub business: BusinessId,
    /// What they log in with.
    pub email: Email,
    /// What they are called.
    pub name: String,
    /// As what.
    pub role: Role,
    /// Their password in PHC form.
    pub password_hash: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// A user as a log-in needs them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Who.
    pub user: User,
    /// Public id.
    pub uuid: Uuid,
    /// What they are called.
    pub name: String,
    /// Their password in PHC form.
    pub password_hash: String,
}

/// A key to be kept.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// The key.
    pub key: ApiKey,
    /// What its maker calls it.
    pub name: String,
    /// Who made it; `None` for the command line.
    pub created_by: Option<UserId>,
    /// When.
    pub at: DateTime<Utc>,
}

/// A key as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptKey {
    /// Row number, by which lists go on.
    pub row: i64,
    /// The key.
    pub key: ApiKey,
    /// What its maker calls it.
    pub name: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Users, sessions, keys, and the record of changes.
pub trait AccessStore: Send + Sync {
    /// This installation; the first time, it is the one called `fresh`.
    fn installation(&self, fresh: Uuid) -> StoreFuture<'_, Installation>;

    /// Makes the first administrator, **if there is none**; `None` if there is one, whoever was faster.
    fn make_first_owner(&self, owner: NewUser, record: Record) -> StoreFuture<'_, Option<UserId>>;

    /// The user of an e-mail address.
    fn account(&self, email: Email) -> StoreFuture<'_, Option<Account>>;

    /// Keeps a session that has just begun, and a new hash of the password that began it, where there is one.
    fn begin_session(&self, session: Session, rehashed: Option<String>, record: Record) -> StoreFuture<'_, ()>;

    /// A session and its user as they are now.
    fn session(&self, id: SessionId) -> StoreFuture<'_, Option<(Session, User)>>;

    /// Goes on with a session, **if it still has the generation before this one** and was not ended; `false` means that two came at once.
    fn rotate(&self, id: SessionId, rotation: Rotation, at: DateTime<Utc>) -> StoreFuture<'_, bool>;

    /// Ends a session; `false` where it was ended before. Only then is nothing recorded.
    fn end_session(&self, id: SessionId, record: Record) -> StoreFuture<'_, bool>;

    /// A key by its public name.
    fn key(&self, id: KeyId) -> StoreFuture<'_, Option<ApiKey>>;

    /// Keeps a new key.
    fn keep_key(&self, key: NewKey, record: Record) -> StoreFuture<'_, ()>;

    /// Notes that a key was used.
    fn note_use(&self, id: KeyId, at: DateTime<Utc>) -> StoreFuture<'_, ()>;

    /// Keys of a business, newest first, from before a row on.
    fn keys(&self, business: BusinessId, before: Option<i64>, limit: u32) -> StoreFuture<'_, Vec<KeptKey>>;

    /// Ends a key of a business; `false` where it has none such, or it was ended before.
    fn revoke_key(&self, business: BusinessId, id: KeyId, record: Record) -> StoreFuture<'_, bool>;

    /// Records what changes no row of these: a log-in that failed.
    fn record(&self, record: Record) -> StoreFuture<'_, ()>;

    /// The records of a business with their row numbers, newest first, from before a row on.
    fn records(&self, business: BusinessId, before: Option<i64>, limit: u32) -> StoreFuture<'_, Vec<(i64, Record)>>;
}
