//! The people of a business: who is in it, as what, and who is no longer.
//!
//! ```text
//! GET    /api/users        a page of them           POST  /api/users        201, a new one with a first password
//! GET    /api/users/{id}   one                      PATCH /api/users/{id}   name, role, disabled, password
//! DELETE /api/users/{id}   204
//! ```
//!
//! `{id}` is a user's number, UUID or e-mail address. Admins and owners alone; nobody gives or takes a role above their own, and a business
//! keeps an owner: both are [`tandem_access::role::may_change`]'s, asked by the store in the transaction that makes the change.
//! One who is disabled, deleted or given another password is out at once, in the middle of whatever they did.
//! Not here: what a person does to their own account ([`super::me`]). Invitations by e-mail, since nothing here sends any.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use rand_core::{OsRng, TryRngCore as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tandem_access::account::Email;
use tandem_access::audit::{self, Action};
use tandem_access::password::Password;
use tandem_access::port::{NewPassword, NewUser, Peopled, Profile};
use tandem_access::role::Role;
use tandem_access::secret::Secret;
use tandem_actors::clock;
use tandem_domain::port::store::RowKey;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Surface;
use super::asking::Asking;
use super::body;
use super::guard::Tenant;
use super::page::{self, Page};
use super::problem::Problem;
use super::turns::PageQuery;

/// The most characters of a name.
const MAX_NAME_CHARS: usize = 200;

/// A user as others see them.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(super) struct Shown {
    id: Uuid,
    /// The row's number.
    number: i64,
    email: String,
    name: String,
    /// `viewer`, `operator`, `admin` or `owner`.
    role: &'static str,
    /// Whether they may not log in.
    disabled: bool,
    /// Since when.
    disabled_at: Option<DateTime<Utc>>,
    /// Too many log-ins with a wrong password have come from everywhere: those from addresses that they never logged in from wait.
    under_attack: bool,
    password_changed_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Shown {
    pub(super) async fn of(surface: &Surface, profile: Profile) -> Self {
        let under_attack = surface.log_ins.is_under_attack(&profile.email).await;
        let Profile { user, uuid, email, name, created_at, updated_at } = profile;
        Self {
            id: uuid,
            number: user.id.0,
            email: email.to_string(),
            name,
            role: user.role.name(),
            disabled: user.disabled_at.is_some(),
            disabled_at: user.disabled_at,
            under_attack,
            password_changed_at: user.password_changed_at,
            created_at,
            updated_at,
        }
    }
}

/// What a record says of a user: what a change can change, and whom it was about should they be gone.
pub(super) fn recorded(profile: &Profile) -> Value {
    json!({
        "email": profile.email,
        "name": profile.name,
        "role": profile.user.role,
        "disabled": profile.user.disabled_at.is_some(),
        "password": profile.user.password_changed_at,
    })
}

/// A user to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewUser)]
pub(super) struct Make {
    email: String,
    /// 15 characters or more; tell it to them by another way than e-mail, and have them change it.
    #[schema(value_type = String)]
    password: Secret,
    /// One line.
    #[serde(default)]
    name: String,
    /// `viewer`, `operator`, `admin` or `owner`.
    role: String,
}

/// What is to be another; what is not named stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserChange)]
pub(super) struct Edit {
    name: Option<String>,
    /// `viewer`, `operator`, `admin` or `owner`.
    role: Option<String>,
    /// Whether they may not log in.
    disabled: Option<bool>,
    /// Another password, for one who has forgotten theirs; all their log-ins end.
    #[schema(value_type = Option<String>)]
    password: Option<Secret>,
}

/// A line for people.
pub(super) fn name(text: &str) -> Result<String, Problem> {
    let name = text.trim();
    if name.chars().count() > MAX_NAME_CHARS || name.contains(char::is_control) {
        return Err(Problem::invalid("/name", "a name is one line of 200 characters at most"));
    }
    Ok(name.to_owned())
}

fn role(text: &str) -> Result<Role, Problem> {
    text.parse().map_err(|error: tandem_access::role::UnknownRole| Problem::invalid("/role", error.to_string()))
}

/// Checks and hashes a new password of `email`, called `name`; `field` is where it stood.
pub(super) async fn hashed(
    surface: &Surface,
    field: &str,
    password: &Secret,
    email: &Email,
    name: &str,
) -> Result<String, Problem> {
    let password = Password::new(password, &[email.name(), email.as_str(), name])
        .map_err(|refusal| Problem::invalid(field, refusal.to_string()))?;
    surface.log_ins.off_thread(move |hasher| hasher.hash(&password, &mut OsRng.unwrap_err())).await
}

fn no_such_user() -> Problem {
    Problem::not_found("there is no such user")
}

fn made<T>(outcome: Peopled<T>) -> Result<T, Problem> {
    match outcome {
        Peopled::Done(done) => Ok(done),
        Peopled::Refused(refusal) => Err(Problem::forbidden(refusal.to_string())),
        Peopled::Taken => Err(Problem::conflict("this e-mail address has an account already")),
        Peopled::Raced => Err(Problem::conflict("somebody else is changing this user; look at them again")),
    }
}

async fn find(surface: &Surface, id: Result<Path<String>, PathRejection>) -> Result<Profile, Problem> {
    let Path(id) = id.map_err(|error| Problem::invalid("id", error.body_text()))?;
    let found = surface.guard.accounts().user(surface.business, RowKey::parse(&id)).await?;
    found.ok_or_else(no_such_user)
}

