//! The calls of this moment. Holds personal data: behind the gate like everything that does.

use axum::Json;
use axum::extract::State;
use tandem_actors::call::SessionView;

use super::Surface;
use super::page::Page;

/// `GET /debug/sessions`: one item a live call.
pub(super) async fn list(State(surface): State<Surface>) -> Json<Page<SessionView>> {
    Json(Page::whole(surface.switch.sessions().await))
}
