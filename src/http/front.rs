//! The front door, for people who open the printed URL, and what is behind no door.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Surface;
use super::problem::Problem;

/// What `/` answers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Front {
    name: String,
    version: &'static str,
    see: [&'static str; 8],
}

/// Where to go from here.
#[utoipa::path(
    get, path = "/", operation_id = "get_front", tag = "interface",
    responses((status = OK, body = Front)),
)]
pub(super) async fn page(State(surface): State<Surface>) -> Json<Front> {
    Json(Front {
        name: surface.app_name.to_string(),
        version: env!("CARGO_PKG_VERSION"),
        see: [
            "/talk",
            "/health",
            "/openapi.json",
            "/api/calls",
            "/api/conversations",
            "/debug/sessions",
            "/metrics",
            "/media",
        ],
    })
}

/// Any address that is none of ours.
pub(super) async fn nothing_here() -> Problem {
    Problem::not_found("there is nothing at this address")
}
