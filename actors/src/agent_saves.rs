//! Tells listeners of saved agents what the outbox holds: each version once, an agent's in order, through vendors that are away.
//!
//! ```text
//! outbox ─claim─► AT_ONCE deliveries, of an agent one ─► listener.saved ─┬─ taken, refused ─► settled for good
//!    ▲                                                                   └─ away, too long ─► due again after a pause that grows
//!    └───────────────── every LOOK_EVERY, or at once after a round ◄─────────────────────────────┘
//! ```
//!
//! Place: one task of the program, beside the switch, which knows nothing of it. Each listener has a round of its own, so one that is away delays
//! no other. Stopping it is dropping it: a delivery that is under way then is told again, under its key, by the next process.
//! A delivery that was made is noted however long the database is away; until then nothing else is claimed, for the database has to be asked.
//!
//! Not here: who the listeners are (the wiring), and rows (the store).

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::FutureExt;
use futures_util::future::{join, join_all};
use tandem_domain::ids::LifeId;
use tandem_domain::port::agent_saved::{AgentSaved, AgentSavedError};
use tandem_domain::port::store::{AgentOutbox, Delivery, Settled, StoreError};
use tokio::time::{sleep, timeout};
use tracing::{error, info, warn};

use crate::clock;
use crate::metrics::AGENT_SAVES;

/// Deliveries of one listener at once, each of another agent.
const AT_ONCE: u32 = 8;
/// Time between two looks while there is nothing to tell: by so much a provider is behind the agent.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Time between two sweeps.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// So long a save is kept that everybody has settled whom this process knows: another on the same database may know more.
const KEPT: TimeDelta = TimeDelta::hours(1);
/// So long one is kept that somebody does not take.
const KEPT_FOR_THE_MISSING: TimeDelta = TimeDelta::days(30);
/// Longest attempt.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(30);
/// Pause after the first failure; doubles with each up to the ceiling.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));
/// Pause before a database that did not answer is asked again; doubles up to the ceiling.
const STORE_PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// How long to wait after so many failures in a row, at least one.
fn pause_after(failures: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    PAUSE.0.saturating_mul(doubled).min(PAUSE.1)
}

/// Tells `listeners` what they have not heard, for as long as it is polled. `life` is that of this process; it must have begun.
pub async fn tell(outbox: Arc<dyn AgentOutbox>, listeners: Vec<Arc<dyn AgentSaved>>, life: LifeId) {
    let names: Vec<&'static str> = listeners.iter().map(|listener| listener.name()).collect();
    let rounds = listeners.iter().map(|listener| {
        let teller = Teller { outbox: outbox.as_ref(), listener: listener.as_ref(), life };
        teller.run()
    });
    join(join_all(rounds), sweep(outbox.as_ref(), &names)).await;
}

/// Forgets what nobody waits for.
async fn sweep(outbox: &dyn AgentOutbox, names: &[&'static str]) {
    loop {
        let now = clock::utc();
        if let Err(error) = outbox.sweep(names, now - KEPT, now - KEPT_FOR_THE_MISSING).await {
            warn!(%error, "what all listeners have heard of saved agents is not forgotten yet");
        }
        sleep(SWEEP_EVERY).await;
    }
}

/// Tells one listener.
struct Teller<'a> {
    outbox: &'a dyn AgentOutbox,
    listener: &'a dyn AgentSaved,
    life: LifeId,
}

impl Teller<'_> {
    async fn run(self) {
        let mut pause = STORE_PAUSE.0;
        loop {
            match self.outbox.claim(self.listener.name(), self.life, clock::utc(), AT_ONCE).await {
                Ok(due) if due.is_empty() => sleep(LOOK_EVERY).await,
                Ok(due) => {
                    let noted = join_all(due.into_iter().map(|delivery| self.deliver(delivery))).await;
                    if noted.contains(&false) {
                        sleep(STORE_PAUSE.1).await; // it is told again, but not as fast as we can
                    }
                }
                Err(error) => {
                    warn!(%error, listener = self.listener.name(), "cannot look for saved agents");
                    sleep(pause).await;
                    pause = (pause * 2).min(STORE_PAUSE.1);
                    continue;
                }
            }
            pause = STORE_PAUSE.0;
        }
    }

    /// Makes a delivery; `false` if what came of it is not on record.
    async fn deliver(&self, delivery: Delivery) -> bool {
        let (listener, agent, version) = (self.listener.name(), delivery.agent.identity.id.0, delivery.agent.version);
        let settled = match self.attempt(&delivery).await {
            Ok(()) => {
                info!(listener, agent, %version, "saved agent told");
                self.count("taken");
                Settled::Taken { at: clock::utc() }
            }
            Err(AgentSavedError::Refused(reason)) => {
                error!(listener, agent, %version, reason, "saved agent refused: it is not told again");
                self.count("refused");
                Settled::Refused { at: clock::utc(), why: reason }
            }
            Err(AgentSavedError::Away(trouble)) => {
                let failures = delivery.failures.saturating_add(1);
                let pause = pause_after(failures);
                warn!(listener, agent, %version, trouble, failures, pause_s = pause.as_secs(), "saved agent not told yet");
                self.count("away");
                let due = clock::utc() + TimeDelta::from_std(pause).unwrap_or(TimeDelta::MAX);
                Settled::NotYet { due, failures, trouble }
            }
        };
        self.note(delivery.save, settled).await
    }

    /// One attempt, at most so long, whose panic is the listener's own trouble.
    async fn attempt(&self, delivery: &Delivery) -> Result<(), AgentSavedError> {
        let hearing = AssertUnwindSafe(async { self.listener.saved(&delivery.agent).await }).catch_unwind();
        match timeout(ATTEMPT_LIMIT, hearing).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(AgentSavedError::Away("the listener panicked".to_owned())),
            Err(_) => Err(AgentSavedError::Away(format!("no answer within {} s", ATTEMPT_LIMIT.as_secs()))),
        }
    }

    /// Writes down what came of a delivery, whenever the database answers: if it is not written, it is made twice.
    async fn note(&self, save: i64, settled: Settled) -> bool {
        let listener = self.listener.name();
        let mut pause = STORE_PAUSE.0;
        loop {
            match self.outbox.settle(save, listener, settled.clone()).await {
                Ok(()) => return true,
                Err(error @ StoreError::Unavailable(_)) => {
                    warn!(%error, listener, "what a listener has heard is not noted yet");
                    sleep(pause).await;
                    pause = (pause * 2).min(STORE_PAUSE.1);
                }
                Err(error) => {
                    error!(%error, listener, "what a listener has heard cannot be noted: it is told again");
                    return false;
                }
            }
        }
    }

    fn count(&self, outcome: &'static str) {
        metrics::counter!(AGENT_SAVES, "provider" => self.listener.name(), "outcome" => outcome).increment(1);
    }
}

#[cfg(test)]
mod tests;
