//! A playbook file as it is written: the tables and keys of the TOML, with their defaults.
//!
//! Only the shape is here. What makes a plan sound is checked in `check`, what it does at a call in the engine.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::line::Line;
use super::phrases::Phrases;
use super::tools::ClientTool;
use crate::endpointing::Spelled;
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
    pub(crate) greeting: Vec<Line>,
    /// Said in its place to a caller whom we know by name: {caller}.
    #[serde(default)]
    pub(crate) returning: Vec<Line>,
    /// Said once the language is chosen, before the next question; the stage is then `welcome`.
    #[serde(default)]
    pub(crate) welcome: Vec<Line>,
    /// A caller whose language we know from an earlier call is not asked for it again.
    #[serde(default)]
    pub(crate) remember_language: bool,
    /// Failed answers in a row, whatever was asked, after which a person takes over; 0 is never.
    #[serde(default)]
    pub(crate) handover_after: u32,
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
    /// What the far end is told while the talk goes on.
    #[serde(default)]
    pub(crate) client_tools: Vec<ClientTool>,
    /// Texts in other languages, by BCP 47 tag: the same keys as above, slots by their names. Made into plans of their own when read.
    #[serde(default)]
    pub(crate) languages: BTreeMap<String, toml::Table>,
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
    /// Money: that question; {heard} is the number. Telephone numbers: asks for the digits that are missing; {heard} are those we have.
    #[serde(default)]
    pub unclear: Option<String>,
    /// An offer rather than a question: "no" and silence decline it, and the talk goes on without an answer. All that is known is read back
    /// before it, so that declining may close the call.
    #[serde(default)]
    pub offer: bool,
    /// The question, in whichever words, has to be heard (a consent, a legal text): nobody's speech and no key stops it, and what is said over it
    /// is answered behind it.
    #[serde(default)]
    pub protected: bool,
    /// What to do on "I don't know".
    #[serde(default)]
    pub unknown: Unknown,
    /// What to do when all reprompts are spent.
    #[serde(default)]
    pub exhausted: Exhausted,
    /// How often the question is put again.
    #[serde(default = "two")]
    pub max_reprompts: u32,
    /// It is dictated piece by piece, and a turn waits for the whole of it: for a number or text slot that is a postal code (`pin`) or an
    /// `address`. Telephone numbers, e-mail addresses, money and dates need no word.
    #[serde(default)]
    pub dictated: Option<Spelled>,
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
    /// With a question where we are not sure of what we heard, else in passing.
    Confidence,
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
    /// Under the policy `confidence`: answers below this (0 to 1) are confirmed with a question.
    pub(crate) sure: f32,
    /// Said after each answer under the policies `each` and `confidence`; {summary} is what was just understood.
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
            sure: 0.75,
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
    /// To a telephone number that lacks digits; {heard} are those we have.
    pub(crate) more: String,
    /// To silence, one after the other, with the open question in other words each time. When the call ends is the agent's setting
    /// (`end_after_silence_seconds`): after three, unless it says otherwise.
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
            more: "I have {heard}. Please go on.".to_owned(),
            silence: lines(&[
                "Are you still there?",
                "Hello? I cannot hear you.",
                "If you can hear me, please say something.",
            ]),
        }
    }
}

/// Last words.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Closing {
    pub(crate) completed: Vec<Line>,
    /// To a caller who wants to go.
    pub(crate) goodbye: Vec<Line>,
    /// Before a person takes over.
    pub(crate) handover: Vec<Line>,
    /// To a caller who is silent.
    pub(crate) silence: Vec<Line>,
    /// When the most turns were taken.
    pub(crate) too_long: Vec<Line>,
}

impl Default for Closing {
    fn default() -> Self {
        Self {
            completed: plain(&["Thank you.", "Goodbye."]),
            goodbye: plain(&["Thank you for your time.", "Goodbye."]),
            handover: plain(&["I will pass you to a colleague.", "One moment, please."]),
            silence: plain(&["I cannot hear you, so I will end the call.", "Goodbye."]),
            too_long: plain(&["I am afraid we have to stop here.", "Thank you.", "Goodbye."]),
        }
    }
}

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

fn plain(lines: &[&str]) -> Vec<Line> {
    lines.iter().map(|say| Line { say: (*say).to_owned(), protected: false }).collect()
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
