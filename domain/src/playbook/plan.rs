//! A playbook file as it is written: the tables and keys of the TOML, with their defaults.
//!
//! Only the shape is here. What makes a plan sound is checked in `check`, what it does at a call in the engine.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::slot::{Currency, SlotType, Term};

/// Everything a playbook file may say. Unknown keys are refused.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    pub(crate) name: String,
    pub(crate) title: String,
    #[serde(default = "english")]
    pub(crate) language: String,
    /// Conversation stages in their order: the first is the opening, `completed` must be among them.
    #[serde(default = "usual_stages")]
    pub(crate) stages: Vec<String>,
    /// Said before the first question.
    pub(crate) greeting: Vec<String>,
    /// Replies after which the call is closed, whatever was reached.
    #[serde(default = "forty")]
    pub(crate) max_turns: u32,
    /// Below this confidence (0 to 1) an utterance that says nothing we know counts as not heard.
    #[serde(default = "a_third")]
    pub(crate) least_confidence: f32,
    /// Defaults of the variables that lines may use besides {agent}, {company} and {caller}.
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) lines: Lines,
    #[serde(default)]
    pub(crate) closing: Closing,
    #[serde(default)]
    pub(crate) confirmation: Confirmation,
    #[serde(default)]
    pub(crate) phrases: Phrases,
    pub(crate) slots: Vec<SlotSpec>,
}

/// One thing to be learned from the caller.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotSpec {
    /// Key in `extracted_data`: lower case letters, digits and underscores.
    pub name: String,
    /// What kind of answer it takes.
    #[serde(rename = "type")]
    pub kind: SlotType,
    /// The question.
    pub prompt: String,
    /// The question in other words, for the second and third time.
    #[serde(default)]
    pub reprompts: Vec<String>,
    /// What to say to a caller who asks what to answer; the next reprompt if absent.
    #[serde(default)]
    pub help: Option<String>,
    /// The answer inside a sentence: `in {value}`, `{a_value}` with an article. Empty: never read back.
    #[serde(default)]
    pub read_back: String,
    /// The playbook is incomplete without it.
    #[serde(default = "yes")]
    pub required: bool,
    /// Answers of a choice; additional places of a place slot.
    #[serde(default)]
    pub vocabulary: Vec<Term>,
    /// Answers to suggest to a recogniser.
    #[serde(default)]
    pub examples: Vec<String>,
    /// Words by which callers name the slot ("price"); its own name always does.
    #[serde(default)]
    pub cues: Vec<String>,
    /// Words after a number that make it this slot's without being asked ("bedrooms").
    #[serde(default)]
    pub units: Vec<String>,
    /// Money: the currency where the caller names none.
    #[serde(default)]
    pub currency: Currency,
    /// Money: a bare number below this, in major units, lacks its scale and is asked about.
    #[serde(default)]
    pub least: u32,
    /// Money: that question; {heard} is the number.
    #[serde(default)]
    pub unclear: Option<String>,
    /// What to do on "I don't know".
    #[serde(default)]
    pub unknown: Unknown,
    /// What to do when all reprompts are spent.
    #[serde(default)]
    pub exhausted: Exhausted,
    /// How often the question is put again.
    #[serde(default = "two")]
    pub max_reprompts: u32,
    /// Stage while it is asked; `collecting` if absent. A slot of the stage `language_selection` sets the call's language.
    #[serde(default)]
    pub stage: Option<String>,
}

/// What to do on "I don't know".
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// Put the question once more, then go on without an answer.
    #[default]
    AskOnceMore,
    /// Go on; the text, if not empty, stands for the answer.
    Skip(String),
    /// Pass the caller to a person.
    HandOver,
}

/// What to do when all reprompts are spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exhausted {
    /// Go on without an answer.
    #[default]
    Skip,
    /// Pass the caller to a person.
    HandOver,
}

/// When answers are confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Policy {
    /// Each answer, as soon as it is given, with a question.
    Each,
    /// Each in passing, before the next question, and all of them at the end.
    #[default]
    End,
    /// In passing only.
    None,
}

/// The answer that means "all is right" to the closing question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SettledBy {
    /// "Is that right?"
    #[default]
    Yes,
    /// "Would you like to change anything?"
    No,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Confirmation {
    pub(crate) policy: Policy,
    /// Said after each answer under the policy `each`; {summary} is what was just understood.
    pub(crate) each: Vec<String>,
    /// Said at the end; {summary} is all that was understood. Its last line is the question.
    pub(crate) end: Vec<String>,
    pub(crate) settled_by: SettledBy,
    /// How often the question is put again after an unclear answer.
    pub(crate) reprompts: u32,
    /// How often it is put again after silence; then the call closes with what it has.
    pub(crate) silent_reprompts: u32,
    /// How often all is read back, at most.
    pub(crate) rounds: u32,
}

impl Default for Confirmation {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            each: lines(&["{summary}.", "Is that right?"]),
            end: lines(&["So that is {summary}.", "Is that right?"]),
            settled_by: SettledBy::default(),
            reprompts: 1,
            silent_reprompts: 1,
            rounds: 4,
        }
    }
}

