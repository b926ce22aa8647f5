//! The nearest to a stored value that does not fit: written by hand, or by a release with other bounds. Pure.
//!
//! | kind                                 | what holds                                                                       |
//! |--------------------------------------|----------------------------------------------------------------------------------|
//! | numbers                              | the nearest bound; -1, where that switches it off, for 0 and less outside bounds |
//! | texts of one line and of several     | as much as fits, without control characters                                      |
//! | lists of terms, words, rows, members | those that fit                                                                   |
//! | the agent's name                     | itself: the agent is known by it, and no address needs it                        |
//! | everything else                      | the default                                                                      |
//!
//! For reading alone: what a user sends is refused with its faults ([`super::AgentChange::read`]), never bent.

use serde_json::{Map, Value};

use super::fault::Faults;
use super::object;
use super::read::{Read, read};
use super::setting::{Bounds, Kind, Setting};
use super::value::SettingValue;

/// What holds instead of `value`; `None` for the default.
pub(super) fn what_fits(setting: &Setting, value: &Value) -> Option<SettingValue> {
    if let (Kind::Name, Value::String(name)) = (&setting.kind, value) {
        return Some(name.trim()).filter(|name| !name.is_empty()).map(|name| SettingValue::Text(name.to_owned()));
    }
    match taken(setting, &near(setting, value)?) {
        Some(SettingValue::Switches(turned)) if turned.is_empty() => None,
        Some(SettingValue::Languages(rows)) if rows.is_empty() => None,
        Some(SettingValue::Object(members)) if members.is_empty() => None,
        taken => taken,
    }
}

/// The value, if it fits as it is.
fn taken(setting: &Setting, value: &Value) -> Option<SettingValue> {
    match read(setting, value, None, "", &mut Faults::default()) {
        Read::Set(value) => Some(value),
        Read::Clear | Read::Refused => None,
    }
}

fn near(setting: &Setting, value: &Value) -> Option<Value> {
    let fits = |part: &Value| taken(setting, part).is_some();
    match (&setting.kind, value) {
        (Kind::Whole(bounds), Value::Number(number)) => {
            let number = number.as_i64().or_else(|| number.as_f64().map(|number| number as i64))?;
            Some(Value::from(bound(number, bounds, -1, 0)))
        }
        (Kind::Fraction(bounds), Value::Number(number)) => {
            Some(Value::from(bound(number.as_f64()?, bounds, -1.0, 0.0)))
        }
        (Kind::Line { most }, Value::String(text)) => Some(Value::from(plain(text, *most, |_| false))),
        (Kind::Prose { most }, Value::String(text)) => {
            Some(Value::from(plain(&text.replace("\r\n", "\n"), *most, |letter| matches!(letter, '\n' | '\t'))))
        }
        (Kind::Terms { most }, Value::String(text)) => {
            let terms = text.split(',').filter(|term| fits(&Value::from(*term)));
            Some(Value::from(terms.take(*most).collect::<Vec<_>>()))
        }
        (Kind::Terms { most }, Value::Array(terms)) => {
            Some(terms.iter().filter(|term| fits(&Value::from_iter([(*term).clone()]))).take(*most).cloned().collect())
        }
        (Kind::Switches(_), Value::Object(states)) => {
            let alone = |(word, on): &(&String, &Value)| fits(&Value::Object(one(word, on)));
            Some(Value::Object(first_of_each(states.iter().filter(alone), setting)))
        }
        (Kind::Switches(_), Value::Array(words)) => {
            let alone = |word: &&Value| fits(&Value::from_iter([(*word).clone()]));
            let words: Vec<Value> = words.iter().filter(alone).cloned().collect();
            (!words.is_empty()).then_some(Value::Array(words)) // an empty list would turn all of them off
        }
        (Kind::Languages { most }, Value::Array(rows)) => {
            let mut fitting: Vec<Value> = Vec::new();
            for row in rows {
                fitting.push(row.clone());
                if fitting.len() > *most || !fits(&Value::Array(fitting.clone())) {
                    fitting.pop();
                }
                if fitting.len() == *most {
                    break;
                }
            }
            Some(Value::Array(fitting))
        }
        (Kind::Object { most_bytes, texts }, Value::Object(members)) => {
            Some(Value::Object(object::fitting(members, *most_bytes, texts)))
        }
        _ => None,
    }
}

fn one(key: &str, value: &Value) -> Map<String, Value> {
    Map::from_iter([(key.to_owned(), value.clone())])
}

/// Each word once: of two spellings that contradict each other, the first.
fn first_of_each<'a>(states: impl Iterator<Item = (&'a String, &'a Value)>, setting: &Setting) -> Map<String, Value> {
    let mut turned = Map::new();
    for (word, on) in states {
        turned.insert(word.clone(), on.clone());
        if taken(setting, &Value::Object(turned.clone())).is_none() {
            turned.remove(word);
        }
    }
    turned
}

