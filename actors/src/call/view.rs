//! A live call as others may see it: `/debug/sessions`, tests of supervision.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tandem_domain::ids::{BusinessId, CallId, ConversationId};
use tandem_domain::playbook::stage;
use tandem_domain::transcript::{Line, Role};

use super::State;

/// A live call, for `/debug/sessions` (api-inventory section 6, live state).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SessionView {
    /// Whose it is: nobody else is shown it.
    #[serde(skip)]
    pub business: BusinessId,
    /// The call.
    pub call_id: CallId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// The carrier's id.
    pub call_sid: String,
    /// Carrier.
    pub provider: &'static str,
    /// Agent's name.
    pub agent: String,
    /// Stage of the playbook.
    pub conversation_stage: String,
    /// The conversation as it was heard; `ai` and `user`.
    pub transcript_history: Vec<SessionLine>,
    /// The agent waits for the caller's answer.
    pub waiting_for_response: bool,
    /// Whether the agent's voice is in the caller's ear.
    pub agent_speaking: bool,
    /// Whether the caller is speaking.
    pub caller_speaking: bool,
    /// When the stream started.
    pub started_at: DateTime<Utc>,
    /// When something last happened.
    pub last_interaction_time: DateTime<Utc>,
    /// Parts that died and were started again, by name.
    pub restarts: BTreeMap<&'static str, u32>,
}

/// A line of [`SessionView`], in the inventory's words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SessionLine {
    /// `ai` or `user`.
    pub speaker: &'static str,
    /// What was heard.
    pub text: String,
}

impl From<&Line> for SessionLine {
    fn from(line: &Line) -> Self {
        let speaker = match line.role {
            Role::User => "user",
            Role::Agent => "ai",
            Role::System => "system",
        };
        Self { speaker, text: line.text.clone() }
    }
}

impl State {
    pub(super) fn view(&self) -> SessionView {
        let plan = &self.plan;
        SessionView {
            business: plan.agent.business,
            call_id: plan.call,
            conversation_id: plan.conversation,
            call_sid: plan.start.carrier_call_id.clone(),
            provider: plan.dialect.capabilities().carrier,
            agent: plan.agent.name.clone(),
            conversation_stage: self.core.state().map_or(stage::INTRO, |state| state.stage.as_str()).to_owned(),
            transcript_history: self.core.history().iter().map(SessionLine::from).collect(),
            waiting_for_response: !self.core.agent_speaking() && !self.core.turn_is_open(),
            agent_speaking: self.core.agent_speaking(),
            caller_speaking: self.core.caller_speaking(),
            started_at: plan.started_at,
            last_interaction_time: self.touched,
            restarts: self.restarts.clone(),
        }
    }
}
