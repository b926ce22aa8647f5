//! Who changes an agent, and how a change is kept: only by whoever has seen what it changes, with a record of it, and judged anew where somebody
//! else was faster.
//!
//! ```text
//! read ─► If-Match? ─► decide ─► keep, with its record ─► done
//!   ▲                              │
//!   └──── somebody was faster ─────┘   at most TRIES times
//! ```
//!
//! `If-Match` takes the tag of the address that is changed, or of the agent where the agent shows that content too. A draft it does not show.
//! Not here: what becomes of an agent, which the routes decide with `tandem_domain`, and SQL.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde_json::{Map, Value};
use tandem_access::audit::Action;
use tandem_domain::agent_settings::{AgentChange, AgentSettings};
use tandem_domain::agent_version::{Draft, Origin as VersionOrigin, Version, VersionError};
use tandem_domain::etag::{Etag, PreconditionError, Unseen, may_change};
use tandem_domain::port::store::{AgentRecord, Change, Kept, RowKey};
use uuid::Uuid;

use super::super::Surface;
use super::super::asking::Asking;
use super::super::guard::Tenant;
use super::super::problem::Problem;
use super::{name_taken, no_such_agent, shown};

/// How often a change is decided anew because somebody else was faster.
const TRIES: usize = 5;
/// What the record calls an agent.
const AGENT: &str = "agent";
/// And its draft.
const DRAFT: &str = "agent_draft";

/// Whoever asks for a change, and what they have seen.
pub(in crate::http) struct Editor {
    /// What there is, of their business.
    pub(super) surface: Surface,
    asking: Asking,
}

/// What an agent is to become.
pub(super) enum Next {
    /// Another live version.
    Live(Version),
    /// Another draft, or none.
    Draft(Option<Draft>),
    /// Gone.
    Gone,
}

/// What an editor has to have seen.
pub(super) struct Seen {
    /// The content of the address that is changed; none where nothing is there yet.
    pub(super) own: Option<Etag>,
    /// Whether the agent shows it too, so that its tag will do.
    pub(super) in_agent: bool,
    /// Whether it may be changed unseen.
    pub(super) unseen: Unseen,
}

impl Seen {
    /// The agent itself. It may be changed unseen: such a change names its fields, and leaves the others.
    pub(super) fn agent(record: &AgentRecord) -> Self {
        Self { own: Some(tag_of(record)), in_agent: true, unseen: Unseen::Allowed }
    }
}

/// What is live, as a version. How it came to be is the history's to tell.
pub(super) fn live(record: &AgentRecord) -> Version {
    Version { number: record.live, origin: VersionOrigin::Edited, settings: record.settings.clone() }
}

fn tag_of(record: &AgentRecord) -> Etag {
    Etag::of(&shown(record))
}

impl FromRequestParts<Surface> for Editor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, surface: &Surface) -> Result<Self, Problem> {
        let Tenant(surface) = Tenant::from_request_parts(parts, surface).await?;
        let asking = Asking::from_request_parts(parts, &surface).await?;
        Ok(Self { surface, asking })
    }
}

impl Editor {
    /// The agent of these settings, new.
    pub(super) async fn create(&self, settings: AgentSettings) -> Result<AgentRecord, Problem> {
        let uuid = Uuid::now_v7();
        let change = self.record(AGENT, uuid, Action::Created, None, Some(settings.stored()));
        let made = self.surface.agents.create_agent(self.surface.business, uuid, Version::first(settings), change);
        match made.await? {
            Kept::Done(record) => Ok(*record),
            Kept::NameTaken | Kept::Raced => Err(name_taken()),
        }
    }

    /// The next live version of `found`, by a change of its settings.
    pub(super) async fn edit(
        &self,
        found: AgentRecord,
        seen: impl Fn(&AgentRecord) -> Seen + Send + Sync,
        change: &AgentChange,
    ) -> Result<AgentRecord, Problem> {
        let decide = |record: &AgentRecord| unless_unchanged(live(record).edited(change));
        self.change(found, seen, decide).await
    }

