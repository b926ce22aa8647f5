//! Models in the order in which they are asked: the next one where one refuses, is late or breaks off.
//!
//! ```text
//! first ── error, or no token in 5 s ──► second ── … ──► last, asked once more where it says "now" ──► error: the call apologises
//! ```
//!
//! Text that was given before a failure is made void by [`LlmEvent::Restarted`]; whoever has spoken of it already drops the stream at that, and
//! the next model is not asked. A model that fails rests ([`Breaker`]), so that not every turn of every call pays for finding out. Where there
//! is one model alone, a single failure does not close it: there is nobody else to ask.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tandem_domain::port::llm::{Llm, LlmError, LlmEvent, LlmSpec, Warming};
use tandem_domain::port::{EventStream, Retry};

use crate::breaker::Breaker;
use crate::clock::now;

/// Failures in a row at which an only model is left alone for a while.
const MOST_FAILURES: u32 = 3;
/// A pause that is waited for before the last model is asked once more; a longer one is the call's apology.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// A pause where the vendor names none.
const USUAL_WAIT: Duration = Duration::from_millis(100);

/// Models behind one another. It goes by the name of the first. Clones share what is known of each.
#[derive(Clone)]
pub struct Order {
    models: Arc<[Place]>,
}

struct Place {
    model: Arc<dyn Llm>,
    state: Mutex<(Breaker, u32)>,
}

impl Order {
    /// These models, the first one first.
    pub fn new(first: Arc<dyn Llm>, others: impl IntoIterator<Item = Arc<dyn Llm>>) -> Self {
        let place = |model| Place { model, state: Mutex::default() };
        Self { models: std::iter::once(first).chain(others).map(place).collect() }
    }

    fn alone(&self) -> bool {
        self.models.len() == 1
    }

    /// The next model from `from` on that may be asked.
    fn admitted(&self, from: usize) -> Option<usize> {
        (from..self.models.len()).find(|place| self.models[*place].state().0.admits(now()))
    }

    fn failed(&self, place: usize, error: &LlmError) {
        if matches!(error, LlmError::Invalid { .. } | LlmError::Refused { .. }) {
            return; // it is this question that it does not want
        }
        let mut state = self.models[place].state();
        state.1 += 1;
        let patient = self.alone() && state.1 < MOST_FAILURES && error.retry() != Retry::Never;
        if !patient || error.retry_after().is_some() {
            state.0.failed(now(), error.retry(), error.retry_after());
        }
    }

    fn succeeded(&self, place: usize) {
        let mut state = self.models[place].state();
        state.0.succeeded();
        state.1 = 0;
    }

    fn names(&self) -> String {
        self.models.iter().map(|place| place.model.name()).collect::<Vec<_>>().join(", ")
    }
}

impl Place {
    fn state(&self) -> std::sync::MutexGuard<'_, (Breaker, u32)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Llm for Order {
    fn name(&self) -> &'static str {
        self.models[0].model.name()
    }

    fn complete(&self, spec: LlmSpec) -> EventStream<LlmEvent, LlmError> {
        let asking = Asking { order: self.clone(), spec, place: 0, answer: None, given: false, again: true, next: 0 };
        Box::pin(stream::unfold(Some(asking), Asking::next))
    }

    /// Warms each; the first one's failure is told, the others' are logged.
    fn warm(&self) -> Warming<'_> {
        Box::pin(async move {
            let all = futures_util::future::join_all(self.models.iter().map(|place| place.model.warm())).await;
            let mut first = Ok(());
            for (place, warmed) in all.into_iter().enumerate() {
                match warmed {
                    Ok(()) => {}
                    Err(error) if place == 0 => first = Err(error),
                    Err(error) => {
                        tracing::warn!(%error, "a language model that stands behind another cannot be reached")
                    }
                }
            }
            first
        })
    }
}

/// One question on its way through the order.
struct Asking {
    order: Order,
    spec: LlmSpec,
    /// Who answers, or did.
    place: usize,
    answer: Option<EventStream<LlmEvent, LlmError>>,
    /// Some of its text was given.
    given: bool,
    /// The last one may be asked once more.
    again: bool,
    /// Who comes next.
    next: usize,
}

impl Asking {
    async fn next(asking: Option<Self>) -> Option<(Result<LlmEvent, LlmError>, Option<Self>)> {
        let mut asking = asking?;
        loop {
            let Some(answer) = &mut asking.answer else {
                match asking.order.admitted(asking.next) {
                    None => return Some((Err(LlmError::AllResting(asking.order.names())), None)),
                    Some(place) => asking.ask(place),
                }
                continue;
            };
            let place = asking.place;
            match answer.next().await {
                Some(Ok(event)) => {
                    asking.given |= matches!(event, LlmEvent::Text(_));
                    if matches!(event, LlmEvent::Finished(_)) {
                        asking.order.succeeded(place);
                    }
                    return Some((Ok(event), Some(asking)));
                }
                None => return None,
                Some(Err(error)) => {
                    asking.answer = None;
                    asking.order.failed(place, &error);
                    if !asking.another(place, &error).await {
                        return Some((Err(error), None));
                    }
                    if std::mem::take(&mut asking.given) {
                        return Some((Ok(LlmEvent::Restarted), Some(asking)));
                    }
                }
            }
        }
    }

    /// Whether somebody can be asked after this failure: whoever comes next, else the last one once more.
    async fn another(&mut self, failed: usize, error: &LlmError) -> bool {
        let from = self.order.models[failed].model.name();
        if let Some(next) = self.order.models.get(self.next) {
            let to = next.model.name();
            tracing::warn!(%error, from, to, "another model takes over");
            metrics::counter!("tandem_provider_fallbacks_total", "stage" => "llm", "from" => from, "to" => to)
                .increment(1);
            return true;
        }
        let wait = error.retry_after().unwrap_or(USUAL_WAIT);
        if error.retry() != Retry::Now || wait > LONGEST_WAIT || !std::mem::take(&mut self.again) {
            return false;
        }
        tracing::warn!(%error, vendor = from, "the model is asked once more");
        tokio::time::sleep(wait).await;
        self.ask(failed);
        true
    }

    fn ask(&mut self, place: usize) {
        (self.place, self.next) = (place, place + 1);
        self.answer = Some(self.order.models[place].model.complete(self.spec.clone()));
    }
}

#[cfg(test)]
mod tests;
