//! Conversations with the logistics desk, in English, in Hindi, and from one to the other.
#![allow(clippy::unwrap_used)]

use chrono::{NaiveDate, NaiveDateTime};
use serde_json::{Value, json};
use tandem_domain::playbook::{Context, Decision, Ending, Heard, Playbook, PlaybookState, stage};

struct Talk {
    playbook: Playbook,
    context: Context,
    state: PlaybookState,
    said: String,
}

/// Four in the afternoon of Saturday, the 21st of November 2026.
fn saturday() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 11, 21).unwrap().and_hms_opt(16, 0, 0).unwrap()
}

impl Talk {
    fn begin() -> Self {
        Self::with(Context::new("Asha", "").at(saturday()))
    }

    fn with(context: Context) -> Self {
        let playbook = Playbook::logistics();
        let reply = playbook.start(&context);
        Self { playbook, context, state: reply.state, said: reply.say.join(" ") }
    }

    fn says(&mut self, text: &str) -> &str {
        let reply = self.playbook.respond(&self.state, &Heard { text, confidence: None }, &self.context);
        (self.state, self.said) = (reply.state, reply.say.join(" "));
        &self.said
    }

    fn is_silent(&mut self, rung: u32) -> &str {
        let reply = self.playbook.respond_silence(&self.state, rung, &self.context);
        (self.state, self.said) = (reply.state, reply.say.join(" "));
        &self.said
    }

    fn data(&self) -> Value {
        Value::Object(self.playbook.extracted_data(&self.state))
    }
}

#[test]
fn in_english() {
    let mut talk = Talk::begin();
    assert_eq!(talk.said, "Namaste, this is Tandem Logistics. Would you like to speak English, ya Hindi?");
    assert_eq!(talk.state.stage, stage::LANGUAGE_SELECTION);
    assert_eq!(
        talk.says("English please"),
        "Thank you. I have two short questions about your delivery. How much would you pay for the delivery?"
    );
    assert_eq!((talk.state.stage.as_str(), talk.state.language.as_str()), (stage::WELCOME, "en"));
    assert_eq!(talk.says("five hundred rupees"), "The charge is five hundred rupees. When may the goods come?");
    assert_eq!(talk.state.stage, stage::COLLECTING);
    assert_eq!(
        talk.says("tomorrow between four and six"),
        "The charge is five hundred rupees and the goods come on Sunday, the twenty second of November, \
         between four in the afternoon and six in the evening. Is that right?"
    );
    assert_eq!(talk.state.stage, stage::COMPLETED);
    assert_eq!(talk.says("yes"), "Thank you, your delivery is noted. Goodbye.");
    assert_eq!((talk.state.decision(), talk.state.ending()), (Decision::ThankYouResponse, Some(Ending::Completed)));
    assert_eq!(
        talk.data(),
        json!({"language": "en", "charge": 500, "charge_currency": "INR", "time": {"date": "2026-11-22", "from": "16:00", "to": "18:00"}})
    );
}

#[test]
fn in_hindi() {
    let mut talk = Talk::begin();
    assert_eq!(
        talk.says("हिंदी"),
        "धन्यवाद। आपकी डिलीवरी के बारे में मुझे दो छोटी बातें पूछनी हैं। डिलीवरी के लिए आप कितना भाड़ा देंगे?"
    );
    assert_eq!((talk.state.stage.as_str(), talk.state.language.as_str()), (stage::WELCOME, "hi"));
    assert_eq!(talk.says("पाँच हज़ार रुपये"), "भाड़ा पाँच हज़ार रुपये। सामान किस समय भेजें?");
    assert_eq!(
        talk.says("कल शाम चार से छह बजे के बीच"),
        "भाड़ा पाँच हज़ार रुपये और समय रविवार, बाईस नवंबर को, शाम चार बजे से छह बजे के बीच। क्या यह सही है?"
    );
    assert_eq!(talk.says("जी हाँ"), "धन्यवाद, आपकी डिलीवरी दर्ज हो गई है। नमस्ते।");
    assert_eq!(
        talk.data(),
        json!({"language": "hi", "charge": 5000, "charge_currency": "INR", "time": {"date": "2026-11-22", "from": "16:00", "to": "18:00"}})
    );
    assert!(talk.state.slots["charge"].confirmed && talk.state.slots["time"].confirmed);
}

