//! Conversations with the front desk, as callers hold them.
#![allow(clippy::unwrap_used)]

use chrono::{NaiveDate, NaiveDateTime};
use serde_json::{Value, json};
use tandem_domain::playbook::{Awaiting, Context, Decision, Ending, Heard, Playbook, PlaybookState, Reply, stage};
use tandem_domain::slot::SlotType;

/// One call with the front desk.
struct Talk {
    playbook: Playbook,
    context: Context,
    state: PlaybookState,
    /// Everything said in the last reply.
    said: String,
    decision: Decision,
}

impl Talk {
    fn begin() -> Self {
        Self::with(Playbook::front_desk())
    }

    fn with(playbook: Playbook) -> Self {
        let context = Context::new("Asha", "Tandem").at(saturday());
        let reply = playbook.start(&context);
        Self { playbook, context, said: reply.say.join(" "), decision: reply.decision, state: reply.state }
    }

    /// After both smoke-test turns: asked for the time to call back.
    fn offered() -> Self {
        let mut talk = Self::begin();
        talk.says("I want an apartment in Delhi");
        talk.says("sixty lakh rupees");
        talk
    }

    /// After all answers: asked whether to change anything.
    fn read_back() -> Self {
        let mut talk = Self::offered();
        talk.says("tomorrow evening");
        talk
    }

    fn took(&mut self, reply: Reply) -> &str {
        assert_eq!(reply.decision, reply.state.decision());
        (self.said, self.decision, self.state) = (reply.say.join(" "), reply.decision, reply.state);
        &self.said
    }

    fn says(&mut self, text: &str) -> &str {
        let reply = self.playbook.respond(&self.state, &Heard { text, confidence: Some(0.9) }, &self.context);
        self.took(reply)
    }

    fn is_silent(&mut self, rung: u32) -> &str {
        let reply = self.playbook.respond_silence(&self.state, rung, &self.context);
        self.took(reply)
    }

    fn mumbles(&mut self) -> &str {
        let reply = self.playbook.respond_unheard(&self.state, &self.context);
        self.took(reply)
    }

    fn data(&self) -> Value {
        Value::Object(self.playbook.extracted_data(&self.state))
    }

    fn asks(&self) -> &str {
        match &self.state.awaiting {
            Awaiting::Answer { slot } => slot,
            Awaiting::Confirmation { .. } => "confirmation",
            Awaiting::Change { .. } => "change",
            Awaiting::Nothing { .. } => "nothing",
        }
    }
}

const OFFER: &str = "An apartment in Delhi for sixty lakh rupees. When should we call you back?";
const SUMMARY: &str = "An apartment in Delhi for sixty lakh rupees and a call back on Sunday, the twenty second of November, \
                       in the evening. Is there anything you would like to change?";

/// Four in the afternoon of Saturday, the 21st of November 2026.
fn saturday() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 11, 21).unwrap().and_hms_opt(16, 0, 0).unwrap()
}

#[test]
fn the_smoke_test_ends_by_itself() {
    let mut talk = Talk::begin();
    assert_eq!(talk.said, "Hello, this is Tandem's front desk. What kind of property are you looking for?");
    assert_eq!((talk.decision, talk.state.stage.as_str()), (Decision::NeedMoreInfo, stage::INTRO));
    assert_eq!(talk.says("I want an apartment in Delhi"), "An apartment in Delhi. What is your budget?");
    assert_eq!(talk.state.stage, stage::COLLECTING);
    assert_eq!(talk.says("sixty lakh rupees"), OFFER);
    assert_eq!((talk.decision, talk.state.stage.as_str()), (Decision::NeedMoreInfo, stage::COLLECTING));
    assert_eq!(talk.is_silent(0), "Thank you for calling. Goodbye.");
    assert_eq!(talk.state.stage, stage::COMPLETED);
    assert_eq!(talk.decision, Decision::ThankYouResponse);
    assert_eq!(talk.state.ending(), Some(Ending::Completed));
    let expected =
        json!({"property_type": "apartment", "location": "Delhi", "budget": 6_000_000, "budget_currency": "INR"});
    assert_eq!(talk.data(), expected);
    assert!(talk.playbook.is_qualified(&talk.state));
    assert!(talk.state.slots.values().all(|filled| !filled.confirmed));
}

