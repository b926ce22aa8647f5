//! `tandem business`: who shares this server. A business is made here and not over the interface, where nobody stands above the businesses.
//!
//! Each has its own agents, numbers, limits, people and keys; `--business` of `tandem user`, `tandem key` and `tandem agent` names one.

use clap::Subcommand;
use serde_json::json;
use tandem_access::account::Email;
use tandem_access::audit::{self, Action};
use tandem_access::port::{BusinessRegister as _, Founded, NewBusiness, NewUser};
use tandem_access::role::Role;
use tandem_actors::clock;
use tandem_domain::business::{BusinessChange, BusinessName};
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{Business, BusinessBook as _, Change, KeptBusiness, RowKey};
use tandem_domain::zone::Zone;
use tandem_store::Store;
use uuid::Uuid;

use super::access::{AccessError, PAGE, open, record, table};
use super::user::asked_and_hashed;
use super::{CliError, Output};
use crate::config::Config;

const EXAMPLES: &str = "\
Examples:
  tandem business add Acme --owner bela@example.com --time-zone Asia/Kolkata     asks for the owner's password
  tandem business add Acme --owner bela@example.com < password.txt             takes it from the first line of stdin
  tandem business list --json
  tandem business rename Acme \"Acme Homes\"
  tandem agent apply asha.toml --business Acme                                 its first agent";

#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum Command {
    /// Add a business and its first owner, whose password is asked for, or read from stdin.
    #[command(after_help = EXAMPLES)]
    Add {
        /// What it is called; no two have one name
        name: String,
        /// E-mail address that its owner logs in with
        #[arg(long, value_name = "EMAIL")]
        owner: String,
        /// Where its days begin, such as Asia/Kolkata [default: the server's zone]
        #[arg(long, value_name = "ZONE")]
        time_zone: Option<String>,
    },
    /// Show all businesses.
    List,
    /// Give a business another name.
    Rename {
        /// Its name, number or UUID
        business: String,
        /// What it shall be called
        name: String,
    },
}

pub(super) async fn run(command: Command, config: Config, output: Output) -> Result<(), CliError> {
    let store = open(&config).await?;
    let done = match command {
        Command::Add { name, owner, time_zone } => add(&store, &name, &owner, time_zone.as_deref(), output).await,
        Command::List => list(&store, output).await,
        Command::Rename { business, name } => rename(&store, &business, &name, output).await,
    };
    store.close().await;
    done
}

async fn add(store: &Store, name: &str, owner: &str, zone: Option<&str>, output: Output) -> Result<(), CliError> {
    let name: BusinessName = name.parse().map_err(AccessError::from)?;
    let email: Email = owner.parse().map_err(AccessError::from)?;
    let zone: Option<Zone> = zone.map(str::parse).transpose().map_err(AccessError::from)?;
    // Before a password is asked for; the store looks again when it writes.
    if find(store, name.as_str()).await.is_ok() {
        return Err(AccessError::BusinessTaken(name.to_string()).into());
    }
    let password_hash = asked_and_hashed(&email, "").await?;
    let at = clock::utc();
    let business = NewBusiness { uuid: Uuid::now_v7(), name: name.clone(), zone, at };
    let owner = NewUser {
        uuid: Uuid::now_v7(),
        business: BusinessId::FIRST, // until the new one has a number
        email: email.clone(),
        name: String::new(),
        role: Role::Owner,
        password_hash,
        at,
    };
    let created = |kind: &str, id: Uuid, after: serde_json::Value| {
        record(owner.business, Action::Created, kind, id.to_string(), audit::changes(None, Some(&after)))
    };
    let records = vec![
        created("business", business.uuid, json!({ "name": name.as_str(), "time_zone": zone.map(Zone::name) })),
        created("user", owner.uuid, json!({ "email": email, "name": "", "role": owner.role, "disabled": false })),
    ];
    let id = match store.add_business(business, owner, records).await.map_err(AccessError::from)? {
        Founded::Done(id) => id,
        Founded::NameTaken => return Err(AccessError::BusinessTaken(name.to_string()).into()),
        Founded::AddressTaken => return Err(AccessError::Taken(email.to_string()).into()),
        Founded::NoAdministrator => return Err(AccessError::NoAdministrator.into()),
    };
    let made = find(store, &id.0.to_string()).await?;
    output.result(&made, |made| format!("{} is business {}; {email} may log in as its owner", made.name, made.id.0))?;
    Ok(())
}

async fn list(store: &Store, output: Output) -> Result<(), CliError> {
    let mut all: Vec<Business> = Vec::new();
    loop {
        let page = store.businesses(all.last().map(|last| last.id), PAGE).await.map_err(AccessError::from)?;
        let full = page.len() == PAGE as usize;
        all.extend(page);
        if !full {
            break;
        }
    }
    output.result(&all, |all| {
        let row = |business: &Business| {
            let zone = business.time_zone.clone().unwrap_or_else(|| "the server's".to_owned());
            [business.id.0.to_string(), zone, business.uuid.to_string(), business.name.clone()]
        };
        table(["NUMBER", "TIME ZONE", "UUID", "NAME"], &all.iter().map(row).collect::<Vec<_>>())
    })?;
    Ok(())
}

async fn rename(store: &Store, business: &str, name: &str, output: Output) -> Result<(), CliError> {
    let name: BusinessName = name.parse().map_err(AccessError::from)?;
    let seen = find(store, business).await?;
    let next = BusinessChange::renamed(name.clone()).on(seen.clone());
    let changed = |kept: &Business| format!("business {} is called {}", kept.id.0, kept.name);
    if next == seen {
        return Ok(output.result(&seen, changed)?);
    }
    let changes = audit::changes(Some(&json!(seen)), Some(&json!(next)));
    let record = record(seen.id, Action::Updated, "business", seen.uuid.to_string(), changes);
    let change = Change { by: "cli".to_owned(), at: record.at, audit: (&record).into() };
    match store.set_business(next, change).await.map_err(AccessError::from)? {
        KeptBusiness::Done(kept) => Ok(output.result(&kept, changed)?),
        KeptBusiness::NameTaken => Err(AccessError::BusinessTaken(name.to_string()).into()),
        KeptBusiness::Raced => Err(AccessError::BusinessRaced.into()),
    }
}

async fn find(store: &Store, business: &str) -> Result<Business, AccessError> {
    let found = store.find_business(RowKey::parse(business.trim())).await?;
    found.ok_or_else(|| AccessError::NoBusiness(business.to_owned()))
}
