//! The world behind the ports, for one call: a store in memory, the agent of its desk, and vendors that are counted and overheard.
//!
//! Place: between [`crate::run()`] and the models of `tandem_peers::vendor`. What is kept of a vendor is what an invariant needs: how many of its
//! streams are open, what the voice was asked to say and when, when the recogniser was asked and answered, and when a turn was answered.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::{Stream, StreamExt};
use tandem_actors::clock;
use tandem_domain::agent::{Agent, Ambience, Script, Timing};
use tandem_domain::brain::RulesBrain;
use tandem_domain::caller::{Arriving, CallFacts};
use tandem_domain::greeting::FirstWords;
use tandem_domain::ids::{AgentId, BusinessId};
use tandem_domain::playbook::{Playbook, PlaybookState};
use tandem_domain::port::EventStream;
use tandem_domain::port::brain::{Ask, Brain, BrainError, BrainEvent, BrainFuture, BrainKind, Brains, Prompt};
use tandem_domain::port::store::{AgentStore, CallLog, RowKey, StoreFuture};
use tandem_domain::port::stt::{Stt, SttError, SttEvent, SttInput, SttInputStream, SttSpec};
use tandem_domain::port::tts::{Tts, TtsChunk, TtsError, TtsSpec};
use tandem_domain::record::Record;
use tandem_peers::universe::scenario::Desk;
use tandem_peers::vendor::{FakeTts, Fault, FaultPlan};

/// Of the switch's audio.
const RATE_HZ: u64 = 8_000;
/// The agent of every call, by the name that callers ask for; what it asks is its desk's playbook.
const AGENT: &str = "front-desk";
/// Callers from India: their "haan" is to be understood.
const LANGUAGE: &str = "en-IN";
const CONTACT_DESK: &str = include_str!("../playbooks/contact-desk.toml");

