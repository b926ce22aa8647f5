//! The first words of an agent, by the order that its users rely on (api-inventory section 10 item 4).
//!
//! | first of these that is there                          | spoken                                   |
//! |-------------------------------------------------------|------------------------------------------|
//! | first words the client asked for, where allowed       | as they are                              |
//! | `first_message_inbound` or `first_message_outbound`   | as it is                                 |
//! | first line of the sales script                        | as it is                                 |
//! | `business_info.greeting`                              | as it is                                 |
//! | `business_info.company_name`                          | "Hi! This is {agent} from {company}."    |
//! | a name from earlier calls                             | the playbook's line for returning callers, else "Hi {name}! Good to hear from you again." |
//! | nothing                                               | the playbook's greeting, else "Hi! How's it going?" |
//!
//! Whatever is said first, the playbook's first question follows. Before all of it comes the agent's disclosure (`disclosure_message`, else
//! `business_info.disclosure`), where it has one: who calls, that it is a machine, that the call is recorded. Nobody's speech and no key stops that.
//! Names in braces in any of these words have a value, or are left out and told of ([`variables`]).

pub mod variables;

use serde::{Deserialize, Serialize};

use crate::agent::Agent;
use crate::caller::CallFacts;
use crate::port::brain::BrainEvent;
use crate::record::Direction;
use variables::{Filled, Variables};

/// What is said before a brain's own words, or in their place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstWords {
    /// Has to be heard; empty if the agent discloses nothing.
    pub disclosure: String,
    /// As [`choose`] says.
    pub greeting: String,
}

impl FirstWords {
    /// Of this agent in this call, where no playbook has its own.
    pub fn of(agent: &Agent, call: &CallFacts) -> Self {
        let variables = Variables::of(agent, call);
        Self {
            disclosure: disclosure(agent, &variables).words,
            greeting: variables.fill(&choose(agent, call).words()).words,
        }
    }

    /// The disclosure, as the first events of an opening; none if there is none.
    pub fn disclosed(&self) -> impl Iterator<Item = BrainEvent> {
        let words = Some(self.disclosure.clone()).filter(|words| !words.is_empty());
        words.into_iter().flat_map(|words| [BrainEvent::Protect, BrainEvent::Say(words)])
    }
}

/// The agent's disclosure; empty if it has none.
pub fn disclosure(agent: &Agent, variables: &Variables) -> Filled {
    let own = agent.script.disclosure.as_deref().map(str::trim).filter(|line| !line.is_empty());
    own.or(agent.script.info("disclosure")).map(|words| variables.fill(words)).unwrap_or_default()
}

/// Names in the agent's words for this call that stand for nothing, each with where it is: `{compny} in the disclosure`.
pub fn unknown_names(agent: &Agent, call: &CallFacts, variables: &Variables) -> Vec<String> {
    let greeting = match choose(agent, call) {
        Greeting::Words(words) => variables.fill(&words),
        Greeting::Returning(_) | Greeting::Usual => Filled::default(),
    };
    let unknown = [("disclosure", disclosure(agent, variables)), ("greeting", greeting)];
    let told = |(place, filled): (&str, Filled)| {
        filled.unknown.into_iter().map(move |name| format!("{{{name}}} in the {place}")).collect::<Vec<_>>()
    };
    unknown.into_iter().flat_map(told).collect()
}

/// What a caller hears first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Greeting {
    /// These words.
    Words(String),
    /// A caller of this name is welcomed back.
    Returning(String),
    /// As the playbook greets everybody.
    Usual,
}

impl Greeting {
    /// The words of a greeting where no playbook has its own.
    pub fn words(self) -> String {
        match self {
            Self::Words(words) => words,
            Self::Returning(name) => format!("Hi {name}! Good to hear from you again."),
            Self::Usual => "Hi! How's it going?".to_owned(),
        }
    }
}

