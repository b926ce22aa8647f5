//! Dates, times and stretches of time as callers put them, in English and Hindi, on Saturday the 21st of November 2026 at four in the afternoon.
#![allow(clippy::unwrap_used)]

use chrono::{NaiveDate, NaiveDateTime};
use serde_json::{Map, Value, json};
use tandem_domain::playbook::{Context, Heard, Playbook, PlaybookState};

fn saturday() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 11, 21).unwrap().and_hms_opt(16, 0, 30).unwrap()
}

fn asking(kind: &str) -> Playbook {
    let text = format!(
        "name = 'x'\ntitle = 'X'\ngreeting = []\n[[slots]]\nname = 'when'\ntype = '{kind}'\nprompt = 'When?'\nread_back = '{{value}}'\n\
         [languages.hi.slots.when]\nprompt = 'कब?'\nread_back = '{{value}}'"
    );
    Playbook::from_toml(&text).unwrap()
}

/// What a playbook that has asked for one `kind` of slot makes of `text`.
fn answer(kind: &str, text: &str, context: &Context) -> (Map<String, Value>, PlaybookState, String) {
    let playbook = asking(kind);
    let opening = playbook.start(context);
    let reply = playbook.respond(&opening.state, &Heard { text, confidence: None }, context);
    (playbook.extracted_data(&reply.state), reply.state, reply.say.join(" "))
}

fn data(kind: &str, text: &str) -> Value {
    answer(kind, text, &Context::default().at(saturday())).0.remove("when").unwrap_or_default()
}

#[test]
fn times_of_day() {
    for (text, expected) in [
        ("four", "16:00"),
        ("four o'clock", "16:00"),
        ("at four thirty", "16:30"),
        ("4:30", "16:30"),
        ("4.30 pm", "16:30"),
        ("half past four", "16:30"),
        ("quarter past four", "16:15"),
        ("quarter to five", "16:45"),
        ("a quarter to one", "12:45"),
        ("four oh five", "16:05"),
        ("ten fifteen", "10:15"),
        ("eleven in the morning", "11:00"),
        ("nine", "09:00"),
        ("nine p.m.", "21:00"),
        ("7 am", "07:00"),
        ("seven in the evening", "19:00"),
        ("twelve", "12:00"),
        ("noon", "12:00"),
        ("midnight", "00:00"),
        ("sixteen thirty", "16:30"),
        ("16:45", "16:45"),
        ("0915 hours", "09:15"),
        ("1630 hours", "16:30"),
        ("two at night", "02:00"),
        ("three, no, four", "16:00"),
        ("not three, four", "16:00"),
        ("shaam chaar baje", "16:00"),
        ("sham ko char baje", "16:00"),
        ("subah das baje", "10:00"),
        ("raat nau baje", "21:00"),
        ("dopahar do baje", "14:00"),
        ("sadhe paanch baje", "17:30"),
        ("शाम चार बजे", "16:00"),
        ("साढ़े पाँच बजे", "17:30"),
        ("साढ़े पांच", "17:30"),
        ("सवा पाँच बजे", "17:15"),
        ("पौने छह बजे", "17:45"),
        ("डेढ़ बजे", "13:30"),
        ("ढाई बजे", "14:30"),
        ("सुबह ग्यारह बजे", "11:00"),
        ("रात के नौ बजे", "21:00"),
        ("५ बजे", "17:00"),
    ] {
        assert_eq!(data("time", text), json!(expected), "{text}");
    }
}

