//! The brain of an agent without a playbook: a language model, told who it is and what the caller has heard.
//!
//! ```text
//! system prompt, script, business (prompt) ─┐
//! conversation as it was heard (history) ───┼─► messages ─► Llm ─► text ─► sentences ─► Say, Say, …
//! what the caller said (ask) ───────────────┘                         as soon as one is whole
//! ```
//!
//! The greeting, the question to repeat, a moment that the caller asks for and the first reprompt are by rule: they cost no second and no token.
//! Later reprompts begin by rule, so that the line is not dead, and the model then puts its last question in other words. What a model says is treated as
//! hostile (promises.md P6): at most [`MOST_TOKENS`] and [`MOST_BYTES`] are read, then the stream is dropped; an answer without a word is none.
//! Pure: the limits of time are the call core's (the whole answer) and the adapter's (the first token).
//! Tools: those that the agent has are offered ([`ModelBrain::offering`]) and nothing else is acted upon, but for `skip_turn`, which harms nobody. One call
//! of a tool is a whole answer: the model is not asked again with its result.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll, ready};

use crate::agent::{Agent, SystemTool};
use crate::aside::Aside;
use crate::caller::CallFacts;
use crate::greeting::FirstWords;
use crate::port::EventStream;
use crate::port::brain::{Ask, Brain, BrainError, BrainEvent, BrainKind, Prompt, ToolCall};
use crate::port::llm::{AskedTool, Author, Llm, LlmError, LlmEvent, LlmSpec, Message};
use crate::sentences::Sentences;
use crate::transcript::{Line, Role};
use crate::{greeting, prompt};

/// Tokens of an answer that are read.
pub const MOST_TOKENS: u32 = 1_000;
/// Bytes of an answer that are read.
pub const MOST_BYTES: usize = 64 * 1_024;
/// Bytes of the conversation that the model is told, counted from its end: a call of hours is cut, not refused.
const MOST_HISTORY: usize = 24 * 1_024;

/// What a model is told to do about a caller who says nothing.
const ASK_AGAIN: &str = "The caller has said nothing for a while and was just asked whether they are there. Ask your last question again in \
other words, in one short sentence of their language. Do not greet and do not apologise.";

/// A model that answers one call of one agent.
#[derive(Clone)]
pub struct ModelBrain {
    llm: Arc<dyn Llm>,
    system: String,
    /// Disclosure and greeting.
    first_words: FirstWords,
    words: &'static Words,
    tools: Vec<SystemTool>,
    /// What is wrong with the agent's own words.
    unknown_names: Vec<String>,
}

impl ModelBrain {
    /// The brain of `agent` for this call.
    pub fn new(llm: Arc<dyn Llm>, agent: &Agent, call: &CallFacts) -> Self {
        Self {
            llm,
            unknown_names: greeting::unknown_names(agent, call, &greeting::agent_variables(agent, call)),
            system: prompt::for_call(&agent.name, &agent.language, &agent.script, call).text,
            first_words: FirstWords::of(agent, call),
            words: Words::of(&agent.language),
            tools: Vec::new(),
        }
    }

    /// What is said before the caller has said anything.
    fn opening(&self) -> impl Iterator<Item = BrainEvent> + use<> {
        self.first_words.disclosed().chain([BrainEvent::Say(self.first_words.greeting.clone())])
    }

    /// The model may use these tools.
    #[must_use]
    pub fn offering(self, tools: &[SystemTool]) -> Self {
        Self { tools: tools.to_vec(), ..self }
    }

    fn messages(&self, history: &[Line], text: &str) -> Vec<Message> {
        // Who is asked again, after some of the answer was heard, finds the caller's words at the end of the history.
        let history = match history.split_last() {
            Some((last, before)) if last.role == Role::User && last.text == text => before,
            _ => history,
        };
        self.told(history, Message { author: Author::User, text: text.to_owned() })
    }

    /// The system's text, the end of the conversation, and `last`.
    fn told(&self, history: &[Line], last: Message) -> Vec<Message> {
        let mut room = MOST_HISTORY;
        let fits = |line: &&Line| {
            room = room.saturating_sub(line.text.len());
            room > 0
        };
        let mut known: Vec<Message> = history.iter().rev().take_while(fits).map(message).collect();
        known.reverse();
        let system = Message { author: Author::System, text: self.system.clone() };
        std::iter::once(system).chain(known).chain([last]).collect()
    }
}

