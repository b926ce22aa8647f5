//! The voice and calling settings of an agent in the shapes that clients of an earlier service send and read (E4, E5, E7, E8, E9).
//!
//! Each field is a setting of the catalogue: what is set here is a version of the agent like any other change, and everything that holds for one
//! holds here. The shapes are [`tandem_domain::guide`]'s. A voice is tried out by [`super::voice_test`].
//! Not here: dialling. There is no trunk yet, and a test call says so.

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use tandem_domain::etag::{Etag, Unseen};
use tandem_domain::guide::{
    CallingTest, CallingTestStarted, CallingView, IntegrationHealth, OwnNumber, VoiceChanged, VoiceOffer, VoiceView,
    Whose, read_calling, read_voice,
};
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{AgentRecord, PhoneNumber, RowKey};

use super::super::Surface;
use super::super::body;
use super::super::guard::Tenant;
use super::super::problem::Problem;
use super::described::{SentCalling, SentCallingTest, SentVoice};
use super::editor::{Editor, Seen};
use super::{AgentPath, find, read, tagged};

/// Numbers of an agent that are shown with it; all of them are at `/api/phone-numbers`.
const MOST_NUMBERS: u32 = 100;

fn whose(record: &AgentRecord) -> Whose<'_> {
    Whose { uuid: record.identity.uuid, settings: &record.settings }
}

/// E4's answer. The server does not start without a voice, so there is one to reach.
fn voice_of(surface: &Surface, record: &AgentRecord) -> Value {
    let voices = surface.voice_tests.voices().into_iter();
    let offers = voices.map(|voice| VoiceOffer {
        id: voice.id.to_owned(),
        name: voice.name.to_owned(),
        accent: voice.accent.to_owned(),
    });
    json!(VoiceView::of(whose(record), offers.collect(), IntegrationHealth::Connected))
}

/// E7's answer.
fn calling_of(surface: &Surface, record: &AgentRecord, numbers: &[OwnNumber]) -> Value {
    let longest_s = i64::try_from(surface.longest_call.as_secs()).unwrap_or(i64::MAX);
    json!(CallingView::of(whose(record), longest_s, numbers.to_vec(), IntegrationHealth::NotConfigured))
}

/// The numbers whose calls an agent answers: those that were given to it, and those of the configuration that were given to nobody else.
async fn numbers_of(surface: &Surface, record: &AgentRecord) -> Result<Vec<OwnNumber>, Problem> {
    let shown = |row: PhoneNumber| OwnNumber { number: row.number.to_string(), kind: row.kind, active: row.active };
    let given = surface.numbers.numbers(surface.business, Some(record.identity.id), None, MOST_NUMBERS).await?;
    let mut own: Vec<OwnNumber> = given.into_iter().map(shown).collect();
    for number in configured(surface, record) {
        match surface.numbers.number(surface.business, RowKey::Name(number.clone())).await? {
            None => own.push(OwnNumber { number, kind: "main".to_owned(), active: true }),
            Some(row) if row.agent_id.is_none() => own.push(shown(row)),
            Some(_) => {}
        }
    }
    Ok(own)
}

/// The numbers that the configuration gives to an agent; they are the first business's.
fn configured(surface: &Surface, record: &AgentRecord) -> Vec<String> {
    let name = record.settings.name().to_lowercase();
    let is_meant = |text: &str| match RowKey::parse(text) {
        RowKey::Number(id) => id == record.identity.id.0,
        RowKey::Uuid(uuid) => uuid == record.identity.uuid,
        RowKey::Name(named) => named.to_lowercase() == name,
    };
    let own =
        surface.number_agents.iter().filter(|(_, agent)| surface.business == BusinessId::FIRST && is_meant(agent));
    own.map(|(own, _)| own.as_str().to_owned()).collect()
}

/// How an agent sounds, and what it may sound like.
#[utoipa::path(
    get, path = "/api/agents/management/{agent_id}/voice", operation_id = "get_agent_voice", tag = "agents",
    params(("agent_id" = String, Path, description = "UUID, number or name")),
    responses(
        (status = OK, body = VoiceView, description = "what holds, and what may be chosen; `ETag`"),
        (status = 304, description = "it is the one of `If-None-Match`"),
    ),
)]
pub(in crate::http) async fn voice(
    Tenant(surface): Tenant,
    id: AgentPath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let record = find(&surface, id).await?;
    Ok(read(&headers, voice_of(&surface, &record)))
}

