//! The front door, for people who open the printed URL, and what is behind no door.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::Surface;
use super::problem::Problem;

/// What `/` answers.
#[derive(Debug, Serialize)]
pub(super) struct Front {
    name: String,
    version: &'static str,
    see: [&'static str; 6],
}

/// `GET /`: where to go from here.
pub(super) async fn page(State(surface): State<Surface>) -> Json<Front> {
    Json(Front {
        name: surface.app_name.to_string(),
        version: env!("CARGO_PKG_VERSION"),
        see: ["/talk", "/health", "/api/conversations", "/debug/sessions", "/metrics", "/media"],
    })
}

/// Any address that is none of ours.
pub(super) async fn nothing_here() -> Problem {
    Problem::not_found("there is nothing at this address")
}