#[test]
fn one_slot_after_the_other() {
    let mut talk = Talk::begin();
    assert_eq!(talk.says("Villa."), "A villa. Where should it be?");
    assert_eq!(talk.says("somewhere near Whitefield in Bangalore"), "In Whitefield in Bangalore. What is your budget?");
    assert!(
        talk.says("one crore twenty lakh")
            .starts_with("A villa in Whitefield in Bangalore for one crore twenty lakh rupees.")
    );
    assert_eq!(talk.data()["location"], "Whitefield, Bangalore");
}

#[test]
fn the_offer_to_call_back_may_be_declined() {
    for text in
        ["no", "No, thank you.", "that's all", "thank you", "nahi", "no need, that's fine", "okay bye", "I have to go"]
    {
        let mut talk = Talk::offered();
        assert_eq!(talk.says(text), "Thank you for calling. Goodbye.", "{text}");
        assert_eq!(
            (talk.decision, talk.state.ending()),
            (Decision::ThankYouResponse, Some(Ending::Completed)),
            "{text}"
        );
        assert!(talk.state.slots.values().all(|filled| filled.confirmed), "{text}");
        assert_eq!(talk.data().get("callback_time"), None, "{text}");
    }
    for text in ["not sure", "I don't know", "you decide"] {
        let mut talk = Talk::offered();
        assert_eq!(talk.says(text), "No problem. Thank you for calling. Goodbye.", "{text}");
    }
}

#[test]
fn the_offer_is_no_closed_door() {
    let mut talk = Talk::offered();
    assert_eq!(
        talk.says("no, fifty lakh"),
        "All right. An apartment in Delhi for fifty lakh rupees. When should we call you back?"
    );
    assert_eq!(talk.says("the location is wrong"), "Where should it be?");
    assert_eq!(
        talk.says("Pune"),
        "All right. An apartment in Pune for fifty lakh rupees. When should we call you back?"
    );
    assert!(
        talk.says("between four and six")
            .contains("and a call back between four in the afternoon and six in the evening.")
    );
    assert_eq!(talk.data()["callback_time"], json!({"from": "16:00", "to": "18:00"}));
}

#[test]
fn everything_in_one_sentence() {
    let mut talk = Talk::begin();
    assert_eq!(talk.says("a two bedroom apartment in Delhi for sixty lakh"), OFFER);
    let mut talk = Talk::begin();
    assert_eq!(talk.says("an apartment in Delhi for sixty lakh, please call me tomorrow evening"), SUMMARY);
}

#[test]
fn misspelt_by_the_recogniser() {
    let mut talk = Talk::begin();
    assert_eq!(talk.says("I want a part ment in delly"), "An apartment in Delhi. What is your budget?");
    assert_eq!(talk.says("60 lack."), OFFER);
}

#[test]
fn an_answer_to_another_question() {
    let mut talk = Talk::begin();
    assert_eq!(
        talk.says("my budget is fifty lakh"),
        "For fifty lakh rupees. What kind of property are you looking for?"
    );
    assert_eq!(talk.says("in Pune"), "In Pune. What kind of property are you looking for?");
    assert!(talk.says("a flat").starts_with("An apartment in Pune for fifty lakh rupees."));
}

#[test]
fn corrections_at_any_time() {
    let mut talk = Talk::begin();
    talk.says("an apartment in Delhi");
    assert_eq!(talk.says("actually make it a villa"), "All right. A villa. What is your budget?");
    assert_eq!(talk.says("no I said Pune"), "All right. In Pune. What is your budget?");
    assert_eq!(talk.says("Mumbai, not Pune"), "All right. In Mumbai. What is your budget?");
    talk.says("sixty lakh");
    assert!(talk.says("no, fifty lakh").starts_with("All right. A villa in Mumbai for fifty lakh rupees."));
    assert!(talk.says("no, the budget is forty").starts_with("All right. A villa in Mumbai for forty lakh rupees."));
    assert_eq!(talk.says("no, that's all"), "Thank you for calling. Goodbye.");
    assert!(talk.state.slots.values().all(|filled| filled.confirmed));
}

