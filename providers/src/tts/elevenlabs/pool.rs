//! Sockets to the vendor, shared by all calls: one sentence at a time on each, as many as there are sentences at once, and one more that waits.
//!
//! Place: between the sentences and the [`Socket`]s. The vendor recommends a socket for each call; sentences are what this port knows, and a
//! call speaks one at a time, so that comes to the same, without a socket for a call that listens. Contexts are not shared out among calls:
//! one that is ahead of its caller's ear stops the reading of its socket, and would stop the others with it.
//!
//! A sentence takes the socket that was used last, so that few are busy and the rest age. The keeper, a task, closes those that were not
//! used for a minute, and sees to it that one is open for whoever comes next: the handshake is not the caller's to wait for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tandem_domain::port::tts::TtsError;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use super::socket::{Pieces, Socket};
use super::wire::{self, NAME, Route};
use super::{CONNECT_LIMIT, Key, now};

/// How long the keeper waits after an attempt to connect has failed: doubled each time, up to the second.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// How often the keeper looks, when nothing happens: a vendor may have closed the socket that waits.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The sockets. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    base: String,
    key: Key,
    /// How long a socket that nobody uses stays open.
    idle: Duration,
    /// One permit for each open socket.
    places: Arc<Semaphore>,
    waiting: Mutex<Waiting>,
    /// A socket came back or was taken.
    changed: Notify,
}

#[derive(Debug)]
struct Waiting {
    /// Newest last.
    sockets: Vec<Idle>,
    /// For whom one is kept open: who spoke last.
    route: Route,
}

#[derive(Debug)]
struct Idle {
    route: Route,
    socket: Socket,
    since: Instant,
}

/// A socket, lent. It goes back when this is dropped.
#[derive(Debug)]
pub(super) struct Lease {
    shared: Arc<Shared>,
    route: Route,
    socket: Option<Socket>,
    /// Whether it had stood a while: the vendor may have closed it, and we do not know yet.
    pub(super) reused: bool,
}

impl Pool {
    /// At most `most` sockets below `base`; begins to connect the first, for `route`. Needs a runtime.
    pub(super) fn start(base: String, key: Key, route: Route, most: usize, idle: Duration) -> Self {
        let waiting = Mutex::new(Waiting { sockets: Vec::new(), route });
        let places = Arc::new(Semaphore::new(most));
        let shared = Arc::new(Shared { base, key, idle, places, waiting, changed: Notify::new() });
        tokio::spawn(keep(Arc::downgrade(&shared)));
        Self { shared }
    }

    /// A socket for `route`: one that waits, unless `fresh`, or a new one.
    ///
    /// # Errors
    /// The vendor is not there within 2 s, refuses, or all places are taken.
    pub(super) async fn lease(&self, route: &Route, fresh: bool) -> Result<Lease, TtsError> {
        let shared = Arc::clone(&self.shared);
        let waits = if fresh { None } else { shared.take(route) };
        let reused = waits.is_some();
        let socket = match waits {
            Some(socket) => socket,
            None => shared.connect(route).await?,
        };
        shared.changed.notify_one();
        Ok(Lease { shared, route: route.clone(), socket: Some(socket), reused })
    }
}

impl Lease {
    /// Has a text spoken. `None` if the connection is gone.
    pub(super) async fn speak(&self, text: String) -> Option<Pieces> {
        self.socket.as_ref()?.speak(text).await
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(socket) = self.socket.take().filter(Socket::is_usable) {
            let idle = Idle { route: self.route.clone(), socket, since: now() };
            self.shared.waiting().sockets.push(idle);
            self.shared.changed.notify_one();
        }
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The socket of `route` that was used last.
    fn take(&self, route: &Route) -> Option<Socket> {
        let mut waiting = self.waiting();
        waiting.route.clone_from(route);
        let sockets = &mut waiting.sockets;
        sockets.retain(|idle| idle.socket.is_usable());
        let at = sockets.iter().rposition(|idle| idle.route == *route)?;
        Some(sockets.remove(at).socket)
    }

    async fn connect(&self, route: &Route) -> Result<Socket, TtsError> {
        let permit = Arc::clone(&self.places).try_acquire_owned().map_err(|_| TtsError::Busy { vendor: NAME })?;
        let socket = timeout(CONNECT_LIMIT, Socket::connect(&self.base, route, &self.key, permit)).await;
        socket.map_err(|_| wire::failed("no connection in time"))?
    }

    /// Closes what has waited too long; the route for which a socket should be opened, and when to look again.
    fn tidy(&self, now: Instant) -> (Option<Route>, Option<Instant>) {
        let mut waiting = self.waiting();
        let Waiting { sockets, route } = &mut *waiting;
        sockets.retain(|idle| idle.socket.is_usable());
        let spare = sockets.iter().rposition(|idle| idle.route == *route);
        let mut at = 0;
        sockets.retain(|idle| {
            at += 1;
            spare == Some(at - 1) || now < idle.since + self.idle
        });
        let oldest = sockets.iter().map(|idle| idle.since + self.idle).filter(|due| *due > now).min();
        (spare.is_none().then(|| route.clone()), oldest)
    }
}

/// Looks after the sockets that wait, until the pool is gone.
async fn keep(pool: Weak<Shared>) {
    let mut back_off = BACK_OFF.0;
    loop {
        let Some(shared) = pool.upgrade() else { return };
        let (wanted, due) = shared.tidy(now());
        let wait = due.map_or(shared.idle, |due| due.saturating_duration_since(now())).min(shared.idle);
        if let Some(route) = wanted {
            match shared.connect(&route).await {
                Ok(socket) => {
                    shared.waiting().sockets.insert(0, Idle { route, socket, since: now() });
                    back_off = BACK_OFF.0;
                }
                Err(error) => {
                    tracing::warn!(%error, "no socket waits for the next sentence");
                    drop(shared);
                    sleep(back_off).await;
                    back_off = (back_off * 2).min(BACK_OFF.1);
                    continue;
                }
            }
        }
        // The pool may go while we sleep: we keep no hold of it for longer than this.
        let _ = timeout(wait.min(LOOK_EVERY), shared.changed.notified()).await; // in time or not: we look again
    }
}
