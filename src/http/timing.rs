//! How long each request took, by method, route and status. The route is the pattern, never the path: ids are no labels.

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use tandem_actors::clock;

/// Measures the answer up to its head. A media socket counts until its upgrade.
pub(super) async fn measure(request: Request, next: Next) -> Response {
    let started = clock::now();
    let method = label(request.method());
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "unmatched".into(), |path| path.as_str().to_owned());
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::histogram!("http_request_duration_seconds", "method" => method, "route" => route, "status" => status)
        .record(clock::now().saturating_duration_since(started));
    response
}

/// A method may be any word; a label may not.
fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
