//! Agents that the server needs by their names: without them calls would reach nobody, or it would not start again.

use std::sync::Arc;

use tandem_domain::agent_settings::AgentSettings;
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{AgentRecord, RowKey};
use tandem_domain::reception::NumberAgents;

use super::super::problem::Problem;

/// Which agents, and what for. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Needed(Arc<[(RowKey, &'static str)]>);

impl Needed {
    /// Those that the configuration names, and the one that agents of playbook files are built on.
    pub(crate) fn new(default_agent: &str, numbers: &NumberAgents, base: &str) -> Self {
        let by_default = (RowKey::parse(default_agent), "DEFAULT_AGENT names it");
        let of_numbers = numbers.agents().map(|name| (RowKey::parse(name), "NUMBER_AGENTS gives a number to it"));
        let base = (RowKey::parse(base), "the agents of playbook files are built on it");
        Self(std::iter::once(by_default).chain(of_numbers).chain([base]).collect())
    }

    /// Refuses to delete (`next` is `None`) or to rename one that is needed by its name.
    pub(super) fn may_become(&self, record: &AgentRecord, next: Option<&AgentSettings>) -> Result<(), Problem> {
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
            Some((_, why)) => {
                let what = if next.is_none() { "be deleted" } else { "have another name" };
                Err(Problem::conflict(format!("this agent cannot {what}: {why}")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use chrono::DateTime;
    use serde_json::json;
    use tandem_domain::agent::Identity;
    use tandem_domain::agent_settings::{AgentChange, Scope};
    use tandem_domain::agent_version::VersionNumber;
    use tandem_domain::ids::AgentId;
    use uuid::Uuid;

    use super::*;

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
        let needed = Needed::new("Front-Desk", &numbers, "built-on");
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