#[test]
fn in_hindi_as_a_recogniser_writes_it_in_latin_letters() {
    let mut talk = Talk::begin();
    talk.says("hindi mein baat kijiye");
    assert_eq!(talk.state.language, "hi");
    assert_eq!(talk.says("dhai hazaar rupaye"), "भाड़ा दो हज़ार पाँच सौ रुपये। सामान किस समय भेजें?");
    assert!(talk.says("kal sham ko paanch baje ke baad").contains("शाम पाँच बजे के बाद"));
    assert_eq!(talk.says("ji haan sahi hai"), "धन्यवाद, आपकी डिलीवरी दर्ज हो गई है। नमस्ते।");
    assert_eq!(talk.data()["time"], json!({"date": "2026-11-22", "from": "17:00", "to": null}));
}

#[test]
fn either_language_is_named_in_many_ways() {
    for (text, language) in [
        ("English", "en"),
        ("in english please", "en"),
        ("angrezi", "en"),
        ("अंग्रेज़ी", "en"),
        ("अंग्रेजी में", "en"),
        ("इंग्लिश", "en"),
        ("Hindi", "hi"),
        ("Hindi mein", "hi"),
        ("हिन्दी", "hi"),
        ("हिंदी में बात करो", "hi"),
        ("English, no, Hindi", "hi"),
    ] {
        let mut talk = Talk::begin();
        talk.says(text);
        assert_eq!(talk.state.language, language, "{text}: {}", talk.said);
    }
}

#[test]
fn charges_in_hindi() {
    for (text, rupees) in [
        ("पाँच सौ रुपये", json!(500)),
        ("पांच सौ", json!(500)),
        ("सौ रुपये", json!(100)),
        ("एक सौ बीस रुपये", json!(120)),
        ("डेढ़ सौ रुपये", json!(150)),
        ("ढाई सौ", json!(250)),
        ("साढ़े तीन सौ रुपये", json!(350)),
        ("सवा सौ", json!(125)),
        ("पौने दो सौ", json!(175)),
        ("डेढ़ हज़ार", json!(1500)),
        ("ढाई हज़ार रुपये", json!(2500)),
        ("साढ़े पाँच हज़ार रुपये", json!(5500)),
        ("सवा लाख", json!(125_000)),
        ("बारह हज़ार पाँच सौ", json!(12_500)),
        ("दो लाख पचास हज़ार रुपये", json!(250_000)),
        ("६०० रुपये", json!(600)),
        ("₹750", json!(750)),
        ("paanch sau rupaye", json!(500)),
        ("dedh sau", json!(150)),
        ("saadhe teen hazaar", json!(3500)),
        ("do hazaar rupaye", json!(2000)),
        ("pachees sau rupaye", json!(2500)),
        ("sava lakh", json!(125_000)),
        ("ek lakh bees hazaar", json!(120_000)),
        ("नहीं, छह सौ रुपये", json!(600)),
    ] {
        let mut talk = Talk::begin();
        talk.says("हिंदी");
        talk.says(text);
        assert_eq!(talk.data()["charge"], rupees, "{text}: {}", talk.said);
    }
}

#[test]
fn corrections_in_hindi() {
    let mut talk = Talk::begin();
    talk.says("हिंदी");
    talk.says("पाँच सौ रुपये");
    assert_eq!(talk.says("नहीं, छह सौ रुपये"), "ठीक है। भाड़ा छह सौ रुपये। सामान किस समय भेजें?");
    talk.says("कल शाम");
    assert!(talk.says("नहीं, सुबह दस बजे").starts_with("ठीक है। भाड़ा छह सौ रुपये और समय रविवार, बाईस नवंबर को, सुबह दस बजे।"));
    assert_eq!(talk.says("भाड़ा गलत है"), "डिलीवरी के लिए आप कितना भाड़ा देंगे?");
    assert!(talk.says("सात सौ").starts_with("ठीक है। भाड़ा सात सौ रुपये और समय"));
    assert_eq!(talk.says("ठीक है"), "धन्यवाद, आपकी डिलीवरी दर्ज हो गई है। नमस्ते।");
    assert_eq!(talk.data()["time"], json!({"date": "2026-11-22", "from": "10:00", "to": "10:00"}));
}

#[test]
fn corrections_in_english() {
    let mut talk = Talk::begin();
    talk.says("English");
    talk.says("five hundred");
    assert_eq!(talk.says("no, I said fifty"), "All right. The charge is fifty rupees. When may the goods come?");
    talk.says("at three");
    assert!(talk.says("actually it is four o'clock").contains("at four in the afternoon. Is that right?"));
    assert_eq!(talk.says("change the charge"), "How much would you pay for the delivery?");
    assert!(talk.says("eighty").starts_with("All right. The charge is eighty rupees and"));
}

