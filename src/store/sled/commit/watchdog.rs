//! The watchdog: a commit that does not move for too long poisons the store, instead of leaving every caller waiting for a
//! disk that may never answer. A large commit on a slow disk takes its time: as long as calls of the system return, it moves.

use crate::store::error::StoreError;
use crate::store::sled::database::disk::Disk;
use crate::store::sled::shared::Shared;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// After so long, and each time again when that has ended, sled is asked to flush once more, from another thread: when a write of its
/// own in the background has failed it forgets to wake who waits for it, and another flush does that.
const SLOW: Duration = Duration::from_secs(1);

/// Watches the writer of `shared` for as long as the store is there.
pub fn watch(shared: &Arc<Shared>, limit: Duration) -> std::io::Result<()> {
    let shared = Arc::downgrade(shared);
    let interval = SLOW.min(limit / 4);
    let watch = move || {
        while look(&shared, limit, interval).is_some() {
            std::thread::sleep(interval);
        }
    };
    std::thread::Builder::new().name("dashboard-sled watchdog".into()).spawn(watch).map(drop)
}

fn look(shared: &Weak<Shared>, limit: Duration, interval: Duration) -> Option<()> {
    let shared = shared.upgrade()?;
    let (age, overdue) = shared.commit.see(interval, limit);
    if age >= SLOW && !shared.commit.is_nudging.swap(true, Ordering::Relaxed) {
        nudge(&shared);
    }
    if age > limit {
        let error = shared.poison(StoreError::Stuck { seconds: limit.as_secs() });
        // Perhaps it waits for sled, and others do as well.
        shared.unapplied.fail(error.clone());
        for caller in overdue {
            caller(Err(error.clone()));
        }
        for message in shared.queue.drain() {
            shared.refuse(message, &error);
        }
    }
    Some(())
}

/// Has sled flush once more, on a thread of its own.
fn nudge(shared: &Arc<Shared>) {
    let flushing = Arc::clone(shared);
    let flush = move || {
        // Its result is the writer's as well. If the disk is only slow, it waits with the writer.
        let _ = catch_unwind(AssertUnwindSafe(|| flushing.with_disk(Disk::flush)));
        flushing.commit.is_nudging.store(false, Ordering::Relaxed);
    };
    let begun = std::thread::Builder::new().name("dashboard-sled nudge".into()).spawn(flush);
    if begun.is_err() {
        shared.commit.is_nudging.store(false, Ordering::Relaxed);
    }
}
