//! Whatever callers say: the playbook ends or waits, never panics, and never loses an answer.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveDateTime};
use proptest::prelude::*;
use tandem_domain::playbook::{Context, Decision, Heard, Playbook, PlaybookState, Reply};

/// One thing that can happen to a playbook.
#[derive(Debug, Clone)]
enum Event {
    Says(String, Option<f32>),
    Mumbles,
    Silent(u32),
}

/// Things callers say, in any combination.
const PARTS: [&str; 80] = [
    "an apartment",
    "a villa",
    "not a villa",
    "in Delhi",
    "near Whitefield in Bangalore",
    "Pune",
    "sixty lakh",
    "fifty to sixty lakh",
    "1.5 crore",
    "sixty",
    "60 lack rupees",
    "no",
    "yes",
    "no no",
    "that's right",
    "that's wrong",
    "actually",
    "make it",
    "I said",
    "sorry",
    "I don't know",
    "anything",
    "repeat",
    "what",
    "hold on",
    "one minute",
    "rather not say",
    "skip",
    "the budget",
    "change",
    "location is wrong",
    "thank you",
    "lakh",
    "crore",
    "in",
    "near",
    "and",
    "double five",
    "hello",
    "near the",
    "₹",
    "uh",
    "Kharagpur",
    "from x to y",
    "tomorrow evening",
    "between four and six",
    "after five",
    "on Monday",
    "the thirty first of February",
    "in two hours",
    "half past",
    "call me back",
    "four o'clock",
    "my name is Rahul",
    "Priya",
    "nine eight seven",
    "98765 43210",
    "plus",
    "oh",
    "my number",
    "rahul at gmail dot com",
    "at the rate",
    "dot",
    "English",
    "Hindi",
    "हिंदी",
    "पाँच सौ रुपये",
    "साढ़े",
    "पौने",
    "सवा लाख",
    "शाम चार बजे",
    "कल",
    "के बाद",
    "नहीं",
    "जी हाँ",
    "बदलिए",
    "फिर से बोलिए",
    "पता नहीं",
    "किसी से बात",
    "ek minute",
];

/// Every type of slot in one conversation, whose answers are confirmed by confidence.
const EVERYTHING: &str = r#"
name = "everything"
title = "Everything"
greeting = ["Hello."]
handover_after = 9
confirmation = { policy = "confidence", sure = 0.6 }
slots = [
    { name = "who", type = "name", prompt = "Who?", read_back = "{value}" },
    { name = "number", type = "phone", prompt = "Number?", read_back = "{value}" },
    { name = "mail", type = "email", prompt = "Mail?", read_back = "{value}" },
    { name = "day", type = "date", prompt = "Day?", read_back = "{value}" },
    { name = "hour", type = "time", prompt = "Hour?", read_back = "{value}" },
    { name = "sum", type = "money", prompt = "Sum?", read_back = "{value}" },
    { name = "count", type = "number", prompt = "Count?", read_back = "{value}" },
    { name = "sure", type = "yes_no", prompt = "Sure?", read_back = "{value}" },
    { name = "where", type = "place", prompt = "Where?", read_back = "{value}" },
    { name = "note", type = "text", prompt = "Note?", read_back = "{value}" },
]
client_tools = [{ name = "show", when = "slot_filled" }, { name = "close", when = "completed" }]

[languages.hi.slots]
who = { prompt = "कौन?" }
number = { prompt = "नंबर?" }
mail = { prompt = "मेल?" }
day = { prompt = "दिन?" }
hour = { prompt = "समय?" }
sum = { prompt = "रकम?" }
count = { prompt = "कितने?" }
sure = { prompt = "पक्का?" }
where = { prompt = "कहाँ?" }
note = { prompt = "और कुछ?" }
"#;

fn playbooks() -> [Playbook; 3] {
    [Playbook::front_desk(), Playbook::logistics(), Playbook::from_toml(EVERYTHING).unwrap()]
}

