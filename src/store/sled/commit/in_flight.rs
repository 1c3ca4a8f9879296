//! State of the current commit, for the writer and the watchdog.

use crate::store::change::Completion;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The current commit and its waiting callers. The thread that takes the callers out answers them.
pub struct InFlightCommit {
    state: Mutex<State>,
    /// Grows with each system call that has returned, and with each step of the writer.
    progress: Arc<AtomicU64>,
    /// Whether the writer is computing changes. That time does not count as the disk's.
    is_computing: AtomicBool,
    /// Whether a flush that the watchdog has started is still running. There is one at a time, because a disk that
    /// hangs would collect threads.
    pub is_nudging: AtomicBool,
}

#[derive(Default)]
struct State {
    /// Number of times that the watchdog has seen this commit without progress; `None` if there is no commit. Not
    /// measured with a clock: clocks go on while a process is stopped or its machine sleeps, and such a commit is not
    /// stuck.
    seen: Option<u32>,
    /// Progress when the watchdog looked last.
    progress: u64,
    callers: Vec<Option<Completion>>,
}

impl InFlightCommit {
    /// Returns the state without a commit. `progress` also grows with the writes of sled.
    pub fn new(progress: Arc<AtomicU64>) -> Self {
        let (state, is_computing, is_nudging) = Default::default();
        Self { state, progress, is_computing, is_nudging }
    }

    /// Records a step of the writer.
    pub fn step(&self) {
        self.progress.fetch_add(1, Ordering::Relaxed);
    }

    /// Runs a computation of the writer, whose time does not count.
    pub fn computing<T>(&self, compute: impl FnOnce() -> T) -> T {
        self.is_computing.store(true, Ordering::Relaxed);
        let _computing = Computing(self);
        compute()
    }

    /// Starts a commit.
    pub fn begin(&self) {
        self.lock().seen = Some(0);
    }

    /// Adds a caller that waits for the commit.
    pub fn add(&self, caller: Completion) {
        self.lock().callers.push(Some(caller));
    }

    /// Adds callers that wait for the commit. Returns their numbers for [`InFlightCommit::remove`].
    pub fn add_all(&self, callers: Vec<Completion>) -> std::ops::Range<usize> {
        let mut state = self.lock();
        let first = state.callers.len();
        state.callers.extend(callers.into_iter().map(Some));
        first..state.callers.len()
    }

    /// Takes out the caller with this number, unless the watchdog has answered it.
    pub fn remove(&self, number: usize) -> Option<Completion> {
        self.lock().callers.get_mut(number)?.take()
    }

    /// Ends the commit, and returns the callers that still wait.
    pub fn end(&self) -> Vec<Completion> {
        std::mem::take(&mut *self.lock()).callers.into_iter().flatten().collect()
    }

    /// Returns the time for which the commit has made no progress, at least. Time in which the watchdog did not run
    /// does not count. If it is over `limit`, also takes out the waiting callers. Called by the watchdog once per
    /// `interval`.
    pub fn see(&self, interval: Duration, limit: Duration) -> (Duration, Vec<Option<Completion>>) {
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
    fn a_commit_ages_each_time_the_watchdog_sees_it() {
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
    fn a_caller_is_answered_once() {
        let commit = InFlightCommit::new(Arc::default());
        let callers = (0..3).map(|_| Box::new(|_| ()) as Completion).collect();
        assert_eq!(commit.add_all(callers), 0..3);
        commit.begin();
        assert!(commit.remove(1).is_some());
        assert!(commit.remove(1).is_none());
        let overdue = (0..3).map(|_| see(&commit).1).collect::<Vec<_>>();
        assert_eq!(overdue, [0, 0, 3]);
        assert!(commit.remove(2).is_none());
        assert_eq!(commit.end().len(), 0);
    }

    #[test]
    fn a_commit_that_makes_progress_or_is_computed_does_not_age() {
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