/// Whether the caller has heard us.
fn has_spoken(history: &[Line]) -> bool {
    history.iter().any(|line| line.role == Role::Agent)
}

fn message(line: &Line) -> Message {
    let author = match line.role {
        Role::User => Author::User,
        Role::Agent => Author::Assistant,
        Role::System => Author::System,
    };
    Message { author, text: line.text.clone() }
}

impl Brain for ModelBrain {
    fn kind(&self) -> BrainKind {
        BrainKind::Model
    }

    fn name(&self) -> &'static str {
        self.llm.name()
    }

    fn first_words(&self) -> Option<&FirstWords> {
        Some(&self.first_words)
    }

    fn unknown_names(&self) -> &[String] {
        &self.unknown_names
    }

    fn respond(&self, ask: Ask) -> EventStream<BrainEvent, BrainError> {
        let line = match &ask.prompt {
            Prompt::Heard { text, .. } if Aside::is_wait(text) => {
                let events = [BrainEvent::Say(self.words.take_your_time.to_owned()), BrainEvent::SkipTurn];
                return Box::pin(super::Ready(events.into()));
            }
            // Who spoke before a word of ours was heard is greeted and answered at once; a hello is answered by the greeting.
            Prompt::Heard { text, .. } if !has_spoken(&ask.history) && Aside::is_hello(text) => return self.open(),
            Prompt::Heard { text, .. } => {
                let mut answer = self.asked(self.messages(&ask.history, text));
                if !has_spoken(&ask.history) {
                    answer.ready.extend(self.opening());
                }
                return Box::pin(answer);
            }
            Prompt::Open => return self.open(),
            Prompt::Unheard => self.words.again,
            Prompt::Silence { rung: 0 } => self.words.there,
            Prompt::Silence { rung } => {
                let line = if *rung == 1 { self.words.still_there } else { self.words.say_something };
                if has_spoken(&ask.history) {
                    let asked = Message { author: Author::System, text: ASK_AGAIN.to_owned() };
                    return Box::pin(self.asked(self.told(&ask.history, asked)).after(line));
                }
                line
            }
        };
        Box::pin(super::Ready(VecDeque::from([BrainEvent::Say(line.to_owned())])))
    }
}

impl ModelBrain {
    fn open(&self) -> EventStream<BrainEvent, BrainError> {
        Box::pin(super::Ready(self.opening().collect()))
    }

    fn asked(&self, messages: Vec<Message>) -> Answer {
        let offered = self.tools.iter().map(|tool| tool.offered()).collect();
        let spec = LlmSpec { messages, max_tokens: MOST_TOKENS, tools: offered };
        Answer::new(self.llm.name(), self.llm.complete(spec), self.tools.clone())
    }
}

/// What is said without a model.
struct Words {
    again: &'static str,
    there: &'static str,
    still_there: &'static str,
    say_something: &'static str,
    take_your_time: &'static str,
}

impl Words {
    fn of(language: &str) -> &'static Self {
        const ENGLISH: Words = Words {
            again: "Sorry, I did not catch that. Could you say it again?",
            there: "Are you still there?",
            still_there: "Hello? I cannot hear you.",
            say_something: "If you can hear me, please say something.",
            take_your_time: "Take your time.",
        };
        const HINDI: Words = Words {
            again: "माफ़ कीजिए, मैं समझ नहीं पाई। क्या आप फिर से कहेंगे?",
            there: "क्या आप लाइन पर हैं?",
            still_there: "हैलो? मुझे आपकी आवाज़ नहीं आ रही है।",
            say_something: "अगर आप मुझे सुन पा रहे हैं, तो कृपया कुछ कहिए।",
            take_your_time: "आराम से बताइए।",
        };
        if language.split('-').next() == Some("hi") { &HINDI } else { &ENGLISH }
    }
}

/// A model's text on its way to becoming sentences.
struct Answer {
    vendor: &'static str,
    /// `None` once nothing more is read.
    text: Option<EventStream<LlmEvent, LlmError>>,
    sentences: Sentences,
    ready: VecDeque<BrainEvent>,
    /// What the model may ask for.
    tools: Vec<SystemTool>,
    tokens: u32,
    bytes: usize,
    /// The present model has begun.
    begun: bool,
    /// Some sentence was given.
    said: bool,
    /// The model has said all, or all that is read.
    finished: bool,
    /// Whether it was an answer has been told.
    over: bool,
}

