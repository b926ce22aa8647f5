//! Tools: those that the far end runs for us, asked for, answered or given up, and the keypad, which is our own. The conversation does not wait
//! for them.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{CallCore, Effect};
use crate::port::brain::ToolCall;
use crate::port::dialect::Notice;

/// A tool that has not answered after this has failed.
const TOOL_LIMIT: Duration = Duration::from_secs(20);
/// Tools that may run at once.
const MOST_TOOLS: usize = 16;
/// Characters of a result that the timeline keeps.
const RESULT_CHARS: usize = 500;

/// The tool that presses keys, by its name and by the one that others give it.
const KEYPAD: [&str; 2] = ["play_keypad_tone", "play_keypad_touch_tone"];
/// Its parameter, by both.
const KEYPAD_KEYS: [&str; 2] = ["keys", "dtmf_tones"];

/// A tool that runs.
#[derive(Debug, Clone)]
pub(super) struct Running {
    id: String,
    name: String,
    deadline: Instant,
}

/// The tools of one call.
#[derive(Debug, Default)]
pub(super) struct Tools {
    running: Vec<Running>,
    /// Calls made so far: the next one's number.
    made: u32,
    /// What the present answer has asked for: a brain that is asked again says it again.
    asked: Vec<ToolCall>,
}

impl Tools {
    /// Another answer begins.
    pub(super) fn next_answer(&mut self) {
        self.asked.clear();
    }

    /// Whether the present answer has pressed keys, or wanted to: it may say nothing.
    pub(super) fn pressed(&self) -> bool {
        self.asked.iter().any(|call| KEYPAD.contains(&call.name.as_str()))
    }

    /// When the oldest is to be given up.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.running.iter().map(|tool| tool.deadline).min()
    }
}

impl CallCore {
    /// The brain wants a tool run.
    pub(super) fn tool(&mut self, now: Instant, call: ToolCall) {
        if self.tools.asked.contains(&call) {
            return;
        }
        self.tools.asked.push(call.clone());
        self.note_event("tool_call", format!("{} {}", call.name, Value::Object(call.parameters.clone())));
        if KEYPAD.contains(&call.name.as_str()) {
            let keys = KEYPAD_KEYS.iter().find_map(|key| call.parameters.get(*key)).and_then(Value::as_str);
            return match keys.filter(|keys| !keys.is_empty()) {
                Some(keys) => self.effects.push_back(Effect::Press(keys.to_owned())),
                None => self.note_event("tool_refused", format!("{}: name the keys to press in \"keys\"", call.name)),
            };
        }
        if !self.screen {
            return self.note_event("tool_unavailable", call.name);
        }
        if self.tools.running.len() >= MOST_TOOLS {
            return self.note_event("tool_refused", format!("{}: {MOST_TOOLS} tools run already", call.name));
        }
        self.tools.made += 1;
        let id = format!("tool_{}", self.tools.made);
        self.tools.running.push(Running { id: id.clone(), name: call.name.clone(), deadline: now + TOOL_LIMIT });
        self.show(|| Notice::ToolCall { id, call });
    }

    /// The far end has run a tool. A result that nobody waits for (any more) says nothing.
    pub(super) fn tool_result(&mut self, id: &str, result: &str, is_error: bool) {
        let Some(index) = self.tools.running.iter().position(|tool| tool.id == id) else { return };
        let Running { id, name, .. } = self.tools.running.remove(index);
        let result: String = result.chars().take(RESULT_CHARS).collect();
        self.note_event(if is_error { "tool_error" } else { "tool_result" }, format!("{name}: {result}"));
        self.show(|| Notice::ToolDone { id, name, is_error, answered: true });
    }

    /// Gives up the tools that have not answered in time.
    pub(super) fn tools_overdue(&mut self, now: Instant) {
        while let Some(index) = self.tools.running.iter().position(|tool| now >= tool.deadline) {
            let Running { id, name, .. } = self.tools.running.remove(index);
            self.note_event("tool_error", format!("{name}: no answer within {} s", TOOL_LIMIT.as_secs()));
            self.show(|| Notice::ToolDone { id, name, is_error: true, answered: false });
        }
    }
}
