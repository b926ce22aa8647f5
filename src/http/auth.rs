//! Log-in, refresh, log-out, and the first administrator (E3, R9).
//!
//! ```text
//! POST /api/setup           {token, email, password, name}  ─► 201, once
//! POST /api/auth/login/     {email, password}               ─► {tokens: {access, refresh}, user}
//! POST /api/auth/refresh/   {refresh}                       ─► {tokens: {access, refresh}}: each refresh token works once
//! POST /api/auth/logout/    with the access token           ─► 204: all tokens of the session are dead at once
//! ```
//!
//! Every decision is `tandem_access`'s. Passwords are checked off the threads that serve requests, two at once: each takes tens of
//! milliseconds and 19 MiB. A wrong password and an unknown address get one answer after one time.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::{Extension, Json};
use chrono::TimeDelta;
use rand_core::{OsRng, TryRngCore as _};
use serde::{Deserialize, Serialize};
use tandem_access::account::{Email, SessionId};
use tandem_access::audit::{Action, Changes, Origin, Record, Resource, Who};
use tandem_access::lockout::{CAPACITY, Leave, Lockout, Recorded};
use tandem_access::password::{Cost, Hasher, Password, PasswordError, Verdict};
use tandem_access::policy::Principal;
use tandem_access::port::{AccessStore, Account, NewUser, PastLogIn, Proof};
use tandem_access::role::Role;
use tandem_access::secret::Secret;
use tandem_access::session::Session;
use tandem_access::setup::{LinkRefusal, Posture, redeem};
use tandem_access::token::{ACCESS_LIFE, Pair};
use tandem_actors::clock;
use tandem_domain::ids::BusinessId;
use tokio::sync::{Mutex, OnceCell, Semaphore};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Surface;
use super::body;
use super::problem::Problem;

/// Passwords that are checked at once.
const AT_ONCE: usize = 2;
/// How long a log-in waits for its turn.
const TURN: Duration = Duration::from_secs(10);

/// How far back log-ins are remembered over a restart: as long as an address stays known.
const MEMORY: TimeDelta = TimeDelta::days(30);

/// What log-ins share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct LogIns(Arc<Shared>);

struct Shared {
    lockout: Mutex<Lockout>,
    recorded: Mutex<Recorded>,
    places: Semaphore,
    /// Made at the first log-in: it takes the time of a hash.
    hasher: OnceCell<Arc<Hasher>>,
}

impl Default for LogIns {
    fn default() -> Self {
        let lockout = Mutex::new(Lockout::default());
        let recorded = Mutex::default();
        Self(Arc::new(Shared { lockout, recorded, places: Semaphore::new(AT_ONCE), hasher: OnceCell::new() }))
    }
}

impl LogIns {
    /// With what an earlier process knew of failed log-ins: who made it restart has won nothing. A database that does not tell is none to wait for.
    pub(crate) async fn recalling(accounts: &dyn AccessStore) -> Self {
        let (utc, now, log_ins) = (clock::utc(), clock::now(), Self::default());
        match accounts.log_ins_since(utc - MEMORY, CAPACITY as u32).await {
            Ok(past) => {
                let mut lockout = log_ins.0.lockout.lock().await;
                for PastLogIn { email, address, right, unrecorded, at } in past {
                    let at = (utc - at).to_std().ok().and_then(|ago| now.checked_sub(ago));
                    lockout.recall_unrecorded(&email, unrecorded, at);
                    lockout.recall(&email, address, right, at, now);
                }
            }
            Err(error) => tracing::warn!(%error, "the lock-out begins anew"),
        }
        log_ins
    }

    /// Whether a password may be tried; it counts as wrong until one of the next two says otherwise.
    pub(super) async fn ask(&self, email: &Email, address: IpAddr) -> Leave {
        let leave = self.0.lockout.lock().await.ask(email, address, clock::now());
        if leave != Leave::Try {
            counted("waits");
        }
        leave
    }

    /// The password was right.
    pub(super) async fn succeeded(&self, email: &Email, address: IpAddr) {
        counted("ok");
        self.0.lockout.lock().await.succeeded(email, address, clock::now());
    }

    /// The password could not be checked.
    pub(super) async fn withdrawn(&self, email: &Email, address: IpAddr) {
        self.0.lockout.lock().await.withdrawn(email, address, clock::now());
    }

    /// The password was wrong, which the lock-out has known since it was tried.
    pub(super) fn failed(&self) {
        counted("wrong");
    }

    /// What is recorded of a wrong password for an account that exists; `None` where so many were that this one is only counted.
    pub(super) async fn recorded(&self, email: &Email) -> Option<Changes> {
        self.0.recorded.lock().await.failed(email, clock::now()).map(Changes::after_unrecorded)
    }

    /// Whether so many log-ins to an account have failed that unknown addresses wait for long.
    pub(super) async fn is_under_attack(&self, email: &Email) -> bool {
        self.0.lockout.lock().await.is_under_attack(email, clock::now())
    }

