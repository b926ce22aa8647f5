//! Where accounts are kept: the port that the store fulfils. Methods are whole transactions, and a change is written with its record.
//!
//! The rows of [`crate::session`], [`crate::api_key`] and [`crate::audit`] come and go here; what may become of them is decided there. What
//! belongs to a business is asked for with it, but for what comes before a business is known: an e-mail address, a session, a key.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use tandem_domain::business::BusinessName;
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{Business, RowKey, StoreFuture};
use tandem_domain::zone::Zone;
use uuid::Uuid;

use crate::account::{Email, SessionId, User, UserId};
use crate::api_key::{ApiKey, KeyId};
use crate::audit::Record;
use crate::role::{ChangeRefusal, Role};
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

/// A user as others see them: without the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Who.
    pub user: User,
    /// Public id.
    pub uuid: Uuid,
    /// What they log in with.
    pub email: Email,
    /// What they are called.
    pub name: String,
    /// When they were made.
    pub created_at: DateTime<Utc>,
    /// When they were last changed: a change is made to the profile that its maker has seen, or not at all.
    pub updated_at: DateTime<Utc>,
}

/// What came of a change of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peopled<T> {
    /// It is made.
    Done(T),
    /// The rules forbid it, by what the rows were when it would have been made.
    Refused(ChangeRefusal),
    /// The e-mail address has an account already, in this business or another: one person has one account.
    Taken,
    /// Somebody has changed the user since they were seen, or they are gone.
    Raced,
}

/// A password that a person has chosen, and the sessions that it leaves.
#[derive(Debug, Clone)]
pub struct NewPassword {
    /// In PHC form.
    pub hash: String,
    /// When it was chosen. Sessions from before end with it.
    pub at: DateTime<Utc>,
    /// The session that begins with it, so that whoever changes their own password stays logged in where they did.
    pub session: Option<Session>,
}

/// A password that was just found to be right.
#[derive(Debug, Clone)]
pub struct Proof {
    /// The hash that it was held against, in PHC form.
    pub hash: String,
    /// A hash of it by today's costs, where that one's are too small.
    pub rehashed: Option<String>,
}

/// A log-in of before, as the record of changes tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastLogIn {
    /// Whose account.
    pub email: Email,
    /// From where.
    pub address: IpAddr,
    /// Whether the password was right.
    pub right: bool,
    /// How many failed before it, from anywhere, that have no record of their own.
    pub unrecorded: u32,
    /// When.
    pub at: DateTime<Utc>,
}

