//! Groups of an agent's settings at addresses of their own, read and replaced as a whole.
//!
//! `PUT` says all of its group: what it leaves out goes back to its default. So it undoes what it has not seen, and has to show by `If-Match` that
//! it has: 428 without, `*` for whatever is there.

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::Value;
use tandem_domain::agent_settings::{AgentChange, AgentSettings, Faults, Group, Scope, Setting, catalogue};
use tandem_domain::etag::{Etag, Unseen};
use tandem_domain::port::store::AgentRecord;

use super::super::body;
use super::super::guard::Tenant;
use super::super::problem::Problem;
use super::described::{
    ClientEvents, ClientOverrides, Guardrails, SentClientEvents, SentClientOverrides, SentGuardrails, SentSystemTools,
    SentVoiceConfig, SystemTools, VoiceConfig,
};
use super::editor::{Editor, Seen};
use super::{AgentPath, find, read, tagged};

/// What stands at one address.
#[derive(Clone, Copy)]
enum Part {
    /// One setting; the document is its value.
    One(&'static Setting),
    /// A group; the document is an object of its settings.
    All(Group),
}

const GUARDRAILS: Part = Part::One(&catalogue::GUARDRAILS);
const SYSTEM_TOOLS: Part = Part::One(&catalogue::SYSTEM_TOOLS);
const CLIENT_OVERRIDES: Part = Part::One(&catalogue::CLIENT_OVERRIDE_KEYS);
const CLIENT_EVENTS: Part = Part::One(&catalogue::CLIENT_EVENTS);
const VOICE_CONFIG: Part = Part::All(Group::VoiceConfig);

impl Part {
    fn shown(self, settings: &AgentSettings) -> Value {
        match self {
            Self::One(setting) => settings.value(setting).map_or(Value::Null, |value| value.shown(setting)),
            Self::All(group) => Value::Object(settings.shown_group(group)),
        }
    }

    fn change(self, document: &Value, scope: Scope<'_>) -> Result<AgentChange, Faults> {
        match self {
            Self::One(setting) => AgentChange::read_setting(setting, document, scope),
            Self::All(group) => AgentChange::read_group(group, document, scope),
        }
    }

    async fn read(self, Tenant(surface): Tenant, id: AgentPath, headers: &HeaderMap) -> Result<Response, Problem> {
        let record = find(&surface, id).await?;
        Ok(read(headers, self.shown(&record.settings)))
    }

    async fn replace(self, editor: Editor, id: AgentPath, sent: Bytes) -> Result<Response, Problem> {
        let found = find(&editor.surface, id).await?;
        let change = self.change(&body::read(&sent)?, editor.surface.scope())?;
        let seen = |record: &AgentRecord| Seen { own: Some(self.tag(record)), in_agent: true, unseen: Unseen::Refused };
        let record = editor.edit(found, seen, &change).await?;
        Ok(tagged(StatusCode::OK, self.shown(&record.settings)))
    }

    fn tag(self, record: &AgentRecord) -> Etag {
        Etag::of(&self.shown(&record.settings))
    }
}

/// What the agent must not do, each on or off.
#[utoipa::path(
    get, path = "/api/agents/{id}/guardrails", operation_id = "get_agent_guardrails", tag = "agents",
    params(("id" = String, Path, description = "number, UUID or name")),
    responses(
        (status = OK, body = Guardrails, description = "all guardrails, each true or false; `ETag`"),
        (status = 304, description = "they are those of `If-None-Match`"),
    ),
)]
pub(in crate::http) async fn guardrails(
    tenant: Tenant,
    id: AgentPath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    GUARDRAILS.read(tenant, id, &headers).await
}

/// Says which guardrails are on: an object of true and false, a list of those that are on, or rows of `guardrail_key` and `enabled`.
#[utoipa::path(
    put, path = "/api/agents/{id}/guardrails", operation_id = "replace_agent_guardrails", tag = "agents", request_body = SentGuardrails,
    params(
        ("id" = String, Path, description = "number, UUID or name"),
        ("if-match" = String, Header, description = "the `ETag` of what is replaced, or of the agent; `*` for whatever is there"),
    ),
    responses((status = OK, body = Guardrails, description = "all guardrails, each true or false; `ETag`")),
)]
pub(in crate::http) async fn replace_guardrails(
    editor: Editor,
    id: AgentPath,
    sent: Bytes,
) -> Result<Response, Problem> {
    GUARDRAILS.replace(editor, id, sent).await
}

/// What the agent may do itself, each on or off.
#[utoipa::path(
    get, path = "/api/agents/{id}/system-tools", operation_id = "get_agent_system_tools", tag = "agents",
    params(("id" = String, Path, description = "number, UUID or name")),
    responses(
        (status = OK, body = SystemTools, description = "all system tools, each true or false; `ETag`"),
        (status = 304, description = "they are those of `If-None-Match`"),
    ),
)]
pub(in crate::http) async fn system_tools(
    tenant: Tenant,
    id: AgentPath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    SYSTEM_TOOLS.read(tenant, id, &headers).await
}

