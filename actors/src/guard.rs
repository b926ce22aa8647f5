//! A task that ends with its owner: actors own the pumps and streams that work for them, and a killed actor runs no clean-up but `Drop`.

use std::future::Future;

use tokio::task::JoinHandle;

/// Aborts its task when dropped.
#[derive(Debug)]
pub struct Guard(JoinHandle<()>);

impl Guard {
    /// Starts the task.
    pub fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(task))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.abort();
    }
}