    /// Keeps what `decide` makes of the agent; `None` of it changes nothing. Both closures are asked again where somebody was faster.
    pub(super) async fn change(
        &self,
        found: AgentRecord,
        seen: impl Fn(&AgentRecord) -> Seen + Send + Sync,
        decide: impl Fn(&AgentRecord) -> Result<Option<Next>, Problem> + Send + Sync,
    ) -> Result<AgentRecord, Problem> {
        let mut record = found;
        for _ in 0..TRIES {
            self.may(&record, seen(&record))?;
            let Some(next) = decide(&record)? else { return Ok(record) };
            let key = RowKey::Number(record.identity.id.0);
            match self.keep(record, next).await? {
                Kept::Done(record) => return Ok(*record),
                Kept::NameTaken => return Err(name_taken()),
                Kept::Raced => {
                    let again = self.surface.agents.agent_record(self.surface.business, key).await?;
                    record = again.ok_or_else(no_such_agent)?;
                }
            }
        }
        Err(Problem::unavailable("others are changing this agent at the same time", 1))
    }

    fn may(&self, record: &AgentRecord, Seen { own, in_agent, unseen }: Seen) -> Result<(), PreconditionError> {
        let if_match = self.asking.if_match.as_deref();
        // `*` asks for anything at this address, and an agent elsewhere is no answer to that.
        let agent_will_do = (in_agent || own.is_none()) && if_match.is_some_and(|tags| tags.trim() != "*");
        match may_change(if_match, own.as_ref(), unseen) {
            Err(PreconditionError::Failed) if agent_will_do => may_change(if_match, Some(&tag_of(record)), unseen),
            verdict => verdict,
        }
    }

    async fn keep(&self, seen: AgentRecord, next: Next) -> Result<Kept, Problem> {
        let (agents, uuid) = (&self.surface.agents, seen.identity.uuid);
        let before = seen.settings.stored();
        let kept = match next {
            Next::Live(version) => {
                self.surface.needed.may_become(&seen, Some(&version.settings))?;
                let action = match version.origin {
                    VersionOrigin::Created => Action::Created,
                    VersionOrigin::Edited => Action::Updated,
                    VersionOrigin::Published => Action::Published,
                    VersionOrigin::RolledBack { .. } => Action::RolledBack,
                };
                let change = self.record(AGENT, uuid, action, Some(before), Some(version.settings.stored()));
                agents.save_agent(seen, version, change)
            }
            Next::Draft(draft) => {
                let settings = |draft: &Option<Draft>| draft.as_ref().map(|draft| draft.settings.stored());
                let action = match (&seen.draft, &draft) {
                    (_, None) => Action::Deleted,
                    (None, Some(_)) => Action::Created,
                    (Some(_), Some(_)) => Action::Updated,
                };
                let change = self.record(DRAFT, uuid, action, settings(&seen.draft), settings(&draft));
                agents.save_draft(seen, draft, change)
            }
            Next::Gone => {
                self.surface.needed.may_become(&seen, None)?;
                let change = self.record(AGENT, uuid, Action::Deleted, Some(before), None);
                agents.delete_agent(seen, change)
            }
        };
        Ok(kept.await?)
    }

    /// Who makes a change, and its record: what was, and what is.
    fn record(
        &self,
        kind: &str,
        agent: Uuid,
        action: Action,
        before: Option<Map<String, Value>>,
        after: Option<Map<String, Value>>,
    ) -> Change {
        let (before, after) = (before.map(Value::Object), after.map(Value::Object));
        self.asking.change(action, (kind, agent.to_string()), before.as_ref(), after.as_ref())
    }
}

/// A version to be kept; none where nothing would change.
pub(super) fn unless_unchanged(next: Result<Version, VersionError>) -> Result<Option<Next>, Problem> {
    match next {
        Ok(version) => Ok(Some(Next::Live(version))),
        Err(VersionError::Unchanged(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
