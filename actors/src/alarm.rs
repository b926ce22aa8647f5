//! One pending tick for an actor: set it as often as you like, the last setting holds.

use std::time::Instant;

use ractor::{ActorRef, Message};
use tokio::task::AbortHandle;

/// An alarm that casts a message when its time has come.
#[derive(Debug, Default)]
pub struct Alarm {
    pending: Option<(Instant, AbortHandle)>,
}

impl Alarm {
    /// Casts `message()` to `actor` at `at`; `None` disarms. Setting the time that is set already costs nothing.
    pub fn set<M: Message>(
        &mut self,
        actor: &ActorRef<M>,
        at: Option<Instant>,
        message: impl FnOnce() -> M + Send + 'static,
    ) {
        if let (Some((pending, task)), Some(at)) = (&self.pending, at)
            && *pending == at
            && !task.is_finished()
        {
            return;
        }
        self.disarm();
        if let Some(at) = at {
            let actor = actor.clone();
            let task = tokio::spawn(async move {
                tokio::time::sleep_until(at.into()).await;
                let _ = actor.cast(message()); // an actor that is gone needs no alarm
            });
            self.pending = Some((at, task.abort_handle()));
        }
    }

    fn disarm(&mut self) {
        if let Some((_, task)) = self.pending.take() {
            task.abort();
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.disarm();
    }
}