    /// Runs work with passwords where it keeps nobody waiting.
    pub(super) async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Hasher) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, Problem> {
        let busy = || Problem::unavailable("too many log-ins at once", 5);
        let _place =
            tokio::time::timeout(TURN, self.0.places.acquire()).await.map_err(|_| busy())?.map_err(|_| busy())?;
        let fault = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, "password not checked");
            Problem::internal()
        };
        let made = || async {
            let making = tokio::task::spawn_blocking(|| Hasher::new(Cost::OWASP, &mut OsRng.unwrap_err()));
            making.await.map_err(|error| fault(&error))?.map(Arc::new).map_err(|error| fault(&error))
        };
        let hasher = Arc::clone(self.0.hasher.get_or_try_init(made).await?);
        let done = tokio::task::spawn_blocking(move || work(&hasher)).await;
        done.map_err(|error| fault(&error))?.map_err(|error| fault(&error))
    }
}

fn counted(outcome: &'static str) {
    metrics::counter!("tandem_log_ins_total", "outcome" => outcome).increment(1);
}

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

/// What the set-up page sends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetUp {
    /// What stands behind the `#` of the link that was printed at start.
    #[schema(value_type = String)]
    token: Secret,
    email: String,
    /// 15 characters or more.
    #[schema(value_type = String)]
    password: Secret,
    #[serde(default)]
    name: String,
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
struct Myself {
    id: Uuid,
    email: String,
    name: String,
    /// `viewer`, `operator`, `admin` or `owner`.
    role: &'static str,
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

/// The first administrator.
#[derive(Serialize, ToSchema)]
pub(super) struct IsSetUp {
    user: Myself,
}

fn origin(peer: SocketAddr, headers: &HeaderMap) -> Origin {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    Origin::new(Some(peer.ip().to_canonical()), agent, None)
}

fn record(business: BusinessId, who: Who, from: Origin, action: Action, kind: &str, id: String) -> Record {
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
) -> Result<Json<LoggedIn>, Problem> {
    if surface.guard.posture().await == Posture::SetupOnly {
        return Err(tandem_access::setup::Refused::SetupFirst.into());
    }
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
            Ok(Json(LoggedIn { tokens, user: Myself { id, email: address.as_str().to_owned(), name, role } }))
        }
        Ok(Checked::Wrong { business, id }) => {
            log_ins.failed();
            // An address that nobody has belongs to no business, whose log could tell of it.
            if let (Some(business), Some(id)) = (business, id)
                && let Some(changes) = log_ins.recorded(&address).await
            {
                let noted = record(business, Who::Unknown, from, Action::LogInRefused, "user", id.to_string());
                surface.guard.accounts().record(Record { changes, ..noted }).await?;
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
) -> Result<Json<Refreshed>, Problem> {
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
            return Ok(Json(Refreshed { tokens: tokens.issue(&rotated, now).into() }));
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

/// Makes the first administrator, with the token of the link that was printed at start. It can be done once.
#[utoipa::path(
    post, path = "/api/setup", operation_id = "set_up", tag = "access", request_body = SetUp,
    responses(
        (status = CREATED, body = IsSetUp),
        (status = 401, body = super::problem::Body, content_type = "application/problem+json", description = "the link is too old, or none of ours"),
        (status = 404, body = super::problem::Body, content_type = "application/problem+json", description = "there is an administrator"),
    ),
)]
pub(super) async fn set_up(
    State(surface): State<Surface>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    sent: Bytes,
) -> Result<(StatusCode, Json<IsSetUp>), Problem> {
    // Before the body is read: a link that was used says nothing about what was sent with it.
    let done = || Problem::not_found(LinkRefusal::Done.to_string());
    let administrator = surface.guard.posture().await == Posture::Guarded;
    if administrator {
        return Err(done());
    }
    let SetUp { token, email: address, password, name } = body::read(&sent)?;
    redeem(surface.guard.tokens(), &token, administrator, clock::utc()).map_err(|refusal| match refusal {
        LinkRefusal::Done => done(),
        LinkRefusal::Token(_) => Problem::unauthenticated(refusal.to_string()),
    })?;
    let address = email(&address)?;
    let name = name.trim();
    if name.chars().count() > 200 || name.contains(char::is_control) {
        return Err(Problem::invalid("/name", "a name is one line of 200 characters at most"));
    }
    let password = Password::new(&password, &[address.name(), address.as_str(), name])
        .map_err(|refusal| Problem::invalid("/password", refusal.to_string()))?;
    let hashing = move |hasher: &Hasher| hasher.hash(&password, &mut OsRng.unwrap_err());
    let password_hash = surface.log_ins.off_thread(hashing).await?;
    let (uuid, at) = (Uuid::now_v7(), clock::utc());
    let (role, business) = (Role::Owner, BusinessId::FIRST);
    let noted = record(business, Who::SetupLink, origin(peer, &headers), Action::SetUp, "user", uuid.to_string());
    let owner = NewUser { uuid, business, email: address.clone(), name: name.to_owned(), role, password_hash, at };
    let made = surface.guard.accounts().make_first_owner(owner, noted).await?;
    if made.is_none() {
        return Err(done()); // somebody was faster
    }
    let user = Myself { id: uuid, email: address.as_str().to_owned(), name: name.to_owned(), role: role.name() };
    Ok((StatusCode::CREATED, Json(IsSetUp { user })))
}
