//! A task that ends with its owner: actors own the pumps and streams that work for them, and a killed actor runs no clean-up but `Drop`.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tokio::task::JoinHandle;

/// Aborts its task when dropped.
#[derive(Debug)]
pub struct Guard(JoinHandle<()>);

impl Guard {
    /// Starts the task. If it panics, which a vendor's code may, `panicked` tells the owner, who would wait for it for ever.
    pub fn spawn(task: impl Future<Output = ()> + Send + 'static, panicked: impl FnOnce() + Send + 'static) -> Self {
        Self(tokio::spawn(async move {
            // What the task owned is dropped with it; nothing of it is looked at again.
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                panicked();
            }
        }))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        #[cfg(feature = "sabotage")]
        if tandem_domain::sabotage::is_off(tandem_domain::sabotage::Mechanism::TasksEndWithTheirOwner) {
            return;
        }
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_told_and_an_end_is_not() {
        let (told, mut news) = tokio::sync::mpsc::channel(1);
        let _calm = Guard::spawn(async {}, || panic!("it did not panic"));
        let _wild = Guard::spawn(async { panic!("planned") }, move || told.try_send(()).expect("room"));
        assert_eq!(news.recv().await, Some(()));
    }
}
