//! The history of an agent: its versions, what changed between two, and the way back.
//!
//! A version never changes, and a rollback makes a new one, so a page of the history is never wrong for long. What is compared or gone back to are
//! the settings; who the agent is stays.

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tandem_domain::agent_version::{Difference, Origin, VersionNumber, diff};
use tandem_domain::port::store::{AgentRecord, KeptVersion};
use utoipa::{IntoParams, ToSchema};

use super::super::guard::Tenant;
use super::super::page::{self, Page};
use super::super::problem::Problem;
use super::super::turns::PageQuery;
use super::described::{Agent, Settings};
use super::editor::{Editor, Seen, live, unless_unchanged};
use super::which::{Which, kept, no_such_version, number};
use super::{AgentPath, find, find_with, read, shown, tagged};

/// A version, without its settings.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgentVersion)]
pub(in crate::http) struct Entry {
    version: u32,
    /// `created`, `edited`, `published` or `rolled_back`.
    origin: &'static str,
    /// The version that was gone back to.
    rolled_back_to: Option<u32>,
    /// Who made it, such as `user:17`; empty where that is not known.
    changed_by: String,
    created_at: DateTime<Utc>,
    /// Callers meet it.
    live: bool,
}

/// A version with its settings.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgentVersionDetail)]
pub(in crate::http) struct Detail {
    #[serde(flatten)]
    entry: Entry,
    /// All settings by name, with defaults where nothing was set.
    #[schema(value_type = Settings)]
    settings: Value,
}

/// What changed between two.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgentDifferences)]
pub(in crate::http) struct Differences {
    /// Number of the version; `null` for the draft.
    from: Option<u32>,
    /// Number of the version; `null` for the draft.
    to: Option<u32>,
    /// Setting by setting; members of objects and switches each for themselves, long texts line by line.
    differences: Vec<Difference>,
}

impl Entry {
    fn of(kept: &KeptVersion, live: VersionNumber) -> Self {
        let version = &kept.version;
        let (origin, rolled_back_to) = match version.origin {
            Origin::Created => ("created", None),
            Origin::Edited => ("edited", None),
            Origin::Published => ("published", None),
            Origin::RolledBack { to } => ("rolled_back", Some(to.0)),
        };
        Self {
            version: version.number.0,
            origin,
            rolled_back_to,
            changed_by: kept.changed_by.clone(),
            created_at: kept.at,
            live: version.number == live,
        }
    }
}

/// The versions of an agent, newest first.
#[utoipa::path(
    get, path = "/api/agents/{id}/versions", operation_id = "list_agent_versions", tag = "agents",
    params(("id" = String, Path, description = "number, UUID or name"), PageQuery),
    responses((status = OK, body = Page<Entry>)),
)]
pub(in crate::http) async fn list(
    Tenant(surface): Tenant,
    id: AgentPath,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<Page<Entry>>, Problem> {
    let record = find(&surface, id).await?;
    let asked = PageQuery::read(query, format!("agent versions {}", record.identity.id.0))?;
    let before = asked.after.map(|shown| VersionNumber(u32::try_from(shown).unwrap_or(u32::MAX)));
    let rows = surface.agents.versions(record.identity, before, asked.rows()).await?;
    let rows = rows.iter().map(|kept| Entry::of(kept, record.live)).collect();
    Ok(Json(asked.page(rows, |entry: &Entry| page::of_row(entry.version.into()))))
}

/// One version with its settings.
#[utoipa::path(
    get, path = "/api/agents/{id}/versions/{version}", operation_id = "get_agent_version", tag = "agents",
    params(
        ("id" = String, Path, description = "number, UUID or name"),
        ("version" = String, Path, description = "its number"),
    ),
    responses(
        (status = OK, body = Detail, description = "the version; `ETag`"),
        (status = 304, description = "it is the one of `If-None-Match`"),
    ),
)]
pub(in crate::http) async fn detail(
    Tenant(surface): Tenant,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (record, text) = find_with(&surface, path).await?;
    let kept = kept(&surface, &record, number(&text).ok_or_else(no_such_version)?).await?;
    let settings = Value::Object(kept.version.settings.shown());
    Ok(read(&headers, json!(Detail { entry: Entry::of(&kept, record.live), settings })))
}

/// Which two are compared.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct DiffQuery {
    /// Number of a version, `live` or `draft`.
    #[param(default = "live")]
    from: Option<String>,
    /// Number of a version, `live` or `draft`.
    #[param(default = "draft")]
    to: Option<String>,
}

/// What changed between two versions of an agent, or would change if its draft were published.
#[utoipa::path(
    get, path = "/api/agents/{id}/diff", operation_id = "compare_agent_versions", tag = "agents",
    params(("id" = String, Path, description = "number, UUID or name"), DiffQuery),
    responses((status = OK, body = Differences)),
)]
pub(in crate::http) async fn compare(
    Tenant(surface): Tenant,
    id: AgentPath,
    query: Result<Query<DiffQuery>, QueryRejection>,
) -> Result<Json<Differences>, Problem> {
    let Query(query) = query.map_err(|error| Problem::invalid("query", error.body_text()))?;
    let record = find(&surface, id).await?;
    let from = Which::read("from", query.from.as_deref(), Which::Live)?.of(&surface, &record).await?;
    let to = Which::read("to", query.to.as_deref(), Which::Draft)?.of(&surface, &record).await?;
    let number = |version: Option<VersionNumber>| version.map(|number| number.0);
    Ok(Json(Differences { from: number(from.0), to: number(to.0), differences: diff(&from.1, &to.1) }))
}

/// Makes the settings of an earlier version live again, as a new version. A draft stays, and has to be brought up to date.
#[utoipa::path(
    post, path = "/api/agents/{id}/versions/{version}/rollback", operation_id = "roll_agent_back", tag = "agents",
    params(
        ("id" = String, Path, description = "number, UUID or name"),
        ("version" = String, Path, description = "number of the version to go back to"),
        ("if-match" = Option<String>, Header, description = "the `ETag` of the agent"),
    ),
    responses(
        (status = OK, body = Agent, description = "the agent with all its settings; `ETag`"),
        (status = 409, body = super::super::problem::Body, content_type = "application/problem+json", description = "its name of then is another agent's by now, or the server needs its present one"),
    ),
)]
pub(in crate::http) async fn roll_back(
    editor: Editor,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, Problem> {
    let (found, text) = find_with(&editor.surface, path).await?;
    let old = kept(&editor.surface, &found, number(&text).ok_or_else(no_such_version)?).await?.version;
    let decide = |record: &AgentRecord| unless_unchanged(live(record).rolled_back(&old));
    let record = editor.change(found, Seen::agent, decide).await?;
    Ok(tagged(StatusCode::OK, shown(&record)))
}
