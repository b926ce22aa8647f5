//! Agents: made, read, changed and deleted (E1, E37, R2).
//!
//! ```text
//! GET  /api/agents                 a page of them         POST   /api/agents, /api/agents/create/   201, the agent
//! GET  /api/agents/{id}            one, with its ETag     PATCH  /api/agents/{id}                   what it names changes; If-Match holds or 412
//! GET  /api/agents/{name}/config   the same, whole        DELETE /api/agents/{id}                   204, and calls find it no more
//!
//! …/{id}/guardrails, system-tools, client-overrides, client-events, voice-config    groups: one group, read and replaced
//! …/{id}/languages/{code}                                                           languages: one row, read, replaced, removed
//! …/{id}/versions, versions/{version}, versions/{version}/rollback, diff            versions: the history, and the way back
//! …/{id}/draft, draft/rebase, draft/publish                                         draft: what no caller meets yet
//! …/{id}/prompt                                                                     prompt: what a model is told
//! /api/agents/management/{agent_id}/voice, calling                                  guide, voice_test: the shapes of an earlier service
//! ```
//!
//! `{id}` is an agent's number, UUID or name. The body of a change is a document of settings ([`tandem_domain::agent_settings`]): what does not fit
//! is answered with all faults at once, each with a JSON pointer, and nothing is changed. The next call meets a change, a call in progress does not.
//! Who changes is recorded, and what they have not seen is not undone ([`editor`]).

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value, json};
use tandem_domain::agent_settings::{AgentChange, Faults, Scope};
use tandem_domain::agent_version::VersionError;
use tandem_domain::etag::PreconditionError;
use tandem_domain::ids::AgentId;
use tandem_domain::needed_agents::StillNeeded;
use tandem_domain::port::store::{AgentRecord, RowKey};

use super::Surface;
use super::body;
use super::guard::Tenant;
use super::page::{self, Page};
use super::problem::Problem;
use super::tag::{read, tagged};
use super::turns::PageQuery;

mod described;
pub(super) mod draft;
mod editor;
pub(super) mod groups;
pub(super) mod guide;
pub(super) mod languages;
pub(super) mod prompt;
pub(super) mod versions;
pub(super) mod voice_test;
mod which;

use described::{Agent, New};
use editor::{Editor, Next, Seen};
pub(crate) use voice_test::VoiceTests;

/// The segment of a path that names an agent.
type AgentPath = Result<Path<String>, PathRejection>;

impl From<Faults> for Problem {
    fn from(faults: Faults) -> Self {
        let told = faults.told.iter().map(|fault| (fault.pointer.clone(), fault.wrong.to_string()));
        Self::invalid_body(told, faults.to_string())
    }
}

impl From<PreconditionError> for Problem {
    fn from(error: PreconditionError) -> Self {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::PRECONDITION_FAILED);
        Self::precondition(status, error.to_string())
    }
}

impl From<StillNeeded> for Problem {
    fn from(error: StillNeeded) -> Self {
        Self::conflict(error.to_string())
    }
}

impl From<VersionError> for Problem {
    fn from(error: VersionError) -> Self {
        Self::conflict(error.to_string())
    }
}

/// An agent as it is shown: what the server says of it, and all its settings.
pub(crate) fn shown(record: &AgentRecord) -> Value {
    let mut shown = Map::from_iter([
        ("id".to_owned(), json!(record.identity.id)),
        ("uuid".to_owned(), json!(record.identity.uuid)),
        ("business_id".to_owned(), json!(record.identity.business)),
        ("version".to_owned(), json!(record.live)),
        ("created_at".to_owned(), json!(record.created_at)),
        ("updated_at".to_owned(), json!(record.updated_at)),
    ]);
    shown.extend(record.settings.shown());
    Value::Object(shown)
}

/// Agents, oldest first.
#[utoipa::path(
    get, path = "/api/agents", operation_id = "list_agents", tag = "agents", params(PageQuery),
    responses((status = OK, body = Page<Agent>)),
)]
pub(super) async fn list(
    Tenant(surface): Tenant,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<Page<Value>>, Problem> {
    let asked = PageQuery::read(query, "agents".to_owned())?;
    let after = page::to_row(asked.after).map(AgentId);
    let rows = surface.agents.agents(surface.business, after, asked.rows()).await?;
    let rows = rows.iter().map(shown).collect();
    Ok(Json(asked.page(rows, |agent: &Value| page::of_row(agent["id"].as_i64().unwrap_or_default()))))
}

/// A new agent: a name, and whatever settings it shall have.
#[utoipa::path(
    post, path = "/api/agents", operation_id = "create_agent", tag = "agents", request_body = New,
    responses(
        (status = CREATED, body = Agent, description = "the agent with all its settings; `ETag`"),
        (status = 409, body = super::problem::Body, content_type = "application/problem+json", description = "another agent has this name"),
    ),
)]
pub(super) async fn create(editor: Editor, sent: Bytes) -> Result<Response, Problem> {
    let settings = AgentChange::read_new(&body::read(&sent)?, editor.surface.scope())?;
    Ok(tagged(StatusCode::CREATED, shown(&editor.create(settings).await?)))
}

