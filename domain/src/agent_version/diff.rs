//! What changed between two versions: field by field, members of objects and switches each for themselves, long texts line by line.
//!
//! Bounded, whatever was written: a text of too many lines is counted only, and of a long list of changed lines the beginning is shown.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::agent_settings::{AgentSettings, Setting, SettingValue};

/// Lines of one text that are shown.
pub const MOST_LINES: usize = 400;
/// Lines of one text that are compared. The work grows with their product, and an agent's script has fewer.
const MOST_COMPARED: usize = 2_000;
/// Unchanged lines that are shown around changed ones.
const CONTEXT: usize = 3;
/// A shorter text of one line is shown whole, twice.
const SHORT: usize = 200;

/// One field that is not the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Difference {
    /// Name of the setting.
    pub field: &'static str,
    /// Member of the object, or switch; `null` for the whole field.
    pub entry: Option<String>,
    /// Before; `null` where it was not set.
    pub from: Option<Value>,
    /// After; `null` where it is not set.
    pub to: Option<Value>,
    /// The same line by line, for texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<LineDiff>,
}

/// What changed in a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LineDiff {
    /// Lines that came.
    pub added: usize,
    /// Lines that went.
    pub removed: usize,
    /// Changed lines and some around them, in order.
    pub shown: Vec<DiffLine>,
    /// Not all of it is shown.
    pub cut: bool,
}

/// One line of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DiffLine {
    /// `+` for a line that came, `-` for one that went, a space for one that stayed.
    pub sign: char,
    /// Number of the line before, from 1.
    pub before: Option<usize>,
    /// Number of the line after, from 1.
    pub after: Option<usize>,
    /// The line, without its end.
    pub text: String,
}

/// What is not the same, in the catalogue's order; members by their names.
pub fn diff(from: &AgentSettings, to: &AgentSettings) -> Vec<Difference> {
    let settings = crate::agent_settings::catalogue::all();
    settings
        .filter(|setting| from.set(setting) != to.set(setting))
        .flat_map(|setting| field(setting, from, to))
        .collect()
}

fn field(setting: &'static Setting, from: &AgentSettings, to: &AgentSettings) -> Vec<Difference> {
    let (before, after) = (from.set(setting), to.set(setting));
    let members = |value: Option<&SettingValue>| match value {
        Some(value @ (SettingValue::Object(_) | SettingValue::Switches(_))) => match value.kept() {
            Value::Object(members) => Some(members),
            _ => None,
        },
        _ => None,
    };
    let (old, new) = (members(before), members(after));
    let names: BTreeSet<&String> = old.iter().chain(&new).flat_map(|members| members.keys()).collect();
    let member = |of: &Option<serde_json::Map<String, Value>>, name: &str| of.as_ref()?.get(name).cloned();
    let entries: Vec<Difference> = names
        .into_iter()
        .map(|name| difference(setting, Some(name.clone()), member(&old, name), member(&new, name)))
        .filter(|difference| difference.from != difference.to)
        .collect();
    if !entries.is_empty() {
        return entries;
    }
    vec![difference(setting, None, before.map(SettingValue::kept), after.map(SettingValue::kept))]
}

fn difference(setting: &'static Setting, entry: Option<String>, from: Option<Value>, to: Option<Value>) -> Difference {
    let text = |value: &Option<Value>| match value {
        None => Some(String::new()),
        Some(Value::String(text)) => Some(text.clone()),
        Some(_) => None,
    };
    let lines = match (text(&from), text(&to)) {
        (Some(before), Some(after))
            if [&before, &after].iter().any(|text| text.len() > SHORT || text.contains('\n')) =>
        {
            Some(lines(&before, &after))
        }
        _ => None,
    };
    Difference { field: setting.name, entry, from, to, lines }
}

