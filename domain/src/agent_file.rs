//! An agent as a file: what was set, as TOML, a table for each group.
//!
//! ```toml
//! [identity]
//! name = "front-desk"
//! default_language = "hi-IN"
//!
//! [script.business_info]
//! company_name = "Acme"
//! ```
//!
//! The same agent gives the same bytes, whoever writes it and whenever: groups and settings stand in the catalogue's order, members of objects
//! by their names, and texts have one spelling, so that a file under version control changes where the agent does. Reading it back gives the
//! same agent. What was not set is not written, so a file says what its agent chose.
//! A file is a whole agent: what it leaves out is not set. Not here: files and directories; the command line has those.

mod place;

pub use place::line;

use std::fmt::Write;

use serde_json::{Map, Number, Value};

use crate::agent_settings::{AgentChange, AgentSettings, Fault, Faults, Group, SettingValue, Wrong, catalogue};
use crate::number::Region;

/// Bytes of a file that are read: more than the largest agent has.
const MOST_BYTES: usize = 2 * 1_024 * 1_024;

const HEAD: &str = "# An agent of Tandem: what was set of it. docs/settings.md explains each line; what is not here has its default.\n";

/// Why a file is no agent.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FileError {
    /// It is not worth parsing.
    #[error("the file has {0} bytes; an agent has at most {MOST_BYTES}")]
    TooLarge(usize),
    /// Not TOML.
    #[error("the file is not TOML")]
    Syntax(#[source] toml::de::Error),
    /// Not an agent.
    #[error("the file does not describe an agent:\n{0}")]
    Settings(Faults),
}

/// Writes an agent.
pub fn export(settings: &AgentSettings) -> String {
    let mut file = HEAD.to_owned();
    for group in Group::ALL {
        let (tables, lines): (Vec<_>, Vec<_>) = settings
            .iter()
            .filter(|(setting, _)| setting.group == group)
            .partition(|(_, value)| matches!(value, SettingValue::Object(_) | SettingValue::Switches(_)));
        if !lines.is_empty() {
            let _ = write!(file, "\n[{}]\n", group.name());
        }
        for (setting, value) in lines {
            let _ = writeln!(file, "{} = {}", setting.name, written(&value.kept(), 0));
        }
        for (setting, value) in tables {
            let _ = write!(file, "\n[{}.{}]\n", group.name(), setting.name);
            if let Value::Object(members) = value.kept() {
                for (name, value) in sorted(&members) {
                    let _ = writeln!(file, "{} = {}", key(name), written(value, 0));
                }
            }
        }
    }
    file
}

/// Reads an agent. `region` is whose telephone numbers come without a country code.
pub fn import(file: &str, region: Option<Region>) -> Result<AgentSettings, FileError> {
    if file.len() > MOST_BYTES {
        return Err(FileError::TooLarge(file.len()));
    }
    let document: toml::Table = toml::from_str(file).map_err(FileError::Syntax)?;
    let document: Map<String, Value> = document.into_iter().map(|(key, value)| (key, json(value))).collect();
    let change = AgentChange::read_grouped(&document, region).map_err(FileError::Settings)?;
    if !change.names(&catalogue::NAME) {
        let pointer = format!("/{}/{}", catalogue::NAME.group.name(), catalogue::NAME.name);
        let missing = Fault { pointer, wrong: Wrong::Missing("an agent needs a name") };
        return Err(FileError::Settings(Faults { told: vec![missing], more: 0 }));
    }
    Ok(AgentSettings::default().with(&change))
}

fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        // Without a JSON number for it, it is told as the text that it is not.
        toml::Value::Float(number) => {
            Number::from_f64(number).map_or_else(|| Value::String(number.to_string()), Value::Number)
        }
        toml::Value::Boolean(on) => Value::Bool(on),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(list) => list.into_iter().map(json).collect(),
        toml::Value::Table(table) => Value::Object(table.into_iter().map(|(key, value)| (key, json(value))).collect()),
    }
}

fn sorted(members: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = members.iter().collect();
    members.sort_by_key(|(name, _)| *name);
    members
}

/// A value on its line. `depth` counts the lists and tables around it: text of several lines may stand only outside of them, for the eye.
fn written(value: &Value, depth: usize) -> String {
    match value {
        Value::Null => String::new(), // objects hold none
        Value::Bool(on) => on.to_string(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.to_string(),
            (None, Some(fraction)) => format!("{fraction:?}"),
            (None, None) => number.to_string(),
        },
        Value::String(text) => text_of(text, depth == 0 && text.contains('\n')),
        Value::Array(list) if list.iter().all(Value::is_object) && depth == 0 && !list.is_empty() => {
            let rows: Vec<String> = list.iter().map(|row| format!("    {},\n", written(row, depth + 1))).collect();
            format!("[\n{}]", rows.concat())
        }
        Value::Array(list) => {
            format!("[{}]", list.iter().map(|value| written(value, depth + 1)).collect::<Vec<_>>().join(", "))
        }
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| format!("{} = {}", key(name), written(value, depth + 1));
            let members: Vec<String> = sorted(members).into_iter().map(member).collect();
            if members.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", members.join(", ")) }
        }
    }
}

fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if bare { name.to_owned() } else { text_of(name, false) }
}

/// A basic string; with `lines`, over several lines. In both a backslash and what cannot be seen are escaped, and a quote where it could end
/// the text.
fn text_of(text: &str, lines: bool) -> String {
    let mut written = String::with_capacity(text.len() + 8);
    written.push_str(if lines { "\"\"\"\n" } else { "\"" });
    let mut quotes = 0;
    for (at, letter) in text.char_indices() {
        let last = at + letter.len_utf8() == text.len();
        quotes = if letter == '"' { quotes + 1 } else { 0 };
        match letter {
            '"' if !lines || quotes > 2 || last => {
                written.push_str("\\\"");
                quotes = 0;
            }
            '\\' => written.push_str("\\\\"),
            '\n' if lines => written.push('\n'),
            '\n' => written.push_str("\\n"),
            '\t' => written.push_str(if lines { "\t" } else { "\\t" }),
            control if control.is_control() => {
                let _ = write!(written, "\\u{:04X}", control as u32);
            }
            letter => written.push(letter),
        }
    }
    written.push_str(if lines { "\"\"\"" } else { "\"" });
    written
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::agent_settings::Scope;
    use crate::agent_settings::tests::any_settings;

    const FILE: &str = r#"# An agent of Tandem: what was set of it. docs/settings.md explains each line; what is not here has its default.

[identity]
name = "front-desk"
default_language = "hi-IN"

[script]
sales_script_text = """
Good day from "Acme"!
Ask for the budget. \\o/
"""

[script.business_info]
company_name = "Acme"
"opening hours" = "9 to 6"
seats = 12
sites = [{ city = "Delhi", open = true }]

[languages]
languages = [
    { language_code = "en", voice_id = "asha" },
    { language_code = "hi" },
]

[behaviour]
eagerness = 0.35
max_conversation_duration_seconds = 1800
soft_timeout_seconds = -1.0

[tools.system_tools]
skip_turn = true
"#;

    fn agent() -> AgentSettings {
        let document = json!({
            "max_call_duration": 1800,
            "name": "front-desk",
            "language": "hi_IN",
            "sales_script_text": "Good day from \"Acme\"!\r\nAsk for the budget. \\o/\n",
            "business_info": {"seats": 12, "opening hours": "9 to 6", "company_name": "Acme", "fax": null,
                              "sites": [{"open": true, "city": "Delhi"}]},
            "languages": [{"language_code": "hi"}, {"language_code": "en", "voice_id": "asha"}],
            "eagerness": 0.35,
            "soft_timeout_seconds": -1,
            "system_tools": {"skip_turn": true},
        });
        AgentChange::read_new(&document, Scope::default()).unwrap()
    }

    #[test]
    fn a_file_reads_like_the_agent() {
        let file = export(&agent());
        assert_eq!(
            file.replace(
                "sites = [\n    { city = \"Delhi\", open = true },\n]",
                "sites = [{ city = \"Delhi\", open = true }]"
            ),
            FILE
        );
        assert_eq!(import(&file, None).unwrap(), agent());
        assert_eq!(import(FILE, None).unwrap(), agent());
    }

    #[test]
    fn what_is_no_agent_says_why() {
        let why = |file: &str| import(file, None).unwrap_err().to_string();
        assert_eq!(why(""), "the file does not describe an agent:\n/identity/name: is missing: an agent needs a name");
        assert!(matches!(import("[", None), Err(FileError::Syntax(_))));
        assert!(matches!(import(&"#".repeat(MOST_BYTES + 1), None), Err(FileError::TooLarge(_))));
        let told = why(
            "name = \"a\"\n[behavior]\n[voice]\neagerness = \"low\"\nspeeed = nan\n[identity]\nname = 1979-05-27\n",
        );
        let expected = "the file does not describe an agent:\n\
            /behavior: there is no such setting; did you mean behaviour?\n\
            /name: belongs into identity\n\
            /voice/eagerness: belongs into behaviour\n\
            /voice/speeed: there is no such setting";
        assert_eq!(told, expected);
        let nan = why("[identity]\nname = \"a\"\n[voice_config]\nspeed = nan\n");
        assert!(nan.ends_with("/voice_config/speed: must be a number, not a text"), "{nan}");
    }

    proptest! {
        #[test]
        fn a_file_is_the_agent_again_and_the_same_bytes_again(settings in any_settings()) {
            let named = AgentChange::read(&json!({"name": "Asha"}), Scope::default()).unwrap();
            let agent = settings.with(&named);
            let file = export(&agent);
            let read = import(&file, None).map_err(|error| TestCaseError::fail(format!("{error}\n{file}")))?;
            prop_assert_eq!(export(&read), file);
            prop_assert_eq!(read, agent);
        }

        #[test]
        fn no_file_breaks_the_reader(file in "(\\PC|\n|\\[identity\\]\n|name = |\"\"\"){0,40}") {
            let _ = import(&file, None);
        }
    }
}
