//! The brain that runs a playbook with rules alone: pure, instant, needs no key. The brain that asks a model is [`model`].

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use serde_json::{Map, Value};

use crate::agent::Agent;
use crate::aside::Aside;
use crate::caller::CallFacts;
use crate::greeting::{self, FirstWords, Greeting};
use crate::playbook::{Context, Heard, Playbook, PlaybookState, Reply};
use crate::port::EventStream;
use crate::port::brain::{Ask, Brain, BrainError, BrainEvent, BrainKind, Prompt};

pub mod model;

/// A playbook that answers one agent's calls.
#[derive(Debug, Clone)]
pub struct RulesBrain {
    playbook: Arc<Playbook>,
    context: Context,
    /// Said first of all.
    first_words: FirstWords,
    /// What is wrong with the agent's own words.
    unknown_names: Vec<String>,
}

impl RulesBrain {
    /// The brain of `agent` for a call of which nothing is known; `company` fills the playbook's variable of that name and may be empty.
    pub fn new(playbook: Arc<Playbook>, agent: &Agent, company: &str) -> Self {
        Self::built(playbook, agent, CallFacts::default(), Some(company).filter(|company| !company.is_empty()))
    }

    /// The brain of `agent` for this call.
    pub fn for_call(playbook: Arc<Playbook>, agent: &Agent, call: CallFacts) -> Self {
        let company = agent.script.company();
        Self::built(playbook, agent, call, company)
    }

    fn built(playbook: Arc<Playbook>, agent: &Agent, call: CallFacts, company: Option<&str>) -> Self {
        let mut context = Context::new(&agent.name, company.unwrap_or_default());
        let variables = greeting::agent_variables(agent, &call).or(&context.variables).or(playbook.variables());
        let greeting = greeting::choose(agent, &call, &variables);
        let unknown_names = greeting::unknown_names(agent, &call, &variables);
        (context.returning, context.greeting) = match greeting {
            Greeting::Returning(_) if playbook.greets_returning() => (true, None),
            Greeting::Usual if playbook.greets() => (false, None),
            ref words => (false, Some(words.clone().words())),
        };
        if let Some(known) = call.known {
            context = context.with("caller", known.name.as_deref().unwrap_or_default());
            context.last_language = known.language;
        }
        context.language = Some(agent.language.clone()).filter(|language| !language.is_empty());
        (context.now, context.region) = (call.now, call.region);
        let first_words =
            FirstWords { disclosure: greeting::disclosure(agent, &variables), greeting: greeting.words() };
        Self { playbook, context, first_words, unknown_names }
    }

    fn reply(&self, ask: &Ask) -> Reply {
        let Some(state) = &ask.state else { return self.open(&ask.prompt) };
        match &ask.prompt {
            Prompt::Open => self.playbook.start(&self.context),
            Prompt::Heard { text, confidence } => {
                self.playbook.respond(state, &Heard { text, confidence: *confidence }, &self.context)
            }
            Prompt::Unheard => self.playbook.respond_unheard(state, &self.context),
            Prompt::Silence { rung } => self.playbook.respond_silence(state, *rung, &self.context),
        }
    }
}

impl RulesBrain {
    /// The opening. A caller who spoke before it was heard is greeted and answered at once.
    fn open(&self, prompt: &Prompt) -> Reply {
        let opening = self.playbook.start(&self.context);
        let Prompt::Heard { text, confidence } = prompt else { return opening };
        let question = opening.say.len().saturating_sub(1);
        // Who has not heard a question that has to be heard has not answered it.
        if Aside::is_hello(text) || opening.protected.contains(&question) {
            return opening; // which is the answer to it
        }
        let heard = Heard { text, confidence: *confidence };
        let mut answer = self.playbook.respond(&opening.state, &heard, &self.context);
        // Of the opening its first words, and what has to be heard.
        let (mut first, mut protected) = (Vec::new(), Vec::new());
        for (i, words) in opening.say.into_iter().enumerate() {
            if opening.protected.contains(&i) {
                protected.push(first.len());
                first.push(words);
            } else if i == 0 {
                first.push(words);
            }
        }
        protected.extend(answer.protected.iter().map(|i| i + first.len()));
        answer.say.splice(0..0, first);
        answer.protected = protected;
        answer
    }
}

impl Brain for RulesBrain {
    fn kind(&self) -> BrainKind {
        BrainKind::Rules
    }

    fn name(&self) -> &'static str {
        "playbook"
    }

    fn respond(&self, ask: Ask) -> EventStream<BrainEvent, BrainError> {
        let reply = self.reply(&ask);
        let opens = ask.state.is_none() || ask.prompt == Prompt::Open;
        let mut events: VecDeque<BrainEvent> =
            if opens { self.first_words.disclosed().collect() } else { VecDeque::new() };
        for (i, words) in reply.say.into_iter().enumerate() {
            events.extend(reply.protected.contains(&i).then_some(BrainEvent::Protect));
            events.push_back(BrainEvent::Say(words));
        }
        events.push_back(BrainEvent::State(Box::new(reply.state)));
        events.extend(reply.waits.then_some(BrainEvent::SkipTurn));
        events.extend(reply.tools.into_iter().map(BrainEvent::Tool));
        events.push_back(BrainEvent::Decision(reply.decision));
        Box::pin(Ready(events))
    }

    fn hints(&self, state: Option<&PlaybookState>) -> Vec<String> {
        state.map_or_else(Vec::new, |state| self.playbook.expected(state).vocabulary)
    }

    fn first_words(&self) -> Option<&FirstWords> {
        Some(&self.first_words)
    }

    fn unknown_names(&self) -> &[String] {
        &self.unknown_names
    }

    fn extracted(&self, state: &PlaybookState) -> Map<String, Value> {
        self.playbook.extracted_data(state)
    }
}

/// A stream whose items are all there.
struct Ready(VecDeque<BrainEvent>);

impl futures_core::Stream for Ready {
    type Item = Result<BrainEvent, BrainError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}
