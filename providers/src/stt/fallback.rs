//! An order of recognisers: the next takes over where one fails, and the first is tried again later.
//!
//! Place: `port::stt`, around vendors, with the local engine last. One [`Order`] serves all calls, and they share what it knows of its
//! vendors ([`Breaker`]).
//!
//! ```text
//! audio ──► memory (the open turn, at most 10 s) ──► the vendor in charge ──► events
//!                                                     fails, or leaves a question open for 2.5 s:
//!                                                     the next hears the memory, and is asked again
//! a turn is answered by a stand-in, and an earlier one has rested: it takes over, between two turns
//! ```
//!
//! A takeover costs nobody a word: positions are the call's, so a recogniser that hears the turn from its beginning answers as if it had
//! always been there. Its answer may differ in words from what was shown as a partial.
//! The last of the order is asked even if it failed before: there is nobody behind it. When it fails, the stream ends with its error.

mod memory;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tandem_domain::port::EventStream;
use tandem_domain::port::stt::{Stt, SttError, SttEvent, SttInput, SttInputStream, SttSpec};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use self::memory::Memory;
use crate::breaker::Breaker;
use crate::clock::now;

/// Inputs that may wait for a vendor: all of a memory, and a second more. One that takes less stands still.
const WAITING: usize = 1_024;
/// How long a question may stay open where somebody else could be asked. Half-open streams of vendors that do not notice it themselves end
/// here: the caller hears nothing for 4 s at most (promises.md P5), and the next one needs its time too.
const PATIENCE: Duration = Duration::from_millis(2_500);

/// Recognisers, best first. It goes by the name of the first. Clones share what is known of them.
#[derive(Clone)]
pub struct Order {
    engines: Arc<[Engine]>,
}

struct Engine {
    stt: Arc<dyn Stt>,
    breaker: Mutex<Breaker>,
}

impl Engine {
    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, error: &SttError) {
        let wish = if let SttError::RateLimited { retry_after, .. } = error { *retry_after } else { None };
        self.breaker().failed(now(), error.retry(), wish);
        self.tell();
    }

    fn succeeded(&self) {
        let was_open = {
            let mut breaker = self.breaker();
            let was_open = breaker.is_open();
            breaker.succeeded();
            was_open
        };
        if was_open {
            self.tell();
        }
    }

    fn tell(&self) {
        let open = if self.breaker().is_open() { 1.0 } else { 0.0 };
        metrics::gauge!("tandem_provider_circuit_open", "stage" => "stt", "provider" => self.stt.name()).set(open);
    }
}

impl Order {
    /// `first`, and behind it `others` in their order.
    pub fn new(first: Arc<dyn Stt>, others: impl IntoIterator<Item = Arc<dyn Stt>>) -> Self {
        let engines = std::iter::once(first).chain(others).map(|stt| Engine { stt, breaker: Mutex::default() });
        Self { engines: engines.collect() }
    }

    /// The first before `end` that may be asked now.
    fn before(&self, end: usize) -> Option<usize> {
        self.engines[..end].iter().position(|engine| engine.breaker().admits(now()))
    }

    /// Who begins: the last where all others rest.
    fn beginner(&self) -> usize {
        let last = self.engines.len() - 1;
        self.before(last).unwrap_or(last)
    }

    /// Who stands in for `failed`: whoever may be asked, else the last, unless it was that one.
    fn stand_in(&self, failed: usize) -> Option<usize> {
        let last = self.engines.len() - 1;
        let willing = (0..last).find(|&index| index != failed && self.engines[index].breaker().admits(now()));
        willing.or((failed != last).then_some(last))
    }
}

impl Stt for Order {
    fn name(&self) -> &'static str {
        self.engines[0].stt.name()
    }

    fn transcribe(&self, spec: SttSpec, audio: SttInputStream) -> EventStream<SttEvent, SttError> {
        let memory = Memory::new(spec.rate_hz);
        let in_charge = self.beginner();
        let (feed, events) = begin(&self.engines[in_charge], &spec);
        let session = Session {
            order: self.clone(),
            spec,
            audio: Some(audio),
            in_charge,
            feed: Some(feed),
            events,
            memory,
            over: false,
        };
        stream::unfold(session, |mut session| async move { Some((session.next().await?, session)) }).boxed()
    }
}

