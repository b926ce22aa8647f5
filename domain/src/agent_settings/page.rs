//! The page of all settings, `docs/settings.md`: written from the catalogue, so that it cannot say what the code does not.

use std::fmt::Write;

use super::catalogue;
use super::setting::{Effect, Form, Group, Kind, Preset, Setting, Word};

const HEAD: &str = "\
# Settings of an agent

<!-- Written from the code: cargo run -p tandem-domain --example settings_page > docs/settings.md -->

Every setting has one name, in JSON, in files and in the database. `PATCH /api/agents/{id}` changes those that it names; `null` takes one back to its
default. What does not fit is answered with 400 and all faults at once, each with a JSON pointer. `tandem agent export` writes what was set as
TOML, a table for each group.

";

const VARIABLES: &str = "
## Variables in texts

`{{name}}` and `{name}` are filled in when a call begins: in the prompt, the first messages, the script's first line and the greeting. Case, spaces
and hyphens do not count. What nobody knows stays as it is in a prompt, and is named by its preview; where a text is spoken it is left out.

| Variable | Is |
|---|---|
";

/// The page, as Markdown.
pub fn page() -> String {
    let (in_force, all) = catalogue::in_force();
    let mut page = HEAD.to_owned();
    let _ = writeln!(
        page,
        "Of {all} settings {in_force} have their effect. The others are read, checked, kept and shown, and say so: **stored, effect to come**."
    );
    for group in Group::ALL {
        let settings: Vec<&Setting> = catalogue::all().filter(|setting| setting.group == group).collect();
        let _ = write!(
            page,
            "\n## {}\n\n| Setting | May be | Default | Effect | |\n|---|---|---|---|---|\n",
            group.title()
        );
        for setting in &settings {
            let _ = writeln!(
                page,
                "| {} | {} | {} | {} | {} |",
                names(setting),
                kind(&setting.kind),
                preset(&setting.preset, &setting.kind),
                effect(setting.effect),
                setting.about
            );
        }
        let mut told: Vec<&[Word]> = Vec::new();
        for setting in settings {
            let listed = setting.kind.words();
            if !listed.is_empty() && !told.contains(&listed) {
                told.push(listed);
                words(&mut page, setting);
            }
        }
    }
    page.push_str(VARIABLES);
    for (names, what) in crate::variables::KNOWN {
        let _ = writeln!(page, "| {names} | {what} |");
    }
    page.push_str("\n## What cannot be set\n\n| Field | Because |\n|---|---|\n");
    for (name, why) in catalogue::READ_ONLY {
        let _ = writeln!(page, "| `{name}` | {why} |");
    }
    page
}

fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::InForce => "in force",
        Effect::Stored => "stored, effect to come",
    }
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn names(setting: &Setting) -> String {
    let mut names = format!("`{}`", setting.name);
    if !setting.twins.is_empty() {
        let _ = write!(names, " = {}", quoted(setting.twins));
    }
    if !setting.synonyms.is_empty() {
        let _ = write!(names, " (also read: {})", quoted(setting.synonyms));
    }
    names
}

fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Name => "one line, 100 characters; no number, no id, not `create` or `management`".to_owned(),
        Kind::Line { most } => format!("one line, {most} characters"),
        Kind::Prose { most } => format!("text, {most} characters"),
        Kind::Flag => "true or false".to_owned(),
        Kind::Whole(bounds) if bounds.to == i64::MAX => format!("whole number from {}", bounds.from),
        Kind::Whole(bounds) => format!("whole number, {bounds}"),
        Kind::Fraction(bounds) => format!("number, {bounds}"),
        Kind::Choice(words) => quoted(&words.iter().map(|word| word.name).collect::<Vec<_>>()),
        Kind::Eagerness(words) => {
            format!("{}, or a number from 0 to 1", quoted(&words.iter().map(|word| word.name).collect::<Vec<_>>()))
        }
        Kind::Language => "BCP 47 tag, such as `en`, `hi` or `en-IN`".to_owned(),
        Kind::Telephone => "telephone number".to_owned(),
        Kind::Url => "http or https address without a user and a password".to_owned(),
        Kind::Terms { most } => format!("text with commas, or a list; {most} terms"),
        Kind::Switches(of) => {
            format!(
                "object of true and false, list of words, or rows of `{}` and `{}`; shown as {}",
                of.row_key,
                of.row_state,
                match of.form {
                    Form::Object => "an object",
                    Form::List => "a list of those that are on",
                }
            )
        }
        Kind::Languages { most } => format!("list, {most} rows"),
        Kind::Object { most_bytes, .. } => format!("JSON object, {} KiB", most_bytes / 1_024),
    }
}

fn preset(preset: &Preset, kind: &Kind) -> String {
    match preset {
        Preset::Unset("") => "–".to_owned(),
        Preset::Unset(what) => format!("not set: {what}"),
        Preset::Flag(on) => format!("`{on}`"),
        Preset::Whole(number) => format!("`{number}`"),
        Preset::Fraction(number) => format!("`{number:?}`"),
        Preset::Text(text) => format!("`{text}`"),
        Preset::Words => {
            let on: Vec<&str> = kind.words().iter().filter(|word| word.on).map(|word| word.name).collect();
            match on.len() {
                0 => "all off".to_owned(),
                all if all == kind.words().len() => "all on".to_owned(),
                _ => quoted(&on),
            }
        }
        Preset::Empty => "empty".to_owned(),
    }
}

fn words(page: &mut String, setting: &Setting) {
    let _ = write!(page, "\n`{}`:\n\n", setting.name);
    for word in setting.kind.words() {
        let also =
            if word.synonyms.is_empty() { String::new() } else { format!(" (also read: {})", quoted(word.synonyms)) };
        let _ = writeln!(page, "- `{}`{also}: {}", word.name, word.about);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_the_docs_is_the_catalogue_s() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/settings.md");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == page(),
            "docs/settings.md is old: cargo run -p tandem-domain --example settings_page > docs/settings.md"
        );
    }
}
