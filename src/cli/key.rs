//! `tandem key`: keys for programs.

use chrono::{DateTime, TimeDelta, Utc};
use clap::Subcommand;
use rand_core::{OsRng, TryRngCore as _};
use serde::Serialize;
use serde_json::json;
use tandem_access::api_key::{self, ApiKey, KeyId};
use tandem_access::audit::{self, Action};
use tandem_access::port::{AccessStore as _, KeptKey, NewKey};
use tandem_access::role::{Capability, Role, held_by};
use tandem_actors::clock;
use tandem_domain::ids::BusinessId;
use tandem_store::Store;

use super::access::{AccessError, Of, PAGE, open, record, table};
use super::{CliError, Output};
use crate::config::Config;

const EXAMPLES: &str = "\
Examples:
  tandem key make CRM --scope calls:read --scope settings:read --expires 90d
  tandem key make Prometheus --scope metrics:read        scrape /metrics with it as the bearer token
  tandem key make CRM --scope calls:read --business Acme  a key of another business
  tandem key list --json
  tandem key revoke 3kTMd9xvRrYw7QpL                      dead at once

The key is printed once, on stdout, and kept nowhere.";

#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum Command {
    /// Make a key and print it, this once.
    #[command(after_help = EXAMPLES)]
    Make {
        /// What it is for
        name: String,
        /// What it may do, such as calls:read; may be repeated
        #[arg(long, required = true, value_name = "SCOPE")]
        scope: Vec<String>,
        /// When it ends: 90d, or an instant such as 2027-01-31T00:00:00Z [default: never]
        #[arg(long, value_name = "WHEN")]
        expires: Option<String>,
    },
    /// Show what a key may be made for.
    Scopes,
    /// Show all keys, never their secrets.
    List,
    /// End a key, at once and for good.
    Revoke {
        /// The 16 characters after tdm_
        id: String,
    },
}

/// A key as it is shown.
#[derive(Debug, Serialize)]
struct Shown {
    id: String,
    name: String,
    scopes: Vec<&'static str>,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
}

impl From<&KeptKey> for Shown {
    fn from(kept: &KeptKey) -> Self {
        let key = &kept.key;
        Self {
            id: key.id.to_string(),
            name: kept.name.clone(),
            scopes: key.scopes.iter().map(|scope| scope.name()).collect(),
            created_at: kept.created_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            last_used_at: key.last_used_at,
        }
    }
}

/// A key that was just made.
#[derive(Debug, Serialize)]
struct Made {
    key: String,
    #[serde(flatten)]
    shown: Shown,
}

pub(super) async fn run(asked: Of<Command>, config: Config, output: Output) -> Result<(), CliError> {
    if let Command::Scopes = asked.command {
        let scopes = Capability::ALL.iter().filter(|scope| scope.is_for_keys()).map(|scope| scope.name());
        output.result(&scopes.collect::<Vec<_>>(), |scopes| scopes.join("\n"))?;
        return Ok(());
    }
    let store = open(&config).await?;
    let done = answer(&store, asked, output).await;
    store.close().await;
    done
}

async fn answer(store: &Store, asked: Of<Command>, output: Output) -> Result<(), CliError> {
    let business = asked.whose.find(store).await?;
    match asked.command {
        Command::Make { name, scope, expires } => make(store, business, name.trim(), &scope, expires, output).await,
        Command::List | Command::Scopes => list(store, business, output).await,
        Command::Revoke { id } => revoke(store, business, &id, output).await,
    }
}

