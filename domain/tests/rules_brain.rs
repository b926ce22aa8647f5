//! What the rules' brain makes of its agent and its call: whose words come first, and what the playbook is told.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use chrono::{DateTime, NaiveDate};
use futures_util::{FutureExt, StreamExt};
use serde_json::json;
use tandem_domain::agent::{Agent, Script, Timing};
use tandem_domain::brain::RulesBrain;
use tandem_domain::caller::{CallFacts, KnownCaller};
use tandem_domain::ids::{AgentId, BusinessId, TurnId};
use tandem_domain::playbook::{Playbook, PlaybookState};
use tandem_domain::port::brain::{Ask, Brain, BrainEvent, Prompt};
use tandem_domain::record::Direction;

fn agent() -> Agent {
    Agent {
        id: AgentId(1),
        uuid: uuid::Uuid::nil(),
        business: BusinessId::FIRST,
        version: tandem_domain::agent_version::VersionNumber::FIRST,
        name: "Asha".to_owned(),
        playbook: "front-desk".to_owned(),
        language: "en".to_owned(),
        voice: String::new(),
        asr_keywords: Vec::new(),
        first_message_inbound: None,
        timing: Timing::default(),
        uncertainty: Default::default(),
        ambience: Default::default(),
        recorded: true,
        terms: Default::default(),
        script: Script::default(),
    }
}

fn rahul() -> CallFacts {
    let known = KnownCaller {
        name: Some("Rahul".to_owned()),
        last_call_at: DateTime::UNIX_EPOCH,
        language: Some("hi".to_owned()),
        last_outcome: None,
    };
    CallFacts { known: Some(known), ..CallFacts::default() }
}

/// What the brain says, and where the playbook then stands.
fn asked(brain: &RulesBrain, prompt: Prompt, state: Option<PlaybookState>) -> (String, PlaybookState) {
    let ask = Ask { turn: TurnId(1), prompt, state, history: [].into() };
    let events: Vec<BrainEvent> = brain.respond(ask).map(Result::unwrap).collect().now_or_never().unwrap();
    let said = events.iter().filter_map(|event| match event {
        BrainEvent::Say(text) => Some(text.as_str()),
        BrainEvent::FirstToken
        | BrainEvent::Protect
        | BrainEvent::State(_)
        | BrainEvent::Tool(_)
        | BrainEvent::Decision(_)
        | BrainEvent::SkipTurn => None,
    });
    let said = said.collect::<Vec<_>>().join(" ");
    let state = events.iter().find_map(|event| match event {
        BrainEvent::State(state) => Some((**state).clone()),
        BrainEvent::FirstToken
        | BrainEvent::Protect
        | BrainEvent::Say(_)
        | BrainEvent::Tool(_)
        | BrainEvent::Decision(_)
        | BrainEvent::SkipTurn => None,
    });
    (said, state.unwrap())
}

/// A playbook that has neither a greeting nor a line for returning callers.
fn mute() -> Arc<Playbook> {
    let text = "name = 'x'\ntitle = 'X'\ngreeting = []\n[[slots]]\nname = 'age'\ntype = 'number'\nprompt = 'How old?'";
    Arc::new(Playbook::from_toml(text).unwrap())
}

fn opening(playbook: Arc<Playbook>, agent: &Agent, call: CallFacts) -> String {
    asked(&RulesBrain::for_call(playbook, agent, call), Prompt::Open, None).0
}

#[test]
fn the_agents_words_come_before_the_playbooks_and_the_question_follows() {
    let desk = || Arc::new(Playbook::front_desk());
    let question = "What kind of property are you looking for?";
    let mut agent = agent();
    assert_eq!(
        opening(desk(), &agent, CallFacts::default()),
        format!("Hello, this is Tandem's front desk. {question}")
    );
    assert_eq!(
        opening(desk(), &agent, rahul()),
        format!("Hello Rahul, welcome back to Tandem's front desk. {question}")
    );
    agent.script.business_info = json!({"company_name": "Acme"}).as_object().unwrap().clone();
    assert_eq!(opening(desk(), &agent, rahul()), format!("Hi! This is Asha from Acme. {question}"));
    agent.script.first_message_outbound = Some("We are calling from {company}.".to_owned());
    let outbound = CallFacts { direction: Direction::Outbound, ..rahul() };
    assert_eq!(opening(desk(), &agent, outbound), format!("We are calling from Acme. {question}"));
}

