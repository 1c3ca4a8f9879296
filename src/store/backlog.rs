//! What the journal has and sled lacks yet: acknowledged changes on their way into sled, oldest first.
//!
//! To give them to sled takes as long as the rest of a commit, so the writer does it while the drive works for the next
//! one, or has nothing else to do. Until then whoever reads a key asks here before sled, and whoever reads several waits.

use super::batch::Batch;
use super::draft::Changed;
use super::error::{Result, StoreError};
use super::key::Key;
use super::value::Contents;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// A commit that is durable.
pub struct Durable {
    /// Its number.
    pub sequence: u64,
    /// What sled is to be given.
    pub batch: Batch,
    /// The same as readers want it.
    pub changed: Changed,
}

/// The commits that sled lacks.
#[derive(Default)]
pub struct Backlog {
    state: Mutex<State>,
    applied: Condvar,
}

#[derive(Default)]
struct State {
    /// One stays here until sled has all of it.
    commits: VecDeque<Arc<Durable>>,
    /// Why no more of them will be given to sled.
    failed: Option<StoreError>,
}

impl Backlog {
    /// Adds a commit, before anybody is told of it: or a read could miss it.
    pub fn push(&self, commit: Arc<Durable>) {
        self.lock().commits.push_back(commit);
    }

    /// What the newest commit with `key` lets stand there; `None` if sled has all there is to know. What is looked for in
    /// sled after that is no older than this look.
    pub fn get(&self, key: &Key) -> Option<Option<Contents>> {
        let state = self.lock();
        state.commits.iter().rev().find_map(|commit| commit.changed.get(key).cloned())
    }

    /// Waits until sled has all that is here now. For everybody but the writer. Blocks.
    pub fn wait(&self) -> Result<()> {
        let mut state = self.lock();
        let Some(last) = state.commits.back().map(|commit| commit.sequence) else {
            return Ok(());
        };
        while state.commits.front().is_some_and(|first| first.sequence <= last) {
            if let Some(error) = &state.failed {
                return Err(error.clone());
            }
            state = self.applied.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// The writer's side: has `apply` give everything to sled.
    pub fn apply(&self, apply: impl Fn(&Batch) -> Result<()>) -> Result<()> {
        loop {
            let Some(commit) = self.lock().commits.front().cloned() else {
                return Ok(());
            };
            apply(&commit.batch)?;
            self.lock().commits.pop_front();
            self.applied.notify_all();
        }
    }

    /// Nobody waits any more for what is here. It stays, for readers.
    pub fn fail(&self, error: StoreError) {
        self.lock().failed = Some(error);
        self.applied.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
