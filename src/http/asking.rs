//! Who asks for a change, and from where: what the record of the change says of them.

use std::net::SocketAddr;

use axum::http::{HeaderMap, header};
use serde_json::Value;
use tandem_access::audit::{self, Action, Origin, Record, Resource, Who};
use tandem_access::policy::Principal;
use tandem_actors::clock;
use tandem_domain::port::store::Change;

/// Who asks, and from where.
pub(super) struct Asking {
    principal: Principal,
    from: Origin,
}

impl Asking {
    pub(super) fn new(principal: Principal, peer: SocketAddr, headers: &HeaderMap) -> Self {
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        Self { principal, from: Origin::new(Some(peer.ip().to_canonical()), agent, None) }
    }

    /// A change of the row `id` of a `kind`, with its record: what was, and what is.
    pub(super) fn change(
        &self,
        action: Action,
        (kind, id): (&str, String),
        before: Option<&Value>,
        after: Option<&Value>,
    ) -> Change {
        let (at, principal) = (clock::utc(), &self.principal);
        let by = match principal {
            Principal::User { user, .. } => format!("user:{}", user.0),
            Principal::Key { key, .. } => format!("key:{key}"),
            Principal::Local => "local".to_owned(),
            Principal::Cli { .. } => "cli".to_owned(),
        };
        let record = Record {
            at,
            business: principal.business(),
            who: Who::from(principal),
            from: self.from.clone(),
            action,
            resource: Resource { kind: kind.to_owned(), id },
            changes: audit::changes(before, after),
        };
        Change { by, at, audit: (&record).into() }
    }
}
