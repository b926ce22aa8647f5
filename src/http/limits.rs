//! How many calls a business may have: at once, in a day, and where its day begins (api-inventory R13, R18).
//!
//! ```text
//! GET   /api/limits     as they are, with their ETag
//! PATCH /api/limits     what it names changes; If-Match holds or 412; the next call meets it
//! ```
//!
//! Limits of one agent are settings of that agent. Those of the server are its own (`MAX_CONCURRENT_CALLS`).

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;
use tandem_access::audit::Action;
use tandem_domain::business_limits::{self, LimitsChange};
use tandem_domain::etag::Etag;
use tandem_domain::port::store::{KeptLimits, StoredLimits};

use super::Surface;
use super::asking::Asking;
use super::body;
use super::guard::Tenant;
use super::problem::Problem;
use super::schema::described;
use super::tag::{read, tagged};

/// How often a change that nobody asked to be judged is made anew because somebody else was faster.
const TRIES: usize = 5;

described! {
    /// A change of limits.
    Changed is "LimitsChange" = business_limits::schema();
}

fn tag(limits: &StoredLimits) -> Etag {
    Etag::of(&json!(limits))
}

/// How many calls the business may have.
#[utoipa::path(
    get, path = "/api/limits", operation_id = "get_limits", tag = "numbers",
    responses(
        (status = OK, body = StoredLimits, description = "the limits of the business; `ETag`"),
        (status = 304, description = "they are those of `If-None-Match`"),
    ),
)]
pub(super) async fn detail(Tenant(surface): Tenant, headers: HeaderMap) -> Result<Response, Problem> {
    let limits = find(&surface).await?;
    Ok(read(&headers, json!(limits)))
}

/// Changes how many calls the business may have; `null` takes a limit back. The next call meets it.
///
/// With `If-Match`, only if nobody has changed them since: 412 otherwise.
#[utoipa::path(
    patch, path = "/api/limits", operation_id = "change_limits", tag = "numbers", request_body = Changed,
    params(("if-match" = Option<String>, Header, description = "the `ETag` of what is changed")),
    responses(
        (status = OK, body = StoredLimits, description = "the limits of the business; `ETag`"),
    ),
)]
pub(super) async fn edit(Tenant(surface): Tenant, asking: Asking, sent: Bytes) -> Result<Response, Problem> {
    let wanted = LimitsChange::read(&body::read(&sent)?)?;
    for _ in 0..TRIES {
        let seen = find(&surface).await?;
        asking.may_change(&tag(&seen))?;
        let next = wanted.on(seen.clone());
        if next == seen {
            return Ok(tagged(StatusCode::OK, json!(seen)));
        }
        let resource = ("limits", surface.business.0.to_string());
        let change = asking.change(Action::Updated, resource, Some(&json!(seen)), Some(&json!(next)));
        match surface.limits.set_limits(surface.business, next, change).await? {
            KeptLimits::Done(limits) => return Ok(tagged(StatusCode::OK, json!(limits))),
            KeptLimits::Raced => {}
        }
    }
    Err(Problem::unavailable("others are changing these limits at the same time", 1))
}

async fn find(surface: &Surface) -> Result<StoredLimits, Problem> {
    let found = surface.limits.limits(surface.business).await?;
    found.ok_or_else(|| Problem::not_found("there is no such business"))
}
