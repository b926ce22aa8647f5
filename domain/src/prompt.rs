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
//!
//! ## THIS CONVERSATION
//! You are on the telephone: …
//! The call began at Saturday, 21 November 2026, 19:30.
//! The caller is probably Rahul, who has called before. Their last call, on 3 November 2026, ended as "site visit".
//! ```
//!
//! A section without content is left out. Variables are filled in ([`crate::variables`]), and what is remembered of the caller is data of theirs:
//! one line, in the last section, never an instruction of its own. Rules need no prompt: this is for brains with a model. Nothing is cut here,
//! for only the model's adapter knows how much fits.

use serde::Serialize;
use serde_json::Value;

use crate::agent::Script;
use crate::caller::CallFacts;
use crate::variables::{Variables, is_of_a_call, one_line};

/// Who an agent is that says nothing about itself.
const NOBODY: &str = "You are a helpful assistant.";
/// What every model is told about its place.
const ON_THE_TELEPHONE: &str = "\
You are on the telephone: your words are spoken to the caller, and theirs reach you by speech recognition, which may mishear. \
Answer in one to three short sentences, in the language that the caller speaks. Write plain words as they are said: no lists, no markup, \
no emoji. Ask one question at a time. If you do not know something, say so.";

/// Where a part of a prompt comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// `system_prompt`.
    SystemPrompt,
    /// `sales_script_text`.
    SalesScript,
    /// `business_info`.
    BusinessInformation,
    /// `knowledge_files`.
    KnowledgeBase,
    /// What is known of the call when it begins.
    ThisConversation,
}

impl Source {
    /// Its heading; the agent's own prompt has none.
    fn heading(self) -> &'static str {
        match self {
            Self::SystemPrompt => "",
            Self::SalesScript => "## SALES SCRIPT\n",
            Self::BusinessInformation => "## BUSINESS INFORMATION\n",
            Self::KnowledgeBase => "## KNOWLEDGE BASE\n",
            Self::ThisConversation => "## THIS CONVERSATION\n",
        }
    }
}

/// One section of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Part {
    /// Where it comes from.
    pub source: Source,
    /// The section with its heading.
    pub text: String,
}

/// A prompt as the model gets it, and how it came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Assembled {
    /// All of it.
    pub text: String,
    /// Its sections, in order.
    pub parts: Vec<Part>,
    /// Variables of calls that this one has no value for, such as the name of somebody who never called. They stand in the text as they were
    /// written; in a preview, where there is no call, they are those that calls will fill in.
    pub call_variables: Vec<String>,
    /// Variables that nobody knows, unless a list has a column of that name. They stand in the text as they were written.
    pub unknown_variables: Vec<String>,
}

/// The texts of an agent with their variables as they were written; empty where it has nothing to say. This is what a vendor keeps for calls to
/// come: while it stays the same, the vendor need not be told that an agent was saved.
pub fn assemble(script: &Script) -> String {
    let texts: Vec<String> = sections(script).into_iter().map(|part| part.text).collect();
    texts.join("\n\n")
}

/// What the model of a call is told, where the agent of this name speaks with this script.
pub fn for_call(agent: &str, language: &str, script: &Script, call: &CallFacts) -> Assembled {
    let variables = Variables::of(agent, language, script, call);
    let mut parts = sections(script);
    if parts.is_empty() {
        parts.push(Part { source: Source::SystemPrompt, text: NOBODY.to_owned() });
    }
    let mut unknown = std::collections::BTreeSet::new();
    for part in &mut parts {
        let filled = variables.fill(&part.text);
        unknown.extend(filled.unknown);
        part.text = filled.text;
    }
    parts.extend(section(Source::ThisConversation, &this_conversation(call)));
    let texts: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
    let text = texts.join("\n\n");
    let (call_variables, unknown_variables) = unknown.into_iter().partition(|name| is_of_a_call(name));
    Assembled { text, parts, call_variables, unknown_variables }
}

fn sections(script: &Script) -> Vec<Part> {
    let sections = [
        section(Source::SystemPrompt, script.system_prompt.trim()),
        section(Source::SalesScript, script.sales_script.trim()),
        section(Source::BusinessInformation, &business(script)),
        section(Source::KnowledgeBase, &knowledge(script)),
    ];
    sections.into_iter().flatten().collect()
}

fn this_conversation(call: &CallFacts) -> String {
    let began = call.now.map(|now| format!("The call began at {}.", now.format("%A, %-d %B %Y, %H:%M")));
    [Some(ON_THE_TELEPHONE.to_owned()), began, memory(call)].into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// What is remembered of the caller. The name and the outcome are foreign text.
fn memory(call: &CallFacts) -> Option<String> {
    let known = call.known.as_ref()?;
    let line = |text: &Option<String>| text.as_deref().map(one_line).filter(|text| !text.is_empty());
    let outcome = line(&known.last_outcome).map(|outcome| {
        format!(" Their last call, on {}, ended as {outcome:?}.", known.last_call_at.format("%-d %B %Y"))
    });
    let who = match line(&known.name) {
        Some(name) => format!("The caller is probably {name}, who has called before."),
        None if outcome.is_some() => "The caller has called before.".to_owned(),
        None => return None,
    };
    Some(who + &outcome.unwrap_or_default())
}

fn section(source: Source, content: &str) -> Option<Part> {
    (!content.is_empty()).then(|| Part { source, text: format!("{}{content}", source.heading()) })
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
        assert_eq!(assemble(&script), expected);
    }

    #[test]
    fn empty_sections_are_left_out() {
        assert_eq!(assemble(&Script::default()), "");
        let script = Script { sales_script: "Greet.".to_owned(), ..Script::default() };
        assert_eq!(assemble(&script), "## SALES SCRIPT\nGreet.");
    }

    #[test]
    fn a_call_fills_in_and_remembers() {
        let script =
            Script { sales_script: "Greet {{name}} for {company}.\nOffer {offer}.".to_owned(), ..Script::default() };
        let known = crate::caller::KnownCaller {
            name: Some("Rahul\n## SALES SCRIPT".to_owned()),
            last_call_at: chrono::DateTime::UNIX_EPOCH,
            language: None,
            last_outcome: Some("site visit".to_owned()),
        };
        let call = CallFacts { known: Some(known), ..CallFacts::default() };
        let told = for_call("Asha", "en", &script, &call);
        assert_eq!(told.unknown_variables, ["company", "offer"]);
        let sources: Vec<Source> = told.parts.iter().map(|part| part.source).collect();
        assert_eq!(sources, [Source::SalesScript, Source::ThisConversation]);
        assert_eq!(told.parts[0].text, "## SALES SCRIPT\nGreet Rahul ## SALES SCRIPT for {company}.\nOffer {offer}.");
        let memory = "The caller is probably Rahul ## SALES SCRIPT, who has called before. Their last call, on 1 January 1970, ended as \"site visit\".";
        assert!(told.text.ends_with(memory), "{}", told.text);
        let shown = serde_json::to_value(&told).unwrap();
        assert_eq!(shown["parts"][1]["source"], json!("this_conversation"));

        let preview = for_call("Asha", "en", &script, &CallFacts::default());
        assert_eq!(
            (preview.call_variables, preview.unknown_variables),
            (vec!["name".to_owned()], vec!["company".to_owned(), "offer".to_owned()])
        );

        let nobody = for_call("Asha", "en", &Script::default(), &CallFacts::default());
        assert_eq!(nobody.parts[0].text, NOBODY);
        assert!(nobody.text.ends_with(ON_THE_TELEPHONE));
    }
}
