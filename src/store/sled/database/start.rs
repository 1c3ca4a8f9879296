//! Opens sled: repairs what it can, and runs sled's threads at batch priority.

use crate::store::error::{Result, StoreError};
use crate::store::sled::database::recovery;
use crate::store::sled::database::thread_priority::lower_thread_priority;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::Builder;
use std::time::Duration;

/// Size of sled's page cache. The store's own cache is in front of it, so this one only holds the pages in current use.
const PAGE_CACHE_BYTES: u64 = 32 << 20;
/// sled's lock can outlive its database by a few milliseconds.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Number of threads that sled starts once per process, for all its writes.
const POOL_THREADS: usize = 7;
/// Number of threads that each store adds: sled's flusher, the writer and the watchdog, and one to spare for the
/// opening.
const STORE_THREADS: usize = 4;

static HAS_POOL: AtomicBool = AtomicBool::new(false);

/// Opens sled, and repairs what it can. If a snapshot is damaged, it is moved aside once, and sled reads its whole log.
/// Returns the database and a description of each repair.
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

/// Fails if the operating system would not start the threads of a store. sled does not notice that: it waits for ever
/// for a write without a thread, and never again tries to start a thread that was refused the first time.
fn require_threads() -> Result<()> {
    let count =
        if HAS_POOL.load(Ordering::Relaxed) { STORE_THREADS } else { POOL_THREADS + STORE_THREADS };
    let gate = Mutex::new(());
    let started: io::Result<()> = std::thread::scope(|scope| {
        // All threads have to run at the same time, so each of them waits until the last one has started.
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

/// Runs `open` on a new thread at batch priority. The first time, sled starts the seven threads that do most of its
/// writes, and they inherit the priority. sled wakes all of them for each write; at normal priority they would preempt
/// the writer and the event loop.
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
            .map_err(|payload| StoreError::sled_panicked("open the store", folder, &*payload))
    })
}

/// Returns whether sled's own lock is taken. sled has no error kind for that.
fn is_sleds_lock(error: &std::io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}
