//! Errors of the HTTP interface: `application/problem+json` (RFC 9457), whoever raised them.
//!
//! | status | `type` ends in        | when                                                    |
//! |--------|-----------------------|---------------------------------------------------------|
//! | 400    | `invalid-request`     | a parameter or the body does not fit; `errors` names each place |
//! | 400    | `precondition`        | `If-Match` holds no entity tags                         |
//! | 401    | `unauthorized`        | a media socket without its user and password, a request without a good token or key |
//! | 403    | `closed`              | not open to this request: no administrator yet, a page of elsewhere, a socket without a secret |
//! | 403    | `forbidden`           | whoever asks may not do this                            |
//! | 404    | `not-found`           | no such route or row, or another business's             |
//! | 405    | `method-not-allowed`  | the route exists; `Allow` names its methods             |
//! | 409    | `conflict`            | another has this name, is changing it, or needs it      |
//! | 409    | `no-trunk`            | no account at a carrier that could dial                 |
//! | 412    | `precondition`        | somebody has changed it since it was read (`If-Match`)  |
//! | 413    | `body-too-large`      | more than the body limit                                |
//! | 416    | `invalid-request`     | the range lies outside the recording; `Content-Range`   |
//! | 426    | `upgrade-required`    | a media socket was asked for without an upgrade         |
//! | 428    | `precondition`        | it would be replaced unseen: `If-Match` is missing      |
//! | 429    | `too-many-requests`   | too many log-ins, or tries of a password, failed; `Retry-After` |
//! | 500    | `internal`            | our fault; the log knows more than the answer           |
//! | 503    | `unavailable`         | draining, or too many at once, or the database does not answer; `Retry-After` |
//!
//! `detail` is always there, because clients of earlier services read that key alone. What the log knows and the caller need not,
//! such as the database's own words, stays in the log. Where clients read fields of the answer that they hoped for, those stand beside it
//! (RFC 9457, section 3.2).

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use tandem_domain::port::store::StoreError;
use utoipa::ToSchema;

/// One parameter that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Name of the query parameter, or JSON pointer into the body.
    pub parameter: String,
    /// What would fit.
    pub detail: String,
}

/// An error as the caller sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    retry_after_s: Option<u32>,
    /// How to show who one is, of a 401.
    challenge: &'static str,
    /// Further members; in a box, since errors are moved about and hardly any has some.
    beside: Option<Box<Map<String, Value>>>,
}

/// Of media sockets.
const BASIC: &str = r#"Basic realm="media""#;
/// Of the interface (RFC 6750 3).
const BEARER: &str = r#"Bearer realm="tandem""#;

/// An error (RFC 9457). Members in the order of its section 3.1.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Body {
    /// `urn:tandem:problem:` and a word that stays the same.
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    /// What is wrong with this request, and what would be right.
    detail: String,
    /// Each parameter that does not fit.
    errors: Vec<FieldError>,
    /// What the answer would have said, as far as it holds.
    #[serde(flatten)]
    #[schema(ignore)]
    beside: Map<String, Value>,
}

