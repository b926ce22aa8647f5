//! What the model of an agent is told, section by section as it is assembled, without a call.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tandem_domain::agent_settings::catalogue;
use tandem_domain::caller::CallFacts;
use tandem_domain::prompt::{Assembled, for_call};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::guard::Tenant;
use super::super::problem::Problem;
use super::which::Which;
use super::{AgentPath, find, read};

/// Whose prompt.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct PromptQuery {
    /// Number of a version, `live` or `draft`.
    #[param(default = "live")]
    version: Option<String>,
}

/// A prompt, and what its variables are.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgentPrompt)]
pub(in crate::http) struct Preview {
    /// The agent's UUID.
    agent_id: Uuid,
    /// Its name there.
    agent_name: String,
    /// Number of the version; `null` for the draft.
    version: Option<u32>,
    /// The playbook that leads its conversations: then no model is told this. `null` where a model leads.
    playbook: Option<String>,
    #[serde(flatten)]
    prompt: Assembled,
}

/// What a model is told when a call begins, before anything is known of that call.
///
/// Variables of the agent and its business are filled in; those that calls bring stay as they are written, and so do those that nobody knows.
#[utoipa::path(
    get, path = "/api/agents/{id}/prompt", operation_id = "preview_agent_prompt", tag = "agents",
    params(("id" = String, Path, description = "number, UUID or name"), PromptQuery),
    responses(
        (status = OK, body = Preview, description = "the prompt and its sections; `ETag`"),
        (status = 304, description = "it is the one of `If-None-Match`"),
    ),
)]
pub(in crate::http) async fn preview(
    Tenant(surface): Tenant,
    id: AgentPath,
    query: Result<Query<PromptQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|error| Problem::invalid("query", error.body_text()))?;
    let record = find(&surface, id).await?;
    let (version, set) = Which::read("version", query.version.as_deref(), Which::Live)?.of(&surface, &record).await?;
    let (name, language) = (set.name(), set.text(&catalogue::DEFAULT_LANGUAGE));
    let preview = Preview {
        agent_id: record.identity.uuid,
        version: version.map(|number| number.0),
        playbook: Some(set.text(&catalogue::PLAYBOOK)).filter(|playbook| !playbook.is_empty()),
        prompt: for_call(&name, &language, &set.script(), &CallFacts::default()),
        agent_name: name,
    };
    Ok(read(&headers, json!(preview)))
}