impl Answer {
    fn new(vendor: &'static str, text: EventStream<LlmEvent, LlmError>, tools: Vec<SystemTool>) -> Self {
        Self {
            vendor,
            text: Some(text),
            sentences: Sentences::new(),
            ready: VecDeque::new(),
            tools,
            tokens: 0,
            bytes: 0,
            begun: false,
            said: false,
            finished: false,
            over: false,
        }
    }

    /// Says a line first, without waiting for the model. It is no part of the model's answer: another model may still begin anew.
    fn after(mut self, line: &str) -> Self {
        self.ready.push_back(BrainEvent::Say(line.to_owned()));
        self
    }

    fn failed(&mut self, detail: String) -> BrainError {
        self.text = None;
        BrainError::Failed { vendor: self.vendor, detail }
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if !std::mem::replace(&mut self.begun, true) {
            self.ready.push_back(BrainEvent::FirstToken);
        }
        (self.tokens, self.bytes) = (self.tokens.saturating_add(1), self.bytes.saturating_add(text.len()));
        if self.tokens > MOST_TOKENS || self.bytes > MOST_BYTES {
            (self.text, self.finished) = (None, true); // dropped: the vendor stops too
            return;
        }
        self.sentences.push(text);
        while let Some(sentence) = self.sentences.next_whole() {
            self.say(sentence);
        }
    }

    fn say(&mut self, sentence: String) {
        self.said = true;
        self.ready.push_back(BrainEvent::Say(sentence));
    }

    /// What the model asks for. Arguments that are no object are none: the core says what it lacks.
    fn tool(&mut self, asked: &AskedTool) {
        match SystemTool::parse(&asked.name) {
            Some(SystemTool::SkipTurn) => self.ready.push_back(BrainEvent::SkipTurn),
            Some(SystemTool::PlayKeypadTone) if self.tools.contains(&SystemTool::PlayKeypadTone) => {
                self.say_rest(); // the keys come after it
                let parameters = serde_json::from_str(&asked.arguments).unwrap_or_default();
                let name = SystemTool::PlayKeypadTone.name().to_owned();
                self.ready.push_back(BrainEvent::Tool(ToolCall { name, parameters }));
            }
            Some(SystemTool::PlayKeypadTone) | None => return,
        }
        self.said = true; // saying nothing may be what it wants
    }

    /// The last sentence, which no full stop ends.
    fn say_rest(&mut self) {
        if let Some(last) = self.sentences.finish() {
            self.say(last);
        }
    }

    /// Nothing more comes: what was wrong with that, told once.
    fn verdict(&mut self) -> Option<BrainError> {
        let detail = match (self.finished, self.said) {
            _ if std::mem::replace(&mut self.over, true) => return None,
            (true, true) => return None,
            (true, false) => "there is no word in its answer",
            (false, _) => "ended before its answer did",
        };
        Some(self.failed(detail.to_owned()))
    }

    /// Takes one event; an error ends the answer.
    fn take(&mut self, event: Option<Result<LlmEvent, LlmError>>) -> Result<(), BrainError> {
        match event {
            Some(Ok(LlmEvent::Text(text))) => self.text(&text),
            Some(Ok(LlmEvent::Finished(_))) => {
                self.finished = true;
                self.say_rest();
            }
            Some(Ok(LlmEvent::Restarted)) if self.said => {
                return Err(self.failed("broke off in the middle of its answer".to_owned()));
            }
            Some(Ok(LlmEvent::Restarted)) => {
                self.sentences.clear();
                (self.begun, self.tokens, self.bytes) = (false, 0, 0);
            }
            Some(Ok(LlmEvent::ToolCall(asked))) => self.tool(&asked),
            Some(Ok(LlmEvent::Usage(_))) => {}
            Some(Err(error)) => return Err(self.failed(error.to_string())),
            None => self.text = None,
        }
        Ok(())
    }
}

impl futures_core::Stream for Answer {
    type Item = Result<BrainEvent, BrainError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(event)));
            }
            let Some(text) = &mut self.text else {
                return Poll::Ready(self.verdict().map(Err));
            };
            let event = ready!(text.as_mut().poll_next(cx));
            if let Err(error) = self.take(event) {
                self.over = true;
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}
