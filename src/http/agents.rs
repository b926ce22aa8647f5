//! Agents: made, read and changed (E1, E37, R2).
//!
//! ```text
//! GET  /api/agents                 a page of them         POST  /api/agents, /api/agents/create/   201, the agent
//! GET  /api/agents/{id}            one, with its ETag     PATCH /api/agents/{id}                   what it names changes; If-Match holds or 412
//! GET  /api/agents/{name}/config   the same, whole
//! ```
//!
//! `{id}` is an agent's number, UUID or name. The body of a change is a document of settings ([`tandem_domain::agent_settings`]): what does not fit
//! is answered with all faults at once, each with a JSON pointer, and nothing is changed. The next call meets a change, a call in progress does not.
//! Not here: drafts, versions and the way back, which the store keeps already; the guide's shapes; deleting.

use std::net::SocketAddr;

use axum::body::Bytes;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{ConnectInfo, Path, Query};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Map, Value, json};
use tandem_access::audit::{self, Action, Origin, Record, Resource, Who};
use tandem_access::policy::Principal;
use tandem_actors::clock;
use tandem_domain::agent_settings::{AgentChange, Faults, Scope};
use tandem_domain::agent_version::{Origin as VersionOrigin, Version, VersionError};
use tandem_domain::etag::{Etag, PreconditionError, Unseen, is_fresh, may_change};
use tandem_domain::ids::AgentId;
use tandem_domain::port::store::{AgentRecord, Change, Kept, RowKey};
use uuid::Uuid;

use super::Surface;
use super::body;
use super::guard::Tenant;
use super::page::{self, Page};
use super::problem::Problem;
use super::turns::PageQuery;

/// How often a change that nobody asked to be judged is made anew because somebody else was faster.
const TRIES: usize = 5;

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

fn answer(status: StatusCode, record: &AgentRecord) -> Response {
    let shown = shown(record);
    let tag = Etag::of(&shown).to_string();
    (status, [(header::ETAG, tag)], Json(shown)).into_response()
}

/// Who makes a change, and its record: what was, and what is.
fn change(
    asking: &Asking,
    action: Action,
    agent: Uuid,
    before: Option<Map<String, Value>>,
    after: Map<String, Value>,
) -> Change {
    let (at, principal) = (clock::utc(), &asking.principal);
    let by = match principal {
        Principal::User { user, .. } => format!("user:{}", user.0),
        Principal::Key { key, .. } => format!("key:{key}"),
        Principal::Local => "local".to_owned(),
        Principal::Cli { .. } => "cli".to_owned(),
    };
    let record = Record {
        at,
        business: principal.business(),
        who: Who::from(principal),
        from: asking.from.clone(),
        action,
        resource: Resource { kind: "agent".to_owned(), id: agent.to_string() },
        changes: audit::changes(before.map(Value::Object).as_ref(), Some(&Value::Object(after))),
    };
    Change { by, at, audit: (&record).into() }
}

/// Who asks, and from where.
struct Asking {
    principal: Principal,
    from: Origin,
}

impl Asking {
    fn new(principal: Principal, peer: SocketAddr, headers: &HeaderMap) -> Self {
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        Self { principal, from: Origin::new(Some(peer.ip().to_canonical()), agent, None) }
    }
}

/// Agents, oldest first.
#[utoipa::path(
    get, path = "/api/agents", operation_id = "list_agents", tag = "agents", params(PageQuery),
    responses((status = OK, body = Page<Value>)),
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
    post, path = "/api/agents", operation_id = "create_agent", tag = "agents", request_body = Value,
    responses(
        (status = CREATED, body = Value, description = "the agent with all its settings; `ETag`"),
        (status = 409, body = super::problem::Body, content_type = "application/problem+json", description = "another agent has this name"),
    ),
)]
pub(super) async fn create(
    Tenant(surface): Tenant,
    Extension(principal): Extension<Principal>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    sent: Bytes,
) -> Result<Response, Problem> {
    let asking = Asking::new(principal, peer, &headers);
    let settings = AgentChange::read_new(&body::read(&sent)?, surface.scope())?;
    let uuid = Uuid::now_v7();
    let change = change(&asking, Action::Created, uuid, None, settings.stored());
    match surface.agents.create_agent(surface.business, uuid, Version::first(settings), change).await? {
        Kept::Done(record) => Ok(answer(StatusCode::CREATED, &record)),
        Kept::NameTaken | Kept::Raced => Err(name_taken()),
    }
}

