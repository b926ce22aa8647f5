//! Log-in, refresh and log-out (E3).
//!
//! ```text
//! POST /api/auth/login/     {email, password}               ─► {tokens: {access, refresh}, user}
//! POST /api/auth/refresh/   {refresh}                       ─► {tokens: {access, refresh}}: each refresh token works once
//! POST /api/auth/logout/    with the access token           ─► 204: all tokens of the session are dead at once
//! ```
//!
//! Every decision is `tandem_access`'s. A wrong password and an unknown address get one answer after one time: both are hashed, and what is
//! written down of the one is written after the answer ([`LogIns::note_refused`](super::LogIns)).

use std::net::SocketAddr;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::{Extension, Json};
use rand_core::{OsRng, TryRngCore as _};
use serde::{Deserialize, Serialize};
use tandem_access::account::{Email, SessionId};
use tandem_access::audit::{Action, Changes, Origin, Record, Resource, Who};
use tandem_access::lockout::Leave;
use tandem_access::password::{Hasher, Verdict};
use tandem_access::policy::Principal;
use tandem_access::port::{Account, Proof};
use tandem_access::secret::Secret;
use tandem_access::session::Session;
use tandem_access::token::{ACCESS_LIFE, Pair};
use tandem_actors::clock;
use tandem_domain::ids::BusinessId;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Surface;
use super::body;
use super::problem::Problem;

/// No cache on the way keeps tokens (RFC 6749 section 5.1).
pub(super) type Unkept = [(HeaderName, &'static str); 1];
/// See [`Unkept`].
pub(super) const UNKEPT: Unkept = [(header::CACHE_CONTROL, "no-store")];

/// What a log-in sends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LogIn {
    email: String,
    #[schema(value_type = String)]
    password: Secret,
}

/// What a refresh sends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Refresh {
    /// The refresh token of the last answer.
    #[schema(value_type = String)]
    refresh: Secret,
}

/// Tokens of a session.
#[derive(Serialize, ToSchema)]
pub(super) struct TokenPair {
    /// For `Authorization: Bearer …`.
    access: String,
    /// For the next pair; it works once.
    refresh: String,
    token_type: &'static str,
    /// Seconds until `access` is over.
    expires_in: i64,
}

impl From<Pair> for TokenPair {
    fn from(pair: Pair) -> Self {
        Self {
            access: pair.access.expose().to_owned(),
            refresh: pair.refresh.expose().to_owned(),
            token_type: "Bearer",
            expires_in: ACCESS_LIFE.num_seconds(),
        }
    }
}

/// A user as they see themselves.
#[derive(Serialize, ToSchema)]
pub(super) struct Myself {
    pub(super) id: Uuid,
    pub(super) email: String,
    pub(super) name: String,
    /// `viewer`, `operator`, `admin` or `owner`.
    pub(super) role: &'static str,
}

/// The answer to a log-in.
#[derive(Serialize, ToSchema)]
pub(super) struct LoggedIn {
    tokens: TokenPair,
    user: Myself,
}

/// The answer to a refresh.
#[derive(Serialize, ToSchema)]
pub(super) struct Refreshed {
    tokens: TokenPair,
}

pub(super) fn origin(peer: SocketAddr, headers: &HeaderMap) -> Origin {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    Origin::new(Some(peer.ip().to_canonical()), agent, None)
}

pub(super) fn record(business: BusinessId, who: Who, from: Origin, action: Action, kind: &str, id: String) -> Record {
    let resource = Resource { kind: kind.to_owned(), id };
    Record { at: clock::utc(), business, who, from, action, resource, changes: Changes::default() }
}

pub(super) fn email(text: &str) -> Result<Email, Problem> {
    text.parse::<Email>().map_err(|error| Problem::invalid("/email", error.to_string()))
}

fn wrong() -> Problem {
    Problem::unauthenticated("the e-mail address or the password is wrong")
}

