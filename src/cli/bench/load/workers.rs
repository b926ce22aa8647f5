//! Threads that carry callers, each with a runtime of its own.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use super::Tally;

/// Where callers live.
pub(in crate::cli::bench) struct Workers {
    threads: Vec<Worker>,
    stop: CancellationToken,
}

struct Worker {
    runtime: Handle,
    thread: Option<JoinHandle<()>>,
}

/// A tally that a worker's callers share. Its lock is theirs alone, but for the moment of taking.
pub(super) type Shared = Arc<Mutex<Tally>>;

impl Workers {
    /// Starts `count` threads. They run where the thread that starts them may.
    pub(in crate::cli::bench) fn start(count: usize) -> std::io::Result<Self> {
        let stop = CancellationToken::new();
        let threads = (0..count.max(1)).map(|number| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let (handle, stopped) = (runtime.handle().clone(), stop.clone());
            let thread = std::thread::Builder::new()
                .name(format!("callers-{number}"))
                .spawn(move || runtime.block_on(stopped.cancelled()))?;
            Ok(Worker { runtime: handle, thread: Some(thread) })
        });
        Ok(Self { threads: threads.collect::<std::io::Result<_>>()?, stop })
    }

    pub(in crate::cli::bench) fn count(&self) -> usize {
        self.threads.len()
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop.cancel();
        for worker in &mut self.threads {
            // its panic was told where it happened
            let _ = worker.thread.take().map(JoinHandle::join);
        }
    }
}

/// Callers that are counted together. Those that are left when it is dropped are broken off.
pub(in crate::cli::bench) struct Group<'a> {
    workers: &'a Workers,
    tallies: Vec<Shared>,
    running: Vec<AbortHandle>,
    spawned: usize,
}

impl<'a> Group<'a> {
    pub(in crate::cli::bench) fn new(workers: &'a Workers) -> Self {
        let tallies = workers.threads.iter().map(|_| Shared::default()).collect();
        Self { workers, tallies, running: Vec::new(), spawned: 0 }
    }

    /// Runs a caller on the next worker.
    pub(super) fn spawn<F>(&mut self, caller: impl FnOnce(Shared) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let place = self.spawned % self.tallies.len();
        self.spawned += 1;
        let task = self.workers.threads[place].runtime.spawn(caller(Arc::clone(&self.tallies[place])));
        self.running.retain(|caller| !caller.is_finished());
        self.running.push(task.abort_handle());
    }

    /// How many have not ended.
    pub(in crate::cli::bench) fn running(&self) -> usize {
        self.running.iter().filter(|caller| !caller.is_finished()).count()
    }

    /// What was counted since the last call.
    pub(in crate::cli::bench) fn take(&self) -> Tally {
        let mut sum = Tally::default();
        for tally in &self.tallies {
            sum.add(&std::mem::take(&mut *lock(tally)));
        }
        sum
    }
}

impl Drop for Group<'_> {
    fn drop(&mut self) {
        for caller in &self.running {
            caller.abort();
        }
    }
}

/// A count is whole whatever happened to the thread that made it.
pub(super) fn lock(tally: &Shared) -> std::sync::MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}
