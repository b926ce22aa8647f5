//! The draft of an agent: settings that are being written and that no caller meets until they are published.
//!
//! ```text
//! PATCH …/draft          begins one on the live version, or changes it     GET …/draft      what is written so far
//! POST  …/draft/rebase   on what others have made live since               DELETE …/draft   thrown away
//! POST  …/draft/publish  live, for the next call                           GET …/diff       what publishing would change
//! ```
//!
//! One draft an agent, shared by its editors: `If-Match` keeps them from undoing each other. The decisions are [`tandem_domain::agent_version`]'s.

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value, json};
use tandem_domain::agent_settings::AgentChange;
use tandem_domain::agent_version::{Draft, Version, VersionError};
use tandem_domain::etag::{Etag, Unseen};
use tandem_domain::port::store::AgentRecord;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::body;
use super::super::guard::Tenant;
use super::super::problem::Problem;
use super::described::{Agent, Change, Settings};
use super::editor::{Editor, Next, Seen, live};
use super::{AgentPath, find, read, shown, tagged};

/// A draft.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgentDraft)]
pub(in crate::http) struct Shown {
    /// The agent's UUID.
    agent_id: Uuid,
    /// The version that was live when it was begun, or last brought up to date.
    based_on: u32,
    /// The version that is live now.
    live_version: u32,
    /// They are the same: it may be published.
    up_to_date: bool,
    /// All settings by name, with defaults where nothing was set.
    #[schema(value_type = Settings)]
    settings: Value,
}

impl Shown {
    fn of(record: &AgentRecord) -> Option<Value> {
        let draft = record.draft.as_ref()?;
        Some(json!(Self {
            agent_id: record.identity.uuid,
            based_on: draft.based_on.0,
            live_version: record.live.0,
            up_to_date: draft.based_on == record.live,
            settings: Value::Object(draft.settings.shown()),
        }))
    }
}

/// There is nothing at this address.
pub(super) fn no_draft() -> Problem {
    Problem::not_found("this agent has no draft; PATCH …/draft begins one")
}

fn seen(record: &AgentRecord) -> Seen {
    Seen { own: Shown::of(record).as_ref().map(Etag::of), in_agent: false, unseen: Unseen::Allowed }
}

fn answer(record: &AgentRecord) -> Result<Response, Problem> {
    Shown::of(record).map(|draft| tagged(StatusCode::OK, draft)).ok_or_else(no_draft)
}

/// What is written so far.
#[utoipa::path(
    get, path = "/api/agents/{id}/draft", operation_id = "get_agent_draft", tag = "agents",
    params(("id" = String, Path, description = "number, UUID or name")),
    responses(
        (status = OK, body = Shown, description = "the draft; `ETag`"),
        (status = 304, description = "it is the one of `If-None-Match`"),
    ),
)]
pub(in crate::http) async fn detail(
    Tenant(surface): Tenant,
    id: AgentPath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let record = find(&surface, id).await?;
    Ok(read(&headers, Shown::of(&record).ok_or_else(no_draft)?))
}

/// Changes the settings that the document names, in the draft alone; `null` takes one back to its default. Without a draft one is begun.
#[utoipa::path(
    patch, path = "/api/agents/{id}/draft", operation_id = "change_agent_draft", tag = "agents", request_body = Change,
    params(
        ("id" = String, Path, description = "number, UUID or name"),
        ("if-match" = Option<String>, Header, description = "the `ETag` of the draft; of the agent where a draft is begun"),
    ),
    responses((status = OK, body = Shown, description = "the draft; `ETag`")),
)]
pub(in crate::http) async fn edit(editor: Editor, id: AgentPath, sent: Bytes) -> Result<Response, Problem> {
    let found = find(&editor.surface, id).await?;
    let wanted = AgentChange::read(&body::read(&sent)?, editor.surface.scope())?;
    let decide = |record: &AgentRecord| {
        let draft = record.draft.clone().unwrap_or_else(|| live(record).draft()).edited(&wanted);
        Ok(unless_the_same(record, draft))
    };
    answer(&editor.change(found, seen, decide).await?)
}

