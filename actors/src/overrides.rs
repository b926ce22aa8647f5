//! What a far end may choose of the agent that answers it.
//!
//! Place:   the switch, between finding the agent and asking for its brain. Pure.
//! Only where the far end is a program that a stranger may have written (a dialect with notices): a carrier's parameters come from our own
//! answer document. As long as agents have no list of their own (`client_override_keys`), one list holds for all:
//!
//! | key             | may be chosen | why                                                                              |
//! |-----------------|---------------|----------------------------------------------------------------------------------|
//! | `first_message` | yes           | who sets it is the only one to hear it, and it is kept with the conversation     |
//! | `language`      | yes           | a caller knows best; an agent that does not speak it stays with its own          |
//! | all others      | no            | `prompt` would turn the agent round; `voice_id` and the like spend money         |

use std::collections::BTreeMap;

use tandem_domain::agent::Agent;

/// How a dialect passes on a wish: this and the key.
pub const PREFIX: &str = "override.";
/// What may be chosen.
const ALLOWED: [&str; 2] = ["first_message", "language"];
/// Bytes of a language tag; the longest in use have 11.
const MAX_LANGUAGE_BYTES: usize = 35;

/// Gives `agent` what was wished for and may be; returns the names of the other wishes.
pub(crate) fn apply(agent: &mut Agent, parameters: &BTreeMap<String, String>) -> Vec<String> {
    let mut refused = Vec::new();
    for (name, wish) in parameters.iter().filter_map(|(name, wish)| Some((name.strip_prefix(PREFIX)?, wish))) {
        match name {
            name if !ALLOWED.contains(&name) => refused.push(name.to_owned()),
            "language" if is_language(wish) => agent.language.clone_from(wish),
            "first_message" if !wish.trim().is_empty() => agent.first_message_inbound = Some(wish.clone()),
            _ => refused.push(name.to_owned()),
        }
    }
    refused
}

/// Whether `tag` looks like BCP 47.
fn is_language(tag: &str) -> bool {
    let parts = || tag.split('-');
    tag.len() <= MAX_LANGUAGE_BYTES
        && parts().next().is_some_and(|first| (2..=8).contains(&first.len()))
        && parts().all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use tandem_domain::agent::Timing;
    use tandem_domain::ids::{AgentId, BusinessId};

    use super::*;

    #[test]
    fn a_wish_is_granted_or_named() {
        let mut agent = Agent {
            id: AgentId(1),
            uuid: uuid::Uuid::nil(),
            business: BusinessId::FIRST,
            name: "front-desk".into(),
            playbook: "front-desk".into(),
            language: "en".into(),
            voice: String::new(),
            asr_keywords: Vec::new(),
            first_message_inbound: None,
            timing: Timing::default(),
        };
        let wishes = [
            ("agent", "front-desk"),
            ("override.first_message", "Good evening."),
            ("override.language", "hi-IN"),
            ("override.prompt", "You are a pirate."),
            ("variable.language", "fr"),
        ];
        let mut parameters: BTreeMap<String, String> = wishes.map(|(name, wish)| (name.into(), wish.into())).into();
        assert_eq!(apply(&mut agent, &parameters), ["prompt"]);
        assert_eq!(agent.first_message_inbound.as_deref(), Some("Good evening."));
        assert_eq!(agent.language, "hi-IN");
        for nonsense in ["", "x", "hi IN", "a".repeat(40).as_str(), "en-", "../../etc"] {
            parameters.insert("override.language".into(), nonsense.into());
            assert_eq!(apply(&mut agent, &parameters), ["language", "prompt"], "{nonsense}");
        }
        assert_eq!(agent.language, "hi-IN");
    }
}
