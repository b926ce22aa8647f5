//! A conversation by its caller's turns, each with what the agent answered (E33, E34). The opening and reprompts answer no turn: they are
//! in the transcript alone.

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use serde::Deserialize;
use tandem_domain::port::store::{RowKey, StoredTurn};
use utoipa::IntoParams;

use super::conversations;
use super::guard::Tenant;
use super::page::{self, Asked, Page};
use super::problem::Problem;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// Items of one page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    limit: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl PageQuery {
    /// Reads the query of the list `scope`, which has no filters.
    pub(super) fn read(query: Result<Query<Self>, QueryRejection>, scope: String) -> Result<Asked, Problem> {
        let Query(query) = query.map_err(|error| Problem::invalid("query", error.body_text()))?;
        Asked::read(query.limit.as_deref(), query.cursor.as_deref(), scope)
    }
}

/// The caller's turns with the agent's answers, in the order they were spoken.
#[utoipa::path(
    get, path = "/api/conversations/{id}/turns", operation_id = "list_turns", tag = "conversations",
    params(("id" = String, Path, description = "number or UUID of the conversation, or UUID or carrier's id of its call"), PageQuery),
    responses((status = OK, body = Page<StoredTurn>)),
)]
pub(super) async fn list(
    Tenant(surface): Tenant,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<Page<StoredTurn>>, Problem> {
    let id = id.map(|Path(id)| id).map_err(|error| Problem::invalid("id", error.body_text()))?;
    let conversation = conversations::find(&surface, &id).await?;
    let asked = PageQuery::read(query, format!("turns {}", conversation.id))?;
    let after = page::to_row(asked.after);
    let rows = surface.rows.turns(surface.business, conversation.id, after, asked.rows()).await?;
    Ok(Json(asked.page(rows, |turn| page::of_row(turn.order_index))))
}

/// One turn of the caller with the agent's answers.
#[utoipa::path(
    get, path = "/api/conversations/{id}/turns/{turn_id}", operation_id = "get_turn", tag = "conversations",
    params(
        ("id" = String, Path, description = "number or UUID of the conversation, or UUID or carrier's id of its call"),
        ("turn_id" = String, Path, description = "number or UUID of the turn"),
    ),
    responses((status = OK, body = StoredTurn)),
)]
pub(super) async fn detail(
    Tenant(surface): Tenant,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Json<StoredTurn>, Problem> {
    let Path((id, turn)) = path.map_err(|error| Problem::invalid("id", error.body_text()))?;
    let conversation = conversations::find(&surface, &id).await?;
    let turn = surface.rows.turn(surface.business, conversation.id, RowKey::parse(&turn)).await?;
    turn.map(Json).ok_or_else(|| Problem::not_found("there is no such turn in this conversation"))
}
