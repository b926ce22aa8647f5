//! The business of whoever asks: what it is called, and where its days begin.
//!
//! ```text
//! GET   /api/business     as it is, with its ETag
//! PATCH /api/business     what it names changes; If-Match holds or 412
//! ```
//!
//! There is no address for another one. Making one is the command line's (`tandem business add`); its limits are in [`super::limits`], which
//! show the same zone.

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;
use tandem_access::audit::Action;
use tandem_domain::business::{self, BusinessChange};
use tandem_domain::etag::Etag;
use tandem_domain::port::store::{Business, KeptBusiness};

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
    /// A change of a business.
    Changed is "BusinessChange" = business::schema();
}

/// The business of whoever asks.
#[utoipa::path(
    get, path = "/api/business", operation_id = "get_business", tag = "access",
    responses(
        (status = OK, body = Business, description = "the business; `ETag`"),
        (status = 304, description = "it is that of `If-None-Match`"),
    ),
)]
pub(super) async fn detail(Tenant(surface): Tenant, headers: HeaderMap) -> Result<Response, Problem> {
    let business = find(&surface).await?;
    Ok(read(&headers, json!(business)))
}

/// Changes the name or the zone of the business; `null` takes the zone back. The next call meets it.
///
/// With `If-Match`, only if nobody has changed it since: 412 otherwise.
#[utoipa::path(
    patch, path = "/api/business", operation_id = "change_business", tag = "access", request_body = Changed,
    params(("if-match" = Option<String>, Header, description = "the `ETag` of what is changed")),
    responses(
        (status = OK, body = Business, description = "the business; `ETag`"),
        (status = 409, body = super::problem::Body, content_type = "application/problem+json", description = "the name is taken, whatever the case"),
    ),
)]
pub(super) async fn edit(Tenant(surface): Tenant, asking: Asking, sent: Bytes) -> Result<Response, Problem> {
    let wanted = BusinessChange::read(&body::read(&sent)?)?;
    for _ in 0..TRIES {
        let seen = find(&surface).await?;
        asking.may_change(&Etag::of(&json!(seen)))?;
        let next = wanted.on(seen.clone());
        if next == seen {
            return Ok(tagged(StatusCode::OK, json!(seen)));
        }
        let resource = ("business", seen.uuid.to_string());
        let change = asking.change(Action::Updated, resource, Some(&json!(seen)), Some(&json!(next)));
        match surface.businesses.set_business(next, change).await? {
            KeptBusiness::Done(business) => return Ok(tagged(StatusCode::OK, json!(business))),
            KeptBusiness::NameTaken => {
                return Err(Problem::conflict("this name is taken, whatever the case; choose another"));
            }
            KeptBusiness::Raced => {}
        }
    }
    Err(Problem::unavailable("others are changing this business at the same time", 1))
}

async fn find(surface: &Surface) -> Result<Business, Problem> {
    let found = surface.businesses.business(surface.business).await?;
    found.ok_or_else(|| Problem::not_found("there is no such business"))
}
