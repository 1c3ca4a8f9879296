//! The commit in flight, as the watchdog sees it.

use crate::store::change::Completion;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The commit at hand, and who waits for it. Whoever takes the callers out answers them.
pub struct InFlightCommit {
    state: Mutex<State>,
    /// Grows with each call of the system that has returned, and each step of the writer.
    progress: Arc<AtomicU64>,
    /// Whether the writer computes what to write. That time is not the disk's.
    is_computing: AtomicBool,
    /// Whether a flush that the watchdog has asked for is still on its way: one at a time, or a disk that hangs would
    /// collect threads.
    pub is_nudging: AtomicBool,
}

#[derive(Default)]
struct State {
    /// How often the watchdog has seen this commit where it is; `None` while there is none. Clocks go on while a process
    /// is stopped or its machine is asleep, and a commit that slept with them is not stuck.
    seen: Option<u32>,
    /// The progress that the watchdog saw last.
    progress: u64,
    callers: Vec<Completion>,
}

impl InFlightCommit {
    /// No commit yet. `progress` grows when sled's writes have returned as well.
    pub fn new(progress: Arc<AtomicU64>) -> Self {
        let (state, is_computing, is_nudging) = Default::default();
        Self { state, progress, is_computing, is_nudging }
    }

    /// The writer has done a step.
    pub fn step(&self) {
        self.progress.fetch_add(1, Ordering::Relaxed);
    }

    /// The writer computes something.
    pub fn computing<T>(&self, compute: impl FnOnce() -> T) -> T {
        self.is_computing.store(true, Ordering::Relaxed);
        let _computing = Computing(self);
        compute()
    }

    /// The writer begins.
    pub fn begin(&self) {
        self.lock().seen = Some(0);
    }

    /// So many callers may wait for it.
    pub fn reserve(&self, callers: usize) {
        self.lock().callers.reserve(callers);
    }

    /// One more caller waits for it.
    pub fn add(&self, caller: Completion) {
        self.lock().callers.push(caller);
    }

    /// The writer is done: those who still wait.
    pub fn end(&self) -> Vec<Completion> {
        std::mem::take(&mut *self.lock()).callers
    }

    /// The watchdog's side, once in each `interval`: how long the commit has not moved at least, in time that passed for
    /// the watchdog as well; over `limit` with those who wait for it.
    pub fn see(&self, interval: Duration, limit: Duration) -> (Duration, Vec<Completion>) {
        let mut state = self.lock();
        let state = &mut *state;
        let Some(seen) = &mut state.seen else {
            return (Duration::ZERO, Vec::new());
        };
        let progress = self.progress.load(Ordering::Relaxed);
        let has_moved = std::mem::replace(&mut state.progress, progress) != progress;
        if has_moved || self.is_computing.load(Ordering::Relaxed) {
            *seen = 0;
        }
        let age = interval * *seen;
        *seen = seen.saturating_add(1);
        let overdue = if age > limit { std::mem::take(&mut state.callers) } else { Vec::new() };
        (age, overdue)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Computing<'a>(&'a InFlightCommit);

impl Drop for Computing<'_> {
    fn drop(&mut self) {
        self.0.is_computing.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn see(commit: &InFlightCommit) -> (u64, usize) {
        let (age, overdue) = commit.see(Duration::from_secs(1), Duration::from_secs(1));
        (age.as_secs(), overdue.len())
    }

    #[test]
    fn a_commit_ages_by_what_the_watchdog_sees_of_it() {
        let commit = InFlightCommit::new(Arc::default());
        let see = || see(&commit);
        commit.add(Box::new(|_| ()));
        assert_eq!([see(), see()], [(0, 0), (0, 0)]);
        commit.begin();
        assert_eq!([see(), see(), see(), see()], [(0, 0), (1, 0), (2, 1), (3, 0)]);
        commit.end();
        commit.begin();
        assert_eq!(see(), (0, 0));
    }

    #[test]
    fn a_commit_that_moves_or_is_computed_does_not_age() {
        let progress = Arc::new(AtomicU64::new(0));
        let commit = InFlightCommit::new(Arc::clone(&progress));
        let see = || see(&commit).0;
        commit.begin();
        assert_eq!([see(), see()], [0, 1]);
        progress.fetch_add(1, Ordering::Relaxed);
        assert_eq!([see(), see()], [0, 1]);
        commit.step();
        assert_eq!([see(), see()], [0, 1]);
        commit.computing(|| assert_eq!([see(), see(), see()], [0, 0, 0]));
        assert_eq!([see(), see()], [1, 2]);
    }
}
