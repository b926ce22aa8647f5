//! Tools of the far end: a playbook calls them while its caller talks, and the core hands them on.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use chrono::NaiveDate;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tandem_domain::agent::{Agent, Script, Timing};
use tandem_domain::brain::RulesBrain;
use tandem_domain::caller::CallFacts;
use tandem_domain::ids::{AgentId, BusinessId, TurnId};
use tandem_domain::playbook::{Context, Heard, Playbook, PlaybookState};
use tandem_domain::port::brain::{Ask, Brain, BrainEvent, Prompt};

/// The front desk, which shows its answers to the far end.
fn showing() -> Playbook {
    let tools = "\n[[client_tools]]\nname = \"show_answer\"\nwhen = \"slot_filled\"\n\
                 [[client_tools]]\nname = \"price\"\nwhen = \"slot_filled\"\nslot = \"budget\"\n\
                 [[client_tools]]\nname = \"close_form\"\nwhen = \"completed\"\n";
    Playbook::from_toml(&format!("{}{tools}", include_str!("../playbooks/front-desk.toml"))).unwrap()
}

struct Talk(Playbook, PlaybookState);

impl Talk {
    /// The tools that `text` makes the playbook call.
    fn says(&mut self, text: &str) -> Value {
        let now = NaiveDate::from_ymd_opt(2026, 11, 21).unwrap().and_hms_opt(16, 0, 0).unwrap();
        let reply = self.0.respond(&self.1, &Heard { text, confidence: None }, &Context::default().at(now));
        self.1 = reply.state;
        reply.tools.into_iter().map(|call| json!([call.name, call.parameters])).collect()
    }
}

#[test]
fn answers_and_corrections_are_told_once() {
    let playbook = showing();
    let opening = playbook.start(&Context::default());
    assert!(opening.tools.is_empty());
    let mut talk = Talk(playbook, opening.state);
    assert_eq!(
        talk.says("an apartment in Delhi"),
        json!([
            ["show_answer", {"slot": "property_type", "value": "apartment", "property_type": "apartment"}],
            ["show_answer", {"slot": "location", "value": "Delhi", "location": "Delhi"}],
        ])
    );
    let budget = |amount: i64| json!({"slot": "budget", "value": amount, "budget": amount, "budget_currency": "INR"});
    assert_eq!(talk.says("sixty lakh"), json!([["show_answer", budget(6_000_000)], ["price", budget(6_000_000)]]));
    assert_eq!(talk.says("yes"), json!([]), "nothing new");
    assert_eq!(talk.says("no, fifty lakh"), json!([["show_answer", budget(5_000_000)], ["price", budget(5_000_000)]]));
    let all = json!({"property_type": "apartment", "location": "Delhi", "budget": 5_000_000, "budget_currency": "INR"});
    assert_eq!(talk.says("no thank you"), json!([["close_form", all]]));
    assert_eq!(talk.says("hello?"), json!([]), "it is over");
}

#[test]
fn a_caller_who_leaves_has_completed_nothing() {
    let playbook = showing();
    let state = playbook.start(&Context::default()).state;
    assert_eq!(Talk(playbook, state).says("not interested, bye"), json!([]));
}

#[test]
fn the_brain_tells_tools_before_the_decision() {
    let agent = Agent {
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
    };
    let playbook = Arc::new(showing());
    let state = playbook.start(&Context::default()).state;
    let brain = RulesBrain::for_call(playbook, &agent, CallFacts::default());
    let prompt = Prompt::Heard { text: "a villa".to_owned(), confidence: None };
    let ask = Ask { turn: TurnId(1), prompt, state: Some(state), history: [].into() };
    let events: Vec<BrainEvent> =
        futures_util::FutureExt::now_or_never(brain.respond(ask).map(Result::unwrap).collect()).unwrap();
    let [.., BrainEvent::State(_), BrainEvent::Tool(call), BrainEvent::Decision(_)] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!((call.name.as_str(), &call.parameters["value"]), ("show_answer", &json!("villa")));
}