/// Throws the draft away.
#[utoipa::path(
    delete, path = "/api/agents/{id}/draft", operation_id = "delete_agent_draft", tag = "agents",
    params(
        ("id" = String, Path, description = "number, UUID or name"),
        ("if-match" = Option<String>, Header, description = "the `ETag` of the draft"),
    ),
    responses((status = NO_CONTENT, description = "it is gone")),
)]
pub(in crate::http) async fn delete(editor: Editor, id: AgentPath) -> Result<StatusCode, Problem> {
    let found = find(&editor.surface, id).await?;
    let decide = |record: &AgentRecord| record.draft.as_ref().map(|_| Some(Next::Draft(None))).ok_or_else(no_draft);
    editor.change(found, seen, decide).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Brings the draft up to date: what it changed, on top of what others have made live since it was begun.
///
/// Settings that both have changed, each in its own way, are named by a 409; sent along, as they shall be, they are decided.
#[utoipa::path(
    post, path = "/api/agents/{id}/draft/rebase", operation_id = "rebase_agent_draft", tag = "agents", request_body = Option<Change>,
    params(
        ("id" = String, Path, description = "number, UUID or name"),
        ("if-match" = Option<String>, Header, description = "the `ETag` of the draft"),
    ),
    responses(
        (status = OK, body = Shown, description = "the draft; `ETag`"),
        (status = 409, body = super::super::problem::Body, content_type = "application/problem+json", description = "both have changed the settings that `detail` names, or the version that it was begun on is not kept"),
    ),
)]
pub(in crate::http) async fn rebase(editor: Editor, id: AgentPath, sent: Bytes) -> Result<Response, Problem> {
    let found = find(&editor.surface, id).await?;
    let decided = match sent.is_empty() {
        true => AgentChange::default(),
        false => AgentChange::read(&body::read(&sent)?, editor.surface.scope())?,
    };
    let base = base_of(&editor, &found).await?;
    let decide = |record: &AgentRecord| {
        let draft = record.draft.as_ref().ok_or_else(no_draft)?;
        if draft.based_on != base.number {
            return Err(Problem::conflict("somebody has just brought the draft up to date: read it again"));
        }
        Ok(unless_the_same(record, draft.brought_up_to_date(&base, &live(record), &decided)?))
    };
    answer(&editor.change(found, seen, decide).await?)
}

/// Makes the draft live: the next call meets it, calls in progress keep what they began with. The draft is gone.
#[utoipa::path(
    post, path = "/api/agents/{id}/draft/publish", operation_id = "publish_agent_draft", tag = "agents",
    params(
        ("id" = String, Path, description = "number, UUID or name"),
        ("if-match" = Option<String>, Header, description = "the `ETag` of the draft"),
    ),
    responses(
        (status = OK, body = Agent, description = "the agent with all its settings; `ETag`"),
        (status = 409, body = super::super::problem::Body, content_type = "application/problem+json", description = "others have changed the agent since the draft was begun, another agent has its new name, or the server needs it by its old one"),
    ),
)]
pub(in crate::http) async fn publish(editor: Editor, id: AgentPath) -> Result<Response, Problem> {
    let found = find(&editor.surface, id).await?;
    let decide = |record: &AgentRecord| match live(record).published(record.draft.clone().ok_or_else(no_draft)?) {
        Ok(version) => Ok(Some(Next::Live(version))),
        // It says what is live already: then there is nothing left to write.
        Err(VersionError::Unchanged(_)) => Ok(Some(Next::Draft(None))),
        Err(error) => Err(error.into()),
    };
    let record = editor.change(found, seen, decide).await?;
    Ok(tagged(StatusCode::OK, shown(&record)))
}

fn unless_the_same(record: &AgentRecord, draft: Draft) -> Option<Next> {
    (record.draft.as_ref() != Some(&draft)).then_some(Next::Draft(Some(draft)))
}

/// The version that the draft was begun on.
async fn base_of(editor: &Editor, record: &AgentRecord) -> Result<Version, Problem> {
    let based_on = record.draft.as_ref().ok_or_else(no_draft)?.based_on;
    if based_on == record.live {
        return Ok(live(record));
    }
    let kept = editor.surface.agents.version(record.identity, based_on).await?;
    kept.map(|kept| kept.version).ok_or_else(|| {
        Problem::conflict(format!(
            "version {based_on}, on which the draft was begun, is not kept any more: note what it changes, delete it and begin anew"
        ))
    })
}