fn lines(before: &str, after: &str) -> LineDiff {
    let (old, new) = (before.lines().count(), after.lines().count());
    if old.max(new) > MOST_COMPARED {
        return LineDiff { added: new, removed: old, shown: Vec::new(), cut: true };
    }
    // Ends of lines are no content: a last line with one is the same line without.
    let old_lines: Vec<&str> = before.lines().collect();
    let new_lines: Vec<&str> = after.lines().collect();
    let diff = TextDiff::from_slices(&old_lines, &new_lines);
    let count = |tag: ChangeTag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
    let hunks = diff.grouped_ops(CONTEXT);
    let mut changes = hunks.iter().flatten().flat_map(|op| diff.iter_changes(op));
    let shown: Vec<DiffLine> = changes
        .by_ref()
        .take(MOST_LINES)
        .map(|change| DiffLine {
            sign: match change.tag() {
                ChangeTag::Insert => '+',
                ChangeTag::Delete => '-',
                ChangeTag::Equal => ' ',
            },
            before: change.old_index().map(|index| index + 1),
            after: change.new_index().map(|index| index + 1),
            text: change.value().to_owned(),
        })
        .collect();
    let cut = changes.next().is_some();
    LineDiff { added: count(ChangeTag::Insert), removed: count(ChangeTag::Delete), shown, cut }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::agent_settings::{AgentChange, Scope};

    fn agent(document: Value) -> AgentSettings {
        AgentSettings::default().with(&AgentChange::read(&document, Scope::default()).unwrap())
    }

    #[test]
    fn fields_members_and_switches() {
        let from = agent(json!({
            "call_timeout": 20,
            "eagerness": "low",
            "business_info": {"company_name": "Acme", "seats": 12},
            "guardrails": {"no_pii": true},
        }));
        let to = agent(json!({
            "eagerness": "low",
            "first_message_inbound": "Hi",
            "business_info": {"company_name": "Acme", "seats": 14, "fax": "none"},
            "guardrails": {"no_profanity": true},
        }));
        let told: Vec<Value> = diff(&from, &to).iter().map(|difference| json!(difference)).collect();
        let line = |field: &str, entry: Option<&str>, from: Value, to: Value| json!({"field": field, "entry": entry, "from": from, "to": to});
        let expected = [
            line("business_info", Some("fax"), Value::Null, json!("none")),
            line("business_info", Some("seats"), json!(12), json!(14)),
            line("first_message_inbound", None, Value::Null, json!("Hi")),
            line("call_timeout", None, json!(20), Value::Null),
            line("guardrails", Some("no_pii"), json!(true), Value::Null),
            line("guardrails", Some("no_profanity"), Value::Null, json!(true)),
        ];
        assert_eq!(told, expected);
        assert_eq!(diff(&to, &to), []);
    }

    #[test]
    fn a_long_text_line_by_line() {
        let text = |third: &str| {
            (1..=20).map(|n| if n == 3 { format!("{third}\n") } else { format!("line {n}\n") }).collect::<String>()
        };
        let of = |text: String| agent(json!({"sales_script_text": text}));
        let told = diff(&of(text("Ask for the budget.")), &of(text("Ask for the place.")));
        let lines = told[0].lines.as_ref().unwrap();
        assert_eq!((lines.added, lines.removed, lines.cut), (1, 1, false));
        let shown: Vec<String> = lines.shown.iter().map(|line| format!("{}{}", line.sign, line.text)).collect();
        let expected =
            [" line 1", " line 2", "-Ask for the budget.", "+Ask for the place.", " line 4", " line 5", " line 6"];
        assert_eq!(shown, expected);
        assert_eq!((lines.shown[3].before, lines.shown[3].after), (None, Some(3)));
    }

    #[test]
    fn a_difference_is_bounded() {
        let of = |line: &str, lines: usize| {
            agent(json!({"system_prompt": (0..lines).map(|n| format!("{line}{n}\n")).collect::<String>()}))
        };
        let told = |lines| diff(&of("a", lines), &of("b", lines)).remove(0).lines.unwrap();
        let some = told(1_000);
        assert_eq!((some.added, some.removed, some.shown.len(), some.cut), (1_000, 1_000, MOST_LINES, true));
        let many = told(10_000);
        assert_eq!((many.added, many.shown.len(), many.cut), (10_000, 0, true));
    }
}
