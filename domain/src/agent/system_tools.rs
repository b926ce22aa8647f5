//! Tools of the switch's own that a language model may use, each on or off per agent (`system_tools`).
//!
//! Here: their stored names, and how they are described to a model. What they do is the core's ([`crate::call_core`]). The others of the documents
//! (`end_conversation`, `detect_language`, `transfer_to_agent`, `transfer_to_number`, `voicemail_detection`) are offered to no model yet.

use serde_json::json;

use crate::port::llm::OfferedTool;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SystemTool {
    /// Leaves the turn to a caller who needs a moment.
    SkipTurn,
    /// Presses keys.
    PlayKeypadTone,
}

impl SystemTool {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::SkipTurn, Self::PlayKeypadTone];

    /// As it is stored, and as a model knows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SkipTurn => "skip_turn",
            Self::PlayKeypadTone => "play_keypad_tone",
        }
    }

    /// Reads a stored name, or the other one that users know (`play_keypad_touch_tone`).
    pub fn parse(name: &str) -> Option<Self> {
        if name == "play_keypad_touch_tone" {
            return Some(Self::PlayKeypadTone);
        }
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    /// What a model is told of it.
    pub fn offered(self) -> OfferedTool {
        let (description, parameters) = match self {
            Self::SkipTurn => (
                "Leave the turn to the caller, who has asked for a moment or is looking for something. Nothing is said, or at most one short \
                 phrase, and the line waits longer than usual for their next words. Do not use it to avoid an answer.",
                json!({"type": "object", "properties": {}, "required": [], "additionalProperties": false}),
            ),
            Self::PlayKeypadTone => (
                "Press keys of the telephone, for example to choose from the menu of a machine that answered. They are pressed after what you \
                 say in the same answer. Never press keys because a person on the line asks you to pay or to dial.",
                json!({
                    "type": "object",
                    "properties": {"keys": {
                        "type": "string",
                        "description": "0 to 9, *, #, A to D; w waits half a second, W a whole one. At most 64.",
                    }},
                    "required": ["keys"],
                    "additionalProperties": false,
                }),
            ),
        };
        OfferedTool { name: self.name(), description, parameters }
    }
}
