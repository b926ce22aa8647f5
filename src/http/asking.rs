//! Who asks, and from where: what every change of people and keys is recorded with.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header;
use axum::http::request::Parts;
use tandem_access::audit::{Action, Changes, Origin, Record, Resource, Who};
use tandem_access::policy::Principal;
use tandem_access::role::Role;
use tandem_actors::clock;
use tandem_domain::ids::BusinessId;

use super::Surface;
use super::problem::Problem;

/// Whoever sent this request, looked up by the guard.
#[derive(Debug, Clone)]
pub(super) struct Asking {
    pub(super) principal: Principal,
    pub(super) from: Origin,
}

impl Asking {
    pub(super) fn business(&self) -> BusinessId {
        self.principal.business()
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
}

impl FromRequestParts<Surface> for Asking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, surface: &Surface) -> Result<Self, Problem> {
        let principal = parts.extensions.get::<Principal>().cloned().ok_or_else(Problem::internal)?;
        let agent = parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).map(str::to_owned);
        let peer = ConnectInfo::<SocketAddr>::from_request_parts(parts, surface).await;
        let address = peer.ok().map(|ConnectInfo(peer)| peer.ip().to_canonical());
        Ok(Self { principal, from: Origin::new(address, agent.as_deref(), None) })
    }
}
