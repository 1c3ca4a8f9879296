//! The watchdog. If a commit makes no progress for too long, the watchdog poisons the store, so that no caller waits
//! for a disk that may never answer. A large commit on a slow disk may take its time: it makes progress as long as
//! system calls return.

use crate::store::error::StoreError;
use crate::store::panics::caught;
use crate::store::sled::commit::shared::Shared;
use crate::store::sled::database::disk::Disk;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Time without progress after which sled is asked to flush once more, from another thread, and again whenever that
/// flush has ended. If a background write of sled fails, sled forgets to wake the threads that wait for it; another
/// flush wakes them.
const SLOW: Duration = Duration::from_secs(1);

/// Starts the watchdog, which supervises the writer of `shared` as long as the store exists.
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
    let (age, overdue) = shared.in_flight.see(interval, limit);
    if age >= SLOW && !shared.in_flight.is_nudging.swap(true, Ordering::Relaxed) {
        nudge(&shared);
    }
    if age > limit {
        let error = shared.poison(StoreError::Stuck { seconds: limit.as_secs() });
        // Readers may be waiting for the commit to reach sled.
        shared.unapplied.fail(error.clone());
        for caller in overdue.into_iter().flatten() {
            caller(Err(error.clone()));
        }
        for message in shared.queue.drain() {
            shared.refuse(message, &error);
        }
    }
    Some(())
}

/// Makes sled flush once more, on another thread.
fn nudge(shared: &Arc<Shared>) {
    let flushing = Arc::clone(shared);
    let flush = move || {
        // The writer gets the same result. If the disk is only slow, this flush waits together with the writer's.
        let _ = caught("flush", || flushing.with_disk(Disk::flush));
        flushing.in_flight.is_nudging.store(false, Ordering::Relaxed);
    };
    let begun = std::thread::Builder::new().name("dashboard-sled nudge".into()).spawn(flush);
    if begun.is_err() {
        shared.in_flight.is_nudging.store(false, Ordering::Relaxed);
    }
}