#[test]
fn a_correction_keeps_what_it_does_not_name() {
    let mut talk = Talk::offered();
    assert!(talk.says("Monday at four").starts_with(
        "An apartment in Delhi for sixty lakh rupees and a call back on Monday, the twenty third of November, at four in the afternoon."
    ));
    talk.says("actually it is five o'clock");
    assert_eq!(talk.data()["callback_time"], json!({"date": "2026-11-23", "from": "17:00", "to": "17:00"}));
    talk.says("no, six");
    assert_eq!(talk.data()["callback_time"], json!({"date": "2026-11-23", "from": "18:00", "to": "18:00"}));
    talk.says("sorry, five");
    talk.says("no, on Tuesday");
    assert_eq!(talk.data()["callback_time"], json!({"date": "2026-11-24", "from": "17:00", "to": "17:00"}));
}

#[test]
fn a_landmark_takes_nothing_back() {
    let mut talk = Talk::begin();
    talk.says("an apartment in Delhi");
    talk.says("sixty lakh, near my office");
    assert_eq!(talk.data()["property_type"], "apartment");
    assert_eq!(talk.data()["budget"], 6_000_000);
}

#[test]
fn no_after_a_read_back_in_passing() {
    let mut talk = Talk::begin();
    talk.says("an apartment in Delhi");
    assert_eq!(talk.says("no"), "What would you like to change?");
    assert_eq!(talk.says("the city"), "Where should it be?");
    assert_eq!(talk.data()["location"], "Delhi", "kept until another is heard");
    assert_eq!(talk.says("Pune"), "All right. In Pune. What is your budget?");
    assert_eq!(talk.says("No."), "Where should it be?");
    assert_eq!(talk.says("I don't know"), "No problem. What is your budget?");
    assert_eq!(talk.data()["location"], "Pune");
}

#[test]
fn the_closing_question_in_all_its_answers() {
    for text in [
        "no",
        "No, thank you.",
        "that's all",
        "thank you",
        "nothing",
        "nope",
        "that's right",
        "okay bye",
        "nahi",
        "no no that's fine",
    ] {
        let mut talk = Talk::read_back();
        assert_eq!(talk.says(text), "Thank you for calling. Goodbye.", "{text}");
        assert_eq!(talk.decision, Decision::ThankYouResponse, "{text}");
        assert!(talk.state.slots.values().all(|filled| filled.confirmed), "{text}");
    }
    for text in ["yes", "yes please", "that's wrong", "haan"] {
        let mut talk = Talk::read_back();
        assert_eq!(talk.says(text), "What would you like to change?", "{text}");
        assert!(
            talk.says("the budget, fifty lakh")
                .starts_with("All right. An apartment in Delhi for fifty lakh rupees and"),
            "{text}"
        );
    }
    for (text, slot, value) in [
        ("no, fifty lakh", "budget", json!(5_000_000)),
        ("yes, fifty lakh", "budget", json!(5_000_000)),
        ("no the budget is fifty lakh", "budget", json!(5_000_000)),
        ("actually make it a villa", "property_type", json!("villa")),
        ("no I said Pune", "location", json!("Pune")),
        ("Change the location to Noida", "location", json!("Noida")),
        ("not Delhi, Gurgaon", "location", json!("Gurgaon")),
    ] {
        let mut talk = Talk::read_back();
        assert!(talk.says(text).ends_with("Is there anything you would like to change?"), "{text}: {}", talk.said);
        assert_eq!((talk.data()[slot].clone(), talk.decision), (value, Decision::NeedMoreInfo), "{text}");
    }
}

#[test]
fn the_wrong_slot_is_named_without_a_value() {
    let mut talk = Talk::read_back();
    assert_eq!(talk.says("the budget is wrong"), "What is your budget?");
    assert!(talk.says("fifty lakh").starts_with("All right. An apartment in Delhi for fifty lakh rupees and"));
    let mut talk = Talk::read_back();
    talk.says("change the location");
    assert_eq!(talk.said, "Where should it be?");
    assert_eq!(talk.is_silent(0), SUMMARY, "the old answer stands");
    let mut talk = Talk::offered();
    talk.says("change the location");
    assert_eq!(talk.is_silent(0), OFFER, "the old answer stands");
}