#[test]
fn dates() {
    for (text, expected) in [
        ("today", "2026-11-21"),
        ("tomorrow", "2026-11-22"),
        ("day after tomorrow", "2026-11-23"),
        ("on Monday", "2026-11-23"),
        ("next Monday", "2026-11-23"),
        ("Saturday", "2026-11-28"),
        ("the twenty third", "2026-11-23"),
        ("23rd", "2026-11-23"),
        ("on the third", "2026-12-03"),
        ("23 November", "2026-11-23"),
        ("November 23rd", "2026-11-23"),
        ("the twenty third of November", "2026-11-23"),
        ("5 January", "2027-01-05"),
        ("fifth of January 2028", "2028-01-05"),
        ("29 February", "2028-02-29"),
        ("23/11/2026", "2026-11-23"),
        ("2026-11-23", "2026-11-23"),
        ("in three days", "2026-11-24"),
        ("after ten days", "2026-12-01"),
        ("next week", "2026-11-28"),
        ("Monday, sorry, Tuesday", "2026-11-24"),
        ("kal", "2026-11-22"),
        ("parso", "2026-11-23"),
        ("somvar ko", "2026-11-23"),
        ("teen din baad", "2026-11-24"),
        ("कल", "2026-11-22"),
        ("परसों", "2026-11-23"),
        ("अगले सोमवार", "2026-11-23"),
        ("२३ नवंबर", "2026-11-23"),
        ("पच्चीस तारीख", "2026-11-25"),
        ("तीन दिन बाद", "2026-11-24"),
    ] {
        assert_eq!(data("date", text), json!(expected), "{text}");
    }
}

#[test]
fn windows() {
    let day = |date: &str, from: Value, to: Value| json!({ "date": date, "from": from, "to": to });
    let hours = |from: Value, to: Value| json!({ "from": from, "to": to });
    let (sunday, monday) = ("2026-11-22", "2026-11-23");
    for (text, expected) in [
        ("between four and six", hours(json!("16:00"), json!("18:00"))),
        ("from four to six", hours(json!("16:00"), json!("18:00"))),
        ("four to six pm", hours(json!("16:00"), json!("18:00"))),
        ("4-6 pm", hours(json!("16:00"), json!("18:00"))),
        ("10-11", hours(json!("10:00"), json!("11:00"))),
        ("four or five", hours(json!("16:00"), json!("17:00"))),
        ("eleven to one", hours(json!("11:00"), json!("13:00"))),
        ("nine to five", hours(json!("09:00"), json!("17:00"))),
        ("ten in the morning to five in the evening", hours(json!("10:00"), json!("17:00"))),
        ("in the evening between five and seven", hours(json!("17:00"), json!("19:00"))),
        ("between seven and nine in the morning", hours(json!("07:00"), json!("09:00"))),
        ("after five", hours(json!("17:00"), Value::Null)),
        ("any time after five", hours(json!("17:00"), Value::Null)),
        ("five onwards", hours(json!("17:00"), Value::Null)),
        ("before noon", hours(Value::Null, json!("12:00"))),
        ("by six", hours(Value::Null, json!("18:00"))),
        ("till six", hours(Value::Null, json!("18:00"))),
        ("at four", hours(json!("16:00"), json!("16:00"))),
        ("in the morning", hours(json!("09:00"), json!("12:00"))),
        ("afternoon", hours(json!("12:00"), json!("16:00"))),
        ("any time", hours(json!("10:00"), json!("19:00"))),
        ("tomorrow evening", day(sunday, json!("16:00"), json!("20:00"))),
        ("tomorrow", day(sunday, Value::Null, Value::Null)),
        ("tomorrow at four", day(sunday, json!("16:00"), json!("16:00"))),
        ("on Monday between ten and twelve", day(monday, json!("10:00"), json!("12:00"))),
        ("Monday morning after ten thirty", day(monday, json!("10:30"), Value::Null)),
        ("call me back tomorrow at 5 pm please", day(sunday, json!("17:00"), json!("17:00"))),
        ("in two hours", day("2026-11-21", json!("18:00"), json!("18:00"))),
        ("in half an hour", day("2026-11-21", json!("16:30"), json!("16:30"))),
        ("after ten hours", day(sunday, json!("02:00"), json!("02:00"))),
        ("right now", day("2026-11-21", json!("16:00"), json!("16:00"))),
        ("morning, no, evening", hours(json!("16:00"), json!("20:00"))),
        ("kal sham ko", day(sunday, json!("16:00"), json!("20:00"))),
        ("char se chhe baje ke beech", hours(json!("16:00"), json!("18:00"))),
        ("paanch baje ke baad", hours(json!("17:00"), Value::Null)),
        ("chhe baje se pehle", hours(Value::Null, json!("18:00"))),
        ("do ghante baad", day("2026-11-21", json!("18:00"), json!("18:00"))),
        ("कल शाम", day(sunday, json!("16:00"), json!("20:00"))),
        ("शाम चार से छह बजे के बीच", hours(json!("16:00"), json!("18:00"))),
        ("चार बजे से छह बजे तक", hours(json!("16:00"), json!("18:00"))),
        ("पाँच बजे के बाद", hours(json!("17:00"), Value::Null)),
        ("छह बजे से पहले", hours(Value::Null, json!("18:00"))),
        ("छह बजे तक", hours(Value::Null, json!("18:00"))),
        ("सुबह दस से शाम पाँच बजे", hours(json!("10:00"), json!("17:00"))),
        ("सोमवार को सुबह दस बजे", day(monday, json!("10:00"), json!("10:00"))),
        ("कभी भी", hours(json!("10:00"), json!("19:00"))),
        ("आधे घंटे में", day("2026-11-21", json!("16:30"), json!("16:30"))),
    ] {
        assert_eq!(data("time_window", text), expected, "{text}");
    }
}