/// Which records are asked for; `None` is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordFilter {
    /// What was done, by its name: `created`, `log_in_refused`.
    pub action: Option<String>,
    /// What kind of thing it was done to: `user`.
    pub kind: Option<String>,
    /// Which one, by the id that its record has.
    pub id: Option<String>,
    /// From then on.
    pub from: Option<DateTime<Utc>>,
    /// Before then.
    pub until: Option<DateTime<Utc>>,
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
    /// Public id of whoever made it, though they may be gone since; `None` for the command line.
    pub created_by: Option<Uuid>,
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

    /// Keeps a session that has just begun, **if the account still has the password that began it** and is not disabled; `false` where somebody
    /// was faster: checking a password takes a while, and whoever is changing it means to keep others out.
    fn begin_session(&self, session: Session, proof: Proof, record: Record) -> StoreFuture<'_, bool>;

    /// A session and its user as they are now.
    fn session(&self, id: SessionId) -> StoreFuture<'_, Option<(Session, User)>>;

    /// Goes on with a session, **if it still has the generation before this one** and was not ended; `false` means that two came at once.
    fn rotate(&self, id: SessionId, rotation: Rotation, at: DateTime<Utc>) -> StoreFuture<'_, bool>;

    /// Ends a session; `false` where it was ended before. Only then is nothing recorded.
    fn end_session(&self, id: SessionId, record: Record) -> StoreFuture<'_, bool>;

    /// Forgets sessions that ended before `at`, by a log-out or by their age; at most `limit`, and says how many.
    fn forget_sessions(&self, at: DateTime<Utc>, limit: u32) -> StoreFuture<'_, u64>;

    /// Users of a business, oldest first, from after a row on.
    fn users(&self, business: BusinessId, after: Option<i64>, limit: u32) -> StoreFuture<'_, Vec<Profile>>;

    /// A user of a business by number, UUID or e-mail address.
    fn user(&self, business: BusinessId, key: RowKey) -> StoreFuture<'_, Option<Profile>>;

    /// Makes a user, if `asker` may ([`crate::role::may_change`]). The first of a business is its owner, and where there was no administrator
    /// there is one from then on.
    fn add_user(&self, user: NewUser, asker: Role, record: Record) -> StoreFuture<'_, Peopled<UserId>>;

    /// Makes `seen` into `next` (name, role, whether disabled), if nobody was faster and `asker` may. With a password, and where they are
    /// disabled, all their sessions end.
    fn change_user(
        &self,
        seen: Profile,
        next: Profile,
        password: Option<NewPassword>,
        asker: Role,
        record: Record,
    ) -> StoreFuture<'_, Peopled<()>>;

    /// A person's own change of their password; `false` where it is another one than `seen` knows by now. All their sessions end but the
    /// one that begins with it.
    fn change_password(&self, seen: Profile, password: NewPassword, record: Record) -> StoreFuture<'_, bool>;

    /// Deletes a user with their sessions, if nobody was faster and `asker` may. The keys that they made stay: they are the business's.
    fn remove_user(&self, seen: Profile, asker: Role, record: Record) -> StoreFuture<'_, Peopled<()>>;

    /// A key by its public name.
    fn key(&self, id: KeyId) -> StoreFuture<'_, Option<ApiKey>>;

    /// Keeps a new key.
    fn keep_key(&self, key: NewKey, record: Record) -> StoreFuture<'_, ()>;

    /// Notes that a key was used.
    fn note_use(&self, id: KeyId, at: DateTime<Utc>) -> StoreFuture<'_, ()>;

    /// Keys of a business, newest first, from before a row on.
    fn keys(&self, business: BusinessId, before: Option<i64>, limit: u32) -> StoreFuture<'_, Vec<KeptKey>>;

    /// One key of a business.
    fn kept_key(&self, business: BusinessId, id: KeyId) -> StoreFuture<'_, Option<KeptKey>>;

    /// Ends a key of a business; `false` where it has none such, or it was ended before.
    fn revoke_key(&self, business: BusinessId, id: KeyId, record: Record) -> StoreFuture<'_, bool>;

    /// The newest `limit` log-ins since then, to any business, oldest first: what the lock-out knew before a restart.
    fn log_ins_since(&self, since: DateTime<Utc>, limit: u32) -> StoreFuture<'_, Vec<PastLogIn>>;

    /// Records what changes no row of these: a log-in that failed.
    fn record(&self, record: Record) -> StoreFuture<'_, ()>;

    /// The records of a business that a filter asks for, with their row numbers, newest first, from before a row on.
    fn records_like(
        &self,
        business: BusinessId,
        filter: RecordFilter,
        before: Option<i64>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<(i64, Record)>>;

    /// All records of a business, as [`AccessStore::records_like`].
    fn records(&self, business: BusinessId, before: Option<i64>, limit: u32) -> StoreFuture<'_, Vec<(i64, Record)>> {
        self.records_like(business, RecordFilter::default(), before, limit)
    }
}

/// A business to be made.
#[derive(Debug, Clone)]
pub struct NewBusiness {
    /// Public id.
    pub uuid: Uuid,
    /// What it is called.
    pub name: BusinessName,
    /// Where its days begin; `None` for the server's zone.
    pub zone: Option<Zone>,
    /// When.
    pub at: DateTime<Utc>,
}

/// What came of making a business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Founded {
    /// It is made, with its owner.
    Done(BusinessId),
    /// Another business has the name.
    NameTaken,
    /// The owner's e-mail address has an account already: one person has one account.
    AddressTaken,
    /// Nobody manages this installation yet. An owner of another business would close the first one to whoever is to set it up.
    NoAdministrator,
}

/// All businesses, for whoever is above them: the command line. What a business sees of itself is `BusinessBook`.
pub trait BusinessRegister: Send + Sync {
    /// A business by number, UUID or name (case-insensitive).
    fn find_business(&self, key: RowKey) -> StoreFuture<'_, Option<Business>>;

    /// Businesses, oldest first, from after a row on.
    fn businesses(&self, after: Option<BusinessId>, limit: u32) -> StoreFuture<'_, Vec<Business>>;

    /// Makes a business and its first owner. The number of the new one stands in for the business that `owner` and `records` name.
    fn add_business(&self, business: NewBusiness, owner: NewUser, records: Vec<Record>) -> StoreFuture<'_, Founded>;
}