#[test]
fn unclear_answers_close_after_one_more_question() {
    let mut talk = Talk::read_back();
    assert_eq!(
        talk.says("the weather in the hills"),
        "Sorry, I did not get that. Is there anything you would like to change?"
    );
    assert_eq!(talk.says("when it rains"), "Thank you for calling. Goodbye.");
    assert!(talk.state.slots.values().all(|filled| !filled.confirmed));
}

#[test]
fn i_do_not_know() {
    let mut talk = Talk::begin();
    assert!(talk.says("I don't know").starts_with("Is it an apartment, a villa"));
    assert_eq!(talk.says("no idea"), "No problem. Where should it be?");
    assert_eq!(talk.says("anywhere"), "No problem. What is your budget?");
    assert_eq!(talk.says("not sure"), "No problem. When should we call you back?");
    assert_eq!(talk.says("I don't know"), "No problem. Thank you for calling. Goodbye.");
    assert_eq!((talk.decision, talk.data()), (Decision::ThankYouResponse, json!({})));
    assert!(!talk.playbook.is_qualified(&talk.state));
}

#[test]
fn not_sure_with_an_answer_is_an_answer() {
    let mut talk = Talk::begin();
    assert_eq!(talk.says("I'm not sure, maybe a flat"), "An apartment. Where should it be?");
}

#[test]
fn silence_before_everything_is_known() {
    let mut talk = Talk::begin();
    assert_eq!(talk.is_silent(0), "Are you still there? What kind of property are you looking for?");
    assert_eq!(
        talk.is_silent(1),
        "Hello? I cannot hear you. Is it an apartment, a villa, a house, a plot, an office or a shop?"
    );
    assert_eq!(
        talk.is_silent(2),
        "If you can hear me, please say something. You can say, for example, apartment, or villa."
    );
    assert!(talk.is_silent(3).starts_with("Are you still there?"), "where the agent waits for longer than three");
    for rung in 4..12 {
        talk.is_silent(rung);
    }
    assert_eq!(talk.is_silent(12), "I cannot hear you, so I will end the call. Goodbye.");
    assert_eq!((talk.decision, talk.state.ending()), (Decision::ThankYouResponse, Some(Ending::Silence)));
}

#[test]
fn who_asks_for_a_moment_is_given_one_and_no_word_of_it_is_an_answer() {
    let playbook = Playbook::front_desk();
    let context = Context::new("Asha", "");
    let mut state = playbook.start(&context).state;
    for text in ["an apartment", "in Delhi", "sixty lakh rupees"] {
        let filled = state.slots.len();
        for wait in ["ek minute", "okay, one moment", "let me check with my wife"] {
            let heard = Heard { text: wait, confidence: None };
            let reply = playbook.respond(&state, &heard, &context);
            assert!(reply.waits && reply.say == ["Take your time."], "{wait}: {reply:?}");
            state = reply.state;
        }
        assert_eq!(state.slots.len(), filled);
        let reply = playbook.respond(&state, &Heard { text: "hold on", confidence: None }, &context);
        assert!(!reply.waits, "not for ever: {reply:?}");
        let reply = playbook.respond(&reply.state, &Heard { text, confidence: None }, &context);
        assert!(!reply.waits);
        state = reply.state;
    }
    assert_eq!(state.slots.len(), 3);
}

#[test]
fn a_hello_to_the_greeting_does_not_bring_it_again() {
    let mut talk = Talk::begin();
    assert_eq!(talk.says("Hello?"), "What kind of property are you looking for?");
    assert_eq!(talk.says("an apartment"), "An apartment. Where should it be?");
    assert_eq!(talk.says("hello? hello?"), "An apartment. Where should it be?");
}

