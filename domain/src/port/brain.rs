//! The brain of an agent: what it answers. Three kinds are interchangeable.
//!
//! A brain keeps nothing between turns: the call core hands it all it may know (`Ask`) and keeps what it returns, so a brain that dies
//! in the middle of a reply costs a repetition of the question to it, never a slot.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::EventStream;
use crate::caller::Arriving;
use crate::greeting::FirstWords;
use crate::ids::TurnId;
pub use crate::playbook::ToolCall;
use crate::playbook::{Decision, PlaybookState};
use crate::transcript::Line;

/// The three kinds of brain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrainKind {
    /// A playbook and its rules; no model.
    Rules,
    /// A language model; text in, text out.
    Model,
    /// Audio in, audio out; has its own turn-taking, so ours is switched off.
    SpeechToSpeech,
}

/// Why the brain is asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// The call begins: say the greeting.
    Open,
    /// The caller said this.
    Heard {
        /// The settled transcript.
        text: String,
        /// 0 to 1, where the recogniser gives one.
        confidence: Option<f32>,
    },
    /// The caller made a sound that could not be understood.
    Unheard,
    /// The caller is silent; `rung` counts from 0 since the last speech.
    Silence {
        /// Which reprompt this is.
        rung: u32,
    },
}

/// All that a brain may know.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The turn that is answered.
    pub turn: TurnId,
    /// Why we ask.
    pub prompt: Prompt,
    /// The playbook's state; `None` before the opening.
    pub state: Option<PlaybookState>,
    /// The conversation as it was heard, oldest first.
    pub history: Arc<[Line]>,
}

/// What a brain answers, in order. The stream ends after the last item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BrainEvent {
    /// A model began to answer. Its first sentence is not whole yet; said again where another model takes over before that.
    FirstToken,
    /// The next sentence to be spoken.
    Say(String),
    /// The sentence that follows has to be heard (a disclosure, a consent): nobody's speech or key stops it. Said before its [`Self::Say`].
    Protect,
    /// The playbook's new state (rules, or a model's accepted proposal).
    State(Box<PlaybookState>),
    /// What shall happen after the reply was heard.
    Decision(Decision),
    /// The far end shall run a tool of its own, where it can. The answer does not wait for it.
    Tool(ToolCall),
    /// The turn stays with the caller, who asked for a moment (the system tool `skip_turn`): nothing is said but what the answer says, and
    /// the silence that follows may last longer than usual. Of no effect in an answer to anything but a turn.
    SkipTurn,
}

/// Why a brain gave no (whole) answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrainError {
    /// The playbook cannot go on from this state.
    #[error("playbook: {0}")]
    Playbook(String),
    /// The model failed.
    #[error("{vendor} failed: {detail}")]
    Failed {
        /// Name of the model's vendor.
        vendor: &'static str,
        /// What happened, for the log.
        detail: String,
    },
}

/// Answers turns in text.
pub trait Brain: Send + Sync {
    /// Which kind this is.
    fn kind(&self) -> BrainKind;

    /// Stable lower-case name, for records and metrics.
    fn name(&self) -> &'static str;

    /// Answers one ask. Dropping the result cancels the work at the vendor. A [`BrainKind::SpeechToSpeech`] brain
    /// answers [`Prompt::Open`] alone here; its audio goes by [`SpeechToSpeech`].
    fn respond(&self, ask: Ask) -> EventStream<BrainEvent, BrainError>;

    /// Words that the caller's next answer probably contains: the recogniser's hints.
    fn hints(&self, state: Option<&PlaybookState>) -> Vec<String> {
        let _ = state;
        Vec::new()
    }

    /// What is known of the caller's answers, as `extracted_data`.
    fn extracted(&self, state: &PlaybookState) -> serde_json::Map<String, serde_json::Value> {
        let _ = state;
        serde_json::Map::new()
    }

    /// The agent's first words in this call, said in the brain's place where it opens with nothing; `None` if it knows of none.
    fn first_words(&self) -> Option<&FirstWords> {
        None
    }

    /// Names in braces in the agent's first words that stand for nothing, each with its place: they are left out, and whoever runs the switch is
    /// told.
    fn unknown_names(&self) -> &[String] {
        &[]
    }

    /// The audio side of a speech-to-speech brain.
    fn speech(&self) -> Option<&dyn SpeechToSpeech> {
        None
    }
}

/// Gives each agent its brain.
pub trait Brains: Send + Sync {
    /// The brain of this agent; an error says what its configuration lacks.
    fn brain(&self, agent: &crate::agent::Agent) -> Result<Arc<dyn Brain>, BrainError>;

    /// The brain for one call of this agent, told what can be found out about it. Answers in a bounded time: what is not found by then is
    /// left out. Where nothing is ever found out, it is [`Self::brain`].
    fn brain_for<'a>(&'a self, agent: &'a crate::agent::Agent, call: Arriving) -> BrainFuture<'a> {
        let _ = call;
        Box::pin(std::future::ready(self.brain(agent)))
    }
}

/// What [`Brains::brain_for`] returns.
pub type BrainFuture<'a> = Pin<Box<dyn Future<Output = Result<Arc<dyn Brain>, BrainError>> + Send + 'a>>;

/// The audio side of a speech-to-speech brain: caller audio in, agent audio and text out.
pub trait SpeechToSpeech: Send + Sync {
    /// Opens the vendor's session. Dropping the result closes it.
    fn converse(&self, ask: Ask, audio: super::stt::SttInputStream) -> EventStream<SpeechEvent, BrainError>;
}

/// What a speech-to-speech session sends.
#[derive(Debug, Clone, PartialEq)]
pub enum SpeechEvent {
    /// Agent audio, linear mono PCM at the switch's rate.
    Audio(Arc<[i16]>),
    /// What the agent says in that audio.
    AgentText(String),
    /// What the vendor understood of the caller.
    CallerText(String),
    /// The vendor's own turn-taking saw an interruption: drop queued audio.
    Interrupted,
    /// The agent's go is over.
    TurnEnded,
}
