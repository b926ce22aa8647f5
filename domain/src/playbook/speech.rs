//! The playbook's lines as sentences: variables, articles and read-backs.

use super::Playbook;
use super::plan::{Plan, SlotSpec};
use super::state::{Context, PlaybookState};
use crate::slot::{SlotType, SlotValue, Tongue};

/// Names between braces, in order.
pub(super) fn variables_in(line: &str) -> impl Iterator<Item = &str> {
    line.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

/// Puts values in place of `{names}`: first `own`, then the call's, then the playbook's defaults.
pub(super) fn render(plan: &Plan, context: &Context, line: &str, own: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        let value = own.iter().find(|(own, _)| *own == name).map(|(_, value)| *value);
        let given =
            || context.variables.get(name).filter(|value| !value.is_empty()).or_else(|| plan.variables.get(name));
        out.push_str(value.or_else(|| given().map(String::as_str)).unwrap_or_default());
        rest = tail;
    }
    out.push_str(rest);
    sentence(&out)
}

/// Capital letter first, one space between words.
pub(super) fn sentence(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The answers of those slots that `wanted` names, in the playbook's order and without a full stop; `None` where nothing is read back.
pub(super) fn summary(playbook: &Playbook, state: &PlaybookState, wanted: impl Fn(&str) -> bool) -> Option<String> {
    let plan = playbook.plan_in(&state.language);
    let tongue = Tongue::of(&plan.language);
    let parts: Vec<String> = plan
        .slots
        .iter()
        .filter(|spec| wanted(&spec.name))
        .filter_map(|spec| state.slots.get(&spec.name).map(|filled| read_back(spec, &filled.value, tongue)))
        .filter(|part| !part.is_empty())
        .collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn read_back(spec: &SlotSpec, value: &SlotValue, tongue: Tongue) -> String {
    let spoken = spoken(spec, value, tongue);
    let article = if spoken.starts_with(|c: char| "aeiouAEIOU".contains(c)) { "an" } else { "a" };
    spec.read_back.replace("{a_value}", &format!("{article} {spoken}")).replace("{value}", &spoken)
}

/// The value as we say it; a vocabulary may say it in other words.
pub(super) fn spoken(spec: &SlotSpec, value: &SlotValue, tongue: Tongue) -> String {
    let term = spec.vocabulary.iter().find(|term| matches!(value, SlotValue::Choice(chosen) if *chosen == term.value));
    term.and_then(|term| term.say.clone()).unwrap_or_else(|| value.spoken(tongue))
}

/// What a recogniser should expect for one slot.
pub(super) fn vocabulary(spec: &SlotSpec) -> Vec<String> {
    let mut words = spec.examples.clone();
    for term in &spec.vocabulary {
        words.push(term.value.clone());
        words.extend(term.synonyms.iter().cloned());
    }
    match spec.kind {
        SlotType::YesNo => words.extend(["yes", "no"].map(str::to_owned)),
        SlotType::Number => words.extend(spec.units.iter().cloned()),
        SlotType::Choice
        | SlotType::Place
        | SlotType::Money
        | SlotType::Date
        | SlotType::Time
        | SlotType::TimeWindow
        | SlotType::Name
        | SlotType::Phone
        | SlotType::Email
        | SlotType::Text => {}
    }
    words
}