async fn make(
    store: &Store,
    business: BusinessId,
    name: &str,
    scopes: &[String],
    expires: Option<String>,
    output: Output,
) -> Result<(), CliError> {
    if name.is_empty() || name.chars().count() > 200 || name.contains(char::is_control) {
        return Err(AccessError::KeyName.into());
    }
    let scopes = scopes.iter().map(|word| word.parse()).collect::<Result<_, _>>().map_err(AccessError::from)?;
    let at = clock::utc();
    let expires_at = expires.map(|text| expiry(&text, at)).transpose()?;
    api_key::may_grant(&held_by(Role::Owner), &scopes, expires_at, at).map_err(AccessError::from)?;
    let minted = api_key::mint(&mut OsRng.unwrap_err());
    let key =
        ApiKey { id: minted.id, business, hash: minted.hash, scopes, expires_at, revoked_at: None, last_used_at: None };
    let record =
        record(business, Action::Created, "api_key", key.id.to_string(), audit::changes(None, Some(&told(&key, name))));
    let kept = KeptKey { row: 0, key: key.clone(), name: name.to_owned(), created_by: None, created_at: at };
    let new = NewKey { key, name: name.to_owned(), created_by: None, at };
    store.keep_key(new, record).await.map_err(AccessError::from)?;
    output.say("This is the only time that the key is shown; keep it where secrets are kept.");
    output.result(&Made { key: minted.text.expose().to_owned(), shown: (&kept).into() }, |made| made.key.clone())?;
    Ok(())
}

/// `90d`, or an instant.
fn expiry(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, AccessError> {
    let wrong = || AccessError::Expiry(text.to_owned());
    if let Some(days) = text.strip_suffix('d') {
        let days = days.parse::<u16>().map_err(|_| wrong())?;
        return now.checked_add_signed(TimeDelta::days(days.into())).ok_or_else(wrong);
    }
    DateTime::parse_from_rfc3339(text).map(|at| at.to_utc()).map_err(|_| wrong())
}

/// What a record says of a key.
fn told(key: &ApiKey, name: &str) -> serde_json::Value {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.name()).collect();
    json!({ "name": name, "scopes": scopes, "expires_at": key.expires_at })
}

async fn list(store: &Store, business: BusinessId, output: Output) -> Result<(), CliError> {
    let (mut keys, mut before): (Vec<Shown>, Option<i64>) = (Vec::new(), None);
    loop {
        let page = store.keys(business, before, PAGE).await.map_err(AccessError::from)?;
        keys.extend(page.iter().map(Shown::from));
        match page.last() {
            Some(last) if page.len() == PAGE as usize => before = Some(last.row),
            _ => break,
        }
    }
    let now = clock::utc();
    output.result(&keys, |keys| {
        let row = |key: &Shown| {
            let state = match (key.revoked_at, key.expires_at) {
                (Some(_), _) => "revoked",
                (None, Some(at)) if at <= now => "expired",
                _ => "good",
            };
            let used = key.last_used_at.map_or_else(|| "never".to_owned(), |at| at.format("%F %H:%M").to_string());
            [key.id.clone(), state.to_owned(), used, key.scopes.join(","), key.name.clone()]
        };
        table(["KEY", "STATE", "LAST USED (UTC)", "SCOPES", "NAME"], &keys.iter().map(row).collect::<Vec<_>>())
    })?;
    Ok(())
}

async fn revoke(store: &Store, business: BusinessId, id: &str, output: Output) -> Result<(), CliError> {
    let text = id.trim().trim_start_matches("tdm_");
    let key: KeyId = text.parse().map_err(AccessError::KeyId)?;
    let missing = || AccessError::NoKey(text.to_owned());
    let kept = store.kept_key(business, key).await.map_err(AccessError::from)?.ok_or_else(missing)?;
    let changes = audit::changes(Some(&told(&kept.key, &kept.name)), None);
    let record = record(business, Action::Revoked, "api_key", key.to_string(), changes);
    let revoked = Shown { revoked_at: Some(record.at), ..Shown::from(&kept) };
    if !store.revoke_key(business, key, record).await.map_err(AccessError::from)? {
        return Err(missing().into());
    }
    output.result(&revoked, |key| format!("{} ({}) is refused from now on", key.id, key.name))?;
    Ok(())
}
