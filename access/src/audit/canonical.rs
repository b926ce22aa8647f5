//! One spelling of JSON: RFC 8785, but for fractions, which are written as serde_json writes them (shortest that reads back).

use serde_json::Value;

/// The value without white space, with members in the order of their names' UTF-16 units.
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        // Escapes as RFC 8785 3.2.2.2 asks: the short forms, lower-case `\u00xx` for other controls, all else as it is.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => text.push_str(&value.to_string()),
        Value::Array(items) => list(text, ['[', ']'], items.iter(), write),
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            // Not the order of UTF-8: an emoji's first unit, a surrogate, comes before U+FFFF.
            members.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
            list(text, ['{', '}'], members.into_iter(), |(name, value), text| {
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write(value, text);
            });
        }
    }
}

fn list<T>(text: &mut String, around: [char; 2], items: impl Iterator<Item = T>, mut one: impl FnMut(T, &mut String)) {
    text.push(around[0]);
    for (at, item) in items.enumerate() {
        if at > 0 {
            text.push(',');
        }
        one(item, text);
    }
    text.push(around[1]);
}
