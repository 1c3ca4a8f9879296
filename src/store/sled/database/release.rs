//! Counts the users of an open store, and closes it after the last one. Its users are the writer and the readers.
//!
//! ```text
//! Open ── the writer has ended ──▶ Written ── the last reader has ended ──▶ Free
//! ```

use crate::store::sled::database::disk::Disk;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// An open disk, shared by its users.
pub struct Held {
    /// `None` only while this is dropped.
    disk: Option<Disk>,
    release: Arc<Release>,
}

/// Progress of a store that is being closed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The writer runs.
    Open,
    /// Everything is written. Earlier calls may still read.
    Written,
    /// Nothing reads any more, and sled is closed.
    Free,
}

/// Notifies waiting threads about the progress of a store that is being closed.
pub struct Release {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    stage: Stage,
    when_free: Option<Box<dyn FnOnce() + Send>>,
}

impl Held {
    /// Keeps `disk` open, and notifies `release` when it is closed.
    pub fn new(disk: Disk, release: Arc<Release>) -> Self {
        Self { disk: Some(disk), release }
    }

    /// Returns the open disk.
    pub fn disk(&self) -> Option<&Disk> {
        self.disk.as_ref()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let disk = self.disk.take();
        // sled syncs once more when it is dropped, and panics if that fails. Acknowledged changes are durable by then.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(disk)));
        self.release.free();
    }
}

impl Release {
    /// Returns the state of an open store.
    pub fn new() -> Self {
        let state = State { stage: Stage::Open, when_free: None };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Records that the writer has ended.
    pub fn written(&self) {
        let mut state = self.lock();
        state.stage = state.stage.max(Stage::Written);
        self.changed.notify_all();
    }

    fn free(&self) {
        // Runs before any waiting thread is notified.
        let when_free = self.lock().when_free.take();
        if let Some(when_free) = when_free {
            when_free();
        }
        let mut state = self.lock();
        state.stage = Stage::Free;
        let late = state.when_free.take();
        drop(state);
        self.changed.notify_all();
        if let Some(late) = late {
            late();
        }
    }

    /// Calls `then` once sled is closed, on the thread that closes it.
    pub fn when_free(&self, then: impl FnOnce() + Send + 'static) {
        let mut state = self.lock();
        if state.stage < Stage::Free {
            state.when_free = Some(Box::new(then));
        } else {
            drop(state);
            then();
        }
    }

    /// Waits until `stage` is reached or `end` has come. Returns whether the stage was reached.
    pub fn wait(&self, stage: Stage, end: Instant) -> bool {
        let left = end.saturating_duration_since(Instant::now());
        let waited = self.changed.wait_timeout_while(self.lock(), left, |now| now.stage < stage);
        waited.unwrap_or_else(PoisonError::into_inner).0.stage >= stage
    }

    /// Like [`Self::wait`], for at most `limit`.
    pub fn wait_for(&self, stage: Stage, limit: Duration) -> bool {
        self.wait(stage, Instant::now() + limit)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
