//! Tools of the far end: what a page or an app is told while its caller talks, so that it can show a form filling or close a window.
//!
//! ```toml
//! [[client_tools]]
//! name = "show_answer"
//! when = "slot_filled"      # an answer came, or was corrected
//! slot = "budget"           # only this one; any if absent
//!
//! [[client_tools]]
//! name = "close_form"
//! when = "completed"        # everything was asked
//! ```
//!
//! Nothing is awaited: a playbook does not depend on what the far end does with it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Playbook;
use super::state::{Ending, PlaybookState};

/// A tool of the far end, as the file names it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientTool {
    pub(crate) name: String,
    pub(crate) when: When,
    #[serde(default)]
    pub(crate) slot: Option<String>,
}

/// When it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum When {
    SlotFilled,
    Completed,
}

/// One call of a tool.
///
/// On `slot_filled` the parameters are `{"slot": name, "value": …}` with the slot's own keys beside them, on `completed` the whole
/// `extracted_data`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The tool's name.
    pub name: String,
    /// Plain JSON.
    pub parameters: Map<String, Value>,
}

impl Playbook {
    /// The calls that lead from one state to the next, in the order of the file and then of the slots.
    pub(super) fn tool_calls(&self, before: &PlaybookState, after: &PlaybookState) -> Vec<ToolCall> {
        let mut calls = Vec::new();
        for tool in &self.plan.client_tools {
            match tool.when {
                When::SlotFilled => {
                    let wanted =
                        self.slots().iter().filter(|spec| tool.slot.as_ref().is_none_or(|slot| *slot == spec.name));
                    for spec in wanted {
                        let value =
                            |state: &PlaybookState| state.slots.get(&spec.name).map(|filled| filled.value.clone());
                        let Some(new) = value(after).filter(|new| value(before).as_ref() != Some(new)) else {
                            continue;
                        };
                        let mut parameters = Map::new();
                        new.extract(&spec.name, &mut parameters);
                        let plain = parameters.get(&spec.name).cloned().unwrap_or_default();
                        parameters.insert("slot".to_owned(), Value::from(spec.name.as_str()));
                        parameters.insert("value".to_owned(), plain);
                        calls.push(ToolCall { name: tool.name.clone(), parameters });
                    }
                }
                When::Completed => {
                    if before.ending().is_none() && after.ending() == Some(Ending::Completed) {
                        calls.push(ToolCall { name: tool.name.clone(), parameters: self.extracted_data(after) });
                    }
                }
            }
        }
        calls
    }
}
