//! Who asks, from where, and what they have seen: what every change is judged by and recorded with.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde_json::Value;
use tandem_access::account::UserId;
use tandem_access::audit::{self, Action, Changes, Origin, Record, Resource, Who};
use tandem_access::policy::Principal;
use tandem_access::role::Role;
use tandem_actors::clock;
use tandem_domain::etag::{Etag, PreconditionError, Unseen, may_change};
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::Change;

use super::Surface;
use super::problem::Problem;

/// Whoever sent this request, looked up by the guard.
#[derive(Debug, Clone)]
pub(super) struct Asking {
    pub(super) principal: Principal,
    pub(super) from: Origin,
    /// The tags of what is to be changed, as the client has seen it.
    pub(super) if_match: Option<String>,
}

impl Asking {
    pub(super) fn business(&self) -> BusinessId {
        self.principal.business()
    }

    /// Whether it is this user who asks.
    pub(super) fn is(&self, asked: UserId) -> bool {
        matches!(&self.principal, Principal::User { user, .. } if *user == asked)
    }

    /// As what they may change people and keys. A program of this machine may not, though it may do all else while there is no
    /// administrator: what it made would outlive the open machine.
    pub(super) fn role(&self) -> Result<Role, Problem> {
        match &self.principal {
            Principal::User { role, .. } => Ok(*role),
            Principal::Cli { .. } => Ok(Role::Owner),
            Principal::Local => Err(Problem::closed(
                "there is no administrator yet: make the first one by the set-up link that was printed at start, or with `tandem user add`",
            )),
            Principal::Key { .. } => {
                Err(Problem::forbidden("people and keys are managed by people who log in, not by keys"))
            }
        }
    }

    /// Whether what now has this tag may be changed, or somebody else was faster (RFC 9110 section 13.1.1).
    pub(super) fn may_change(&self, now: &Etag) -> Result<(), PreconditionError> {
        may_change(self.if_match.as_deref(), Some(now), Unseen::Allowed)
    }

    /// What is written beside a change, now.
    pub(super) fn record(&self, action: Action, kind: &str, id: String, changes: Changes) -> Record {
        Record {
            at: clock::utc(),
            business: self.business(),
            who: Who::from(&self.principal),
            from: self.from.clone(),
            action,
            resource: Resource { kind: kind.to_owned(), id },
            changes,
        }
    }

    /// A change of the row `id` of a `kind`, with its record: what was, and what is.
    pub(super) fn change(
        &self,
        action: Action,
        (kind, id): (&str, String),
        before: Option<&Value>,
        after: Option<&Value>,
    ) -> Change {
        let by = match &self.principal {
            Principal::User { user, .. } => format!("user:{}", user.0),
            Principal::Key { key, .. } => format!("key:{key}"),
            Principal::Local => "local".to_owned(),
            Principal::Cli { .. } => "cli".to_owned(),
        };
        let record = self.record(action, kind, id, audit::changes(before, after));
        Change { by, at: record.at, audit: (&record).into() }
    }
}

impl FromRequestParts<Surface> for Asking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Surface) -> Result<Self, Problem> {
        let principal = parts.extensions.get::<Principal>().cloned().ok_or_else(Problem::internal)?;
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical());
        let agent = text(&parts.headers, header::USER_AGENT).filter(|agent| !agent.is_empty());
        let from = Origin::new(peer, agent, None);
        let if_match = text(&parts.headers, header::IF_MATCH).map(str::to_owned);
        Ok(Self { principal, from, if_match })
    }
}

/// The text of a header. One that cannot be read is empty, which holds nothing: it must not count as none.
pub(super) fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default())
}
