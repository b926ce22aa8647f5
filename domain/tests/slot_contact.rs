//! Names, telephone numbers and e-mail addresses, as a playbook hears them over several turns.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tandem_domain::playbook::{Awaiting, Context, Ending, Heard, Playbook, PlaybookState};

const DESK: &str = r#"
name = "contact"
title = "Contact"
greeting = []
[confirmation]
policy = "each"
[[slots]]
name = "name"
type = "name"
prompt = "Your name?"
read_back = "{value}"
[[slots]]
name = "phone"
type = "phone"
prompt = "Your number?"
read_back = "{value}"
cues = ["number", "mobile"]
[[slots]]
name = "email"
type = "email"
prompt = "Your mail address?"
read_back = "{value}"
"#;

struct Talk(Playbook, PlaybookState, String, Context);

impl Talk {
    fn begin() -> Self {
        Self::with(DESK, Context::default())
    }

    fn with(text: &str, context: Context) -> Self {
        let playbook = Playbook::from_toml(text).unwrap();
        let reply = playbook.start(&context);
        Self(playbook, reply.state, reply.say.join(" "), context)
    }

    /// Asked for the telephone number.
    fn at_the_number() -> Self {
        let mut talk = Self::begin();
        talk.says("Rahul");
        assert_eq!(talk.says("yes"), "Your number?");
        talk
    }

    fn says(&mut self, text: &str) -> &str {
        self.says_at(text, None)
    }

    fn says_at(&mut self, text: &str, confidence: Option<f32>) -> &str {
        let reply = self.0.respond(&self.1, &Heard { text, confidence }, &self.3);
        (self.1, self.2) = (reply.state, reply.say.join(" "));
        &self.2
    }

    fn data(&self) -> Value {
        Value::Object(self.0.extracted_data(&self.1))
    }
}

#[test]
fn a_whole_contact() {
    let mut talk = Talk::begin();
    assert_eq!(talk.says("my name is Rahul Sharma"), "Rahul Sharma. Is that right?");
    assert_eq!(talk.says("no, Rohit Sharma"), "All right. Rohit Sharma. Is that right?");
    talk.says("yes");
    assert_eq!(
        talk.says("nine eight double five, triple nine, one two three"),
        "Nine eight five five nine, nine nine one two three. Is that right?"
    );
    talk.says("correct");
    assert_eq!(talk.says("rohit dot sharma at gmail dot com"), "Rohit dot sharma at gmail dot com. Is that right?");
    assert_eq!(talk.says("yes"), "Thank you. Goodbye.");
    assert_eq!(
        talk.data(),
        json!({"name": "Rohit Sharma", "phone": "+919855999123", "email": "rohit.sharma@gmail.com"})
    );
}

#[test]
fn a_number_in_several_turns() {
    let mut talk = Talk::at_the_number();
    assert_eq!(talk.says("nine eight seven six five"), "I have nine eight seven, six five. Please go on.");
    assert_eq!(talk.says("four three two"), "I have nine eight seven, six five four, three two. Please go on.");
    assert_eq!(talk.says("one zero"), "Nine eight seven six five, four three two one zero. Is that right?");
    talk.says("yes");
    assert_eq!(talk.data()["phone"], "+919876543210");
}

#[test]
fn a_number_begun_again() {
    let mut talk = Talk::at_the_number();
    talk.says("nine eight seven six five");
    assert!(talk.says("sorry, nine nine eight seven six").starts_with("I have nine nine eight"));
    assert!(
        talk.says("9876543210").starts_with("Nine eight seven six five, four three two one zero."),
        "the whole number again"
    );
}

#[test]
fn digits_that_never_make_a_number_end() {
    let mut talk = Talk::at_the_number();
    for _ in 0..12 {
        talk.says("nine nine nine nine");
    }
    assert!(!matches!(&talk.1.awaiting, Awaiting::Answer { slot } if slot == "phone"), "{:?}", talk.1);
}

#[test]
fn one_minute_is_no_number() {
    let mut talk = Talk::at_the_number();
    assert_eq!(talk.says("one minute please"), "Take your time.");
    talk.says("nine eight seven six five");
    assert_eq!(talk.says("one second"), "Take your time.");
    assert!(talk.says("four three two one zero").starts_with("Nine eight seven six five, four three two one zero."));
}

#[test]
fn a_region_of_ones_own() {
    let mut talk = Talk::with(DESK, Context { region: Some("GB".to_owned()), ..Context::default() });
    talk.says("Anna Smith");
    talk.says("yes");
    talk.says("oh two oh seven nine four six oh nine five eight");
    assert_eq!(talk.data()["phone"], "+442079460958");
    assert!(
        talk.says("no, plus nine one nine eight seven six five four three two one zero")
            .contains("Plus nine one, nine eight seven six five")
    );
    assert_eq!(talk.data()["phone"], "+919876543210");
}

#[test]
fn an_address_spelled_back_where_it_cannot_be_said() {
    let mut talk = Talk::at_the_number();
    talk.says("98765 43210");
    talk.says("yes");
    assert_eq!(
        talk.says("r k s underscore double nine at the rate yahoo dot co dot in"),
        "R K S underscore nine nine at yahoo dot co dot in. Is that right?"
    );
    assert_eq!(talk.data()["email"], "rks_99@yahoo.co.in");
}

#[test]
fn everything_in_one_breath() {
    let mut talk = Talk::begin();
    talk.says("my name is Priya Verma and my number is 98765 43210");
    assert_eq!(talk.data(), json!({"name": "Priya Verma", "phone": "+919876543210"}));
}

#[test]
fn only_what_was_hardly_heard_is_asked_about() {
    let text = DESK.replace("policy = \"each\"", "policy = \"confidence\"\nsure = 0.6");
    let mut talk = Talk::with(&text, Context::default());
    assert_eq!(talk.says_at("my name is Rahul Sharma", Some(0.9)), "Rahul Sharma. Your number?");
    assert_eq!(
        talk.says_at("98765 43210", Some(0.4)),
        "Nine eight seven six five, four three two one zero. Is that right?"
    );
    assert_eq!(
        talk.says_at("no, 98765 43211", Some(0.9)),
        "All right. Nine eight seven six five, four three two one one. Your mail address?"
    );
    assert_eq!(talk.says_at("rahul at gmail dot com", Some(0.9)), "Rahul at gmail dot com. Thank you. Goodbye.");
}

#[test]
fn nothing_is_confirmed_where_the_playbook_does_not_ask() {
    let text = DESK.replace("policy = \"each\"", "policy = \"none\"");
    let mut talk = Talk::with(&text, Context::default());
    for text in ["Rahul", "98765 43210", "rahul at gmail dot com"] {
        talk.says_at(text, Some(0.3));
    }
    assert_eq!(talk.1.ending(), Some(Ending::Completed));
}

#[test]
fn a_person_after_so_many_failures_in_a_row() {
    let text = DESK.replacen("greeting = []", "greeting = []\nhandover_after = 2", 1);
    let mut talk = Talk::with(&text, Context::default());
    talk.says("yes it is");
    assert_eq!(talk.1.ending(), None);
    talk.says("Rahul");
    assert_eq!(talk.1.failures, 0, "an answer forgives");
    talk.says("the rain in the hills");
    talk.says("it rains in the hills");
    assert_eq!(
        (talk.1.ending(), talk.2.as_str()),
        (Some(Ending::Handover), "I will pass you to a colleague. One moment, please.")
    );
}
