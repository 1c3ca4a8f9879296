//! Threads for what blocks: reading the disk, opening and closing.

use crate::store::{give_way, StoreError};
use std::collections::VecDeque;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};

/// Enough to keep a disk busy; a read that waits takes no processor.
const THREADS: usize = 4;

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Jobs {
    waiting: Mutex<VecDeque<Job>>,
    ready: Condvar,
}

/// Runs `job` on one of the worker threads, which all environments of the process share.
pub fn run(job: Job) -> Result<(), StoreError> {
    static JOBS: OnceLock<Option<&'static Jobs>> = OnceLock::new();
    let jobs = JOBS.get_or_init(start).ok_or_else(|| StoreError::Panicked {
        action: "start a worker thread",
        cause: "the system gave none".into(),
    })?;
    jobs.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(job);
    jobs.ready.notify_one();
    Ok(())
}

/// `None` if not a single thread can be had.
fn start() -> Option<&'static Jobs> {
    let jobs: &Jobs = Box::leak(Box::default());
    let started = (0..THREADS).filter(|number| {
        let name = format!("dashboard-sled worker {number}");
        std::thread::Builder::new().name(name).spawn(move || work(jobs)).is_ok()
    });
    (started.count() > 0).then_some(jobs)
}

fn work(jobs: &Jobs) {
    give_way();
    loop {
        let waiting = jobs.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = jobs.ready.wait_while(waiting, |waiting| waiting.is_empty());
        let job = waiting.unwrap_or_else(PoisonError::into_inner).pop_front();
        // A job that panics has dropped its ticket, which tells its caller.
        let _ = catch_unwind(AssertUnwindSafe(|| job.map(|job| job())));
    }
}