/// How `agent` greets the other party of this call.
pub fn choose(agent: &Agent, call: &CallFacts) -> Greeting {
    let script = &agent.script;
    let first_message = match call.direction {
        Direction::Inbound => agent.first_message_inbound.as_deref(),
        Direction::Outbound => script.first_message_outbound.as_deref(),
    };
    let own = [call.first_message.as_deref(), first_message, script.first_line(), script.info("greeting")]
        .into_iter()
        .flatten()
        .map(str::trim)
        .find(|words| !words.is_empty());
    if let Some(words) = own {
        return Greeting::Words(words.to_owned());
    }
    if let Some(company) = script.company() {
        return Greeting::Words(format!("Hi! This is {} from {company}.", agent.name));
    }
    let name = call.known.as_ref().and_then(|known| known.name.as_deref()).map(str::trim);
    match name.filter(|name| !name.is_empty()) {
        Some(name) => Greeting::Returning(name.to_owned()),
        None => Greeting::Usual,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::agent::Script;
    use crate::caller::KnownCaller;

    fn agent() -> Agent {
        Agent {
            id: crate::ids::AgentId(1),
            uuid: uuid::Uuid::nil(),
            business: crate::ids::BusinessId::FIRST,
            name: "Asha".to_owned(),
            playbook: "front-desk".to_owned(),
            language: "en".to_owned(),
            voice: String::new(),
            asr_keywords: Vec::new(),
            first_message_inbound: Some("Welcome in.".to_owned()),
            timing: crate::agent::Timing::default(),
            uncertainty: Default::default(),
            ambience: Default::default(),
            recorded: true,
            script: Script {
                sales_script: "\n  Good day from the sales team! \nThen ask for the budget.".to_owned(),
                business_info: json!({"company_name": "Acme", "greeting": "Namaste from Acme."})
                    .as_object()
                    .unwrap()
                    .clone(),
                first_message_outbound: Some("We call you.".to_owned()),
                ..Script::default()
            },
        }
    }

    fn rahul() -> CallFacts {
        let known =
            KnownCaller { name: Some("Rahul".to_owned()), last_call_at: chrono::DateTime::UNIX_EPOCH, language: None };
        CallFacts { known: Some(known), ..CallFacts::default() }
    }

    #[test]
    fn each_takes_its_place_when_the_one_before_is_gone() {
        let (mut agent, mut call) = (agent(), CallFacts { first_message: Some("As you wish.".to_owned()), ..rahul() });
        let words = |agent: &Agent, call: &CallFacts| choose(agent, call).words();
        assert_eq!(words(&agent, &call), "As you wish.");
        call.first_message = None;
        assert_eq!(words(&agent, &call), "Welcome in.");
        let outbound = CallFacts { direction: Direction::Outbound, ..call.clone() };
        assert_eq!(words(&agent, &outbound), "We call you.");
        agent.first_message_inbound = Some("  ".to_owned());
        assert_eq!(words(&agent, &call), "Good day from the sales team!");
        agent.script.sales_script.clear();
        assert_eq!(words(&agent, &call), "Namaste from Acme.");
        agent.script.business_info.remove("greeting");
        assert_eq!(words(&agent, &call), "Hi! This is Asha from Acme.");
        agent.script.business_info.clear();
        assert_eq!(words(&agent, &call), "Hi Rahul! Good to hear from you again.");
        assert_eq!(choose(&agent, &call), Greeting::Returning("Rahul".to_owned()));
        assert_eq!(words(&agent, &CallFacts::default()), "Hi! How's it going?");
    }

    #[test]
    fn a_disclosure_is_protected_and_an_empty_one_is_none() {
        let mut agent = agent();
        let disclosed = |agent: &Agent| FirstWords::of(agent, &CallFacts::default()).disclosed().collect::<Vec<_>>();
        assert_eq!(disclosed(&agent), []);
        agent.script.business_info.insert("disclosure".to_owned(), json!("This call is recorded."));
        let said = [BrainEvent::Protect, BrainEvent::Say("This call is recorded.".to_owned())];
        assert_eq!(disclosed(&agent), said);
        agent.script.business_info.insert("disclosure".to_owned(), json!("  "));
        assert_eq!(disclosed(&agent), []);
    }

    #[test]
    fn names_stand_for_what_the_call_knows_and_those_that_stand_for_nothing_are_told() {
        let mut agent = agent();
        agent.script.disclosure = Some("{agent} of {company_name} is a machine of {compny}.".to_owned());
        agent.first_message_inbound = Some("Hello {caller}, welcome to {plce}.".to_owned());
        let first = FirstWords::of(&agent, &rahul());
        assert_eq!(first.disclosure, "Asha of Acme is a machine.");
        assert_eq!(first.greeting, "Hello Rahul, welcome.");
        let unknown = unknown_names(&agent, &rahul(), &Variables::of(&agent, &rahul()));
        assert_eq!(unknown, ["{compny} in the disclosure", "{plce} in the greeting"]);
    }

    #[test]
    fn the_other_direction_s_message_is_not_used() {
        let mut agent = agent();
        agent.script.first_message_outbound = None;
        let outbound = CallFacts { direction: Direction::Outbound, ..CallFacts::default() };
        assert_eq!(choose(&agent, &outbound).words(), "Good day from the sales team!");
    }
}