/// Media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Where the types are described: a path on this very server would need one that is always up; a URN needs nothing.
const TYPE_PREFIX: &str = "urn:tandem:problem:";

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            title,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_s: None,
            challenge: BASIC,
            beside: None,
        }
    }

    /// A query parameter does not fit.
    pub fn invalid(parameter: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let error = FieldError { parameter: parameter.to_owned(), detail: detail.clone() };
        let problem = Self::new(
            StatusCode::BAD_REQUEST,
            "invalid-request",
            "Invalid request",
            if parameter.is_empty() { detail.clone() } else { format!("{parameter}: {detail}") },
        );
        Self { errors: vec![error], ..problem }
    }

    /// A body does not fit: each place (a JSON pointer) with what would fit.
    pub fn invalid_body(places: impl Iterator<Item = (String, String)>, detail: String) -> Self {
        let errors = places.map(|(parameter, detail)| FieldError { parameter, detail }).collect();
        let problem = Self::new(StatusCode::BAD_REQUEST, "invalid-request", "Invalid request", detail);
        Self { errors, ..problem }
    }

    /// It would be one of two that must not be alike.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "Conflict", detail)
    }

    /// Nothing is there that could dial.
    pub fn no_trunk(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "no-trunk", "No trunk", detail)
    }

    /// The same, with members of the answer that the client reads.
    #[must_use]
    pub fn beside(self, members: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        let beside = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { beside: Some(Box::new(beside)), ..self }
    }

    /// `If-Match` does not hold, or cannot be read: 412, 428 or 400.
    pub fn precondition(status: StatusCode, detail: impl Into<String>) -> Self {
        Self::new(status, "precondition", "Precondition", detail)
    }

    /// A user and a password are missing or wrong.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Credentials required", detail)
    }

    /// A token or a key is missing or not good.
    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self { challenge: BEARER, ..Self::unauthorized(detail) }
    }

    /// Whoever asks may not do this.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Not allowed", detail)
    }

    /// Tried too often.
    pub fn too_many(detail: impl Into<String>, retry_after: std::time::Duration) -> Self {
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests", detail);
        // Rounded up: a client that comes at the very second is not told to wait again.
        let seconds = u32::try_from(retry_after.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX);
        Self { retry_after_s: Some(seconds), ..problem }
    }

    /// There is no such thing.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    /// The interface is closed to this request.
    pub fn closed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "closed", "Not open", detail)
    }

    /// The route is a socket.
    pub fn upgrade_required() -> Self {
        let detail = "this address is a media socket: connect to it by WebSocket (ws:// or wss://)";
        Self::new(StatusCode::UPGRADE_REQUIRED, "upgrade-required", "WebSocket required", detail)
    }

    /// Not now.
    pub fn unavailable(detail: impl Into<String>, retry_after_s: u32) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available", detail);
        Self { retry_after_s: Some(retry_after_s), ..problem }
    }

    /// Our fault.
    pub fn internal() -> Self {
        let detail = "the server failed to answer; its log says why";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", detail)
    }

    /// The problem for an error status that came without one, from a layer or an extractor.
    fn of_status(status: StatusCode, detail: String) -> Self {
        let or = |text: &str| if detail.is_empty() { text.to_owned() } else { detail.clone() };
        match status {
            StatusCode::NOT_FOUND => Self::not_found(or("there is nothing at this address")),
            StatusCode::METHOD_NOT_ALLOWED => {
                let detail = or("this address does not know that method; the Allow header names those it does");
                Self::new(status, "method-not-allowed", "Method not allowed", detail)
            }
            StatusCode::PAYLOAD_TOO_LARGE => {
                Self::new(status, "body-too-large", "Body too large", or("the body is too large"))
            }
            StatusCode::UPGRADE_REQUIRED => Self::upgrade_required(),
            StatusCode::SERVICE_UNAVAILABLE => Self::unavailable(or("not available at the moment"), 1),
            status if status.is_server_error() => Self { status, ..Self::internal() },
            status => Self::new(status, "invalid-request", "Invalid request", or("the request cannot be understood")),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unavailable(_) => {
                tracing::warn!(%error, "request not answered");
                Self::unavailable("the database does not answer", 5)
            }
            StoreError::Refused(_) | StoreError::Unreadable(_) => {
                tracing::error!(%error, "request not answered");
                Self::internal()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body {
            kind: format!("{TYPE_PREFIX}{}", self.kind),
            title: self.title,
            status: self.status.as_u16(),
            detail: self.detail,
            errors: self.errors,
            beside: self.beside.map_or_else(Map::new, |members| *members),
        };
        let json = serde_json::to_vec(&body).expect("strings and numbers are always written");
        let mut response = (self.status, [(header::CONTENT_TYPE, PROBLEM_JSON)], json).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 9110 15.5.2: the answer has to say how.
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(self.challenge));
        }
        if self.status == StatusCode::UPGRADE_REQUIRED {
            // RFC 9110 15.5.22: the answer has to say which protocol.
            response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        }
        response
    }
}

/// Longest plain text of a layer or extractor that is taken over as `detail`.
const MAX_DETAIL_BYTES: usize = 1024;

/// Gives every error that left the routes without one its problem body, so that no client meets a bare status. Headers stay.
pub(super) async fn give_body(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || has_type(response.headers(), PROBLEM_JSON) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let detail = match axum::body::to_bytes(body, MAX_DETAIL_BYTES).await {
        Ok(bytes) if has_type(&parts.headers, "text/plain") => String::from_utf8_lossy(&bytes).into_owned(),
        _ => String::new(),
    };
    let mut problem = Problem::of_status(status, detail).into_response();
    for (name, value) in &parts.headers {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            problem.headers_mut().append(name, value.clone());
        }
    }
    problem
}

fn has_type(headers: &HeaderMap, media_type: &str) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(media_type.as_bytes()))
}

/// What becomes of a panic in a handler.
pub(super) fn of_panic(panic: Box<dyn std::any::Any + Send>) -> Response {
    let message = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = message.unwrap_or("no message"), "request handler panicked");
    Problem::internal().into_response()
}
