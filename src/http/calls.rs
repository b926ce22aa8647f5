//! Calls as the carrier knows them, read only: who called whom, how it ended. What was said is the conversation's.
//!
//! `{id}` is the number or UUID of a call, or the carrier's id of it (R14).

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use tandem_domain::port::store::{CallSession, RowKey};
use tandem_domain::record::CallStatus;

use super::Surface;
use super::guard::Tenant;
use super::listing::ListQuery;
use super::page::{self, Page};
use super::problem::Problem;

/// States of a call (api-inventory section 7).
const STATES: [CallStatus; 9] = [
    CallStatus::Queued,
    CallStatus::Initiated,
    CallStatus::Ringing,
    CallStatus::InProgress,
    CallStatus::Completed,
    CallStatus::Busy,
    CallStatus::NoAnswer,
    CallStatus::Failed,
    CallStatus::Canceled,
];

/// Calls, newest first.
#[utoipa::path(
    get, path = "/api/calls", operation_id = "list_calls", tag = "calls", params(ListQuery),
    responses((status = OK, body = Page<CallSession>)),
)]
pub(super) async fn list(
    Tenant(surface): Tenant,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Page<CallSession>>, Problem> {
    let Query(query) = query.map_err(|error| Problem::invalid("query", error.body_text()))?;
    let (asked, listing) = query.read("calls", &STATES.map(CallStatus::as_str))?;
    let rows = surface.rows.calls(surface.business, listing).await?;
    Ok(Json(asked.page(rows, |call| page::of_row(call.id))))
}

/// One call.
#[utoipa::path(
    get, path = "/api/calls/{id}", operation_id = "get_call", tag = "calls",
    params(("id" = String, Path, description = "number, UUID, or the carrier's id")),
    responses((status = OK, body = CallSession)),
)]
pub(super) async fn detail(
    Tenant(surface): Tenant,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<CallSession>, Problem> {
    find(&surface, id).await.map(Json)
}

/// The call that a path names.
pub(super) async fn find(surface: &Surface, id: Result<Path<String>, PathRejection>) -> Result<CallSession, Problem> {
    let Path(id) = id.map_err(|error| Problem::invalid("id", error.body_text()))?;
    let call = surface.rows.call(surface.business, RowKey::parse(&id)).await?;
    call.ok_or_else(|| Problem::not_found("there is no such call"))
}