#[test]
fn noise_is_not_heard_and_not_for_ever() {
    let mut talk = Talk::begin();
    assert_eq!(
        talk.mumbles(),
        "Sorry, I did not hear you. Is it an apartment, a villa, a house, a plot, an office or a shop?"
    );
    assert_eq!(
        talk.says(" [BLANK_AUDIO] "),
        "Sorry, I did not hear you. You can say, for example, apartment, or villa."
    );
    assert_eq!(talk.says(""), "I will pass you to a colleague. One moment, please.");
    assert_eq!(talk.decision, Decision::HandoverToHuman);
}

#[test]
fn faint_nonsense_is_not_heard_but_a_faint_answer_is() {
    let mut talk = Talk::begin();
    let faint = |text| Heard { text, confidence: Some(0.2) };
    let reply = talk.playbook.respond(&talk.state, &faint("the cat in the tree"), &talk.context);
    assert!(reply.say[0].contains("hear"));
    let reply = talk.playbook.respond(&talk.state, &faint("a villa"), &talk.context);
    talk.took(reply);
    assert_eq!(talk.data()["property_type"], "villa");
    assert!(talk.state.slots["property_type"].confidence < 0.3);
}

#[test]
fn a_person_is_asked_for() {
    for text in [
        "I want to speak to a person",
        "can I talk to a human please",
        "connect me to an agent",
        "let me speak with your manager",
    ] {
        let mut talk = Talk::begin();
        talk.says("an apartment");
        assert_eq!(talk.says(text), "I will pass you to a colleague. One moment, please.", "{text}");
        assert_eq!(talk.decision, Decision::HandoverToHuman, "{text}");
        assert_eq!(talk.data(), json!({"property_type": "apartment"}));
    }
}

#[test]
fn say_it_again() {
    let mut talk = Talk::begin();
    talk.says("an apartment in Delhi");
    for text in ["can you repeat that", "sorry?", "what did you say"] {
        assert_eq!(talk.says(text), "An apartment in Delhi. What is your budget?", "{text}");
    }
    assert_ne!(talk.says("pardon"), "An apartment in Delhi. What is your budget?", "three times is enough");
    assert_eq!(talk.asks(), "budget");
}

#[test]
fn hold_on_and_help() {
    let mut talk = Talk::begin();
    assert_eq!(talk.says("one minute please"), "Take your time.");
    assert_eq!(talk.says("what are the options"), "You can say apartment, villa, house, plot, office or shop.");
}

#[test]
fn the_caller_takes_leave() {
    for text in [
        "not interested",
        "I'm not interested, thanks",
        "wrong number",
        "bye",
        "stop calling me",
        "I have to go, goodbye",
    ] {
        let mut talk = Talk::begin();
        assert_eq!(talk.says(text), "Thank you for your time. Goodbye.", "{text}");
        assert_eq!(
            (talk.decision, talk.state.stage.as_str()),
            (Decision::ThankYouResponse, stage::COMPLETED),
            "{text}"
        );
        assert_eq!(talk.state.ending(), Some(Ending::Goodbye), "{text}");
    }
}

#[test]
fn leave_with_the_last_answer() {
    let mut talk = Talk::begin();
    talk.says("an apartment in Delhi");
    talk.says("sixty lakh, thank you, bye");
    assert_eq!((talk.decision, talk.data()["budget"].clone()), (Decision::ThankYouResponse, json!(6_000_000)));
    assert_eq!(talk.state.ending(), Some(Ending::Completed));
}

#[test]
fn not_interested_in_one_thing_is_no_goodbye() {
    let mut talk = Talk::begin();
    talk.says("I'm not interested in an apartment");
    assert_eq!((talk.decision, talk.asks()), (Decision::NeedMoreInfo, "property_type"));
    talk.says("not interested in a villa, I want a plot");
    assert_eq!(talk.data()["property_type"], "plot");
}

#[test]
fn yes_out_of_place() {
    let mut talk = Talk::begin();
    talk.says("yes");
    assert_eq!(talk.asks(), "property_type");
    talk.says("an apartment in Delhi");
    assert_eq!(talk.says("yes"), "About how much would you like to spend?");
    assert!(talk.state.slots["location"].confirmed);
    assert_eq!(talk.says("yes, sixty lakh"), OFFER);
    assert_eq!(talk.says("yes please"), "Which day and time suit you?");
    assert_eq!(talk.says("tomorrow evening"), SUMMARY);
}

