//! What a playbook marks as protected: which sentences of a reply it is, in every way that they may come to be said.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use futures_util::{FutureExt, StreamExt};
use tandem_domain::agent::{Agent, Script, Timing};
use tandem_domain::brain::RulesBrain;
use tandem_domain::caller::CallFacts;
use tandem_domain::ids::{AgentId, BusinessId, TurnId};
use tandem_domain::playbook::{Context, Heard, Playbook, PlaybookError, Reply};
use tandem_domain::port::brain::{Ask, Brain, BrainEvent, Prompt};

/// A desk whose greeting has a legal text, and that asks for a consent.
const DESK: &str = "
name = 'x'
title = 'X'
greeting = ['Hello.', { say = 'This call is recorded.', protected = true }]
returning = ['Hello again.']

[closing]
completed = [{ say = 'The terms are on our page.', protected = true }, 'Goodbye.']

[[slots]]
name = 'age'
type = 'number'
prompt = 'How old are you?'

[[slots]]
name = 'consent'
type = 'yes_no'
prompt = 'We keep your number for a year. Do you agree?'
reprompts = ['Do you agree that we keep your number?']
help = 'Say yes, and we keep it.'
protected = true

[confirmation]
policy = 'none'
";

fn desk() -> Playbook {
    Playbook::from_toml(DESK).unwrap()
}

/// The sentences, those that have to be heard with a star.
fn told(reply: &Reply) -> Vec<String> {
    let star = |i| if reply.protected.contains(&i) { "*" } else { "" };
    reply.say.iter().enumerate().map(|(i, say)| format!("{}{say}", star(i))).collect()
}

fn says(desk: &Playbook, before: &Reply, text: &str) -> Reply {
    desk.respond(&before.state, &Heard { text, confidence: Some(0.9) }, &Context::default())
}

const LEGAL: &str = "*This call is recorded.";
const CONSENT: &str = "*We keep your number for a year. Do you agree?";

#[test]
fn a_protected_line_and_a_protected_question_are_so_whenever_they_are_said() {
    let desk = desk();
    let opening = desk.start(&Context::default());
    assert_eq!(told(&opening), ["Hello.", LEGAL, "How old are you?"]);
    assert_eq!(told(&says(&desk, &opening, "say again please")), ["Hello.", LEGAL, "How old are you?"], "repeated");
    assert_eq!(told(&desk.repeat(&opening.state)), ["Hello.", LEGAL, "How old are you?"]);
    assert_eq!(told(&says(&desk, &opening, "hello")), ["How old are you?"], "the question alone");

    let asked = says(&desk, &opening, "forty");
    assert_eq!(told(&asked), [CONSENT]);
    assert_eq!(told(&says(&desk, &asked, "what can I say")), ["*Say yes, and we keep it."]);
    let again = says(&desk, &asked, "green bananas");
    assert_eq!(told(&again), ["Sorry, I did not get that.", "*Do you agree that we keep your number?"]);
    assert_eq!(
        told(&desk.respond_silence(&asked.state, 1, &Context::default())),
        ["Hello? I cannot hear you.", "*Do you agree that we keep your number?"]
    );
    assert_eq!(told(&says(&desk, &asked, "yes")), ["*The terms are on our page.", "Goodbye."]);
}

#[test]
fn what_has_to_be_heard_is_said_whoever_greets() {
    let greeted = Context { greeting: Some("Good morning.".to_owned()), ..Context::default() };
    assert_eq!(told(&desk().start(&greeted)), ["Good morning.", LEGAL, "How old are you?"]);
    let known = Context { returning: true, ..Context::default() };
    assert_eq!(told(&desk().start(&known)), ["Hello again.", LEGAL, "How old are you?"]);
    let own = DESK.replace("['Hello again.']", "[{ say = 'Recorded, as ever.', protected = true }]");
    assert_eq!(told(&Playbook::from_toml(&own).unwrap().start(&known)), ["*Recorded, as ever.", "How old are you?"]);
}

fn events(text: &str, prompt: Prompt) -> Vec<BrainEvent> {
    let agent = Agent {
        id: AgentId(1),
        uuid: uuid::Uuid::nil(),
        business: BusinessId::FIRST,
        version: tandem_domain::agent_version::VersionNumber::FIRST,
        name: "x".to_owned(),
        playbook: "x".to_owned(),
        language: String::new(),
        voice: String::new(),
        asr_keywords: Vec::new(),
        first_message_inbound: None,
        timing: Timing::default(),
        uncertainty: Default::default(),
        ambience: Default::default(),
        recorded: true,
        terms: Default::default(),
        script: Script::default(),
    };
    let playbook = Arc::new(Playbook::from_toml(text).unwrap());
    let brain = RulesBrain::for_call(playbook, &agent, CallFacts::default());
    let ask = Ask { turn: TurnId(1), prompt, state: None, history: [].into() };
    let said = brain.respond(ask).map(Result::unwrap).collect::<Vec<_>>().now_or_never().unwrap();
    said.into_iter().filter(|event| matches!(event, BrainEvent::Protect | BrainEvent::Say(_))).collect()
}

#[test]
fn who_speaks_before_the_greeting_hears_it_all_the_same() {
    let say = |text: &str| BrainEvent::Say(text.to_owned());
    let heard = |text: &str| Prompt::Heard { text: text.to_owned(), confidence: None };
    assert_eq!(
        events(DESK, heard("I am forty")),
        [
            say("Hello."),
            BrainEvent::Protect,
            say("This call is recorded."),
            BrainEvent::Protect,
            say("We keep your number for a year. Do you agree?")
        ]
    );
    let consent_first = DESK.replace("type = 'number'", "type = 'yes_no'\nprotected = true");
    let opening = events(&consent_first, Prompt::Open);
    assert_eq!(events(&consent_first, heard("yes, it is me")), opening, "no consent to what was not heard");
}

#[test]
fn a_slip_in_a_protected_line_is_told_with_its_line() {
    let refused = |from: &str, to: &str| match Playbook::from_toml(&DESK.replace(from, to)).unwrap_err() {
        PlaybookError::Unreadable { line, detail } => format!("{line}: {detail}"),
        PlaybookError::Unsound { line, key, problem } => format!("{line}: {key}: {problem}"),
    };
    assert_eq!(refused("say = 'This call is recorded.'", "say = ' '"), "4: greeting: a protected line needs words");
    assert!(refused("recorded.', protected", "recorded.', protect").starts_with("4: unknown field `protect`"));
    assert!(refused("'Hello.', {", "7, {").contains("expected a line, or { say = \"a line\", protected = true }"));
    assert!(refused("protected = true\n\n[conf", "protected = 'yes'\n\n[conf").starts_with("21: "));
    let hindi = "\n[languages.hi]\ngreeting = ['नमस्ते।']\n[languages.hi.slots]\nage.prompt = 'उम्र?'\nconsent.prompt = 'ठीक है?'\n";
    let error = Playbook::from_toml(&format!("{DESK}{hindi}")).unwrap_err().to_string();
    assert!(error.contains("greeting: what is protected in one language is protected in all"), "{error}");
}
