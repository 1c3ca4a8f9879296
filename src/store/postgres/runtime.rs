//! The thread on which everything of one store happens. It starts with the store and ends with its last use.

use crate::store::error::{Result, StoreError};
use std::sync::{mpsc, Condvar, Mutex, PoisonError};
use std::thread::Builder as Thread;
use std::time::Duration;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// Keeps the thread of a store alive. The thread ends when the last one is dropped.
pub struct Use(Option<oneshot::Sender<()>>);

impl Drop for Use {
    fn drop(&mut self) {
        if let Some(sender) = self.0.take() {
            // Fails if the thread has ended.
            let _ = sender.send(());
        }
    }
}

/// Says when the thread has ended.
#[derive(Default)]
pub struct Ended {
    has_ended: Mutex<bool>,
    changed: Condvar,
}

impl Ended {
    /// Says that it has ended.
    pub fn set(&self) {
        *self.has_ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Waits until the thread has ended. Returns false after `limit`.
    pub fn wait(&self, limit: Duration) -> bool {
        let state = self.has_ended.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(state, limit, |has_ended| !*has_ended);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Starts a thread. Calls `at_end` there when it ends.
pub fn start(at_end: impl FnOnce() + Send + 'static) -> Result<(Handle, Use)> {
    let (sender, ended) = oneshot::channel();
    let (started, handles) = mpsc::channel();
    let work = move || {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => {
                // The receiver waits below.
                let _ = started.send(Err(StoreError::no_thread(error)));
                return;
            }
        };
        let _ = started.send(Ok(runtime.handle().clone()));
        // The sender is dropped or used: both mean the end.
        let _ = runtime.block_on(ended);
        drop(runtime);
        at_end();
    };
    Thread::new()
        .name("dashboard-sled database".into())
        .spawn(work)
        .map_err(StoreError::no_thread)?;
    let handle = handles.recv().unwrap_or(Err(StoreError::Closed))?;
    Ok((handle, Use(Some(sender))))
}
