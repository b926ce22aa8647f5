//! The brain of each call: an agent's playbook, or a language model for one that has none, told the local time, the region, and who is
//! calling if they have called before.
//!
//! What is not found out in time is left out: a slow or broken store costs a caller the welcome by name, never the call.

use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use tandem_domain::agent::{Agent, SystemTool};
use tandem_domain::brain::RulesBrain;
use tandem_domain::brain::model::ModelBrain;
use tandem_domain::caller::{Arriving, CallFacts, KnownCaller, recognisable};
use tandem_domain::ids::BusinessId;
use tandem_domain::port::brain::{Brain, BrainError, BrainFuture, Brains};
use tandem_domain::port::llm::Llm;
use tandem_domain::port::store::CallerHistory;
use tokio::time::timeout;
use tracing::warn;

use super::models;
use super::playbooks::Playbooks;

/// A caller hears nothing while the store is asked who they are.
const HISTORY_LIMIT: Duration = Duration::from_millis(500);

/// Playbooks, and what calls are told before they begin.
pub(super) struct CallBrains {
    pub(super) playbooks: Arc<Playbooks>,
    pub(super) llm: Arc<dyn Llm>,
    pub(super) history: Arc<dyn CallerHistory>,
    pub(super) zone: Tz,
    pub(super) region: String,
    /// What models may use for agents that do not say it themselves.
    pub(super) system_tools: Vec<SystemTool>,
}

impl CallBrains {
    fn model(&self, agent: &Agent, facts: &CallFacts) -> Arc<dyn Brain> {
        let tools = agent.script.system_tools.as_ref().unwrap_or(&self.system_tools);
        Arc::new(ModelBrain::new(Arc::clone(&self.llm), agent, facts).offering(tools))
    }

    async fn known(&self, business: BusinessId, number: Option<&str>) -> Option<KnownCaller> {
        let number = number.and_then(recognisable)?;
        match timeout(HISTORY_LIMIT, self.history.known_caller(business, number)).await {
            Ok(Ok(known)) => known,
            Ok(Err(error)) => {
                warn!(%error, "cannot tell whether this caller has called before");
                None
            }
            Err(_) => {
                warn!(
                    limit_ms = HISTORY_LIMIT.as_millis(),
                    "the store does not say in time whether this caller has called before"
                );
                None
            }
        }
    }
}

impl Brains for CallBrains {
    fn brain(&self, agent: &Agent) -> Result<Arc<dyn Brain>, BrainError> {
        if agent.playbook.is_empty() {
            return Ok(self.model(agent, &CallFacts::default()));
        }
        self.playbooks.brain(agent)
    }

