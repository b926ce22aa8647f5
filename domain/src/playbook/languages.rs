//! One playbook, several languages: `[languages.hi]` holds the same texts again, and becomes a plan of its own.
//!
//! A translation is laid over the file's own tables, key by key; slots go by their names. It may change what is said and heard, never what is
//! asked: types, order and rules are the playbook's. Hindi begins with the lines of `playbooks/hindi.toml`.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::line::Line;
use super::plan::{Plan, SlotSpec};
use crate::slot::Tongue;

/// The key that a translation lacks or may not have, and what is wrong with it.
pub(super) struct Flaw {
    pub(super) language: String,
    pub(super) problem: String,
}

/// The plans of all languages but the playbook's own.
pub(super) fn plans(text: &str, base: &Plan) -> Result<BTreeMap<String, Plan>, Flaw> {
    let mut plans = BTreeMap::new();
    for (language, overlay) in &base.languages {
        let flaw = |problem: String| Flaw { language: language.clone(), problem };
        if !is_tag(language) || *language == base.language {
            return Err(flaw("a language tag other than the playbook's own, such as \"hi\"".to_owned()));
        }
        let mut table: Table = text.parse().map_err(|_| flaw("not readable".to_owned()))?;
        table.remove("languages");
        if let Some(defaults) = defaults(language) {
            lay_over(&mut table, defaults);
        }
        let mut overlay = overlay.clone();
        let slots = overlay.remove("slots");
        lay_over(&mut table, overlay);
        table.insert("language".to_owned(), Value::from(language.as_str()));
        if let Some(slots) = slots {
            lay_over_slots(&mut table, slots).map_err(flaw)?;
        }
        let plan: Plan =
            table.try_into().map_err(|error: toml::de::Error| flaw(error.message().replace('\n', ", ")))?;
        means_the_same(base, &plan).map_err(flaw)?;
        plans.insert(language.clone(), plan);
    }
    Ok(plans)
}

/// What a playbook says in `language` where it does not say otherwise.
pub(super) fn defaults(language: &str) -> Option<Table> {
    match Tongue::of(language) {
        Tongue::English => None,
        Tongue::Hindi => Some(
            include_str!("../../playbooks/hindi.toml")
                .parse()
                .expect("the embedded lines are well-formed: a test reads them"),
        ),
    }
}

/// Puts `over` into `table`: tables are merged, everything else is replaced.
pub(super) fn lay_over(table: &mut Table, over: Table) {
    for (key, value) in over {
        match (table.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay_over(below, above),
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
}

/// Slots are a list in the file and named in its translations.
fn lay_over_slots(table: &mut Table, over: Value) -> Result<(), String> {
    let Value::Table(over) = over else { return Err("slots: a table by the slots' names is needed".to_owned()) };
    let Some(Value::Array(slots)) = table.get_mut("slots") else { return Err("slots: missing".to_owned()) };
    for (name, texts) in over {
        let slot = slots.iter_mut().find_map(|slot| match slot {
            Value::Table(slot) if slot.get("name").and_then(Value::as_str) == Some(&name) => Some(slot),
            _ => None,
        });
        let (Some(slot), Value::Table(texts)) = (slot, texts) else {
            return Err(format!("slots.{name}: no such slot, or no table"));
        };
        for (key, value) in texts {
            let Some(language) = LANGUAGE_KEYS.iter().find(|known| **known == key) else {
                return Err(format!("slots.{name}.{key}: only {} can be translated", LANGUAGE_KEYS.join(", ")));
            };
            slot.insert((*language).to_owned(), value);
        }
    }
    Ok(())
}

/// What a translation of a slot may say.
const LANGUAGE_KEYS: [&str; 8] =
    ["prompt", "reprompts", "help", "read_back", "unclear", "cues", "examples", "vocabulary"];

/// A translation says all that the original says, and nothing else.
fn means_the_same(base: &Plan, plan: &Plan) -> Result<(), String> {
    let same = base.name == plan.name
        && base.stages == plan.stages
        && base.max_turns == plan.max_turns
        && base.confirmation.policy == plan.confirmation.policy
        && base.confirmation.rounds == plan.confirmation.rounds
        && base.client_tools == plan.client_tools;
    if !same {
        return Err(
            "only texts can be translated: name, stages, limits, policy and tools are the playbook's".to_owned()
        );
    }
    let protects = |lines: &[Line]| lines.iter().any(|line| line.protected);
    for (key, ours, theirs) in [
        ("greeting", &base.greeting, &plan.greeting),
        ("returning", &base.returning, &plan.returning),
        ("welcome", &base.welcome, &plan.welcome),
    ] {
        if protects(ours) != protects(theirs) {
            return Err(format!("{key}: what is protected in one language is protected in all"));
        }
    }
    for (ours, theirs) in base.slots.iter().zip(&plan.slots) {
        let untranslated = |text: fn(&SlotSpec) -> &str| !text(ours).is_empty() && text(ours) == text(theirs);
        if untranslated(|spec| &spec.prompt) {
            return Err(format!("slots.{}.prompt: not translated", ours.name));
        }
        let values = |spec: &SlotSpec| spec.vocabulary.iter().map(|term| term.value.clone()).collect::<Vec<_>>();
        if values(ours) != values(theirs) {
            return Err(format!("slots.{}.vocabulary: must hold the same values in the same order", ours.name));
        }
    }
    Ok(())
}

fn is_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    parts.next().is_some_and(|first| (2..=3).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_lowercase()))
        && parts.all(|part| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}
