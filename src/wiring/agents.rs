//! Agents as calls find them: those of the database, and one for each playbook that has none there.
//!
//! As long as there is no page and no interface to make agents with, a playbook file has to be enough: the agent of its name is the
//! default agent with that playbook. Its calls are stored under the default agent's row, the only one there is.

use std::sync::Arc;

use tandem_domain::agent::{Agent, Script};
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{AgentStore, RowKey, StoreError, StoreFuture};
use tandem_store::Store;

use super::BootError;
use super::playbooks::Playbooks;

/// Name of the agent that migrations make.
const BUILT_IN: &str = "front-desk";

/// The store's agents and the playbooks' own.
pub(super) struct Agents {
    pub(super) store: Store,
    pub(super) playbooks: Arc<Playbooks>,
}

impl Agents {
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
            None => Err(BootError::NoPlaybook { agent: agent.name, playbook: agent.playbook }),
        }
    }
}

impl AgentStore for Agents {
    fn agent(&self, business: BusinessId, key: RowKey) -> StoreFuture<'_, Option<Agent>> {
        Box::pin(self.find(business, key))
    }
}
