//! The watchdog: a commit that takes too long poisons the store, instead of leaving every caller waiting for a
//! disk that may never answer.

use super::change::Completion;
use super::disk::Disk;
use super::error::StoreError;
use super::Shared;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// After so long, and each time again, sled is asked to flush once more, from another thread: when a write of its
/// own in the background has failed it forgets to wake who waits for it, and another flush does that.
const SLOW: Duration = Duration::from_secs(1);

/// The commit at hand: since when, and who waits for it. Whoever takes the callers out answers them.
#[derive(Default)]
pub struct Commit(Mutex<State>);

#[derive(Default)]
struct State {
    since: Option<Instant>,
    callers: Vec<Completion>,
}

impl Commit {
    /// The writer begins.
    pub fn begin(&self) {
        self.lock().since = Some(Instant::now());
    }

    /// One more caller waits for it.
    pub fn add(&self, caller: Completion) {
        self.lock().callers.push(caller);
    }

    /// The writer is done: those who still wait.
    pub fn end(&self) -> Vec<Completion> {
        std::mem::take(&mut *self.lock()).callers
    }

    /// Whether the commit is slow, but not yet given up on for long.
    fn is_slow(&self, limit: Duration) -> bool {
        let since = self.lock().since.map(|since| since.elapsed());
        since.is_some_and(|since| since > SLOW && since < 2 * limit)
    }

    /// Those who wait for a commit that is older than `limit`.
    fn overdue(&self, limit: Duration) -> Option<Vec<Completion>> {
        let mut state = self.lock();
        let is_overdue = state.since.is_some_and(|since| since.elapsed() > limit);
        is_overdue.then(|| std::mem::take(&mut state.callers))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Watches the writer of `shared` for as long as the store is there.
pub fn watch(shared: &Arc<Shared>, limit: Duration) -> std::io::Result<()> {
    let shared = Arc::downgrade(shared);
    let watch = move || {
        while look(&shared, limit).is_some() {
            std::thread::sleep(SLOW.min(limit / 4));
        }
    };
    std::thread::Builder::new().name("dashboard-sled watchdog".into()).spawn(watch).map(drop)
}

fn look(shared: &Weak<Shared>, limit: Duration) -> Option<()> {
    let shared = shared.upgrade()?;
    if shared.commit.is_slow(limit) {
        let shared = Arc::clone(&shared);
        // Its result is the writer's as well. If the disk is only slow, it waits with the writer.
        let nudge = move || drop(shared.with_disk(Disk::flush));
        let _ = std::thread::Builder::new().name("dashboard-sled nudge".into()).spawn(nudge);
    }
    if let Some(callers) = shared.commit.overdue(limit) {
        let error = shared.poison(StoreError::Stuck { seconds: limit.as_secs() });
        for caller in callers {
            caller(Err(error.clone()));
        }
        for message in shared.queue.drain() {
            shared.refuse(message, &error);
        }
    }
    Some(())
}
