//! One's own account: who one is, what one is called, and another password.
//!
//! ```text
//! GET  /api/users/me            PATCH /api/users/me  {name}
//! POST /api/users/me/password   {current_password, new_password}  ─► {tokens}: all other log-ins are over, this one goes on with these
//! ```
//!
//! Whoever holds a stolen token and not the password cannot lock its owner out: the current password is asked for, and guesses at it are
//! counted as log-ins are ([`tandem_access::lockout`]). A key is nobody and has no account; a program of this machine has none either.

use axum::Json;
use axum::body::Bytes;
use rand_core::{OsRng, TryRngCore as _};
use serde::{Deserialize, Serialize};
use tandem_access::account::SessionId;
use tandem_access::audit::{self, Action};
use tandem_access::lockout::Leave;
use tandem_access::password::Verdict;
use tandem_access::policy::Principal;
use tandem_access::port::{NewPassword, Peopled, Profile};
use tandem_access::role::Role;
use tandem_access::secret::Secret;
use tandem_access::session::Session;
use tandem_actors::clock;
use tandem_domain::port::store::RowKey;
use utoipa::ToSchema;

use super::Surface;
use super::asking::Asking;
use super::auth::{TokenPair, UNKEPT, Unkept};
use super::body;
use super::guard::Tenant;
use super::problem::Problem;
use super::users::{self, Shown};

/// What one may change of oneself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MyChange)]
pub(super) struct Edit {
    name: Option<String>,
}

/// A change of password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordChange {
    #[schema(value_type = String)]
    current_password: Secret,
    /// 15 characters or more.
    #[schema(value_type = String)]
    new_password: Secret,
}

/// The answer to a change of password.
#[derive(Serialize, ToSchema)]
pub(super) struct PasswordChanged {
    tokens: TokenPair,
}

async fn myself(surface: &Surface, asking: &Asking) -> Result<Profile, Problem> {
    let Principal::User { user, business, .. } = asking.principal else {
        return Err(Problem::forbidden("only a person who has logged in has an account of their own"));
    };
    let found = surface.guard.accounts().user(business, RowKey::Number(user.0)).await?;
    found.ok_or_else(|| Problem::unauthenticated("the account is gone"))
}

/// One's own account.
#[utoipa::path(
    get, path = "/api/users/me", operation_id = "get_me", tag = "access",
    responses((status = OK, body = Shown)),
)]
pub(super) async fn detail(Tenant(surface): Tenant, asking: Asking) -> Result<Json<Shown>, Problem> {
    let profile = myself(&surface, &asking).await?;
    Ok(Json(Shown::of(&surface, profile).await))
}

/// Changes what one is called. What one is, others decide.
#[utoipa::path(
    patch, path = "/api/users/me", operation_id = "change_me", tag = "access", request_body = Edit,
    responses(
        (status = OK, body = Shown),
        (status = 409, body = super::problem::Body, content_type = "application/problem+json", description = "somebody else is changing the account"),
    ),
)]
pub(super) async fn edit(Tenant(surface): Tenant, asking: Asking, sent: Bytes) -> Result<Json<Shown>, Problem> {
    let seen = myself(&surface, &asking).await?;
    let wanted: Edit = body::read(&sent)?;
    let mut next = Profile { updated_at: clock::utc(), ..seen.clone() };
    if let Some(text) = &wanted.name {
        next.name = users::name(text)?;
    }
    let changes = audit::changes(Some(&users::recorded(&seen)), Some(&users::recorded(&next)));
    if changes.list.is_empty() {
        return Ok(Json(Shown::of(&surface, seen).await));
    }
    let record = asking.record(Action::Updated, "user", seen.uuid.to_string(), changes);
    // A name is one's own to change, whatever one's role: it is asked for as an owner would, and the role stays what it is.
    match surface.guard.accounts().change_user(seen, next.clone(), None, Role::Owner, record).await? {
        Peopled::Done(()) => Ok(Json(Shown::of(&surface, next).await)),
        _ => Err(Problem::conflict("somebody else is changing this account; try again")),
    }
}

/// Another password. All other log-ins are over at once; this one goes on with the tokens of the answer.
#[utoipa::path(
    post, path = "/api/users/me/password", operation_id = "change_my_password", tag = "access", request_body = PasswordChange,
    responses(
        (status = OK, body = PasswordChanged),
        (status = 409, body = super::problem::Body, content_type = "application/problem+json", description = "somebody else is changing the account"),
        (status = 429, body = super::problem::Body, content_type = "application/problem+json", description = "too many wrong passwords; `Retry-After`"),
    ),
)]
pub(super) async fn change_password(
    Tenant(surface): Tenant,
    asking: Asking,
    sent: Bytes,
) -> Result<(Unkept, Json<PasswordChanged>), Problem> {
    let seen = myself(&surface, &asking).await?;
    let PasswordChange { current_password, new_password } = body::read(&sent)?;
    let accounts = surface.guard.accounts();
    let address = asking.from.address.ok_or_else(Problem::internal)?;
    if let Leave::Wait { retry_after } = surface.log_ins.ask(&seen.email, address).await {
        return Err(Problem::too_many("too many wrong passwords; wait, and try again", retry_after));
    }
    let stored = accounts.account(seen.email.clone()).await?.map(|account| account.password_hash);
    let verifying = surface.log_ins.off_thread(move |hasher| hasher.verify(&current_password, stored.as_deref()));
    match verifying.await {
        Ok(Verdict::Right { .. }) => surface.log_ins.succeeded(&seen.email, address).await,
        Ok(Verdict::Wrong) => {
            surface.log_ins.failed();
            let id = seen.uuid.to_string();
            if let Some(changes) = surface.log_ins.recorded(&seen.email).await {
                accounts.record(asking.record(Action::LogInRefused, "user", id, changes)).await?;
            }
            return Err(Problem::invalid("/current_password", "this is not the current password"));
        }
        Err(problem) => {
            surface.log_ins.withdrawn(&seen.email, address).await;
            return Err(problem);
        }
    }
    let hash = users::hashed(&surface, "/new_password", &new_password, &seen.email, &seen.name).await?;
    let at = clock::utc();
    let session = Session::begin(SessionId::random(&mut OsRng.unwrap_err()), seen.user.id, at);
    let mut next = seen.clone();
    next.user.password_changed_at = at;
    let changes = audit::changes(Some(&users::recorded(&seen)), Some(&users::recorded(&next)));
    let record = asking.record(Action::Updated, "user", seen.uuid.to_string(), changes);
    let password = NewPassword { hash, at, session: Some(session.clone()) };
    if !accounts.change_password(seen, password, record).await? {
        return Err(Problem::conflict("somebody else is changing this account; try again"));
    }
    Ok((UNKEPT, Json(PasswordChanged { tokens: surface.guard.tokens().issue(&session, at).into() })))
}