fn name_taken() -> Problem {
    Problem::conflict("another agent of this business has this name, whatever its case: choose another")
}

/// One agent with all its settings.
#[utoipa::path(
    get, path = "/api/agents/{id}", operation_id = "get_agent", tag = "agents",
    params(("id" = String, Path, description = "number, UUID or name")),
    responses(
        (status = OK, body = Value, description = "the agent with all its settings; `ETag`"),
        (status = 304, description = "it is the one of `If-None-Match`"),
    ),
)]
pub(super) async fn detail(
    Tenant(surface): Tenant,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let record = find(&surface, id).await?;
    let tag = Etag::of(&shown(&record));
    if is_fresh(text(&headers, header::IF_NONE_MATCH), &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag.to_string())]).into_response());
    }
    Ok(answer(StatusCode::OK, &record))
}

/// One agent with all its settings, as workers fetch it.
#[utoipa::path(
    get, path = "/api/agents/{id}/config", operation_id = "get_agent_config", tag = "agents",
    params(("id" = String, Path, description = "name, number or UUID")),
    responses(
        (status = OK, body = Value, description = "the agent with all its settings; `ETag`"),
        (status = 304, description = "it is the one of `If-None-Match`"),
    ),
)]
pub(super) async fn config(
    tenant: Tenant,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    detail(tenant, id, headers).await
}

/// Changes the settings that the document names; `null` takes one back to its default. The next call meets the change.
///
/// With `If-Match`, only if nobody has changed the agent since: 412 otherwise.
#[utoipa::path(
    patch, path = "/api/agents/{id}", operation_id = "change_agent", tag = "agents", request_body = Value,
    params(("id" = String, Path, description = "number, UUID or name")),
    responses(
        (status = OK, body = Value, description = "the agent with all its settings; `ETag`"),
        (status = 409, body = super::problem::Body, content_type = "application/problem+json", description = "another agent has this name"),
        (status = 412, body = super::problem::Body, content_type = "application/problem+json", description = "somebody has changed it since"),
    ),
)]
pub(super) async fn edit(
    Tenant(surface): Tenant,
    Extension(principal): Extension<Principal>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    sent: Bytes,
) -> Result<Response, Problem> {
    let asking = Asking::new(principal, peer, &headers);
    let mut seen = find(&surface, id).await?;
    let wanted = AgentChange::read(&body::read(&sent)?, surface.scope())?;
    for _ in 0..TRIES {
        may_change(text(&headers, header::IF_MATCH), Some(&Etag::of(&shown(&seen))), Unseen::Allowed)?;
        let live = Version { number: seen.live, origin: VersionOrigin::Edited, settings: seen.settings.clone() };
        let next = match live.edited(&wanted) {
            Ok(next) => next,
            Err(VersionError::Unchanged(_) | VersionError::Outdated { .. } | VersionError::Conflict { .. }) => {
                return Ok(answer(StatusCode::OK, &seen));
            }
        };
        let (before, after) = (live.settings.stored(), next.settings.stored());
        let change = change(&asking, Action::Updated, seen.identity.uuid, Some(before), after);
        let key = RowKey::Number(seen.identity.id.0);
        match surface.agents.save_agent(seen, next, change).await? {
            Kept::Done(record) => return Ok(answer(StatusCode::OK, &record)),
            Kept::NameTaken => return Err(name_taken()),
            // Judged anew: what it names still goes on top of what others did, unless If-Match says otherwise.
            Kept::Raced => {
                let again = surface.agents.agent_record(surface.business, key).await?;
                seen = again.ok_or_else(no_such_agent)?;
            }
        }
    }
    Err(Problem::unavailable("others are changing this agent at the same time", 1))
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    // One that cannot be read holds nothing: it must not count as none.
    headers.get(name).map(|value| value.to_str().unwrap_or_default())
}

fn no_such_agent() -> Problem {
    Problem::not_found("there is no such agent")
}

async fn find(surface: &Surface, id: Result<Path<String>, PathRejection>) -> Result<AgentRecord, Problem> {
    let Path(id) = id.map_err(|error| Problem::invalid("id", error.body_text()))?;
    let found = surface.agents.agent_record(surface.business, RowKey::parse(&id)).await?;
    found.ok_or_else(no_such_agent)
}

impl Surface {
    /// Where a document of settings stands.
    fn scope(&self) -> Scope<'static> {
        Scope { region: self.region, ..Scope::default() }
    }
}
