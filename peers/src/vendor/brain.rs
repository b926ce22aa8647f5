//! A brain whose answers come as a language model's do: after a while, sentence by sentence, and sometimes wrong.
//!
//! It thinks with another brain, such as the rules of a playbook, so that a whole conversation makes sense; what this file adds is a
//! model's manner and its faults.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use serde_json::{Map, Value};
use tandem_domain::agent::Agent;
use tandem_domain::caller::Arriving;
use tandem_domain::playbook::PlaybookState;
use tandem_domain::port::EventStream;
use tandem_domain::port::brain::{Ask, Brain, BrainError, BrainEvent, BrainFuture, BrainKind, Brains};
use tokio::time::sleep;

use super::babble;
use super::latency::Latency;
use super::plan::{Fault, FaultPlan};
use crate::dice::Dice;

const NAME: &str = "fake";
/// Words of one sentence of nonsense.
const GARBAGE_WORDS: usize = 9;
/// Least time between two sentences of [`Fault::Endless`].
const ENDLESS_INTERVAL: Duration = Duration::from_millis(20);

/// How the model behaves.
#[derive(Debug, Clone, Default)]
pub struct FakeBrainConfig {
    /// From the question to the first sentence.
    pub first_sentence: Latency,
    /// From one sentence to the next.
    pub interval: Duration,
    /// Which answers go wrong. [`Fault::Error`] and [`Fault::Drop`] come after half of the answer, [`Fault::DropMidway`] in the middle of
    /// its first sentence; [`Fault::Garbage`] is one sentence of nonsense, no state and no decision; [`Fault::Endless`] is such sentences
    /// for ever.
    pub faults: FaultPlan,
    /// Seed of latencies and nonsense.
    pub seed: u64,
}

/// The model; clones share the fault plan.
#[derive(Clone)]
pub struct FakeBrain {
    thinks_with: Arc<dyn Brain>,
    config: FakeBrainConfig,
}

impl FakeBrain {
    /// A model that answers what `thinks_with` would answer.
    pub fn new(thinks_with: Arc<dyn Brain>, config: FakeBrainConfig) -> Self {
        Self { thinks_with, config }
    }
}

impl Brain for FakeBrain {
    fn kind(&self) -> BrainKind {
        BrainKind::Model
    }

    fn name(&self) -> &'static str {
        NAME
    }

    fn respond(&self, ask: Ask) -> EventStream<BrainEvent, BrainError> {
        let request = self.config.faults.request();
        let number = u64::from(request.number);
        let mut first = self.config.first_sentence.of_request(self.config.seed, number);
        let interval = self.config.interval;
        let answer = self.thinks_with.respond(ask);
        let mut nonsense = Dice::numbered(self.config.seed, number);
        match request.fault {
            None => return paced(answer, first, interval),
            Some(Fault::Slow(longer)) => {
                first += longer;
                return paced(answer, first, interval);
            }
            Some(Fault::Silent) => return stream::pending().boxed(),
            Some(Fault::Garbage) => {
                let sentence = babble::words(&mut nonsense, GARBAGE_WORDS) + ".";
                return paced(stream::iter([Ok(BrainEvent::Say(sentence))]), first, interval);
            }
            Some(Fault::Endless) => {
                let sentences =
                    stream::repeat_with(move || Ok(BrainEvent::Say(babble::words(&mut nonsense, GARBAGE_WORDS) + ".")));
                return paced(sentences, first, interval.max(ENDLESS_INTERVAL));
            }
            Some(Fault::Error | Fault::Drop | Fault::DropMidway) => {}
        }
        let broken = stream::once(async move {
            let whole: Vec<_> = answer.collect().await;
            stream::iter(break_off(whole, request.fault))
        });
        paced(broken.flatten(), first, interval)
    }

    fn hints(&self, state: Option<&PlaybookState>) -> Vec<String> {
        self.thinks_with.hints(state)
    }

    fn extracted(&self, state: &PlaybookState) -> Map<String, Value> {
        self.thinks_with.extracted(state)
    }
}

/// What comes of an answer that is broken off.
fn break_off(
    mut whole: Vec<Result<BrainEvent, BrainError>>,
    fault: Option<Fault>,
) -> Vec<Result<BrainEvent, BrainError>> {
    if fault == Some(Fault::DropMidway) {
        let sentence = whole.into_iter().find_map(|event| match event {
            Ok(BrainEvent::Say(sentence)) => Some(sentence),
            Ok(
                BrainEvent::FirstToken
                | BrainEvent::Protect
                | BrainEvent::State(_)
                | BrainEvent::Decision(_)
                | BrainEvent::Tool(_),
            )
            | Err(_) => None,
        });
        let halved = sentence.map(|mut sentence| {
            sentence.truncate(sentence.floor_char_boundary(sentence.len() / 2));
            Ok(BrainEvent::Say(sentence))
        });
        return halved.into_iter().collect();
    }
    whole.truncate(whole.len() / 2);
    if fault == Some(Fault::Error) {
        whole.push(Err(BrainError::Failed { vendor: NAME, detail: "failed as planned".to_owned() }));
    }
    whole
}