#[test]
fn talk_that_names_no_time() {
    for text in [
        "",
        "sixty lakh",
        "good evening",
        "five hundred rupees",
        "two bedrooms",
        "twenty five",
        "hello",
        "sector four",
        "in a house",
    ] {
        assert_eq!(data("time_window", text), Value::Null, "{text}");
        assert_eq!(data("time", text), Value::Null, "{text}");
    }
    for text in ["in the evening", "four o'clock", "one second", "may I ask you something"] {
        assert_eq!(data("date", text), Value::Null, "{text}");
    }
}

#[test]
fn without_today_nothing_relative_is_guessed() {
    let without = |text: &str| answer("time_window", text, &Context::default()).0.remove("when").unwrap_or_default();
    assert_eq!(without("tomorrow"), Value::Null);
    assert_eq!(without("in two hours"), Value::Null);
    assert_eq!(without("at four in the evening"), json!({"from": "16:00", "to": "16:00"}));
}

#[test]
fn read_back_in_both_languages() {
    let in_english = Context::default().at(saturday());
    let in_hindi = Context { language: Some("hi-IN".to_owned()), ..in_english.clone() };
    for (text, english, hindi) in [
        ("at four", "at four in the afternoon", "शाम चार बजे"),
        ("tomorrow evening", "on Sunday, the twenty second of November, in the evening", "रविवार, बाईस नवंबर को, शाम"),
        ("between five and seven", "between five and seven in the evening", "शाम पाँच बजे से सात बजे के बीच"),
        ("11 to 1", "between eleven in the morning and one in the afternoon", "सुबह ग्यारह बजे से दोपहर एक बजे के बीच"),
        ("after 5:30", "after five thirty in the evening", "शाम साढ़े पाँच बजे के बाद"),
        ("before 2:30 pm", "before two thirty in the afternoon", "दोपहर ढाई बजे से पहले"),
        ("4:45", "at four forty five in the afternoon", "शाम पौने पाँच बजे"),
        ("at 4:10", "at four ten in the afternoon", "शाम चार बजकर दस मिनट"),
        ("noon", "at twelve noon", "दोपहर बारह बजे"),
    ] {
        let said = |context: &Context| answer("time_window", text, context).2;
        assert_eq!(said(&in_english), format!("So that is {english}. Is that right?"), "{text}");
        assert_eq!(said(&in_hindi), format!("तो {hindi}। क्या यह सही है?"), "{text}");
    }
}
