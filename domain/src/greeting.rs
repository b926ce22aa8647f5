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
//! Variables are filled in ([`crate::variables`]); what nobody knows is left out and told of, and a line of which nothing is left is none. The
//! client's own words are said as they are: they were not written as a text with variables. Whatever is said first, the playbook's first question
//! follows. Before all of it comes the agent's disclosure (`disclosure_message`, else `business_info.disclosure`), where it has one: who calls, that
//! it is a machine, that the call is recorded. Nobody's speech and no key stops that.

use serde::{Deserialize, Serialize};

use crate::agent::Agent;
use crate::caller::CallFacts;
use crate::port::brain::BrainEvent;
use crate::record::Direction;
use crate::variables::{self, Filled, Variables};

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
        let variables = agent_variables(agent, call);
        Self { disclosure: disclosure(agent, &variables), greeting: choose(agent, call, &variables).words() }
    }

    /// The disclosure, as the first events of an opening; none if there is none.
    pub fn disclosed(&self) -> impl Iterator<Item = BrainEvent> + use<> {
        let words = Some(self.disclosure.clone()).filter(|words| !words.is_empty());
        words.into_iter().flat_map(|words| [BrainEvent::Protect, BrainEvent::Say(words)])
    }
}

/// What the names in an agent's words stand for in this call.
pub fn agent_variables(agent: &Agent, call: &CallFacts) -> Variables {
    Variables::of(&agent.name, &agent.language, &agent.script, call)
}

/// The agent's disclosure; empty if it has none, and if nothing is left of it.
pub fn disclosure(agent: &Agent, variables: &Variables) -> String {
    Some(disclosed(agent, variables).text).filter(|words| can_be_said(words)).unwrap_or_default()
}

fn disclosed(agent: &Agent, variables: &Variables) -> Filled {
    let own = agent.script.disclosure.as_deref().map(str::trim).filter(|line| !line.is_empty());
    own.or(agent.script.info("disclosure")).map(|line| variables.fill_spoken(line)).unwrap_or_default()
}

/// The agent's own first lines, the first that can be said first.
fn lines<'a>(agent: &'a Agent, call: &CallFacts, variables: &'a Variables) -> impl Iterator<Item = Filled> + use<'a> {
    let script = &agent.script;
    let first_message = match call.direction {
        Direction::Inbound => agent.first_message_inbound.as_deref(),
        Direction::Outbound => script.first_message_outbound.as_deref(),
    };
    let lines = [first_message, script.first_line(), script.info("greeting")].into_iter().flatten();
    lines.map(|line| variables.fill_spoken(line.trim()))
}

fn can_be_said(words: &str) -> bool {
    words.contains(char::is_alphanumeric)
}

