//! From a JSON value to the value of a setting, kind by kind: `null` and an empty text take the setting back to its default.

mod rows;
mod text;

use serde_json::Value;

use super::fault::{Faults, Wrong, fold, nearest, shown};
use super::object::{self, type_name};
use super::setting::{Bounds, Kind, Setting, Unit, Word};
use super::value::SettingValue;
use crate::number::{Number, Region};
use rows::{languages, switches};
use text::{address, language, line, list_of_terms, name, prose, text_of_terms};

/// An eagerness is kept to a thousandth.
const FINEST: f64 = 1_000.0;

/// What became of one value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Read {
    /// It is that.
    Set(SettingValue),
    /// It is taken back to its default.
    Clear,
    /// A fault was noted.
    Refused,
}

/// Reads `value` for `setting`; `region` is whose telephone numbers come without a country code.
pub(super) fn read(setting: &Setting, value: &Value, region: Option<Region>, at: &str, faults: &mut Faults) -> Read {
    if value.is_null() {
        return Read::Clear;
    }
    let kind = &setting.kind;
    let result = match (kind, value) {
        (Kind::Object { most_bytes, texts }, Value::Object(given)) => {
            return match object::read(given, *most_bytes, texts, at, faults) {
                Some(read) => Read::Set(SettingValue::Object(read)),
                None => Read::Refused,
            };
        }
        (Kind::Switches(of), Value::Object(_) | Value::Array(_)) => return switches(of, value, at, faults),
        (Kind::Languages { most }, Value::Array(rows)) => return languages(rows, *most, at, faults),
        (Kind::Terms { most }, Value::Array(terms)) => list_of_terms(terms, *most),
        (Kind::Flag, Value::Bool(on)) => Ok(Read::Set(SettingValue::Flag(*on))),
        (Kind::Whole(bounds), Value::Number(_)) => whole(value, bounds),
        (Kind::Fraction(bounds), Value::Number(_)) => fraction(value, bounds),
        (Kind::Eagerness(words), Value::Number(_)) => eagerness_number(value, words),
        (kind, Value::String(text)) => read_text(kind, text, region),
        _ => Err(Wrong::Type { wanted: wanted(kind), found: type_name(value) }),
    };
    result.unwrap_or_else(|wrong| {
        faults.push(at, || wrong);
        Read::Refused
    })
}

fn wanted(kind: &Kind) -> &'static str {
    match kind {
        Kind::Name | Kind::Line { .. } | Kind::Prose { .. } | Kind::Language | Kind::Telephone | Kind::Url => "a text",
        Kind::Choice(_) => "one of its words, as a text",
        Kind::Flag => "true or false",
        Kind::Whole(_) => "a whole number",
        Kind::Fraction(_) => "a number",
        Kind::Eagerness(_) => "one of its words, or a number from 0 to 1",
        Kind::Terms { .. } => "a text with commas, or a list of texts",
        Kind::Switches(_) => "a list of words, or an object of true and false",
        Kind::Languages { .. } => "a list of rows",
        Kind::Object { .. } => "an object",
    }
}

fn read_text(kind: &Kind, text: &str, region: Option<Region>) -> Result<Read, Wrong> {
    let text = match kind {
        Kind::Flag
        | Kind::Whole(_)
        | Kind::Fraction(_)
        | Kind::Switches(_)
        | Kind::Languages { .. }
        | Kind::Object { .. } => return Err(Wrong::Type { wanted: wanted(kind), found: "a text" }),
        _ if text.trim().is_empty() => return Ok(Read::Clear),
        Kind::Name => name(text)?,
        Kind::Line { most } => line(text, *most)?,
        Kind::Prose { most } => prose(text, *most)?,
        Kind::Choice(words) => word(text, words)?.to_owned(),
        Kind::Eagerness(words) => match text.trim().parse::<f64>() {
            Ok(number) => return eagerness(number, text, words),
            Err(_) => word(text, words)?.to_owned(),
        },
        Kind::Language => language(text)?,
        Kind::Telephone => {
            Number::read(text, region).map_err(|error| Wrong::Rule(error.to_string()))?.as_str().to_owned()
        }
        Kind::Url => address(text)?,
        Kind::Terms { most } => return text_of_terms(text, *most),
    };
    Ok(Read::Set(SettingValue::Text(text)))
}

/// The catalogue's spelling of a word.
fn word(text: &str, words: &'static [Word]) -> Result<&'static str, Wrong> {
    let spelled = |spelling: &str| words.iter().find(|word| word.name == spelling || word.synonyms.contains(&spelling));
    if let Some(word) = spelled(&fold(&shown(text))) {
        return Ok(word.name);
    }
    let spellings = words.iter().flat_map(|word| std::iter::once(&word.name).chain(word.synonyms).copied());
    Err(Wrong::Choice {
        given: shown(text),
        allowed: words.iter().map(|word| word.name).collect::<Vec<_>>().join(", "),
        nearest: nearest(text, spellings).and_then(spelled).map(|word| word.name),
    })
}

fn whole(value: &Value, bounds: &Bounds<i64>) -> Result<Read, Wrong> {
    let out = || Wrong::Range { given: value.to_string(), allowed: bounds.to_string() };
    // 30.0 is thirty: clients of weakly typed languages write it so.
    let exact = |number: f64| (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64);
    let number = match (value.as_i64(), value.as_f64()) {
        (Some(number), _) => number,
        (None, Some(number)) if number.fract() != 0.0 => {
            return Err(Wrong::Type { wanted: "a whole number", found: "a fraction" });
        }
        (None, number) => number.and_then(exact).ok_or_else(out)?,
    };
    let off = bounds.off.is_some() && number == -1;
    if off || (bounds.from..=bounds.to).contains(&number) {
        Ok(Read::Set(SettingValue::Whole(number)))
    } else {
        Err(out())
    }
}

fn fraction(value: &Value, bounds: &Bounds<f64>) -> Result<Read, Wrong> {
    let out = || Wrong::Range { given: value.to_string(), allowed: bounds.to_string() };
    let number = value.as_f64().filter(|number| number.is_finite()).ok_or_else(out)?;
    let off = bounds.off.is_some() && number == -1.0;
    // Adding zero makes the negative zero a zero: one value, one spelling.
    if off || (bounds.from..=bounds.to).contains(&number) {
        Ok(Read::Set(SettingValue::Fraction(number + 0.0)))
    } else {
        Err(out())
    }
}

fn eagerness_number(value: &Value, words: &'static [Word]) -> Result<Read, Wrong> {
    eagerness(value.as_f64().unwrap_or(f64::NAN), &value.to_string(), words)
}

/// A number where a word has a place is that word: 0 is low, 0.5 normal, 1 high.
fn eagerness(number: f64, given: &str, words: &'static [Word]) -> Result<Read, Wrong> {
    if !(0.0..=1.0).contains(&number) {
        let bounds = Bounds { from: 0.0, to: 1.0, unit: Unit::None, off: None };
        return Err(Wrong::Range { given: shown(given), allowed: bounds.to_string() });
    }
    let number = (number * FINEST).round() / FINEST;
    let place = number * (words.len() - 1) as f64;
    let value = match words.get(place as usize) {
        Some(word) if place.fract() == 0.0 => SettingValue::Text(word.name.to_owned()),
        _ => SettingValue::Fraction(number),
    };
    Ok(Read::Set(value))
}
