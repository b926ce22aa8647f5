//! Who asks, and whether they may: what a request brings in `Authorization` is looked up, and the rule of [`tandem_access::setup`] decides.
//!
//! Place:   before every route of the interface. Behind it a request has a [`Principal`], which [`Tenant`] and [`needs`](super::needs) read.
//! Hears:   the store, at each request: a session that was ended, a key that was revoked and a role that was taken are gone at once.
//! While there is no administrator the store is asked for one at each request too, for another process may have made them; after that no more.
//! Not here: media sockets, which carriers open by their own credentials (`media_ws::access`), and log-ins ([`super::auth`]).

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq as _;
use tandem_access::api_key;
use tandem_access::bearer::Bearer;
use tandem_access::policy::{Principal, Refusal, may};
use tandem_access::port::AccessStore;
use tandem_access::role::Capability;
use tandem_access::secret::{Secret, SecretKey};
use tandem_access::session;
use tandem_access::setup::{Admission, Credentials, Posture, Refused, Route, admit};
use tandem_access::token::Tokens;
use tandem_actors::clock;
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::StoreError;
use uuid::Uuid;

use super::Surface;
use super::gate;
use super::problem::Problem;
use crate::media_ws::convai::TOKEN_PROTOCOL;

/// How long a call waits to hear whether there is an administrator.
const CALL_PATIENCE: Duration = Duration::from_millis(250);

/// What decides who may ask. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Guard(Arc<Inner>);

struct Inner {
    host: IpAddr,
    installation: Uuid,
    tokens: Tokens,
    accounts: Arc<dyn AccessStore>,
    /// Of the command that started us for itself.
    own_key: Option<Secret>,
    /// There is an administrator. Never taken back: a business keeps an owner.
    guarded: AtomicBool,
}

impl Guard {
    /// The guard of a program that listens on `host`.
    /// `previous` is the key before the last change of `key`: what it signed is still good.
    pub(crate) async fn new(
        host: IpAddr,
        accounts: Arc<dyn AccessStore>,
        key: &SecretKey,
        previous: Option<&SecretKey>,
        own_key: Option<Secret>,
    ) -> Result<Self, StoreError> {
        let found = accounts.installation(Uuid::now_v7()).await?;
        let tokens = Tokens::new(found.id, key, previous);
        let guarded = AtomicBool::new(found.administrator_since.is_some());
        Ok(Self(Arc::new(Inner { host, installation: found.id, tokens, accounts, own_key, guarded })))
    }

    pub(super) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    pub(super) fn accounts(&self) -> &dyn AccessStore {
        &*self.0.accounts
    }

    /// Whom the interface is open to now. A database that does not answer changes nothing: it stays what it was.
    pub(crate) async fn posture(&self) -> Posture {
        let Inner { host, installation, accounts, guarded, .. } = &*self.0;
        if !guarded.load(Ordering::Acquire)
            && let Ok(found) = accounts.installation(*installation).await
            && found.administrator_since.is_some()
        {
            guarded.store(true, Ordering::Release);
        }
        Posture::of(*host, guarded.load(Ordering::Acquire))
    }

    /// The same for a call, which waits for no database: one that takes too long changes nothing either.
    pub(crate) async fn known_posture(&self) -> Posture {
        let known = Posture::of(self.0.host, self.0.guarded.load(Ordering::Acquire));
        tokio::time::timeout(CALL_PATIENCE, self.posture()).await.unwrap_or(known)
    }

    /// A set-up link for `base`, where one is wanted.
    pub(crate) async fn setup_link(&self, base: &str) -> Option<Secret> {
        let wanted = self.posture().await.wants_link();
        wanted.then(|| tandem_access::setup::link(base, &self.0.tokens.issue_setup(clock::utc())))
    }

