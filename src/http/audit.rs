//! The record of changes: who did what, when, from where, and what it was before.
//!
//! Newest first; a page goes on where the one before ended while new records arrive. Nothing here changes a record: there is no way to.
//! The record as it was written stands in each item, secrets masked ([`tandem_access::audit`]).

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use chrono::Days;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tandem_access::audit;
use tandem_access::port::RecordFilter;
use utoipa::{IntoParams, ToSchema};

use super::guard::Tenant;
use super::listing::instant;
use super::page::{self, Asked, Page};
use super::problem::Problem;

/// Which records.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditQuery {
    /// Items of one page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    limit: Option<String>,
    /// `next_cursor` of the page before; belongs to this list with these filters.
    cursor: Option<String>,
    /// What was done: `created`, `updated`, `deleted`, `revoked`, `logged_in`, `log_in_refused` and so on.
    action: Option<String>,
    /// The kind of thing it was done to, such as `user`, `api_key`, `agent`.
    kind: Option<String>,
    /// Which one, by the id that its records have.
    id: Option<String>,
    /// Since then: RFC 3339, or a day in UTC.
    #[param(example = "2026-11-21T09:30:00Z")]
    from: Option<String>,
    /// Before then: RFC 3339, or the last day in UTC.
    #[param(example = "2026-11-21")]
    to: Option<String>,
}

impl AuditQuery {
    fn read(&self) -> Result<(Asked, RecordFilter), Problem> {
        let present = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let action = present(&self.action).map(|word| action("action", word)).transpose()?;
        let filter = RecordFilter {
            action,
            kind: present(&self.kind),
            id: present(&self.id),
            from: present(&self.from).map(|text| instant("from", &text, Days::new(0))).transpose()?,
            until: present(&self.to).map(|text| instant("to", &text, Days::new(1))).transpose()?,
        };
        let asked = Asked::read(self.limit.as_deref(), self.cursor.as_deref(), format!("audit {filter:?}"))?;
        Ok((asked, filter))
    }
}

/// An action by its name; hyphens and any case are accepted (R6).
fn action(parameter: &str, word: String) -> Result<String, Problem> {
    let word = word.to_ascii_lowercase().replace('-', "_");
    match serde_json::from_value::<audit::Action>(Value::String(word.clone())) {
        Ok(_) => Ok(word),
        Err(_) => Err(Problem::invalid(parameter, "there is no such action; try created, updated or log_in_refused")),
    }
}

/// One change, as it was recorded.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditRecord)]
pub(super) struct Item {
    /// Its number; later ones are higher.
    id: i64,
    /// `at`, `who`, `from`, `action`, `resource`, and `changes` with each place that is different.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    record: Value,
}

/// Changes of the business's people, keys and agents, and its log-ins, newest first.
#[utoipa::path(
    get, path = "/api/audit", operation_id = "list_audit", tag = "access", params(AuditQuery),
    responses((status = OK, body = Page<Item>)),
)]
pub(super) async fn list(
    Tenant(surface): Tenant,
    query: Result<Query<AuditQuery>, QueryRejection>,
) -> Result<Json<Page<Item>>, Problem> {
    let Query(query) = query.map_err(|error| Problem::invalid("query", error.body_text()))?;
    let (asked, filter) = query.read()?;
    let before = page::to_row(asked.after);
    let rows = surface.guard.accounts().records_like(surface.business, filter, before, asked.rows()).await?;
    let item = |(id, record): (i64, audit::Record)| Ok(Item { id, record: audit::as_json(&record)? });
    let items: Result<Vec<Item>, serde_json::Error> = rows.into_iter().map(item).collect();
    let items = items.map_err(|error| {
        tracing::error!(%error, "records not shown");
        Problem::internal()
    })?;
    Ok(Json(asked.page(items, |item| page::of_row(item.id))))
}
