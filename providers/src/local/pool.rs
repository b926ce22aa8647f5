//! A fixed set of threads that compute, behind one bounded queue.
//!
//! Place: between the async side, which waits, and inference, which takes all of a core for hundreds of milliseconds.
//! Threads and not child processes as for Whisper: rten is Rust without native code, so what goes wrong in it is a panic, and a panic is caught.
//!
//! A job whose asker has gone is skipped when its turn comes. Running ones are asked through [`Wanted`] whether to go on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::{io, thread};

use tokio::sync::{mpsc, oneshot};

/// Work for one thread: an order in, its product or a reason out.
pub(super) trait Work<T, P>: FnMut(T, &Wanted<'_, P>) -> Result<P, String> + Send + 'static {}
impl<T, P, W: FnMut(T, &Wanted<'_, P>) -> Result<P, String> + Send + 'static> Work<T, P> for W {}

type Reply<P> = oneshot::Sender<Result<P, Fault>>;

/// Whether somebody still waits for a job.
pub(super) struct Wanted<'r, P>(&'r Reply<P>);

impl<P> Wanted<'_, P> {
    pub(super) fn still(&self) -> bool {
        !self.0.is_closed()
    }
}

/// The threads. They end when this is dropped, after what they are at.
pub(super) struct Pool<T, P> {
    jobs: mpsc::Sender<(T, Reply<P>)>,
}

impl<T: Send + 'static, P: Send + 'static> Pool<T, P> {
    /// `workers` threads called after `name`, each with its own `work`, and room for `queue` jobs that wait.
    pub(super) fn start<W: Work<T, P>>(
        name: &str,
        workers: usize,
        queue: usize,
        mut work: impl FnMut() -> W,
    ) -> io::Result<Self> {
        let (jobs, waiting) = mpsc::channel(queue.max(1));
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..workers.max(1) {
            let (waiting, work) = (Arc::clone(&waiting), work());
            thread::Builder::new().name(format!("{name}-{number}")).spawn(move || serve(&waiting, work))?;
        }
        Ok(Self { jobs })
    }

    /// Does one job. Dropping the future frees its place in the queue as soon as its turn comes.
    pub(super) async fn run(&self, order: T) -> Result<P, Fault> {
        let (reply, answer) = oneshot::channel();
        self.jobs.try_send((order, reply)).map_err(|_| Fault::Busy)?;
        answer.await.unwrap_or(Err(Fault::Crashed))
    }
}

fn serve<T, P, W: Work<T, P>>(waiting: &Mutex<mpsc::Receiver<(T, Reply<P>)>>, mut work: W) {
    loop {
        // In a statement of its own: the next thread may take a job while this one works.
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some((order, reply)) = job else { return };
        if reply.is_closed() {
            continue;
        }
        let done = catch_unwind(AssertUnwindSafe(|| work(order, &Wanted(&reply))));
        let _ = reply.send(done.map_or(Err(Fault::Crashed), |result| result.map_err(Fault::Failed))); // the asker may have gone
    }
}

/// Why a job was not done.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// The queue is full.
    #[error("all workers are busy")]
    Busy,
    /// It panicked.
    #[error("crashed")]
    Crashed,
    /// It could not be done.
    #[error("{0}")]
    Failed(String),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::mpsc as sync;

    use super::*;

    /// A pool of one thread that says which job it begins and waits until it may end it.
    fn gated(queue: usize) -> (Pool<i16, i16>, sync::Receiver<i16>, sync::SyncSender<()>) {
        let (begun, begins) = sync::sync_channel(10);
        let (may, gate) = sync::sync_channel(10);
        let mut gate = Some(gate);
        let pool = Pool::start("gated", 1, queue, || {
            let (begun, gate) = (begun.clone(), gate.take().unwrap());
            move |order: i16, _: &Wanted<'_, i16>| {
                begun.send(order).unwrap();
                gate.recv().unwrap();
                assert_ne!(order, 13, "on purpose");
                Ok(order)
            }
        });
        (pool.unwrap(), begins, may)
    }

    #[tokio::test]
    async fn a_panic_is_one_jobs_failure() {
        let (pool, _begins, may) = gated(1);
        may.send(()).unwrap();
        may.send(()).unwrap();
        assert_eq!(pool.run(13).await, Err(Fault::Crashed));
        assert_eq!(pool.run(2).await, Ok(2));
    }

    #[tokio::test]
    async fn a_full_queue_refuses_and_a_dropped_job_is_skipped() {
        let (pool, begins, may) = gated(1);
        let mut first = Box::pin(pool.run(1));
        assert!(futures_util::poll!(&mut first).is_pending());
        assert_eq!(begins.recv().unwrap(), 1, "it runs, so the queue is empty");
        let mut second = Box::pin(pool.run(2));
        assert!(futures_util::poll!(&mut second).is_pending());
        assert_eq!(pool.run(3).await, Err(Fault::Busy));
        drop(second);
        may.send(()).unwrap();
        assert_eq!(first.await, Ok(1));
        may.send(()).unwrap();
        // The skipped job may still hold the one place for a moment.
        let fourth = loop {
            match pool.run(4).await {
                Err(Fault::Busy) => tokio::task::yield_now().await,
                done => break done,
            }
        };
        assert_eq!(fourth, Ok(4));
        assert_eq!(begins.try_iter().collect::<Vec<_>>(), [4], "nobody made the second");
    }
}
