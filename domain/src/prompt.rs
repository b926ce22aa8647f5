//! The prompt of a model that speaks for an agent: its own text, then the sections that its users rely on (api-inventory section 10 item 3).
//!
//! ```text
//! <system prompt>
//!
//! ## SALES SCRIPT
//! <script>
//!
//! ## BUSINESS INFORMATION
//! Company: <company_name>
//! Opening hours: <opening_hours>
//!
//! ## KNOWLEDGE BASE
//! - <name>: <text>
//! ```
//!
//! A section without content is left out. Rules need no prompt: this is for brains with a model. Nothing is cut here, for only the model's
//! adapter knows how much fits.

use serde_json::Value;

use crate::agent::{Agent, Script};

/// The prompt of `agent`; empty where it has nothing to say.
pub fn assemble(agent: &Agent) -> String {
    let script = &agent.script;
    let sections = [
        script.system_prompt.trim().to_owned(),
        section("SALES SCRIPT", script.sales_script.trim()),
        section("BUSINESS INFORMATION", &business(script)),
        section("KNOWLEDGE BASE", &knowledge(script)),
    ];
    let filled: Vec<String> = sections.into_iter().filter(|section| !section.is_empty()).collect();
    filled.join("\n\n")
}

fn section(title: &str, content: &str) -> String {
    if content.is_empty() { String::new() } else { format!("## {title}\n{content}") }
}

/// The company first, the rest by their keys. The greeting is spoken, not known.
fn business(script: &Script) -> String {
    let company = script.company().map(|company| format!("Company: {company}"));
    let rest = script.business_info.iter().filter(|(key, _)| !matches!(key.as_str(), "company_name" | "greeting"));
    let lines = rest.filter_map(|(key, value)| {
        let text = plain(value);
        (!text.is_empty()).then(|| format!("{}: {text}", label(key)))
    });
    company.into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

fn knowledge(script: &Script) -> String {
    let lines =
        script.knowledge_files.iter().map(|(name, text)| (name, plain(text))).filter(|(_, text)| !text.is_empty());
    lines.map(|(name, text)| format!("- {name}: {text}")).collect::<Vec<_>>().join("\n")
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    }
}

/// `opening_hours` is "Opening hours".
fn label(key: &str) -> String {
    let words = key.replace(['_', '-'], " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn agent(script: Script) -> Agent {
        Agent {
            id: crate::ids::AgentId(1),
            uuid: uuid::Uuid::nil(),
            business: crate::ids::BusinessId::FIRST,
            name: "Asha".to_owned(),
            playbook: "front-desk".to_owned(),
            language: "en".to_owned(),
            voice: String::new(),
            asr_keywords: Vec::new(),
            first_message_inbound: None,
            timing: crate::agent::Timing::default(),
            uncertainty: Default::default(),
            ambience: Default::default(),
            recorded: true,
            script,
        }
    }

    #[test]
    fn all_sections_in_their_order() {
        let object = |value: Value| value.as_object().unwrap().clone();
        let script = Script {
            system_prompt: "You are Asha. Be brief.\n".to_owned(),
            sales_script: "Greet.\nAsk for the budget.".to_owned(),
            business_info: object(
                json!({"opening_hours": "9 to 6", "company_name": "Acme", "greeting": "Hi", "seats": 12, "fax": ""}),
            ),
            knowledge_files: object(json!({"products": "Flats and villas.", "empty": " "})),
            first_message_outbound: None,
            disclosure: None,
            system_tools: None,
        };
        let expected = "You are Asha. Be brief.\n\n\
                        ## SALES SCRIPT\nGreet.\nAsk for the budget.\n\n\
                        ## BUSINESS INFORMATION\nCompany: Acme\nOpening hours: 9 to 6\nSeats: 12\n\n\
                        ## KNOWLEDGE BASE\n- products: Flats and villas.";
        assert_eq!(assemble(&agent(script)), expected);
    }

    #[test]
    fn empty_sections_are_left_out() {
        assert_eq!(assemble(&agent(Script::default())), "");
        let script = Script { sales_script: "Greet.".to_owned(), ..Script::default() };
        assert_eq!(assemble(&agent(script)), "## SALES SCRIPT\nGreet.");
    }
}
