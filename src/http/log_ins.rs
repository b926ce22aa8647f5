//! What log-ins share: how often somebody may try, the work with passwords, and the record of those that were refused.
//!
//! Place:   one of a program, in every `Surface`. Whose guess is one too many decides [`tandem_access::lockout`].
//! Passwords are checked off the threads that serve requests, two at once: each takes tens of milliseconds and 19 MiB.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use rand_core::{OsRng, TryRngCore as _};
use tandem_access::account::Email;
use tandem_access::audit::{Changes, Record};
use tandem_access::lockout::{CAPACITY, Leave, Lockout, Recorded};
use tandem_access::password::{Cost, Hasher, PasswordError};
use tandem_access::port::{AccessStore, PastLogIn};
use tandem_actors::clock;
use tokio::sync::{Mutex, OnceCell, Semaphore};
use tokio_util::task::TaskTracker;

use super::guard::Guard;
use super::problem::Problem;

/// Passwords that are checked at once.
const AT_ONCE: usize = 2;
/// How long a log-in waits for its turn.
const TURN: Duration = Duration::from_secs(10);

/// Refused log-ins that wait to be written down: far more than [`AT_ONCE`] can bring forth while a database answers at all.
const NOTES: usize = 256;

/// How far back log-ins are remembered over a restart: as long as an address stays known.
const MEMORY: TimeDelta = TimeDelta::days(30);

/// What log-ins share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct LogIns(Arc<Shared>);

struct Shared {
    lockout: Mutex<Lockout>,
    recorded: Mutex<Recorded>,
    places: Semaphore,
    /// Made at the first log-in: it takes the time of a hash.
    hasher: OnceCell<Arc<Hasher>>,
    /// Places for records that are being written after their answer.
    notes: Arc<Semaphore>,
    noting: TaskTracker,
}

impl Default for LogIns {
    fn default() -> Self {
        Self(Arc::new(Shared {
            lockout: Mutex::new(Lockout::default()),
            recorded: Mutex::default(),
            places: Semaphore::new(AT_ONCE),
            hasher: OnceCell::new(),
            notes: Arc::new(Semaphore::new(NOTES)),
            noting: TaskTracker::new(),
        }))
    }
}

impl LogIns {
    /// With what an earlier process knew of failed log-ins: who made it restart has won nothing. A database that does not tell is none to wait for.
    pub(crate) async fn recalling(accounts: &dyn AccessStore) -> Self {
        let (utc, now, log_ins) = (clock::utc(), clock::now(), Self::default());
        match accounts.log_ins_since(utc - MEMORY, CAPACITY as u32).await {
            Ok(past) => {
                let mut lockout = log_ins.0.lockout.lock().await;
                for PastLogIn { email, address, right, unrecorded, at } in past {
                    let at = (utc - at).to_std().ok().and_then(|ago| now.checked_sub(ago));
                    lockout.recall_unrecorded(&email, unrecorded, at);
                    lockout.recall(&email, address, right, at, now);
                }
            }
            Err(error) => tracing::warn!(%error, "the lock-out begins anew"),
        }
        log_ins
    }

    /// Whether a password may be tried; it counts as wrong until one of the next two says otherwise.
    pub(super) async fn ask(&self, email: &Email, address: IpAddr) -> Leave {
        let leave = self.0.lockout.lock().await.ask(email, address, clock::now());
        if leave != Leave::Try {
            counted("waits");
        }
        leave
    }

    /// The password was right.
    pub(super) async fn succeeded(&self, email: &Email, address: IpAddr) {
        counted("ok");
        self.0.lockout.lock().await.succeeded(email, address, clock::now());
    }

    /// The password could not be checked.
    pub(super) async fn withdrawn(&self, email: &Email, address: IpAddr) {
        self.0.lockout.lock().await.withdrawn(email, address, clock::now());
    }

    /// The password was wrong, which the lock-out has known since it was tried.
    pub(super) fn failed(&self) {
        counted("wrong");
    }

    /// What is recorded of a wrong password for an account that exists; `None` where so many were that this one is only counted.
    pub(super) async fn recorded(&self, email: &Email) -> Option<Changes> {
        self.0.recorded.lock().await.failed(email, clock::now()).map(Changes::after_unrecorded)
    }

    /// Writes down that a log-in was refused, after it is answered: by the time of the answer, or by a database that does not answer, nobody can
    /// tell whether there was somebody to write it down for.
    pub(super) fn note_refused(&self, guard: Guard, record: Record) {
        let Ok(place) = Arc::clone(&self.0.notes).try_acquire_owned() else {
            counted("unrecorded");
            return;
        };
        self.0.noting.spawn(async move {
            if let Err(error) = guard.accounts().record(record).await {
                counted("unrecorded");
                tracing::warn!(%error, "a refused log-in is not on record");
            }
            drop(place);
        });
    }

    /// Waits until all that was to be written down is, for a program that stops.
    pub(crate) async fn noted(&self) {
        self.0.noting.close();
        self.0.noting.wait().await;
    }

    /// Whether so many log-ins to an account have failed that unknown addresses wait for long.
    pub(super) async fn is_under_attack(&self, email: &Email) -> bool {
        self.0.lockout.lock().await.is_under_attack(email, clock::now())
    }

    /// Runs work with passwords where it keeps nobody waiting.
    pub(super) async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Hasher) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, Problem> {
        let busy = || Problem::unavailable("too many log-ins at once", 5);
        let _place =
            tokio::time::timeout(TURN, self.0.places.acquire()).await.map_err(|_| busy())?.map_err(|_| busy())?;
        let fault = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, "password not checked");
            Problem::internal()
        };
        let made = || async {
            let making = tokio::task::spawn_blocking(|| Hasher::new(Cost::OWASP, &mut OsRng.unwrap_err()));
            making.await.map_err(|error| fault(&error))?.map(Arc::new).map_err(|error| fault(&error))
        };
        let hasher = Arc::clone(self.0.hasher.get_or_try_init(made).await?);
        let done = tokio::task::spawn_blocking(move || work(&hasher)).await;
        done.map_err(|error| fault(&error))?.map_err(|error| fault(&error))
    }
}

fn counted(outcome: &'static str) {
    metrics::counter!("tandem_log_ins_total", "outcome" => outcome).increment(1);
}
