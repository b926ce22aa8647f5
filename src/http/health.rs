//! Whether the program is alive, ready for calls, and how its parts are. Answered to everybody; says nothing about callers.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tandem_domain::ids::BusinessId;
use utoipa::ToSchema;

use super::Surface;
use super::guard::Tenant;
use super::problem::Problem;

/// How one part is.
#[derive(Debug, Serialize, ToSchema)]
struct Component {
    /// `ok`, `draining`, `off` or `down`.
    status: &'static str,
    /// Which engine serves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    engine: Option<&'static str>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Components {
    database: Component,
    switch: Component,
    speech_to_text: Component,
    text_to_speech: Component,
    /// `down` while the disk takes none.
    recordings: Component,
}

/// The answer of `/health`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok` or `degraded`.
    status: &'static str,
    name: String,
    version: &'static str,
    components: Components,
}

/// How the parts are. 200 also when degraded, so that a monitor reads why; for routing decisions there is `/readyz`.
#[utoipa::path(
    get, path = "/health", operation_id = "get_health", tag = "operations",
    responses((status = OK, body = Health)),
)]
pub(super) async fn health(State(surface): State<Surface>) -> Json<Health> {
    let database = if surface.rows.ping().await.is_ok() { "ok" } else { "down" };
    let switch = if surface.switch.draining() { "draining" } else { "ok" };
    let recordings = match surface.switch.recordings() {
        recordings if !recordings.are_on() => "off",
        recordings if recordings.are_failing() => "down",
        _ => "ok",
    };
    Json(Health {
        status: if database == "ok" && switch == "ok" && recordings != "down" { "ok" } else { "degraded" },
        name: surface.app_name.to_string(),
        version: env!("CARGO_PKG_VERSION"),
        components: Components {
            database: Component { status: database, engine: Some(surface.engines.database) },
            switch: Component { status: switch, engine: None },
            speech_to_text: Component { status: "ok", engine: Some(surface.engines.stt) },
            text_to_speech: Component { status: "ok", engine: Some(surface.engines.tts) },
            recordings: Component { status: recordings, engine: None },
        },
    })
}

/// Whether the process answers. Asks nobody else: restarting us cures no other program.
#[utoipa::path(
    get, path = "/healthz", operation_id = "get_liveness", tag = "operations",
    responses((status = OK, body = String, content_type = "text/plain")),
)]
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// Whether new calls should be sent here.
#[utoipa::path(
    get, path = "/readyz", operation_id = "get_readiness", tag = "operations",
    responses((status = OK, body = String, content_type = "text/plain")),
)]
pub(super) async fn ready(State(surface): State<Surface>) -> Result<&'static str, Problem> {
    if surface.switch.draining() {
        return Err(Problem::unavailable("draining: running calls finish, new ones are not taken", 30));
    }
    surface.rows.ping().await?;
    if let Some((why, since)) = surface.switch.spool().stuck {
        let detail = format!("degraded: records wait for the database for {} s ({why}); calls go on", since.as_secs());
        return Err(Problem::unavailable(detail, 5));
    }
    if surface.switch.recordings().are_failing() {
        let detail = "degraded: the disk takes no recordings, calls go on; make room in DATA_DIR/recordings";
        return Err(Problem::unavailable(detail, 30));
    }
    Ok("ready\n")
}

/// Metrics, in the text form of Prometheus.
#[utoipa::path(
    get, path = "/metrics", operation_id = "get_metrics", tag = "operations",
    responses(
        (status = OK, body = String, content_type = "text/plain"),
        (status = 404, body = super::problem::Body, content_type = "application/problem+json", description = "asked by another business than the one that runs the server"),
    ),
)]
pub(super) async fn metrics(Tenant(surface): Tenant) -> Result<Response, Problem> {
    // Figures of the whole process: they are of whoever runs it, and not of each business that it serves.
    if surface.business != BusinessId::FIRST {
        return Err(Problem::not_found("there is nothing at this address"));
    }
    let headers = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((StatusCode::OK, headers, surface.metrics.render()).into_response())
}
