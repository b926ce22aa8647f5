//! ElevenLabs' text to speech, by HTTP and by socket.

use axum::Router;

use super::Desk;

/// The routes.
pub fn routes(_desk: Desk) -> Router {
    Router::new()
}