/// Short lines for what happens in any call.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Lines {
    /// Speech that says nothing we know.
    pub(crate) unclear: String,
    /// Sound without words.
    pub(crate) unheard: String,
    /// Before reading back a corrected answer.
    pub(crate) corrected: String,
    /// Before going on without an answer.
    pub(crate) skipped: String,
    /// To "hold on".
    pub(crate) wait: String,
    /// To a caller who says that something is wrong.
    pub(crate) change: String,
    /// To silence, one after the other; then the call ends.
    pub(crate) silence: Vec<String>,
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            unclear: "Sorry, I did not get that.".to_owned(),
            unheard: "Sorry, I did not hear you.".to_owned(),
            corrected: "All right.".to_owned(),
            skipped: "No problem.".to_owned(),
            wait: "Take your time.".to_owned(),
            change: "What would you like to change?".to_owned(),
            silence: lines(&["Are you still there?", "Hello? I cannot hear you."]),
        }
    }
}

/// Last words.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Closing {
    pub(crate) completed: Vec<String>,
    /// To a caller who wants to go.
    pub(crate) goodbye: Vec<String>,
    /// Before a person takes over.
    pub(crate) handover: Vec<String>,
    /// To a caller who is silent.
    pub(crate) silence: Vec<String>,
    /// When the most turns were taken.
    pub(crate) too_long: Vec<String>,
}

impl Default for Closing {
    fn default() -> Self {
        Self {
            completed: lines(&["Thank you.", "Goodbye."]),
            goodbye: lines(&["Thank you for your time.", "Goodbye."]),
            handover: lines(&["I will pass you to a colleague.", "One moment, please."]),
            silence: lines(&["I cannot hear you, so I will end the call.", "Goodbye."]),
            too_long: lines(&["I am afraid we have to stop here.", "Thank you.", "Goodbye."]),
        }
    }
}

/// What callers say that is no answer. Notation: words in order, `|` for alternatives, up to three other words between.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Phrases {
    pub(crate) handover: Vec<String>,
    pub(crate) repeat: Vec<String>,
    pub(crate) help: Vec<String>,
    pub(crate) wait: Vec<String>,
    pub(crate) unknown: Vec<String>,
    pub(crate) refuse: Vec<String>,
    pub(crate) goodbye: Vec<String>,
    /// Besides the words that always take something back ("no", "actually", "sorry").
    pub(crate) correction: Vec<String>,
}

impl Default for Phrases {
    fn default() -> Self {
        Self {
            handover: lines(&[
                "speak|talk|connect|transfer|put person|human|someone|somebody|agent|representative|manager|executive|operator|advisor|staff",
                "real|live|actual person|human|agent",
                "customer care|service|support",
                "human please",
            ]),
            repeat: lines(&[
                "repeat",
                "say again",
                "come again",
                "once more|again please",
                "pardon",
                "what did you say",
                "what was that|question",
                "didnt|cant|couldnt hear|catch|understand|follow",
                "hello hello",
            ]),
            help: lines(&[
                "help me",
                "what options|choices",
                "what can|should|do i say|answer",
                "what do you mean|have",
                "which options",
            ]),
            wait: lines(&[
                "hold on|please",
                "one|a|just minute|second|moment|sec",
                "give me minute|second|moment",
                "let me think|check|see",
                "ek minute|minit",
            ]),
            unknown: lines(&[
                "dont know",
                "do not know",
                "no idea",
                "not sure",
                "not decided",
                "havent|not decided|thought",
                "dont have budget|preference|idea",
                "no preference|budget|limit",
                "anything",
                "anywhere",
                "any place|type|kind|area|city",
                "doesnt matter",
                "does not matter",
                "you suggest|decide|choose",
                "pata nahi",
                "cant|cannot say",
            ]),
            refuse: lines(&[
                "rather not",
                "not tell|share|disclose|comfortable",
                "dont|wont want|wish tell|share|say|disclose|answer",
                "wont tell|share|say",
                "none of your",
                "skip|next this|it|question|that",
                "skip",
                "why do you need|ask|want",
            ]),
            goodbye: lines(&[
                "bye",
                "goodbye",
                "good bye",
                "not interested",
                "no interest",
                "dont call",
                "stop calling",
                "wrong number",
                "hang up",
                "remove|take me my list|number",
                "have to go",
                "call later|back",
                "im busy",
                "am busy",
            ]),
            correction: lines(&[
                "i said|meant|mean",
                "make it",
                "change",
                "not that",
                "correct it|that|the",
                "different",
            ]),
        }
    }
}

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

fn english() -> String {
    "en".to_owned()
}

fn usual_stages() -> Vec<String> {
    lines(&["intro", "collecting", "completed"])
}

fn forty() -> u32 {
    40
}

fn a_third() -> f32 {
    0.35
}

fn two() -> u32 {
    2
}

fn yes() -> bool {
    true
}