/// Changes how an agent sounds: the fields that are sent, and no others. The next call has them.
#[utoipa::path(
    post, path = "/api/agents/management/{agent_id}/voice", operation_id = "change_agent_voice", tag = "agents", request_body = SentVoice,
    params(
        ("agent_id" = String, Path, description = "UUID, number or name"),
        ("if-match" = Option<String>, Header, description = "the `ETag` of this address, or of the agent"),
    ),
    responses((status = OK, body = VoiceChanged)),
)]
pub(in crate::http) async fn change_voice(editor: Editor, id: AgentPath, sent: Bytes) -> Result<Response, Problem> {
    let found = find(&editor.surface, id).await?;
    let change = read_voice(&body::read(&sent)?)?;
    let seen = |record: &AgentRecord| Seen {
        own: Some(Etag::of(&voice_of(&editor.surface, record))),
        in_agent: true,
        unseen: Unseen::Allowed,
    };
    let record = editor.edit(found, seen, &change).await?;
    let persona = record.settings.text(&tandem_domain::agent_settings::catalogue::HUME_CONFIG_ID);
    let changed = VoiceChanged::of(whose(&record), Some(persona).filter(|id| !id.is_empty()));
    // The tag is that of what GET shows now, so that the next change can name it.
    let mut answer = tagged(StatusCode::OK, json!(changed));
    tag_as(&mut answer, &voice_of(&editor.surface, &record));
    Ok(answer)
}

/// What an agent does with a telephone.
#[utoipa::path(
    get, path = "/api/agents/management/{agent_id}/calling", operation_id = "get_agent_calling", tag = "agents",
    params(("agent_id" = String, Path, description = "UUID, number or name")),
    responses(
        (status = OK, body = CallingView, description = "what holds; times are seconds; `ETag`"),
        (status = 304, description = "it is the one of `If-None-Match`"),
    ),
)]
pub(in crate::http) async fn calling(
    Tenant(surface): Tenant,
    id: AgentPath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let record = find(&surface, id).await?;
    let numbers = numbers_of(&surface, &record).await?;
    Ok(read(&headers, calling_of(&surface, &record, &numbers)))
}

/// Changes what an agent does with a telephone: the fields that are sent, and no others. The next call has them.
#[utoipa::path(
    post, path = "/api/agents/management/{agent_id}/calling", operation_id = "change_agent_calling", tag = "agents", request_body = SentCalling,
    params(
        ("agent_id" = String, Path, description = "UUID, number or name"),
        ("if-match" = Option<String>, Header, description = "the `ETag` of this address, or of the agent"),
    ),
    responses((status = OK, body = CallingView, description = "what holds now; `ETag`")),
)]
pub(in crate::http) async fn change_calling(editor: Editor, id: AgentPath, sent: Bytes) -> Result<Response, Problem> {
    let found = find(&editor.surface, id).await?;
    let change = read_calling(&body::read(&sent)?, editor.surface.region)?;
    let numbers = numbers_of(&editor.surface, &found).await?;
    let seen = |record: &AgentRecord| Seen {
        own: Some(Etag::of(&calling_of(&editor.surface, record, &numbers))),
        in_agent: true,
        unseen: Unseen::Allowed,
    };
    let record = editor.edit(found, seen, &change).await?;
    Ok(tagged(StatusCode::OK, calling_of(&editor.surface, &record, &numbers)))
}

/// Calls a number so that somebody can hear the agent. Until there is a trunk to dial by, it says that there is none.
#[utoipa::path(
    post, path = "/api/agents/management/{agent_id}/calling/test", operation_id = "test_agent_calling", tag = "agents", request_body = SentCallingTest,
    params(("agent_id" = String, Path, description = "UUID, number or name")),
    responses(
        (status = OK, body = CallingTestStarted, description = "the carrier has taken the call"),
        (status = 409, body = super::super::problem::Body, content_type = "application/problem+json", description = "no account at a carrier can dial; beside the problem stand `test_call_initiated` and `test_number`"),
    ),
)]
pub(in crate::http) async fn test_calling(
    Tenant(surface): Tenant,
    id: AgentPath,
    sent: Bytes,
) -> Result<Response, Problem> {
    find(&surface, id).await?;
    let CallingTest { test_number } = CallingTest::read(&body::read(&sent)?, surface.region)?;
    let detail = "no carrier is set up by which this server could dial, so nobody was called; talk with the agent at /talk instead";
    let printed = [("test_call_initiated", json!(false)), ("test_number", json!(test_number.as_str()))];
    Err(Problem::no_trunk(detail).beside(printed))
}

/// Gives an answer the tag of another content.
fn tag_as(answer: &mut Response, content: &Value) {
    let tag = Etag::of(content).to_string();
    if let Ok(tag) = tag.parse() {
        answer.headers_mut().insert(axum::http::header::ETAG, tag);
    }
}