#[test]
fn everything_said_twice() {
    let mut talk = Talk::begin();
    assert_eq!(
        talk.says("an apartment in Delhi, an apartment in Delhi"),
        "An apartment in Delhi. What is your budget?"
    );
    assert_eq!(talk.says("I want an apartment in Delhi"), "About how much would you like to spend?");
    assert_eq!(talk.says("sixty lakh rupees. Sixty lakh rupees."), OFFER);
    assert_eq!(talk.says("sixty lakh rupees"), "Which day and time suit you?");
    assert_eq!(talk.says("tomorrow evening, tomorrow evening"), SUMMARY);
    assert_eq!(talk.says("sixty lakh rupees"), "Thank you for calling. Goodbye.");
}

#[test]
fn a_refusal_is_asked_once_more_and_then_accepted() {
    let mut talk = Talk::begin();
    talk.says("a villa in Goa");
    assert_eq!(talk.says("I'd rather not say"), "About how much would you like to spend?");
    assert!(talk.says("I don't want to tell you").starts_with("No problem. A villa in Goa."));
    assert_eq!(talk.says("no"), "Thank you for calling. Goodbye.");
}

#[test]
fn an_unlisted_town_is_taken_when_introduced_or_repeated() {
    let mut talk = Talk::begin();
    assert_eq!(talk.says("a plot near Chintamani"), "A plot in Chintamani. What is your budget?");
    let mut talk = Talk::begin();
    talk.says("a plot");
    talk.says("Kharagpur");
    assert_eq!(talk.says("Kharagpur"), "In Kharagpur. What is your budget?");
}

#[test]
fn after_the_end_nothing_is_said() {
    let mut talk = Talk::read_back();
    talk.says("no");
    let before = talk.state.clone();
    assert_eq!(talk.says("hello?"), "");
    assert_eq!((talk.is_silent(0).to_owned(), talk.state), (String::new(), before));
}

#[test]
fn endless_corrections_end() {
    let mut talk = Talk::read_back();
    for i in 0..10 {
        talk.says(if i % 2 == 0 { "no, fifty lakh" } else { "no, sixty lakh" });
    }
    assert_eq!((talk.decision, talk.state.ending()), (Decision::ThankYouResponse, Some(Ending::Completed)));
}

#[test]
fn the_recogniser_is_told_what_to_expect() {
    let mut talk = Talk::begin();
    let expected = talk.playbook.expected(&talk.state);
    assert_eq!(expected.slot_types, [SlotType::Choice, SlotType::Place, SlotType::Money], "no offer before it is made");
    assert_eq!(expected.vocabulary[0], "apartment");
    assert!(
        expected.vocabulary.iter().any(|word| word == "Delhi") && expected.vocabulary.iter().any(|word| word == "lakh")
    );
    assert!(expected.vocabulary.len() <= 60 && !expected.vocabulary.iter().any(|word| word == "a part ment"));
    talk.says("an apartment in Delhi");
    assert_eq!(talk.playbook.expected(&talk.state).slot_types, [SlotType::Money]);
    assert_eq!(talk.playbook.expected(&talk.state).vocabulary[0], "sixty lakh rupees");
    talk.says("sixty lakh");
    assert_eq!(talk.playbook.expected(&talk.state).slot_types, [SlotType::TimeWindow]);
    talk.says("tomorrow evening");
    assert_eq!(talk.playbook.expected(&talk.state).slot_types[0], SlotType::YesNo);
    assert_eq!(talk.playbook.repeat(&talk.state).say.join(" "), SUMMARY);
}

#[test]
fn the_state_survives_storage() {
    let mut talk = Talk::begin();
    talk.says("an apartment in Whitefield for fifty to sixty lakh");
    let stored = serde_json::to_string(&talk.state).unwrap();
    assert_eq!(serde_json::from_str::<PlaybookState>(&stored).unwrap(), talk.state);
    assert_eq!(serde_json::to_string(&Decision::ThankYouResponse).unwrap(), "\"THANK_YOU_RESPONSE\"");
    assert_eq!(serde_json::from_str::<Decision>("\"OK\"").unwrap(), Decision::ThankYouResponse);
}
