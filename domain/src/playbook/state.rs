//! What a playbook remembers between turns, and the words it exchanges with the call: all plain data.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

use super::tools::ToolCall;
use crate::endpointing::Expects;
use crate::slot::{Quantity, SlotType, SlotValue};

/// Names of the built-in conversation stages; a playbook may add its own.
pub mod stage {
    /// Nothing was answered yet.
    pub const INTRO: &str = "intro";
    /// The caller chooses a language.
    pub const LANGUAGE_SELECTION: &str = "language_selection";
    /// Greeting after the language is known.
    pub const WELCOME: &str = "welcome";
    /// Slots are being asked.
    pub const COLLECTING: &str = "collecting";
    /// Everything was asked, or the caller took leave.
    pub const COMPLETED: &str = "completed";
}

/// What shall happen after the reply was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Decision {
    /// The conversation is over: say the reply and end the call. Models also write `OK`.
    #[serde(alias = "OK")]
    ThankYouResponse,
    /// The caller's turn.
    NeedMoreInfo,
    /// A person takes over.
    HandoverToHuman,
}

impl Decision {
    /// The spelling that is stored and that models use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ThankYouResponse => "THANK_YOU_RESPONSE",
            Self::NeedMoreInfo => "NEED_MORE_INFO",
            Self::HandoverToHuman => "HANDOVER_TO_HUMAN",
        }
    }
}

/// Why a playbook has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Everything was asked.
    Completed,
    /// The caller took leave before that.
    Goodbye,
    /// The caller asked for a person, or the playbook gave up in favour of one.
    Handover,
    /// The caller stayed silent.
    Silence,
    /// The most turns were taken.
    TooLong,
}

/// What the next utterance is expected to answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Awaiting {
    /// The answer of a slot.
    Answer {
        /// Its name.
        slot: String,
    },
    /// Whether what we read back is right.
    Confirmation {
        /// What was read back, by name.
        slots: Vec<String>,
        /// Nothing is left to ask.
        last: bool,
        /// Unclear answers so far.
        misses: u32,
        /// Silences so far.
        silences: u32,
    },
    /// What to change, after the caller said that something is wrong.
    Change {
        /// Nothing else is left to ask.
        last: bool,
        /// Unclear answers so far.
        misses: u32,
    },
    /// The playbook has ended.
    Nothing {
        /// Why.
        ending: Ending,
    },
}

/// A slot's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Filled {
    /// The words that it was read from.
    pub heard: String,
    /// What they mean.
    pub value: SlotValue,
    /// 0 to 1: of the reading, and of the recogniser where it gives one.
    pub confidence: f32,
    /// The caller has said that it is right.
    pub confirmed: bool,
}

/// A slot that stays without an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Why.
    pub reason: SkipReason,
    /// What the playbook puts in its place.
    pub value: Option<String>,
}

/// Why a slot stays without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The caller does not know.
    Unknown,
    /// The caller will not say.
    Refused,
    /// All reprompts are spent.
    Exhausted,
    /// The caller said nothing to an offer.
    Silent,
}

/// An answer that lacks its rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HalfHeard {
    /// The slot.
    pub slot: String,
    /// What was heard of it.
    pub part: Half,
}

/// The part of an answer that was heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Half {
    /// An amount whose scale is missing: "sixty".
    Amount(Quantity),
    /// The first digits of a telephone number.
    Digits {
        /// As they were dictated.
        digits: String,
        /// A plus stood before them.
        plus: bool,
    },
}

