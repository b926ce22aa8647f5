//! Deepgram's streaming speech to text.

use axum::Router;

use super::Desk;

/// The routes.
pub fn routes(_desk: Desk) -> Router {
    Router::new()
}
