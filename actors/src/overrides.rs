//! What a far end may choose of the agent that answers it.
//!
//! Place:   the switch, between finding the agent and asking for its brain. Pure.
//! Only where the far end is a program that a stranger may have written (a dialect with notices): a carrier's parameters come from our own
//! answer document. As long as agents have no list of their own (`client_override_keys`), one list holds for all:
//!
//! | key             | may be chosen | why                                                                              |
//! |-----------------|---------------|----------------------------------------------------------------------------------|
//! | `first_message` | yes           | who sets it is the only one to hear it, and it is kept with the conversation     |
//! | `language`      | a variety     | `en-GB` for an agent that speaks `en`: ear and voice are the agent's             |
//! | all others      | no            | `prompt` would turn the agent round; `voice_id` and the like spend money         |

use std::collections::BTreeMap;

use tandem_domain::agent::Agent;

/// How a dialect passes on a wish: this and the key.
pub const PREFIX: &str = "override.";
/// What may be chosen.
const ALLOWED: [&str; 2] = ["first_message", "language"];
/// Bytes of a language tag; the longest in use have 11.
const MAX_LANGUAGE_BYTES: usize = 35;

/// What became of the wishes beside the agent's own settings.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Granted {
    /// First words of this call, before all others.
    pub(crate) first_message: Option<String>,
    /// Names of the wishes that may not be.
    pub(crate) refused: Vec<String>,
}

/// Gives `agent` what was wished for and may be.
pub(crate) fn apply(agent: &mut Agent, parameters: &BTreeMap<String, String>) -> Granted {
    let mut granted = Granted::default();
    for (name, wish) in parameters.iter().filter_map(|(name, wish)| Some((name.strip_prefix(PREFIX)?, wish))) {
        match name {
            name if !ALLOWED.contains(&name) => granted.refused.push(name.to_owned()),
            "language" if is_language(wish) && primary(wish).eq_ignore_ascii_case(primary(&agent.language)) => {
                agent.language.clone_from(wish);
            }
            "first_message" if !wish.trim().is_empty() => granted.first_message = Some(wish.clone()),
            _ => granted.refused.push(name.to_owned()),
        }
    }
    granted
}

/// `hi` of `hi-IN`.
fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default()
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
            version: tandem_domain::agent_version::VersionNumber::FIRST,
            name: "front-desk".into(),
            playbook: "front-desk".into(),
            language: "en".into(),
            voice: String::new(),
            asr_keywords: Vec::new(),
            first_message_inbound: None,
            script: tandem_domain::agent::Script::default(),
            timing: Timing::default(),
            uncertainty: Default::default(),
            ambience: Default::default(),
            recorded: true,
            terms: Default::default(),
        };
        let wishes = [
            ("agent", "front-desk"),
            ("override.first_message", "Good evening."),
            ("override.language", "en-GB"),
            ("override.prompt", "You are a pirate."),
            ("variable.language", "fr"),
        ];
        let mut parameters: BTreeMap<String, String> = wishes.map(|(name, wish)| (name.into(), wish.into())).into();
        let granted = apply(&mut agent, &parameters);
        assert_eq!(granted.refused, ["prompt"]);
        assert_eq!(granted.first_message.as_deref(), Some("Good evening."));
        assert_eq!(agent.language, "en-GB");
        for nonsense in ["", "x", "en IN", "a".repeat(40).as_str(), "en-", "../../etc", "hi-IN"] {
            parameters.insert("override.language".into(), nonsense.into());
            assert_eq!(apply(&mut agent, &parameters).refused, ["language", "prompt"], "{nonsense}");
        }
        assert_eq!(agent.language, "en-GB");
    }
}
