//! Agents as calls find them: those of the database, and one for each playbook that has none there.
//!
//! As long as there is no page and no interface to make agents with, a playbook file has to be enough: the agent of its name is the
//! `front-desk` agent with that playbook, and its calls are stored under that row. The built-in playbooks have rows of their own.
//!
//! A database that does not answer is no reason to leave a caller without an answer: the agent is then taken as it last was.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use tandem_domain::agent::{Agent, Ambience, Script};
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{AgentStore, RowKey, StoreError, StoreFuture};
use tandem_store::Store;
use tokio::time::timeout;
use tracing::warn;

use super::BootError;
use super::playbooks::Playbooks;

/// Name of the agent that migrations make, and on which those of playbook files are built.
pub(super) const BUILT_IN: &str = "front-desk";

/// Name of the one that they make without a playbook.
const ASSISTANT: &str = "assistant";

/// Whether the agent of this name is there in every database, though no playbook is called like it.
pub(super) fn is_assistant(name: &str) -> bool {
    name.eq_ignore_ascii_case(ASSISTANT)
}

/// Agents that are kept as they last were.
const KEPT: u64 = 1_000;
/// How long a caller whose agent is known waits for news of it.
pub(super) const PATIENCE: Duration = Duration::from_millis(500);

/// The store's agents and the playbooks' own.
pub(super) struct Agents {
    store: Store,
    pub(super) playbooks: Arc<Playbooks>,
    last: Cache<(BusinessId, RowKey), Agent>,
    ambience: Option<Ambience>,
}

impl Agents {
    pub(super) fn new(store: Store, playbooks: Arc<Playbooks>) -> Self {
        Self { store, playbooks, last: Cache::new(KEPT), ambience: None }
    }

    /// All sound like this, whatever their own setting.
    pub(super) fn sounding_like(self, ambience: Option<Ambience>) -> Self {
        Self { ambience, ..self }
    }

    async fn find_or_recall(&self, business: BusinessId, key: RowKey) -> Result<Option<Agent>, StoreError> {
        let asked = (business, key);
        let last = self.last.get(&asked);
        let search = self.find(business, asked.1.clone());
        let found = match &last {
            None => search.await,
            Some(_) => timeout(PATIENCE, search).await.unwrap_or_else(|_| {
                Err(StoreError::Unavailable(format!("no answer within {} ms", PATIENCE.as_millis())))
            }),
        };
        match (found, last) {
            (Ok(Some(agent)), _) => {
                self.last.insert(asked, agent.clone());
                Ok(Some(agent))
            }
            (Ok(None), _) => {
                self.last.invalidate(&asked);
                Ok(None)
            }
            (Err(StoreError::Unavailable(reason)), Some(agent)) => {
                warn!(%reason, agent = agent.name, "the agent answers as it last was");
                Ok(Some(agent))
            }
            (Err(error), _) => Err(error),
        }
    }

    async fn find(&self, business: BusinessId, key: RowKey) -> Result<Option<Agent>, StoreError> {
        let stored = self.store.agent(business, key.clone()).await?;
        let (None, RowKey::Name(name)) = (&stored, &key) else { return Ok(stored) };
        let Some(playbook) = self.playbooks.find(name) else { return Ok(None) };
        let base = self.store.agent(business, RowKey::Name(BUILT_IN.to_owned())).await?;
        Ok(base.map(|base| Agent {
            name: playbook.name().to_owned(),
            playbook: playbook.name().to_owned(),
            language: playbook.language().to_owned(),
            first_message_inbound: None,
            script: Script::default(),
            ..base
        }))
    }
}

impl Agents {
    /// Refuses a default agent that could not answer.
    pub(super) async fn require_default(&self, name: &str) -> Result<(), BootError> {
        let agent = self.find(BusinessId::FIRST, RowKey::parse(name)).await?;
        let agent = agent.ok_or_else(|| BootError::NoDefaultAgent(name.to_owned()))?;
        match self.playbooks.find(&agent.playbook) {
            Some(_) => Ok(()),
            None if agent.playbook.is_empty() => Ok(()), // a model's
            None => Err(BootError::NoPlaybook { agent: agent.name, playbook: agent.playbook }),
        }
    }
}

impl AgentStore for Agents {
    fn agent(&self, business: BusinessId, key: RowKey) -> StoreFuture<'_, Option<Agent>> {
        Box::pin(async move {
            let found = self.find_or_recall(business, key).await?;
            Ok(found.map(|agent| Agent { ambience: self.ambience.unwrap_or(agent.ambience), ..agent }))
        })
    }
}
