//! What the journal has and sled lacks yet: acknowledged changes on their way into sled, oldest first.
//!
//! A thread of its own gives them to sled, since that takes as long as the rest of a commit. Until it has, whoever reads
//! a key asks here before sled, and whoever reads several keys waits.

use super::batch::Batch;
use super::draft::Changed;
use super::error::{Result, StoreError};
use super::give_way::give_way;
use super::key::Key;
use super::value::Contents;
use super::Shared;
use std::collections::VecDeque;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

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
    ready: Condvar,
    applied: Condvar,
}

#[derive(Default)]
struct State {
    /// One stays here until sled has all of it.
    commits: VecDeque<Arc<Durable>>,
    closed: bool,
    /// Why no more of them will be given to sled.
    failed: Option<StoreError>,
}

impl Backlog {
    /// Adds a commit, and then has `publish` show it to readers. After it is acknowledged, [`Backlog::wake`], since that
    /// takes time.
    pub fn push(&self, commit: Durable, publish: impl FnOnce(&Changed)) {
        let commit = Arc::new(commit);
        self.lock().commits.push_back(Arc::clone(&commit));
        publish(&commit.changed);
    }

    /// Sees to it that what was added is given to sled.
    pub fn wake(&self) {
        self.ready.notify_one();
    }

    /// What the newest commit with `key` lets stand there; `None` if sled has all there is to know. What is looked for in
    /// sled after that is no older than this look.
    pub fn get(&self, key: &Key) -> Option<Option<Contents>> {
        let state = self.lock();
        state.commits.iter().rev().find_map(|commit| commit.changed.get(key).cloned())
    }

    /// Waits until sled has all that is here now. Blocks.
    pub fn wait(&self) -> Result<()> {
        let mut state = self.lock();
        let Some(last) = state.commits.back().map(|commit| commit.sequence) else {
            return Ok(());
        };
        self.ready.notify_one();
        while state.commits.front().is_some_and(|first| first.sequence <= last) {
            if let Some(error) = &state.failed {
                return Err(error.clone());
            }
            state = self.applied.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// Lets the thread end when sled has all.
    fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_one();
    }

    /// The oldest commit, when there is one; `None` at the end.
    fn next(&self) -> Option<Arc<Durable>> {
        let mut state = self.lock();
        loop {
            if let Some(commit) = state.commits.front() {
                return Some(Arc::clone(commit));
            }
            if state.closed {
                return None;
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// sled has the oldest commit.
    fn done(&self) {
        let commit = self.lock().commits.pop_front();
        self.applied.notify_all();
        // Dropped outside of the lock: there may be many keys in it.
        drop(commit);
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

/// The thread that gives commits to sled.
pub struct Applier {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Applier {
    /// Starts it.
    pub fn start(shared: &Arc<Shared>) -> std::io::Result<Self> {
        let own = Arc::clone(shared);
        let thread = std::thread::Builder::new()
            .name("dashboard-sled applier".into())
            .spawn(move || apply_all(&own))?;
        Ok(Self { shared: Arc::clone(shared), thread: Some(thread) })
    }
}

/// Waits until sled has everything, or has failed.
impl Drop for Applier {
    fn drop(&mut self) {
        self.shared.backlog.close();
        if let Some(thread) = self.thread.take() {
            // It catches its panics.
            let _ = thread.join();
        }
    }
}

fn apply_all(shared: &Shared) {
    give_way();
    while let Some(commit) = shared.backlog.next() {
        let applied = catch_unwind(AssertUnwindSafe(|| shared.apply(&commit.batch)))
            .unwrap_or_else(|panic| Err(StoreError::panicked("write", &*panic)));
        if let Err(error) = applied {
            let error = shared.poison(error);
            shared.backlog.fail(error);
            break;
        }
        shared.backlog.done();
    }
}
