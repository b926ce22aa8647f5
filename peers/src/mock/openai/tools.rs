//! Tools, as the mock model is offered them and asks for them.
//!
//! Offered in `tools` of the request, each a function with an object of parameters; asked for in the stream as two fragments of one call, the
//! second in the middle of its arguments, as models send them. Not here: that a whole answer asks for one, which nobody of ours reads.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Answer, Unfit};

/// A tool that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    name: &'static str,
    arguments: &'static str,
    /// What is said before it.
    pub(super) said: &'static str,
}

/// The tool that is asked for to a caller's words.
fn wanted(asked: &str) -> Option<Wanted> {
    let lower = asked.to_lowercase();
    let tools = [
        ("press", Wanted { name: "play_keypad_tone", arguments: r##"{"keys":"12#"}"##, said: "I am pressing them." }),
        ("looking for", Wanted { name: "skip_turn", arguments: "{}", said: "" }),
    ];
    tools.into_iter().find(|(word, _)| lower.contains(word)).map(|(_, tool)| tool)
}

/// The names of the tools that a request offers.
pub(super) fn offered(asked: &Value) -> Result<Vec<String>, Unfit> {
    let bad = |code, message: &str| Unfit {
        status: StatusCode::BAD_REQUEST,
        code,
        message: message.to_owned(),
        param: "tools",
    };
    if asked["tools"].as_array().is_some_and(Vec::is_empty) {
        return Err(bad("empty_array", "Invalid 'tools': empty array."));
    }
    let tools = asked["tools"].as_array().into_iter().flatten().map(|tool| {
        let function = &tool["function"];
        let sound = tool["type"] == "function" && function["parameters"]["type"] == "object";
        let name = function["name"].as_str().filter(|_| sound).map(str::to_owned);
        name.ok_or_else(|| bad("invalid_function_parameters", "Invalid schema for function."))
    });
    tools.collect()
}

impl Answer {
    /// What it asks for, if that is offered.
    pub(super) fn tool(&self) -> Option<Wanted> {
        wanted(&self.question.last).filter(|tool| self.question.tools.iter().any(|offered| offered == tool.name))
    }

    /// The pieces in which a tool is asked for.
    pub(super) fn tool_deltas(&self) -> Vec<Vec<u8>> {
        let Some(Wanted { name, arguments, .. }) = self.tool() else { return Vec::new() };
        let (first, rest) = arguments.split_at(1);
        let begun = json!({
            "index": 0, "id": format!("call_{}", self.id), "type": "function",
            "function": {"name": name, "arguments": first},
        });
        [begun, json!({"index": 0, "function": {"arguments": rest}})]
            .map(|fragment| self.delta(json!({"tool_calls": [fragment]}), None))
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_offers_functions_with_parameters_or_nothing_at_all() {
        let tool = |kind: &str| json!({"tools": [{"type": kind, "function": {"name": "a", "parameters": {"type": "object"}}}]});
        assert_eq!(offered(&tool("function")).ok(), Some(vec!["a".to_owned()]));
        assert_eq!(offered(&json!({})).ok(), Some(Vec::new()));
        for wrong in [tool("web_search"), json!({"tools": []}), json!({"tools": [{"type": "function"}]})] {
            assert!(offered(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn some_words_ask_for_a_tool_and_most_do_not() {
        assert_eq!(wanted("Please press one").map(|tool| tool.name), Some("play_keypad_tone"));
        assert_eq!(wanted("I am LOOKING FOR my papers").map(|tool| tool.name), Some("skip_turn"));
        assert_eq!(wanted("Where is my order?"), None);
    }
}