fn context() -> Context {
    let saturday: NaiveDateTime = NaiveDate::from_ymd_opt(2026, 11, 21).unwrap().and_hms_opt(16, 0, 0).unwrap();
    Context::default().at(saturday)
}

fn utterance() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => proptest::collection::vec(proptest::sample::select(&PARTS[..]), 1..5).prop_map(|parts| parts.join(" ")),
        1 => "\\PC{0,60}",
        1 => "[a-z0-9 ,.'₹-]{0,80}",
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        10 => (utterance(), proptest::option::of(0.0_f32..=1.0)).prop_map(|(text, confidence)| Event::Says(text, confidence)),
        1 => Just(Event::Mumbles),
        1 => (0_u32..5).prop_map(Event::Silent),
    ]
}

fn answer(playbook: &Playbook, state: &PlaybookState, event: &Event) -> Reply {
    let context = context();
    match event {
        Event::Says(text, confidence) => playbook.respond(state, &Heard { text, confidence: *confidence }, &context),
        Event::Mumbles => playbook.respond_unheard(state, &context),
        Event::Silent(rung) => playbook.respond_silence(state, *rung, &context),
    }
}

/// What must hold between two states.
fn check(playbook: &Playbook, before: &PlaybookState, event: &Event, reply: &Reply) -> Result<(), TestCaseError> {
    let names = |state: &PlaybookState| state.slots.keys().cloned().collect::<BTreeSet<_>>();
    prop_assert!(names(before).is_subset(&names(&reply.state)), "{:?} lost a slot", event);
    if !matches!(event, Event::Says(..)) {
        for (name, filled) in &before.slots {
            prop_assert_eq!(&filled.value, &reply.state.slots[name].value, "{:?} changed {}", event, name);
        }
    }
    prop_assert_eq!(reply.decision, reply.state.decision());
    prop_assert_eq!(reply.say.is_empty(), before.ending().is_some(), "dead air, or words after the end: {:?}", event);
    prop_assert!(reply.say.iter().all(|line| !line.trim().is_empty()));
    let stored = serde_json::to_string(&reply.state).unwrap();
    prop_assert_eq!(&serde_json::from_str::<PlaybookState>(&stored).unwrap(), &reply.state);
    let _ = (playbook.extracted_data(&reply.state), playbook.expected(&reply.state));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_conversation_is_bounded(events in proptest::collection::vec(event(), 60)) {
        for playbook in playbooks() {
            let mut state = playbook.start(&context()).state;
            for event in &events {
                let reply = answer(&playbook, &state, event);
                check(&playbook, &state, event, &reply)?;
                prop_assert_eq!(&answer(&playbook, &state, event), &reply, "not a function of its arguments");
                state = reply.state;
            }
            prop_assert_ne!(state.decision(), Decision::NeedMoreInfo, "sixty turns are more than any call may take");
        }
    }
}

#[test]
fn the_same_utterance_for_ever_ends() {
    for (playbook, text) in playbooks().iter().flat_map(|playbook| PARTS.map(|text| (playbook, text))) {
        let mut state = playbook.start(&context()).state;
        let mut turns = 0;
        while state.ending().is_none() {
            state = answer(playbook, &state, &Event::Says(text.to_owned(), None)).state;
            turns += 1;
            assert!(turns <= 41, "{text} goes on for ever");
        }
    }
}

#[test]
fn silence_alone_ends_from_every_state() {
    let words =
        ["", "an apartment", "an apartment in Delhi", "an apartment in Delhi for sixty lakh", "sixty", "हिंदी", "Rahul"];
    for (playbook, words) in playbooks().iter().flat_map(|playbook| words.map(|words| (playbook, words))) {
        let mut state = playbook.start(&context()).state;
        state = answer(playbook, &state, &Event::Says(words.to_owned(), None)).state;
        // The worst ladder: it starts again each time, because the line crackles.
        for _ in 0..14 {
            state = answer(playbook, &state, &Event::Silent(0)).state;
        }
        assert!(state.ending().is_some(), "{words}");
    }
}