/// Says which system tools are on: an object of true and false, a list of those that are on, or rows of `tool_key` and `enabled`.
#[utoipa::path(
    put, path = "/api/agents/{id}/system-tools", operation_id = "replace_agent_system_tools", tag = "agents", request_body = SentSystemTools,
    params(
        ("id" = String, Path, description = "number, UUID or name"),
        ("if-match" = String, Header, description = "the `ETag` of what is replaced, or of the agent; `*` for whatever is there"),
    ),
    responses((status = OK, body = SystemTools, description = "all system tools, each true or false; `ETag`")),
)]
pub(in crate::http) async fn replace_system_tools(
    editor: Editor,
    id: AgentPath,
    sent: Bytes,
) -> Result<Response, Problem> {
    SYSTEM_TOOLS.replace(editor, id, sent).await
}

/// What a page may change for its own talk.
#[utoipa::path(
    get, path = "/api/agents/{id}/client-overrides", operation_id = "get_agent_client_overrides", tag = "agents",
    params(("id" = String, Path, description = "number, UUID or name")),
    responses(
        (status = OK, body = ClientOverrides, description = "those that it may; `ETag`"),
        (status = 304, description = "they are those of `If-None-Match`"),
    ),
)]
pub(in crate::http) async fn client_overrides(
    tenant: Tenant,
    id: AgentPath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    CLIENT_OVERRIDES.read(tenant, id, &headers).await
}

/// Says what a page may change: a list, an object of true and false, or rows of `config_key` and `overridable`.
#[utoipa::path(
    put, path = "/api/agents/{id}/client-overrides", operation_id = "replace_agent_client_overrides", tag = "agents", request_body = SentClientOverrides,
    params(
        ("id" = String, Path, description = "number, UUID or name"),
        ("if-match" = String, Header, description = "the `ETag` of what is replaced, or of the agent; `*` for whatever is there"),
    ),
    responses((status = OK, body = ClientOverrides, description = "those that it may; `ETag`")),
)]
pub(in crate::http) async fn replace_client_overrides(
    editor: Editor,
    id: AgentPath,
    sent: Bytes,
) -> Result<Response, Problem> {
    CLIENT_OVERRIDES.replace(editor, id, sent).await
}

/// What a page is told during a talk.
#[utoipa::path(
    get, path = "/api/agents/{id}/client-events", operation_id = "get_agent_client_events", tag = "agents",
    params(("id" = String, Path, description = "number, UUID or name")),
    responses(
        (status = OK, body = ClientEvents, description = "the events that are sent; `ETag`"),
        (status = 304, description = "they are those of `If-None-Match`"),
    ),
)]
pub(in crate::http) async fn client_events(
    tenant: Tenant,
    id: AgentPath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    CLIENT_EVENTS.read(tenant, id, &headers).await
}

/// Says what a page is told: a list, an object of true and false, or rows of `event_key` and `enabled`.
#[utoipa::path(
    put, path = "/api/agents/{id}/client-events", operation_id = "replace_agent_client_events", tag = "agents", request_body = SentClientEvents,
    params(
        ("id" = String, Path, description = "number, UUID or name"),
        ("if-match" = String, Header, description = "the `ETag` of what is replaced, or of the agent; `*` for whatever is there"),
    ),
    responses((status = OK, body = ClientEvents, description = "the events that are sent; `ETag`")),
)]
pub(in crate::http) async fn replace_client_events(
    editor: Editor,
    id: AgentPath,
    sent: Bytes,
) -> Result<Response, Problem> {
    CLIENT_EVENTS.replace(editor, id, sent).await
}

/// The voice, in detail.
#[utoipa::path(
    get, path = "/api/agents/{id}/voice-config", operation_id = "get_agent_voice_config", tag = "agents",
    params(("id" = String, Path, description = "number, UUID or name")),
    responses(
        (status = OK, body = VoiceConfig, description = "all settings of the group; `ETag`"),
        (status = 304, description = "they are those of `If-None-Match`"),
    ),
)]
pub(in crate::http) async fn voice_config(
    tenant: Tenant,
    id: AgentPath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    VOICE_CONFIG.read(tenant, id, &headers).await
}

/// Replaces the settings of the voice: those that are left out go back to their defaults.
#[utoipa::path(
    put, path = "/api/agents/{id}/voice-config", operation_id = "replace_agent_voice_config", tag = "agents", request_body = SentVoiceConfig,
    params(
        ("id" = String, Path, description = "number, UUID or name"),
        ("if-match" = String, Header, description = "the `ETag` of what is replaced, or of the agent; `*` for whatever is there"),
    ),
    responses((status = OK, body = VoiceConfig, description = "all settings of the group; `ETag`")),
)]
pub(in crate::http) async fn replace_voice_config(
    editor: Editor,
    id: AgentPath,
    sent: Bytes,
) -> Result<Response, Problem> {
    VOICE_CONFIG.replace(editor, id, sent).await
}