fn name_taken() -> Problem {
    Problem::conflict("another agent of this business has this name, whatever its case: choose another")
}

/// One agent with all its settings.
#[utoipa::path(
    get, path = "/api/agents/{id}", operation_id = "get_agent", tag = "agents",
    params(("id" = String, Path, description = "number, UUID or name")),
    responses(
        (status = OK, body = Agent, description = "the agent with all its settings; `ETag`"),
        (status = 304, description = "it is the one of `If-None-Match`"),
    ),
)]
pub(super) async fn detail(Tenant(surface): Tenant, id: AgentPath, headers: HeaderMap) -> Result<Response, Problem> {
    let record = find(&surface, id).await?;
    Ok(read(&headers, shown(&record)))
}

/// One agent with all its settings, as workers fetch it.
#[utoipa::path(
    get, path = "/api/agents/{id}/config", operation_id = "get_agent_config", tag = "agents",
    params(("id" = String, Path, description = "name, number or UUID")),
    responses(
        (status = OK, body = Agent, description = "the agent with all its settings; `ETag`"),
        (status = 304, description = "it is the one of `If-None-Match`"),
    ),
)]
pub(super) async fn config(tenant: Tenant, id: AgentPath, headers: HeaderMap) -> Result<Response, Problem> {
    detail(tenant, id, headers).await
}

/// Changes the settings that the document names; `null` takes one back to its default. The next call meets the change.
///
/// With `If-Match`, only if nobody has changed the agent since: 412 otherwise.
#[utoipa::path(
    patch, path = "/api/agents/{id}", operation_id = "change_agent", tag = "agents", request_body = described::Change,
    params(
        ("id" = String, Path, description = "number, UUID or name"),
        ("if-match" = Option<String>, Header, description = "the `ETag` of what is changed"),
    ),
    responses(
        (status = OK, body = Agent, description = "the agent with all its settings; `ETag`"),
        (status = 409, body = super::problem::Body, content_type = "application/problem+json", description = "another agent has this name, or the server needs this one by its old name"),
    ),
)]
pub(super) async fn edit(editor: Editor, id: AgentPath, sent: Bytes) -> Result<Response, Problem> {
    let found = find(&editor.surface, id).await?;
    let wanted = AgentChange::read(&body::read(&sent)?, editor.surface.scope())?;
    let record = editor.edit(found, Seen::agent, &wanted).await?;
    Ok(tagged(StatusCode::OK, shown(&record)))
}

/// Deletes an agent. Calls find it no more, those in progress keep it, its name is free, and what was said in its calls stays.
///
/// Refused for one that the server needs: that of DEFAULT_AGENT, those of NUMBER_AGENTS, and the one that playbooks' agents are built on.
#[utoipa::path(
    delete, path = "/api/agents/{id}", operation_id = "delete_agent", tag = "agents",
    params(
        ("id" = String, Path, description = "number, UUID or name"),
        ("if-match" = Option<String>, Header, description = "the `ETag` of what is deleted"),
    ),
    responses(
        (status = NO_CONTENT, description = "it is gone"),
        (status = 409, body = super::problem::Body, content_type = "application/problem+json", description = "the server needs it"),
    ),
)]
pub(super) async fn delete(editor: Editor, id: AgentPath) -> Result<StatusCode, Problem> {
    let found = find(&editor.surface, id).await?;
    editor.change(found, Seen::agent, |_| Ok(Some(Next::Gone))).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn no_such_agent() -> Problem {
    Problem::not_found("there is no such agent")
}

/// The agent that a path names.
async fn find(surface: &Surface, id: AgentPath) -> Result<AgentRecord, Problem> {
    let Path(id) = id.map_err(|error| Problem::invalid("id", error.body_text()))?;
    named(surface, &id).await
}

async fn named(surface: &Surface, id: &str) -> Result<AgentRecord, Problem> {
    let found = surface.agents.agent_record(surface.business, RowKey::parse(id)).await?;
    found.ok_or_else(no_such_agent)
}

/// The agent that a path names first, and what it names behind that.
async fn find_with(
    surface: &Surface,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<(AgentRecord, String), Problem> {
    let Path((id, rest)) = path.map_err(|error| Problem::invalid("id", error.body_text()))?;
    Ok((named(surface, &id).await?, rest))
}

impl Surface {
    /// Where a document of settings stands.
    fn scope(&self) -> Scope<'static> {
        Scope { region: self.region, ..Scope::default() }
    }
}
