//! Telephone numbers: which of ours is answered by which agent.
//!
//! ```text
//! GET  /api/phone-numbers         a page of them          POST   /api/phone-numbers         201, the number
//! GET  /api/phone-numbers/{id}    one, with its ETag      PATCH  /api/phone-numbers/{id}    what it names changes; If-Match holds or 412
//!                                                         DELETE /api/phone-numbers/{id}    204; calls to it go to NUMBER_AGENTS or DEFAULT_AGENT
//! ```
//!
//! `{id}` is a row number, a UUID or the number itself in E.164 (`+918047112233`). The next call meets a change. What does not fit is answered
//! with all faults at once, each with a JSON pointer ([`tandem_domain::phone_number`]).
//! Not here: that a number is the business's own, which nobody can prove without the carrier.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use tandem_access::audit::Action;
use tandem_domain::etag::Etag;
use tandem_domain::ids::AgentId;
use tandem_domain::phone_number::{self, NumberChange, NumberSettings};
use tandem_domain::port::store::{KeptNumber, PhoneNumber, RowKey};
use uuid::Uuid;

use super::Surface;
use super::asking::Asking;
use super::body;
use super::guard::Tenant;
use super::page::{self, Page};
use super::problem::Problem;
use super::schema::described;
use super::tag::{read, tagged};
use super::turns::PageQuery;

/// How often a change that nobody asked to be judged is made anew because somebody else was faster.
const TRIES: usize = 5;
/// The kind of resource in the audit log.
const KIND: &str = "phone_number";

described! {
    /// A number that is added.
    New is "NewPhoneNumber" = phone_number::schema(true);
    /// A change of one.
    Changed is "PhoneNumberChange" = phone_number::schema(false);
}

fn tag(number: &PhoneNumber) -> Etag {
    Etag::of(&json!(number))
}

/// What of a number can be changed, for the record.
fn told(settings: &NumberSettings) -> Value {
    json!({ "type": settings.kind, "active": settings.active, "agent_id": settings.agent })
}

/// Telephone numbers, oldest first.
#[utoipa::path(
    get, path = "/api/phone-numbers", operation_id = "list_phone_numbers", tag = "numbers", params(PageQuery),
    responses((status = OK, body = Page<PhoneNumber>)),
)]
pub(super) async fn list(
    Tenant(surface): Tenant,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<Page<PhoneNumber>>, Problem> {
    let asked = PageQuery::read(query, "phone_numbers".to_owned())?;
    let after = page::to_row(asked.after);
    let rows = surface.numbers.numbers(surface.business, None, after, asked.rows()).await?;
    Ok(Json(asked.page(rows, |number| page::of_row(number.id))))
}

/// A new telephone number, and the agent that answers it.
///
/// `number` in E.164, or national of `DEFAULT_REGION`; `agent_id` a number, UUID or name of an agent; `type` a word, `active` whether calls to it
/// are answered.
#[utoipa::path(
    post, path = "/api/phone-numbers", operation_id = "create_phone_number", tag = "numbers", request_body = New,
    responses(
        (status = CREATED, body = PhoneNumber, description = "the number; `ETag`"),
        (status = 409, body = super::problem::Body, content_type = "application/problem+json", description = "the business has this number already"),
    ),
)]
pub(super) async fn create(Tenant(surface): Tenant, asking: Asking, sent: Bytes) -> Result<Response, Problem> {
    let document: Value = body::read(&sent)?;
    let (number, wanted) = NumberChange::read_new(&document, surface.region)?;
    let settings = wanted.on(NumberSettings::default(), named(&surface, &wanted, &document).await?);
    let uuid = Uuid::now_v7();
    let mut after = told(&settings);
    after["number"] = json!(number);
    let change = asking.change(Action::Created, (KIND, uuid.to_string()), None, Some(&after));
    match surface.numbers.add_number(surface.business, uuid, number, settings, change).await? {
        KeptNumber::Done(number) => Ok(tagged(StatusCode::CREATED, json!(number))),
        KeptNumber::NoAgent => Err(no_such_agent(&document)),
        KeptNumber::Taken | KeptNumber::Raced => {
            Err(Problem::conflict("this number is there already: change who answers it with PATCH"))
        }
    }
}

/// One telephone number.
#[utoipa::path(
    get, path = "/api/phone-numbers/{id}", operation_id = "get_phone_number", tag = "numbers",
    params(("id" = String, Path, description = "row number, UUID, or the number in E.164")),
    responses(
        (status = OK, body = PhoneNumber, description = "the number; `ETag`"),
        (status = 304, description = "it is the one of `If-None-Match`"),
    ),
)]
pub(super) async fn detail(
    Tenant(surface): Tenant,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let number = find(&surface, id).await?;
    Ok(read(&headers, json!(number)))
}

