//! What a page has shown, and whether it makes sense.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::wire::{Correction, FromSwitch, Latency, Part, PartKind, Response, ToolCall, ToolResponse, Violation};

/// Scores in any second; five are promised, and one may slip over the border.
const MOST_SCORES: usize = 6;
/// What rounding the parts of a latency to whole ms may cost.
const ROUNDING_MS: u64 = 4;

/// Everything that a page has shown.
#[derive(Debug, Default)]
pub struct Seen {
    /// The caller's turns by event id, as they stand.
    pub caller: BTreeMap<u64, String>,
    /// Transcripts that were tentative, in order.
    pub tentative: Vec<String>,
    /// The agent's answers by event id, corrected where less was heard.
    pub agent: BTreeMap<u64, String>,
    /// Answers that were corrected.
    pub corrections: u32,
    /// Interruptions.
    pub interruptions: u32,
    /// Pings answered.
    pub pings: u32,
    /// Latencies of answers in ms, by event id.
    pub latencies: BTreeMap<u64, u64>,
    /// Tools by call id: the name, and whether they were settled without an error.
    pub tools: BTreeMap<String, (String, Option<bool>)>,
    /// Why the talk ended.
    pub ended: Option<String>,
    /// Answers that are being made.
    parts: BTreeMap<u64, String>,
    /// The finished answers, as they were made.
    made: BTreeMap<u64, String>,
    scores: VecDeque<Instant>,
}

impl Seen {
    pub(super) fn show(&mut self, now: Instant, event: FromSwitch) -> Result<(), Violation> {
        match event {
            FromSwitch::UserTranscript(said) => {
                let event_id = said.event_id;
                if said.user_transcript.is_empty() {
                    return Err(Violation::Words { what: "a transcript without words", event_id });
                }
                self.caller.insert(event_id, said.user_transcript);
                Ok(())
            }
            FromSwitch::TentativeUserTranscript(said) => {
                self.tentative.push(said.user_transcript);
                Ok(())
            }
            FromSwitch::AgentChatResponsePart(part) => self.part(part),
            FromSwitch::AgentResponse(response) => self.response(response),
            FromSwitch::AgentResponseCorrection(correction) => self.correction(correction),
            FromSwitch::VadScore(score) => self.score(now, score.vad_score),
            FromSwitch::TurnLatency(latency) => self.latency(&latency),
            FromSwitch::AgentToolResponse(response) => self.tool_settled(response),
            FromSwitch::ConversationEnded(ended) => {
                self.ended = Some(ended.reason);
                Ok(())
            }
            FromSwitch::ConversationInitiationMetadata(_)
            | FromSwitch::Audio(_)
            | FromSwitch::Interruption(_)
            | FromSwitch::Ping(_)
            | FromSwitch::ClientToolCall(_) => Ok(()), // the page's own affair
        }
    }

    fn part(&mut self, Part { text, kind, event_id }: Part) -> Result<(), Violation> {
        let wrong = |what| Err(Violation::Words { what, event_id });
        match (kind, self.parts.get_mut(&event_id)) {
            (PartKind::Start, Some(_)) => wrong("an answer that begins twice"),
            (PartKind::Start, None) => {
                self.parts.insert(event_id, text);
                Ok(())
            }
            (PartKind::Delta | PartKind::Stop, None) => wrong("a part of an answer that has not begun"),
            (PartKind::Delta | PartKind::Stop, Some(parts)) => {
                parts.push_str(&text);
                Ok(())
            }
        }
    }

    fn response(&mut self, Response { agent_response, event_id }: Response) -> Result<(), Violation> {
        let wrong = |what| Err(Violation::Words { what, event_id });
        if self.parts.get(&event_id) != Some(&agent_response) {
            return wrong("an answer whose parts are another");
        }
        if self.made.insert(event_id, agent_response.clone()).is_some() {
            return wrong("an answer given twice");
        }
        self.agent.insert(event_id, agent_response);
        Ok(())
    }

    fn correction(&mut self, correction: Correction) -> Result<(), Violation> {
        let Correction { original_agent_response: original, corrected_agent_response: heard, event_id } = correction;
        let wrong = |what| Err(Violation::Words { what, event_id });
        if self.made.get(&event_id) != Some(&original) {
            return wrong("a correction of an answer that was not given");
        }
        if heard == original || !original.starts_with(&heard) {
            return wrong("a correction to something else than its beginning");
        }
        self.corrections += 1;
        self.agent.insert(event_id, heard);
        Ok(())
    }

    fn score(&mut self, now: Instant, score: f64) -> Result<(), Violation> {
        if !(0.0..=1.0).contains(&score) {
            return Err(Violation::Score { why: format!("{score} is not between 0 and 1") });
        }
        self.scores.push_back(now);
        self.scores.retain(|at| now.saturating_duration_since(*at) < Duration::from_secs(1));
        // What the network held back comes at once, so only a lasting excess counts.
        match self.scores.len() {
            many if many > 2 * MOST_SCORES => Err(Violation::Score { why: format!("{many} in a second") }),
            _ => Ok(()),
        }
    }

    fn latency(&mut self, Latency { event_id, total_ms, stages }: &Latency) -> Result<(), Violation> {
        let parts_ms = stages.sum();
        if total_ms.abs_diff(parts_ms) > ROUNDING_MS {
            return Err(Violation::Latency { total_ms: *total_ms, parts_ms });
        }
        self.latencies.insert(*event_id, *total_ms);
        Ok(())
    }

    pub(super) fn tool_called(&mut self, call: ToolCall) -> Result<(), Violation> {
        let ToolCall { tool_name, tool_call_id: id, .. } = call;
        match self.tools.insert(id.clone(), (tool_name, None)) {
            Some(_) => Err(Violation::Tool { id, why: "is there twice" }),
            None => Ok(()),
        }
    }

    fn tool_settled(&mut self, response: ToolResponse) -> Result<(), Violation> {
        let ToolResponse { tool_name, tool_call_id: id, tool_type, is_error, .. } = response;
        let wrong = |why| Err(Violation::Tool { id: id.clone(), why });
        match self.tools.get_mut(&id) {
            None => wrong("was never made"),
            Some((_, Some(_))) => wrong("is settled twice"),
            Some((name, _)) if *name != tool_name || tool_type != "client" => wrong("is settled for another tool"),
            Some((_, settled)) => {
                *settled = Some(!is_error);
                Ok(())
            }
        }
    }
}