    fn brain_for<'a>(&'a self, agent: &'a Agent, call: Arriving) -> BrainFuture<'a> {
        Box::pin(async move {
            let playbook = match agent.playbook.as_str() {
                "" => {
                    models::warm(&self.llm); // while the greeting is spoken
                    None
                }
                _ => Some(self.playbooks.of(agent)?),
            };
            let facts = CallFacts {
                direction: call.direction,
                now: Some(call.at.with_timezone(&self.zone).naive_local()),
                region: Some(self.region.clone()),
                known: self.known(agent.business, call.number.as_deref()).await,
                first_message: call.first_message,
                variables: std::collections::BTreeMap::new(),
            };
            let brain: Arc<dyn Brain> = match playbook {
                Some(playbook) => Arc::new(RulesBrain::for_call(Arc::clone(playbook), agent, facts)),
                None => self.model(agent, &facts),
            };
            Ok(brain)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use chrono::{DateTime, Utc};
    use futures_util::StreamExt;
    use tandem_domain::agent::{Script, Timing};
    use tandem_domain::ids::{AgentId, TurnId};
    use tandem_domain::playbook::PlaybookState;
    use tandem_domain::port::brain::{Ask, BrainEvent, Prompt};
    use tandem_domain::port::store::{StoreError, StoreFuture};
    use tandem_domain::record::Direction;

    use super::*;

    enum History {
        Knows(&'static str),
        Fails,
        Hangs,
    }

    impl CallerHistory for History {
        fn known_caller(&self, _: BusinessId, number: &str) -> StoreFuture<'_, Option<KnownCaller>> {
            assert_eq!(number, "+919876543210");
            match self {
                Self::Knows(name) => {
                    let known = KnownCaller {
                        name: Some((*name).to_owned()),
                        last_call_at: at(),
                        language: None,
                        last_outcome: None,
                    };
                    Box::pin(async { Ok(Some(known)) })
                }
                Self::Fails => Box::pin(async { Err(StoreError::Unavailable("gone".to_owned())) }),
                Self::Hangs => Box::pin(std::future::pending()),
            }
        }
    }

    /// Half past ten in the evening in London, four in the morning of the next day in India.
    fn at() -> DateTime<Utc> {
        "2026-11-21T22:30:00Z".parse().unwrap()
    }

    fn brains(history: History, zone: Tz) -> CallBrains {
        let playbooks = Arc::new(Playbooks::load(None).unwrap());
        let llm = Arc::new(tandem_providers::llm::local::NoModel);
        CallBrains {
            playbooks,
            llm,
            history: Arc::new(history),
            zone,
            region: "IN".to_owned(),
            system_tools: Vec::new(),
        }
    }

    fn agent() -> Agent {
        Agent {
            id: AgentId(1),
            uuid: uuid::Uuid::nil(),
            business: BusinessId::FIRST,
            version: tandem_domain::agent_version::VersionNumber::FIRST,
            name: "front-desk".to_owned(),
            playbook: "front-desk".to_owned(),
            language: "en".to_owned(),
            voice: String::new(),
            asr_keywords: Vec::new(),
            first_message_inbound: None,
            timing: Timing::default(),
            uncertainty: Default::default(),
            ambience: Default::default(),
            recorded: true,
            terms: Default::default(),
            script: Script::default(),
        }
    }

    async fn brain(brains: &CallBrains, number: Option<&str>) -> Arc<dyn Brain> {
        let number = number.map(str::to_owned);
        let call = Arriving { direction: Direction::Inbound, number, at: at(), first_message: None };
        brains.brain_for(&agent(), call).await.unwrap()
    }

    /// What the brain says to `prompt`, and where the playbook then stands.
    async fn asked(brain: &dyn Brain, prompt: Prompt, state: Option<PlaybookState>) -> (String, PlaybookState) {
        let mut events = brain.respond(Ask { turn: TurnId(1), prompt, state, history: [].into() });
        let (mut said, mut stands) = (Vec::new(), None);
        while let Some(event) = events.next().await {
            match event.unwrap() {
                BrainEvent::Say(text) => said.push(text),
                BrainEvent::State(state) => stands = Some(*state),
                BrainEvent::FirstToken
                | BrainEvent::Protect
                | BrainEvent::Tool(_)
                | BrainEvent::Decision(_)
                | BrainEvent::SkipTurn => {}
            }
        }
        (said.join(" "), stands.unwrap())
    }

    async fn greeting(history: History, number: Option<&str>) -> String {
        let brain = brain(&brains(history, Tz::UTC), number).await;
        asked(brain.as_ref(), Prompt::Open, None).await.0
    }

    const NUMBER: Option<&str> = Some("+919876543210");
    const USUAL: &str = "Hello, this is Tandem's front desk. What kind of property are you looking for?";

    #[tokio::test]
    async fn a_returning_caller_is_welcomed_by_name() {
        let said = greeting(History::Knows("Rahul"), NUMBER).await;
        assert_eq!(
            said,
            "Hello Rahul, welcome back to Tandem's front desk. What kind of property are you looking for?"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_fails_or_hangs_costs_the_name_and_not_the_call() {
        assert_eq!(greeting(History::Fails, NUMBER).await, USUAL);
        let patience = HISTORY_LIMIT + Duration::from_millis(10);
        let hanging = timeout(patience, greeting(History::Hangs, NUMBER)).await;
        assert_eq!(hanging.as_deref(), Ok(USUAL), "within its limit");
    }

    #[tokio::test]
    async fn an_agent_without_a_playbook_is_a_models_and_says_if_there_is_none() {
        let agent = Agent { playbook: String::new(), first_message_inbound: Some("Hello!".to_owned()), ..agent() };
        let call = Arriving { direction: Direction::Inbound, number: None, at: at(), first_message: None };
        let brain = brains(History::Fails, Tz::UTC).brain_for(&agent, call).await.unwrap();
        assert_eq!((brain.kind(), brain.name()), (tandem_domain::port::brain::BrainKind::Model, "none"));
        for (prompt, line) in [
            (Prompt::Open, "Hello!"),
            (
                Prompt::Heard { text: "who are you?".to_owned(), confidence: None },
                "I am sorry, no language model is set up for me, so I cannot answer that.",
            ),
        ] {
            let ask = Ask { turn: TurnId(1), prompt, state: None, history: [].into() };
            let said: Vec<_> = brain.respond(ask).collect().await;
            assert_eq!(said.last(), Some(&Ok(BrainEvent::Say(line.to_owned()))));
        }
    }

    #[tokio::test]
    async fn nobody_is_asked_about_a_hidden_number() {
        for number in [None, Some("anonymous"), Some("+266696687"), Some("")] {
            assert_eq!(greeting(History::Knows("Rahul"), number).await, USUAL, "{number:?}");
        }
    }

    #[tokio::test]
    async fn tomorrow_is_that_of_the_zone() {
        for (zone, tomorrow) in [(Tz::Asia__Kolkata, "2026-11-23"), (Tz::Europe__London, "2026-11-22")] {
            let brain = brain(&brains(History::Fails, zone), NUMBER).await;
            let (_, opened) = asked(brain.as_ref(), Prompt::Open, None).await;
            let text = "an apartment in Delhi for sixty lakh, call me tomorrow at five".to_owned();
            let (_, state) = asked(brain.as_ref(), Prompt::Heard { text, confidence: None }, Some(opened)).await;
            assert_eq!(brain.extracted(&state)["callback_time"]["date"], tomorrow, "{zone}");
        }
    }
}
