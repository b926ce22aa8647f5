//! The first administrator (R9): the page of the link that was printed at start, and what it sends.
//!
//! ```text
//! GET  /setup, /setup/{file}                                ─► the page, built into the binary; open to everybody, for it holds nothing
//! POST /api/setup           {token, email, password, name}  ─► 201, once; 404 from then on
//! ```

use std::net::SocketAddr;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tandem_access::audit::{Action, Who};
use tandem_access::port::NewUser;
use tandem_access::role::Role;
use tandem_access::secret::Secret;
use tandem_access::setup::{LinkRefusal, Posture, redeem};
use tandem_actors::clock;
use tandem_domain::ids::BusinessId;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Surface;
use super::auth::{self, Myself, origin, record};
use super::body;
use super::problem::Problem;
use super::users;

/// Its own files and its own server, and nobody shows it in a frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Sent with every file.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
];

fn file_of(kind: &'static str, body: &'static str) -> Response {
    (HEADERS, [(header::CONTENT_TYPE, kind)], body).into_response()
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

/// The first administrator.
#[derive(Serialize, ToSchema)]
pub(super) struct IsSetUp {
    user: Myself,
}

/// The page on which the first administrator is made.
#[utoipa::path(
    get, path = "/setup", operation_id = "get_setup_page", tag = "access",
    responses((status = OK, body = String, content_type = "text/html")),
)]
pub(super) async fn page() -> Response {
    file_of("text/html; charset=utf-8", include_str!("../setup/index.html"))
}

/// What that page loads.
#[utoipa::path(
    get, path = "/setup/{file}", operation_id = "get_setup_file", tag = "access",
    params(("file" = String, Path, description = "a style sheet or script of the set-up page")),
    responses((status = OK, content((String = "text/javascript"), (String = "text/css")))),
)]
pub(super) async fn file(Path(name): Path<String>) -> Response {
    match name.as_str() {
        "setup.js" => file_of("text/javascript; charset=utf-8", include_str!("../setup/setup.js")),
        "setup.css" => file_of("text/css; charset=utf-8", include_str!("../setup/setup.css")),
        _ => Problem::not_found("the set-up page has no such file").into_response(),
    }
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
    let (address, name) = (auth::email(&address)?, users::name(&name)?);
    let password_hash = users::hashed(&surface, "/password", &password, &address, &name).await?;
    let (uuid, at) = (Uuid::now_v7(), clock::utc());
    let (role, business) = (Role::Owner, BusinessId::FIRST);
    let noted = record(business, Who::SetupLink, origin(peer, &headers), Action::SetUp, "user", uuid.to_string());
    let owner = NewUser { uuid, business, email: address.clone(), name: name.clone(), role, password_hash, at };
    let made = surface.guard.accounts().make_first_owner(owner, noted).await?;
    if made.is_none() {
        return Err(done()); // somebody was faster
    }
    let user = Myself { id: uuid, email: address.as_str().to_owned(), name, role: role.name() };
    Ok((StatusCode::CREATED, Json(IsSetUp { user })))
}