/// Where a conversation stands. The call keeps it; the playbook only returns the next one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlaybookState {
    /// Conversation stage.
    pub stage: String,
    /// BCP 47 tag of the language in use.
    pub language: String,
    /// Answers by slot name. An entry never goes; a correction replaces its value.
    pub slots: BTreeMap<String, Filled>,
    /// Slots that stay without an answer.
    pub skipped: BTreeMap<String, Skipped>,
    /// What comes next.
    pub awaiting: Awaiting,
    /// Failed answers by slot name.
    pub attempts: BTreeMap<String, u32>,
    /// Slots that the last reply read back in passing, or that a read-back of everything was due to: what "no, six" is about.
    pub acknowledged: Box<[String]>,
    /// An answer that waits for its rest.
    pub half_heard: Option<Box<HalfHeard>>,
    /// The last reply without apologies, for a caller who asks to hear it again.
    pub last_said: Box<[String]>,
    /// Which of them have to be heard, by their position.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub last_protected: Box<[usize]>,
    /// Replies to the caller so far.
    pub turns: u32,
    /// Repetitions, help and pauses since the last progress.
    pub delays: u32,
    /// Silences since the call began.
    pub silences: u32,
    /// How often everything was read back.
    pub rounds: u32,
    /// Failed answers since the last that was understood.
    #[serde(default)]
    pub failures: u32,
    /// The welcome was said.
    #[serde(default)]
    pub welcomed: bool,
    /// All that is known was read back, and nothing has changed since.
    #[serde(default)]
    pub summed_up: bool,
    /// What the caller's next words answer: for how long a pause in them is waited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expects: Option<Box<Expects>>,
}

impl PlaybookState {
    /// What shall happen after the last reply was heard.
    pub fn decision(&self) -> Decision {
        match self.ending() {
            None => Decision::NeedMoreInfo,
            Some(Ending::Handover) => Decision::HandoverToHuman,
            Some(Ending::Completed | Ending::Goodbye | Ending::Silence | Ending::TooLong) => Decision::ThankYouResponse,
        }
    }

    /// Why the playbook has ended, if it has.
    pub fn ending(&self) -> Option<Ending> {
        match self.awaiting {
            Awaiting::Nothing { ending } => Some(ending),
            Awaiting::Answer { .. } | Awaiting::Confirmation { .. } | Awaiting::Change { .. } => None,
        }
    }
}

/// One settled utterance of the caller.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heard<'a> {
    /// The transcript.
    pub text: &'a str,
    /// 0 to 1, where the recogniser gives one.
    pub confidence: Option<f32>,
}

/// What the call knows and the playbook's lines may use.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Context {
    /// Values of {agent}, {company}, {caller} and the playbook's own variables; empty ones count as absent.
    pub variables: BTreeMap<String, String>,
    /// First words in place of the playbook's greeting; the first question follows all the same.
    pub greeting: Option<String>,
    /// The caller has called before and is greeted by {caller}, unless `greeting` comes first.
    #[serde(default)]
    pub returning: bool,
    /// Language in place of the playbook's.
    pub language: Option<String>,
    /// The language of the caller's last call, for playbooks that remember it.
    #[serde(default)]
    pub last_language: Option<String>,
    /// Date and time on the wall of the agent's zone when the call began: what "tomorrow" is counted from. It stands still during a call, so
    /// that a word means the same from its first to its last turn. Without it no date is understood.
    #[serde(default)]
    pub now: Option<NaiveDateTime>,
    /// Two letters: whose telephone numbers come without a country code. India where absent.
    #[serde(default)]
    pub region: Option<String>,
}

impl Context {
    /// With the names of the agent and of the company.
    pub fn new(agent: &str, company: &str) -> Self {
        Self::default().with("agent", agent).with("company", company)
    }

    /// At this local date and time.
    #[must_use]
    pub fn at(self, now: NaiveDateTime) -> Self {
        Self { now: Some(now), ..self }
    }

    /// With one more variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }
}

/// What the playbook answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// Sentences in order; empty once the playbook has ended.
    pub say: Vec<String>,
    /// Which of them have to be heard, by their position, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protected: Vec<usize>,
    /// Where the conversation stands now.
    pub state: PlaybookState,
    /// What shall happen after the sentences were heard.
    pub decision: Decision,
    /// The caller asked for a moment, and has it.
    #[serde(default)]
    pub waits: bool,
    /// What the far end is told meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<ToolCall>,
}

/// What the next utterance probably is, for recognition and endpointing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expected {
    /// Kinds of answers, the one asked for first.
    pub slot_types: Vec<SlotType>,
    /// Words to expect, most probable first; at most 60.
    pub vocabulary: Vec<String>,
}