/// The nearest number within bounds. Older releases and people write 0 and any negative number where something is off.
fn bound<N: PartialOrd + Copy>(number: N, bounds: &Bounds<N>, off: N, zero: N) -> N {
    if number > bounds.to {
        bounds.to
    } else if number >= bounds.from {
        number
    } else if bounds.off.is_some() && number <= zero {
        off
    } else {
        bounds.from
    }
}

/// As much of a text as fits. Control characters become the space that they are to a reader.
fn plain(text: &str, most: usize, kept: fn(char) -> bool) -> String {
    let letters = text.chars().map(|letter| if letter.is_control() && !kept(letter) { ' ' } else { letter });
    letters.take(most).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::super::AgentSettings;
    use super::*;

    /// What holds of one stored setting, and that it was told.
    fn holds(name: &str, value: Value) -> Value {
        let (read, faults) = AgentSettings::from_stored(&one(name, &value));
        assert!(!faults.is_empty() && faults.told.iter().all(|fault| fault.pointer.contains(name)), "{name}: {faults}");
        read.stored().remove(name).unwrap_or_default()
    }

    #[test]
    fn a_number_is_brought_to_its_nearest_bound() {
        for (name, stored, expected) in [
            ("turn_after_silence_seconds", json!(0), json!(-1)),
            ("turn_after_silence_seconds", json!(-60), json!(-1)),
            ("turn_after_silence_seconds", json!(301), json!(300)),
            ("end_after_silence_seconds", json!(i64::MAX), json!(3_600)),
            ("max_conversation_duration_seconds", json!(86_400), json!(14_400)),
            ("max_conversation_duration_seconds", json!(0), json!(-1)),
            ("soft_timeout_seconds", json!(0.05), json!(0.1)),
            ("soft_timeout_seconds", json!(0.0), json!(-1.0)),
            ("soft_timeout_seconds", json!(1e300), json!(60.0)),
            ("call_timeout", json!(-1), json!(5)),
            ("daily_call_limit", json!(-7), json!(-1)),
            ("retention_days", json!(-2), json!(-1)),
            ("ambience_volume", json!(-0.5), json!(0.0)),
            ("knowledge_base_id", json!(0), json!(1)),
        ] {
            assert_eq!(holds(name, stored.clone()), expected, "{name} = {stored}");
        }
    }

    #[test]
    fn a_text_keeps_what_fits() {
        let script = "Good day!\u{c}\r\n".to_owned() + &"x".repeat(100_000);
        let kept = holds("sales_script_text", json!(script));
        let kept = kept.as_str().unwrap();
        assert!(kept.starts_with("Good day! \nx") && kept.chars().count() == 100_000);
        assert_eq!(holds("voice_id", json!("sl\nt")), "sl t");
        assert_eq!(holds("voice_id", json!("\u{1}")), Value::Null, "a blank line is none");
        let terms: Vec<String> = (0..201).map(|term| format!("term{term}")).collect();
        let kept = holds("asr_keywords", json!(terms.join(",")));
        assert_eq!(kept.as_str().unwrap().split(", ").count(), 200);
        assert_eq!(holds("asr_keywords", json!(format!("lakh,{}", "x".repeat(101)))), "lakh");
    }

    #[test]
    fn of_lists_and_objects_what_fits_is_kept() {
        assert_eq!(holds("guardrails", json!({"no_pii": true, "no_jokes": true})), json!({"no_pii": true}));
        assert_eq!(
            holds("languages", json!([{"language_code": "hi"}, {"language_code": 7}])),
            json!([{"language_code": "hi"}])
        );
        assert_eq!(holds("business_info", json!({"company_name": 7, "flats": 12})), json!({"flats": 12}));
        let large = json!({"a": "x".repeat(40_000), "b": "y".repeat(40_000), "c": "z"});
        let kept = holds("business_info", large);
        assert_eq!(kept.as_object().unwrap().keys().collect::<Vec<_>>(), ["a", "c"]);
    }

    #[test]
    fn what_has_no_neighbour_goes_back_to_its_default() {
        for (name, stored) in [
            ("eagerness", json!("soon")),
            ("default_language", json!("the language of the birds")),
            ("output_format", json!("wav")),
            ("caller_id_number", json!("12")),
            ("post_call_webhook_url", json!("ftp://example.test/")),
            ("no_logging", json!("no")),
            ("business_info", json!([1])),
            ("call_timeout", json!("30 s")),
        ] {
            assert_eq!(holds(name, stored), Value::Null, "{name}");
        }
    }

    #[test]
    fn an_agent_keeps_the_name_that_it_is_known_by() {
        assert_eq!(holds("name", json!("Sales / Support")), "Sales / Support");
        assert_eq!(holds("name", json!("17")), "17");
    }
}
