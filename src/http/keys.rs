//! Keys for programs: which there are, new ones, and the end of one.
//!
//! ```text
//! GET    /api/keys        a page of them, never their secrets     POST /api/keys  {name, scopes, expires_at}  ─► 201, the key itself: this once
//! GET    /api/keys/{id}   one                                     DELETE /api/keys/{id}  ─► 204, dead at once
//! ```
//!
//! Admins and owners alone, and people alone: a stolen key makes no second key. Nobody gives a key what they do not have
//! ([`tandem_access::api_key::may_grant`]). A key that was revoked stays in the list, so that its name in the record of changes means something.

use std::collections::BTreeSet;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use rand_core::{OsRng, TryRngCore as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tandem_access::api_key::{self, ApiKey, GrantError, KeyId};
use tandem_access::audit::{self, Action};
use tandem_access::policy::Principal;
use tandem_access::port::{KeptKey, NewKey};
use tandem_access::role::{Capability, held_by};
use tandem_actors::clock;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Surface;
use super::asking::Asking;
use super::body;
use super::guard::Tenant;
use super::page::{self, Page};
use super::problem::Problem;
use super::turns::PageQuery;
use super::users;

/// The most scopes that a request may name; there are not half as many.
const MAX_SCOPES: usize = 64;

/// A key as lists show it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(super) struct Shown {
    /// Its public part, the 16 characters after `tdm_`.
    id: String,
    #[serde(skip)]
    row: i64,
    name: String,
    /// What it may do.
    scopes: Vec<&'static str>,
    /// UUID of whoever made it; `null` for the command line, and for a user who is gone.
    created_by: Option<Uuid>,
    created_at: DateTime<Utc>,
    /// `null`: never by itself.
    expires_at: Option<DateTime<Utc>>,
    /// Since when it is dead.
    revoked_at: Option<DateTime<Utc>>,
    /// To the minute.
    last_used_at: Option<DateTime<Utc>>,
}

impl From<KeptKey> for Shown {
    fn from(kept: KeptKey) -> Self {
        let KeptKey { row, key, name, created_by, created_at } = kept;
        Self {
            id: key.id.to_string(),
            row,
            name,
            scopes: key.scopes.iter().map(|scope| scope.name()).collect(),
            created_by,
            created_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            last_used_at: key.last_used_at,
        }
    }
}

/// A key to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewApiKey)]
pub(super) struct Make {
    /// What it is for, in a line.
    name: String,
    /// What it may do, such as `calls:read`.
    scopes: Vec<String>,
    /// From when on it is refused; without one, never by itself.
    expires_at: Option<DateTime<Utc>>,
}

/// A key that was just made.
#[derive(Serialize, ToSchema)]
#[schema(as = MadeApiKey)]
pub(super) struct Made {
    /// For `Authorization: Bearer …`. It is shown this once: nobody can read it again.
    key: String,
    #[serde(flatten)]
    shown: Shown,
}

fn scopes(words: &[String]) -> Result<BTreeSet<Capability>, Problem> {
    if words.len() > MAX_SCOPES {
        return Err(Problem::invalid("/scopes", "these are more scopes than there are"));
    }
    let read = |(at, word): (usize, &String)| {
        word.parse().map_err(|error: tandem_access::role::UnknownCapability| {
            Problem::invalid(&format!("/scopes/{at}"), error.to_string())
        })
    };
    words.iter().enumerate().map(read).collect()
}

fn of_grant(error: GrantError) -> Problem {
    match error {
        GrantError::NotYours(_) => Problem::forbidden(error.to_string()),
        GrantError::NoScope | GrantError::NotForKeys(_) => Problem::invalid("/scopes", error.to_string()),
        GrantError::Past => Problem::invalid("/expires_at", error.to_string()),
    }
}

/// What a record says of a key.
fn recorded(key: &ApiKey, name: &str) -> Value {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.name()).collect();
    json!({ "name": name, "scopes": scopes, "expires_at": key.expires_at })
}