/// A stream of one engine, and where its input goes.
fn begin(engine: &Engine, spec: &SttSpec) -> (mpsc::Sender<SttInput>, EventStream<SttEvent, SttError>) {
    let (feed, inputs) = mpsc::channel(WAITING);
    let inputs = stream::unfold(inputs, |mut inputs| async move { Some((inputs.recv().await?, inputs)) });
    (feed, engine.stt.transcribe(spec.clone(), Box::pin(inputs)))
}

/// One call's stream.
struct Session {
    order: Order,
    spec: SttSpec,
    /// `None` after its end.
    audio: Option<SttInputStream>,
    in_charge: usize,
    /// `None` after the end of the audio.
    feed: Option<mpsc::Sender<SttInput>>,
    events: EventStream<SttEvent, SttError>,
    memory: Memory,
    over: bool,
}

enum Woken {
    Input(Option<SttInput>),
    Event(Option<Result<SttEvent, SttError>>),
    Late,
}

impl Session {
    async fn next(&mut self) -> Option<Result<SttEvent, SttError>> {
        while !self.over {
            let problem = match self.wake().await {
                Woken::Input(Some(input)) => {
                    self.memory.take(&input, now());
                    self.pass(input).err()
                }
                Woken::Input(None) => {
                    (self.audio, self.feed) = (None, None);
                    None
                }
                Woken::Event(Some(Ok(event))) => {
                    self.answered(&event);
                    return Some(Ok(event));
                }
                Woken::Event(Some(Err(error))) => Some(error),
                Woken::Event(None) if self.audio.is_none() => return None,
                Woken::Event(None) => Some(self.failed("the stream ended")),
                Woken::Late => Some(self.failed("no answer in time")),
            };
            if let Some(error) = problem
                && let Err(error) = self.take_over(error)
            {
                self.over = true;
                return Some(Err(error));
            }
        }
        None
    }

    async fn wake(&mut self) -> Woken {
        let last = self.in_charge + 1 == self.order.engines.len();
        let late: Option<Instant> = self.memory.asked().filter(|_| !last).map(|asked| asked + PATIENCE);
        tokio::select! {
            biased; // what was said comes before what is heard next, and a flood of it does not hide that nothing was answered
            () = at(late) => Woken::Late,
            event = self.events.next() => Woken::Event(event),
            input = next_input(&mut self.audio) => Woken::Input(input),
        }
    }

    fn failed(&self, detail: &str) -> SttError {
        let vendor = self.order.engines[self.in_charge].stt.name();
        SttError::Failed { vendor, detail: detail.to_owned() }
    }

    /// Hands an input to the vendor in charge.
    fn pass(&mut self, input: SttInput) -> Result<(), SttError> {
        match &self.feed {
            Some(feed) => match feed.try_send(input) {
                // It dropped its input: its stream says why in a moment.
                Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
                Err(mpsc::error::TrySendError::Full(_)) => Err(self.failed("it takes no more audio")),
            },
            None => Ok(()),
        }
    }

    fn answered(&mut self, event: &SttEvent) {
        let SttEvent::Final { turn, to, .. } = event else { return };
        if !self.memory.answered(*turn, *to) {
            return;
        }
        self.order.engines[self.in_charge].succeeded();
        if self.audio.is_some()
            && let Some(better) = self.order.before(self.in_charge)
        {
            tracing::info!(to = self.order.engines[better].stt.name(), "the recogniser is tried again");
            self.change(better);
        }
    }

    fn take_over(&mut self, error: SttError) -> Result<(), SttError> {
        let engine = &self.order.engines[self.in_charge];
        engine.failed(&error);
        if self.audio.is_none() && self.memory.asked().is_none() {
            return Err(error); // nobody waits for anything
        }
        let Some(next) = self.order.stand_in(self.in_charge) else { return Err(error) };
        let (from, to) = (engine.stt.name(), self.order.engines[next].stt.name());
        tracing::warn!(%error, from, to, "another recogniser takes over");
        metrics::counter!("tandem_provider_fallbacks_total", "stage" => "stt", "from" => from, "to" => to).increment(1);
        self.change(next);
        Ok(())
    }

    /// Puts another vendor in charge, who hears the open turn from its beginning.
    fn change(&mut self, next: usize) {
        let (feed, events) = begin(&self.order.engines[next], &self.spec);
        (self.in_charge, self.events) = (next, events);
        for input in self.memory.replay(now()) {
            // A memory fits into an empty channel; what a dead vendor does not take, the next one will.
            let _ = feed.try_send(input);
        }
        self.feed = self.audio.is_some().then_some(feed);
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

async fn next_input(audio: &mut Option<SttInputStream>) -> Option<SttInput> {
    match audio {
        Some(audio) => audio.next().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
