//! The call's records: what the core notes, with ids, names and the wall clock added.

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use tandem_domain::call_core::Note;
use tandem_domain::playbook::Decision;
use tandem_domain::record::{
    AgentResponse, CallEnded, CallStarted, EndReason, Progress, Record, TimelineEvent, UserTurn,
};

use super::plan::Plan;
use crate::{clock, metrics as meter};

/// Stands for the recogniser of a turn that was typed.
const TYPED: &str = "typed";

impl Plan {
    /// The first record.
    pub(super) fn started(&self) -> Record {
        Record::Started(CallStarted {
            call: self.call,
            conversation: self.conversation,
            business: self.agent.business,
            agent: Some(self.agent.id),
            agent_version: Some(self.agent.version),
            call_sid: self.start.carrier_call_id.clone(),
            stream_sid: self.start.stream_id.clone(),
            provider: self.dialect.capabilities().carrier.to_owned(),
            direction: self.direction,
            from: self.start.from.clone(),
            to: self.start.to.clone(),
            parameters: self.start.parameters.clone(),
            at: self.started_at,
        })
    }

    /// A record of what the core notes; `number` counts the call's notes from 1.
    pub(super) fn note(&self, number: u32, note: Note) -> Record {
        let (conversation, business) = (self.conversation, self.agent.business);
        match note {
            Note::UserTurn(turn) => Record::UserTurn(UserTurn {
                conversation,
                business,
                turn: turn.turn,
                text: turn.text,
                language: Some(self.agent.language.clone()),
                stt_provider: if turn.typed { TYPED } else { self.stt.name() }.to_owned(),
                confidence: turn.confidence,
                at: self.wall(turn.began),
            }),
            Note::AgentResponse(response) => Record::AgentResponse(AgentResponse {
                conversation,
                business,
                utterance: response.utterance,
                turn: response.turn,
                text: response.text,
                heard: response.heard,
                interrupted: response.interrupted,
                llm_provider: self.brain.name().to_owned(),
                tts_provider: self.tts.name().to_owned(),
                voice: self.agent.voice.clone(),
                language: self.agent.language.clone(),
                latency: response.latency,
                stages: response.stages,
                at: self.wall(response.at),
            }),
            Note::Progress(state) => Record::Progress(Progress {
                conversation,
                business,
                revision: number,
                stage: state.stage.clone(),
                extracted: self.brain.extracted(&state),
            }),
            Note::Event { kind, detail } => {
                if kind == "silence" {
                    metrics::counter!(meter::SILENCE_EVENTS, "kind" => "reprompt").increment(1);
                }
                Record::Event(TimelineEvent {
                    call: self.call,
                    business,
                    index: number,
                    since_start: clock::now().saturating_duration_since(self.started),
                    kind,
                    data: serde_json::json!({ "detail": detail }),
                })
            }
        }
    }

    /// The last record.
    pub(super) fn ended(&self, now: Instant, reason: EndReason, outcome: Option<Decision>) -> Record {
        let detail = match &reason {
            EndReason::Breach(breach) => breach.to_string(),
            EndReason::PartFailed(part) => format!("{part} failed too often"),
            _ => String::new(),
        };
        // A caller who went silent said goodbye to nobody, whatever the playbook did then.
        let outcome = if reason == EndReason::Silence { Some(Decision::NeedMoreInfo) } else { outcome };
        Record::Ended(CallEnded {
            call: self.call,
            business: self.agent.business,
            reason,
            detail,
            duration: now.saturating_duration_since(self.started),
            outcome,
            at: clock::utc(),
        })
    }

    /// The wall-clock time of an instant of this call.
    fn wall(&self, at: Instant) -> DateTime<Utc> {
        let since = at.saturating_duration_since(self.started);
        self.started_at + TimeDelta::from_std(since).unwrap_or_default()
    }
}
