//! Threads for calls that block: reading the disk, opening and closing.
//!
//! Work that may take long has threads of its own, so that it never delays a look-up.

use crate::store::{lower_thread_priority, Result, StoreError};
use std::collections::VecDeque;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{mpsc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

/// For look-ups: single records, counts, and pages of some hundred items.
pub static READS: Pool = Pool::new("dashboard-sled worker", 4, 65_536);
/// For work that may take long: whole lists, scans, verifying, backups. Four of them run at once.
pub static LONG: Pool = Pool::new("dashboard-sled long", 4, 1024);

/// Gets `Ok` if it can run. Otherwise it gets the error to answer its caller with.
pub type Job = Box<dyn FnOnce(Result<()>) + Send>;

/// Threads that all environments of the process share. They are started when they are first needed, and never end.
pub struct Pool {
    name: &'static str,
    /// Number of threads. Enough to keep a disk busy: a read that waits uses no processor.
    threads: usize,
    /// Maximum number of jobs that wait, so that memory is bounded while a disk is slow.
    most_waiting: usize,
    state: Mutex<State>,
    ready: Condvar,
}

struct State {
    waiting: VecDeque<Job>,
    threads: usize,
    idle: usize,
}

impl Pool {
    const fn new(name: &'static str, threads: usize, most_waiting: usize) -> Self {
        let state = Mutex::new(State { waiting: VecDeque::new(), threads: 0, idle: 0 });
        Self { name, threads, most_waiting, state, ready: Condvar::new() }
    }

    /// Runs `job` on one of the threads.
    pub fn run(&'static self, job: Job) {
        if let Err((job, error)) = self.push(job) {
            job(Err(error));
        }
    }

    fn push(&'static self, job: Job) -> std::result::Result<(), (Job, StoreError)> {
        let mut state = self.lock();
        let waiting = state.waiting.len();
        if waiting >= self.most_waiting {
            return Err((job, StoreError::BusyReading { waiting }));
        }
        if state.idle <= waiting && state.threads < self.threads {
            match Builder::new().name(self.name.into()).spawn(|| self.work()) {
                Ok(_) => state.threads += 1,
                // Tried again for the next job.
                Err(error) if state.threads == 0 => {
                    return Err((job, StoreError::no_thread(error)))
                }
                Err(_) => {}
            }
        }
        state.waiting.push_back(job);
        drop(state);
        self.ready.notify_one();
        Ok(())
    }

    fn work(&self) {
        lower_thread_priority();
        loop {
            let mut state = self.lock();
            let job = loop {
                if let Some(job) = state.waiting.pop_front() {
                    break job;
                }
                state.idle += 1;
                state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
            };
            drop(state);
            // A job that panics drops its resolver, which rejects the promise of its caller.
            let _ = catch_unwind(AssertUnwindSafe(|| job(Ok(()))));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs `job` on a thread of its own. For work that starts threads: a new thread inherits the priority of the one that
/// starts it.
pub fn run_alone(job: Job) {
    let (sender, jobs) = mpsc::channel::<Job>();
    let work = move || {
        if let Ok(job) = jobs.recv() {
            job(Ok(()));
        }
    };
    match Builder::new().name("dashboard-sled opening".into()).spawn(work) {
        // The thread waits for the job, so sending cannot fail.
        Ok(_) => drop(sender.send(job)),
        Err(error) => job(Err(StoreError::no_thread(error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_over_the_limit_are_refused_and_the_others_run() {
        static POOL: Pool = Pool::new("test", 1, 2);
        let (hold, until) = mpsc::channel::<()>();
        let (begun, first) = mpsc::channel();
        POOL.run(Box::new(move |_| {
            begun.send(()).unwrap();
            let _ = until.recv();
        }));
        first.recv().unwrap();
        let (done, results) = mpsc::channel();
        for number in 0..4 {
            let done = done.clone();
            POOL.run(Box::new(move |begun| {
                done.send((number, begun.map_err(|error| error.slug()))).unwrap();
            }));
        }
        let refused: Vec<_> = results.iter().take(2).collect();
        assert_eq!(refused, [(2, Err("store-busy")), (3, Err("store-busy"))]);
        drop(hold);
        let run: Vec<_> = results.iter().take(2).collect();
        assert_eq!(run, [(0, Ok(())), (1, Ok(()))]);
    }

    #[test]
    fn a_thread_survives_a_job_that_panics() {
        static POOL: Pool = Pool::new("test", 1, 2);
        let (done, results) = mpsc::channel();
        let after = done.clone();
        POOL.run(Box::new(move |_| {
            done.send(1).unwrap();
            panic!("in a test");
        }));
        POOL.run(Box::new(move |_| after.send(2).unwrap()));
        assert_eq!(results.iter().take(2).collect::<Vec<_>>(), [1, 2]);
    }
}