#[test]
fn the_language_changes_in_the_middle() {
    let mut talk = Talk::begin();
    talk.says("English");
    assert_eq!(talk.says("हिंदी में बोलिए"), "ठीक है। डिलीवरी के लिए आप कितना भाड़ा देंगे?");
    assert_eq!(talk.says("five hundred rupees"), "भाड़ा पाँच सौ रुपये। सामान किस समय भेजें?");
    assert_eq!(talk.says("can we speak English"), "All right. When may the goods come?");
    assert!(talk.says("कल सुबह").starts_with("The charge is five hundred rupees and the goods come on Sunday"));
    assert_eq!(talk.data()["language"], "en");
}

#[test]
fn no_language_is_no_obstacle() {
    let mut talk = Talk::begin();
    assert_eq!(
        talk.says("the weather is fine in the hills"),
        "Sorry, I did not get that. Please say English, or Hindi."
    );
    talk.says("what a day it was");
    assert!(talk.says("when it rains it pours").ends_with("How much would you pay for the delivery?"));
    assert_eq!((talk.state.language.as_str(), talk.state.stage.as_str()), ("en", stage::WELCOME));
}

#[test]
fn a_caller_in_a_hurry_answers_all_at_once() {
    let mut talk = Talk::begin();
    assert!(
        talk.says("Hindi, पाँच सौ रुपये, कल शाम चार बजे")
            .contains("भाड़ा पाँच सौ रुपये और समय रविवार, बाईस नवंबर को, शाम चार बजे।")
    );
    assert_eq!(talk.says("हाँ"), "धन्यवाद, आपकी डिलीवरी दर्ज हो गई है। नमस्ते।");
}

#[test]
fn a_person_is_asked_for_in_hindi() {
    for text in
        ["किसी इंसान से बात करवाइए", "मैनेजर से बात करनी है", "mujhe kisi aadmi se baat karni hai", "manager se baat karao"]
    {
        let mut talk = Talk::begin();
        talk.says("हिंदी");
        assert_eq!(talk.says(text), "मैं आपकी बात हमारे साथी से करवाती हूँ। एक पल रुकिए।", "{text}");
        assert_eq!(talk.state.decision(), Decision::HandoverToHuman, "{text}");
    }
}

#[test]
fn a_person_takes_over_after_failures() {
    let mut talk = Talk::begin();
    talk.says("हिंदी");
    let mut turns = 0;
    while talk.state.ending().is_none() {
        talk.says("बारिश हो रही है");
        turns += 1;
    }
    assert_eq!((turns, talk.state.ending()), (3, Some(Ending::Handover)));
    assert_eq!(talk.said, "मैं आपकी बात हमारे साथी से करवाती हूँ। एक पल रुकिए।");
}

#[test]
fn hindi_talk_that_is_no_answer() {
    let mut talk = Talk::begin();
    talk.says("हिंदी");
    talk.says("पाँच सौ");
    assert_eq!(talk.says("फिर से बोलिए"), "भाड़ा पाँच सौ रुपये। सामान किस समय भेजें?");
    assert_eq!(talk.says("एक मिनट रुकिए"), "आराम से बताइए।");
    assert_eq!(talk.says("पता नहीं"), "कौन सा दिन और समय ठीक रहेगा?");
    assert_eq!(talk.is_silent(0), "क्या आप लाइन पर हैं? सामान किस समय भेजें?");
    assert_eq!(talk.says("अलविदा"), "समय देने के लिए धन्यवाद। नमस्ते।");
}

#[test]
fn a_returning_caller_is_greeted_by_name_and_asked_for_the_language_again() {
    let context = Context { returning: true, last_language: Some("hi".to_owned()), ..Context::default() };
    let talk = Talk::with(context.with("caller", "Rahul"));
    assert_eq!(talk.said, "Namaste Rahul, this is Tandem Logistics. Would you like to speak English, ya Hindi?");
}

#[test]
fn a_playbook_may_remember_the_language() {
    let text = include_str!("../playbooks/logistics.toml").replacen(
        "language = \"en\"",
        "language = \"en\"\nremember_language = true",
        1,
    );
    let playbook = Playbook::from_toml(&text).unwrap();
    let context = Context { returning: true, last_language: Some("hi".to_owned()), ..Context::default() };
    let reply = playbook.start(&context.with("caller", "राहुल"));
    assert_eq!(reply.say[0], "नमस्ते राहुल, मैं टैंडम लॉजिस्टिक्स से बोल रही हूँ।");
    assert_eq!(reply.say.last().unwrap(), "डिलीवरी के लिए आप कितना भाड़ा देंगे?");
    assert_eq!(reply.state.language, "hi");
    let unknown = Context { last_language: Some("ta".to_owned()), ..Context::default() };
    assert!(playbook.start(&unknown).say.last().unwrap().contains("English, ya Hindi"));
}
