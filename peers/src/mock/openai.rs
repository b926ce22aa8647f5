//! OpenAI's streaming chat completions.

use axum::Router;

use super::Desk;

/// The routes.
pub fn routes(_desk: Desk) -> Router {
    Router::new()
}