#[test]
fn a_playbook_without_a_greeting_has_the_usual_one() {
    assert_eq!(opening(mute(), &agent(), CallFacts::default()), "Hi! How's it going? How old?");
    assert_eq!(opening(mute(), &agent(), rahul()), "Hi Rahul! Good to hear from you again. How old?");
}

#[test]
fn the_call_tells_the_playbook_its_time_and_its_caller() {
    let now = NaiveDate::from_ymd_opt(2026, 11, 21).unwrap().and_hms_opt(16, 0, 0);
    let brain = RulesBrain::for_call(Arc::new(Playbook::front_desk()), &agent(), CallFacts { now, ..rahul() });
    let (_, state) = asked(&brain, Prompt::Open, None);
    let text = "a villa in Goa for one crore, call me tomorrow at noon".to_owned();
    let (_, state) = asked(&brain, Prompt::Heard { text, confidence: None }, Some(state));
    assert_eq!(brain.extracted(&state)["callback_time"], json!({"date": "2026-11-22", "from": "12:00", "to": "12:00"}));
}

#[test]
fn a_disclosure_is_the_first_sentence_of_every_call_and_of_no_repetition() {
    let script = Script { disclosure: Some(" A machine speaks. ".to_owned()), ..Script::default() };
    let agent = Agent { script, ..agent() };
    let facts = CallFacts { first_message: Some("As you wish.".to_owned()), ..rahul() };
    let brain = RulesBrain::for_call(Arc::new(Playbook::front_desk()), &agent, facts);
    let (said, state) = asked(&brain, Prompt::Open, None);
    assert_eq!(said, "A machine speaks. As you wish. What kind of property are you looking for?");
    let prompt = |text: &str| Prompt::Heard { text: text.to_owned(), confidence: None };
    let (said, _) = asked(&brain, prompt("pardon?"), Some(state));
    assert_eq!(said, "As you wish. What kind of property are you looking for?");
    let (said, _) = asked(&brain, prompt("a villa"), None);
    assert_eq!(said, "A machine speaks. As you wish. A villa. Where should it be?");
}

#[test]
fn a_caller_who_says_hello_first_is_greeted_once() {
    let brain = RulesBrain::for_call(Arc::new(Playbook::front_desk()), &agent(), CallFacts::default());
    for hello in ["Hello?", "हैलो हैलो"] {
        let (said, _) = asked(&brain, Prompt::Heard { text: hello.to_owned(), confidence: None }, None);
        assert_eq!(said, "Hello, this is Tandem's front desk. What kind of property are you looking for?");
    }
}

#[test]
fn a_moment_that_is_asked_for_is_told_to_the_call() {
    let brain = RulesBrain::for_call(Arc::new(Playbook::front_desk()), &agent(), CallFacts::default());
    let (_, state) = asked(&brain, Prompt::Open, None);
    for (text, skips) in [("just a second", true), ("an apartment", false)] {
        let prompt = Prompt::Heard { text: text.to_owned(), confidence: None };
        let ask = Ask { turn: TurnId(1), prompt, state: Some(state.clone()), history: [].into() };
        let events: Vec<BrainEvent> = brain.respond(ask).map(Result::unwrap).collect().now_or_never().unwrap();
        assert_eq!(events.contains(&BrainEvent::SkipTurn), skips, "{text}");
    }
}

#[test]
fn a_caller_who_speaks_first_is_greeted_and_answered_at_once() {
    let brain = RulesBrain::for_call(Arc::new(Playbook::front_desk()), &agent(), rahul());
    let (said, _) = asked(&brain, Prompt::Heard { text: "a villa".to_owned(), confidence: None }, None);
    assert_eq!(said, "Hello Rahul, welcome back to Tandem's front desk. A villa. Where should it be?");
}

#[test]
fn a_name_that_stands_for_nothing_is_left_out_of_the_agents_words_and_told() {
    let script =
        Script { disclosure: Some("{agent} of {company} is a machine of {compny}.".to_owned()), ..Script::default() };
    let agent = Agent { script, first_message_inbound: Some("Welcome to the {plce}.".to_owned()), ..agent() };
    let brain = RulesBrain::for_call(Arc::new(Playbook::front_desk()), &agent, CallFacts::default());
    let (said, _) = asked(&brain, Prompt::Open, None);
    assert_eq!(said, "Asha of Tandem is a machine. Welcome. What kind of property are you looking for?");
    assert_eq!(brain.unknown_names(), ["{compny} in the disclosure", "{plce} in the greeting"]);
    let sound = RulesBrain::for_call(Arc::new(Playbook::front_desk()), &self::agent(), rahul());
    assert!(sound.unknown_names().is_empty());
}