/// The answer in its time: only sentences take any.
fn paced(
    answer: impl Stream<Item = Result<BrainEvent, BrainError>> + Send + 'static,
    first: Duration,
    interval: Duration,
) -> EventStream<BrainEvent, BrainError> {
    let answer = answer.boxed();
    stream::unfold((answer, first), move |(mut answer, wait)| async move {
        let event = answer.next().await?;
        let said = matches!(event, Ok(BrainEvent::Say(_)) | Err(_));
        if said && !wait.is_zero() {
            sleep(wait).await;
        }
        Some((event, (answer, if said { interval } else { wait })))
    })
    .boxed()
}

/// Gives each agent the brain that another source has for it, as a model; all calls share the fault plan.
#[derive(Clone)]
pub struct FakeBrains {
    think_with: Arc<dyn Brains>,
    config: FakeBrainConfig,
}

impl FakeBrains {
    /// Models that answer what the brains of `think_with` would.
    pub fn new(think_with: Arc<dyn Brains>, config: FakeBrainConfig) -> Self {
        Self { think_with, config }
    }
}

impl Brains for FakeBrains {
    fn brain(&self, agent: &Agent) -> Result<Arc<dyn Brain>, BrainError> {
        Ok(Arc::new(FakeBrain::new(self.think_with.brain(agent)?, self.config.clone())))
    }

    fn brain_for<'a>(&'a self, agent: &'a Agent, call: Arriving) -> BrainFuture<'a> {
        Box::pin(async move {
            let brain: Arc<dyn Brain> =
                Arc::new(FakeBrain::new(self.think_with.brain_for(agent, call).await?, self.config.clone()));
            Ok(brain)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tandem_domain::ids::TurnId;
    use tandem_domain::port::brain::Prompt;

    use super::*;
    use crate::clock;

    /// Answers two sentences.
    struct Parrot;

    impl Brain for Parrot {
        fn kind(&self) -> BrainKind {
            BrainKind::Rules
        }
        fn name(&self) -> &'static str {
            "parrot"
        }
        fn respond(&self, _: Ask) -> EventStream<BrainEvent, BrainError> {
            let say = |text: &str| Ok(BrainEvent::Say(text.to_owned()));
            stream::iter([say("Which city, please?"), say("And which area?")]).boxed()
        }
    }

    fn ask() -> Ask {
        Ask { turn: TurnId(1), prompt: Prompt::Open, state: None, history: Arc::from([]) }
    }

    fn model(faults: FaultPlan) -> FakeBrain {
        let config = FakeBrainConfig {
            first_sentence: Duration::from_millis(200).into(),
            interval: Duration::from_millis(80),
            faults,
            seed: 1,
        };
        FakeBrain::new(Arc::new(Parrot), config)
    }

    async fn sentences(model: &FakeBrain) -> (Vec<String>, bool, Duration) {
        let began = clock::now();
        let events: Vec<_> = model.respond(ask()).take(50).collect().await;
        let failed = events.iter().any(Result::is_err);
        let said = events.into_iter().filter_map(|event| match event {
            Ok(BrainEvent::Say(sentence)) => Some(sentence),
            Ok(
                BrainEvent::FirstToken
                | BrainEvent::Protect
                | BrainEvent::State(_)
                | BrainEvent::Decision(_)
                | BrainEvent::Tool(_),
            )
            | Err(_) => None,
        });
        (said.collect(), failed, began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn sentences_come_in_their_time() {
        let (said, failed, took) = sentences(&model(FaultPlan::none())).await;
        assert_eq!((said.len(), failed, took.as_millis()), (2, false, 280));
    }

    #[tokio::test(start_paused = true)]
    async fn each_fault_is_what_it_is_called() {
        let with = |fault| model(FaultPlan::always(fault));
        let (said, failed, _) = sentences(&with(Fault::Error)).await;
        assert_eq!((said.as_slice(), failed), (["Which city, please?".to_owned()].as_slice(), true));
        let (said, failed, _) = sentences(&with(Fault::Drop)).await;
        assert_eq!((said.len(), failed), (1, false));
        let (said, ..) = sentences(&with(Fault::DropMidway)).await;
        assert_eq!(said, ["Which cit"]);
        let (.., took) = sentences(&with(Fault::Slow(Duration::from_secs(6)))).await;
        assert_eq!(took.as_millis(), 6_280);
        let (said, ..) = sentences(&with(Fault::Garbage)).await;
        assert_eq!((said.len(), said[0].split(' ').count()), (1, GARBAGE_WORDS));
        let (said, ..) = sentences(&with(Fault::Endless)).await;
        assert_eq!(said.len(), 50);
        let silent = with(Fault::Silent);
        assert!(tokio::time::timeout(Duration::from_secs(60), sentences(&silent)).await.is_err());
    }
}