    /// Whether a request may go on, and as whom.
    async fn admission(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Admission, Problem> {
        let posture = self.posture().await;
        let local = gate::is_of_this_machine(uri, headers);
        let credentials = match posture {
            Posture::SetupOnly => Credentials::None, // nobody has any
            Posture::Open | Posture::Guarded => self.credentials(headers).await?,
        };
        let admission = admit(posture, Route::Interface, local, credentials)?;
        // Whoever is let in for being here must not be a page from elsewhere that has our browser send its orders.
        let harmless = method.is_safe() || !gate::is_of_another_page(headers);
        match admission {
            Admission::As(Principal::Local) if !harmless => {
                Err(Problem::closed("the request was sent by a page of another host"))
            }
            admission => Ok(admission),
        }
    }

    fn is_own(&self, authorization: &str) -> bool {
        let shown = authorization.strip_prefix("Bearer ").map(str::as_bytes);
        shown.zip(self.0.own_key.as_ref()).is_some_and(|(shown, own)| own.expose().as_bytes().ct_eq(shown).into())
    }

    /// What was brought, looked up.
    async fn credentials(&self, headers: &HeaderMap) -> Result<Credentials, StoreError> {
        let text = match brought(headers) {
            Brought::Nothing => return Ok(Credentials::None),
            Brought::One(text) => text,
            Brought::Several => return Ok(Credentials::Bad),
        };
        let text = &*text;
        if self.is_own(text) {
            return Ok(Credentials::Good(Principal::Cli { business: BusinessId::FIRST }));
        }
        let (now, accounts) = (clock::utc(), &self.0.accounts);
        let found = match Bearer::parse(text) {
            Ok(Bearer::Key(presented)) => {
                let row = accounts.key(presented.id).await?;
                match api_key::authenticate(row.as_ref(), &presented, now) {
                    Ok(good) => {
                        if good.note_use
                            && let Err(error) = accounts.note_use(presented.id, now).await
                        {
                            tracing::debug!(%error, "use of a key not noted");
                        }
                        Ok(good.principal)
                    }
                    Err(refusal) => Err(refusal.to_string()),
                }
            }
            Ok(Bearer::Token(token)) => match self.0.tokens.access(token.expose(), now) {
                Ok(claims) => {
                    let row = accounts.session(claims.session).await?;
                    let row = row.as_ref().map(|(session, user)| (session, user));
                    session::principal(&claims, row, now).map_err(|refusal| refusal.to_string())
                }
                Err(refusal) => Err(refusal.to_string()),
            },
            Err(error) => Err(error.to_string()),
        };
        Ok(found.map_or_else(
            |reason| {
                tracing::debug!(reason, "credentials refused");
                Credentials::Bad
            },
            Credentials::Good,
        ))
    }
}

/// What a request shows itself with.
enum Brought<'a> {
    Nothing,
    /// As in `Authorization`.
    One(Cow<'a, str>),
    /// Whichever is taken, somebody meant the other.
    Several,
}

/// Reads `Authorization`; of a socket also the subprotocol that carries a token, since a browser sends no other header with one.
fn brought(headers: &HeaderMap) -> Brought<'_> {
    let values = headers.get_all(header::AUTHORIZATION).iter().take(2);
    // One that cannot be read is no good, and yet it was brought.
    let mut found: Vec<Cow<'_, str>> = values.map(|value| value.to_str().unwrap_or_default().into()).collect();
    let is_socket =
        headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    if is_socket {
        let lists = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
        let offered =
            lists.flat_map(|list| list.split(',')).filter_map(|name| name.trim().strip_prefix(TOKEN_PROTOCOL));
        found.extend(offered.take(2).map(|token| format!("Bearer {token}").into()));
    }
    match (found.pop(), found.is_empty()) {
        (None, _) => Brought::Nothing,
        (Some(text), true) => Brought::One(text),
        (Some(_), false) => Brought::Several,
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unauthenticated | Refused::BadCredentials => Self::unauthenticated(refused.to_string()),
            Refused::NotThisMachine | Refused::SetupFirst => Self::closed(refused.to_string()),
            Refused::SetupDone => Self::not_found(refused.to_string()),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::not_found("there is nothing at this address"),
            Refusal::Role { .. } | Refusal::Scope { .. } | Refusal::NotForKeys { .. } => {
                Self::forbidden(refusal.to_string())
            }
        }
    }
}

/// Lets a request pass as somebody, or turns it away.
pub(super) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    // Apart from its body, which cannot be shared between threads.
    let (parts, body) = request.into_parts();
    let admission = guard.admission(&parts.method, &parts.uri, &parts.headers).await;
    let mut request = Request::from_parts(parts, body);
    match admission {
        Ok(Admission::As(principal)) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Ok(Admission::Public | Admission::Carrier | Admission::Setup) => next.run(request).await,
        Err(problem) => {
            tracing::debug!(path = request.uri().path(), "request turned away");
            problem.into_response()
        }
    }
}

/// Turns everybody away from what is open to all, but not before the first administrator of a server beyond loopback is made (R9).
pub(super) async fn set_up_first(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    match guard.posture().await {
        Posture::SetupOnly => Problem::from(Refused::SetupFirst).into_response(),
        Posture::Open | Posture::Guarded => next.run(request).await,
    }
}

/// Turns away who lacks a capability, before the route looks anything up.
pub(super) async fn allow(capability: Capability, request: Request, next: Next) -> Response {
    let Some(principal) = request.extensions().get::<Principal>() else {
        tracing::error!(path = request.uri().path(), "a route that needs a principal stands outside the guard");
        return Problem::internal().into_response();
    };
    match may(principal, capability, principal.business()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => Problem::from(refusal).into_response(),
    }
}

/// What handlers may use, for the business of whoever asks: no row of others can be asked for.
pub(super) struct Tenant(pub(super) Surface);

impl FromRequestParts<Surface> for Tenant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, surface: &Surface) -> Result<Self, Problem> {
        let principal = parts.extensions.get::<Principal>().ok_or_else(Problem::internal)?;
        Ok(Self(Surface { business: principal.business(), ..surface.clone() }))
    }
}