/// What was overheard at a vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overheard {
    /// The voice was asked for this sentence, and does this to it.
    Speak(String, Option<Fault>),
    /// The recogniser was asked to settle a turn.
    Finalize {
        /// Where it began, on the clock of what came in: the line's way up after the caller's.
        began: Duration,
        /// Where its speech ended, so far.
        ended: Duration,
    },
    /// It settled one; whether it had words.
    Final {
        /// Whether there was a word in it.
        words: bool,
    },
    /// The call came to its agent: the timeline on record counts from here.
    Met,
    /// The brain was asked what to answer to these words of the caller: to a turn that was taken for whole, or early, to what a pause follows
    /// that may be its end.
    Asked {
        /// What was understood.
        text: String,
    },
    /// A stream of a vendor was begun; which of all.
    Opened(&'static str, usize),
    /// A stream of a vendor ended with an error.
    Failed(&'static str),
    /// A stream of a vendor is over: it ended, or nobody wants more of it.
    Over(&'static str, usize),
}

/// Everything that was overheard, with its time, and the streams that are open.
#[derive(Debug, Default)]
pub(crate) struct Tap {
    notes: Mutex<Vec<(Instant, Overheard)>>,
    open: AtomicUsize,
    opened: AtomicUsize,
}

impl Tap {
    fn note(&self, what: Overheard) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push((clock::now(), what));
    }

    /// What was overheard so far.
    pub(crate) fn notes(&self) -> Vec<(Instant, Overheard)> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Streams of vendors that are open now.
    pub(crate) fn open_streams(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

/// A vendor's stream that is counted while it lives.
struct Counted<S> {
    stream: S,
    vendor: &'static str,
    number: usize,
    tap: Arc<Tap>,
    ended: bool,
}

impl<S> Counted<S> {
    fn new(vendor: &'static str, stream: S, tap: &Arc<Tap>) -> Self {
        tap.open.fetch_add(1, Ordering::SeqCst);
        let number = tap.opened.fetch_add(1, Ordering::SeqCst);
        tap.note(Overheard::Opened(vendor, number));
        Self { stream, vendor, number, tap: Arc::clone(tap), ended: false }
    }

    fn ended(&mut self) {
        if !std::mem::replace(&mut self.ended, true) {
            self.tap.note(Overheard::Over(self.vendor, self.number));
        }
    }
}

impl<S: Stream + Unpin> Stream for Counted<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let item = self.stream.poll_next_unpin(context);
        if let Poll::Ready(None) = item {
            self.ended();
        }
        item
    }
}

impl<S> Drop for Counted<S> {
    fn drop(&mut self) {
        self.ended();
        self.tap.open.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A recogniser that is overheard.
pub(crate) struct TappedStt<S>(pub(crate) S, pub(crate) Arc<Tap>);

impl<S: Stt> Stt for TappedStt<S> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn transcribe(&self, spec: SttSpec, audio: SttInputStream) -> EventStream<SttEvent, SttError> {
        let asked = Arc::clone(&self.1);
        let audio = audio.inspect(move |input| {
            if let SttInput::Finalize { from, to, .. } = input {
                let [began, ended] = [from, to].map(|at| Duration::from_micros(at * 1_000_000 / RATE_HZ));
                asked.note(Overheard::Finalize { began, ended });
            }
        });
        let answered = Arc::clone(&self.1);
        let events = self.0.transcribe(spec, audio.boxed()).inspect(move |event| match event {
            Ok(SttEvent::Final { text, .. }) => answered.note(Overheard::Final { words: !text.trim().is_empty() }),
            Ok(SttEvent::Partial { .. }) => {}
            Err(_) => answered.note(Overheard::Failed("stt")),
        });
        Counted::new("stt", events, &self.1).boxed()
    }
}

/// A voice that is overheard.
pub(crate) struct TappedTts {
    pub(crate) voice: FakeTts,
    /// Another reading of the voice's own plan: what it will do to the request that comes next.
    pub(crate) faults: FaultPlan,
    pub(crate) tap: Arc<Tap>,
}

impl Tts for TappedTts {
    fn name(&self) -> &'static str {
        self.voice.name()
    }

    fn speak(&self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError> {
        self.tap.note(Overheard::Speak(spec.text.clone(), self.faults.next()));
        let failed = Arc::clone(&self.tap);
        let chunks = self.voice.speak(spec).inspect(move |chunk| {
            if chunk.is_err() {
                failed.note(Overheard::Failed("tts"));
            }
        });
        Counted::new("tts", chunks, &self.tap).boxed()
    }
}

/// A brain that is overheard.
struct TappedBrain(Arc<dyn Brain>, Arc<Tap>);

impl Brain for TappedBrain {
    fn kind(&self) -> BrainKind {
        self.0.kind()
    }

    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn respond(&self, ask: Ask) -> EventStream<BrainEvent, BrainError> {
        if let Prompt::Heard { text, .. } = &ask.prompt {
            self.1.note(Overheard::Asked { text: text.clone() });
        }
        let failed = Arc::clone(&self.1);
        let events = self.0.respond(ask).inspect(move |event| {
            if event.is_err() {
                failed.note(Overheard::Failed("llm"));
            }
        });
        Counted::new("llm", events, &self.1).boxed()
    }

    fn hints(&self, state: Option<&PlaybookState>) -> Vec<String> {
        self.0.hints(state)
    }

    fn extracted(&self, state: &PlaybookState) -> serde_json::Map<String, serde_json::Value> {
        self.0.extracted(state)
    }

    fn first_words(&self) -> Option<&FirstWords> {
        self.0.first_words()
    }

    fn unknown_names(&self) -> &[String] {
        self.0.unknown_names()
    }
}

/// Brains that are overheard.
pub(crate) struct TappedBrains<B>(pub(crate) B, pub(crate) Arc<Tap>);

impl<B: Brains> Brains for TappedBrains<B> {
    fn brain(&self, agent: &Agent) -> Result<Arc<dyn Brain>, BrainError> {
        self.1.note(Overheard::Met);
        Ok(Arc::new(TappedBrain(self.0.brain(agent)?, Arc::clone(&self.1))))
    }

    fn brain_for<'a>(&'a self, agent: &'a Agent, call: Arriving) -> BrainFuture<'a> {
        self.1.note(Overheard::Met);
        Box::pin(async move {
            let brain: Arc<dyn Brain> =
                Arc::new(TappedBrain(self.0.brain_for(agent, call).await?, Arc::clone(&self.1)));
            Ok(brain)
        })
    }
}

/// The one agent of a call, and its playbook.
pub(crate) struct Reception {
    pub(crate) timing: Timing,
    pub(crate) desk: Desk,
    pub(crate) ambience: Ambience,
}

/// What the desk's agent asks.
pub(crate) fn playbook_of(desk: Desk) -> Playbook {
    match desk {
        Desk::FrontDesk => Playbook::front_desk(),
        Desk::ContactDesk => Playbook::from_toml(CONTACT_DESK).expect("the playbook is sound: a test reads it"),
    }
}

impl AgentStore for Reception {
    fn agent(&self, business: BusinessId, key: RowKey) -> StoreFuture<'_, Option<Agent>> {
        let agent = (key == RowKey::Name(AGENT.into())).then(|| Agent {
            id: AgentId(1),
            uuid: uuid::Uuid::nil(),
            business,
            version: tandem_domain::agent_version::VersionNumber::FIRST,
            name: AGENT.into(),
            playbook: AGENT.into(),
            language: LANGUAGE.into(),
            voice: String::new(),
            asr_keywords: Vec::new(),
            first_message_inbound: None,
            timing: self.timing,
            uncertainty: Default::default(),
            ambience: self.ambience,
            recorded: true,
            terms: Default::default(),
            script: Script::default(),
        });
        Box::pin(async move { Ok(agent) })
    }
}

impl Brains for Reception {
    fn brain(&self, agent: &Agent) -> Result<Arc<dyn Brain>, BrainError> {
        // Without the hour of the call: a greeting by the clock would make two runs differ.
        Ok(Arc::new(RulesBrain::for_call(Arc::new(playbook_of(self.desk)), agent, CallFacts::default())))
    }

    fn brain_for<'a>(&'a self, agent: &'a Agent, _: Arriving) -> BrainFuture<'a> {
        Box::pin(std::future::ready(self.brain(agent)))
    }
}

/// All records of the call, in the order they were made.
#[derive(Debug, Default, Clone)]
pub(crate) struct Log(Arc<Mutex<Vec<Record>>>);

impl Log {
    pub(crate) fn records(&self) -> Vec<Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl CallLog for Log {
    fn write(&self, records: Vec<Record>) -> StoreFuture<'_, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(records);
        Box::pin(async { Ok(()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_desks_have_a_playbook() {
        for (desk, name) in [(Desk::FrontDesk, "front-desk"), (Desk::ContactDesk, "contact-desk")] {
            assert_eq!(playbook_of(desk).name(), name);
        }
    }
}
