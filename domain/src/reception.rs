//! Who answers a call: the agent that its stream names, the one of the number dialled, or the one for everybody else.
//!
//! | the stream came                          | first           | then the number dialled | else          |
//! |------------------------------------------|-----------------|-------------------------|---------------|
//! | by invitation                            | the invitation  | yes                     | default agent |
//! | by credentials, or from this machine     | its parameter   | yes                     | default agent |
//! | from a stranger                          | –               | yes                     | default agent |
//!
//! The number dialled is looked up in the store (`/api/phone-numbers`) and then in the settings (`NUMBER_AGENTS`); one that is switched off in the
//! store is answered by nobody. A stranger must not choose: an agent may know what its callers may not ask for.

use std::collections::BTreeMap;

use crate::number::{Number, NumberError, Region};

/// Stream parameters that name the agent, in order of preference (api-inventory R3).
const AGENT_PARAMETERS: [&str; 5] = ["agent", "agent_name", "agent_id", "agent_config_id", "bot_id"];

/// How far the far end of a socket is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// It showed credentials, or is a program of this machine.
    Trusted,
    /// It was let in without proof.
    #[default]
    Stranger,
    /// It was let in to show an invitation, and has to.
    Guest,
}

/// The agents of our numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NumberAgents {
    region: Option<Region>,
    agents: BTreeMap<Number, String>,
}

/// Why a list of numbers cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumberAgentsError {
    /// An entry without its two halves.
    #[error("{0:?} is not of the form number=agent, such as +918047112233=front-desk")]
    Entry(String),
    /// An entry whose number cannot be read.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// A number with two agents.
    #[error("{0} has two agents; keep one")]
    Twice(Number),
}

impl NumberAgents {
    /// Reads `number=agent` entries between commas. National numbers are of `region`.
    pub fn read(text: &str, region: Option<Region>) -> Result<Self, NumberAgentsError> {
        let mut agents = BTreeMap::new();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let halves = entry.split_once('=').map(|(number, agent)| (number.trim(), agent.trim()));
            let Some((number, agent)) = halves.filter(|(_, agent)| !agent.is_empty()) else {
                return Err(NumberAgentsError::Entry(entry.to_owned()));
            };
            let number = Number::read(number, region)?;
            if agents.insert(number.clone(), agent.to_owned()).is_some() {
                return Err(NumberAgentsError::Twice(number));
            }
        }
        Ok(Self { region, agents })
    }

    /// The agent of the number that was dialled, in whichever form the carrier told it.
    pub fn agent(&self, dialled: &str) -> Option<&str> {
        if self.agents.is_empty() {
            return None;
        }
        let number = Number::read(dialled, self.region).ok()?;
        self.agents.get(&number).map(String::as_str)
    }

    /// All numbers, each with its agent.
    pub fn iter(&self) -> impl Iterator<Item = (&Number, &str)> {
        self.agents.iter().map(|(number, agent)| (number, agent.as_str()))
    }

    /// All agents that are named.
    pub fn agents(&self) -> impl Iterator<Item = &str> {
        self.agents.values().map(String::as_str)
    }
}

/// The agent that a stream's parameters name.
pub fn named(parameters: &BTreeMap<String, String>) -> Option<&str> {
    AGENT_PARAMETERS.iter().find_map(|name| parameters.get(*name)).map(String::as_str).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn book(text: &str) -> Result<NumberAgents, NumberAgentsError> {
        NumberAgents::read(text, Some("IN".parse().unwrap()))
    }

    #[test]
    fn a_dialled_number_finds_its_agent_in_every_form() {
        let book = book("+918047112233 = front-desk, 08047112234=sales,").unwrap();
        for dialled in ["+918047112233", "08047112233", "918047112233"] {
            assert_eq!(book.agent(dialled), Some("front-desk"), "{dialled}");
        }
        assert_eq!(book.agent("+918047112234"), Some("sales"));
        for dialled in ["+918047112235", "", "anonymous"] {
            assert_eq!(book.agent(dialled), None, "{dialled:?}");
        }
        assert_eq!(NumberAgents::default().agent("+918047112233"), None);
    }

    #[test]
    fn a_list_that_cannot_be_meant_is_refused() {
        assert!(matches!(book("+918047112233"), Err(NumberAgentsError::Entry(_))));
        assert!(matches!(book("+918047112233="), Err(NumberAgentsError::Entry(_))));
        assert!(matches!(book("front-desk=+918047112233"), Err(NumberAgentsError::Number(_))));
        assert!(matches!(book("+918047112233=a,08047112233=b"), Err(NumberAgentsError::Twice(_))));
        let national = NumberAgents::read("08047112233=a", None).unwrap_err();
        assert!(national.to_string().contains("DEFAULT_REGION"), "{national}");
    }

    #[test]
    fn a_stream_names_its_agent_by_any_of_the_synonyms() {
        let parameters = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>()
        };
        assert_eq!(named(&parameters(&[("bot_id", "7"), ("agent_name", "sales")])), Some("sales"));
        assert_eq!(named(&parameters(&[("agent", "")])), None);
        assert_eq!(named(&parameters(&[])), None);
    }
}
