//! Threads for what blocks: reading the disk, opening and closing.

use crate::store::StoreError;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::mpsc::{channel, Sender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Enough to keep a disk busy; a read that waits takes no processor.
const THREADS: usize = 4;

type Job = Box<dyn FnOnce() + Send>;

/// Runs `job` on one of the worker threads, which all environments of the process share.
pub fn run(job: Job) -> Result<(), StoreError> {
    static QUEUE: OnceLock<Mutex<Sender<Job>>> = OnceLock::new();
    let queue = QUEUE.get_or_init(|| Mutex::new(start()));
    let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    queue.send(job).map_err(|_| StoreError::Panicked {
        action: "start a worker thread",
        cause: "the system gave none".into(),
    })
}

fn start() -> Sender<Job> {
    let (sender, receiver) = channel::<Job>();
    let receiver = Arc::new(Mutex::new(receiver));
    for number in 0..THREADS {
        let receiver = Arc::clone(&receiver);
        // If none starts, the receiver is dropped, and `run` says so.
        let _ = std::thread::Builder::new().name(format!("dashboard-sled worker {number}")).spawn(
            move || loop {
                let job = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(job) = job else { break };
                // A job that panics has dropped its ticket, which tells its caller.
                let _ = catch_unwind(AssertUnwindSafe(job));
            },
        );
    }
    sender
}
