//! An agent as a call needs it: who speaks, from which playbook, with which patience.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::admission::Terms;
use crate::agent_version::VersionNumber;
use crate::ids::{AgentId, BusinessId};

mod configured;
mod eagerness;
mod system_tools;

pub use configured::{Identity, keywords};
pub use eagerness::{Eagerness, NoEagerness};
pub use system_tools::SystemTool;

/// Settings of one agent, read once when its call starts; a running call keeps its version.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    /// Row number.
    pub id: AgentId,
    /// Public id.
    pub uuid: uuid::Uuid,
    /// Owner.
    pub business: BusinessId,
    /// Which of its versions this is: the live one when it was read.
    pub version: VersionNumber,
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
    /// What becomes of words that were hardly understood.
    pub uncertainty: Uncertainty,
    /// What is heard under its voice.
    pub ambience: Ambience,
    /// Its calls are recorded where the server records at all (`enable_call_recording`).
    pub recorded: bool,
    /// Which calls it takes, and how many.
    pub terms: Terms,
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
    /// What has to be said before any first words (`disclosure_message`): who calls, that it is a machine, that it records. A sentence of its
    /// own, so that it can be told from what may be interrupted (design.md section 12 item 6).
    pub disclosure: Option<String>,
    /// Which of the switch's tools its model may use (`system_tools`); `None` for those of the server (`SYSTEM_TOOLS`).
    pub system_tools: Option<Vec<SystemTool>>,
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

/// What an agent does about words that were hardly understood (`speech_uncertainty_*`, `low_confidence_*`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Uncertainty {
    /// It asks again instead of answering (`speech_uncertainty_clarity_enabled`).
    pub enabled: bool,
    /// Confidence of the recogniser below which it does, 0 to 1.
    pub threshold: f32,
    /// What it says then; `None` for the line of its language ("Sorry, I didn't catch that.").
    pub message: Option<String>,
}

impl Default for Uncertainty {
    fn default() -> Self {
        Self { enabled: false, threshold: 0.5, message: None }
    }
}

/// What is heard under the agent's voice.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ambience {
    /// Which place it sounds like (`ambience_type`).
    pub kind: AmbienceKind,
    /// How loud, 0 to 1 (`ambience_volume`).
    pub volume: f32,
}

impl Default for Ambience {
    fn default() -> Self {
        Self { kind: AmbienceKind::None, volume: 0.2 }
    }
}

/// A place that an agent may sound like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmbienceKind {
    /// Silence.
    #[default]
    None,
    /// A quiet office.
    Office,
    /// Many agents in one room.
    CallCenter,
    /// Plates and voices.
    Restaurant,
    /// Dance music, far away.
    Salsa,
    /// A hall full of people.
    Concert,
}

impl AmbienceKind {
    /// Reads the stored spelling.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::None),
            "office" => Some(Self::Office),
            "call_center" => Some(Self::CallCenter),
            "restaurant" => Some(Self::Restaurant),
            "salsa" => Some(Self::Salsa),
            "concert" => Some(Self::Concert),
            _ => None,
        }
    }
}

/// Whether a turn waits for the whole of a value that the caller dictates (`spelling_patience`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpellingPatience {
    /// Where such a value was asked for.
    #[default]
    Auto,
    /// Always: also a number that nobody asked for.
    On,
    /// Never.
    Off,
}

impl SpellingPatience {
    /// Reads the stored spelling.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "auto" => Some(Self::Auto),
            "on" => Some(Self::On),
            "off" => Some(Self::Off),
            _ => None,
        }
    }
}

/// No call is longer, whatever its agent says (R8).
pub const LONGEST_CALL: Duration = Duration::from_secs(14_400);

/// How long the agent waits for what. Defaults are design.md section 12 items 4, 5 and 9.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timing {
    /// Silence after which the caller's turn is over (`ENDPOINT_SILENCE_MS` by eagerness: it is counted in already).
    pub endpoint_silence: Duration,
    /// How readily a pause is taken for the end of the turn; stretches what evidence adds to the silence above.
    pub eagerness: Eagerness,
    /// Whether dictated values are waited for.
    pub spelling_patience: SpellingPatience,
    /// A model judges by sound whether a pause ends the turn (`END_OF_TURN_MODEL`).
    pub end_of_turn_model: bool,
    /// The brain is asked before the silence that ends a turn is full (`PREEMPTIVE_GENERATION`).
    pub preemptive_generation: bool,
    /// Caller speech over the agent's that counts as an interruption (`BARGE_IN_MIN_SPEECH_MS`).
    pub barge_in_min_speech: Duration,
    /// A key that the caller presses ends the agent's speech (`INTERRUPT_ON_DTMF`).
    pub interrupt_on_dtmf: bool,
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
            eagerness: Eagerness::NORMAL,
            spelling_patience: SpellingPatience::Auto,
            end_of_turn_model: false,
            preemptive_generation: false,
            barge_in_min_speech: Duration::from_millis(200),
            interrupt_on_dtmf: true,
            turn_after_silence: Duration::from_secs(7),
            end_after_silence: None,
            max_duration: Duration::from_secs(600),
            soft_timeout: Some(Duration::from_millis(1_200)),
            answer_limit: Duration::from_secs(8),
        }
    }
}
