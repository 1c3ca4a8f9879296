//! The thread on which everything of one store happens. It starts with the store and ends with its last use.

use crate::store::error::{Result, StoreError};
use std::future::Future;
use std::pin::Pin;
use std::sync::{mpsc, Arc, Condvar, Mutex, PoisonError};
use std::thread::Builder as Thread;
use std::time::Duration;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::time::timeout;

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

/// Work for the end of a thread.
pub type Last = Arc<Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>>;

/// Longest time for that work.
const LAST_LIMIT: Duration = Duration::from_secs(1);

/// Starts a thread. When it ends, does the work in `last`, and says so to `has_ended`.
pub fn start(last: Last, has_ended: Arc<Ended>) -> Result<(Handle, Use)> {
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
        if let Some(work) = last.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = runtime.block_on(async { timeout(LAST_LIMIT, work).await });
        }
        drop(runtime);
        has_ended.set();
    };
    Thread::new()
        .name("dashboard-sled database".into())
        .spawn(work)
        .map_err(StoreError::no_thread)?;
    let handle = handles.recv().unwrap_or(Err(StoreError::Closed))?;
    Ok((handle, Use(Some(sender))))
}