fn no_such_key() -> Problem {
    Problem::not_found("there is no such key")
}

async fn find(surface: &Surface, id: Result<Path<String>, PathRejection>) -> Result<KeptKey, Problem> {
    let Path(id) = id.map_err(|error| Problem::invalid("id", error.body_text()))?;
    let id: KeyId = id.parse().map_err(|_| no_such_key())?;
    surface.guard.accounts().kept_key(surface.business, id).await?.ok_or_else(no_such_key)
}

/// The keys of the business, newest first, revoked ones too.
#[utoipa::path(
    get, path = "/api/keys", operation_id = "list_keys", tag = "access", params(PageQuery),
    responses((status = OK, body = Page<Shown>)),
)]
pub(super) async fn list(
    Tenant(surface): Tenant,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<Page<Shown>>, Problem> {
    let asked = PageQuery::read(query, "keys".to_owned())?;
    let rows = surface.guard.accounts().keys(surface.business, page::to_row(asked.after), asked.rows()).await?;
    Ok(Json(asked.page(rows.into_iter().map(Shown::from).collect(), |key| page::of_row(key.row))))
}

/// One key, without its secret.
#[utoipa::path(
    get, path = "/api/keys/{id}", operation_id = "get_key", tag = "access",
    params(("id" = String, Path, description = "the 16 characters after `tdm_`")),
    responses((status = OK, body = Shown)),
)]
pub(super) async fn detail(
    Tenant(surface): Tenant,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Shown>, Problem> {
    Ok(Json(find(&surface, id).await?.into()))
}

/// A new key. The answer is the only time that it is shown.
#[utoipa::path(
    post, path = "/api/keys", operation_id = "create_key", tag = "access", request_body = Make,
    responses((status = CREATED, body = Made, description = "the key, shown this once")),
)]
pub(super) async fn create(Tenant(surface): Tenant, asking: Asking, sent: Bytes) -> Result<Response, Problem> {
    let asker = asking.role()?;
    let Make { name, scopes: words, expires_at } = body::read(&sent)?;
    let name = users::name(&name)?;
    if name.is_empty() {
        return Err(Problem::invalid("/name", "say what the key is for"));
    }
    let (scopes, at, business) = (scopes(&words)?, clock::utc(), surface.business);
    api_key::may_grant(&held_by(asker), &scopes, expires_at, at).map_err(of_grant)?;
    let minted = api_key::mint(&mut OsRng.unwrap_err());
    let key =
        ApiKey { id: minted.id, business, hash: minted.hash, scopes, expires_at, revoked_at: None, last_used_at: None };
    let created_by = match asking.principal {
        Principal::User { user, .. } => Some(user),
        _ => None,
    };
    let changes = audit::changes(None, Some(&recorded(&key, &name)));
    let record = asking.record(Action::Created, "api_key", key.id.to_string(), changes);
    let accounts = surface.guard.accounts();
    accounts.keep_key(NewKey { key, name, created_by, at }, record).await?;
    let kept = accounts.kept_key(business, minted.id).await?.ok_or_else(no_such_key)?;
    let made = Made { key: minted.text.expose().to_owned(), shown: kept.into() };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(made)).into_response())
}

/// Ends a key, at once and for good.
#[utoipa::path(
    delete, path = "/api/keys/{id}", operation_id = "revoke_key", tag = "access",
    params(("id" = String, Path, description = "the 16 characters after `tdm_`")),
    responses((status = NO_CONTENT, description = "it is refused from now on")),
)]
pub(super) async fn revoke(
    Tenant(surface): Tenant,
    asking: Asking,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    asking.role()?;
    let KeptKey { key, name, .. } = find(&surface, id).await?;
    let changes = audit::changes(Some(&recorded(&key, &name)), None);
    let record = asking.record(Action::Revoked, "api_key", key.id.to_string(), changes);
    // One that was revoked before stays so, and is recorded once.
    surface.guard.accounts().revoke_key(surface.business, key.id, record).await?;
    Ok(StatusCode::NO_CONTENT)
}