/// The people of the business, oldest first.
#[utoipa::path(
    get, path = "/api/users", operation_id = "list_users", tag = "access", params(PageQuery),
    responses((status = OK, body = Page<Shown>)),
)]
pub(super) async fn list(
    Tenant(surface): Tenant,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<Page<Shown>>, Problem> {
    let asked = PageQuery::read(query, "users".to_owned())?;
    let rows = surface.guard.accounts().users(surface.business, page::to_row(asked.after), asked.rows()).await?;
    let mut shown = Vec::with_capacity(rows.len());
    for profile in rows {
        shown.push(Shown::of(&surface, profile).await);
    }
    Ok(Json(asked.page(shown, |user| page::of_row(user.number))))
}

/// One of the people.
#[utoipa::path(
    get, path = "/api/users/{id}", operation_id = "get_user", tag = "access",
    params(("id" = String, Path, description = "number, UUID or e-mail address")),
    responses((status = OK, body = Shown)),
)]
pub(super) async fn detail(
    Tenant(surface): Tenant,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Shown>, Problem> {
    let profile = find(&surface, id).await?;
    Ok(Json(Shown::of(&surface, profile).await))
}

/// A new user, with a role no higher than that of whoever makes them.
#[utoipa::path(
    post, path = "/api/users", operation_id = "create_user", tag = "access", request_body = Make,
    responses(
        (status = CREATED, body = Shown, description = "the user"),
        (status = 409, body = super::problem::Body, content_type = "application/problem+json", description = "this e-mail address has an account"),
    ),
)]
pub(super) async fn create(
    Tenant(surface): Tenant,
    asking: Asking,
    sent: Bytes,
) -> Result<(StatusCode, Json<Shown>), Problem> {
    let asker = asking.role()?;
    let Make { email, password, name: called, role: word } = body::read(&sent)?;
    let (email, role) = (super::auth::email(&email)?, role(&word)?);
    let called = name(&called)?;
    let password_hash = hashed(&surface, "/password", &password, &email, &called).await?;
    let (uuid, at, business) = (Uuid::now_v7(), clock::utc(), surface.business);
    let after = json!({ "email": email, "name": called, "role": role, "disabled": false });
    let record = asking.record(Action::Created, "user", uuid.to_string(), audit::changes(None, Some(&after)));
    let user = NewUser { uuid, business, email, name: called, role, password_hash, at };
    made(surface.guard.accounts().add_user(user, asker, record).await?)?;
    let profile = surface.guard.accounts().user(business, RowKey::Uuid(uuid)).await?.ok_or_else(no_such_user)?;
    Ok((StatusCode::CREATED, Json(Shown::of(&surface, profile).await)))
}

/// Changes what is named. One who is disabled, or given another password, is logged out everywhere.
#[utoipa::path(
    patch, path = "/api/users/{id}", operation_id = "change_user", tag = "access", request_body = Edit,
    params(("id" = String, Path, description = "number, UUID or e-mail address")),
    responses(
        (status = OK, body = Shown, description = "the user as they are now"),
        (status = 409, body = super::problem::Body, content_type = "application/problem+json", description = "somebody else is changing them"),
    ),
)]
pub(super) async fn edit(
    Tenant(surface): Tenant,
    asking: Asking,
    id: Result<Path<String>, PathRejection>,
    sent: Bytes,
) -> Result<Json<Shown>, Problem> {
    let asker = asking.role()?;
    let seen = find(&surface, id).await?;
    let wanted: Edit = body::read(&sent)?;
    let at = clock::utc();
    let mut next = Profile { updated_at: at, ..seen.clone() };
    if let Some(text) = &wanted.name {
        next.name = name(text)?;
    }
    if let Some(word) = &wanted.role {
        next.user.role = role(word)?;
    }
    if let Some(disabled) = wanted.disabled {
        next.user.disabled_at = disabled.then(|| seen.user.disabled_at.unwrap_or(at));
    }
    let password = match &wanted.password {
        // Else a token that was stolen would be enough to keep its owner out.
        Some(_) if asking.is(seen.user.id) => {
            return Err(Problem::invalid(
                "/password",
                "your own is changed at /api/users/me/password, which asks for the one before",
            ));
        }
        Some(password) => {
            next.user.password_changed_at = at;
            let hash = hashed(&surface, "/password", password, &seen.email, &next.name).await?;
            Some(NewPassword { hash, at, session: None })
        }
        None => None,
    };
    let changes = audit::changes(Some(&recorded(&seen)), Some(&recorded(&next)));
    if changes.list.is_empty() {
        return Ok(Json(Shown::of(&surface, seen).await));
    }
    let record = asking.record(Action::Updated, "user", seen.uuid.to_string(), changes);
    made(surface.guard.accounts().change_user(seen, next.clone(), password, asker, record).await?)?;
    Ok(Json(Shown::of(&surface, next).await))
}

/// Deletes a user with their log-ins. Keys that they made stay, for they are the business's: list them, and revoke what they may have kept.
#[utoipa::path(
    delete, path = "/api/users/{id}", operation_id = "delete_user", tag = "access",
    params(("id" = String, Path, description = "number, UUID or e-mail address")),
    responses(
        (status = NO_CONTENT, description = "they are gone"),
        (status = 409, body = super::problem::Body, content_type = "application/problem+json", description = "somebody else is changing them"),
    ),
)]
pub(super) async fn remove(
    Tenant(surface): Tenant,
    asking: Asking,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let asker = asking.role()?;
    let seen = find(&surface, id).await?;
    let changes = audit::changes(Some(&recorded(&seen)), None);
    let record = asking.record(Action::Deleted, "user", seen.uuid.to_string(), changes);
    made(surface.guard.accounts().remove_user(seen, asker, record).await?)?;
    Ok(StatusCode::NO_CONTENT)
}
