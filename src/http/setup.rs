//! The set-up page: `/setup` and its two files, built into the binary. Open to everybody, for it holds nothing; what it sends has to carry the
//! token of the link that was printed at start ([`super::auth::set_up`]).

use axum::extract::Path;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};

use super::problem::Problem;

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
