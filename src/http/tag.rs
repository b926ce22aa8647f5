//! Answers with an entity tag: a client that has the content is told so, and one that changes it names the tag (RFC 9110 section 8.8.3).

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tandem_domain::etag::{Etag, is_fresh};

use super::asking;

/// A content with its tag.
pub(super) fn tagged(status: StatusCode, content: Value) -> Response {
    let tag = Etag::of(&content).to_string();
    (status, [(header::ETAG, tag)], Json(content)).into_response()
}

/// A content with its tag, unless the client has it.
pub(super) fn read(headers: &HeaderMap, content: Value) -> Response {
    let tag = Etag::of(&content);
    if is_fresh(asking::text(headers, header::IF_NONE_MATCH), &tag) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag.to_string())]).into_response();
    }
    tagged(StatusCode::OK, content)
}
