//! The journal of one call, for `tandem replay`. Holds what the caller said: behind the gate like everything that does.

use axum::body::Bytes;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tandem_actors::journals::ENDING;
use tandem_domain::ids::CallId;
use utoipa::ToSchema;

use super::calls;
use super::guard::Tenant;
use super::problem::Problem;

/// The bytes of a journal.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
struct File(#[expect(dead_code, reason = "described, never made")] Vec<u8>);

/// The journal of one call, for `tandem replay`.
///
/// What the call's core was told and what it did; of a call that still runs as far as it goes. Kept of running calls and of the last
/// `JOURNAL_CALLS`. It holds what the caller said.
#[utoipa::path(
    get, path = "/api/calls/{id}/journal", operation_id = "get_call_journal", tag = "calls",
    params(("id" = String, Path, description = "number or UUID of the call, or the carrier's id of it; or the UUID of a talk in the browser")),
    responses((status = OK, body = inline(File), content_type = "application/octet-stream")),
)]
pub(super) async fn journal(
    Tenant(surface): Tenant,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(id) = id.map_err(|error| Problem::invalid("id", error.body_text()))?;
    let journals = surface.switch.journals();
    let Some(kept) = journals.kept() else {
        return Err(Problem::not_found(
            "no journals are kept: set JOURNAL_CALLS to the number of finished calls to keep them of, and start again",
        ));
    };
    // A talk in the browser has no row of a call, and a call's own row may not be written yet: their UUIDs are known to the switch.
    let known = id.parse().ok().and_then(|call: CallId| Some((call, Some(journals.journal(surface.business, call)?))));
    let (call, journal) = match known {
        Some(known) => known,
        None => {
            let call = CallId(calls::find(&surface, Ok(Path(id))).await?.uuid);
            (call, journals.journal(surface.business, call))
        }
    };
    let journal = journal.ok_or_else(|| {
        Problem::not_found(format!(
            "this call's journal is not kept: it is none of the last {kept}; raise JOURNAL_CALLS, or set JOURNAL_DIR to keep files"
        ))
    })?;
    let disposition = format!("attachment; filename=\"{call}.{ENDING}\"");
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, Bytes::from_owner(journal)).into_response())
}
