//! Reads a playbook file and refuses what could not run, naming the line.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::languages::{self, Flaw};
use super::plan::{Plan, Policy, SlotSpec};
use super::speech::variables_in;
use super::state::stage;
use crate::slot::SlotType;

/// Why a playbook was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaybookError {
    /// No TOML, a missing or unknown key, or a value of another type.
    #[error("line {line}: {detail}")]
    Unreadable {
        /// Line in the file, from 1.
        line: usize,
        /// What the parser says.
        detail: String,
    },
    /// Readable, but it could not run as written.
    #[error("line {line}: {key}: {problem}")]
    Unsound {
        /// Line in the file, from 1.
        line: usize,
        /// Path of the key, such as `slots[1].prompt`.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// One step on the way to a value.
#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

use Step::{Index, Key};

/// A problem and where it is.
struct Problem {
    path: Vec<Step<'static>>,
    text: String,
}

type Checked = Result<(), Problem>;

/// The plans of a file: in its own language, and in the others by their tags.
pub(super) struct Plans {
    pub(super) base: Plan,
    pub(super) others: BTreeMap<String, Plan>,
}

/// Reads and checks `text`.
pub(super) fn read(text: &str) -> Result<Plans, PlaybookError> {
    let unreadable = |error: toml::de::Error| PlaybookError::Unreadable {
        line: error.span().map_or(1, |span| line_at(text, span.start)),
        detail: error.message().trim().replace('\n', ", "),
    };
    let unsound = |problem: &Problem| PlaybookError::Unsound {
        line: line_of(text, &problem.path),
        key: spell(&problem.path),
        problem: problem.text.clone(),
    };
    let mut base: Plan = toml::from_str(text).map_err(unreadable)?;
    check(&base).map_err(|problem| unsound(&problem))?;
    let in_language = |flaw: Flaw| {
        let path = [Key("languages"), Key(&flaw.language)];
        PlaybookError::Unsound { line: line_of(text, &path), key: spell(&path), problem: flaw.problem }
    };
    let others = languages::plans(text, &base).map_err(in_language)?;
    for (language, plan) in &others {
        check(plan).map_err(|problem| {
            in_language(Flaw {
                language: language.clone(),
                problem: format!("{}: {}", spell(&problem.path), problem.text),
            })
        })?;
    }
    if let Some(mut table) = languages::defaults(&base.language) {
        // Read once as it stands, so that errors have their lines; then again over the language's own defaults.
        languages::lay_over(&mut table, text.parse().map_err(unreadable)?);
        base = table.try_into().map_err(unreadable)?;
    }
    Ok(Plans { base, others })
}

fn check(plan: &Plan) -> Checked {
    ensure(is_name(&plan.name), &[Key("name")], "lower case letters, digits, '-' and '_' only")?;
    ensure(plan.slots.len() <= 64, &[Key("slots")], "at most 64 slots")?;
    ensure(!plan.slots.is_empty(), &[Key("slots")], "a playbook asks at least one thing")?;
    ensure((1..=200).contains(&plan.max_turns), &[Key("max_turns")], "1 to 200")?;
    ensure((0.0..=1.0).contains(&plan.least_confidence), &[Key("least_confidence")], "0 to 1")?;
    for (key, lines) in [("greeting", &plan.greeting), ("returning", &plan.returning), ("welcome", &plan.welcome)] {
        let said = lines.iter().all(|line| !line.protected || !line.say.trim().is_empty());
        ensure(said, &[Key(key)], "a protected line needs words")?;
    }
    ensure(!plan.stages.is_empty(), &[Key("stages")], "the first stage opens the call")?;
    ensure(plan.stages.iter().any(|name| name == stage::COMPLETED), &[Key("stages")], "must hold \"completed\"")?;
    for (i, spec) in plan.slots.iter().enumerate() {
        check_slot(plan, i, spec)?;
    }
    let confirmation = &plan.confirmation;
    ensure(confirmation.rounds >= 1 && confirmation.rounds <= 10, &[Key("confirmation"), Key("rounds")], "1 to 10")?;
    ensure(confirmation.reprompts <= 10, &[Key("confirmation"), Key("reprompts")], "at most 10")?;
    ensure(confirmation.silent_reprompts <= 10, &[Key("confirmation"), Key("silent_reprompts")], "at most 10")?;
    let asks = |lines: &[String]| lines.iter().any(|line| line.contains("{summary}"));
    ensure(
        confirmation.policy != Policy::End || asks(&confirmation.end),
        &[Key("confirmation"), Key("end")],
        "must hold {summary}",
    )?;
    ensure((0.0..=1.0).contains(&confirmation.sure), &[Key("confirmation"), Key("sure")], "0 to 1")?;
    ensure(
        !matches!(confirmation.policy, Policy::Each | Policy::Confidence) || asks(&confirmation.each),
        &[Key("confirmation"), Key("each")],
        "must hold {summary}",
    )?;
    for (i, tool) in plan.client_tools.iter().enumerate() {
        let at = |key: &'static str| [Key("client_tools"), Index(i), Key(key)];
        ensure(!tool.name.trim().is_empty(), &at("name"), "a tool needs its name")?;
        let known = tool.slot.as_ref().is_none_or(|slot| plan.slots.iter().any(|spec| spec.name == *slot));
        ensure(known, &at("slot"), "no slot of that name")?;
    }
    check_variables(plan)
}

fn check_slot(plan: &Plan, i: usize, spec: &SlotSpec) -> Checked {
    let at = |key: &'static str| [Key("slots"), Index(i), Key(key)];
    ensure(is_name(&spec.name), &at("name"), "lower case letters, digits, '-' and '_' only")?;
    ensure(!plan.slots[..i].iter().any(|other| other.name == spec.name), &at("name"), "used twice")?;
    ensure(!spec.prompt.trim().is_empty(), &at("prompt"), "a question is needed")?;
    ensure(spec.max_reprompts <= 10, &at("max_reprompts"), "at most 10")?;
    ensure(!spec.offer || !spec.required, &at("offer"), "an offer may be declined: set required = false")?;
    let takes_terms = matches!(spec.kind, SlotType::Choice | SlotType::Place);
    ensure(
        spec.kind != SlotType::Choice || !spec.vocabulary.is_empty(),
        &at("vocabulary"),
        "a choice needs its answers",
    )?;
    ensure(takes_terms || spec.vocabulary.is_empty(), &at("vocabulary"), "only for choices and places")?;
    for (n, term) in spec.vocabulary.iter().enumerate() {
        let path = [Key("slots"), Index(i), Key("vocabulary"), Index(n)];
        let twice = spec.vocabulary[..n].iter().any(|other| other.value == term.value);
        ensure(!term.value.trim().is_empty() && !twice, &path, "values are unique and not empty")?;
    }
    ensure(spec.units.is_empty() || spec.kind == SlotType::Number, &at("units"), "only for numbers")?;
    let money = spec.kind == SlotType::Money;
    ensure(money || spec.least == 0, &at("least"), "only for money")?;
    ensure(
        money || spec.kind == SlotType::Phone || spec.unclear.is_none(),
        &at("unclear"),
        "only for money and telephone numbers",
    )?;
    let known = spec.stage.as_ref().is_none_or(|name| plan.stages.contains(name));
    ensure(known, &at("stage"), "not among the stages of the playbook")
}

/// Every {variable} must have a value at every call.
fn check_variables(plan: &Plan) -> Checked {
    let mut problems = plan.greeting.iter().map(|line| (vec![Key("greeting")], &line.say, "")).collect::<Vec<_>>();
    problems.extend(plan.returning.iter().map(|line| (vec![Key("returning")], &line.say, "")));
    problems.extend(plan.welcome.iter().map(|line| (vec![Key("welcome")], &line.say, "")));
    problems.push((vec![Key("lines"), Key("more")], &plan.lines.more, "heard"));
    let lines = &plan.lines;
    for (key, line) in [
        ("unclear", &lines.unclear),
        ("unheard", &lines.unheard),
        ("corrected", &lines.corrected),
        ("skipped", &lines.skipped),
        ("wait", &lines.wait),
        ("change", &lines.change),
    ] {
        problems.push((vec![Key("lines"), Key(key)], line, ""));
    }
    problems.extend(lines.silence.iter().map(|line| (vec![Key("lines"), Key("silence")], line, "")));
    let closing = &plan.closing;
    for (key, lines) in [
        ("completed", &closing.completed),
        ("goodbye", &closing.goodbye),
        ("handover", &closing.handover),
        ("silence", &closing.silence),
        ("too_long", &closing.too_long),
    ] {
        problems.extend(lines.iter().map(|line| (vec![Key("closing"), Key(key)], &line.say, "")));
    }
    for (key, lines) in [("each", &plan.confirmation.each), ("end", &plan.confirmation.end)] {
        problems.extend(lines.iter().map(|line| (vec![Key("confirmation"), Key(key)], line, "summary")));
    }
    for (i, spec) in plan.slots.iter().enumerate() {
        let at = |key: &'static str| vec![Key("slots"), Index(i), Key(key)];
        problems.push((at("prompt"), &spec.prompt, ""));
        problems.extend(spec.reprompts.iter().map(|line| (at("reprompts"), line, "")));
        problems.extend(spec.help.iter().map(|line| (at("help"), line, "")));
        problems.push((at("read_back"), &spec.read_back, "value a_value"));
        problems.extend(spec.unclear.iter().map(|line| (at("unclear"), line, "heard")));
    }
    for (path, line, own) in problems {
        for name in variables_in(line) {
            let known = ["agent", "company", "caller"].contains(&name)
                || plan.variables.contains_key(name)
                || own.split(' ').any(|own| own == name && !own.is_empty());
            ensure(known, &path, &format!("unknown variable {{{name}}}"))?;
        }
    }
    Ok(())
}

fn ensure(sound: bool, path: &[Step<'static>], problem: &str) -> Checked {
    if sound { Ok(()) } else { Err(Problem { path: path.to_vec(), text: problem.to_owned() }) }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
}

fn spell(path: &[Step<'_>]) -> String {
    path.iter().enumerate().fold(String::new(), |text, (i, step)| match step {
        Key(key) if i == 0 => (*key).to_owned(),
        Key(key) => format!("{text}.{key}"),
        Index(index) => format!("{text}[{index}]"),
    })
}

/// Line of the value at `path`, or of the nearest table around it: an absent key has no line of its own.
fn line_of(text: &str, path: &[Step<'_>]) -> usize {
    let Ok(document) = DeTable::parse(text) else { return 1 };
    let mut start = 0;
    let mut table = Some(document.get_ref());
    let mut array = None;
    for step in path {
        let value = match step {
            Key(key) => {
                table.and_then(|table| table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value))
            }
            Index(index) => array.and_then(|array: &toml::de::DeArray<'_>| array.get(*index)),
        };
        let Some(value) = value else { break };
        start = value.span().start;
        (table, array) = match value.get_ref() {
            DeValue::Table(inner) => (Some(inner), None),
            DeValue::Array(inner) => (None, Some(inner)),
            _ => (None, None),
        };
    }
    line_at(text, start)
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|b| *b == b'\n').count() + 1
}
