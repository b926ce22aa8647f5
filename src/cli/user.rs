//! `tandem user`: the people who may log in. For the first administrator, and for whoever has nobody left who could let them in.
//!
//! A password is never an argument: arguments are seen by everybody on the machine and kept by the shell.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use clap::Subcommand;
use console::Term;
use rand_core::{OsRng, TryRngCore as _};
use serde::Serialize;
use serde_json::json;
use tandem_access::account::Email;
use tandem_access::audit::{self, Action};
use tandem_access::password::{self, Cost, Hasher, Password};
use tandem_access::port::{AccessStore as _, NewPassword, NewUser, Peopled, Profile};
use tandem_access::role::Role;
use tandem_access::secret::Secret;
use tandem_actors::clock;
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{RowKey, StoreError};
use tandem_store::Store;
use uuid::Uuid;

use super::access::{AccessError, Of, PAGE, open, record, table};
use super::{CliError, Output};
use crate::config::Config;

const EXAMPLES: &str = "\
Examples:
  tandem user add asha@example.com --role owner --name \"Asha Rao\"     asks for the password
  tandem user add bot@example.com --role viewer < password.txt        takes it from the first line of stdin
  tandem user list --json
  tandem user list --business Acme                                    those of another business
  tandem user password asha@example.com                               ends all their log-ins";

#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum Command {
    /// Add somebody; the first of all is an owner. The password is asked for, or read from stdin.
    #[command(after_help = EXAMPLES)]
    Add {
        /// What they log in with
        email: String,
        /// viewer, operator, admin or owner
        #[arg(long, default_value = "viewer")]
        role: String,
        /// What they are called
        #[arg(long, default_value = "", hide_default_value = true)]
        name: String,
    },
    /// Show everybody.
    List,
    /// Give somebody another password and end all their log-ins; it is asked for, or read from stdin.
    Password {
        /// Their e-mail address, number or UUID
        user: String,
    },
}

/// A user as they are shown.
#[derive(Debug, Serialize)]
struct Shown {
    id: Uuid,
    number: i64,
    email: String,
    name: String,
    role: &'static str,
    disabled: bool,
}

impl From<Profile> for Shown {
    fn from(profile: Profile) -> Self {
        Self {
            id: profile.uuid,
            number: profile.user.id.0,
            email: profile.email.to_string(),
            name: profile.name,
            role: profile.user.role.name(),
            disabled: profile.user.disabled_at.is_some(),
        }
    }
}

pub(super) async fn run(asked: Of<Command>, config: Config, output: Output) -> Result<(), CliError> {
    let store = open(&config).await?;
    let done = answer(&store, asked, output).await;
    store.close().await;
    done
}

async fn answer(store: &Store, asked: Of<Command>, output: Output) -> Result<(), CliError> {
    let business = asked.whose.find(store).await?;
    match asked.command {
        Command::Add { email, role, name } => add(store, business, &email, &role, name.trim(), output).await,
        Command::List => list(store, business, output).await,
        Command::Password { user } => password(store, business, &user, output).await,
    }
}

async fn add(
    store: &Store,
    business: BusinessId,
    email: &str,
    role: &str,
    name: &str,
    output: Output,
) -> Result<(), CliError> {
    let email: Email = email.parse().map_err(AccessError::from)?;
    let role: Role = role.parse().map_err(AccessError::from)?;
    let password_hash = asked_and_hashed(&email, name).await?;
    let (uuid, at) = (Uuid::now_v7(), clock::utc());
    let after = json!({ "email": email, "name": name, "role": role, "disabled": false });
    let record = record(business, Action::Created, "user", uuid.to_string(), audit::changes(None, Some(&after)));
    let user = NewUser { uuid, business, email: email.clone(), name: name.to_owned(), role, password_hash, at };
    done(store.add_user(user, Role::Owner, record).await, &email)?;
    let shown = Shown::from(find(store, business, &uuid.to_string()).await?);
    output.result(&shown, |user| format!("{} may log in as {}", user.email, user.role))?;
    Ok(())
}

