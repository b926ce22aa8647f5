//! A whole call in Hindi: the logistics desk asks which language, and goes on in it. The recogniser and the voice are the peers' own, since no
//! Hindi voice can be had without a key; every word travels as sound all the same.

#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use serde_json::json;
use tandem_actors::{Ports, Switch, SwitchConfig};
use tandem_domain::agent::{Agent, Script, Timing};
use tandem_domain::brain::RulesBrain;
use tandem_domain::caller::{Arriving, CallFacts};
use tandem_domain::ids::{AgentId, BusinessId};
use tandem_domain::playbook::Playbook;
use tandem_domain::port::brain::{Brain, BrainError, BrainFuture, Brains};
use tandem_domain::port::store::{AgentStore, NoNumbers, RowKey, StoreFuture, Unlimited};
use tandem_peers::caller::Step;
use tandem_peers::vendor::{FakeStt, FakeTts};

#[path = "support/line.rs"]
mod line;
#[path = "support/memory.rs"]
mod memory;

use line::{Exchange, Line, say};
use memory::Log;

/// The logistics desk, on a Saturday afternoon in November 2026.
struct LogisticsDesk;

impl AgentStore for LogisticsDesk {
    fn agent(&self, business: BusinessId, _: RowKey) -> StoreFuture<'_, Option<Agent>> {
        let agent = Agent {
            id: AgentId(2),
            uuid: uuid::Uuid::nil(),
            business,
            version: tandem_domain::agent_version::VersionNumber::FIRST,
            name: "logistics".into(),
            playbook: "logistics".into(),
            language: "en".into(),
            voice: String::new(),
            asr_keywords: Vec::new(),
            first_message_inbound: None,
            timing: Timing::default(),
            uncertainty: Default::default(),
            ambience: Default::default(),
            recorded: true,
            terms: Default::default(),
            script: Script::default(),
        };
        Box::pin(async move { Ok(Some(agent)) })
    }
}

impl Brains for LogisticsDesk {
    fn brain(&self, agent: &Agent) -> Result<Arc<dyn Brain>, BrainError> {
        let now = NaiveDate::from_ymd_opt(2026, 11, 21).and_then(|day| day.and_hms_opt(15, 0, 0));
        let facts = CallFacts { now, ..CallFacts::default() };
        Ok(Arc::new(RulesBrain::for_call(Arc::new(Playbook::logistics()), agent, facts)))
    }

    fn brain_for<'a>(&'a self, agent: &'a Agent, _: Arriving) -> BrainFuture<'a> {
        Box::pin(std::future::ready(self.brain(agent)))
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_wants_hindi_is_served_in_hindi() {
    let log = Log::default();
    let ports = Ports {
        agents: Arc::new(LogisticsDesk),
        numbers: Arc::new(NoNumbers),
        limits: Arc::new(Unlimited),
        log: Arc::new(log.clone()),
        stt: Arc::new(FakeStt::default()),
        tts: Arc::new(FakeTts::default()),
        brains: Arc::new(LogisticsDesk),
    };
    let exchange = Exchange { switch: Switch::start(SwitchConfig::default(), ports).await.unwrap(), log };
    let said = ["हिंदी", "पाँच सौ रुपये", "कल शाम चार से छह बजे के बीच", "जी हाँ"];
    let script = said.into_iter().flat_map(|text| [say(1, text), Step::Wait]).collect();
    let mut line = Line::dial(&exchange, 1, script).await;
    line.run_out(Duration::from_secs(180)).await;
    let heard = line.transcript();
    let records = exchange.records(&line).await;

    assert_eq!(records.said(), said.join(" / "), "each word was heard");
    assert!(heard.contains("धन्यवाद") && heard.contains("पाँच सौ रुपये"), "{heard}");
    assert_eq!(records.reason(), "completed", "{heard}");
    assert_eq!(records.extracted["charge"], 500);
    assert_eq!(records.extracted["language"], "hi");
    assert_eq!(records.extracted["time"], json!({"date": "2026-11-22", "from": "16:00", "to": "18:00"}));
}