/// Names in the agent's words for this call that stand for nothing, each with where it is: `{compny} in the disclosure`. What calls bring, such as
/// the other party's name, is none of them: it is often not known.
pub fn unknown_names(agent: &Agent, call: &CallFacts, variables: &Variables) -> Vec<String> {
    let wished = call.first_message.as_deref().is_some_and(can_be_said);
    let said = lines(agent, call, variables).find(|line| can_be_said(&line.text)).filter(|_| !wished);
    let unknown = [("disclosure", disclosed(agent, variables)), ("greeting", said.unwrap_or_default())];
    let told = |(place, filled): (&str, Filled)| {
        let names = filled.unknown.into_iter().filter(|name| !variables::is_of_a_call(name));
        names.map(move |name| format!("{{{name}}} in the {place}")).collect::<Vec<_>>()
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
pub fn choose(agent: &Agent, call: &CallFacts, variables: &Variables) -> Greeting {
    let wish = call.first_message.iter().map(|wish| wish.trim().to_owned());
    let written = lines(agent, call, variables).map(|line| line.text);
    if let Some(words) = wish.chain(written).find(|words| can_be_said(words)) {
        return Greeting::Words(words);
    }
    if let Some(company) = agent.script.company() {
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
            version: crate::agent_version::VersionNumber::FIRST,
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
            terms: Default::default(),
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
        let known = KnownCaller {
            name: Some("Rahul".to_owned()),
            last_call_at: chrono::DateTime::UNIX_EPOCH,
            language: None,
            last_outcome: None,
        };
        CallFacts { known: Some(known), ..CallFacts::default() }
    }

    #[test]
    fn each_takes_its_place_when_the_one_before_is_gone() {
        let (mut agent, mut call) = (agent(), CallFacts { first_message: Some("As you wish.".to_owned()), ..rahul() });
        let words = |agent: &Agent, call: &CallFacts| FirstWords::of(agent, call).greeting;
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
        let chosen = choose(&agent, &call, &agent_variables(&agent, &call));
        assert_eq!(chosen, Greeting::Returning("Rahul".to_owned()));
        assert_eq!(words(&agent, &CallFacts::default()), "Hi! How's it going?");
    }

    #[test]
    fn a_disclosure_is_protected_and_an_empty_one_is_none() {
        let (mut agent, call) = (agent(), CallFacts::default());
        let disclosed = |agent: &Agent| FirstWords::of(agent, &call).disclosed().collect::<Vec<_>>();
        let protected = |words: &str| [BrainEvent::Protect, BrainEvent::Say(words.to_owned())];
        assert_eq!(disclosed(&agent), []);
        agent.script.business_info.insert("disclosure".to_owned(), json!("This call is recorded."));
        assert_eq!(disclosed(&agent), protected("This call is recorded."));
        agent.script.disclosure = Some("{agent} of {company} {{title}} calls.".to_owned());
        assert_eq!(disclosed(&agent), protected("Asha of Acme calls."), "what nobody knows is left out");
        agent.script.disclosure = Some("{{title}}".to_owned());
        assert_eq!(disclosed(&agent), [], "nothing is left of it");
        agent.script.disclosure = None;
        agent.script.business_info.insert("disclosure".to_owned(), json!("  "));
        assert_eq!(disclosed(&agent), []);
    }

    #[test]
    fn variables_are_said_where_they_are_known() {
        let mut agent = agent();
        agent.first_message_inbound = Some("Hi {{name}}, {agent} from {company} here.".to_owned());
        let words = |agent: &Agent, call: &CallFacts| FirstWords::of(agent, call).greeting;
        assert_eq!(words(&agent, &rahul()), "Hi Rahul, Asha from Acme here.");
        assert_eq!(words(&agent, &CallFacts::default()), "Hi, Asha from Acme here.");
        agent.first_message_inbound = Some("{{name}}!".to_owned());
        assert_eq!(words(&agent, &CallFacts::default()), "Good day from the sales team!", "nothing is left of it");
        let wish = CallFacts { first_message: Some("{{name}} here".to_owned()), ..rahul() };
        assert_eq!(words(&agent, &wish), "{{name}} here");
    }

    #[test]
    fn names_that_stand_for_nothing_are_told() {
        let mut agent = agent();
        agent.script.disclosure = Some("{agent} of {company_name} is a machine of {compny}.".to_owned());
        agent.first_message_inbound = Some("Hello {caller}, welcome to {plce}.".to_owned());
        let first = FirstWords::of(&agent, &rahul());
        assert_eq!(
            (first.disclosure.as_str(), first.greeting.as_str()),
            ("Asha of Acme is a machine.", "Hello Rahul, welcome.")
        );
        for call in [rahul(), CallFacts::default()] {
            let unknown = unknown_names(&agent, &call, &agent_variables(&agent, &call));
            assert_eq!(unknown, ["{compny} in the disclosure", "{plce} in the greeting"]);
        }
        let wish = CallFacts { first_message: Some("Good morning.".to_owned()), ..rahul() };
        let unknown = unknown_names(&agent, &wish, &agent_variables(&agent, &wish));
        assert_eq!(unknown, ["{compny} in the disclosure"], "what is not said is nobody's loss");
    }

    #[test]
    fn the_other_direction_s_message_is_not_used() {
        let mut agent = agent();
        agent.script.first_message_outbound = None;
        let outbound = CallFacts { direction: Direction::Outbound, ..CallFacts::default() };
        assert_eq!(FirstWords::of(&agent, &outbound).greeting, "Good day from the sales team!");
    }
}
