//! Opening sled itself: what can be repaired is, and its threads give way.

use crate::store::error::{Result, StoreError};
use crate::store::sled::database::recovery;
use crate::store::sled::database::thread_priority::lower_thread_priority;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::Builder;
use std::time::Duration;

/// sled's page cache. Ours is in front of it, so this is for the pages of a working set only.
const PAGE_CACHE_BYTES: u64 = 32 << 20;
/// sled's lock can outlive its database by a few milliseconds.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Threads that sled starts once in a process, for all its writing.
const POOL_THREADS: usize = 7;
/// Threads that each store has besides: sled's flusher, the writer and the watchdog. One more is to spare, for the opening.
const STORE_THREADS: usize = 4;

static HAS_POOL: AtomicBool = AtomicBool::new(false);

/// Opens sled, and repairs what can be. A damaged snapshot is moved aside once, and the log read whole.
pub fn open_sled(folder: &Path) -> Result<(sled::Db, Vec<String>)> {
    require_threads()?;
    let mut repaired = recovery::before_open(folder)?;
    let database = match try_sled(folder) {
        Err(StoreError::Damaged { .. } | StoreError::Sled { .. }) => {
            repaired.append(&mut recovery::move_snapshots_aside(folder)?);
            try_sled(folder)?
        }
        other => other?,
    };
    Ok((database, repaired))
}

/// Refuses to begin if the system would not start the threads of a store. sled does not notice: it waits for ever for a write
/// that has no thread, and never asks again for those it was refused the first time.
fn require_threads() -> Result<()> {
    let count =
        if HAS_POOL.load(Ordering::Relaxed) { STORE_THREADS } else { POOL_THREADS + STORE_THREADS };
    let gate = Mutex::new(());
    let started: io::Result<()> = std::thread::scope(|scope| {
        // All of them at once, so each waits for the last one.
        let _closed = gate.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..count {
            Builder::new().spawn_scoped(scope, || drop(gate.lock()))?;
        }
        Ok(())
    });
    started.map_err(StoreError::no_thread)?;
    HAS_POOL.store(true, Ordering::Relaxed);
    Ok(())
}

fn try_sled(folder: &Path) -> Result<sled::Db> {
    let config = sled::Config::new()
        .path(folder)
        .mode(sled::Mode::LowSpace)
        .flush_every_ms(Some(500))
        .cache_capacity(PAGE_CACHE_BYTES)
        .use_compression(false);
    let mut tries = 0;
    loop {
        match on_opener(folder, || config.open())? {
            Ok(database) => return Ok(database),
            Err(sled::Error::Io(error)) if is_sleds_lock(&error) && tries < LOCK_TRIES => {
                tries += 1;
                std::thread::sleep(LOCK_PAUSE);
            }
            Err(error) => return Err(StoreError::sled("open", folder, error)),
        }
    }
}

/// Runs `open` on a thread of its own. The first time sled starts the seven threads that usually write, which inherit how
/// they are run. It wakes all of them for each write, and they would push the writer and the event loop off the processors.
fn on_opener<T: Send>(folder: &Path, open: impl FnOnce() -> T + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let opener = Builder::new()
            .name("dashboard-sled opener".into())
            .spawn_scoped(scope, || {
                lower_thread_priority();
                open()
            })
            .map_err(StoreError::no_thread)?;
        opener
            .join()
            .map_err(|panic| StoreError::panicked("open the store", &*panic).of_sled(folder))
    })
}

/// sled has no kind of its own for it.
fn is_sleds_lock(error: &std::io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}
