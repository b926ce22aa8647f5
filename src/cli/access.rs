//! What `tandem business`, `user`, `key` and `agent` share: whose rows they work on, the database itself, since whoever can read it needs no
//! leave, and the record of what they did.
//!
//! They work beside a running server, which asks the database at each request, and before the first one: the first administrator may be made here
//! instead of by the link that is printed at start.

use clap::Subcommand;
use tandem_access::account::EmailError;
use tandem_access::api_key::{GrantError, KeyFormatError};
use tandem_access::audit::{Action, Changes, Origin, Record, Resource, Who};
use tandem_access::password::{PasswordError, PasswordRefusal};
use tandem_access::port::{AccessStore as _, BusinessRegister as _};
use tandem_access::role::{ChangeRefusal, UnknownCapability, UnknownRole};
use tandem_actors::clock;
use tandem_domain::business::NoName;
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{RowKey, StoreError};
use tandem_domain::zone::NoZone;
use tandem_store::Store;
use uuid::Uuid;

use super::CliError;
use crate::config::Config;
use crate::wiring;

/// Rows that are read at once.
pub(super) const PAGE: u32 = 100;

/// A command, and whose rows it works on.
#[derive(Debug, clap::Args)]
pub(super) struct Of<C: Subcommand> {
    #[command(flatten)]
    pub(super) whose: Whose,
    #[command(subcommand)]
    pub(super) command: C,
}

/// Whose rows a command works on.
#[derive(Debug, clap::Args)]
pub(super) struct Whose {
    /// The business, by name, number or UUID; `tandem business list` shows them [default: the first]
    #[arg(long, global = true, value_name = "NAME|NUMBER")]
    business: Option<String>,
}

impl Whose {
    /// The number of the business.
    pub(super) async fn find(&self, store: &Store) -> Result<BusinessId, AccessError> {
        let Some(named) = &self.business else { return Ok(BusinessId::FIRST) };
        let found = store.find_business(RowKey::parse(named.trim())).await?;
        found.map(|business| business.id).ok_or_else(|| AccessError::NoBusiness(named.clone()))
    }
}

/// Why businesses, people or keys cannot be changed as asked.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The database opened, and then did not answer.
    #[error("the database cannot be used: check DATABASE_URL and DATA_DIR")]
    Store(#[from] StoreError),
    /// No address.
    #[error(transparent)]
    Email(#[from] EmailError),
    /// No role.
    #[error(transparent)]
    Role(#[from] UnknownRole),
    /// No scope.
    #[error(transparent)]
    Scope(#[from] UnknownCapability),
    /// The password is not taken.
    #[error(transparent)]
    Password(#[from] PasswordRefusal),
    /// The two passwords are not one.
    #[error("the two passwords are not the same: type it again")]
    PasswordsDiffer,
    /// No password came.
    #[error("no password came: type it at the terminal, or send it as the first line of stdin")]
    NoPassword,
    /// The password cannot be kept.
    #[error(transparent)]
    Hash(#[from] PasswordError),
    /// The rules forbid it.
    #[error(transparent)]
    Refused(#[from] ChangeRefusal),
    /// One person has one account.
    #[error("{0} has an account already: `tandem user password` gives it another password")]
    Taken(String),
    /// Nobody is called so.
    #[error("there is no user {0:?}: `tandem user list` shows them")]
    NoUser(String),
    /// Somebody was faster.
    #[error("somebody else is changing this user: try again")]
    Raced,
    /// No business is called so.
    #[error("there is no business {0:?}: `tandem business list` shows them")]
    NoBusiness(String),
    /// No name.
    #[error(transparent)]
    BusinessName(#[from] NoName),
    /// No zone.
    #[error(transparent)]
    Zone(#[from] NoZone),
    /// The name is another's.
    #[error("there is a business {0:?}, whatever the case: choose another name")]
    BusinessTaken(String),
    /// The first business comes first.
    #[error(
        "nobody manages this installation yet: make its first owner with `tandem user add EMAIL --role owner`, then this business"
    )]
    NoAdministrator,
    /// Somebody was faster.
    #[error("somebody else is changing this business: try again")]
    BusinessRaced,
    /// The key cannot be made so.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// No key is called so.
    #[error("there is no key {0:?} that is still good: `tandem key list` shows them")]
    NoKey(String),
    /// A key's name is no line.
    #[error("a key's name is one line of 1 to 200 characters")]
    KeyName,
    /// What was given as the id of a key is none.
    #[error("a key is named by the 16 characters after tdm_, as `tandem key list` shows them")]
    KeyId(#[source] KeyFormatError),
    /// The end of a key's life cannot be read.
    #[error("{0:?} is no end of a key's life: write 90d, or an instant such as 2027-01-31T00:00:00Z")]
    Expiry(String),
}

/// The store, with a name for the installation, by which an interface knows that it has an administrator.
pub(super) async fn open(config: &Config) -> Result<Store, CliError> {
    let store = wiring::open_store(config).await?;
    store.installation(Uuid::now_v7()).await.map_err(AccessError::from)?;
    Ok(store)
}

/// What is written beside a change: the account of the machine, as far as the environment tells.
pub(super) fn record(business: BusinessId, action: Action, kind: &str, id: String, changes: Changes) -> Record {
    let account = std::env::var("USER").ok().filter(|name| !name.is_empty());
    let who = Who::Cli { account: account.map(|name| name.chars().filter(|c| !c.is_control()).take(64).collect()) };
    let resource = Resource { kind: kind.to_owned(), id };
    Record { at: clock::utc(), business, who, from: Origin::default(), action, resource, changes }
}

/// Lines in columns.
pub(super) fn table<const N: usize>(heads: [&str; N], rows: &[[String; N]]) -> String {
    let widths: [usize; N] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([heads[column].len()]).max().unwrap_or_default()
    });
    let line = |cells: [&str; N]| {
        let padded: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    let rows = rows.iter().map(|row| line(std::array::from_fn(|column| row[column].as_str())));
    [line(heads)].into_iter().chain(rows).collect()
}
