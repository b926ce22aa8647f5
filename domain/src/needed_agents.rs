//! Agents that the server needs by their names: without them calls would reach nobody, or it would not start again.

use std::sync::Arc;

use crate::agent_settings::AgentSettings;
use crate::ids::BusinessId;
use crate::port::store::{AgentRecord, RowKey};
use crate::reception::NumberAgents;

/// Which agents, and what for. Cheap to clone.
#[derive(Debug, Clone)]
pub struct NeededAgents(Arc<[(RowKey, &'static str)]>);

/// Why an agent stays, or keeps its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StillNeeded {
    /// It is not deleted.
    #[error("this agent cannot be deleted: {0}")]
    Stays(&'static str),
    /// It is not renamed.
    #[error("this agent cannot have another name: {0}")]
    KeepsName(&'static str),
}

impl NeededAgents {
    /// Those that the configuration names, and the one that agents of playbook files are built on.
    pub fn new(default_agent: &str, numbers: &NumberAgents, base: &str) -> Self {
        let by_default = (RowKey::parse(default_agent), "DEFAULT_AGENT names it");
        let of_numbers = numbers.agents().map(|name| (RowKey::parse(name), "NUMBER_AGENTS gives a number to it"));
        let base = (RowKey::parse(base), "the agents of playbook files are built on it");
        Self(std::iter::once(by_default).chain(of_numbers).chain([base]).collect())
    }

    /// Refuses to delete (`next` is `None`) or to rename one that is needed by its name.
    pub fn may_become(&self, record: &AgentRecord, next: Option<&AgentSettings>) -> Result<(), StillNeeded> {
        let name = record.settings.name().to_lowercase();
        let keeps_name = next.is_some_and(|next| next.name().to_lowercase() == name);
        let mine = |key: &RowKey| match key {
            RowKey::Number(id) => *id == record.identity.id.0 && next.is_none(),
            RowKey::Uuid(uuid) => *uuid == record.identity.uuid && next.is_none(),
            RowKey::Name(needed) => needed.to_lowercase() == name && !keeps_name,
        };
        // What configurations name is the first business's.
        let ours = record.identity.business == BusinessId::FIRST;
        match self.0.iter().find(|(key, _)| ours && mine(key)) {
            None => Ok(()),
            Some((_, why)) if next.is_none() => Err(StillNeeded::Stays(why)),
            Some((_, why)) => Err(StillNeeded::KeepsName(why)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use chrono::DateTime;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::agent::Identity;
    use crate::agent_settings::{AgentChange, Scope};
    use crate::agent_version::VersionNumber;
    use crate::ids::AgentId;

    fn named(name: &str) -> AgentSettings {
        AgentChange::read_new(&json!({ "name": name }), Scope::default()).unwrap()
    }

    fn record(business: BusinessId, id: i64, name: &str) -> AgentRecord {
        AgentRecord {
            identity: Identity { id: AgentId(id), uuid: Uuid::nil(), business },
            live: VersionNumber::FIRST,
            settings: named(name),
            draft: None,
            revision: 0,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn what_the_server_needs_stays_and_keeps_its_name() {
        let numbers = NumberAgents::read("+918047112233=17", None).unwrap();
        let needed = NeededAgents::new("Front-Desk", &numbers, "built-on");
        let ours = |id, name: &str| record(BusinessId::FIRST, id, name);
        for (agent, stays, keeps_name) in [
            (ours(1, "front-desk"), true, true),
            (ours(2, "Built-On"), true, true),
            (ours(17, "Asha"), true, false),
            (ours(3, "Asha"), false, false),
            (record(BusinessId(2), 17, "front-desk"), false, false),
        ] {
            assert_eq!(needed.may_become(&agent, None).is_err(), stays, "{agent:?}");
            assert_eq!(needed.may_become(&agent, Some(&named("Ravi"))).is_err(), keeps_name, "{agent:?}");
            let in_capitals = named(&agent.settings.name().to_uppercase());
            assert!(needed.may_become(&agent, Some(&in_capitals)).is_ok());
        }
    }
}