/// Changes who answers a number, what it is for, or whether it is answered; `null` takes a field back to its default. The next call meets it.
///
/// With `If-Match`, only if nobody has changed the number since: 412 otherwise.
#[utoipa::path(
    patch, path = "/api/phone-numbers/{id}", operation_id = "change_phone_number", tag = "numbers", request_body = Changed,
    params(
        ("id" = String, Path, description = "row number, UUID, or the number in E.164"),
        ("if-match" = Option<String>, Header, description = "the `ETag` of what is changed"),
    ),
    responses(
        (status = OK, body = PhoneNumber, description = "the number; `ETag`"),
    ),
)]
pub(super) async fn edit(
    Tenant(surface): Tenant,
    asking: Asking,
    id: Result<Path<String>, PathRejection>,
    sent: Bytes,
) -> Result<Response, Problem> {
    let mut seen = find(&surface, id).await?;
    let document: Value = body::read(&sent)?;
    let wanted = NumberChange::read(&document)?;
    let agent = named(&surface, &wanted, &document).await?;
    for _ in 0..TRIES {
        asking.may_change(&tag(&seen))?;
        let before = NumberSettings::from(&seen);
        let after = wanted.on(before.clone(), agent);
        if after == before {
            return Ok(tagged(StatusCode::OK, json!(seen)));
        }
        let resource = (KIND, seen.uuid.to_string());
        let change = asking.change(Action::Updated, resource, Some(&told(&before)), Some(&told(&after)));
        let row = seen.id;
        match surface.numbers.change_number(surface.business, seen, after, change).await? {
            KeptNumber::Done(number) => return Ok(tagged(StatusCode::OK, json!(number))),
            KeptNumber::NoAgent => return Err(no_such_agent(&document)),
            KeptNumber::Taken | KeptNumber::Raced => seen = again(&surface, row).await?,
        }
    }
    Err(busy())
}

/// Removes a number. Calls to it are answered as those to any number that nobody added.
#[utoipa::path(
    delete, path = "/api/phone-numbers/{id}", operation_id = "delete_phone_number", tag = "numbers",
    params(
        ("id" = String, Path, description = "row number, UUID, or the number in E.164"),
        ("if-match" = Option<String>, Header, description = "the `ETag` of what is removed"),
    ),
    responses(
        (status = NO_CONTENT, description = "it is removed"),
    ),
)]
pub(super) async fn remove(
    Tenant(surface): Tenant,
    asking: Asking,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let mut seen = find(&surface, id).await?;
    for _ in 0..TRIES {
        asking.may_change(&tag(&seen))?;
        let mut before = told(&NumberSettings::from(&seen));
        before["number"] = json!(seen.number);
        let change = asking.change(Action::Deleted, (KIND, seen.uuid.to_string()), Some(&before), None);
        let row = seen.id;
        match surface.numbers.remove_number(surface.business, seen, change).await? {
            KeptNumber::Done(_) => return Ok(StatusCode::NO_CONTENT),
            KeptNumber::Raced | KeptNumber::Taken | KeptNumber::NoAgent => seen = again(&surface, row).await?,
        }
    }
    Err(busy())
}

/// The agent that a change names, found among those of the business.
async fn named(surface: &Surface, wanted: &NumberChange, document: &Value) -> Result<Option<AgentId>, Problem> {
    let Some(Some(key)) = &wanted.agent else { return Ok(None) };
    let found = surface.agents.agent_record(surface.business, key.clone()).await?;
    found.map(|record| Some(record.identity.id)).ok_or_else(|| no_such_agent(document))
}

fn no_such_agent(document: &Value) -> Problem {
    let place = phone_number::agent_place(document);
    let detail = "there is no such agent; name it by its number, UUID or name";
    Problem::invalid_body(std::iter::once((place.clone(), detail.to_owned())), format!("{place}: {detail}"))
}

fn no_such_number() -> Problem {
    Problem::not_found("there is no such telephone number")
}

fn busy() -> Problem {
    Problem::unavailable("others are changing this number at the same time", 1)
}

async fn find(surface: &Surface, id: Result<Path<String>, PathRejection>) -> Result<PhoneNumber, Problem> {
    let Path(id) = id.map_err(|error| Problem::invalid("id", error.body_text()))?;
    // A number in E.164 would be read as one of a row: both are digits.
    let key = if id.starts_with('+') { RowKey::Name(id) } else { RowKey::parse(&id) };
    surface.numbers.number(surface.business, key).await?.ok_or_else(no_such_number)
}

async fn again(surface: &Surface, row: i64) -> Result<PhoneNumber, Problem> {
    surface.numbers.number(surface.business, RowKey::Number(row)).await?.ok_or_else(no_such_number)
}
