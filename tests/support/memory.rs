//! A store that is a list in memory: what calls leave behind, in the order they left it.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use serde_json::{Map, Value};
use tandem_domain::agent::{Agent, Timing};
use tandem_domain::brain::RulesBrain;
use tandem_domain::caller::{Arriving, CallFacts};
use tandem_domain::ids::{AgentId, BusinessId, CallId, ConversationId};
use tandem_domain::playbook::Playbook;
use tandem_domain::port::brain::{Brain, BrainError, BrainFuture, Brains};
use tandem_domain::port::store::{AgentStore, CallLog, RowKey, StoreFuture};
use tandem_domain::record::{AgentResponse, CallEnded, Record, TimelineEvent, Usage, UserTurn};

/// One agent, who answers everything with the front desk's playbook.
pub struct OneAgent(pub Timing);

impl AgentStore for OneAgent {
    fn agent(&self, business: BusinessId, key: RowKey) -> StoreFuture<'_, Option<Agent>> {
        let known = key == RowKey::Name("front-desk".into());
        let agent = known.then(|| Agent {
            id: AgentId(1),
            uuid: uuid::Uuid::nil(),
            business,
            version: tandem_domain::agent_version::VersionNumber::FIRST,
            name: "front-desk".into(),
            playbook: "front-desk".into(),
            language: "en".into(),
            voice: String::new(),
            asr_keywords: Vec::new(),
            first_message_inbound: None,
            timing: self.0,
            uncertainty: Default::default(),
            ambience: Default::default(),
            recorded: true,
            terms: Default::default(),
            script: tandem_domain::agent::Script::default(),
        });
        Box::pin(async move { Ok(agent) })
    }
}

impl Brains for OneAgent {
    fn brain(&self, agent: &Agent) -> Result<Arc<dyn Brain>, BrainError> {
        Ok(Arc::new(RulesBrain::new(Arc::new(Playbook::front_desk()), agent, "")))
    }

    fn brain_for<'a>(&'a self, agent: &'a Agent, call: Arriving) -> BrainFuture<'a> {
        let facts = CallFacts { first_message: call.first_message, ..CallFacts::default() };
        let brain: Arc<dyn Brain> = Arc::new(RulesBrain::for_call(Arc::new(Playbook::front_desk()), agent, facts));
        Box::pin(std::future::ready(Ok(brain)))
    }
}

/// A playbook that answers every call.
pub struct Runs(pub Arc<Playbook>);

impl Brains for Runs {
    fn brain(&self, agent: &Agent) -> Result<Arc<dyn Brain>, BrainError> {
        Ok(Arc::new(RulesBrain::new(Arc::clone(&self.0), agent, "")))
    }
}

/// All records.
#[derive(Debug, Default, Clone)]
pub struct Log(Arc<Mutex<Vec<Record>>>);

impl CallLog for Log {
    fn write(&self, records: Vec<Record>) -> StoreFuture<'_, ()> {
        self.0.lock().unwrap().extend(records);
        Box::pin(async { Ok(()) })
    }
}

/// The records of one call.
#[derive(Debug, Default)]
pub struct CallRecords {
    pub conversation: Option<ConversationId>,
    pub user_turns: Vec<UserTurn>,
    pub responses: Vec<AgentResponse>,
    pub extracted: Map<String, Value>,
    pub events: Vec<&'static str>,
    /// The same, whole.
    pub timeline: Vec<TimelineEvent>,
    pub ended: Vec<CallEnded>,
}

impl CallRecords {
    /// Everything the records say that the caller heard.
    pub fn heard(&self) -> String {
        self.responses
            .iter()
            .map(|response| response.heard.as_str())
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    pub fn said(&self) -> String {
        self.user_turns.iter().map(|turn| turn.text.as_str()).collect::<Vec<_>>().join(" / ")
    }

    pub fn reason(&self) -> &str {
        assert_eq!(self.ended.len(), 1, "exactly one end: {:?}", self.ended);
        self.ended[0].reason.as_str()
    }
}

impl Log {
    /// The calls that were let in, in their order.
    pub fn admitted(&self) -> Vec<Usage> {
        let records = self.0.lock().unwrap();
        records
            .iter()
            .filter_map(|record| if let Record::Admitted(usage) = record { Some(usage.clone()) } else { None })
            .collect()
    }

    /// The records of the call with this carrier id.
    pub fn call(&self, call_sid: &str) -> CallRecords {
        let records = self.0.lock().unwrap();
        let started = records.iter().find_map(|record| match record {
            Record::Started(started) if started.call_sid == call_sid => Some((started.call, started.conversation)),
            _ => None,
        });
        let Some((call, conversation)) = started else { return CallRecords::default() };
        collect(&records, call, conversation)
    }
}

impl Log {
    /// The records of a talk in the browser.
    pub fn talk(&self, conversation: &str) -> CallRecords {
        let id: uuid::Uuid = conversation.parse().unwrap();
        collect(&self.0.lock().unwrap(), CallId(id), ConversationId(id))
    }
}

fn collect(records: &[Record], call: CallId, conversation: ConversationId) -> CallRecords {
    let mut found = CallRecords { conversation: Some(conversation), ..CallRecords::default() };
    for record in records {
        match record {
            Record::UserTurn(turn) if turn.conversation == conversation => found.user_turns.push(turn.clone()),
            Record::AgentResponse(response) if response.conversation == conversation => {
                found.responses.push(response.clone())
            }
            Record::Progress(progress) if progress.conversation == conversation => {
                found.extracted = progress.extracted.clone()
            }
            Record::Event(event) if event.call == call => {
                found.events.push(event.kind);
                found.timeline.push(event.clone());
            }
            Record::Ended(ended) if ended.call == call => found.ended.push(ended.clone()),
            _ => {}
        }
    }
    found
}