async fn list(store: &Store, business: BusinessId, output: Output) -> Result<(), CliError> {
    let mut users: Vec<Shown> = Vec::new();
    loop {
        let after = users.last().map(|user| user.number);
        let page = store.users(business, after, PAGE).await.map_err(AccessError::from)?;
        let full = page.len() == PAGE as usize;
        users.extend(page.into_iter().map(Shown::from));
        if !full {
            break;
        }
    }
    output.result(&users, |users| {
        let row = |user: &Shown| {
            let state = if user.disabled { "disabled" } else { "active" };
            [user.number.to_string(), user.email.clone(), user.role.to_owned(), state.to_owned(), user.name.clone()]
        };
        table(["NUMBER", "EMAIL", "ROLE", "STATE", "NAME"], &users.iter().map(row).collect::<Vec<_>>())
    })?;
    Ok(())
}

async fn password(store: &Store, business: BusinessId, user: &str, output: Output) -> Result<(), CliError> {
    let seen = find(store, business, user).await?;
    let hash = asked_and_hashed(&seen.email, &seen.name).await?;
    let at = clock::utc();
    let mut next = Profile { updated_at: at, ..seen.clone() };
    next.user.password_changed_at = at;
    let told = |profile: &Profile| json!({ "password": profile.user.password_changed_at });
    let changes = audit::changes(Some(&told(&seen)), Some(&told(&next)));
    let record = record(business, Action::Updated, "user", seen.uuid.to_string(), changes);
    let email = seen.email.clone();
    let password = NewPassword { hash, at, session: None };
    done(store.change_user(seen, next.clone(), Some(password), Role::Owner, record).await, &email)?;
    output.result(&Shown::from(next), |user| {
        format!("{} has another password, and is logged out everywhere", user.email)
    })?;
    Ok(())
}

async fn find(store: &Store, business: BusinessId, user: &str) -> Result<Profile, AccessError> {
    let found = store.user(business, RowKey::parse(user.trim())).await?;
    found.ok_or_else(|| AccessError::NoUser(user.to_owned()))
}

fn done<T>(outcome: Result<Peopled<T>, StoreError>, email: &Email) -> Result<T, AccessError> {
    match outcome? {
        Peopled::Done(done) => Ok(done),
        Peopled::Refused(refusal) => Err(refusal.into()),
        Peopled::Taken => Err(AccessError::Taken(email.to_string())),
        Peopled::Raced => Err(AccessError::Raced),
    }
}

/// Asks for a password, checks it and hashes it, off the threads that work for others.
pub(super) async fn asked_and_hashed(email: &Email, name: &str) -> Result<String, CliError> {
    let (email, name) = (email.clone(), name.to_owned());
    let work = move || -> Result<String, CliError> {
        let text = ask()?;
        let taken = Password::new(&text, &[email.name(), email.as_str(), &name]).map_err(AccessError::from)?;
        let hasher = Hasher::new(Cost::OWASP, &mut OsRng.unwrap_err()).map_err(AccessError::from)?;
        Ok(hasher.hash(&taken, &mut OsRng.unwrap_err()).map_err(AccessError::from)?)
    };
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// A password from the terminal, twice and without an echo, or from the first line of stdin.
fn ask() -> Result<Secret, CliError> {
    if !io::stdin().is_terminal() {
        // Room for a password that is too long by a little: it is refused as such, and not cut.
        let mut line = String::new();
        io::stdin().lock().take(password::MAX_BYTES as u64 + 16).read_line(&mut line)?;
        let text = line.trim_end_matches(['\r', '\n']);
        return if text.is_empty() { Err(AccessError::NoPassword.into()) } else { Ok(Secret::from(text)) };
    }
    let terminal = Term::stderr();
    let prompted = |prompt: &str| -> io::Result<Secret> {
        terminal.write_str(prompt)?;
        terminal.read_secure_line().map(Secret::new)
    };
    let first = prompted("Password, 15 characters or more: ")?;
    if first.expose().is_empty() {
        return Err(AccessError::NoPassword.into());
    }
    let second = prompted("The same again: ")?;
    if first.matches(second.expose()) { Ok(first) } else { Err(AccessError::PasswordsDiffer.into()) }
}
