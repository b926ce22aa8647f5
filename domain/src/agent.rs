//! An agent as a call needs it: who speaks, from which playbook, with which patience.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::{AgentId, BusinessId};

/// Settings of one agent, read once when its call starts; a running call keeps its version.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    /// Row number.
    pub id: AgentId,
    /// Public id.
    pub uuid: uuid::Uuid,
    /// Owner.
    pub business: BusinessId,
    /// Unique name within the business, such as `front-desk`.
    pub name: String,
    /// Name of the playbook it runs.
    pub playbook: String,
    /// BCP 47 tag.
    pub language: String,
    /// Voice by the engine's own name; empty for its default.
    pub voice: String,
    /// Names and terms for the recogniser (`asr_keywords`).
    pub asr_keywords: Vec<String>,
    /// First words on an inbound call, in place of the playbook's greeting.
    pub first_message_inbound: Option<String>,
    /// Turn-taking.
    pub timing: Timing,
    /// What it says and knows.
    pub script: Script,
}

/// An agent's own words, as its users wrote them; each may be empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Script {
    /// What a model is told first (`system_prompt`).
    pub system_prompt: String,
    /// How to sell (`sales_script_text`). Its first line is spoken as the greeting, see [`crate::greeting`].
    pub sales_script: String,
    /// Who it speaks for (`business_info`): `company_name`, `greeting` and whatever else is useful to know.
    pub business_info: Map<String, Value>,
    /// What it knows: texts by their names (`knowledge_files`).
    pub knowledge_files: Map<String, Value>,
    /// First words on an outbound call.
    pub first_message_outbound: Option<String>,
}

impl Script {
    /// The first line of the sales script that has words.
    pub fn first_line(&self) -> Option<&str> {
        self.sales_script.lines().map(str::trim).find(|line| !line.is_empty())
    }

    /// A text of the business information, where there is one.
    pub fn info(&self, key: &str) -> Option<&str> {
        self.business_info.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
    }

    /// The company's name, where it is known.
    pub fn company(&self) -> Option<&str> {
        self.info("company_name")
    }
}

/// How long the agent waits for what. Defaults are design.md section 12 items 4, 5 and 9.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timing {
    /// Silence after which the caller's turn is over (`ENDPOINT_SILENCE_MS` by eagerness).
    pub endpoint_silence: Duration,
    /// Caller speech over the agent's that counts as an interruption (`BARGE_IN_MIN_SPEECH_MS`).
    pub barge_in_min_speech: Duration,
    /// First rung of the silence ladder: the agent takes the turn (`turn_after_silence_seconds`).
    pub turn_after_silence: Duration,
    /// Silence after which the call ends (`end_after_silence_seconds`); `None` means after three reprompts.
    pub end_after_silence: Option<Duration>,
    /// Longest call (`max_conversation_duration_seconds`).
    pub max_duration: Duration,
    /// How long the caller waits for an answer before a filler is said (`soft_timeout_seconds`); `None` says none.
    pub soft_timeout: Option<Duration>,
    /// Longest time for a whole answer (`llm_cascade_timeout_seconds`).
    pub answer_limit: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            endpoint_silence: Duration::from_millis(500),
            barge_in_min_speech: Duration::from_millis(200),
            turn_after_silence: Duration::from_secs(7),
            end_after_silence: None,
            max_duration: Duration::from_secs(600),
            soft_timeout: Some(Duration::from_millis(1_200)),
            answer_limit: Duration::from_secs(8),
        }
    }
}