/// Logs a user in.
#[utoipa::path(
    post, path = "/api/auth/login", operation_id = "log_in", tag = "access", request_body = LogIn,
    responses(
        (status = OK, body = LoggedIn),
        (status = 401, body = super::problem::Body, content_type = "application/problem+json", description = "wrong address or password"),
        (status = 429, body = super::problem::Body, content_type = "application/problem+json", description = "too many tries; `Retry-After`"),
    ),
)]
pub(super) async fn log_in(
    State(surface): State<Surface>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    sent: Bytes,
) -> Result<(Unkept, Json<LoggedIn>), Problem> {
    let LogIn { email: address, password } = body::read(&sent)?;
    let address = email(&address)?;
    let (log_ins, ip) = (&surface.log_ins, peer.ip());
    if let Leave::Wait { retry_after } = log_ins.ask(&address, ip).await {
        return Err(Problem::too_many("too many log-ins failed; wait, and try again", retry_after));
    }
    let checked = check(&surface, &address, password).await;
    let from = origin(peer, &headers);
    match checked {
        Ok(Checked::Right { account, rehashed }) => {
            log_ins.succeeded(&address, ip).await;
            let session = Session::begin(SessionId::random(&mut OsRng.unwrap_err()), account.user.id, clock::utc());
            let who = Who::User { id: account.user.id };
            let noted = record(account.user.business, who, from, Action::LoggedIn, "session", session.id.0.to_string());
            let proof = Proof { hash: account.password_hash, rehashed };
            if !surface.guard.accounts().begin_session(session.clone(), proof, noted).await? {
                return Err(wrong()); // the password was changed while it was checked
            }
            let tokens = surface.guard.tokens().issue(&session, clock::utc()).into();
            let (id, name, role) = (account.uuid, account.name, account.user.role.name());
            Ok((UNKEPT, Json(LoggedIn { tokens, user: Myself { id, email: address.as_str().to_owned(), name, role } })))
        }
        Ok(Checked::Wrong { business, id }) => {
            log_ins.failed();
            // An address that nobody has belongs to no business, whose log could tell of it.
            if let (Some(business), Some(id)) = (business, id)
                && let Some(changes) = log_ins.recorded(&address).await
            {
                let noted = record(business, Who::Unknown, from, Action::LogInRefused, "user", id.to_string());
                log_ins.note_refused(surface.guard.clone(), Record { changes, ..noted });
            }
            Err(wrong())
        }
        Err(problem) => {
            log_ins.withdrawn(&address, ip).await;
            Err(problem)
        }
    }
}

/// What a password came to.
enum Checked {
    Right { account: Account, rehashed: Option<String> },
    Wrong { business: Option<BusinessId>, id: Option<Uuid> },
}

async fn check(surface: &Surface, address: &Email, password: Secret) -> Result<Checked, Problem> {
    let account = surface.guard.accounts().account(address.clone()).await?;
    let stored = account.as_ref().map(|account| account.password_hash.clone());
    let work = move |hasher: &Hasher| match hasher.verify(&password, stored.as_deref())? {
        Verdict::Wrong => Ok(None),
        Verdict::Right { rehash: false } => Ok(Some(None)),
        Verdict::Right { rehash: true } => hasher.rehash(&password, &mut OsRng.unwrap_err()).map(Some).map(Some),
    };
    let verdict = surface.log_ins.off_thread(work).await?;
    let (business, id) = (account.as_ref().map(|known| known.user.business), account.as_ref().map(|known| known.uuid));
    Ok(match (verdict, account.filter(|account| account.user.disabled_at.is_none())) {
        (Some(rehashed), Some(account)) => Checked::Right { account, rehashed },
        _ => Checked::Wrong { business, id },
    })
}

/// Exchanges a refresh token for the next pair. Each works once: one that comes again ends its session.
#[utoipa::path(
    post, path = "/api/auth/refresh", operation_id = "refresh_tokens", tag = "access", request_body = Refresh,
    responses(
        (status = OK, body = Refreshed),
        (status = 401, body = super::problem::Body, content_type = "application/problem+json", description = "log in again"),
    ),
)]
pub(super) async fn refresh(
    State(surface): State<Surface>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    sent: Bytes,
) -> Result<(Unkept, Json<Refreshed>), Problem> {
    let again = || Problem::unauthenticated("the refresh token is not valid; log in again");
    let Refresh { refresh } = body::read(&sent)?;
    let (tokens, accounts) = (surface.guard.tokens(), surface.guard.accounts());
    let now = clock::utc();
    let claims = tokens.refresh(refresh.expose(), now).map_err(|refusal| {
        tracing::debug!(%refusal, "refresh token refused");
        again()
    })?;
    let (session, user) = accounts.session(claims.session).await?.ok_or_else(again)?;
    let reused = match session.refresh(&user, &claims, now) {
        Ok(rotation) if accounts.rotate(session.id, rotation, now).await? => {
            let rotated = session.rotated(rotation, now);
            return Ok((UNKEPT, Json(Refreshed { tokens: tokens.issue(&rotated, now).into() })));
        }
        Ok(_) => true, // two came at once: one of them is a copy
        Err(refusal) => refusal.revokes(),
    };
    if reused {
        tracing::warn!(user = user.id.0, "a refresh token came twice, and its session is ended");
        let (who, id) = (Who::User { id: user.id }, session.id.0.to_string());
        let noted = record(user.business, who, origin(peer, &headers), Action::RefreshReused, "session", id);
        accounts.end_session(session.id, noted).await?;
    }
    Err(again())
}

/// Ends the session of the token that asks, with all its tokens.
#[utoipa::path(
    post, path = "/api/auth/logout", operation_id = "log_out", tag = "access",
    responses((status = NO_CONTENT, description = "the session is ended")),
)]
pub(super) async fn log_out(
    State(surface): State<Surface>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    // A key, and a program of this machine, have no session to end.
    if let Principal::User { user, business, session, .. } = principal {
        let (who, id) = (Who::User { id: user }, session.0.to_string());
        let noted = record(business, who, origin(peer, &headers), Action::LoggedOut, "session", id);
        surface.guard.accounts().end_session(session, noted).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
