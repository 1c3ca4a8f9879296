//! Letting go of a store: its writer and every reader hold what is open, and the last of them closes it.
//!
//! ```text
//! Open ── the writer has ended ──▶ Written ── the last reader has ended ──▶ Free
//! ```

use crate::store::sled::database::disk::Disk;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// An open disk. It is shared by those who use it.
pub struct Held {
    /// Taken out when it is dropped, and never before.
    disk: Option<Disk>,
    release: Arc<Release>,
}

/// How far a store has been let go of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The writer works.
    Open,
    /// Everything is written; those who asked before still read.
    Written,
    /// Nobody reads either, and sled is closed.
    Free,
}

/// Tells those who wait how far a store has been let go of.
pub struct Release {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    stage: Stage,
    when_free: Option<Box<dyn FnOnce() + Send>>,
}

impl Held {
    /// Holds `disk`, and tells `release` when it is closed.
    pub fn new(disk: Disk, release: Arc<Release>) -> Self {
        Self { disk: Some(disk), release }
    }

    /// What is open.
    pub fn disk(&self) -> Option<&Disk> {
        self.disk.as_ref()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let disk = self.disk.take();
        // sled syncs once more when it is dropped, and panics if that fails. What was acknowledged is durable.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(disk)));
        self.release.free();
    }
}

impl Release {
    /// Of a store that is open.
    pub fn new() -> Self {
        let state = State { stage: Stage::Open, when_free: None };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// The writer has ended.
    pub fn written(&self) {
        let mut state = self.lock();
        state.stage = state.stage.max(Stage::Written);
        self.changed.notify_all();
    }

    fn free(&self) {
        // Before anybody who waits is told.
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

    /// Waits for `stage` until `end`. `false` if it was not reached.
    pub fn wait(&self, stage: Stage, end: Instant) -> bool {
        let left = end.saturating_duration_since(Instant::now());
        let waited = self.changed.wait_timeout_while(self.lock(), left, |now| now.stage < stage);
        waited.unwrap_or_else(PoisonError::into_inner).0.stage >= stage
    }

    /// The same for so long.
    pub fn wait_for(&self, stage: Stage, limit: Duration) -> bool {
        self.wait(stage, Instant::now() + limit)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
